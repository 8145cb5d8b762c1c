//! Proofs that a token is in the hands of whom it was issued to (RFC 9449): a JWS that the client signs for each
//! request, with a key that it sends along.
//!
//! The checks are those of section 4.3 in its order. Whether a proof was used before is asked last, and not here.

use std::borrow::Cow;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::crypto::algorithm::{Algorithm, Family};
use crate::crypto::key::{Key, Origin, Rules};
use crate::json::{Object, shown};
use crate::reason::Reason;
use crate::target::HttpUri;
use crate::token::claims::{Clock, date};
use crate::token::nonce::{Nonces, SLOT};
use crate::token::{Jws, Refused, Room};

/// Octets that a proof may have. The largest that a client can need, with ML-DSA-87, has some 11,000.
pub const MAX_LENGTH: usize = 12 * 1024;

/// Seconds for which a proof is good, besides the leeway.
pub const AGE: i64 = 60;

/// What may sign a proof, in the order of the challenge: all asymmetric algorithms.
const ALGORITHMS: [Algorithm; 14] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::EdDsa,
    Algorithm::Ed25519,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
];

/// What a proof must be for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The request's method.
    pub method: &'a str,
    /// Where the request goes.
    pub uri: &'a HttpUri,
    /// The token that came with it.
    pub token: &'a [u8],
    /// The thumbprint of the key that the token is bound to.
    pub key: &'a [u8; 32],
    /// `profile = "strict"`: no RS*, RSA from 3072 bits.
    pub strict: bool,
    /// When.
    pub clock: Clock,
    /// It must carry one of these; `None`: a nonce is not looked at.
    pub nonces: Option<&'a Nonces>,
}

/// A proof that is good, unless it was used before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// `jti`.
    pub id: String,
    /// `iat`, rounded down.
    pub issued: i64,
    /// When it was made, Unix seconds: by its nonce, where one is asked for, otherwise by the client's clock.
    pub made_at: i64,
    /// The algorithm of its signature.
    pub algorithm: Algorithm,
    /// Its nonce is good and there is a newer one.
    pub outdated_nonce: bool,
}

/// The algorithms that may sign a proof.
pub fn algorithms(strict: bool) -> impl Iterator<Item = Algorithm> {
    ALGORITHMS.into_iter().filter(move |algorithm| !strict || algorithm.family() != Family::Rsa)
}

/// The oldest time at which a proof that is taken now can have been made, by its nonce or by the client's clock.
pub fn oldest(clock: Clock) -> i64 {
    clock.now.saturating_sub(AGE.saturating_add(clock.leeway).max(2 * SLOT))
}

/// Holds a proof against what it must be for. The reason is `dpop_proof`, or `dpop_nonce`, or where the proof is right
/// and is somebody else's `token_binding`.
pub fn check(proof: &str, expected: &Expected<'_>) -> Result<Proved, Refused> {
    let mut room = Room::default();
    if proof.len() > MAX_LENGTH {
        return Err(wrong(format!("it has {} octets; at most {MAX_LENGTH} are read", proof.len())));
    }
    let jws = Jws::read(proof, &mut room).map_err(wrong)?;
    let (algorithm, thumbprint) = signed(&jws, expected.strict)?;
    let claims = Object::read(jws.payload).map_err(|why| wrong(format!("its payload: {why}")))?;
    let id = text(&claims, "jti")?.into_owned();
    if id.is_empty() {
        return Err(wrong("jti is empty"));
    }
    let method = text(&claims, "htm")?;
    if *method != *expected.method {
        return Err(wrong(format!("htm is {}; the request is {}", shown(&method), shown(expected.method))));
    }
    let uri = text(&claims, "htu")?;
    if HttpUri::parse(&uri).as_ref() != Some(expected.uri) {
        let wanted = expected.uri.to_string();
        return Err(wrong(format!("htu is {}; the request is for {}", shown(&uri), shown(&wanted))));
    }
    let issued = date(claims.get("iat"), "iat").and_then(|date| date.ok_or_else(|| "iat is missing".to_owned()));
    let issued = issued.map_err(wrong)?;
    // Section 4.3, check 11: the time is that of the nonce where the server manages it, whatever the client's clock says.
    let (made_at, outdated_nonce) = match expected.nonces {
        Some(nonces) => nonce(&claims, nonces, expected.clock.now)?,
        None => (in_time(issued, expected.clock)?, false),
    };
    in_force(&claims, expected.clock)?;
    let digest = BASE64URL_NOPAD.encode(&Sha256::digest(expected.token));
    let hash = text(&claims, "ath")?;
    if *hash != *digest {
        return Err(wrong(format!("ath is {}; that of the token is {digest}", shown(&hash))));
    }
    if thumbprint != *expected.key {
        let encoded = |digest: &[u8; 32]| BASE64URL_NOPAD.encode(digest);
        let (own, key) = (encoded(expected.key), encoded(&thumbprint));
        let detail = format!("the token is bound to the key {own} (cnf.jkt); the DPoP proof is of the key {key}");
        return Err(Refused::new(Reason::TokenBinding, detail));
    }
    Ok(Proved { id, issued: issued as i64, made_at, algorithm, outdated_nonce })
}

