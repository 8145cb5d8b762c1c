//! JWS in compact form (RFC 7515 section 7.1), taken apart: no key and no claim is judged here.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use crate::crypto::json::{self, kind};

/// Octets that a token may have.
pub const MAX_LENGTH: usize = 16 * 1024;

/// A token's parts, decoded. Nothing in it is proved.
pub struct Jws<'a> {
    /// What was signed: both first parts as sent, with the dot between them.
    pub signed: &'a str,
    /// The members of the header that are used.
    pub header: Header,
    /// The payload.
    pub claims: Map<String, Value>,
    /// The decoded signature; may be empty.
    pub signature: Vec<u8>,
}

/// The same with a payload of any bytes.
pub struct Parts<'a> {
    pub signed: &'a str,
    pub header: Header,
    pub payload: Vec<u8>,
    pub signature: Vec<u8>,
}

/// The header, as far as it has a say. Keys that a header brings along (`jwk`, `jku`, `x5c`, `x5u`) have none.
#[derive(Debug)]
pub struct Header {
    /// `alg` as sent.
    pub algorithm: String,
    /// `kid`.
    pub kid: Option<String>,
    /// `typ`.
    pub kind: Option<String>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart. The error says what is wrong, without the token or any value of it.
    pub fn read(token: &'a str) -> Result<Jws<'a>, String> {
        let Parts { signed, header, payload, signature } = Parts::read(token)?;
        let claims = json::object(&payload).map_err(|why| format!("its payload: {why}"))?;
        Ok(Jws { signed, header, claims, signature })
    }
}

impl<'a> Parts<'a> {
    /// As `Jws::read`, but for the payload.
    pub fn read(token: &'a str) -> Result<Parts<'a>, String> {
        if token.len() > MAX_LENGTH {
            return Err(format!("it has {} octets; at most {MAX_LENGTH} are read", token.len()));
        }
        let (signed, header, payload, signature) = split(token).ok_or("it is not three parts with two dots")?;
        // One buffer for header and payload: what is kept of the header is copied out by the reader.
        let mut buffer = Vec::with_capacity(token.len());
        decode(header, "header", &mut buffer)?;
        let header = Header::read(json::object(&buffer).map_err(|why| format!("its header: {why}"))?)?;
        decode(payload, "payload", &mut buffer)?;
        let mut tag = Vec::new();
        decode(signature, "signature", &mut tag)?;
        Ok(Parts { signed, header, payload: buffer, signature: tag })
    }
}

impl Header {
    fn read(mut members: Map<String, Value>) -> Result<Header, String> {
        // RFC 7515 section 4.1.11: what is critical and not understood makes a token invalid, and no extension is.
        if members.contains_key("crit") {
            return Err("its header names critical extensions (crit), and none are understood here".into());
        }
        // RFC 7797: an unencoded payload is read otherwise by those who do not know it.
        if members.contains_key("b64") {
            return Err("its header has the member b64 (RFC 7797), which is not understood here".into());
        }
        let algorithm = text(&mut members, "alg")?.ok_or("its header has no alg")?;
        Ok(Header { algorithm, kid: text(&mut members, "kid")?, kind: text(&mut members, "typ")? })
    }
}

/// Signed text, header, payload, signature; exactly two dots. Looks no further than the third.
fn split(token: &str) -> Option<(&str, &str, &str, &str)> {
    let (header, rest) = token.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    if signature.contains('.') {
        return None;
    }
    let signed = token.get(..header.len() + 1 + payload.len())?;
    Some((signed, header, payload, signature))
}

/// Base64url without padding, spare bits zero: each value has one spelling (RFC 7515 section 2).
fn decode(part: &str, name: &str, buffer: &mut Vec<u8>) -> Result<(), String> {
    let refused = || format!("its {name} is not base64url in its canonical form");
    let length = BASE64URL_NOPAD.decode_len(part.len()).map_err(|_| refused())?;
    buffer.clear();
    buffer.resize(length, 0);
    BASE64URL_NOPAD.decode_mut(part.as_bytes(), buffer).map_err(|_| refused())?;
    Ok(())
}

fn text(members: &mut Map<String, Value>, name: &str) -> Result<Option<String>, String> {
    match members.remove(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("its header's {name} is {} where a string belongs", kind(&other))),
    }
}
