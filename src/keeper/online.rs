//! Keys over the network: one process asks for all that share the state, the others read what it brought.
//!
//! What is asked for is a document. It lies in the state as it came, under a name that says who asks for it and what it
//! is held against. Its keys are believed for `refresh` and `stale` seconds after it was last confirmed, and then not any
//! more, whatever the reason for the silence.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{Desk, What, document};
use crate::crypto::key::{KeySet, MAX_CANDIDATES};
use crate::crypto::random;
use crate::error::Error;
use crate::fetch::Fetch;
use crate::policy::model::{Asked, Issuer, KeySource};
use crate::state::{Claim, Ended, Fetched, Fetching, State};
use crate::token::Wishes;

/// Seconds for which whoever fetches keeps the others off: longer than any attempt takes.
const LEASE: i64 = 60;
/// Seconds between two questions that are asked before they are due.
const EARLY: i64 = 60;
/// Seconds after which a name that nobody has may be asked for again.
const FORGET: i64 = 300;
/// Seconds after a first failure, doubled with each further one, up to the second.
const BACKOFF: (i64, i64) = (2, 300);
/// The least seconds from one question to the next, whatever the server says.
const LEAST: i64 = 60;
/// In `until`: there are no keys.
const NONE: i64 = i64::MIN;

/// One source that is asked over the network.
#[derive(Debug)]
pub(super) struct Online {
    /// Its name in the state.
    name: String,
    /// Until when its keys are believed, Unix seconds.
    until: AtomicI64,
    known: Mutex<Known>,
}

/// What this process knows of it.
#[derive(Debug, Default)]
struct Known {
    /// The document whose keys are in force.
    document: Option<Fetched>,
    /// When the state is to be looked into again, Unix seconds, and at which version that was done last.
    next_look: i64,
    version: Option<u64>,
    /// So many wishes were seen to, and since when there are others.
    wishes: u64,
    wished_at: Option<i64>,
    /// When the names in them were forgotten last.
    forgot_at: i64,
    /// A failure was told of, and not yet its end.
    failing: bool,
    /// The document in the state that cannot be put in force, beside which keys of other sources, and why.
    refused: Option<(Fetched, u64, String)>,
    /// Why, as it was told last; and what was told of a document that is in force.
    told: Option<String>,
    warned: Option<String>,
}

impl Online {
    pub fn new(issuer: &Issuer, source: &KeySource, asked: &Asked, strict: bool) -> Online {
        let mut digest = Sha256::new();
        // What differs in anything that the document is held against is another document.
        let mut add = |part: &[u8]| {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        };
        add(issuer.issuer.as_bytes());
        add(document::address(issuer, source).as_bytes());
        add(&[u8::from(matches!(source, KeySource::Discovery { .. })), u8::from(strict)]);
        add(asked.authorities.as_ref().map_or(&b""[..], |authorities| authorities.pem.as_bytes()));
        issuer.algorithms.iter().for_each(|algorithm| add(algorithm.name().as_bytes()));
        let name = HEXLOWER.encode(&digest.finalize());
        Online { name, until: AtomicI64::new(NONE), known: Mutex::default() }
    }

    /// It is the same document as the other's.
    pub fn is_same(&self, other: &Online) -> bool {
        self.name == other.name
    }

    /// It has keys that are believed.
    pub fn has_keys(&self) -> bool {
        self.until.load(Ordering::Relaxed) != NONE
    }

    /// Seconds since its document was last confirmed; `None`: it has no keys.
    pub fn age(&self, desk: &Desk<'_>) -> Option<i64> {
        let until = self.until.load(Ordering::Relaxed);
        let confirmed = until.saturating_sub(desk.asked.refresh).saturating_sub(desk.asked.stale);
        (until != NONE).then(|| desk.now.saturating_sub(confirmed).max(0))
    }

