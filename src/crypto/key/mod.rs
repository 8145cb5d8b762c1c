//! Verification keys, parsed once. What a key may be used for is fixed here, never chosen by a token.
//!
//! `PublicKey` is what a JWK, a certificate or PEM says; `Key` is that, or a shared secret, made ready for its
//! algorithms; `KeySet` is all that an issuer has at one time.

mod ed25519;
mod mac;
mod public;
mod rsa;
mod set;

use aws_lc_rs::digest;
use aws_lc_rs::signature::ParsedPublicKey;
use smallvec::SmallVec;

use crate::crypto::algorithm::Algorithm;
use crate::crypto::secret;
use mac::HmacStates;

pub use public::{Curve, PublicKey};
pub use set::{KeySet, MAX_CANDIDATES, NoCandidate};

/// A key that verifies signatures.
pub struct Key {
    /// `kid`, where it has one.
    pub kid: Option<String>,
    algorithms: Vec<Algorithm>,
    material: Material,
}

/// Why a secret or key was refused; the text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(pub String);

/// What keys are held against when they are loaded.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'p> {
    /// The algorithms that the issuer may use: what a key without `alg` is for, as far as they fit its type.
    pub algorithms: &'p [Algorithm],
    /// `profile = "strict"`: no RS*, RSA from 3072 bits.
    pub strict: bool,
    /// Where they come from.
    pub origin: Origin,
}

/// Where keys come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A file that the operator names: a key that cannot be used is an error, private keys are a warning.
    File,
    /// The policy itself, which everybody may read: as a file, but private keys and secrets are an error.
    Inline,
    /// An issuer's published set: keys that cannot be used are left out, so that one bad key does not take all; shared
    /// secrets and private keys count as lost and are left out too.
    Remote,
}

/// What is computed with, one kind for each type of key; the algorithm alone never decides how the bytes are read.
enum Material {
    Hmac(Box<HmacStates>),
    /// Parsed for each algorithm that it is for.
    Public(PublicKey, SmallVec<[(Algorithm, ParsedPublicKey); 1]>),
}

impl Key {
    /// A shared secret for the given HS* algorithms. Refused: shorter than any of the algorithms' hashes (RFC 7518
    /// section 3.2), public key or certificate text, known placeholders, nothing but a pattern.
    pub fn from_secret(kid: Option<String>, secret: &[u8], algorithms: &[Algorithm]) -> Result<Key, KeyError> {
        if algorithms.is_empty() {
            return Err(KeyError(
                "no algorithm is listed that the secret could be for; list HS256, HS384 or HS512".into(),
            ));
        }
        if let Some(other) = algorithms.iter().find(|algorithm| !algorithm.is_symmetric()) {
            let name = other.name();
            return Err(KeyError(format!(
                "a shared secret is for HS256, HS384 and HS512 only, not for {name}; give the issuer's public key, or list HS* alone"
            )));
        }
        secret::check(secret, algorithms).map_err(KeyError)?;
        Ok(Key {
            kid,
            algorithms: algorithms.to_vec(),
            material: Material::Hmac(Box::new(HmacStates::new(secret, algorithms)?)),
        })
    }

    /// A public key for those of the rules' algorithms that fit its type; with `only`, for that one alone. Refused: a
    /// key that is too weak, and one that fits none.
    pub fn from_public(
        kid: Option<String>,
        public: PublicKey,
        only: Option<Algorithm>,
        rules: &Rules<'_>,
    ) -> Result<Key, KeyError> {
        public.check(rules.strict).map_err(KeyError)?;
        let fits = |algorithm: &&Algorithm| public.fits(**algorithm) && only.is_none_or(|only| only == **algorithm);
        let mut algorithms: Vec<Algorithm> = rules.algorithms.iter().filter(fits).copied().collect();
        algorithms.dedup();
        if algorithms.is_empty() {
            let listed: Vec<_> = rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let what = public.describe();
            return Err(KeyError(format!("{what} cannot verify {}", listed.join(", "))));
        }
        let parsed = algorithms.iter().map(|algorithm| Ok((*algorithm, public.prepare(*algorithm)?)));
        let parsed = parsed.collect::<Result<_, String>>().map_err(KeyError)?;
        Ok(Key { kid, algorithms, material: Material::Public(public, parsed) })
    }

    /// The algorithms that it may be used with.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The public key; `None` for a shared secret.
    pub fn public(&self) -> Option<&PublicKey> {
        match &self.material {
            Material::Public(public, _) => Some(public),
            Material::Hmac(_) => None,
        }
    }

    /// The signature is right for the message; false for any algorithm that the key is not for. Constant time in the
    /// secret and the expected value.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.algorithms.contains(&algorithm) {
            return false;
        }
        match &self.material {
            Material::Hmac(states) => states.verify(algorithm, message, signature),
            Material::Public(_, parsed) => {
                let key = parsed.iter().find(|(own, _)| *own == algorithm).map(|(_, key)| key);
                let whole = algorithm.signature_length().is_none_or(|length| length == signature.len());
                whole && key.is_some_and(|key| is_signature(key, algorithm, message, signature))
            }
        }
    }

    /// A key of any bytes, for vectors with keys that no operator could load.
    #[cfg(test)]
    pub(crate) fn unchecked(kid: Option<&str>, secret: &[u8], algorithms: &[Algorithm]) -> Key {
        let states = HmacStates::new(secret, algorithms).expect("HMAC takes any key");
        Key { kid: kid.map(str::to_owned), algorithms: algorithms.to_vec(), material: Material::Hmac(Box::new(states)) }
    }
}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

/// What is hashed first is hashed here: the library's own way through a stream costs more.
fn is_signature(key: &ParsedPublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    let hash = match algorithm {
        Algorithm::Rs256 | Algorithm::Ps256 | Algorithm::Es256 => &digest::SHA256,
        Algorithm::Rs384 | Algorithm::Ps384 | Algorithm::Es384 => &digest::SHA384,
        Algorithm::Rs512 | Algorithm::Ps512 | Algorithm::Es512 => &digest::SHA512,
        _ => return key.verify_sig(message, signature).is_ok(),
    };
    key.verify_digest_sig(&digest::digest(hash, message), signature).is_ok()
}

/// Never shows the material.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
