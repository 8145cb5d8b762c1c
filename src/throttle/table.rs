//! The arithmetic of counting: times of failures in a sliding window, for many keys in bounded memory. It knows neither
//! names nor addresses, only keys that somebody else has hashed.
//!
//! Where processes count together, their failures are in the shared table as well, and both are asked: of other processes
//! and of former ones only that knows, and of attempts under way, or where it had no room, only this.

use std::collections::HashMap;
use std::sync::Arc;

use super::shared::{AHEAD, Shared, Times};
use super::twins::Number;
use crate::crypto::sip::Itself;
use crate::policy::model::Limit;

/// A keyed hash of what is counted.
pub(super) type Key = u64;

/// Most failures that one counter holds. A higher limit counts as this one, which is stricter.
const LIMIT_CAP: u32 = 100_000;
/// Room is made for this part of a table at once, so that looking for it is paid for by many insertions.
const BATCH: usize = 16;

/// One failure, or one attempt under way.
#[derive(Clone, Copy, Debug)]
struct Time {
    /// Unix seconds. Of one in the shared table it stays what it is there, by which it is known again.
    at: i64,
    /// Which attempt, so that exactly it is taken back, or one of its twins; with [`FAILED`] and [`SHARED`].
    attempt: u64,
}

/// Of the number of an attempt: it is no longer under way. So many attempts are never counted.
const FAILED: u64 = 1 << 63;
/// It is in the shared table too.
const SHARED: u64 = 1 << 62;

impl Time {
    fn is_of(&self, attempt: Number) -> bool {
        self.attempt & !(FAILED | SHARED) == attempt.0
    }

    fn has(&self, mark: u64) -> bool {
        self.attempt & mark != 0
    }
}

/// Why another attempt finds no room. The greater is the stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wait {
    /// Seconds until it may, at least 1.
    pub seconds: u32,
    /// Failures alone fill it. Otherwise room is lacking only as long as others are under way, and how long they take
    /// nobody knows.
    pub by_failures: bool,
}

/// Counters by key.
#[derive(Debug)]
pub(super) struct Table {
    counters: HashMap<Key, Counter, Itself>,
    /// Times in all counters together.
    times: usize,
    most_counters: usize,
    most_times: usize,
    /// What all processes count together.
    shared: Option<Arc<Shared>>,
}

/// The failures under one key, and the places taken by attempts that are still under way.
#[derive(Debug)]
struct Counter {
    /// In order.
    times: Vec<Time>,
    /// As the limit said when it was last asked.
    limit: Limit,
}

impl Table {
    /// An empty table that holds no more counters or times than this, but for those whose places went while they were under
    /// way, until somebody makes room.
    pub(super) fn new(most_counters: usize, most_times: usize) -> Table {
        Table { counters: HashMap::default(), times: 0, most_counters, most_times, shared: None }
    }

    /// From now on this is told and asked too.
    pub(super) fn share(&mut self, shared: &Arc<Shared>) {
        self.shared = Some(Arc::clone(shared));
    }

    pub(super) fn shared(&self) -> Option<&Shared> {
        self.shared.as_deref()
    }

    /// How long until another failure fits under the limit; `None`: it fits now. Those of `besides` do not count.
    pub(super) fn wait(&self, key: Key, limit: Limit, besides: Option<Number>, now: i64) -> Option<Wait> {
        let times = self.counters.get(&key).map_or(&[][..], |counter| &counter.times);
        let counts = |time: &&Time| besides.is_none_or(|besides| !time.is_of(besides));
        // Times ahead of a clock that was set back count as now.
        let seen = |time: &Time| (time.at.min(now), time.has(FAILED));
        let own = wait(times.iter().filter(counts).map(seen), limit, now);
        let Some(shared) = &self.shared else { return own };
        let mut told = shared.times(key, limit, now);
        let ours = times.iter().filter(|time| time.has(SHARED) && !counts(time)).map(|time| time.at.min(now));
        ours.filter(|at| is_live(*at, limit.per, now)).for_each(|at| remove(&mut told, at));
        if told.is_empty() {
            return own;
        }
        // What went from there for want of room is known here.
        told.sort_unstable();
        let mut rest = told.iter().copied().peekable();
        let mut missing = Times::new();
        // One that lies ahead may have been dated anew there.
        let known = times.iter().filter(counts).filter(|time| time.has(SHARED) && time.at <= now);
        for at in known.map(|time| time.at) {
            while rest.next_if(|there| *there < at).is_some() {}
            if rest.next_if_eq(&at).is_none() {
                missing.push(at);
            }
        }
        let untold = times.iter().filter(counts).filter(|time| !time.has(SHARED)).map(seen);
        let mut all: Vec<(i64, bool)> = told.iter().chain(&missing).map(|at| (*at, true)).chain(untold).collect();
        if all.len() < most(limit) {
            return own;
        }
        all.sort_unstable();
        wait(all.into_iter(), limit, now).max(own)
    }

