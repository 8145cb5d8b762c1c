//! Tokens: JWS in compact form (RFC 7515) with claims (RFC 7519), read strictly (RFC 8725).

use serde_json::{Map, Value};

use crate::policy::model::Issuer;
use crate::reason::Reason;

/// A token that passed every check.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Index of the issuer in the policy.
    pub issuer: usize,
    /// The subject as the issuer's `claims.subject` names it, without control characters.
    pub subject: String,
    /// Role names as the token gives them; not yet filtered by what is defined and granted.
    pub roles: Vec<String>,
    /// Scopes in the token's order.
    pub scopes: Vec<String>,
    /// `amr`.
    pub factors: Vec<String>,
    /// `auth_time`.
    pub authenticated_at: Option<i64>,
    /// `exp`, rounded down.
    pub expires_at: i64,
    /// All claims.
    pub claims: Map<String, Value>,
}

/// A token that did not pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Which check.
    pub reason: Reason,
    /// For the operator: what was seen and what was wanted. Never the token or a secret; values of an unproved token
    /// are cut and escaped.
    pub detail: String,
}

/// Checks a token in the order of contract 3.
pub fn verify(token: &str, issuers: &[Issuer], now: i64, leeway: i64) -> Result<Verified, Refused> {
    let _ = (token, issuers, now, leeway);
    Err(Refused { reason: Reason::TokenMalformed, detail: "not built".into() })
}

/// A member of the claims: first an exact name, then a dotted path.
pub fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let _ = name;
    claims.get(name)
}
