//! Counting failures of guessable secrets. A place is reserved before any work and given back on success, so that parallel
//! attempts can never exceed a limit.
//!
//! **Several processes** of one state file share what has failed and who has succeeded (`shared`), and each has its own
//! places. So together they may try more at once than a limit has left, but whoever comes to an end looks once more: where
//! as many have failed meanwhile, right or wrong, it hears that the counter is full and learns nothing, as if it had come
//! after them. What is right takes nothing from anybody, so that those who come to several processes at once all get in.
//!
//! No name and no address is kept: counters are found by a hash under a random key of this process, or of the state, which
//! also keeps anybody from choosing names that fall together. Where two do by chance (here once in some thousand million
//! full tables; in the shared one, which keeps fewer bits of it, sooner) they share a counter, which is too strict, or the
//! one is taken to have succeeded like the other, and answers to its pair alone. One lock guards all counters, so that an
//! attempt takes its places in all of them or in none; it is held for about a microsecond, or for some while a full shared
//! table is looked through, where checking a password takes some ten thousand. A child after fork makes its own: another
//! thread of the parent may have held the lock.
//!
//! Where nobody has failed lately, and so most of the time, no counter is asked: that costs one look at their number.

mod lately;
mod shared;
mod subject;
mod table;
#[cfg(test)]
mod tests;
mod together;
mod twins;

use std::cell::Cell;
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use once_cell::race::OnceBox;
use smallvec::SmallVec;

pub use self::lately::Lately;
pub use self::shared::Shared;
use self::subject::{Ends, KINDS, Keys, Others, Subject};
use self::table::{Key, Table};
use self::twins::Number;
pub use self::twins::Twins;
use crate::crypto::sip::{Itself, Sip};
use crate::policy::model::{Limit, ThrottleRules};
use crate::request::Peer;

/// Most counters; with a time or two each about 30 MiB.
const COUNTERS: usize = 200_000;
/// Most failures remembered in all counters together: 32 MiB.
const TIMES: usize = 2_000_000;
/// Most pairs of account and address remembered as having succeeded: about 6 MiB.
const SUCCESSES: usize = 100_000;
/// How long a success is remembered, seconds: 30 days.
const REMEMBERED: i64 = 30 * 24 * 60 * 60;

/// The counters of one process.
#[derive(Debug, Default)]
pub struct Throttle {
    hasher: OnceBox<Sip>,
    /// Others have the same.
    is_keyed: bool,
    /// What all processes count together.
    shared: OnceLock<Arc<Shared>>,
    counts: Mutex<Counts>,
    /// How many counters of failures there are, for a look without the lock.
    counters: AtomicUsize,
}

/// What is attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// A secret of this account (canonical name, existing or not): keys account, address, prefix, pair.
    Account(&'a str),
    /// A look-up that needs no account: keys address and prefix.
    Lookup,
}

/// A place taken in every counter that the attempt falls under. Dropped, it stays taken.
#[derive(Debug)]
#[must_use = "give it back on success, keep it on failure"]
pub struct Place {
    wanted: Wants,
    /// There are places in all of these; otherwise in none.
    taken: bool,
    /// Since when, Unix seconds.
    since: i64,
    number: Number,
    keys: Keys,
    /// Its twins hold all places that there are, and it has none. It may share what comes of theirs, if that is good.
    crowded: Option<Full>,
    /// It was right, and has ended: nothing is left to be given back or looked for.
    ended: Cell<bool>,
}

/// Refused: seconds until the next attempt has a chance, at least 1, and which counter is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// For `Retry-After`.
    pub retry_after: u32,
    /// `account`, `address`, `prefix` or `pair`.
    pub counter: &'static str,
    /// It is full only as long as other attempts are under way, which may turn out right.
    pub under_way: bool,
}

impl Throttle {
    /// For attempts that will be equal.
    pub fn twins(&self) -> Twins {
        Twins::new(self.counts().number())
    }

    /// Takes a place or says how long to wait. Takes none where any counter is full.
    pub fn reserve(&self, rules: &ThrottleRules, attempt: Attempt<'_>, peer: Peer, now: i64) -> Result<Place, Full> {
        let keys = self.subject(attempt, peer)?.keys();
        let mut counts = self.counts();
        counts.failures.make_room(KINDS, now);
        let wanted = counts.wanted_of(rules, &keys, now);
        counts.check(&wanted, now)?;
        let number = counts.number();
        counts.take(&wanted, number, now);
        Ok(Place { wanted, taken: true, since: now, number, keys, crowded: None, ended: Cell::new(false) })
    }

