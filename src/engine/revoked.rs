//! Which tokens are revoked, as this process knows it: all live entries of the state as keyed marks in memory, good at
//! one version of the state.
//!
//! A change in any process ends the version, and the next token then asks the state once, in a job, for what is new;
//! that is one look where nothing is. A token that was found clear notes at which version, so that the next time one
//! comparison answers. Where there are more entries than are kept in memory each token asks the state, once a version.
//!
//! A mark is 128 bits under keys of this process. Two names with one mark would have one of them refused for the other;
//! nobody can come in by it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::sync::{Mutex, PoisonError, RwLock, TryLockError};

use smallvec::SmallVec;

use crate::engine::verified::Token;
use crate::error::Error;
use crate::state::{By, KEPT, Mark, News, Revocation, State};

/// Entries kept in memory; less than 10 MiB.
const MOST: usize = 200_000;

/// The revocations that one process knows.
#[derive(Debug)]
pub(super) struct Revoked {
    keys: [RandomState; 2],
    most: usize,
    live: RwLock<Live>,
    /// Held by whoever asks the state for news, so that it is asked once.
    asking: Mutex<()>,
}

#[derive(Debug, Default)]
struct Live {
    /// The version of the state of which this is all; `None`: of none.
    version: Option<u64>,
    mark: Option<Mark>,
    entries: HashMap<u128, Hit, BuildHasherDefault<AsItIs>>,
    /// Some go by a digest of the claims, which is computed only for their sake.
    by_claims: bool,
    /// There are more than are kept: nothing is known here.
    too_many: bool,
}

/// Unix seconds; `i64::MAX` in both: without a limit.
#[derive(Clone, Copy, Debug)]
struct Hit {
    before: i64,
    ends_at: i64,
}

/// What a token is revoked by.
pub(super) type Names<'t> = SmallVec<[(By, Cow<'t, str>); 4]>;

impl Revoked {
    /// What the state says now.
    pub(super) fn read(state: &dyn State) -> Result<Revoked, Error> {
        Revoked::bounded(state, MOST)
    }

    fn bounded(state: &dyn State, most: usize) -> Result<Revoked, Error> {
        let keys = [RandomState::new(), RandomState::new()];
        let revoked = Revoked { keys, most, live: RwLock::default(), asking: Mutex::default() };
        revoked.refresh(state)?;
        Ok(revoked)
    }

    /// By what this token is revoked, if at all, without asking the state; `None`: that is not known. Waits for nobody.
    pub(super) fn known(&self, state: &dyn State, token: &Token) -> Option<Option<By>> {
        let version = state.version()?;
        if token.is_clear_at(version) {
            return Some(None);
        }
        let live = match self.live.try_read() {
            Ok(live) => live,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        self.verdict(&live, version, token)
    }

    /// The same; asks the state where it must. Every answer is younger than the call.
    pub(super) fn ask(&self, state: &dyn State, token: &Token) -> Result<Option<By>, Error> {
        let version = state.version();
        self.refresh(state)?;
        if let Some(version) = version {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(verdict) = self.verdict(&live, version, token) {
                return Ok(verdict);
            }
        }
        // A change is being written, or there are too many to know.
        let names = token.names(true);
        let names: SmallVec<[(By, &str); 4]> = names.iter().map(|(by, name)| (*by, name.as_ref())).collect();
        let found = state.revocation(&token.issuer(), &names, token.verified.issued_at())?;
        if let (None, Some(version)) = (&found, version)
            && state.version() == Some(version)
        {
            token.note_clear(version);
        }
        Ok(found.map(|found| found.by))
    }

    /// Housekeeping: forgets what is over, here and in the state.
    pub(super) fn sweep(&self, state: &dyn State, now: i64) -> Result<(), Error> {
        state.sweep_revocations(now)?;
        let over = now.saturating_sub(KEPT);
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        live.entries.retain(|_, hit| hit.ends_at > over);
        // There may be few enough by now.
        if std::mem::take(&mut live.too_many) {
            *live = Live::default();
            drop(live);
            self.refresh(state)?;
        }
        Ok(())
    }

    /// Asks the state for what is new.
    fn refresh(&self, state: &dyn State) -> Result<(), Error> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state.version();
        let mark = {
            let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
            if live.too_many || (before.is_some() && live.version == before) {
                return Ok(());
            }
            live.mark
        };
        let news = state.revocations_since(mark, self.most)?;
        // What was read is good at a version that was the same before and after.
        let version = before.filter(|version| state.version() == Some(*version));
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        self.take(&mut live, news);
        live.version = version.filter(|_| !live.too_many);
        Ok(())
    }

    fn take(&self, live: &mut Live, news: News) {
        if news.whole {
            *live = Live::default();
        }
        if news.too_many || live.entries.len().saturating_add(news.entries.len()) > self.most {
            *live = Live { too_many: true, ..Live::default() };
            return;
        }
        live.mark = news.mark;
        for Revocation { by, issuer, name, before, ends_at, .. } in &news.entries {
            live.by_claims |= *by == By::Claims;
            let new = Hit { before: before.unwrap_or(i64::MAX), ends_at: ends_at.unwrap_or(i64::MAX) };
            let hit = live.entries.entry(self.mark(*by, issuer, name)).or_insert(new);
            *hit = Hit { before: hit.before.max(new.before), ends_at: hit.ends_at.max(new.ends_at) };
        }
    }

    /// What is known at this version; `None`: nothing.
    fn verdict(&self, live: &Live, version: u64, token: &Token) -> Option<Option<By>> {
        if live.version != Some(version) {
            return None;
        }
        if live.entries.is_empty() {
            token.note_clear(version);
            return Some(None);
        }
        let (issuer, issued_at) = (token.issuer(), token.verified.issued_at());
        let hits = |(by, name): &(By, Cow<'_, str>)| {
            let hit = live.entries.get(&self.mark(*by, &issuer, name));
            hit.is_some_and(|hit| issued_at.is_none_or(|at| at < hit.before))
        };
        let found = token.names(live.by_claims).iter().find(|name| hits(name)).map(|(by, _)| *by);
        if found.is_none() {
            token.note_clear(version);
        }
        Some(found)
    }

    fn mark(&self, by: By, issuer: &str, name: &str) -> u128 {
        let [high, low] = self.keys.each_ref().map(|key| key.hash_one((by.number(), issuer, name)));
        u128::from(high) << 64 | u128::from(low)
    }
}

/// Marks are as good as random already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only marks come here, by the next one.
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, mark: u128) {
        self.0 = mark as u64;
    }
}

#[cfg(test)]
mod tests;