    /// Counts one more, without looking at the limit.
    pub(super) fn take(&mut self, key: Key, limit: Limit, attempt: Number, now: i64) {
        self.renew(key, limit, now);
        self.put(key, limit, attempt, now);
    }

    fn put(&mut self, key: Key, limit: Limit, attempt: Number, at: i64) {
        let counter = self.counters.entry(key).or_insert_with(|| Counter { times: Vec::new(), limit });
        counter.times.push(Time { at, attempt: attempt.0 & !(FAILED | SHARED) });
        counter.sort();
        self.times += 1;
    }

    /// What taking one and giving it back leaves behind.
    pub(super) fn renew(&mut self, key: Key, limit: Limit, now: i64) {
        let Some(counter) = self.counters.get_mut(&key) else { return };
        let before = counter.times.len();
        counter.renew(limit, now);
        self.times = (self.times + counter.times.len()).saturating_sub(before);
        if counter.times.is_empty() {
            self.counters.remove(&key);
        }
    }

    /// An attempt, or one of its twins, has failed, and is no longer under way. Where its place had to go for others it
    /// counts all the same, from `since`; false where that is over.
    pub(super) fn fail(&mut self, key: Key, attempt: Number, limit: Limit, since: i64, now: i64) -> bool {
        let is_meant = |time: &Time| time.is_of(attempt) && !time.has(FAILED);
        let is_there = self.counters.get(&key).is_some_and(|counter| counter.times.iter().any(is_meant));
        if !is_there && is_live(since, limit.per, now) {
            self.put(key, limit, attempt, since);
        }
        let Some(counter) = self.counters.get_mut(&key) else { return false };
        let Some(time) = counter.times.iter_mut().rev().find(|time| is_meant(time)) else { return false };
        time.at = time.at.min(now);
        let is_told = self.shared.as_ref().is_some_and(|shared| shared.note(key, limit, time.at));
        time.attempt |= FAILED | if is_told { SHARED } else { 0 };
        counter.sort();
        true
    }

    /// Takes back an attempt that is under way, if it is still counted.
    pub(super) fn give_back(&mut self, key: Key, attempt: Number) {
        let Some(counter) = self.counters.get_mut(&key) else { return };
        let is_meant = |time: &Time| time.is_of(attempt) && !time.has(FAILED);
        let Some(position) = counter.times.iter().rposition(is_meant) else { return };
        counter.times.remove(position);
        self.times = self.times.saturating_sub(1);
        if counter.times.is_empty() {
            self.counters.remove(&key);
        }
    }

    /// What [`Table::fail`] has done is undone: the attempt is under way again.
    pub(super) fn take_back(&mut self, key: Key, attempt: Number) {
        let times = self.counters.get_mut(&key).into_iter().flat_map(|counter| counter.times.iter_mut().rev());
        if let Some(time) = times.filter(|time| time.has(FAILED)).find(|time| time.is_of(attempt)) {
            if let (Some(shared), true) = (&self.shared, time.has(SHARED)) {
                shared.take_back(key, time.at);
            }
            time.attempt &= !(FAILED | SHARED);
        }
    }

