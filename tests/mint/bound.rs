//! Tokens that are bound to a key, and what proves that somebody holds it.

use data_encoding::{BASE64, BASE64URL_NOPAD as B64};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{T, good};

/// The token of this name.
pub fn token(name: &str) -> Option<String> {
    Some(match name {
        "bound_to_billing" => bound(json!({"x5t#S256": digest_of("billing")})),
        "bound_to_reports" => bound(json!({"x5t#S256": digest_of("reports")})),
        "bound_by_another_digest" => bound(json!({"x5t": digest_of("billing")})),
        "bound_by_more" => bound(json!({"x5t#S256": digest_of("billing"), "kid": "a"})),
        "bound_by_kid" => bound(json!({"kid": "a"})),
        "bound_by_nothing" => bound(json!({})),
        "bound_by_text" => bound(json!("x5t#S256")),
        "bound_by_list" => bound(json!([{"x5t#S256": digest_of("billing")}])),
        "bound_to_number" => bound(json!({"x5t#S256": 7})),
        "bound_to_null" => bound(json!({"x5t#S256": null})),
        "bound_to_half" => bound(json!({"x5t#S256": &digest_of("billing")[..22]})),
        "bound_to_hex" => bound(json!({"x5t#S256": data_encoding::HEXLOWER.encode(&Sha256::digest(der("billing")))})),
        "bound_to_key" => bound(json!({"jkt": jkt(&public())})),
        "bound_to_other_key" => bound(json!({"jkt": jkt(&ed25519(8))})),
        "bound_to_p256" => bound(json!({"jkt": jkt(&p256_public())})),
        "bound_to_both" => bound(json!({"x5t#S256": digest_of("billing"), "jkt": jkt(&public())})),
        "bound_to_key_admin" => good(&[("cnf", json!({"jkt": jkt(&public())})), ("roles", json!(["admin"]))]),
        "bound_to_key_expired" => good(&[("cnf", json!({"jkt": jkt(&public())})), ("exp", json!(T - 3_600))]),
        _ => return name.strip_prefix("proof_").and_then(proof),
    })
}

/// The token that goes with a proof.
fn own_token() -> String {
    bound(json!({"jkt": jkt(&public())}))
}

/// Proofs of `GET https://orders.example.com/`, at the time of the cases, with `bound_to_key`, but for what the name says.
fn proof(name: &str) -> Option<String> {
    let with = |name: &str, value: Value| of(&header(), &proof_claims(&[(name, value)]));
    let with_key = |jwk: Value| of(&changed(header(), "jwk", jwk), &proof_claims(&[("jti", json!("key"))]));
    Some(match name {
        "good" => of(&header(), &proof_claims(&[])),
        "good_2" | "good_3" | "good_4" | "good_5" | "good_6" | "good_7" | "good_8" => with("jti", json!(name)),
        "of_p256" => {
            let ath = B64.encode(&Sha256::digest(bound(json!({"jkt": jkt(&p256_public())}))));
            let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": p256_public()});
            p256(&header, &proof_claims(&[("ath", json!(ath))]))
        }
        "with_both" => {
            let token = bound(json!({"x5t#S256": digest_of("billing"), "jkt": jkt(&public())}));
            let ath = json!(B64.encode(&Sha256::digest(token)));
            of(&header(), &proof_claims(&[("ath", ath), ("jti", json!("both"))]))
        }
        "with_both_2" => {
            let token = bound(json!({"x5t#S256": digest_of("billing"), "jkt": jkt(&public())}));
            let ath = json!(B64.encode(&Sha256::digest(token)));
            of(&header(), &proof_claims(&[("ath", ath), ("jti", json!("both-2"))]))
        }
        "of_other_key" => {
            let header = changed(header(), "jwk", ed25519(8));
            signed_by(8, &header.to_string(), &proof_claims(&[]).to_string())
        }
        "with_other_token" => with("ath", json!(B64.encode(&Sha256::digest(super::token("good")?)))),
        "without_ath" => with("ath", Value::Null),
        "for_post" => with("htm", json!("POST")),
        "for_small_get" => with("htm", json!("get")),
        "without_htm" => with("htm", Value::Null),
        "for_other_path" => with("htu", json!("https://orders.example.com/other")),
        "for_other_host" => with("htu", json!("https://orders.example.net/")),
        "for_http" => with("htu", json!("http://orders.example.com/")),
        "for_other_port" => with("htu", json!("https://orders.example.com:8443/")),
        "for_path_alone" => with("htu", json!("/")),
        "without_htu" => with("htu", Value::Null),
        "for_clerk" => of(
            &header(),
            &proof_claims(&[
                ("htu", json!("https://ORDERS.example.com:443/a/../%63lerk?x=1")),
                ("jti", json!("clerk")),
            ]),
        ),
        "for_admin" => {
            of(&header(), &proof_claims(&[("htu", json!("https://orders.example.com/admin")), ("jti", json!("admin"))]))
        }
        "old" => with("iat", json!(T - 91)),
        "oldest" => of(&header(), &proof_claims(&[("iat", json!(T - 90)), ("jti", json!("oldest"))])),
        "ahead" => with("iat", json!(T + 31)),
        "iat_text" => with("iat", json!(T.to_string())),
        "without_iat" => with("iat", Value::Null),
        "without_jti" => with("jti", Value::Null),
        "empty_jti" => with("jti", json!("")),
        "with_nonce" => of(&header(), &proof_claims(&[("nonce", json!("made-elsewhere")), ("jti", json!("nonce"))])),
        "typ_jwt" => of(&changed(header(), "typ", json!("JWT")), &proof_claims(&[])),
        "without_typ" => of(&changed(header(), "typ", Value::Null), &proof_claims(&[])),
        "alg_none" => {
            let header = changed(header(), "alg", json!("none"));
            format!("{}.", super::message(&header.to_string(), &proof_claims(&[]).to_string()))
        }
        "hmac" => {
            let secret = B64.encode(&[7; 32]);
            let header = json!({"typ": "dpop+jwt", "alg": "HS256", "jwk": {"kty": "oct", "k": secret}});
            super::signed(header, proof_claims(&[]), &[7; 32])
        }
        "without_jwk" => with_key(Value::Null),
        "jwk_text" => with_key(json!("error")),
        // liboauth2 2.2.2
        "private_jwk" => with_key(changed(public(), "d", json!(B64.encode(&[7; 32])))),
        "claim_twice" => {
            let claims = proof_claims(&[]).to_string();
            signed_by(7, &header().to_string(), &format!("{{\"htm\":\"GET\",{}", claims.strip_prefix('{')?))
        }
        "changed" => {
            let proof = of(&header(), &proof_claims(&[]));
            let (_, signature) = proof.rsplit_once('.')?;
            let claims = proof_claims(&[("jti", json!("another"))]);
            format!("{}.{signature}", super::message(&header().to_string(), &claims.to_string()))
        }
        _ => return None,
    })
}

