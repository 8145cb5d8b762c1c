//! The arithmetic of counting: times of failures in a sliding window, for many keys in bounded memory. It knows neither
//! names nor addresses, only keys that somebody else has hashed.

use std::collections::HashMap;

use super::Number;
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
    /// Unix seconds.
    at: i64,
    /// Which attempt, so that exactly it is taken back, or one of its twins; [`FAILED`] is set where it has failed.
    attempt: u64,
}

/// Of the number of an attempt: it is no longer under way. So many attempts are never counted.
const FAILED: u64 = 1 << 63;

impl Time {
    fn is_of(&self, attempt: Number) -> bool {
        self.attempt & !FAILED == attempt.0
    }
}

/// Why another attempt finds no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    /// Seconds until it may, at least 1.
    pub seconds: u32,
    /// Room is lacking only as long as others are under way: how long they take nobody knows.
    pub under_way: bool,
}

/// Counters by key.
#[derive(Debug)]
pub(super) struct Table {
    counters: HashMap<Key, Counter, Itself>,
    /// Times in all counters together.
    times: usize,
    most_counters: usize,
    most_times: usize,
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
    /// An empty table that never holds more counters or times than this.
    pub(super) fn new(most_counters: usize, most_times: usize) -> Table {
        Table { counters: HashMap::default(), times: 0, most_counters, most_times }
    }

    /// How long until another failure fits under the limit; `None`: it fits now. Those of `besides` do not count.
    pub(super) fn wait(&self, key: Key, limit: Limit, besides: Option<Number>, now: i64) -> Option<Wait> {
        let times = self.counters.get(&key).map_or(&[][..], |counter| &counter.times);
        let times = times.iter().filter(|time| besides.is_none_or(|besides| !time.is_of(besides)));
        // Times ahead of a clock that was set back count as now.
        let live = times.map(|time| (time.at.min(now), time.attempt)).filter(|(at, _)| is_live(*at, limit.per, now));
        let most = most(limit);
        let count = live.clone().count();
        if count < most {
            return None;
        }
        if live.clone().filter(|(_, attempt)| attempt & FAILED != 0).count() < most {
            return Some(Wait { seconds: 1, under_way: true });
        }
        // With the limit met exactly this is the oldest; after a limit was lowered, one further on.
        let leaves = live.clone().nth(count - most).map_or(now, |(at, _)| at).saturating_add(limit.per);
        let seconds = u32::try_from(leaves.saturating_sub(now)).unwrap_or(u32::MAX).max(1);
        Some(Wait { seconds, under_way: false })
    }

    /// Counts one more, without looking at the limit.
    pub(super) fn take(&mut self, key: Key, limit: Limit, attempt: Number, now: i64) {
        let counter = self.counters.entry(key).or_insert_with(|| Counter { times: Vec::new(), limit });
        let before = counter.times.len();
        counter.renew(limit, now);
        counter.times.push(Time { at: now, attempt: attempt.0 & !FAILED });
        self.times = (self.times + counter.times.len()).saturating_sub(before);
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

    /// An attempt, or one of its twins, has failed, and is no longer under way.
    pub(super) fn fail(&mut self, key: Key, attempt: Number) {
        let counter = self.counters.get_mut(&key);
        let times = counter.into_iter().flat_map(|counter| counter.times.iter_mut().rev());
        if let Some(time) = times.filter(|time| time.attempt & FAILED == 0).find(|time| time.is_of(attempt)) {
            time.attempt |= FAILED;
        }
    }

    /// Takes an attempt back, if it is still counted.
    pub(super) fn give_back(&mut self, key: Key, attempt: Number) {
        let Some(counter) = self.counters.get_mut(&key) else { return };
        let Some(position) = counter.times.iter().rposition(|time| time.is_of(attempt)) else { return };
        counter.times.remove(position);
        self.times = self.times.saturating_sub(1);
        if counter.times.is_empty() {
            self.counters.remove(&key);
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
            let keep = is_live(counter.last(), counter.limit.per, now);
            if !keep {
                *times = times.saturating_sub(counter.times.len());
            }
            keep
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
        // Written down, as a clock that was set back would otherwise keep them for as long as it was ahead.
        for time in &mut self.times {
            time.at = time.at.min(now);
        }
        self.times.retain(|time| is_live(time.at, limit.per, now));
    }

    fn is_full(&self) -> bool {
        self.times.len() >= most(self.limit)
    }

    fn last(&self) -> i64 {
        self.times.last().map_or(i64::MIN, |time| time.at)
    }
}

/// A failure counts for `per` seconds.
fn is_live(time: i64, per: i64, now: i64) -> bool {
    time.saturating_add(per) > now
}

fn most(limit: Limit) -> usize {
    limit.failures.min(LIMIT_CAP) as usize
}
