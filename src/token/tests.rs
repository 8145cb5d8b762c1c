//! What a good token gives, and in which order a bad one is refused. The helpers mint tokens.

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use super::*;
use crate::crypto::key::KeySet;
use crate::json;
use crate::policy::model::{ClaimNames, DpopRules, KeySource, SourcedKeys};
use crate::token::keyring::tests::discovery;
use Algorithm::{Hs256, Hs384, Hs512};

mod attacks;
mod claims;
mod hostile;
mod public;
mod vectors;

const NOW: i64 = 1_790_000_000;
const LEEWAY: i64 = 30;
/// 64 random octets; `OTHER` likewise.
const SECRET: &[u8] = b"\x8fm1Q\x02\xd9s\xbb(R8\xee\x1a\x90t0zL\xc3\x05\x7f\xe6\xa1\x99BqD\xdd\x30\x1eY\xb4\
    \x51\xf2K\x08\xa6\xc7G\x93\x2e\xf9\x16\xadv\x6b\xe3P\xce\x84\x1d\x3fU\xc8\x95\x0b\xd2h\xfe\x77\x29\xba\x40\x8c\xe7";
const OTHER: &[u8] = b"\x13\xe8Z\xb7\x4cq\x90\x2d\xf6\x05\xc9\x3aU\xae\x81\x1f\xd4\x6bH\xf9\x22\x9e\xc7\x58\x0d\xb3\x74\xea\x36\x8d\x51\xfc\
    \x47\xa2\x0b\xdf\x69\x94\xc0\x3ev\x18\xe5\x8a\x2c\xb1\x5dS\xfa\x07\x9b\x64\xcd\x32\x86\xef\x1b\xa8\x70\xd6\x4f\x93\xbe\x29";

fn key(kid: Option<&str>, secret: &[u8], algorithms: &[Algorithm]) -> Key {
    Key::from_secret(kid.map(str::to_owned), secret, algorithms).unwrap()
}

/// One source that has said these keys.
fn sourced(keys: Vec<Key>) -> Vec<SourcedKeys> {
    vec![SourcedKeys { source: KeySource::Fixed, keys: Some(KeySet::new(keys).unwrap()) }]
}

/// All checks of a token that nobody revoked, shown by somebody who proves nothing.
fn verify(token: &str, issuers: &[Issuer], now: i64, leeway: i64) -> Result<Verified, Refused> {
    let keys = Keyring::new(issuers);
    let verified = super::verify(token, &Trust { issuers, keys: &keys, leeway }, now)?;
    match verified.binding() {
        None => Ok(verified),
        Some(_) => Err(Refused::new(Reason::TokenBinding, "")),
    }
}

/// An issuer with one key of `SECRET` for HS256 without a kid.
fn issuer() -> Issuer {
    Issuer {
        name: "accounts".into(),
        issuer: "https://accounts.example.com".into(),
        audience: vec!["orders".into(), "billing".into()],
        algorithms: vec![Hs256],
        sources: sourced(vec![key(None, SECRET, &[Hs256])]),
        types: Vec::new(),
        require: vec!["sub".into()],
        claims: ClaimNames { subject: "sub".into(), roles: Some("roles".into()), scopes: "scope".into() },
        local_users: false,
        grants: None,
        dpop: DpopRules::default(),
    }
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

fn good() -> Value {
    json!({"iss": "https://accounts.example.com", "aud": "orders", "sub": "alice", "iat": NOW - 60, "exp": NOW + 600})
}

/// `good` with a member set.
fn with(name: &str, value: Value) -> Value {
    let mut claims = good();
    claims[name] = value;
    claims
}

/// `good` without a member.
fn without(name: &str) -> Value {
    let mut claims = good();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn tag(algorithm: Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    fn mac<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Vec<u8> {
        <M as KeyInit>::new_from_slice(secret).unwrap().chain_update(message).finalize().into_bytes().to_vec()
    }
    match algorithm {
        Hs256 => mac::<Hmac<sha2::Sha256>>(secret, message),
        Hs384 => mac::<Hmac<sha2::Sha384>>(secret, message),
        _ => mac::<Hmac<sha2::Sha512>>(secret, message),
    }
}

/// A token of any two texts, with a right signature.
fn sign_raw(header: &[u8], payload: &[u8], algorithm: Algorithm, secret: &[u8]) -> String {
    let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(payload));
    let tag = tag(algorithm, secret, signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&tag))
}

fn mint(header: &Value, claims: &Value) -> String {
    sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes(), Hs256, SECRET)
}

fn refusal(token: &str, issuer: Issuer) -> Refused {
    let detail = match verify(token, &[issuer], NOW, LEEWAY) {
        Ok(verified) => panic!("accepted: {verified:?}"),
        Err(refused) => refused,
    };
    let parts = token.split('.').filter(|part| part.len() > 8);
    assert!(parts.into_iter().all(|part| !detail.detail.contains(part)), "the detail shows the token: {detail:?}");
    detail
}