    /// Makes room for `more` counters: what is over goes first; then counters that are not full, those with the fewest
    /// failures and of these the oldest first; full ones last. So a flood of strangers with a failure each cannot make
    /// anybody's full counter be forgotten.
    pub(super) fn make_room(&mut self, more: usize, now: i64) {
        if !self.lacks_room(more) {
            return;
        }
        self.sweep(now);
        if !self.lacks_room(more) {
            return;
        }
        let mut worth: Vec<(bool, usize, i64, Key)> = self
            .counters
            .iter()
            .map(|(key, counter)| (counter.is_full(), counter.times.len(), counter.last(), *key))
            .collect();
        worth.sort_unstable();
        let batch = (self.most_counters / BATCH).max(more);
        for (done, (.., key)) in worth.into_iter().enumerate() {
            if done >= batch && !self.lacks_room(more) {
                break;
            }
            if let Some(counter) = self.counters.remove(&key) {
                self.times = self.times.saturating_sub(counter.times.len());
            }
        }
    }

    /// Forgets counters whose last failure has left its window.
    pub(super) fn sweep(&mut self, now: i64) {
        let times = &mut self.times;
        self.counters.retain(|_, counter| {
            let before = counter.times.len();
            counter.date(now);
            if !is_live(counter.last(), counter.limit.per, now) {
                counter.times.clear();
            }
            *times = (*times + counter.times.len()).saturating_sub(before);
            !counter.times.is_empty()
        });
        if self.counters.len() < self.counters.capacity() / 4 {
            self.counters.shrink_to_fit();
        }
    }

    /// How many counters there are.
    pub(super) fn counters(&self) -> usize {
        self.counters.len()
    }

    fn lacks_room(&self, more: usize) -> bool {
        self.counters.len() + more > self.most_counters || self.times + more > self.most_times
    }

    /// Counters and times held.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        assert_eq!(self.times, self.counters.values().map(|counter| counter.times.len()).sum::<usize>());
        (self.counters.len(), self.times)
    }
}

impl Counter {
    /// Forgets what is over under this limit.
    fn renew(&mut self, limit: Limit, now: i64) {
        self.limit = limit;
        self.date(now);
        self.times.retain(|time| is_live(time.at, limit.per, now));
    }

    /// Written down, as a clock that was set back would otherwise keep them for as long as it was ahead. `now` may be that
    /// of a request which has waited. What the table has is dated there, by whoever comes first, and known there alone then.
    fn date(&mut self, now: i64) {
        for time in self.times.iter_mut().filter(|time| !time.has(SHARED)) {
            time.at = time.at.min(now);
        }
        self.times.retain(|time| !time.has(SHARED) || time.at <= now.saturating_add(AHEAD.into()));
        self.sort();
    }

    fn sort(&mut self) {
        self.times.sort_by_key(|time| time.at);
    }

    fn is_full(&self) -> bool {
        self.times.len() >= most(self.limit)
    }

    fn last(&self) -> i64 {
        self.times.last().map_or(i64::MIN, |time| time.at)
    }
}

/// How long until another fits beside these, in order: times, and whether they have failed.
fn wait(times: impl Iterator<Item = (i64, bool)> + Clone, limit: Limit, now: i64) -> Option<Wait> {
    let live = times.filter(|(at, _)| is_live(*at, limit.per, now));
    let most = most(limit);
    let count = live.clone().count();
    if count < most {
        return None;
    }
    if live.clone().filter(|(_, failed)| *failed).count() < most {
        return Some(Wait { seconds: 1, by_failures: false });
    }
    // With the limit met exactly this is the oldest; after a limit was lowered, one further on.
    let leaves = live.clone().nth(count - most).map_or(now, |(at, _)| at).saturating_add(limit.per);
    let seconds = u32::try_from(leaves.saturating_sub(now)).unwrap_or(u32::MAX).max(1);
    Some(Wait { seconds, by_failures: true })
}

/// Takes out one of this time.
fn remove(times: &mut Times, at: i64) {
    if let Some(position) = times.iter().position(|time| *time == at) {
        times.remove(position);
    }
}

/// A failure counts for `per` seconds.
pub(super) fn is_live(time: i64, per: i64, now: i64) -> bool {
    time.saturating_add(per) > now
}

fn most(limit: Limit) -> usize {
    limit.failures.min(LIMIT_CAP) as usize
}
