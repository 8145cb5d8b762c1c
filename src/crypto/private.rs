//! Private keys: what signs, and the public half that verifies it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, PqdsaKeyPair, PqdsaSigningAlgorithm,
    RsaEncoding,
};

use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{Curve, PublicKey};
use crate::crypto::pem;

mod jwk;

/// A private key with its public half.
pub struct PrivateKey {
    pair: Pair,
    public: PublicKey,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    MlDsa(PqdsaKeyPair),
}

/// The object identifier rsaEncryption (RFC 8017 appendix C), as DER.
const RSA: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const UNSOUND_RSA: &str = "it is no sound RSA private key of 2048 to 8192 bits";

const ML_DSA: [Algorithm; 3] = [Algorithm::MlDsa44, Algorithm::MlDsa65, Algorithm::MlDsa87];

impl PrivateKey {
    /// PKCS#8 (RFC 5958) of any type that an algorithm here needs.
    pub fn from_pkcs8(der: &[u8]) -> Result<PrivateKey, String> {
        if let Ok(pair) = RsaKeyPair::from_pkcs8(der) {
            return PrivateKey::rsa(pair);
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return PrivateKey::ed25519(pair);
        }
        for curve in Curve::ALL {
            if let Ok(pair) = EcdsaKeyPair::from_pkcs8(ecdsa(curve), der) {
                return PrivateKey::ec(curve, pair);
            }
        }
        for algorithm in ML_DSA {
            if let Some(Ok(pair)) = ml_dsa(algorithm).map(|signer| PqdsaKeyPair::from_pkcs8(signer, der)) {
                return PrivateKey::ml_dsa(algorithm, pair);
            }
        }
        Err(if der.windows(RSA.len()).any(|window| window == RSA) {
            UNSOUND_RSA.into()
        } else {
            "it is no private key (PKCS#8) of a type that is used for signatures here".into()
        })
    }

    /// ECPrivateKey (RFC 5915).
    pub fn from_sec1(der: &[u8]) -> Result<PrivateKey, String> {
        let pair = |curve| EcdsaKeyPair::from_private_key_der(ecdsa(curve), der).ok().map(|pair| (curve, pair));
        let (curve, pair) =
            Curve::ALL.into_iter().find_map(pair).ok_or("it is no private key of P-256, P-384 or P-521")?;
        PrivateKey::ec(curve, pair)
    }

    /// RSAPrivateKey (RFC 8017 section A.1.2).
    pub fn from_pkcs1(der: &[u8]) -> Result<PrivateKey, String> {
        PrivateKey::rsa(RsaKeyPair::from_der(der).map_err(|_| UNSOUND_RSA)?)
    }

    fn rsa(pair: RsaKeyPair) -> Result<PrivateKey, String> {
        let public = pem::rsa(pair.public_key().as_ref())?;
        Ok(PrivateKey { pair: Pair::Rsa(pair), public })
    }

    fn ec(curve: Curve, pair: EcdsaKeyPair) -> Result<PrivateKey, String> {
        let public = PublicKey::ec(curve, pair.public_key().as_ref())?;
        Ok(PrivateKey { pair: Pair::Ec(pair), public })
    }

    fn ed25519(pair: Ed25519KeyPair) -> Result<PrivateKey, String> {
        let public = PublicKey::ed25519(pair.public_key().as_ref())?;
        Ok(PrivateKey { pair: Pair::Ed25519(pair), public })
    }

    fn ml_dsa(algorithm: Algorithm, pair: PqdsaKeyPair) -> Result<PrivateKey, String> {
        let public = PublicKey::ml_dsa(algorithm, pair.public_key().as_ref())?;
        Ok(PrivateKey { pair: Pair::MlDsa(pair), public })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature in the form of JWS. The error says why there is none.
    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, String> {
        if !self.public.fits(algorithm) {
            return Err(format!("{} cannot sign with {}", self.public.describe(), algorithm.name()));
        }
        let failed = |_| "the signature could not be made".to_owned();
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding = rsa_encoding(algorithm).ok_or("no RSA algorithm")?;
                let mut made = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut made).map_err(failed)?;
                Ok(made)
            }
            Pair::Ec(pair) => Ok(pair.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => Ok(pair.try_sign(message).map_err(failed)?.as_ref().to_vec()),
            Pair::MlDsa(pair) => {
                let mut made = vec![0; pair.algorithm().signature_len()];
                let length = pair.sign(message, &mut made).map_err(failed)?;
                made.truncate(length);
                Ok(made)
            }
        }
    }
}

/// Never shows the key.
impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public.describe()).finish_non_exhaustive()
    }
}

fn ecdsa(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
    }
}

fn ml_dsa(algorithm: Algorithm) -> Option<&'static PqdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::MlDsa44 => Some(&signature::ML_DSA_44_SIGNING),
        Algorithm::MlDsa65 => Some(&signature::ML_DSA_65_SIGNING),
        Algorithm::MlDsa87 => Some(&signature::ML_DSA_87_SIGNING),
        _ => None,
    }
}

fn rsa_encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_SHA512),
        _ => None,
    }
}