/// Type, algorithm, key and signature: the algorithm, and the thumbprint of the key that the proof brings along. The key
/// proves nothing but that whoever made the proof holds it.
fn signed(jws: &Jws<'_>, strict: bool) -> Result<(Algorithm, [u8; 32]), Refused> {
    let header = &jws.header;
    let kind = header.kind.as_deref();
    if kind != Some("dpop+jwt") {
        return Err(wrong(format!("typ is {}; it must be \"dpop+jwt\"", kind.map_or("missing".into(), shown))));
    }
    let name = &*header.algorithm;
    let Some(algorithm) = algorithms(strict).find(|algorithm| algorithm.name() == name) else {
        let listed: Vec<_> = algorithms(strict).map(Algorithm::name).collect();
        return Err(wrong(format!("alg is {}; taken are {}", shown(name), listed.join(", "))));
    };
    let jwk = match header.get("jwk").map(|jwk| jwk.value()) {
        Some(Value::Object(jwk)) => jwk,
        Some(_) => return Err(wrong("jwk is not an object")),
        None => return Err(wrong("jwk is missing, which brings the key along")),
    };
    let rules = Rules { algorithms: &[algorithm], strict, origin: Origin::Remote };
    let key = Key::from_jwk(&jwk, &rules).map_err(|error| wrong(format!("its jwk: {}", error.0)))?;
    let Some(public) = key.public() else { return Err(wrong("its jwk is a shared secret")) };
    if !key.verify(algorithm, jws.signed, jws.signature) {
        return Err(wrong("its signature is not of the key that it brings along"));
    }
    Ok((algorithm, public.thumbprint()))
}

/// The time of the nonce, and whether there is a newer one.
fn nonce(claims: &Object, nonces: &Nonces, now: i64) -> Result<(i64, bool), Refused> {
    let refused = |detail: &str| Err(Refused::new(Reason::DpopNonce, detail));
    match claims.get("nonce").map(|nonce| nonce.string()) {
        None => refused("the DPoP proof has no nonce"),
        Some(None) => Err(wrong("nonce is not a string")),
        Some(Some(nonce)) => match nonces.read(&nonce, now) {
            Some(known) => Ok((known.made_at, known.outdated)),
            None => refused("the nonce of the DPoP proof is outdated, or was made by somebody else"),
        },
    }
}

fn in_time(issued: f64, Clock { now, leeway }: Clock) -> Result<i64, Refused> {
    // Whole seconds below 2^53 on one side, the exact value on the other: nothing is rounded.
    let (least, most) = (now.saturating_sub(AGE).saturating_sub(leeway) as f64, now.saturating_add(leeway) as f64);
    if (least..=most).contains(&issued) {
        return Ok(issued as i64);
    }
    let away = if issued < least { "ago" } else { "ahead" };
    let by = (now as f64 - issued).abs();
    Err(wrong(format!("iat is {issued}, {by} s {away}; now is {now}, a proof is good for {AGE} s, leeway {leeway} s")))
}

/// `exp` and `nbf` need not be there; whoever writes them means them (RFC 7519 sections 4.1.4 and 4.1.5).
fn in_force(claims: &Object, Clock { now, leeway }: Clock) -> Result<(), Refused> {
    let date = |name| date(claims.get(name), name).map_err(wrong);
    if let Some(expires) = date("exp")?
        && expires <= now.saturating_sub(leeway) as f64
    {
        return Err(wrong(format!("exp is {expires}; now is {now}, leeway {leeway} s")));
    }
    if let Some(begins) = date("nbf")?
        && begins > now.saturating_add(leeway) as f64
    {
        return Err(wrong(format!("nbf is {begins}; now is {now}, leeway {leeway} s")));
    }
    Ok(())
}

/// A claim that must be there and be a string.
fn text<'c>(claims: &'c Object, name: &str) -> Result<Cow<'c, str>, Refused> {
    match claims.get(name) {
        None => Err(wrong(format!("{name} is missing"))),
        Some(value) => {
            value.string().ok_or_else(|| wrong(format!("{name} is {} where a string belongs", value.kind().article())))
        }
    }
}

fn wrong(why: impl Into<String>) -> Refused {
    Refused::new(Reason::DpopProof, format!("the DPoP proof: {}", why.into()))
}

#[cfg(test)]
mod tests;
