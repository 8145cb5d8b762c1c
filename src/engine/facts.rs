//! What the state says about a user or a key, kept for as long as the state has not changed.
//!
//! An entry is good only at the state's version at which it was read: a change in any process ends it before the next
//! decision, and while a change is being written nothing is kept at all.

use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};

use crate::crypto::keyed::Keyed;
use crate::crypto::sip::Itself;
use crate::decision::Upstream;
use crate::error::Error;
use crate::identity::Identity;
use crate::state::{ApiKey, State, User};
use crate::throttle::Lately;

/// Entries kept per kind.
const CAPACITY: usize = 10_000;

/// A user, or that there is none.
pub(super) type UserFact = Option<Arc<Account>>;

/// A user, with what a password makes of it.
#[derive(Debug)]
pub(super) struct Account {
    user: User,
    pub(super) by_password: Memo,
    /// Under which this user's passwords are digested while they are remembered; none where there is no hash.
    pub(super) password_key: OnceLock<Option<Keyed>>,
    /// From where this user last came in by a password that was remembered.
    pub(super) lately: Lately,
}

impl Account {
    pub(super) fn new(user: User) -> Account {
        Account { user, by_password: Memo::default(), password_key: OnceLock::new(), lately: Lately::default() }
    }
}

impl Deref for Account {
    type Target = User;

    fn deref(&self) -> &User {
        &self.user
    }
}

/// Who somebody is, and the headers that say so to the application.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) identity: Arc<Identity>,
    pub(super) upstream: Upstream,
}

/// What facts make of somebody under the policy of one generation: made once, since neither changes.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// Under the policy that was in force when they were first asked: read by one look.
    first: OnceLock<(u64, Known)>,
    /// Under a later one.
    later: ArcSwapOption<(u64, Known)>,
}

impl Memo {
    pub(super) fn get(&self, generation: u64, make: impl FnOnce() -> Known) -> Known {
        let first = self.first.get();
        if let Some(made) = first.filter(|made| made.0 == generation) {
            return made.1.clone();
        }
        if let Some(made) = self.later.load().as_ref().filter(|made| made.0 == generation) {
            return made.1.clone();
        }
        let known = make();
        // Of two that make the first at once, either's will do, and the other one is no worse kept as a later one.
        if first.is_some() || self.first.set((generation, known.clone())).is_err() {
            self.later.store(Some(Arc::new((generation, known.clone()))));
        }
        known
    }
}

/// A key with its owner.
pub(super) type KeyFact = Arc<Owned>;

/// A key, and whose it is.
#[derive(Debug)]
pub(super) struct Owned {
    pub(super) key: ApiKey,
    pub(super) owner: UserFact,
    /// Last use that is written or about to be, Unix seconds.
    noted: AtomicI64,
    pub(super) memo: Memo,
}

impl Owned {
    /// A use at `now` is worth writing: the last one noted is a minute old.
    pub(super) fn note_use(&self, now: i64) -> bool {
        let noted = self.noted.load(Ordering::Relaxed);
        let due = now.saturating_sub(noted) >= 60;
        due && self.noted.compare_exchange(noted, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Facts by user name and by key digest.
#[derive(Debug)]
pub(super) struct FactCache {
    users: Cache<String, (u64, UserFact)>,
    keys: Cache<[u8; 32], (u64, KeyFact), UnitWeighter, Itself>,
}

impl FactCache {
    pub(super) fn new() -> FactCache {
        let (room, life) = (CAPACITY as u64, DefaultLifecycle::default());
        let keys = Cache::with(CAPACITY, room, UnitWeighter, Itself::default(), life);
        FactCache { users: Cache::new(CAPACITY), keys }
    }

    /// What is known of a user without asking the state; `None`: nothing.
    pub(super) fn known_user(&self, state: &dyn State, name: &str) -> Option<UserFact> {
        let version = state.version()?;
        self.users.get(name).filter(|(at, _)| *at == version).map(|(_, fact)| fact)
    }

    /// What is known of a key without asking the state; `None`: nothing.
    pub(super) fn known_key(&self, state: &dyn State, digest: &[u8; 32]) -> Option<KeyFact> {
        let version = state.version()?;
        self.keys.get(digest).filter(|(at, _)| *at == version).map(|(_, fact)| fact)
    }

    /// Asks the state for a user.
    pub(super) fn read_user(&self, state: &dyn State, name: &str) -> Result<UserFact, Error> {
        let before = state.version();
        let fact = state.user(name)?.map(Account::new).map(Arc::new);
        // A name that nobody has is not kept: strangers would fill the cache with them.
        if let (Some(version), Some(_)) = (unchanged(state, before), &fact) {
            self.users.insert(name.to_owned(), (version, fact.clone()));
        }
        Ok(fact)
    }

    /// Asks the state for a key and its owner.
    pub(super) fn read_key(&self, state: &dyn State, digest: &[u8; 32]) -> Result<Option<KeyFact>, Error> {
        let before = state.version();
        let Some(key) = state.api_key(digest)? else { return Ok(None) };
        let owner = state.user(&key.user)?.map(Account::new).map(Arc::new);
        let noted = AtomicI64::new(key.last_used_at.unwrap_or(i64::MIN));
        let fact = Arc::new(Owned { key, owner, noted, memo: Memo::default() });
        if let Some(version) = unchanged(state, before) {
            self.keys.insert(*digest, (version, Arc::clone(&fact)));
        }
        Ok(Some(fact))
    }
}

/// The version, where it was the same before and after a read: then what was read belongs to it.
fn unchanged(state: &dyn State, before: Option<u64>) -> Option<u64> {
    before.filter(|version| state.version() == Some(*version))
}