fn reason(token: &str) -> Reason {
    refusal(token, issuer()).reason
}

fn reason_of(claims: &Value) -> Reason {
    reason(&mint(&header(), claims))
}

fn accepted(claims: &Value) -> Verified {
    verify(&mint(&header(), claims), &[issuer()], NOW, LEEWAY).unwrap_or_else(|e| panic!("{claims}: {e:?}"))
}

#[test]
fn a_good_token_gives_the_identity() {
    let mut claims = good();
    claims["roles"] = json!(["clerk", "auditor"]);
    claims["scope"] = json!("orders:read  orders:write ");
    claims["amr"] = json!(["pwd", "otp"]);
    claims["auth_time"] = json!(NOW - 100);
    let verified = accepted(&claims);
    assert_eq!(verified.issuer, 0);
    assert_eq!(verified.subject(), "alice");
    assert_eq!(verified.roles().as_slice(), ["clerk", "auditor"]);
    assert_eq!(verified.scopes().as_slice(), ["orders:read", "orders:write"]);
    assert_eq!(verified.factors().as_slice(), ["pwd", "otp"]);
    assert_eq!(verified.authenticated_at(), Some(NOW - 100));
    assert_eq!(verified.expires_at(), NOW + 600);
    assert_eq!(verified.claims.text(), claims.to_string());
}

#[test]
fn the_issuer_is_chosen_by_its_exact_iss() {
    let other = || Issuer {
        issuer: "https://other.example.com".into(),
        sources: sourced(vec![key(None, OTHER, &[Hs256])]),
        ..issuer()
    };
    let token = mint(&header(), &good());
    assert_eq!(verify(&token, &[other(), issuer()], NOW, LEEWAY).unwrap().issuer, 1);
    assert_eq!(verify(&token, &[], NOW, LEEWAY).unwrap_err().reason, Reason::TokenIssuer);
    for iss in [
        "https://accounts.example.com/",
        "https://ACCOUNTS.example.com",
        "accounts",
        "",
        "https://accounts.example.com\u{0}",
    ] {
        assert_eq!(reason_of(&with("iss", json!(iss))), Reason::TokenIssuer, "{iss}");
    }
    // The name of one with the key of the other.
    let stolen = mint(&header(), &with("iss", json!("https://other.example.com")));
    assert_eq!(verify(&stolen, &[other(), issuer()], NOW, LEEWAY).unwrap_err().reason, Reason::TokenSignature);
}

/// Each token fails the named check and all that come after it; the first one is the reason.
#[test]
fn the_first_check_that_fails_is_the_reason() {
    let order = [
        Reason::TokenMalformed,
        Reason::TokenIssuer,
        Reason::TokenAlgorithm,
        Reason::TokenKeyUnknown,
        Reason::TokenSignature,
        Reason::TokenExpired,
        Reason::TokenNotYetValid,
        Reason::TokenAudience,
        Reason::TokenType,
        Reason::TokenClaim,
        Reason::TokenBinding,
    ];
    for (first, &expected) in order.iter().enumerate() {
        let fails = |reason: Reason| order.iter().position(|r| *r == reason).unwrap() >= first;
        let mut header = json!({"alg": "HS256", "kid": "k1", "typ": "JWT"});
        let mut claims = good();
        let mut secret = SECRET;
        if fails(Reason::TokenMalformed) {
            header["crit"] = json!([]);
        }
        if fails(Reason::TokenIssuer) {
            claims["iss"] = json!("https://evil.example.com");
        }
        if fails(Reason::TokenAlgorithm) {
            header["alg"] = json!("HS512");
        }
        if fails(Reason::TokenKeyUnknown) {
            header["kid"] = json!("k2");
        }
        if fails(Reason::TokenSignature) {
            secret = OTHER;
        }
        if fails(Reason::TokenExpired) {
            claims["exp"] = json!(NOW - 3600);
        }
        if fails(Reason::TokenNotYetValid) {
            claims["nbf"] = json!(NOW + 3600);
        }
        if fails(Reason::TokenAudience) {
            claims["aud"] = json!("elsewhere");
        }
        if fails(Reason::TokenType) {
            header["typ"] = json!("dpop+jwt");
        }
        if fails(Reason::TokenClaim) {
            claims["sub"] = json!(7);
        }
        claims["cnf"] = json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"});
        let token = sign_raw(header.to_string().as_bytes(), claims.to_string().as_bytes(), Hs256, secret);
        let issuer = Issuer { sources: sourced(vec![key(Some("k1"), SECRET, &[Hs256])]), ..issuer() };
        assert_eq!(refusal(&token, issuer).reason, expected);
    }
}

