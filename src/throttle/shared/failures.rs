//! Failures by key. A bucket has the time when it last overflowed, and slots; a slot holds a second and 32 bits of the
//! key. Others choose the buckets in which those of a key may lie, one after the other: the next is looked at only where
//! something that may still count did not fit into the one before.
//!
//! **When there are more than fit**, one goes of which there are fewest under their key in the bucket, the oldest of them:
//! a flood of strangers who fail once or twice each does not make a full counter be forgotten.
//!
//! **When a clock was set back**, what lies ahead counts as now, and the next sweep dates it so. Nobody else does: the time
//! of a request that has waited is not the present.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::subject::{KINDS, Kind};
use super::super::table::{Key, is_live};
use super::{AHEAD, Times, swap};
use crate::policy::model::Limit;

/// Words of a bucket.
const BUCKET: usize = 32;
/// Of so many under one key in a bucket, and of more, the oldest goes.
const HEAVY: usize = 8;
/// Most buckets for one key.
const CHAIN: usize = 64;

/// The table, wherever it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failures<'a> {
    /// Until when something of all this may count, Unix seconds.
    pub(super) until: &'a AtomicU64,
    /// The longest window of any limit, by what is counted, seconds: nothing counts for longer.
    pub(super) longest: &'a [AtomicU64; KINDS],
    pub(super) buckets: &'a [AtomicU64],
}

/// What a slot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    /// The half of the key that says what it is of.
    tag: u32,
    at: u32,
}

impl Entry {
    fn new(key: Key, at: u32) -> Entry {
        Entry { tag: key as u32, at }
    }

    /// No entry is of second 0.
    fn word(self) -> u64 {
        u64::from(self.tag) << 32 | u64::from(self.at)
    }

    /// `None`: the slot is empty.
    fn of(word: u64) -> Option<Entry> {
        (word != 0).then_some(Entry { tag: (word >> 32) as u32, at: word as u32 })
    }
}

/// One bucket.
#[derive(Clone, Copy)]
struct Bucket<'a> {
    overflowed: &'a AtomicU64,
    slots: &'a [AtomicU64],
}

impl<'a> Bucket<'a> {
    fn entries(self) -> impl Iterator<Item = (&'a AtomicU64, Entry)> {
        self.slots.iter().filter_map(|slot| Entry::of(slot.load(Ordering::SeqCst)).map(|entry| (slot, entry)))
    }
}

impl<'a> Failures<'a> {
    /// Nothing counts any more.
    #[inline]
    pub(super) fn is_empty(self, now: i64) -> bool {
        i64::try_from(self.until.load(Ordering::SeqCst)).is_ok_and(|until| until <= now)
    }

    /// Counts a failure.
    pub(super) fn note(self, key: Key, limit: Limit, at: u32) -> bool {
        self.prepare(key, limit.per);
        // Before it is there, so that nobody takes the table for empty who may not.
        self.until.fetch_max(u64::from(at).saturating_add(self.longest_of(key)), Ordering::SeqCst);
        let new = Entry::new(key, at);
        let fits = self.chain(key).any(|bucket| {
            let fits = self.put(bucket, new);
            if !fits {
                // Before it is anywhere else, so that whoever can find it looks further.
                bucket.overflowed.fetch_max(at.into(), Ordering::SeqCst);
            }
            fits
        });
        fits || self.chain(key).next().is_some_and(|first| put_over(first, new, limit))
    }

    /// Takes an empty slot, or one of which nothing counts any more.
    fn put(self, bucket: Bucket<'_>, new: Entry) -> bool {
        loop {
            let empty = bucket.slots.iter().find(|slot| slot.load(Ordering::SeqCst) == 0).map(|slot| (slot, 0));
            let over = || bucket.entries().find(|(_, there)| self.is_over(there.tag.into(), there.at, new.at));
            let Some((slot, old)) = empty.or_else(|| over().map(|(slot, there)| (slot, there.word()))) else {
                return false;
            };
            if swap(slot, old, new.word()) {
                return true;
            }
        }
    }

    /// Takes one back that was counted at this time: one is as good as another.
    pub(super) fn take_back(self, key: Key, at: u32) {
        let wanted = Entry::new(key, at);
        for bucket in self.chain(key) {
            if bucket.entries().any(|(slot, entry)| entry == wanted && swap(slot, wanted.word(), 0)) {
                return;
            }
            if bucket.overflowed.load(Ordering::SeqCst) < u64::from(at) {
                return;
            }
        }
    }

