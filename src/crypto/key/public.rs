//! A public key as numbers, whatever it was written in, and what it can verify.

use aws_lc_rs::signature::{self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{ed25519, rsa};
use crate::crypto::algorithm::{Algorithm, Family};

/// A public key, not yet bound to algorithms. Its numbers are of the right length, but `check` is still to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// Unsigned, most significant octet first, without leading zeros.
    #[allow(missing_docs, reason = "the names are the usual ones")]
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// A point: 4, then both coordinates in full length.
    #[allow(missing_docs, reason = "the names are the usual ones")]
    Ec { curve: Curve, point: Vec<u8> },
    /// RFC 8032.
    Ed25519([u8; 32]),
    /// FIPS 204, for this one of the three.
    #[allow(missing_docs, reason = "the names are the usual ones")]
    MlDsa { algorithm: Algorithm, key: Vec<u8> },
}

/// A curve of ECDSA, each with its one algorithm.
#[allow(missing_docs, reason = "the names are the registered ones")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    /// All of them.
    pub const ALL: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

    /// `crv` (RFC 7518 section 6.2.1.1).
    pub const fn name(self) -> &'static str {
        match self {
            Curve::P256 => "P-256",
            Curve::P384 => "P-384",
            Curve::P521 => "P-521",
        }
    }

    /// Octets of a coordinate.
    pub const fn size(self) -> usize {
        match self {
            Curve::P256 => 32,
            Curve::P384 => 48,
            Curve::P521 => 66,
        }
    }

    /// The algorithm that RFC 7518 section 3.4 fixes for it.
    pub const fn algorithm(self) -> Algorithm {
        match self {
            Curve::P256 => Algorithm::Es256,
            Curve::P384 => Algorithm::Es384,
            Curve::P521 => Algorithm::Es512,
        }
    }
}

/// Encodings of y of the points of small order on edwards25519, without the sign of x: 0, 1, p - 1 and the two of
/// order eight. Under such a key anybody can make signatures.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        minus_one
    },
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
];

