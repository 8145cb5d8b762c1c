//! The strip list: header fields that a client may have sent to pass as somebody, in every spelling that some
//! application reads as the same name. CGI, WSGI and PHP turn `-` and `_` (and more) into the same character.

use std::collections::BTreeSet;

use crate::decision::List;
use crate::policy::model::{IdentityHeaders, Proxies};
use crate::request::Header;
use crate::request::field::{is_token, trim};

/// Fields that tell an application to act as if the method were another.
const METHOD_OVERRIDES: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// Which names are stripped, prepared once per policy.
#[derive(Debug, Default)]
pub struct StripRules {
    identity: List<String>,
    /// Bit `n`: some name that is looked for has `n` octets, or 63 or more. This and the next spare most fields the
    /// comparison.
    lengths: u64,
    /// Bit `n`: some name that is looked for begins with an octet whose low five bits are `n`, which no case changes.
    beginnings: u32,
}

/// What one request holds of them.
#[derive(Debug, Default)]
pub struct Stripped {
    /// Received spellings of identity headers that differ from the configured ones.
    pub identity: BTreeSet<String>,
    /// Received spellings of method overrides.
    pub overrides: BTreeSet<String>,
    /// `Connection` nominates an identity header.
    pub nominated: bool,
}

impl StripRules {
    /// Prepares the names of a policy. A proxy's word about the client's certificate is for the engine alone.
    pub fn new(headers: &IdentityHeaders, proxies: &Proxies) -> StripRules {
        let mut identity: Vec<String> = headers.names().map(str::to_owned).collect();
        for name in proxies.certificate.iter().flat_map(|own| [own, "Client-Cert", "Client-Cert-Chain"]) {
            if !identity.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                identity.push(name.to_owned());
            }
        }
        let all = || identity.iter().map(String::as_str).chain(METHOD_OVERRIDES).chain(["Connection"]);
        let lengths = all().fold(0, |mask, name| mask | length_bit(name));
        let beginnings = all().fold(0, |mask, name| mask | beginnings(name.as_bytes()));
        StripRules { identity: List::shared(identity), lengths, beginnings }
    }

    /// The configured names.
    pub fn names(&self) -> &List<String> {
        &self.identity
    }

    /// Notes a received field.
    #[inline]
    pub fn look_at(&self, found: &mut Stripped, name: &[u8], value: &[u8]) {
        if self.lengths & length_bit(name) != 0 && self.beginnings & first_bit(name) != 0 {
            self.look_closer(found, name, value);
        }
    }

    fn look_closer(&self, found: &mut Stripped, name: &[u8], value: &[u8]) {
        if self.is_identity(name) {
            self.note(&mut found.identity, name);
        } else if METHOD_OVERRIDES.iter().any(|known| same_name(known.as_bytes(), name)) {
            found.overrides.extend(token(name).map(str::to_owned));
        } else if name.eq_ignore_ascii_case(b"connection") {
            for option in options(value).filter(|option| self.is_identity(option)) {
                found.nominated = true;
                self.note(&mut found.identity, option);
            }
        }
    }

    /// What the `Connection` fields hold besides identity headers, where they nominate one.
    ///
    /// A field named in `Connection` is dropped by the next hop (RFC 9110 section 7.6.1): a client could have the
    /// identity removed that we send on, so the nomination goes.
    pub fn connection_without_identity(&self, headers: &[Header<'_>]) -> Vec<String> {
        let options =
            headers.iter().filter(|h| h.name.eq_ignore_ascii_case(b"connection")).flat_map(|h| options(h.value));
        options.filter(|option| !self.is_identity(option)).filter_map(token).map(str::to_owned).collect()
    }

    fn is_identity(&self, name: &[u8]) -> bool {
        self.identity.iter().any(|known| same_name(known.as_bytes(), name))
    }

    fn note(&self, found: &mut BTreeSet<String>, name: &[u8]) {
        if !self.identity.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)) {
            found.extend(token(name).map(str::to_owned));
        }
    }
}

/// Equal where case is ignored and each octet that is no letter or digit counts as `_`.
fn same_name(known: &[u8], received: &[u8]) -> bool {
    known.len() == received.len()
        && known.iter().zip(received).all(|(a, b)| match (a.is_ascii_alphanumeric(), b.is_ascii_alphanumeric()) {
            (true, true) => a.eq_ignore_ascii_case(b),
            (a, b) => a == b,
        })
}

