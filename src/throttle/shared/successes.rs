//! Pairs of account and address that have succeeded: buckets of slots, each with a second and 32 bits of the pair's key.
//! Of those that do not fit the oldest is forgotten, and is a stranger again.

use std::sync::atomic::{AtomicU64, Ordering};

use super::super::table::Key;
use super::swap;

/// Slots of a bucket.
const BUCKET: usize = 32;

/// The table, wherever it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Successes<'a> {
    pub(super) buckets: &'a [AtomicU64],
}

impl<'a> Successes<'a> {
    /// The pair has succeeded now.
    pub(super) fn note(self, pair: Key, now: u32) {
        let new = u64::from(pair as u32) << 32 | u64::from(now);
        loop {
            let slots = self.bucket(pair).iter().map(|slot| (slot, slot.load(Ordering::SeqCst)));
            // Its own, or the oldest: an empty one is of the year 1970.
            let Some((slot, old)) = slots.min_by_key(|(_, word)| (!is_of(*word, pair), *word as u32)) else { return };
            if swap(slot, old, new) {
                return;
            }
        }
    }

    /// When it last succeeded. What lies ahead of a clock that was set back is now.
    pub(super) fn find(self, pair: Key, now: u32) -> Option<i64> {
        let words = self.bucket(pair).iter().map(|slot| slot.load(Ordering::SeqCst));
        words.filter(|word| is_of(*word, pair)).map(|word| i64::from(now.min(word as u32))).max()
    }

    fn bucket(self, pair: Key) -> &'a [AtomicU64] {
        let buckets = self.buckets.as_chunks::<BUCKET>().0;
        ((pair >> 32) as usize).checked_rem(buckets.len()).and_then(|at| buckets.get(at)).map_or(&[], |bucket| bucket)
    }
}

fn is_of(word: u64, pair: Key) -> bool {
    word != 0 && (word >> 32) as u32 == pair as u32
}