    /// As [`Throttle::reserve`] for one of several equal attempts. Where only the places of its twins fill a counter it
    /// is let in without one: they are one guess, and their places answer for it. Before work is done for it, it must
    /// [`Throttle::claim`] one.
    pub fn reserve_among(
        &self,
        rules: &ThrottleRules,
        attempt: Attempt<'_>,
        peer: Peer,
        now: i64,
        twins: &Twins,
    ) -> Result<Place, Full> {
        let keys = self.subject(attempt, peer)?.keys();
        let mut counts = self.counts();
        counts.failures.make_room(KINDS, now);
        let wanted = counts.wanted_of(rules, &keys, now);
        counts.check_besides(&wanted, twins, now)?;
        let mut place = Place {
            wanted,
            taken: false,
            since: now,
            number: twins.number,
            keys,
            crowded: None,
            ended: Cell::new(false),
        };
        if twins.joint().right {
            return Ok(place);
        }
        place.crowded = counts.check(&place.wanted, now).err();
        if place.crowded.is_none() {
            counts.take_among(&mut place, twins, now);
        }
        Ok(place)
    }

    /// Takes a place for an attempt that has none because of its twins, also over the limit: they may be gone before the
    /// work is done, and work without a place would be a guess that nobody counts.
    pub fn claim(&self, rules: &ThrottleRules, place: &mut Place, twins: &Twins, now: i64) -> Result<(), Full> {
        if place.crowded.is_none() || place.taken {
            return Ok(());
        }
        let mut counts = self.counts();
        counts.failures.make_room(KINDS, now);
        let wanted = counts.wanted_of(rules, &place.keys, now);
        counts.check_besides(&wanted, twins, now)?;
        place.wanted = wanted;
        counts.take_among(place, twins, now);
        Ok(())
    }

    /// The secret of these was right: all their places are given back at once and they take no more, so that none of
    /// them, nor anybody who comes with it from now on, is refused for the sake of one that has not ended yet. Each of
    /// them still says [`Throttle::succeeded`].
    pub fn right(&self, twins: &Twins) {
        let mut counts = self.counts();
        let mut shared = twins.joint();
        shared.right = true;
        for key in std::mem::take(&mut shared.taken) {
            counts.failures.give_back(key, twins.number);
        }
    }

    /// What [`Throttle::reserve`] and then [`Throttle::succeeded`] do, for a secret that is known to be right. `lately`
    /// belongs to the account: where nobody has failed and the same was told a moment ago, that is all there is to do.
    pub fn passed(
        &self,
        rules: &ThrottleRules,
        attempt: Attempt<'_>,
        peer: Peer,
        now: i64,
        lately: &Lately,
    ) -> Result<(), Full> {
        let ends = Ends::of(peer);
        if lately.is(&ends, now) && self.is_idle(rules, now) {
            return Ok(());
        }
        let subject = self.subject(attempt, peer)?;
        let pair = subject.pair();
        let mut counts = self.counts();
        if !self.is_empty(counts.failures.counters(), now) || refuse_all(rules) {
            counts.failures.make_room(KINDS, now);
            let wanted = counts.wanted(rules, pair, || subject.others(), now);
            counts.check(&wanted, now)?;
            for wanted in &wanted {
                counts.failures.renew(wanted.key, wanted.limit, now);
            }
        }
        pair.into_iter().for_each(|pair| counts.remember(pair, now));
        lately.note(&ends, now);
        Ok(())
    }

    /// Nobody has failed lately, and no limit refuses everybody.
    fn is_idle(&self, rules: &ThrottleRules, now: i64) -> bool {
        self.is_empty(self.counters.load(Ordering::Acquire), now) && self.hasher.get().is_some() && !refuse_all(rules)
    }

    /// Nothing is counted anywhere; so many counters are there in this process.
    fn is_empty(&self, counters: usize, now: i64) -> bool {
        counters == 0 && self.shared.get().is_none_or(|shared| shared.is_empty(now))
    }

    /// The same answer without taking a place: for `gatepost decide`, which leaves no trace.
    pub fn peek(&self, rules: &ThrottleRules, attempt: Attempt<'_>, peer: Peer, now: i64) -> Result<(), Full> {
        if self.is_idle(rules, now) {
            return Ok(());
        }
        let subject = self.subject(attempt, peer)?;
        let pair = subject.pair();
        let counts = self.counts();
        counts.check(&counts.wanted(rules, pair, || subject.others(), now), now)
    }

    /// The secret was right: the place is given back and the pair is remembered for 30 days. An error where others have
    /// filled a counter since: then that is the answer.
    pub fn succeeded(&self, place: Place, now: i64) -> Result<(), Full> {
        let mut counts = self.counts();
        counts.give_back(&place);
        counts.succeed(&place, now)
    }

