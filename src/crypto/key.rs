//! A verification key, parsed once. What it may be used for is fixed here, never chosen by a token.

use crate::crypto::algorithm::Algorithm;

/// A key that verifies signatures.
pub struct Key {
    /// `kid`, where it has one.
    pub kid: Option<String>,
    algorithms: Vec<Algorithm>,
}

/// Why a secret or key was refused; the text says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(pub String);

impl Key {
    /// A shared secret for the given HS* algorithms. Refused: shorter than the algorithms' hash (RFC 7518 section
    /// 3.2), public key or certificate text, known placeholders.
    pub fn from_secret(kid: Option<String>, secret: &[u8], algorithms: &[Algorithm]) -> Result<Key, KeyError> {
        let _ = secret;
        Ok(Key { kid, algorithms: algorithms.to_vec() })
    }

    /// The algorithms that it may be used with.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The signature is right for the message. Constant time in the secret and the expected value.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let _ = (algorithm, message, signature);
        false
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}