impl PublicKey {
    /// An RSA key of two unsigned numbers. The error is the end of a sentence about the key.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, String> {
        let written = |number: &[u8]| number.first().is_some_and(|first| *first != 0);
        if !written(modulus) || !written(exponent) {
            return Err("a number of an RSA key is empty or begins with a zero octet (RFC 7518 section 6.3.1)".into());
        }
        Ok(PublicKey::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })
    }

    /// A point of a curve in SEC 1 form. Only the uncompressed form is taken: 4, x, y.
    pub fn ec(curve: Curve, point: &[u8]) -> Result<PublicKey, String> {
        if point.first() != Some(&4) || point.len() != 1 + 2 * curve.size() {
            return Err(format!("its point is not in the uncompressed form of {}", curve.name()));
        }
        Ok(PublicKey::Ec { curve, point: point.to_vec() })
    }

    /// An Ed25519 key.
    pub fn ed25519(key: &[u8]) -> Result<PublicKey, String> {
        let key = key.try_into().map_err(|_| format!("an Ed25519 key has 32 octets, not {}", key.len()))?;
        Ok(PublicKey::Ed25519(key))
    }

    /// An ML-DSA key for one of its three algorithms.
    pub fn ml_dsa(algorithm: Algorithm, key: &[u8]) -> Result<PublicKey, String> {
        let wanted = match algorithm {
            Algorithm::MlDsa44 => 1312,
            Algorithm::MlDsa65 => 1952,
            Algorithm::MlDsa87 => 2592,
            _ => return Err(format!("{} has no ML-DSA keys", algorithm.name())),
        };
        if key.len() != wanted {
            return Err(format!("a key of {} has {wanted} octets, not {}", algorithm.name(), key.len()));
        }
        Ok(PublicKey::MlDsa { algorithm, key: key.to_vec() })
    }

    /// For messages.
    pub fn describe(&self) -> String {
        match self {
            PublicKey::Rsa { .. } => "an RSA key".into(),
            PublicKey::Ec { curve, .. } => format!("a key on {}", curve.name()),
            PublicKey::Ed25519(_) => "an Ed25519 key".into(),
            PublicKey::MlDsa { algorithm, .. } => format!("an {} key", algorithm.name()),
        }
    }

    /// It is of the type that the algorithm needs.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            PublicKey::Rsa { .. } => matches!(algorithm.family(), Family::Rsa | Family::RsaPss),
            PublicKey::Ec { curve, .. } => curve.algorithm() == algorithm,
            PublicKey::Ed25519(_) => algorithm.family() == Family::EdDsa,
            PublicKey::MlDsa { algorithm: own, .. } => *own == algorithm,
        }
    }

    /// It is strong enough. The error is a sentence's end or a sentence about the key.
    pub fn check(&self, strict: bool) -> Result<(), String> {
        match self {
            PublicKey::Rsa { modulus, exponent } => rsa::check(modulus, exponent, strict),
            PublicKey::Ed25519(key) => check_ed25519(key),
            // The point is held against its curve when the key is parsed.
            PublicKey::Ec { .. } | PublicKey::MlDsa { .. } => Ok(()),
        }
    }

    /// It is a point of its curve, as far as nothing else says so. Dearer than `check`: for keys that stay, not for those
    /// that come with one request, under which no signature is right then.
    pub(crate) fn check_point(&self) -> Result<(), String> {
        match self {
            PublicKey::Ed25519(key) if !ed25519::is_point(key) => {
                Err("it is no sound Ed25519 key: it is no point of the curve".into())
            }
            _ => Ok(()),
        }
    }

    /// Parses it for one algorithm that it fits.
    pub(super) fn prepare(&self, algorithm: Algorithm) -> Result<ParsedPublicKey, String> {
        let refused = || format!("{} could not be parsed: its numbers are no key", self.describe());
        let parsed = match (self, verifier(algorithm)) {
            (PublicKey::Rsa { modulus, exponent }, Some(Verifier::Rsa(parameters))) => {
                RsaPublicKeyComponents { n: modulus, e: exponent }.to_parsed_public_key(parameters)
            }
            (PublicKey::Ec { point, .. }, Some(Verifier::Other(verifier))) => ParsedPublicKey::new(verifier, point),
            (PublicKey::Ed25519(key), Some(Verifier::Other(verifier))) => ParsedPublicKey::new(verifier, key),
            (PublicKey::MlDsa { key, .. }, Some(Verifier::Other(verifier))) => ParsedPublicKey::new(verifier, key),
            _ => return Err(format!("{} is not for {}", self.describe(), algorithm.name())),
        };
        parsed.map_err(|_| refused())
    }

    /// The required members of its JWK, in the order of RFC 7638.
    pub fn to_jwk(&self) -> Map<String, Value> {
        let number = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let members = match self {
            PublicKey::Rsa { modulus, exponent } => {
                vec![("e", number(exponent)), ("kty", "RSA".into()), ("n", number(modulus))]
            }
            PublicKey::Ec { curve, point } => {
                let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(curve.size()).unwrap_or_default();
                vec![("crv", curve.name().into()), ("kty", "EC".into()), ("x", number(x)), ("y", number(y))]
            }
            PublicKey::Ed25519(key) => vec![("crv", "Ed25519".into()), ("kty", "OKP".into()), ("x", number(key))],
            PublicKey::MlDsa { algorithm, key } => {
                vec![("alg", algorithm.name().into()), ("kty", "AKP".into()), ("pub", number(key))]
            }
        };
        members.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect()
    }

    /// The SHA-256 thumbprint (RFC 7638, for AKP RFC 9964 section 6).
    pub fn thumbprint(&self) -> [u8; 32] {
        Sha256::digest(Value::Object(self.to_jwk()).to_string().as_bytes()).into()
    }
}

enum Verifier {
    Rsa(&'static RsaParameters),
    Other(&'static dyn VerificationAlgorithm),
}

fn verifier(algorithm: Algorithm) -> Option<Verifier> {
    Some(match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
        Algorithm::Rs256 => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Verifier::Rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        // RFC 7518 section 3.5: MGF1 with the same hash, and a salt of its length.
        Algorithm::Ps256 => Verifier::Rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Verifier::Rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Verifier::Rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => Verifier::Other(&signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::Es384 => Verifier::Other(&signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::Es512 => Verifier::Other(&signature::ECDSA_P521_SHA512_FIXED),
        Algorithm::EdDsa | Algorithm::Ed25519 => Verifier::Other(&signature::ED25519),
        Algorithm::MlDsa44 => Verifier::Other(&signature::ML_DSA_44),
        Algorithm::MlDsa65 => Verifier::Other(&signature::ML_DSA_65),
        Algorithm::MlDsa87 => Verifier::Other(&signature::ML_DSA_87),
    })
}

fn check_ed25519(key: &[u8; 32]) -> Result<(), String> {
    let mut y = *key;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    // p is 2^255 - 19: from there on to 2^255 a y is written in a second way.
    let canonical = y.iter().skip(1).take(30).any(|byte| *byte != 0xff) || y[31] != 0x7f || y[0] < 0xed;
    if !canonical || SMALL_ORDER.contains(&y) {
        return Err("it is no sound Ed25519 key: its point is of small order or written in a second way".into());
    }
    Ok(())
}
