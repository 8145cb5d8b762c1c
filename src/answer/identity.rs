//! The headers that an allowed request carries on: who was recognised, in values that cannot be mistaken.

use crate::decision::{HeaderEntry, HeaderMode};
use crate::identity::Identity;
use crate::policy::model::IdentityHeaders;

/// The configured headers that have something to say, each replacing what the client may have sent.
pub fn headers(names: &IdentityHeaders, identity: &Identity) -> Vec<HeaderEntry> {
    let joined = |list: &[String], separator: &str| list.iter().map(|v| encoded(v)).collect::<Vec<_>>().join(separator);
    let values = [
        (&names.issuer, encoded(&identity.issuer)),
        (&names.subject, encoded(&identity.subject)),
        (&names.roles, joined(&identity.roles, ",")),
        (&names.scopes, joined(&identity.scopes, " ")),
        (&names.scheme, identity.scheme.name().to_owned()),
    ];
    let entries = values.into_iter().filter(|(_, value)| !value.is_empty());
    entries
        .filter_map(|(name, value)| name.clone().map(|name| HeaderEntry { name, value, mode: HeaderMode::Set }))
        .collect()
}

/// Octets outside 0x21-0x7E, `%` and `,` percent-encoded.
fn encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'%' | b',' => out.push_str(&format!("%{byte:02X}")),
            0x21..=0x7E => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
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
