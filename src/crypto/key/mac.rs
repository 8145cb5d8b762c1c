//! Shared secrets: HMAC with the key already mixed in.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::crypto::algorithm::Algorithm;
use crate::crypto::compare;
use crate::crypto::key::KeyError;

/// HMAC (RFC 2104) for each hash that the key is for; cloned for each message. Wiped when dropped.
#[derive(Clone)]
pub(super) struct HmacStates {
    sha256: Option<Hmac<Sha256>>,
    sha384: Option<Hmac<Sha384>>,
    sha512: Option<Hmac<Sha512>>,
}

impl HmacStates {
    pub(super) fn new(secret: &[u8], algorithms: &[Algorithm]) -> Result<HmacStates, KeyError> {
        Ok(HmacStates {
            sha256: state(secret, algorithms, Algorithm::Hs256)?,
            sha384: state(secret, algorithms, Algorithm::Hs384)?,
            sha512: state(secret, algorithms, Algorithm::Hs512)?,
        })
    }

    pub(super) fn verify(&self, algorithm: Algorithm, message: &[u8], tag: &[u8]) -> bool {
        match algorithm {
            Algorithm::Hs256 => is_tag(&self.sha256, message, tag),
            Algorithm::Hs384 => is_tag(&self.sha384, message, tag),
            Algorithm::Hs512 => is_tag(&self.sha512, message, tag),
            _ => false,
        }
    }
}

fn state<M: KeyInit>(secret: &[u8], listed: &[Algorithm], algorithm: Algorithm) -> Result<Option<M>, KeyError> {
    if !listed.contains(&algorithm) {
        return Ok(None);
    }
    M::new_from_slice(secret).map(Some).map_err(|_| KeyError("the secret's length is not possible for HMAC".into()))
}

/// Whole tags only; a cut one is none (RFC 7515 knows no truncation).
fn is_tag<M: Mac + Clone>(state: &Option<M>, message: &[u8], tag: &[u8]) -> bool {
    state.as_ref().is_some_and(|state| {
        let mut computed = state.clone().chain_update(message).finalize().into_bytes();
        compare::equal(&mut computed, tag)
    })
}
