//! The headers that an allowed request carries on: who was recognised, in values that cannot be mistaken.

use crate::decision::{HeaderEntry, HeaderMode, Said, Text};
use crate::ffi::os::plain::is_item;
use crate::identity::{Identity, Rights, Scheme};
use crate::policy::model::IdentityHeaders;

/// The configured headers of all identities of one scheme that share their rights, but for the subject: those that have
/// something to say, each replacing what the client may have sent.
pub fn said(names: &IdentityHeaders, rights: &Rights, scheme: Scheme) -> Said {
    let mut entries = Vec::with_capacity(5);
    let mut add = |name: &Option<String>, value: Option<&dyn Fn() -> String>| {
        let name = name.as_ref()?;
        let value = value.map(|value| value());
        if value.as_ref().is_some_and(String::is_empty) {
            return None;
        }
        entries.push(HeaderEntry {
            name: Text::Shared(name.as_str().into()),
            value: Text::Shared(value.unwrap_or_default().into()),
            mode: HeaderMode::Set,
        });
        Some(entries.len() - 1)
    };
    add(&names.issuer, Some(&|| encoded(&rights.issuer)));
    let subject = add(&names.subject, None);
    add(&names.roles, Some(&|| joined(&rights.roles, ",")));
    add(&names.scopes, Some(&|| joined(&rights.scopes, " ")));
    add(&names.scheme, Some(&|| scheme.name().to_owned()));
    Said { entries: entries.into(), subject }
}

/// With the subject of one of them, encoded.
pub fn with(said: &Said, subject: &str) -> Vec<HeaderEntry> {
    let mut entries = said.with(&encoded(subject));
    // Nobody's name is empty.
    if let Some(index) = said.subject.filter(|index| subject.is_empty() && *index < entries.len()) {
        entries.remove(index);
    }
    entries
}

/// The subject stands in a value as it is.
pub fn is_plain(subject: &str) -> bool {
    is_item(subject.as_bytes())
}

/// The configured headers of one identity.
pub fn headers(names: &IdentityHeaders, identity: &Identity) -> Vec<HeaderEntry> {
    with(&said(names, &identity.rights, identity.scheme), &identity.subject)
}

/// A list as one value, which cannot be mistaken: each item encoded.
pub fn joined(list: &[String], separator: &str) -> String {
    list.iter().map(|item| encoded(item)).collect::<Vec<_>>().join(separator)
}

/// Octets outside 0x21-0x7E, `%` and `,` percent-encoded.
fn encoded(value: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7E if !matches!(byte, b'%' | b','));
    // As good as always.
    if is_item(value.as_bytes()) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            byte if is_plain(byte) => out.push(char::from(byte)),
            _ => out.extend(['%', digit(byte >> 4), digit(byte & 15)]),
        }
    }
    out
}

/// An upper-case hexadecimal digit.
fn digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).map_or('0', |digit| digit.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_be_taken_for_two() {
        assert_eq!(encoded("a,b c%\u{e9}"), "a%2Cb%20c%25%C3%A9");
        assert_eq!(encoded("alice@example.com"), "alice@example.com");
        assert_eq!(encoded("a\r\nb\0"), "a%0D%0Ab%00");
        for text in ["a", "alice@example.com", "a,b", "a b", "a%20b", "\u{e9}", "a\0", "\u{7f}", "~!"] {
            assert_eq!(is_plain(text), encoded(text) == text, "{text:?}");
        }
    }

    #[test]
    fn a_subject_is_put_at_its_place_and_an_empty_one_has_none() {
        let names = IdentityHeaders {
            subject: Some("X-Who".to_owned()),
            scheme: Some("X-How".to_owned()),
            ..IdentityHeaders::default()
        };
        let said = said(&names, &Rights::default(), Scheme::Bearer);
        let shown = |entries: Vec<HeaderEntry>| {
            entries.iter().map(|entry| format!("{}: {}", entry.name, entry.value)).collect::<Vec<_>>()
        };
        assert_eq!(shown(with(&said, "a b")), ["X-Who: a%20b", "X-How: bearer"]);
        assert_eq!(shown(with(&said, "")), ["X-How: bearer"]);
    }
}
