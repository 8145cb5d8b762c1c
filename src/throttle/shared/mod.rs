//! The failures that all processes of a state count together: a table in a mapped file beside the state, which outlives
//! them. Its words are atomics, without a lock that a killed process could leave held.
//!
//! Nothing in it names anybody: entries are found by a hash under a key that lies in the database.
//!
//! **When the file is deleted**, whoever has it mapped goes on with what was deleted, and later processes with a new one:
//! until the last of the former has ended there are two counts.

mod failures;
#[cfg(test)]
mod model;
#[cfg(test)]
mod once;
mod successes;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use smallvec::SmallVec;

use self::failures::Failures;
use self::successes::Successes;
use super::table::{Key, is_live};
use crate::ffi::os::words::{Kind, MappedWords, second};
use crate::policy::model::Limit;

const KIND: Kind = Kind { magic: u64::from_be_bytes(*b"GPTHROT\0"), format: 1, what: "table of failure counters" };
/// Words before the tables: one page.
const HEAD: usize = 512;
/// 8,192 buckets with 31 failures each; 2 MiB.
const FAILURES: usize = 32 << 13;
/// 2,048 buckets with 32 pairs each; half a MiB.
const SUCCESSES: usize = 32 << 11;
const WORDS: usize = HEAD + FAILURES + SUCCESSES;

/// Seconds between two sweeps, whichever process does them.
const SWEEP: u64 = 15;

/// Seconds by which clocks may well differ.
pub(super) const AHEAD: u32 = 60;

/// The table of one state file.
#[derive(Debug)]
pub struct Shared(MappedWords<WORDS>);

/// Times of failures, Unix seconds, in no order.
pub(super) type Times = SmallVec<[i64; 16]>;

impl Shared {
    /// Maps the file, which is made where it is absent; it then belongs to whom the file at `like` belongs to. The caller
    /// keeps other processes from opening it at the same time.
    pub fn open(path: &Path, like: &Path) -> io::Result<Shared> {
        MappedWords::open_like(path, like, KIND, |_| Ok(())).map(|(words, _)| Shared(words))
    }

    /// Limits are these from now on, by keys of their kinds. What is there already may count for longer under them, and
    /// after a power cut more may be there than the words say that speak of all.
    pub(super) fn prepare(&self, limits: impl IntoIterator<Item = (Key, Limit)>) {
        if let Some(failures) = self.failures() {
            limits.into_iter().for_each(|(kind, limit)| failures.prepare(kind, limit.per));
            failures.look_over();
        }
    }

    /// Nothing that failed counts any more.
    #[inline]
    pub(super) fn is_empty(&self, now: i64) -> bool {
        self.failures().is_some_and(|failures| failures.is_empty(now))
    }

    /// Counts a failure; false where that cannot be: its own process alone knows of it then.
    pub(super) fn note(&self, key: Key, limit: Limit, at: i64) -> bool {
        second(at).zip(self.failures()).is_some_and(|(at, failures)| failures.note(key, limit, at))
    }

    /// Takes back one that was counted under this key at this time.
    pub(super) fn take_back(&self, key: Key, at: i64) {
        if let Some((at, failures)) = second(at).zip(self.failures()) {
            failures.take_back(key, at);
        }
    }

    /// What is counted under this key and not yet over under this limit. Times ahead of the clock are now.
    pub(super) fn times(&self, key: Key, limit: Limit, now: i64) -> Times {
        let Some((second, failures)) = second(now).zip(self.failures()) else { return Times::new() };
        let mut times = failures.times(key, second);
        times.retain(|at| is_live(*at, limit.per, now));
        times
    }

    /// This pair has succeeded.
    pub(super) fn succeeded(&self, pair: Key, now: i64) {
        if let Some((now, successes)) = second(now).zip(self.successes()) {
            successes.note(pair, now);
        }
    }

    /// When this pair last succeeded, as far as is known.
    pub(super) fn success(&self, pair: Key, now: i64) -> Option<i64> {
        self.successes()?.find(pair, second(now)?)
    }

    /// Forgets what is over; housekeeping of all processes.
    pub(super) fn sweep(&self, now: i64) {
        let Some((now, failures)) = second(now).zip(self.failures()) else { return };
        let [_, _, _, swept, ..] = self.0.words();
        let last = swept.load(Ordering::SeqCst);
        let due = u64::from(now).checked_sub(last).is_none_or(|past| past >= SWEEP);
        if due && swap(swept, last, now.into()) {
            failures.sweep(now);
        }
    }

    fn failures(&self) -> Option<Failures<'_>> {
        let words = self.0.words();
        let [_, _, until, _, rest @ ..] = words;
        let buckets = words.get(HEAD..)?.get(..FAILURES)?;
        Some(Failures { until, longest: rest.first_chunk()?, buckets })
    }

    fn successes(&self) -> Option<Successes<'_>> {
        Some(Successes { buckets: self.0.words().get(HEAD..)?.get(FAILURES..)? })
    }
}

/// Puts `new` in the place of `old`; false where something else stands there by now.
fn swap(slot: &AtomicU64, old: u64, new: u64) -> bool {
    slot.compare_exchange(old, new, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}
