//! Tokens: JWS in compact form (RFC 7515) with claims (RFC 7519), read strictly (RFC 8725).
//!
//! The order of the checks is a promise: form, issuer, algorithm, key, signature, and only then what the token says.
//! Of a token that is not proved nothing else is reported. On the way to a yes one buffer is allocated: the payload,
//! which the identity keeps.
//!
//! The steps can be taken one by one: `Jws::read`, `Jws::payload` as an `Object`, `issuer_of`, `prove`, `claims::check`;
//! `verify` takes them all. Revocation and the binding to a key come after it.

use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{Key, NoCandidate};
use crate::json::{Object, shown};
use crate::policy::model::Issuer;
use crate::reason::Reason;
use crate::token::header::Last;

pub mod base64url;
pub mod binding;
pub mod claims;
pub mod dpop;
pub mod header;
pub mod issue;
pub mod jws;
pub mod keyring;
pub mod nonce;
pub mod published;
pub mod replay;
mod wishes;

pub use binding::Binding;
pub use claims::{Clock, Verified};
pub use header::Header;
pub use jws::{Jws, Room};
pub use keyring::{Held, Keyring};
pub use wishes::Wishes;

/// Who is believed, and by which keys.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'p> {
    /// The policy's issuers.
    pub issuers: &'p [Issuer],
    /// Their keys, by the same index.
    pub keys: &'p Keyring,
    /// Clock skew that is granted, seconds; less than 0 is none.
    pub leeway: i64,
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

/// By which key a token is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved<'k> {
    /// The algorithm that the token and the key agree on.
    pub algorithm: Algorithm,
    /// The key's `kid`.
    pub kid: Option<&'k str>,
}

impl Refused {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Refused {
        Refused { reason, detail: detail.into() }
    }
}

/// Checks a token at the time `now`, Unix seconds. The first check that fails is the reason: malformed, issuer,
/// algorithm, key, signature, expired, not yet valid, audience, type, claims. Revocation and binding
/// (`Verified::binding`) are not looked at here.
pub fn verify(token: &(impl AsRef<[u8]> + ?Sized), trust: &Trust<'_>, now: i64) -> Result<Verified, Refused> {
    Last::with(|last| verify_after(token.as_ref(), trust, now, last))
}

fn verify_after(token: &[u8], trust: &Trust<'_>, now: i64, last: &mut Last) -> Result<Verified, Refused> {
    let malformed = |why| Refused::new(Reason::TokenMalformed, why);
    let mut room = Room::default();
    let jws = Jws::read_after(token, &mut room, last).map_err(malformed)?;
    let Jws { signed, header, payload, signature } = jws;
    let payload = Object::shared(payload).map_err(|why| malformed(format!("its payload: {why}")))?;
    let (index, issuer) = issuer_of(&payload, trust.issuers)?;
    let held = trust.keys.held_at(index, now);
    let message = Message { header: &header, signed, signature };
    let algorithm = prove(&message, issuer, held.as_deref().map(|held| &**held))?.algorithm;
    let epoch = held.map_or(0, |held| held.epoch);
    let clock = Clock { now, leeway: trust.leeway.max(0) };
    let says = claims::check(&payload, header.kind.as_deref(), issuer, clock)?;
    Ok(Verified::new(payload, index, epoch, algorithm, says))
}

/// Form, issuer, algorithm, key and signature alone: the claims, whatever they say, and the index of the issuer that
/// signed them.
pub fn proved(token: &(impl AsRef<[u8]> + ?Sized), trust: &Trust<'_>) -> Result<(Object, usize), Refused> {
    let malformed = |why| Refused::new(Reason::TokenMalformed, why);
    let mut room = Room::default();
    let Jws { signed, header, payload, signature } = Jws::read(token, &mut room).map_err(malformed)?;
    let payload = Object::read(payload).map_err(|why| malformed(format!("its payload: {why}")))?;
    let (index, issuer) = issuer_of(&payload, trust.issuers)?;
    let held = trust.keys.held(index);
    prove(&Message { header: &header, signed, signature }, issuer, held.as_deref().map(|held| &**held))?;
    Ok((payload, index))
}

/// What is proved: a header, the text that was signed, and the signature.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The header, decoded.
    pub header: &'a Header<'a>,
    /// What was signed.
    pub signed: &'a [u8],
    /// The signature, decoded.
    pub signature: &'a [u8],
}

