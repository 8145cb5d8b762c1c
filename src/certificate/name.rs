//! Distinguished names: those of certificates, and those of policies in the string form of RFC 4514.
//!
//! Two names are the same if they have the same attributes in the same places, the whole of them: never a part, never a
//! common name alone. Values are compared as text whatever ASN.1 string holds them, code point by code point. Only
//! `DC` and `C` are compared without case: DNS labels and country codes have none. X.520 would have most attributes
//! compared without case and without double spaces; being stricter can only refuse more.

use std::fmt;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::Any;
use x509_cert::der::{Decode, Encode, Tag, Tagged};
use x509_cert::name::Name;
use x509_cert::spki::ObjectIdentifier;

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const COUNTRY: ObjectIdentifier = oid("2.5.4.6");
const DOMAIN: ObjectIdentifier = oid("0.9.2342.19200300.100.1.25");

/// Names of attributes: those of RFC 4514, and what OpenSSL prints. The first of several is printed.
const ATTRIBUTES: [(&str, ObjectIdentifier); 27] = [
    ("CN", oid("2.5.4.3")),
    ("O", oid("2.5.4.10")),
    ("OU", oid("2.5.4.11")),
    ("C", COUNTRY),
    ("DC", DOMAIN),
    ("L", oid("2.5.4.7")),
    ("ST", oid("2.5.4.8")),
    ("STREET", oid("2.5.4.9")),
    ("UID", oid("0.9.2342.19200300.100.1.1")),
    ("emailAddress", oid("1.2.840.113549.1.9.1")),
    ("E", oid("1.2.840.113549.1.9.1")),
    ("serialNumber", oid("2.5.4.5")),
    ("GN", oid("2.5.4.42")),
    ("givenName", oid("2.5.4.42")),
    ("SN", oid("2.5.4.4")),
    ("surname", oid("2.5.4.4")),
    ("title", oid("2.5.4.12")),
    ("description", oid("2.5.4.13")),
    ("postalCode", oid("2.5.4.17")),
    ("name", oid("2.5.4.41")),
    ("initials", oid("2.5.4.43")),
    ("generationQualifier", oid("2.5.4.44")),
    ("dnQualifier", oid("2.5.4.46")),
    ("pseudonym", oid("2.5.4.65")),
    ("organizationIdentifier", oid("2.5.4.97")),
    ("businessCategory", oid("2.5.4.15")),
    ("commonName", oid("2.5.4.3")),
];

/// A distinguished name in one form: the last relative name first, as RFC 4514 writes them, the attributes of each in
/// order of their type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DistinguishedName(Vec<Vec<Attribute>>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Attribute {
    kind: ObjectIdentifier,
    value: Value,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Value {
    /// What one of the string types holds.
    Text(String),
    /// DER of any other type, and of strings whose characters are not certain.
    Other(Vec<u8>),
}

/// What is wrong with a written name, and at which character, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// What is wrong.
    pub what: String,
    /// Where.
    pub at: usize,
}

impl DistinguishedName {
    /// There is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of a certificate.
    pub(super) fn of(name: &Name) -> Result<DistinguishedName, &'static str> {
        let relative = |attributes: &x509_cert::name::RelativeDistinguishedName| {
            let list = attributes.iter().map(Attribute::of).collect::<Result<Vec<_>, _>>()?;
            Ok(sorted(list))
        };
        let rdns = name.as_ref().as_ref().iter().rev().map(relative);
        rdns.collect::<Result<_, _>>().map(DistinguishedName)
    }

    /// Reads the string form of RFC 4514, strictly.
    pub fn parse(text: &str) -> Result<DistinguishedName, Mistake> {
        let mut reader = Reader { text, at: 0 };
        let mut rdns = Vec::new();
        loop {
            let mut attributes = vec![reader.attribute()?];
            while reader.eat('+') {
                attributes.push(reader.attribute()?);
            }
            rdns.push(sorted(attributes));
            if !reader.eat(',') {
                // A value ends at `,`, at `+` or with the text.
                return Ok(DistinguishedName(rdns));
            }
        }
    }
}

fn sorted(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    attributes.sort_unstable();
    attributes
}

impl Attribute {
    fn of(read: &AttributeTypeAndValue) -> Result<Attribute, &'static str> {
        Attribute::new(read.oid, Value::of(&read.value)?).ok_or("its subject holds a control character")
    }

    /// `None`: the value holds a control character, which no name needs and which has ended names early elsewhere.
    fn new(kind: ObjectIdentifier, value: Value) -> Option<Attribute> {
        let value = match value {
            Value::Text(text) if text.chars().any(char::is_control) => return None,
            Value::Text(text) if kind == COUNTRY || kind == DOMAIN => Value::Text(text.to_ascii_lowercase()),
            other => other,
        };
        Some(Attribute { kind, value })
    }
}