#[test]
fn keys_that_could_not_be_loaded_are_told_after_the_algorithm() {
    let unread = || SourcedKeys { source: discovery(), keys: None };
    let without_keys = || Issuer { sources: vec![unread()], ..issuer() };
    assert_eq!(refusal(&mint(&header(), &good()), without_keys()).reason, Reason::KeysUnavailable);
    let other = sign_raw(br#"{"alg":"HS512"}"#, good().to_string().as_bytes(), Hs512, SECRET);
    assert_eq!(refusal(&other, without_keys()).reason, Reason::TokenAlgorithm);
    let none = Issuer { sources: sourced(Vec::new()), ..issuer() };
    assert_eq!(refusal(&mint(&header(), &good()), none).reason, Reason::TokenAlgorithm);
}

#[test]
fn a_key_is_found_by_its_kid() {
    let two = || Issuer {
        sources: sourced(vec![key(Some("a"), OTHER, &[Hs256]), key(Some("b"), SECRET, &[Hs256])]),
        ..issuer()
    };
    let token = |kid: &str| mint(&json!({"alg": "HS256", "kid": kid}), &good());
    assert!(verify(&token("b"), &[two()], NOW, LEEWAY).is_ok());
    assert_eq!(refusal(&token("a"), two()).reason, Reason::TokenSignature);
    for unknown in ["c", "B", "", "b ", "../../b?", "b\u{0}", "' OR 1=1"] {
        assert_eq!(refusal(&token(unknown), two()).reason, Reason::TokenKeyUnknown, "{unknown}");
    }
    assert!(verify(&mint(&header(), &good()), &[two()], NOW, LEEWAY).is_ok(), "no kid: all that fit");
    let nameless =
        Issuer { sources: sourced(vec![key(Some("a"), OTHER, &[Hs256]), key(None, SECRET, &[Hs256])]), ..issuer() };
    assert!(verify(&token("a"), &[nameless], NOW, LEEWAY).is_ok(), "a key without kid is always a candidate");
    assert!(verify(&token("anything"), &[issuer()], NOW, LEEWAY).is_ok());
}

#[test]
fn at_most_eight_keys_are_tried() {
    let many = |before: usize| Issuer {
        sources: sourced(
            (0..before).map(|_| key(None, OTHER, &[Hs256])).chain([key(None, SECRET, &[Hs256])]).collect(),
        ),
        ..issuer()
    };
    let token = mint(&header(), &good());
    assert!(verify(&token, &[many(7)], NOW, LEEWAY).is_ok());
    assert_eq!(refusal(&token, many(8)).reason, Reason::TokenSignature);
}

#[test]
fn a_key_that_exists_but_is_for_another_algorithm_is_token_algorithm() {
    let keys = vec![key(Some("a"), SECRET, &[Hs256]), key(Some("b"), OTHER, &[Hs512])];
    let both = Issuer { algorithms: vec![Hs256, Hs512], sources: sourced(keys), ..issuer() };
    let token = sign_raw(br#"{"alg":"HS512","kid":"a"}"#, good().to_string().as_bytes(), Hs512, SECRET);
    assert_eq!(refusal(&token, both).reason, Reason::TokenAlgorithm);
}

/// After a rotation to another algorithm the key is missing, whatever the others are for.
#[test]
fn a_kid_that_no_key_has_is_token_key_unknown_whatever_the_algorithm() {
    let of = |kid: Option<&str>| Issuer {
        algorithms: vec![Hs256, Hs512],
        sources: sourced(vec![key(kid, SECRET, &[Hs256])]),
        ..issuer()
    };
    let token = |header: &str| sign_raw(header.as_bytes(), good().to_string().as_bytes(), Hs512, OTHER);
    let (new, old, none) =
        (token(r#"{"alg":"HS512","kid":"new"}"#), token(r#"{"alg":"HS512","kid":"a"}"#), token(r#"{"alg":"HS512"}"#));
    assert_eq!(refusal(&new, of(Some("a"))).reason, Reason::TokenKeyUnknown);
    assert_eq!(refusal(&old, of(Some("a"))).reason, Reason::TokenAlgorithm);
    assert_eq!(refusal(&none, of(Some("a"))).reason, Reason::TokenAlgorithm);
    assert_eq!(refusal(&new, of(None)).reason, Reason::TokenAlgorithm, "a key without kid comes into question for all");
}

#[test]
fn the_detail_tells_what_was_seen_and_wanted() {
    let detail = |claims: &Value| refusal(&mint(&header(), claims), issuer()).detail;
    let expired = detail(&with("exp", json!(NOW - 345)));
    assert!(expired.contains("345 s ago") && expired.contains("leeway 30 s"), "{expired}");
    let audience = detail(&with("aud", json!(["a", "b\u{1b}[2J"])));
    assert!(audience.contains(r#""a", "b\u{1b}[2J"; issuer accounts wants "orders", "billing""#), "{audience}");
    let iss = detail(&with("iss", json!("x".repeat(4000))));
    assert!(iss.contains("x…") && iss.contains("\"https://accounts.example.com\"") && iss.len() < 300, "{iss}");
    let alg = refusal(&mint(&json!({"alg": "HS384"}), &good()), issuer()).detail;
    assert_eq!(alg, "alg is \"HS384\"; issuer accounts lists HS256");
}