    /// Nothing was tried (cancelled before the work): the place is given back.
    pub fn abandoned(&self, place: Place) {
        self.counts().give_back(&place);
    }

    /// The secret was wrong: the place stays taken for its window. An error where the attempt was one too many among its
    /// twins, or others have filled a counter since: then that is the answer, as it would have been had they come one
    /// after the other.
    pub fn failed(&self, place: Place, now: i64) -> Result<(), Full> {
        let mut counts = self.counts();
        // It was right, and the account disabled meanwhile: it takes a place once more.
        place.ended.set(false);
        if place.taken {
            counts.fail(&place, now)?;
        } else {
            counts.check_again(&place, now)?;
        }
        place.crowded.map_or(Ok(()), Err)
    }

    /// Forgets what is over; housekeeping.
    pub fn sweep(&self, now: i64) {
        if let Some(shared) = self.shared.get() {
            shared.sweep(now);
        }
        let mut counts = self.counts();
        counts.failures.sweep(now);
        counts.successes.retain(|_, time| is_remembered(*time, now));
    }

    /// What an attempt is counted under. Without randomness nothing could be counted safely, so everything is refused.
    fn subject<'a>(&'a self, attempt: Attempt<'a>, peer: Peer) -> Result<Subject<'a>, Full> {
        let hasher = self.hasher.get_or_try_init(|| Sip::draw().map(Box::new)).map_err(|_| Full {
            retry_after: 1,
            counter: "address",
            under_way: false,
        })?;
        let account = match attempt {
            Attempt::Account(name) => Some(name),
            Attempt::Lookup => None,
        };
        Ok(Subject { hasher, account, ends: Ends::of(peer) })
    }

    /// A thread that panicked with the lock held leaves numbers behind that are at worst one place too strict.
    fn counts(&self) -> Locked<'_> {
        Locked { counts: self.counts.lock().unwrap_or_else(PoisonError::into_inner), counters: &self.counters }
    }
}

/// The counts, of which others learn how many counters there are before they are let go.
struct Locked<'a> {
    counts: MutexGuard<'a, Counts>,
    counters: &'a AtomicUsize,
}

impl Deref for Locked<'_> {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        &self.counts
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Counts {
        &mut self.counts
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.counters.store(self.counts.failures.counters(), Ordering::Release);
    }
}

#[derive(Debug)]
struct Counts {
    failures: Table,
    /// When a pair last succeeded.
    successes: HashMap<Key, i64, Itself>,
    /// Numbers the attempts.
    attempts: u64,
}

impl Default for Counts {
    fn default() -> Counts {
        Counts { failures: Table::new(COUNTERS, TIMES), successes: HashMap::default(), attempts: 0 }
    }
}

/// A counter that an attempt does fall under.
#[derive(Clone, Debug)]
struct Wanted {
    name: &'static str,
    key: Key,
    limit: Limit,
}

type Wants = SmallVec<[Wanted; KINDS]>;

impl Counts {
    fn number(&mut self) -> Number {
        self.attempts = self.attempts.wrapping_add(1);
        Number(self.attempts)
    }

    fn take(&mut self, wanted: &[Wanted], number: Number, now: i64) {
        for wanted in wanted {
            self.failures.take(wanted.key, wanted.limit, number, now);
        }
    }

    fn take_among(&mut self, place: &mut Place, twins: &Twins, now: i64) {
        self.take(&place.wanted, twins.number, now);
        twins.joint().taken.extend(place.wanted.iter().map(|wanted| wanted.key));
        (place.taken, place.since) = (true, now);
    }

    /// What counts here: all keys that have a limit, or the pair alone where it has lately succeeded, so that strangers
    /// who fail cannot lock the owner out. Where pairs have no limit there would be nothing left to count, and the
    /// others count for everybody.
    fn wanted(&self, rules: &ThrottleRules, pair: Option<Key>, others: impl FnOnce() -> Others, now: i64) -> Wants {
        let known = rules.pair.is_some() && pair.is_some_and(|pair| self.has_succeeded(pair, now));
        let [account, address, prefix] = if known { Others::default() } else { others() };
        let all = [
            ("account", account, rules.account),
            ("address", address, rules.address),
            ("prefix", prefix, rules.prefix),
            ("pair", pair, rules.pair),
        ];
        all.into_iter().filter_map(|(name, key, limit)| Some(Wanted { name, key: key?, limit: limit? })).collect()
    }

