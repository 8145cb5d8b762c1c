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
    /// The keys that come into question are for other algorithms.
    Algorithm,
    /// No key has the name, and each has one.
    Unknown,
}

impl KeySet {
    /// A set of these keys. A `kid` that two of them share is an error.
    pub fn new(keys: Vec<Key>) -> Result<KeySet, KeyError> {
        KeySet::join(keys.into_iter().map(|key| KeySet { keys: vec![Arc::new(key)], warnings: Vec::new() }))
    }

    /// A set that an issuer publishes. It stands behind all of them: where several have one `kid` (RFC 7517 section 4.5
    /// advises against it) each may have signed. A key that stands there twice counts once.
    pub(crate) fn published(keys: Vec<Key>) -> KeySet {
        let mut set = KeySet::default();
        let mut shared: Vec<String> = Vec::new();
        for key in keys {
            let is_same = |other: &Key| other.kid == key.kid && other.public() == key.public();
            if set.iter().any(|other| is_same(other) && other.algorithms() == key.algorithms()) {
                continue;
            }
            if let Some(kid) = &key.kid
                && !shared.contains(kid)
                && set.iter().any(|other| other.kid == key.kid && !is_same(other))
            {
                shared.push(kid.clone());
            }
            set.keys.push(Arc::new(key));
        }
        set.warnings
            .extend(shared.iter().map(|kid| format!("has several keys of the kid {}; all are tried", shown(kid))));
        set
    }

    /// One set of the keys of several sources. An error: a `kid` that two different keys share, and shared secrets
    /// beside public keys. A key that stands there twice counts once.
    pub fn join(parts: impl IntoIterator<Item = KeySet>) -> Result<KeySet, KeyError> {
        let mut joined = KeySet::default();
        for part in parts {
            joined.warnings.extend(part.warnings);
            // What one source holds was settled when it was read.
            let before = joined.keys.len();
            for key in part.keys {
                let twin = joined.keys.iter().take(before).find(|other| other.kid.is_some() && other.kid == key.kid);
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

    /// More keys without `kid` are for one algorithm than are tried for a token: that algorithm, and how many.
    pub fn crowded(&self) -> Option<(Algorithm, usize)> {
        let bare = |algorithm: Algorithm| {
            self.iter().filter(|key| key.kid.is_none() && key.algorithms().contains(&algorithm)).count()
        };
        Algorithm::ALL.iter().map(|algorithm| (*algorithm, bare(*algorithm))).find(|(_, count)| *count > MAX_CANDIDATES)
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
        let exists = kid.is_none() || self.iter().any(|key| is_named(&key) || is_other(&key));
        Err(if exists { NoCandidate::Algorithm } else { NoCandidate::Unknown })
    }
}
