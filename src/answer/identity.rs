//! The headers that an allowed request carries on: who was recognised, in values that cannot be mistaken.

use crate::decision::{HeaderEntry, HeaderMode, Text};
use crate::identity::{Identity, Rights, Scheme};
use crate::policy::model::IdentityHeaders;

/// The configured headers of all identities of one scheme that share their rights, but for the subject.
#[derive(Debug)]
pub struct Headers {
    entries: Box<[HeaderEntry]>,
    /// Which of them has the subject for its value.
    subject: Option<usize>,
}

impl Headers {
    /// Those that have something to say, each replacing what the client may have sent.
    pub fn new(names: &IdentityHeaders, rights: &Rights, scheme: Scheme) -> Headers {
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
        Headers { entries: entries.into(), subject }
    }

    /// With the subject of one of them.
    pub fn of(&self, subject: &str) -> Vec<HeaderEntry> {
        let mut entries = self.entries.to_vec();
        if let Some(index) = self.subject {
            match entries.get_mut(index) {
                Some(entry) if !subject.is_empty() => entry.value = encoded(subject).into(),
                // Nobody's name is empty.
                _ => _ = entries.remove(index),
            }
        }
        entries
    }
}

/// The configured headers of one identity.
pub fn headers(names: &IdentityHeaders, identity: &Identity) -> Vec<HeaderEntry> {
    Headers::new(names, &identity.rights, identity.scheme).of(&identity.subject)
}

/// A list as one value, which cannot be mistaken: each item encoded.
pub fn joined(list: &[String], separator: &str) -> String {
    list.iter().map(|item| encoded(item)).collect::<Vec<_>>().join(separator)
}

/// Octets outside 0x21-0x7E, `%` and `,` percent-encoded.
fn encoded(value: &str) -> String {
    let is_plain = |byte: u8| matches!(byte, 0x21..=0x7E if !matches!(byte, b'%' | b','));
    // As good as always. To the end in any case: so many octets are looked at in one step.
    if value.bytes().fold(true, |all, byte| all & is_plain(byte)) {
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
    }
}
