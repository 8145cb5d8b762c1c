//! Tokens: JWS in compact form (RFC 7515) with claims (RFC 7519), read strictly (RFC 8725).
//!
//! The order of the checks is a promise: form, issuer, algorithm, key, signature, and only then what the token says.
//! Of a token that is not proved nothing else is reported.

use serde_json::{Map, Value};

use crate::crypto::algorithm::Algorithm;
use crate::crypto::json::shown;
use crate::crypto::key::Key;
use crate::policy::model::Issuer;
use crate::reason::Reason;

mod claims;
mod jws;

pub use claims::claim;

/// Keys that are tried for one token at most.
const MAX_CANDIDATES: usize = 8;

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
    /// `auth_time`, rounded down.
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

impl Refused {
    fn new(reason: Reason, detail: impl Into<String>) -> Refused {
        Refused { reason, detail: detail.into() }
    }
}

/// Checks a token at the time `now`, Unix seconds, granting `leeway` seconds of clock skew. The first check that
/// fails is the reason: malformed, issuer, algorithm, key, signature, expired, not yet valid, audience, type, claims,
/// binding. Revocation is not looked at here.
pub fn verify(token: &str, issuers: &[Issuer], now: i64, leeway: i64) -> Result<Verified, Refused> {
    let jws = jws::Jws::read(token).map_err(|why| Refused::new(Reason::TokenMalformed, why))?;
    let (index, issuer) = issuer_of(&jws.claims, issuers)?;
    check_signature(&jws, issuer)?;
    claims::check(jws, index, issuer, claims::Clock { now, leeway: leeway.max(0) })
}

/// Whose keys are to be used: the issuer with exactly this `iss`.
fn issuer_of<'p>(claims: &Map<String, Value>, issuers: &'p [Issuer]) -> Result<(usize, &'p Issuer), Refused> {
    let refused = |detail| Err(Refused::new(Reason::TokenIssuer, detail));
    let Some(Value::String(iss)) = claims.get("iss") else {
        return refused("iss is missing or not a string".to_owned());
    };
    if let Some(found) = issuers.iter().enumerate().find(|(_, issuer)| issuer.issuer == *iss) {
        return Ok(found);
    }
    let wanted: Vec<String> = issuers.iter().take(4).map(|issuer| shown(&issuer.issuer)).collect();
    refused(format!("iss is {}; the policy believes {}", shown(iss), list(&wanted, "no issuer")))
}

/// Algorithm, key and signature, in this order.
fn check_signature(jws: &jws::Jws<'_>, issuer: &Issuer) -> Result<(), Refused> {
    let name = &jws.header.algorithm;
    let algorithm = Algorithm::from_name(name).filter(|algorithm| issuer.algorithms.contains(algorithm));
    let Some(algorithm) = algorithm else {
        let wanted: Vec<_> = issuer.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        let detail = format!("alg is {}; issuer {} lists {}", shown(name), issuer.name, list(&wanted, "none"));
        return Err(Refused::new(Reason::TokenAlgorithm, detail));
    };
    if issuer.keys_unavailable {
        let detail = format!("the keys of issuer {} come from a source that could not be read", issuer.name);
        return Err(Refused::new(Reason::KeysUnavailable, detail));
    }
    let candidates = candidates(&issuer.keys, algorithm, jws.header.kid.as_deref(), &issuer.name)?;
    // Every candidate is tried: which of them fits says nothing that an attacker could not see anyway.
    if candidates.iter().any(|key| key.verify(algorithm, jws.signed.as_bytes(), &jws.signature)) {
        return Ok(());
    }
    let tried: Vec<_> =
        candidates.iter().map(|key| key.kid.as_deref().map_or("one without kid".into(), shown)).collect();
    let detail =
        format!("no signature of issuer {} with {}; keys tried: {}", issuer.name, algorithm.name(), tried.join(", "));
    Err(Refused::new(Reason::TokenSignature, detail))
}

/// The keys that may have signed: those of this algorithm whose `kid` is the token's, and those without one; all of
/// this algorithm where the token names none.
fn candidates<'k>(
    keys: &'k [Key],
    algorithm: Algorithm,
    kid: Option<&str>,
    issuer: &str,
) -> Result<Vec<&'k Key>, Refused> {
    let named = |key: &&Key| match (&key.kid, kid) {
        (Some(own), Some(asked)) => own == asked,
        _ => true,
    };
    let fits = |key: &&Key| key.algorithms().contains(&algorithm);
    let found: Vec<&Key> = keys.iter().filter(fits).filter(named).take(MAX_CANDIDATES).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let asked = kid.map_or("no kid".to_owned(), |kid| format!("kid {}", shown(kid)));
    // A key of that name exists but is for something else, or none is for this algorithm at all.
    if keys.iter().any(|key| named(&key)) || !keys.iter().any(|key| fits(&key)) {
        let detail = format!("no key of issuer {issuer} for {asked} is for alg {}", algorithm.name());
        return Err(Refused::new(Reason::TokenAlgorithm, detail));
    }
    let known: Vec<_> = keys.iter().filter_map(|key| key.kid.as_deref()).take(MAX_CANDIDATES).map(shown).collect();
    let detail = format!("the token names {asked}; issuer {issuer} has {}", list(&known, "no key with a kid"));
    Err(Refused::new(Reason::TokenKeyUnknown, detail))
}

/// Names in a row, or what to say where there are none.
fn list<T: AsRef<str>>(names: &[T], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.iter().map(T::as_ref).collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests;
