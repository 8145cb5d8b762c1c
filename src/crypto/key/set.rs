//! All keys that an issuer has at one time, and which of them may have signed a token.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Key, KeyError};
use crate::crypto::algorithm::Algorithm;
use crate::json::shown;

/// Keys that are tried for one token at most.
pub const MAX_CANDIDATES: usize = 8;

/// Keys of one issuer, as read at one time; never changed, only replaced by another set.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<Arc<Key>>,
    warnings: Vec<String>,
}

/// Why no key can have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoCandidate {
    /// The key that the token names is for other algorithms, or no key is for this one.
    Algorithm,
    /// No key has the name.
    Unknown,
}

impl KeySet {
    /// A set of these keys. A `kid` that two of them share is an error.
    pub fn new(keys: Vec<Key>) -> Result<KeySet, KeyError> {
        KeySet::join([KeySet { keys: keys.into_iter().map(Arc::new).collect(), warnings: Vec::new() }])
    }

    /// One set of the keys of several sources. An error: a `kid` that two different keys share, and shared secrets
    /// beside public keys. A key that stands there twice counts once.
    pub fn join(parts: impl IntoIterator<Item = KeySet>) -> Result<KeySet, KeyError> {
        let mut joined = KeySet::default();
        for part in parts {
            joined.warnings.extend(part.warnings);
            for key in part.keys {
                let twin = joined.keys.iter().find(|other| other.kid.is_some() && other.kid == key.kid);
                match (twin, &key.kid) {
                    (Some(twin), Some(kid)) if twin.public().is_none() || twin.public() != key.public() => {
                        return Err(KeyError(format!("two keys have the kid {}; give each its own", shown(kid))));
                    }
                    (Some(twin), Some(_)) if twin.algorithms() == key.algorithms() => {}
                    _ => joined.keys.push(key),
                }
            }
        }
        let secrets = joined.keys.iter().filter(|key| key.public().is_none()).count();
        if secrets > 0 && secrets < joined.keys.len() {
            let why = "shared secrets stand beside public keys; keep either, and make two issuers where there are both";
            return Err(KeyError(why.into()));
        }
        Ok(joined)
    }

    /// With something about it that the operator should know.
    pub(crate) fn warn(mut self, warning: String) -> KeySet {
        self.warnings.push(warning);
        self
    }

    /// What the operator should know, each the end of a sentence that begins with where the keys come from.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The keys.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().map(Arc::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed, those of the token's `kid` first and then those without one; all of this
    /// algorithm where the token names none. At most `MAX_CANDIDATES`.
    pub fn candidates(
        &self,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Result<SmallVec<[&Key; MAX_CANDIDATES]>, NoCandidate> {
        let fits = |key: &&Key| key.algorithms().contains(&algorithm);
        let is_named = |key: &&Key| kid.is_some() && key.kid.as_deref() == kid;
        let is_other = |key: &&Key| kid.is_none() || key.kid.is_none();
        let named = self.iter().filter(is_named).filter(fits);
        let others = self.iter().filter(is_other).filter(fits);
        let found: SmallVec<[&Key; MAX_CANDIDATES]> = named.chain(others).take(MAX_CANDIDATES).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        let exists = self.iter().any(|key| is_named(&key) || is_other(&key));
        let none_fits = !self.iter().any(|key| fits(&key));
        Err(if exists || none_fits { NoCandidate::Algorithm } else { NoCandidate::Unknown })
    }
}
