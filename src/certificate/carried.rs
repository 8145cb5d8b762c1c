//! The forms in which a certificate travels as text: PEM, and the header fields of proxies.

use std::borrow::Cow;

use data_encoding::BASE64;

use super::LONGEST;

/// How a proxy writes a certificate into a header field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// A byte sequence, `:base64:` (RFC 9440 section 2.1).
    #[default]
    Rfc9440,
    /// PEM, percent-encoded: nginx's `$ssl_client_escaped_cert`.
    EscapedPem,
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The DER in a field's value, which is not empty. The error says what is wrong, for the operator.
pub fn read(value: &[u8], form: Form) -> Result<Vec<u8>, &'static str> {
    match form {
        Form::Rfc9440 => byte_sequence(value).ok_or("the field is no byte sequence, `:base64:` (RFC 9440)"),
        Form::EscapedPem => {
            let decoded = percent_decoded(value).ok_or("the field is not percent-encoded")?;
            let text = std::str::from_utf8(&decoded).map_err(|_| "the field is no PEM")?;
            one_block(text.trim_matches(is_blank)).ok_or("the field is not one certificate in PEM")
        }
    }
}

/// The DER of a file: the first certificate of a PEM text, whatever stands around it, or the bytes themselves.
pub fn of_file(bytes: &[u8]) -> Result<Cow<'_, [u8]>, &'static str> {
    // A DER certificate begins with the tag of a SEQUENCE, which no text does that a person would write.
    if bytes.first() == Some(&0x30) && !bytes.starts_with(b"0\r\n") {
        return Ok(Cow::Borrowed(bytes));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| "it is neither PEM nor DER")?;
    let start = text.find(BEGIN).ok_or("it holds no `-----BEGIN CERTIFICATE-----`, and is no DER")?;
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find(END).ok_or("its certificate has no end")?.saturating_add(END.len());
    let block = rest.get(..end).unwrap_or_default();
    one_block(block).map(Cow::Owned).ok_or("its certificate is no base64")
}

/// An sf-binary of RFC 9651 section 3.3.5, in the one spelling of each value, without parameters.
fn byte_sequence(value: &[u8]) -> Option<Vec<u8>> {
    let inside = value.strip_prefix(b":")?.strip_suffix(b":")?;
    BASE64.decode(inside).ok().filter(|der| !der.is_empty())
}

fn one_block(text: &str) -> Option<Vec<u8>> {
    let inside = text.strip_prefix(BEGIN)?.strip_suffix(END)?;
    if inside.len() > LONGEST.saturating_mul(2) {
        return None;
    }
    let packed: String = inside.chars().filter(|c| !is_blank(*c)).collect();
    BASE64.decode(packed.as_bytes()).ok().filter(|der| !der.is_empty())
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn percent_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut octets = value.iter();
    while let Some(octet) = octets.next() {
        if *octet != b'%' {
            out.push(*octet);
            continue;
        }
        let mut digit = || octets.next().and_then(|d| char::from(*d).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        let (high, low) = (digit()?, digit()?);
        out.push(high << 4 | low);
    }
    Some(out)
}