fn header() -> Value {
    json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": public()})
}

fn proof_claims(changes: &[(&str, Value)]) -> Value {
    let ath = B64.encode(&Sha256::digest(own_token()));
    let all = json!({"jti": "one", "htm": "GET", "htu": "https://orders.example.com/", "iat": T, "ath": ath});
    changes.iter().fold(all, |all, (name, value)| changed(all, name, value.clone()))
}

/// Null takes a member out.
fn changed(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object
}

/// Ed25519 keys of octets that are all the same.
fn ed25519(octet: u8) -> Value {
    let key = ed25519_dalek::SigningKey::from_bytes(&[octet; 32]);
    json!({"crv": "Ed25519", "kty": "OKP", "x": B64.encode(key.verifying_key().as_bytes())})
}

fn public() -> Value {
    ed25519(7)
}

/// RFC 7638: the members stand in the order of their names.
fn jkt(jwk: &Value) -> String {
    B64.encode(&Sha256::digest(jwk.to_string()))
}

fn of(header: &Value, claims: &Value) -> String {
    signed_by(7, &header.to_string(), &claims.to_string())
}

fn signed_by(octet: u8, header: &str, claims: &str) -> String {
    use ed25519_dalek::Signer;
    let message = super::message(header, claims);
    let signature = ed25519_dalek::SigningKey::from_bytes(&[octet; 32]).sign(message.as_bytes());
    format!("{message}.{}", B64.encode(&signature.to_bytes()))
}

fn p256_key() -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap()
}

fn p256_public() -> Value {
    let point = p256_key().verifying_key().to_sec1_point(false);
    let half = |at: usize| B64.encode(&point.as_bytes()[at..at + 32]);
    json!({"crv": "P-256", "kty": "EC", "x": half(1), "y": half(33)})
}

fn p256(header: &Value, claims: &Value) -> String {
    use p256::ecdsa::signature::Signer;
    let message = super::message(&header.to_string(), &claims.to_string());
    let signature: p256::ecdsa::Signature = p256_key().sign(message.as_bytes());
    format!("{message}.{}", B64.encode(&signature.to_bytes()))
}

fn bound(cnf: Value) -> String {
    good(&[("cnf", cnf)])
}

/// `x5t#S256` of a certificate.
fn digest_of(certificate: &str) -> String {
    B64.encode(&Sha256::digest(der(certificate)))
}

/// The DER of a certificate of the cases about client certificates.
pub fn der(name: &str) -> Vec<u8> {
    let cases: Value = serde_json::from_str(include_str!("../cases/client-cert.json")).unwrap();
    let pem = cases["let"][name].as_str().unwrap();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(lines.as_bytes()).unwrap()
}
