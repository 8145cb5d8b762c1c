//! Keeps the keys of issuers current while decisions use them: files that change are read again, addresses are asked
//! again, by one process for all that share the state. Never on the way of a request; what fails leaves the keys that
//! were there before, for as long as the policy says.

mod document;
mod file;
mod online;

use std::sync::{Mutex, TryLockError};

use crate::crypto::key::{Key, KeySet};
use crate::error::Error;
use crate::fetch::Fetch;
use crate::policy::Policy;
use crate::policy::model::{Asked, Issuer, KeySource};
use crate::state::State;
use crate::token::Keyring;
use file::FileWatch;
use online::Online;

/// Milliseconds between two looks: at files; at sources of the network; at those that have no keys yet.
const FILES_MS: u64 = 5_000;
const ONLINE_MS: u64 = 1_000;
const MISSING_MS: u64 = 250;

/// The sources of one policy that can change, with what is known of each.
#[derive(Default)]
pub struct Keeper {
    watches: Vec<Watch>,
    /// Who fetches.
    fetch: Option<Fetch>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").field("watches", &self.watches).finish_non_exhaustive()
    }
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
    Online(Box<Online>),
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
    /// Something about it is wrong, and the rest is in force all the same. Says what.
    Warned(String),
    /// It was read anew, and says what it said before.
    Same,
    /// It could not be read; what was there before stays. Says what to do.
    Failed(String),
    /// It can be read again, and says what it said before.
    Recovered,
    /// It could not be read for so long that what was there before is not believed any more.
    Expired(String),
}

/// What is looked after, with what that takes.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// Its keys.
    pub ring: &'a Keyring,
    /// What all processes share.
    pub state: &'a dyn State,
    /// Unix seconds.
    pub now: i64,
}

/// The same for one source of the network.
#[derive(Clone, Copy)]
struct Desk<'a> {
    policy: &'a Policy,
    ring: &'a Keyring,
    now: i64,
    watch: &'a Watch,
    issuer: &'a Issuer,
    source: &'a KeySource,
    asked: &'a Asked,
}

impl Keeper {
    /// Of the sources of a policy, as they were when it was loaded.
    pub fn new(issuers: &[Issuer], strict: bool, fetch: Option<Fetch>) -> Keeper {
        let mut watches = Vec::new();
        for (issuer, of) in issuers.iter().enumerate() {
            for (source, sourced) in of.sources.iter().enumerate() {
                let kind = match (&sourced.source, sourced.source.asked()) {
                    (KeySource::File { stamp, .. }, _) => Kind::File(Mutex::new(FileWatch::new(*stamp))),
                    (online, Some(asked)) => Kind::Online(Box::new(Online::new(of, online, asked, strict))),
                    _ => continue,
                };
                watches.push(Watch { issuer, source, kind });
            }
        }
        Keeper { watches, fetch }
    }

    /// Milliseconds until the next look is useful; `None`: never.
    pub fn next_ms(&self) -> Option<u64> {
        let wait = |watch: &Watch| match &watch.kind {
            Kind::File(_) => FILES_MS,
            Kind::Online(online) if online.has_keys() => ONLINE_MS,
            Kind::Online(_) => MISSING_MS,
        };
        self.watches.iter().map(wait).min()
    }

    /// Takes over what the state knows already, or what was in force before a reload. Fetches nothing.
    pub fn begin(&self, room: &Room<'_>, before: Option<(&Keeper, &Keyring)>) -> Result<(), Error> {
        for (online, desk) in self.online(room) {
            let same = before.and_then(|(keeper, ring)| keeper.keys_of(online, ring));
            online.begin(&desk, room.state, same)?;
        }
        Ok(())
    }

    /// Takes away keys that nobody confirmed for too long. Cheap, and never waits.
    pub fn expire(&self, room: &Room<'_>, mut told: impl FnMut(News)) {
        for (online, desk) in self.online(room) {
            if let Some(what) = online.expire(&desk) {
                told(desk.news(what));
            }
        }
    }

    /// Looks at every source and puts what is new into the ring; `told` hears what came of it. Reads files, asks the state
    /// and the network, and so belongs where one may block. A source that another thread is just looking at is left to it.
    /// An error is the state's; the other sources were looked at all the same.
    pub fn look(&self, room: &Room<'_>, mut told: impl FnMut(News)) -> Result<(), Error> {
        for watch in &self.watches {
            if let Kind::File(state) = &watch.kind {
                look_at_file(room, watch, state, &mut told);
            }
        }
        let mut failed = Ok(());
        for (online, desk) in self.online(room) {
            if let Err(error) = online.look(&desk, room.state, self.fetch.as_ref(), &mut |what| told(desk.news(what))) {
                failed = Err(error);
            }
        }
        failed
    }

    /// Seconds since each source of the network that has keys was last confirmed, with its issuer's index.
    pub fn ages(&self, room: &Room<'_>) -> Vec<(usize, i64)> {
        self.online(room).filter_map(|(online, desk)| Some((desk.watch.issuer, online.age(&desk)?))).collect()
    }

    /// Fetches what is missing for this process alone, and leaves no trace in the state. The errors, one for each source.
    pub fn fetch_alone(&self, room: &Room<'_>) -> Vec<String> {
        let Some(fetch) = &self.fetch else { return Vec::new() };
        self.online(room).filter_map(|(online, desk)| online.fetch_alone(&desk, fetch).err()).collect()
    }

    /// The sources of the network, each with its desk.
    fn online<'a>(&'a self, room: &Room<'a>) -> impl Iterator<Item = (&'a Online, Desk<'a>)> {
        let Room { policy, ring, now, .. } = *room;
        self.watches.iter().filter_map(move |watch| {
            let Kind::Online(online) = &watch.kind else { return None };
            let issuer = policy.issuers.get(watch.issuer)?;
            let source = &issuer.sources.get(watch.source)?.source;
            Some((&**online, Desk { policy, ring, now, watch, issuer, source, asked: source.asked()? }))
        })
    }

    /// The same source here, with the keys that it has in a ring.
    fn keys_of(&self, other: &Online, ring: &Keyring) -> Option<(&Online, KeySet)> {
        self.watches.iter().find_map(|watch| match &watch.kind {
            Kind::Online(online) if online.is_same(other) => {
                Some((&**online, ring.held(watch.issuer)?.source(watch.source)?.clone()))
            }
            _ => None,
        })
    }
}

impl Desk<'_> {
    fn address(&self) -> String {
        document::address(self.issuer, self.source)
    }

    fn news(&self, what: What) -> News {
        News { issuer: self.watch.issuer, source: self.address(), what }
    }
}

fn look_at_file(room: &Room<'_>, watch: &Watch, state: &Mutex<FileWatch>, told: &mut impl FnMut(News)) {
    let Some(issuer) = room.policy.issuers.get(watch.issuer) else { return };
    let source = issuer.sources.get(watch.source).map(|sourced| &sourced.source);
    let Some(KeySource::File { path, kid, .. }) = source else { return };
    let mut state = match state.try_lock() {
        Ok(state) => state,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => return,
    };
    let mut put = |text: &[u8]| {
        let keys = issuer.keys_of_file(text, kid.as_deref(), room.policy.strict).map_err(|error| error.0)?;
        replace(room.ring, watch, keys)
    };
    if let Some(what) = state.look(path, &mut put) {
        told(News { issuer: watch.issuer, source: path.display().to_string(), what });
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
