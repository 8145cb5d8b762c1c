//! Keeps the keys of issuers current while decisions use them: files that change are read again. Never on the way of a
//! request; what fails leaves the keys that were there before.

mod file;

use std::sync::{Mutex, TryLockError};

use crate::crypto::key::{Key, KeySet};
use crate::policy::Policy;
use crate::policy::model::{Issuer, KeySource};
use crate::token::Keyring;
use file::FileWatch;

/// Milliseconds between two looks at files.
const FILES_MS: u64 = 5_000;

/// The sources of one policy that can change, with what is known of each.
#[derive(Debug, Default)]
pub struct Keeper {
    watches: Vec<Watch>,
}

/// One source.
#[derive(Debug)]
struct Watch {
    issuer: usize,
    source: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File(Mutex<FileWatch>),
}

/// What became of a source of keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// The issuer's index in the policy.
    pub issuer: usize,
    /// The file or address.
    pub source: String,
    /// What.
    pub what: What,
}

/// See [`News`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Other keys are in force; by `kid`, or by thumbprint (RFC 7638) where a key has none.
    Changed {
        /// Keys that were not there before.
        added: Vec<String>,
        /// Keys that are not there any more.
        removed: Vec<String>,
    },
    /// It could not be read; what was there before stays. Says what to do.
    Failed(String),
    /// It can be read again, and says what it said before.
    Recovered,
}

impl Keeper {
    /// Of the sources of a policy, as they were when it was loaded.
    pub fn new(issuers: &[Issuer]) -> Keeper {
        let mut watches = Vec::new();
        for (issuer, of) in issuers.iter().enumerate() {
            for (source, sourced) in of.sources.iter().enumerate() {
                let kind = match &sourced.source {
                    KeySource::File { stamp, .. } => Kind::File(Mutex::new(FileWatch::new(*stamp))),
                    KeySource::Fixed | KeySource::Url { .. } | KeySource::Discovery { .. } => continue,
                };
                watches.push(Watch { issuer, source, kind });
            }
        }
        Keeper { watches }
    }

    /// Milliseconds until the next look is useful; `None`: never.
    pub fn next_ms(&self) -> Option<u64> {
        (!self.watches.is_empty()).then_some(FILES_MS)
    }

    /// Looks at every source and puts what is new into the ring; `told` hears what came of it. Reads files, and so belongs
    /// where one may block. A source that another thread is just looking at is left to it.
    pub fn look(&self, policy: &Policy, ring: &Keyring, mut told: impl FnMut(News)) {
        for watch in &self.watches {
            let Some(issuer) = policy.issuers.get(watch.issuer) else { continue };
            let Some(sourced) = issuer.sources.get(watch.source) else { continue };
            let (Kind::File(state), KeySource::File { path, kid, .. }) = (&watch.kind, &sourced.source) else {
                continue;
            };
            let mut state = match state.try_lock() {
                Ok(state) => state,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => continue,
            };
            let mut put = |text: &[u8]| {
                let new = issuer.keys_of_file(text, kid.as_deref(), policy.strict).map_err(|error| error.0)?;
                replace(ring, watch, new)
            };
            if let Some(what) = state.look(path, &mut put) {
                told(News { issuer: watch.issuer, source: path.display().to_string(), what });
            }
        }
    }
}

/// Puts a set in the place of what a source said before; what is different then.
fn replace(ring: &Keyring, watch: &Watch, new: KeySet) -> Result<What, String> {
    let held = ring.held(watch.issuer);
    let old = held.as_ref().and_then(|held| held.source(watch.source)).cloned().unwrap_or_default();
    let (added, removed) = (without(&new, &old), without(&old, &new));
    ring.put(watch.issuer, watch.source, Some(new)).map_err(|error| error.0)?;
    Ok(What::Changed { added, removed })
}

/// The names of keys of the first set that the second does not have.
fn without(keys: &KeySet, others: &KeySet) -> Vec<String> {
    let same = |key: &Key, other: &Key| key.kid == other.kid && key.public() == other.public();
    keys.iter().filter(|key| !others.iter().any(|other| same(key, other))).map(name).collect()
}

fn name(key: &Key) -> String {
    match (&key.kid, key.public()) {
        (Some(kid), _) => kid.clone(),
        (None, Some(public)) => data_encoding::BASE64URL_NOPAD.encode(&public.thumbprint()),
        (None, None) => "a secret without kid".into(),
    }
}
