//! The strip list: header fields that a client may have sent to pass as somebody, in every spelling that some
//! application reads as the same name. CGI, WSGI and PHP turn `-` and `_` (and more) into the same character.

use std::collections::BTreeSet;

use crate::decision::List;
use crate::policy::model::{IdentityHeaders, Proxies};
use crate::reading::names::NameFilter;
use crate::request::Header;
use crate::request::field::{is_named, is_token, trim};

/// Fields that tell an application to act as if the method were another.
const METHOD_OVERRIDES: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// Which names are stripped, prepared once per policy.
#[derive(Debug, Default)]
pub struct StripRules {
    identity: List<String>,
    /// The names that are looked for, in every spelling.
    filter: NameFilter,
    /// Octets of the shortest name among `identity`.
    shortest: usize,
    /// One of `identity` is `Connection`.
    names_connection: bool,
}

/// What one request holds of them.
#[derive(Debug, Default)]
pub struct Stripped {
    /// Received spellings of identity headers that differ from the configured ones.
    pub identity: Spellings,
    /// Received spellings of method overrides.
    pub overrides: Spellings,
    /// `Connection` nominates an identity header.
    pub nominated: bool,
}

/// Names as they were received, each once. Almost always there is none, and then it costs nothing.
#[derive(Debug, Default)]
#[allow(clippy::box_collection, reason = "it should take no room where it is empty")]
pub struct Spellings(Option<Box<BTreeSet<String>>>);

impl Spellings {
    /// All of them, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &String> {
        self.0.iter().flat_map(|names| names.iter())
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn note(&mut self, name: &[u8]) {
        if let Some(name) = token(name) {
            self.0.get_or_insert_default().insert(name.to_owned());
        }
    }
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
        let mut filter = NameFilter::default();
        let all = identity.iter().map(String::as_str).chain(METHOD_OVERRIDES).chain(["Connection"]);
        all.for_each(|name| filter.insert_spellings(name.as_bytes()));
        let shortest = identity.iter().map(String::len).min().unwrap_or(usize::MAX);
        let names_connection = identity.iter().any(|name| same_name(name.as_bytes(), b"connection"));
        StripRules { identity: List::shared(identity), filter, shortest, names_connection }
    }

    /// Lets every name through that is looked for.
    pub fn filter(&self) -> &NameFilter {
        &self.filter
    }

    /// The configured names.
    pub fn names(&self) -> &List<String> {
        &self.identity
    }

    /// Notes a received field.
    #[inline]
    pub fn look_at(&self, found: &mut Stripped, name: &[u8], value: &[u8]) {
        if self.filter.may_hold(name) {
            self.look_closer(found, name, value);
        }
    }

    #[inline(never)]
    fn look_closer(&self, found: &mut Stripped, name: &[u8], value: &[u8]) {
        // As good as every request has one, and it is too short to hold an identity header.
        if value.len() < self.shortest && is_named(name, b"connection") && !self.names_connection {
            return;
        }
        if self.is_identity(name) {
            self.note(&mut found.identity, name);
        } else if METHOD_OVERRIDES.iter().any(|known| same_name(known.as_bytes(), name)) {
            found.overrides.note(name);
        } else if name.eq_ignore_ascii_case(b"connection") {
            for option in options(value).filter(|option| self.is_identity(option)) {
                found.nominated = true;
                self.note(&mut found.identity, option);
            }
        }
    }

    /// The strip list of a request of which this was found, and `Connection` as the application may see it, where it
    /// nominates an identity header and holds more than that.
    #[inline]
    pub fn list(&self, found: &Stripped, headers: &[Header<'_>]) -> (List<String>, Option<String>) {
        let (mut strip, mut connection) = (self.identity.clone(), None);
        if !found.identity.is_empty() {
            strip.extend(found.identity.iter().cloned());
        }
        if found.nominated {
            let rest = self.connection_without_identity(headers);
            if rest.is_empty() {
                strip.extend(["Connection".to_owned()]);
            } else {
                connection = Some(rest.join(", "));
            }
        }
        (strip, connection)
    }

    /// What the `Connection` fields hold besides identity headers, where they nominate one.
    ///
    /// A field named in `Connection` is dropped by the next hop (RFC 9110 section 7.6.1): a client could have the
    /// identity removed that we send on, so the nomination goes.
    fn connection_without_identity(&self, headers: &[Header<'_>]) -> Vec<String> {
        let options =
            headers.iter().filter(|h| h.name.eq_ignore_ascii_case(b"connection")).flat_map(|h| options(h.value));
        options.filter(|option| !self.is_identity(option)).filter_map(token).map(str::to_owned).collect()
    }

    fn is_identity(&self, name: &[u8]) -> bool {
        self.identity.iter().any(|known| same_name(known.as_bytes(), name))
    }

    fn note(&self, found: &mut Spellings, name: &[u8]) {
        if !self.identity.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name)) {
            found.note(name);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> StripRules {
        let headers = IdentityHeaders { subject: Some("X-Auth-Subject".into()), ..IdentityHeaders::default() };
        StripRules::new(&headers, &Proxies::default())
    }

    impl Spellings {
        fn contains(&self, name: &str) -> bool {
            self.iter().any(|known| known == name)
        }
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
        assert_eq!(found.identity.iter().count(), 1);
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