    /// What is there under this key, in no order.
    pub(super) fn times(self, key: Key, now: u32) -> Times {
        let tag = Entry::new(key, now).tag;
        let mut times = Times::new();
        for bucket in self.chain(key) {
            for (_, entry) in bucket.entries().filter(|(_, entry)| entry.tag == tag) {
                times.push(i64::from(entry.at.min(now)));
            }
            let overflowed = bucket.overflowed.load(Ordering::SeqCst);
            if u32::try_from(overflowed).is_ok_and(|at| at == 0 || self.is_over(key, at, now)) {
                break;
            }
        }
        times
    }

    /// Forgets what counts no longer under any limit, and dates what lies ahead.
    pub(super) fn sweep(self, now: u32) {
        let longest = self.longest.iter().map(|longest| longest.load(Ordering::SeqCst)).max().unwrap_or(0);
        let until = self.until.load(Ordering::SeqCst);
        let most = u64::from(now).saturating_add(longest).saturating_add(AHEAD.into());
        if until > most {
            swap(self.until, until, most);
        }
        for (slot, entry) in self.buckets.as_chunks::<BUCKET>().0.iter().flat_map(|bucket| of(bucket).entries()) {
            if self.is_over(entry.tag.into(), entry.at, now) {
                swap(slot, entry.word(), 0);
            } else if entry.at > now.saturating_add(AHEAD) {
                swap(slot, entry.word(), Entry { at: now, ..entry }.word());
            }
        }
    }

    /// What is there says until when it may count: after a power cut the word may be older than the rest.
    pub(super) fn look_over(self) {
        for (_, entry) in self.buckets.as_chunks::<BUCKET>().0.iter().flat_map(|bucket| of(bucket).entries()) {
            let until = u64::from(entry.at).saturating_add(self.longest_of(entry.tag.into()));
            if self.until.load(Ordering::SeqCst) < until {
                self.until.fetch_max(until, Ordering::SeqCst);
            }
        }
    }

    /// Limits of this key's kind have windows of so many seconds.
    pub(super) fn prepare(self, key: Key, per: i64) {
        if let Some(longest) = self.longest.get(Kind::index(key)) {
            longest.fetch_max(u64::try_from(per).unwrap_or(0), Ordering::SeqCst);
        }
    }

    fn longest_of(self, key: Key) -> u64 {
        self.longest.get(Kind::index(key)).map_or(u64::MAX, |longest| longest.load(Ordering::SeqCst))
    }

    fn is_over(self, key: Key, at: u32, now: u32) -> bool {
        !is_live(at.into(), i64::try_from(self.longest_of(key)).unwrap_or(i64::MAX), now.into())
    }

    /// The buckets in which those of a key may lie.
    fn chain(self, key: Key) -> impl Iterator<Item = Bucket<'a>> {
        let buckets = self.buckets.as_chunks::<BUCKET>().0;
        // There are 2^n, so that with an odd step each comes once.
        let (first, step) = ((key >> 32) as usize, (key >> 16) as usize | 1);
        (0..buckets.len().min(CHAIN)).filter_map(move |n| {
            let at = first.wrapping_add(n.wrapping_mul(step)) & buckets.len().wrapping_sub(1);
            buckets.get(at).map(of)
        })
    }
}

/// Takes the slot of what is missed least: of others, unless its own counter is full with what is there.
fn put_over(bucket: Bucket<'_>, new: Entry, limit: Limit) -> bool {
    loop {
        let alike = |tag: u32| bucket.entries().filter(|(_, there)| there.tag == tag).count();
        let is_full = alike(new.tag) >= limit.failures as usize;
        let worth = |tag: u32| match tag == new.tag {
            true => (!is_full, 0),
            false => (false, alike(tag).min(HEAVY)),
        };
        let least = bucket.entries().min_by_key(|(_, there)| (worth(there.tag), there.at));
        let Some((slot, old)) = least else { return false };
        if swap(slot, old.word(), new.word()) {
            return true;
        }
    }
}

fn of(words: &[AtomicU64; BUCKET]) -> Bucket<'_> {
    let [overflowed, slots @ ..] = words;
    Bucket { overflowed, slots }
}
