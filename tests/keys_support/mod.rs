//! Keys of an issuer that sign tokens, and what the tests of changing keys share.

#![allow(dead_code, reason = "each test takes what it needs")]

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use gatepost::engine::Engine;
use serde_json::{Value, json};

use crate::engine_support::{NOW, get};

/// An Ed25519 key with a name.
pub struct Signer {
    pub kid: String,
    pair: Ed25519KeyPair,
}

impl Signer {
    /// A fresh key.
    pub fn new(kid: &str) -> Signer {
        Signer { kid: kid.to_owned(), pair: Ed25519KeyPair::generate().unwrap() }
    }

    /// Its public JWK.
    pub fn jwk(&self) -> Value {
        let x = BASE64URL_NOPAD.encode(self.pair.public_key().as_ref());
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x })
    }

    /// `Authorization` with a token of `issuer`, good for ever, for the audience `orders`.
    pub fn bearer(&self, issuer: &str) -> String {
        self.bearer_with(issuer, &json!({ "alg": "EdDSA", "kid": self.kid }))
    }

    /// The same with a header of its own.
    pub fn bearer_with(&self, issuer: &str, header: &Value) -> String {
        let claims = json!({ "iss": issuer, "aud": "orders", "sub": "u-17", "exp": NOW + 4_000_000_000 });
        let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(header), encode(&claims));
        let signature = self.pair.sign(signed.as_bytes());
        format!("Bearer {signed}.{}", BASE64URL_NOPAD.encode(signature.as_ref()))
    }
}

/// A JWK Set of these keys.
pub fn set(signers: &[&Signer]) -> String {
    json!({ "keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>() }).to_string()
}

/// One round of housekeeping, with its slow part.
pub fn keep_house(engine: &Engine) {
    if let Some(job) = engine.poll().unwrap().job {
        job.run();
    }
}

/// Why a request with this `Authorization` is let in or refused.
pub fn reason(engine: &Engine, authorization: &str) -> &'static str {
    get("/orders").authorization(authorization).reason(engine)
}