    /// Takes away keys that nobody confirmed for too long. Cheap, and never waits.
    pub fn expire(&self, desk: &Desk<'_>) -> Option<What> {
        let until = self.until.load(Ordering::Relaxed);
        if until == NONE || desk.now <= until || self.until.swap(NONE, Ordering::Relaxed) == NONE {
            return None;
        }
        desk.ring.put(desk.watch.issuer, desk.watch.source, None).ok()?;
        self.believe(desk, NONE);
        Some(What::Expired(format!(
            "{}: no good answer came for so long that its keys are not believed any more; tokens are refused with 503 until \
             one comes. Look at the address, the network and the server",
            desk.address()
        )))
    }

    /// Takes over what the state holds already, and else what was in force before a reload. Fetches nothing.
    pub fn begin(&self, desk: &Desk<'_>, state: &dyn State, before: Option<(&Online, KeySet)>) -> Result<(), Error> {
        let mut known = self.lock();
        if let Some(good) = state.fetching(&self.name)?.and_then(|fetching| fetching.good)
            // Where it cannot be used it is asked for anew, and then told of.
            && self.apply(desk, &mut known, good).is_ok_and(|what| what.is_some())
        {
            return Ok(());
        }
        if let Some((before, keys)) = before
            && desk.ring.put(desk.watch.issuer, desk.watch.source, Some(keys)).is_ok()
        {
            self.believe(desk, before.until.load(Ordering::Relaxed));
        }
        Ok(())
    }