/// A field name as text. What is no token names no field (RFC 9110 section 5.1): a request with such a field is refused,
/// and an option of `Connection` like that is dropped, so that nothing but names ever leaves this module.
fn token(name: &[u8]) -> Option<&str> {
    std::str::from_utf8(name).ok().filter(|_| is_token(name))
}

/// The options of one `Connection` value.
fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(trim).filter(|option| !option.is_empty())
}

fn length_bit(name: &(impl AsRef<[u8]> + ?Sized)) -> u64 {
    1 << name.as_ref().len().min(63)
}

fn first_bit(name: &[u8]) -> u32 {
    name.first().map_or(0, |first| 1 << (first & 31))
}

/// How received names may begin that are the same as this one: any sign stands for any other.
fn beginnings(known: &[u8]) -> u32 {
    if known.first().is_some_and(u8::is_ascii_alphanumeric) { first_bit(known) } else { u32::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> StripRules {
        let headers = IdentityHeaders { subject: Some("X-Auth-Subject".into()), ..IdentityHeaders::default() };
        StripRules::new(&headers, &Proxies::default())
    }

    fn look(name: &str, value: &str) -> Stripped {
        let mut found = Stripped::default();
        rules().look_at(&mut found, name.as_bytes(), value.as_bytes());
        found
    }

    #[test]
    fn every_spelling_that_some_application_reads_as_the_name_is_found() {
        for name in ["X_Auth_Subject", "x_auth-subject", "X.Auth.Subject", "X-AUTH_SUBJECT"] {
            assert!(look(name, "x").identity.contains(name), "{name}");
        }
        // Only another case: the configured name on the list covers it.
        assert!(look("x-auth-subject", "x").identity.is_empty());
        for name in ["X-Auth-Subjects", "XAuthSubject", "X-Auth-Subjec", "X0Auth-Subject", ""] {
            assert!(look(name, "x").identity.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_name_that_begins_with_a_sign_is_found_under_every_other() {
        let headers = IdentityHeaders { subject: Some("_Subject".into()), ..IdentityHeaders::default() };
        let rules = StripRules::new(&headers, &Proxies::default());
        for name in ["-Subject", "~subject", "_SUBJECT", ".subject"] {
            let mut found = Stripped::default();
            rules.look_at(&mut found, name.as_bytes(), b"x");
            assert_eq!(found.identity.contains(name), name != "_SUBJECT", "{name}");
        }
        let long = "X-".repeat(70);
        let headers = IdentityHeaders { subject: Some(long.clone()), ..IdentityHeaders::default() };
        let mut found = Stripped::default();
        StripRules::new(&headers, &Proxies::default()).look_at(&mut found, long.replace('-', "_").as_bytes(), b"x");
        assert_eq!(found.identity.len(), 1);
    }

    #[test]
    fn connection_cannot_nominate_an_identity_header() {
        let found = look("Connection", "keep-alive, x_auth_subject");
        assert!(found.nominated && found.identity.contains("x_auth_subject"));
        assert!(look("connection", "X-AUTH-SUBJECT").nominated);
        assert!(!look("Connection", "keep-alive, upgrade").nominated);
        let headers = [
            Header { name: b"Connection", value: b"Upgrade" },
            Header { name: b"connection", value: b"x-auth-subject , keep-alive," },
        ];
        assert_eq!(rules().connection_without_identity(&headers), ["Upgrade", "keep-alive"]);
    }

    #[test]
    fn what_is_no_name_never_leaves() {
        let mut found = Stripped::default();
        for name in [&b"X\xffAuth-Subject"[..], b"X Auth Subject", b"X\0Auth\rSubject", b"X-HTTP-Method\xffOverride"] {
            rules().look_at(&mut found, name, b"x");
        }
        rules().look_at(&mut found, b"Connection", b"close, x\xffauth-subject, a\x01b, \xe9");
        assert!(found.nominated && found.identity.is_empty() && found.overrides.is_empty(), "{found:?}");
        let headers = [Header { name: b"Connection", value: b"close, x\xffauth-subject, a\x01b, \xe9, a b, \"q\"" }];
        assert_eq!(rules().connection_without_identity(&headers), ["close"]);
    }

    #[test]
    fn method_overrides_are_found_apart() {
        assert!(look("x_http_method_override", "DELETE").overrides.contains("x_http_method_override"));
        assert!(look("X-HTTP-Methods", "DELETE").overrides.is_empty());
    }
}
