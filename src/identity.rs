//! Who was recognised, and how.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::json::Object;

/// A way to prove identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
    /// Our own keys, `gp_…`.
    ApiKey,
    /// The engine's session cookie.
    Session,
    /// A TLS client certificate, verified by the host.
    ClientCert,
}

impl Scheme {
    /// All of them, in the order in which a request is searched for them.
    pub const ALL: [Scheme; 5] = [Scheme::Basic, Scheme::Bearer, Scheme::ApiKey, Scheme::Session, Scheme::ClientCert];

    /// The name in policies, case files and logs.
    pub const fn name(self) -> &'static str {
        match self {
            Scheme::Basic => "basic",
            Scheme::Bearer => "bearer",
            Scheme::ApiKey => "api-key",
            Scheme::Session => "session",
            Scheme::ClientCert => "client-cert",
        }
    }

    /// The scheme with this name.
    pub fn from_name(name: &str) -> Option<Scheme> {
        Scheme::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Sent by browsers without the page asking for it, so a foreign page can ride on it.
    pub const fn is_ambient(self) -> bool {
        matches!(self, Scheme::Basic | Scheme::Session | Scheme::ClientCert)
    }
}

/// Who was recognised and how. (issuer, subject) is the person, never the subject alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// User name or `sub`.
    pub subject: String,
    /// How it was proved.
    pub scheme: Scheme,
    /// Whose it is and what it may do; an identity reads as if these were its own.
    pub rights: Arc<Rights>,
    /// When the factors were proved, Unix seconds; `None`: not known.
    pub authenticated_at: Option<i64>,
    /// When the credential ends, Unix seconds; `None`: never.
    pub expires_at: Option<i64>,
    /// The token's claims as they were sent; `None` where the scheme has none.
    pub claims: Option<Arc<Object>>,
    /// Its names, for who hands them on.
    pub names: Names,
}

/// Subject and issuer with a NUL behind each, kept beside the identity that they are of. Means nothing for what an
/// identity is.
#[derive(Debug, Default)]
pub struct Names {
    wanted: AtomicBool,
    text: OnceLock<Option<Box<[u8]>>>,
}

impl Identity {
    /// Its subject and its issuer with a NUL behind each, and none inside. `None` the first time, when it is not yet known
    /// to come again, and where a NUL stands in them.
    #[inline]
    pub fn terminated_names(&self) -> Option<&[u8]> {
        let Names { wanted, text } = &self.names;
        match text.get() {
            Some(text) => text.as_deref(),
            None if wanted.swap(true, Ordering::Relaxed) => text.get_or_init(|| self.write_names()).as_deref(),
            None => None,
        }
    }

    #[cold]
    fn write_names(&self) -> Option<Box<[u8]>> {
        let text = [self.subject.as_bytes(), b"\0", self.issuer.as_bytes(), b"\0"].concat();
        (text.iter().filter(|octet| **octet == 0).count() == 2).then(|| text.into())
    }
}

impl Clone for Names {
    /// Of another identity, which may get another subject.
    fn clone(&self) -> Names {
        Names::default()
    }
}

impl PartialEq for Names {
    fn eq(&self, _: &Names) -> bool {
        true
    }
}

/// What many identities have in common: all tokens of one issuer that give the same roles and scopes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// `iss` of the token; empty for local users.
    pub issuer: String,
    /// Roles held now, with all that they include, sorted.
    pub roles: Vec<String>,
    /// Scopes of the credential, in its order; none for Basic and sessions.
    pub scopes: Vec<String>,
    /// Permission patterns that the roles give, sorted.
    pub permissions: Vec<String>,
    /// Where set, a permission must also be covered by one of `scopes` (an API key that has scopes).
    pub scopes_narrow_permissions: bool,
    /// Factors proved (RFC 8176 `amr` names).
    pub factors: Vec<String>,
}

impl Deref for Identity {
    type Target = Rights;

    fn deref(&self) -> &Rights {
        &self.rights
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kept_from_the_second_time_on_and_never_with_a_nul_inside() {
        let of = |subject: &str, issuer: &str| Identity {
            subject: subject.to_owned(),
            scheme: Scheme::Bearer,
            rights: Arc::new(Rights { issuer: issuer.to_owned(), ..Rights::default() }),
            authenticated_at: None,
            expires_at: None,
            claims: None,
            names: Names::default(),
        };
        let sam = of("sam", "https://a.example");
        assert_eq!(sam.terminated_names(), None);
        let (second, third) = (sam.terminated_names(), sam.terminated_names());
        assert_eq!(second, Some(&b"sam\0https://a.example\0"[..]));
        assert_eq!(second.map(<[u8]>::as_ptr), third.map(<[u8]>::as_ptr));
        let other = Identity { subject: "eve".to_owned(), ..sam.clone() };
        assert_eq!(
            (other.terminated_names(), other.terminated_names()),
            (None, Some(&b"eve\0https://a.example\0"[..]))
        );
        for odd in [of("s\0m", ""), of("sam", "\0"), of("\0", "")] {
            assert_eq!([odd.terminated_names(), odd.terminated_names(), odd.terminated_names()], [None; 3]);
        }
    }
}