    /// Looks into the state where that may bring something, and fetches where it is this process's turn. Does nothing
    /// where another thread is at it.
    pub fn look(
        &self,
        desk: &Desk<'_>,
        state: &dyn State,
        fetch: Option<&Fetch>,
        told: &mut dyn FnMut(What),
    ) -> Result<(), Error> {
        let mut known = match self.known.try_lock() {
            Ok(known) => known,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(()),
        };
        let held = desk.ring.held(desk.watch.issuer);
        let wishes = held.as_ref().and_then(|held| held.wishes());
        known.see(wishes, desk.now);
        let version = state.version();
        // What could not stand beside other keys may stand beside those that are there now.
        let beside = desk.ring.epoch(desk.watch.issuer);
        let is_mended = known.refused.as_ref().is_some_and(|(_, epoch, _)| *epoch != beside);
        let may_be_new = is_mended || version.is_none() || version != known.version || known.wished_at.is_some();
        if !may_be_new && desk.now < known.next_look {
            return Ok(());
        }
        let fetching = state.fetching(&self.name)?;
        known.version = version;
        if let Some(fetching) = &fetching {
            // What cannot be used stays so, however often the state changes.
            match self.follow(desk, &mut known, fetching) {
                Err(why) if known.told.as_ref() != Some(&why) => {
                    known.told = Some(why.clone());
                    told(What::Failed(why));
                }
                Ok(Some(_)) if known.told.take().is_some() => told(What::Recovered),
                _ => {}
            }
            known.is_answered(fetching, wishes);
            known.next_look = fetching.due_at;
            if !fetching.is_due(desk.now)
                && known.early(fetching).is_none_or(|gap| desk.now < fetching.early_at.saturating_add(gap))
            {
                return Ok(());
            }
        }
        match fetch {
            Some(fetch) => {
                let early = known.early(&fetching.unwrap_or_default());
                self.take_turn(desk, &mut known, state, fetch, early, wishes, told)
            }
            None => Ok(()),
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one caller, which is the first half of this")]
    fn take_turn(
        &self,
        desk: &Desk<'_>,
        known: &mut Known,
        state: &dyn State,
        fetch: &Fetch,
        early: Option<i64>,
        wishes: Option<&Wishes>,
        told: &mut dyn FnMut(What),
    ) -> Result<(), Error> {
        let now = desk.now;
        let about = format!("{} {}", desk.issuer.issuer, desk.address());
        let holder = i64::from_le_bytes(random::bytes::<8>()?);
        let claim = Claim { about: &about, now, seconds: LEASE, holder, early };
        let (is_mine, fetching) = state.claim_fetch(&self.name, &claim)?;
        if !is_mine {
            // Somebody else is at it: what they bring is seen by the state's version, or in a second.
            known.next_look = now.saturating_add(1);
            return Ok(());
        }
        let seen = wishes.map_or(0, Wishes::count);
        let brought = document::bring(desk, fetching.good.as_ref(), fetch);
        known.wishes = seen;
        known.wished_at = None;
        match brought {
            Err(why) => {
                let due_at = now.saturating_add(backoff(fetching.failures)?);
                state.end_fetch(&self.name, holder, now, due_at, &Ended::Failed)?;
                known.next_look = due_at;
                known.failing = true;
                known.told = Some(why.clone());
                told(What::Failed(why));
            }
            Ok((ended, max_age)) => {
                let due_at = now.saturating_add(interval(desk.asked, max_age)?);
                let fetching = state.end_fetch(&self.name, holder, now, due_at, &ended)?;
                known.next_look = due_at;
                let what = self.follow(desk, known, &fetching);
                let recovered = std::mem::take(&mut known.failing);
                known.told = what.as_ref().err().cloned();
                told(match what {
                    Err(why) => What::Failed(why),
                    Ok(Some(What::Changed { added, removed })) if !(added.is_empty() && removed.is_empty()) => {
                        What::Changed { added, removed }
                    }
                    Ok(_) if recovered => What::Recovered,
                    Ok(_) => What::Same,
                });
                let warning = warning(desk);
                if warning.is_some() && warning != known.warned {
                    told(What::Warned(warning.clone().unwrap_or_default()));
                }
                known.warned = warning;
            }
        }
        Ok(())
    }

    /// Fetches for this process alone where it has no keys, and leaves no trace in the state.
    pub fn fetch_alone(&self, desk: &Desk<'_>, fetch: &Fetch) -> Result<(), String> {
        if self.has_keys() {
            return Ok(());
        }
        match document::bring(desk, None, fetch)?.0 {
            Ended::Good { body: Some(body), location, etag } => {
                let good = Fetched { body, location, etag, confirmed_at: desk.now, revision: 0 };
                self.apply(desk, &mut self.lock(), good).map(drop)
            }
            Ended::Good { body: None, .. } | Ended::Failed => Err("no document came".into()),
        }
    }

    /// Takes over what the state says.
    fn follow(&self, desk: &Desk<'_>, known: &mut Known, fetching: &Fetching) -> Result<Option<What>, String> {
        let Some(good) = &fetching.good else { return Ok(None) };
        match &mut known.document {
            Some(document) if self.has_keys() && document.revision == good.revision && document.body == good.body => {
                document.clone_from(good);
                self.believe(desk, until(good, desk));
                Ok(None)
            }
            _ => {
                let beside = desk.ring.epoch(desk.watch.issuer);
                if let Some((document, epoch, why)) = &known.refused
                    && (document.revision, &document.body, *epoch) == (good.revision, &good.body, beside)
                {
                    return Err(why.clone());
                }
                let applied = self.apply(desk, known, good.clone());
                known.refused = applied.as_ref().err().map(|why| (good.clone(), beside, why.clone()));
                applied
            }
        }
    }

    /// Puts the keys of a document in force. `None`: it is too old to be believed.
    fn apply(&self, desk: &Desk<'_>, known: &mut Known, good: Fetched) -> Result<Option<What>, String> {
        let until = until(&good, desk);
        if desk.now > until {
            return Ok(None);
        }
        let what = super::replace(desk.ring, desk.watch, document::keys(desk, &good.body)?)?;
        self.believe(desk, until);
        known.document = Some(good);
        if let Some(held) = desk.ring.held(desk.watch.issuer)
            && let Some(wishes) = held.wishes()
        {
            // Whoever still misses a key may say so again.
            known.wishes = wishes.count();
            known.wished_at = None;
            wishes.forget();
        }
        Ok(Some(what))
    }

    /// Notes until when its keys are believed, also for decisions: no housekeeping may come by in time.
    fn believe(&self, desk: &Desk<'_>, until: i64) {
        self.until.store(until, Ordering::Relaxed);
        desk.ring.believe(desk.watch.issuer, desk.watch.source, if until == NONE { i64::MAX } else { until });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Notes whether keys are wished for that are not there.
    fn see(&mut self, wishes: Option<&Wishes>, now: i64) {
        let Some(wishes) = wishes else { return };
        if now < self.forgot_at || now >= self.forgot_at.saturating_add(FORGET) {
            self.forgot_at = now;
            wishes.forget();
        }
        if wishes.count() != self.wishes && self.wished_at.is_none() {
            self.wished_at = Some(now);
        }
    }

    /// Another process has asked since: what is still missing is not there.
    fn is_answered(&mut self, fetching: &Fetching, wishes: Option<&Wishes>) {
        let confirmed = fetching.good.as_ref().map(|good| good.confirmed_at);
        if let (Some(wished), Some(confirmed), Some(wishes)) = (self.wished_at, confirmed, wishes)
            && confirmed > wished
        {
            self.wishes = wishes.count();
            self.wished_at = None;
        }
    }

    /// It may be asked before it is due, so many seconds after that was done last. Not while it does not answer.
    fn early(&self, fetching: &Fetching) -> Option<i64> {
        (self.wished_at.is_some() && fetching.failures == 0).then_some(EARLY)
    }
}

/// What the operator should know of the keys in force.
fn warning(desk: &Desk<'_>) -> Option<String> {
    let held = desk.ring.held(desk.watch.issuer)?;
    let mut all: Vec<String> = held.source(desk.watch.source)?.warnings().to_vec();
    all.extend(held.keys.crowded().map(|(algorithm, count)| {
        format!(
            "makes {count} keys without kid for {}, of which {MAX_CANDIDATES} are tried for a token",
            algorithm.name()
        )
    }));
    let told = |all: &[String]| format!("the set of {} {}; ask its publisher", desk.address(), all.join("; it "));
    (!all.is_empty()).then(|| told(&all))
}

/// Until when the keys of a document are believed.
fn until(good: &Fetched, desk: &Desk<'_>) -> i64 {
    // By no clock that was ahead.
    good.confirmed_at.min(desk.now).saturating_add(desk.asked.refresh).saturating_add(desk.asked.stale)
}

/// Seconds to the next question: `refresh`, or less where the server says so; up to a tenth less, so that not all
/// installations ask at once.
fn interval(asked: &Asked, max_age: Option<i64>) -> Result<i64, Error> {
    let whole = max_age.map_or(asked.refresh, |age| asked.refresh.min(age.max(LEAST)));
    Ok(whole.saturating_sub(drawn(whole / 10)?).max(LEAST / 2))
}

/// Seconds to the next attempt after so many failures before this one; up to a quarter more.
fn backoff(failures: u32) -> Result<i64, Error> {
    let (first, most) = BACKOFF;
    let whole = first.checked_shl(failures.min(20)).unwrap_or(most).min(most);
    Ok(whole.saturating_add(drawn(whole / 4)?))
}

/// A random number from 0 to `most`.
fn drawn(most: i64) -> Result<i64, Error> {
    let wide = i64::from(u32::from_le_bytes(random::bytes::<4>()?));
    Ok(wide.checked_rem(most.saturating_add(1)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_can_ask_for_more_questions_but_neither_for_fewer_nor_for_a_flood() {
        let asked = Asked { refresh: 600, stale: 0, authorities: None };
        for (max_age, most) in [(None, 600), (Some(300), 300), (Some(5), 60), (Some(86_400), 600)] {
            for _ in 0..200 {
                let seconds = interval(&asked, max_age).unwrap();
                assert!(seconds <= most && seconds >= most * 9 / 10, "{max_age:?}: {seconds}");
            }
        }
    }

    #[test]
    fn each_failure_doubles_the_wait_up_to_an_end() {
        for (failures, least) in [(0, 2), (1, 4), (2, 8), (7, 256), (8, 300), (20, 300), (4_000_000_000, 300)] {
            for _ in 0..200 {
                let seconds = backoff(failures).unwrap();
                assert!((least..=least * 5 / 4).contains(&seconds), "{failures}: {seconds}");
            }
        }
    }
}
