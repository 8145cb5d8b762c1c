//! The headers that an allowed request carries on: who was recognised, in values that cannot be mistaken.

use crate::decision::{HeaderEntry, HeaderMode};
use crate::identity::Identity;
use crate::policy::model::IdentityHeaders;

/// The configured headers that have something to say, each replacing what the client may have sent.
pub fn headers(names: &IdentityHeaders, identity: &Identity) -> Vec<HeaderEntry> {
    let mut entries = Vec::with_capacity(6);
    let mut add = |name: &Option<String>, value: &dyn Fn() -> String| {
        let Some(name) = name else { return };
        let value = value();
        if !value.is_empty() {
            entries.push(HeaderEntry { name: name.clone().into(), value: value.into(), mode: HeaderMode::Set });
        }
    };
    add(&names.issuer, &|| encoded(&identity.issuer));
    add(&names.subject, &|| encoded(&identity.subject));
    add(&names.roles, &|| joined(&identity.roles, ","));
    add(&names.scopes, &|| joined(&identity.scopes, " "));
    add(&names.scheme, &|| identity.scheme.name().to_owned());
    entries
}

/// A list as one value, which cannot be mistaken: each item encoded.
pub fn joined(list: &[String], separator: &str) -> String {
    list.iter().map(|item| encoded(item)).collect::<Vec<_>>().join(separator)
}

/// Octets outside 0x21-0x7E, `%` and `,` percent-encoded.
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            0x21..=0x7E if !matches!(byte, b'%' | b',') => out.push(char::from(byte)),
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