impl Value {
    fn of(any: &Any) -> Result<Value, &'static str> {
        let octets = any.value();
        let text = match any.tag() {
            Tag::Utf8String => String::from_utf8(octets.to_vec()).map_err(|_| "its subject is not UTF-8")?,
            Tag::PrintableString | Tag::Ia5String | Tag::NumericString | Tag::VisibleString => {
                let ascii = octets.is_ascii().then(|| octets.iter().map(|octet| char::from(*octet)).collect());
                ascii.ok_or("its subject holds a string with characters that its type does not have")?
            }
            Tag::BmpString => {
                let units = octets.chunks(2).map(|pair| <[u8; 2]>::try_from(pair).map(u16::from_be_bytes));
                let units: Option<Vec<u16>> = units.map(Result::ok).collect();
                let text = units.and_then(|units| String::from_utf16(&units).ok());
                text.ok_or("its subject holds a BMPString that is none")?
            }
            // TeletexString is read as Latin-1 by some and as T.61 by others: it equals nothing but itself.
            _ => return any.to_der().map(Value::Other).map_err(|_| "its subject cannot be read"),
        };
        Ok(Value::Text(text))
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, attributes) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "," })?;
            for (j, attribute) in attributes.iter().enumerate() {
                f.write_str(if j == 0 { "" } else { "+" })?;
                match ATTRIBUTES.iter().find(|(_, kind)| *kind == attribute.kind) {
                    Some((name, _)) => f.write_str(name)?,
                    None => write!(f, "{}", attribute.kind)?,
                }
                match &attribute.value {
                    Value::Text(text) => write!(f, "={}", escaped(text))?,
                    Value::Other(der) => write!(f, "=#{}", HEXLOWER.encode(der))?,
                }
            }
        }
        Ok(())
    }
}

/// RFC 4514 section 2.4.
fn escaped(text: &str) -> String {
    let last = text.chars().count().saturating_sub(1);
    let mut out = String::with_capacity(text.len());
    for (i, c) in text.chars().enumerate() {
        let at_an_end = (c == ' ' && (i == 0 || i == last)) || (c == '#' && i == 0);
        if at_an_end || matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

struct Reader<'t> {
    text: &'t str,
    /// Octets read.
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at = self.at.saturating_add(c.len_utf8());
        Some(c)
    }

    fn eat(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        if there {
            self.next();
        }
        there
    }

    fn mistake<T>(&self, what: impl Into<String>) -> Result<T, Mistake> {
        let before = self.text.get(..self.at).unwrap_or_default();
        Err(Mistake { what: what.into(), at: before.chars().count().saturating_add(1) })
    }

    fn attribute(&mut self) -> Result<Attribute, Mistake> {
        match self.peek() {
            Some(' ') => return self.mistake("a space stands before the name of an attribute"),
            Some('/') => return self.mistake("`/` begins the old form of OpenSSL"),
            Some(_) => {}
            None => return self.mistake("an attribute is missing"),
        }
        let end =
            self.rest().find(['=', ',', '+']).filter(|end| self.rest().get(*end..).is_some_and(|r| r.starts_with('=')));
        let Some(end) = end else { return self.mistake("an attribute has no `=`") };
        let written = self.rest().get(..end).unwrap_or_default();
        let known = ATTRIBUTES.iter().find(|(name, _)| name.eq_ignore_ascii_case(written)).map(|(_, kind)| *kind);
        let Some(kind) = known.or_else(|| ObjectIdentifier::new(written).ok()) else {
            return self.mistake(format!("`{}` is no attribute that is known", written.escape_debug()));
        };
        self.at = self.at.saturating_add(end).saturating_add(1);
        let start = self.at;
        let value = if self.peek() == Some('#') { self.hex()? } else { self.string()? };
        match Attribute::new(kind, value) {
            Some(attribute) => Ok(attribute),
            None => {
                self.at = start;
                self.mistake("the value holds a control character")
            }
        }
    }

    /// `#` and the DER of the value.
    fn hex(&mut self) -> Result<Value, Mistake> {
        let digits = self.rest().get(1..).unwrap_or_default();
        let digits = digits.get(..digits.find([',', '+']).unwrap_or(digits.len())).unwrap_or_default();
        let der = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
        let value = der.and_then(|der| Any::from_der(&der).ok()).and_then(|any| Value::of(&any).ok());
        let Some(value) = value else { return self.mistake("behind `#` stands the value's DER in hex digits") };
        self.at = self.at.saturating_add(digits.len()).saturating_add(1);
        Ok(value)
    }

    fn string(&mut self) -> Result<Value, Mistake> {
        let mut octets = Vec::new();
        let mut bare_space = false;
        let start = self.at;
        if self.peek() == Some(' ') {
            return self.mistake("a space begins the value; write `\\ ` if it belongs to it");
        }
        while let Some(c) = self.peek() {
            match c {
                ',' | '+' => break,
                '"' | ';' | '<' | '>' => return self.mistake(format!("write `\\{c}` for `{c}`")),
                '\\' => octets.extend_from_slice(&self.pair()?),
                _ => {
                    self.next();
                    octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                }
            }
            bare_space = c == ' ';
        }
        if bare_space {
            return self.mistake("a space ends the value; write `\\ ` if it belongs to it");
        }
        match String::from_utf8(octets) {
            Ok(text) => Ok(Value::Text(text)),
            Err(_) => {
                self.at = start;
                self.mistake("the value is not UTF-8")
            }
        }
    }

    /// A backslash, and a special character or two hex digits.
    fn pair(&mut self) -> Result<Vec<u8>, Mistake> {
        let after = self.rest().get(1..).unwrap_or_default();
        if let Some(c) = after.chars().next().filter(|c| " \"#+,;<=>\\".contains(*c)) {
            self.at = self.at.saturating_add(2);
            return Ok(vec![c as u8]);
        }
        match after.get(..2).and_then(|digits| HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()) {
            Some(octet) => {
                self.at = self.at.saturating_add(3);
                Ok(octet)
            }
            None => self.mistake("behind `\\` stands one of ` \"#+,;<=>\\` or two hex digits"),
        }
    }
}
