//! Tokens that are bound to a key, and what proves that somebody holds it.

use data_encoding::{BASE64, BASE64URL_NOPAD as B64};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::good;

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
        _ => return None,
    })
}

fn bound(cnf: Value) -> String {
    good(&[("cnf", cnf)])
}

/// `x5t#S256` of a certificate.
fn digest_of(certificate: &str) -> String {
    B64.encode(&Sha256::digest(der(certificate)))
}

/// A certificate of the cases about client certificates.
fn der(name: &str) -> Vec<u8> {
    let cases: Value = serde_json::from_str(include_str!("../cases/client-cert.json")).unwrap();
    let pem = cases["let"][name].as_str().unwrap();
    let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(lines.as_bytes()).unwrap()
}