    fn has_succeeded(&self, pair: Key, now: i64) -> bool {
        let is_remembered = |time: i64| is_remembered(time, now);
        self.successes.get(&pair).is_some_and(|time| is_remembered(*time))
            || self.failures.shared().and_then(|shared| shared.success(pair, now)).is_some_and(is_remembered)
    }

    fn wanted_of(&self, rules: &ThrottleRules, keys: &Keys, now: i64) -> Wants {
        self.wanted(rules, keys.pair, || keys.others, now)
    }

    /// The longest wait where any of them is full: before that, another attempt has no chance.
    fn check(&self, wanted: &[Wanted], now: i64) -> Result<(), Full> {
        self.check_all(wanted, None, now, |_| true)
    }

    /// As [`Counts::check`], as if these had taken no place.
    fn check_besides(&self, wanted: &[Wanted], twins: &Twins, now: i64) -> Result<(), Full> {
        self.check_all(wanted, Some(twins.number), now, |_| true)
    }

    /// At the end of an attempt: whether failures of other processes have filled a counter since it took its place.
    fn check_again(&self, place: &Place, now: i64) -> Result<(), Full> {
        if self.failures.shared().is_none() {
            return Ok(());
        }
        self.check_all(&place.wanted, Some(place.number), now, |full| !full.under_way)
    }

    /// The attempt has failed. It is told first, and looked for others then: of two that do so at once at least one sees
    /// the other. Where both do, they take it back and try once more, lest neither counts; at last they count as none.
    fn fail(&mut self, place: &Place, now: i64) -> Result<(), Full> {
        for last in [false, false, false, true] {
            let told: SmallVec<[Key; KINDS]> = place
                .wanted
                .iter()
                .filter(|wanted| self.failures.fail(wanted.key, place.number, wanted.limit, place.since, now))
                .map(|wanted| wanted.key)
                .collect();
            let Err(full) = self.check_again(place, now) else { return Ok(()) };
            for key in told {
                self.failures.take_back(key, place.number);
            }
            if last || self.check_again(place, now).is_err() {
                self.give_back(place);
                return Err(full);
            }
        }
        Ok(())
    }

    fn check_all(
        &self,
        wanted: &[Wanted],
        besides: Option<Number>,
        now: i64,
        counts: impl Fn(&Full) -> bool,
    ) -> Result<(), Full> {
        let full = wanted.iter().filter_map(|wanted| {
            let wait = self.failures.wait(wanted.key, wanted.limit, besides, now)?;
            Some(Full { retry_after: wait.seconds, counter: wanted.name, under_way: !wait.by_failures })
        });
        full.filter(counts).max_by_key(|full| full.retry_after).map_or(Ok(()), Err)
    }

    /// Remembers the pair, unless others have filled a counter.
    fn succeed(&mut self, place: &Place, now: i64) -> Result<(), Full> {
        if !place.ended.get() {
            self.check_again(place, now)?;
            place.keys.pair.into_iter().for_each(|pair| self.remember(pair, now));
        }
        Ok(())
    }

    fn give_back(&mut self, place: &Place) {
        for wanted in place.wanted.iter().filter(|_| place.taken && !place.ended.get()) {
            self.failures.give_back(wanted.key, place.number);
        }
    }

    /// Remembers a success; the oldest are forgotten where there are too many.
    fn remember(&mut self, pair: Key, now: i64) {
        if let Some(shared) = self.failures.shared() {
            shared.succeeded(pair, now);
        }
        if self.successes.len() >= SUCCESSES && !self.successes.contains_key(&pair) {
            self.successes.retain(|_, time| is_remembered(*time, now));
        }
        if self.successes.len() >= SUCCESSES && !self.successes.contains_key(&pair) {
            let mut times: Vec<i64> = self.successes.values().copied().collect();
            let (_, middle, _) = times.select_nth_unstable(SUCCESSES / 16);
            let cut = *middle;
            // Everything older goes; of those of the same second as many as make up the share.
            let older = self.successes.values().filter(|time| **time < cut).count();
            let mut room = (SUCCESSES / 16).saturating_sub(older);
            self.successes.retain(|_, time| {
                let keep = *time > cut || (*time == cut && room == 0);
                room -= usize::from(!keep && *time == cut);
                keep
            });
        }
        self.successes.insert(pair, now);
    }
}

fn is_remembered(time: i64, now: i64) -> bool {
    now.saturating_sub(time) < REMEMBERED
}

/// A limit of no failure at all, which is full from the start.
fn refuse_all(rules: &ThrottleRules) -> bool {
    let limits = [rules.account, rules.address, rules.prefix, rules.pair];
    limits.into_iter().flatten().any(|limit| limit.failures == 0)
}
