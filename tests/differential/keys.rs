//! Two issuers: one with secrets, one with public keys, a key for each algorithm. Fresh keys each time: what a seed
//! fixes are the tokens but for their signatures.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as aws;
use data_encoding::{BASE64, BASE64URL_NOPAD as B64};
use gatepost::crypto::algorithm::Algorithm::{self, *};
use gatepost::crypto::private::PrivateKey;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::{Sha256, Sha384, Sha512};

/// What both issuers sign with. ML-DSA is not among them: none of the libraries has it on every machine.
pub const ALGORITHMS: [Algorithm; 13] =
    [Hs256, Hs384, Hs512, Rs256, Rs384, Rs512, Ps256, Ps384, Ps512, Es256, Es384, Es512, EdDsa];

/// One key, by what it signs.
pub struct Pair {
    pub algorithm: Algorithm,
    pub kid: String,
    secret: Vec<u8>,
    private: Option<PrivateKey>,
}

/// All keys, and one of an attacker for each algorithm.
pub struct Keys {
    own: Vec<Pair>,
    strangers: Vec<Pair>,
}

impl Keys {
    pub fn new() -> Keys {
        let pairs = |owner: &str| ALGORITHMS.iter().map(|algorithm| Pair::new(*algorithm, owner)).collect();
        Keys { own: pairs("own"), strangers: pairs("stranger") }
    }

    pub fn own(&self, algorithm: Algorithm) -> &Pair {
        self.own.iter().find(|pair| pair.algorithm == algorithm).unwrap()
    }

    pub fn stranger(&self, algorithm: Algorithm) -> &Pair {
        self.strangers.iter().find(|pair| pair.algorithm == algorithm).unwrap()
    }

    /// The keys of an issuer as JWKs.
    pub fn set(&self, symmetric: bool) -> Vec<Value> {
        self.own.iter().filter(|pair| pair.algorithm.is_symmetric() == symmetric).map(Pair::jwk).collect()
    }
}

impl Pair {
    fn new(algorithm: Algorithm, owner: &str) -> Pair {
        let random = SystemRandom::new();
        let ec = |signer| aws::EcdsaKeyPair::generate_pkcs8(signer, &random).unwrap().as_ref().to_vec();
        let pkcs8 = match algorithm {
            Hs256 | Hs384 | Hs512 => None,
            Es256 => Some(ec(&aws::ECDSA_P256_SHA256_FIXED_SIGNING)),
            Es384 => Some(ec(&aws::ECDSA_P384_SHA384_FIXED_SIGNING)),
            Es512 => Some(ec(&aws::ECDSA_P521_SHA512_FIXED_SIGNING)),
            EdDsa => Some(aws::Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref().to_vec()),
            _ => {
                let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
                Some(AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec())
            }
        };
        let mut secret = vec![0; algorithm.least_secret()];
        aws_lc_rs::rand::fill(&mut secret).unwrap();
        Pair {
            algorithm,
            kid: format!("{owner}-{}", algorithm.name()),
            secret,
            private: pkcs8.map(|der| PrivateKey::from_pkcs8(&der).unwrap()),
        }
    }

    /// The public key, or the secret, as libraries read it.
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.private {
            Some(private) => private.public().to_jwk(),
            None => Map::from_iter([("kty".into(), json!("oct")), ("k".into(), json!(B64.encode(&self.secret)))]),
        };
        jwk.insert("kid".into(), json!(self.kid));
        jwk.insert("alg".into(), json!(self.algorithm.name()));
        Value::Object(jwk)
    }

    /// Texts of a public key that have been taken for a secret elsewhere.
    pub fn texts(&self) -> Vec<Vec<u8>> {
        let jwk = self.jwk().to_string();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", BASE64.encode(jwk.as_bytes()));
        vec![jwk.into_bytes(), pem.into_bytes(), b"null".to_vec(), Vec::new()]
    }

    /// Signs with the algorithm that is asked for where the key can, otherwise with its own.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match &self.private {
            Some(private) => {
                private.sign(algorithm, message).unwrap_or_else(|_| private.sign(self.algorithm, message).unwrap())
            }
            None => mac(if algorithm.is_symmetric() { algorithm } else { self.algorithm }, &self.secret, message),
        }
    }
}

/// A tag under any secret.
pub fn mac(algorithm: Algorithm, secret: &[u8], message: &[u8]) -> Vec<u8> {
    macro_rules! with {
        ($hash:ty) => {
            Hmac::<$hash>::new_from_slice(secret).unwrap().chain_update(message).finalize().into_bytes().to_vec()
        };
    }
    match algorithm {
        Hs384 => with!(Sha384),
        Hs512 => with!(Sha512),
        _ => with!(Sha256),
    }
}