/// Whose keys are to be used: the issuer with exactly this `iss`.
pub fn issuer_of<'p>(payload: &Object, issuers: &'p [Issuer]) -> Result<(usize, &'p Issuer), Refused> {
    let refused = |detail| Err(Refused::new(Reason::TokenIssuer, detail));
    let Some(iss) = payload.get("iss").and_then(|iss| iss.string()) else {
        return refused("iss is missing or not a string".to_owned());
    };
    if let Some(found) = issuers.iter().enumerate().find(|(_, issuer)| *issuer.issuer == *iss) {
        return Ok(found);
    }
    let wanted: Vec<String> = issuers.iter().take(4).map(|issuer| shown(&issuer.issuer)).collect();
    refused(format!("iss is {}; the policy believes {}", shown(&iss), list(&wanted, "no issuer")))
}

/// Algorithm, key and signature, in this order. `held`: the issuer's keys.
pub fn prove<'k>(message: &Message<'_>, issuer: &Issuer, held: Option<&'k Held>) -> Result<Proved<'k>, Refused> {
    let Message { header, signed, signature } = *message;
    let name = &*header.algorithm;
    let algorithm = header.known.filter(|algorithm| issuer.algorithms.contains(algorithm));
    let Some(algorithm) = algorithm else {
        let wanted: Vec<_> = issuer.algorithms.iter().map(|algorithm| algorithm.name()).collect();
        let detail = format!("alg is {}; issuer {} lists {}", shown(name), issuer.name, list(&wanted, "none"));
        return Err(Refused::new(Reason::TokenAlgorithm, detail));
    };
    let unavailable = || {
        let detail = format!("the keys of issuer {} come from a source that could not be read", issuer.name);
        Refused::new(Reason::KeysUnavailable, detail)
    };
    let Some(held) = held else { return Err(unavailable()) };
    let kid = header.kid.as_deref();
    let tried = match held.keys.candidates(algorithm, kid) {
        Ok(candidates) => candidates,
        Err(why) => {
            held.wish_for(kid);
            return Err(if held.incomplete { unavailable() } else { no_candidate(why, algorithm, kid, issuer, held) });
        }
    };
    // Every candidate is tried: which of them fits says nothing that an attacker could not see anyway.
    if let Some(key) = tried.iter().find(|key| key.verify(algorithm, signed, signature)) {
        return Ok(Proved { algorithm, kid: key.kid.as_deref() });
    }
    held.wish_for(kid);
    // The right key may be among those that could not be read, unless the token names one that was.
    if held.incomplete && !tried.iter().any(|key| kid.is_some() && key.kid.as_deref() == kid) {
        return Err(unavailable());
    }
    let names: Vec<_> = tried.iter().map(|key| key_name(key)).collect();
    let detail =
        format!("no signature of issuer {} with {}; keys tried: {}", issuer.name, algorithm.name(), names.join(", "));
    Err(Refused::new(Reason::TokenSignature, detail))
}

/// The detail of a token for which no key comes into question.
fn no_candidate(why: NoCandidate, algorithm: Algorithm, kid: Option<&str>, issuer: &Issuer, held: &Held) -> Refused {
    let asked = kid.map_or("no kid".to_owned(), |kid| format!("kid {}", shown(kid)));
    match why {
        NoCandidate::Algorithm => {
            let detail = format!("no key of issuer {} for {asked} is for alg {}", issuer.name, algorithm.name());
            Refused::new(Reason::TokenAlgorithm, detail)
        }
        NoCandidate::Unknown => {
            let known: Vec<_> = held.keys.iter().filter_map(|key| key.kid.as_deref()).take(8).map(shown).collect();
            let known = list(&known, "no key with a kid");
            Refused::new(
                Reason::TokenKeyUnknown,
                format!("the token names {asked}; issuer {} has {known}", issuer.name),
            )
        }
    }
}

fn key_name(key: &Key) -> String {
    key.kid.as_deref().map_or("one without kid".into(), shown)
}

/// Names in a row, or what to say where there are none.
fn list<T: AsRef<str>>(names: &[T], none: &str) -> String {
    if names.is_empty() { none.to_owned() } else { names.iter().map(T::as_ref).collect::<Vec<_>>().join(", ") }
}

#[cfg(test)]
mod tests;
