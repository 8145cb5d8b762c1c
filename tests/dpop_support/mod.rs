//! A client that proves that it holds its key (RFC 9449).

#![allow(dead_code, reason = "each test takes what it needs")]

use std::cell::Cell;

use data_encoding::BASE64URL_NOPAD as B64;
use ed25519_dalek::{Signer, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::engine_support::{Ask, ISSUER, NOW, SECRET, get, token};

/// A client with a key, and a token that is bound to it.
pub struct Client {
    key: SigningKey,
    pub token: String,
    made: Cell<u32>,
}

impl Client {
    pub fn new(octet: u8) -> Client {
        let key = SigningKey::from_bytes(&[octet; 32]);
        let jkt = B64.encode(&Sha256::digest(jwk(&key).to_string()));
        Client { key, token: token("sam", json!({"cnf": {"jkt": jkt}}), SECRET), made: Cell::new(0) }
    }

    /// A fresh proof for `GET https://orders.example.com/x`, with some claims changed.
    pub fn proof(&self, changes: Value) -> String {
        self.made.set(self.made.get() + 1);
        let mut claims = json!({
            "jti": format!("proof-{}", self.made.get()), "htm": "GET", "htu": "https://orders.example.com/x",
            "iat": NOW, "ath": B64.encode(&Sha256::digest(&self.token)),
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let header = json!({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": jwk(&self.key)});
        let encode = |value: &Value| B64.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        format!("{signed}.{}", B64.encode(&self.key.sign(signed.as_bytes()).to_bytes()))
    }

    pub fn ask(&self, proof: &str) -> Ask {
        get("/x").authorization(format!("DPoP {}", self.token)).header("DPoP", proof)
    }

    /// With the proof of this number: the same one whoever makes it.
    pub fn numbered(&self, number: usize) -> Ask {
        self.ask(&self.proof(json!({"jti": format!("number-{number}")})))
    }
}

fn jwk(key: &SigningKey) -> Value {
    json!({"crv": "Ed25519", "kty": "OKP", "x": B64.encode(key.verifying_key().as_bytes())})
}

/// A policy whose issuer has these lines more.
pub fn policy(more: &str) -> String {
    format!(
        "[engine]\nname = \"Orders\"\nstate = \":memory:\"\nschemes = [\"bearer\"]\n{ISSUER}{more}[[route]]\npath = \"/{{*rest}}\"\n"
    )
}
