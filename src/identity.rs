//! Who was recognised, and how.

use std::ops::Deref;
use std::sync::Arc;

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
