//! The used proofs of all processes of a state: a table of words, each an atomic, without a lock that a killed process
//! could leave held.
//!
//! A bucket has the times of which something in it was forgotten, and slots. A slot holds the second of a proof, or of
//! its use where that is later, and 32 bits of a keyed digest of the proof; other bits choose the bucket. A new one takes
//! an empty slot, or that of the oldest, whose time is noted as forgotten first; then a proof of that time is refused.
//! So a bucket always has the newest ones, and whoever's clock is right notices nothing when there are more than it holds.
//!
//! **Why no proof is taken twice.** Let two processes both store a proof, A first. After B has stored it, B looks at all
//! slots and then at the forgotten times. Where A's entry still is, B sees it and refuses. Where it is not, whoever wrote
//! over it had noted its time before, which B sees and refuses. (Both may be refused where they store at the same moment
//! in different slots.) A process that is killed on the way leaves a time that is forgotten too early, or a proof that is
//! used though nobody was let in with it.
//!
//! **Why nobody shuts others out.** Only who dates proofs ahead could have the present forgotten; such proofs get no more
//! than half of the slots of a bucket, and nobody can choose the bucket.

use std::sync::atomic::{AtomicU64, Ordering};

use super::spans::{Span, Spans};
use super::{LONGEST, Proof, Used};
use crate::crypto::keyed::Keyed;
use crate::ffi::os::words::second;

/// Words of a bucket: two of forgotten times, 30 slots. Fewer would fill more unevenly.
pub(super) const BUCKET: usize = 32;
/// Seconds by which a clock may well be ahead.
const AHEAD: u32 = 2;
/// Seconds by which what is noted can lie ahead before the clock must have been set back.
const FAR: u32 = 3_600;

/// The table, wherever it lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Table<'a> {
    pub(super) key: &'a Keyed,
    /// Of all buckets something of these times is forgotten.
    pub(super) lost: Spans<'a>,
    pub(super) buckets: &'a [AtomicU64],
}

/// What a slot holds.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    at: u32,
    tag: u32,
}

impl Entry {
    /// `None`: the slot is empty.
    fn of(word: u64) -> Option<Entry> {
        (word != 0).then_some(Entry { at: (word >> 32) as u32, tag: word as u32 })
    }

    fn word(self) -> u64 {
        u64::from(self.at) << 32 | u64::from(self.tag)
    }

    fn stands_in(self, word: &AtomicU64) -> bool {
        Entry::of(word.load(Ordering::SeqCst)).is_some_and(|there| there.tag == self.tag)
    }
}

impl Table<'_> {
    /// Notes the use of a proof.
    pub(super) fn note(&self, proof: &Proof<'_>, now: i64) -> Used {
        let (Some(now), Some(made_at)) = (second(now), second(proof.made_at)) else { return Used::Forgotten };
        let digest = self.key.digest([proof.key.as_slice(), proof.id.as_bytes(), &proof.issued.to_le_bytes()]);
        let [a, b, c, d, e, f, g, h, ..] = digest;
        let entry = Entry { at: made_at.max(now), tag: u32::from_le_bytes([a, b, c, d]) };
        let count = self.buckets.len() / BUCKET;
        let bucket = (u32::from_le_bytes([e, f, g, h]) as usize).checked_rem(count);
        let from = bucket.unwrap_or(0).saturating_mul(BUCKET);
        let words = self.buckets.get(from..).and_then(|rest| rest.first_chunk::<BUCKET>());
        let Some([one, other, slots @ ..]) = words else { return Used::Forgotten };
        if self.lost.hold(made_at) {
            return Used::Forgotten;
        }
        take(Spans { one, other }, slots, entry, (made_at, now))
    }
}

fn take(forgotten: Spans<'_>, slots: &[AtomicU64], entry: Entry, (made_at, now): (u32, u32)) -> Used {
    let is_ahead = |at: u32| at > now.saturating_add(AHEAD);
    let is_far = |at: u32| at > now.saturating_add(FAR);
    loop {
        if forgotten.hold(made_at) {
            return Used::Forgotten;
        }
        let mut ahead = 0usize;
        let mut best: Option<((u8, u32), &AtomicU64, u64)> = None;
        for slot in slots {
            let word = slot.load(Ordering::SeqCst);
            let rank = match Entry::of(word) {
                None => (0, 0),
                Some(there) if there.tag == entry.tag => return Used::Again,
                Some(there) if is_far(there.at) => (1, there.at),
                Some(there) => {
                    ahead = ahead.saturating_add(usize::from(is_ahead(there.at)));
                    (2, there.at)
                }
            };
            if best.is_none_or(|(least, ..)| rank < least) {
                best = Some((rank, slot, word));
            }
        }
        let Some((_, slot, word)) = best else { return Used::Forgotten };
        if is_ahead(made_at) && ahead >= slots.len() / 2 {
            return Used::Forgotten;
        }
        if let Some(goes) = Entry::of(word) {
            // What was used then may have been made as long before as any policy takes it.
            forgotten.cover(Span { first: goes.at.saturating_sub(LONGEST), last: goes.at }, now);
            if forgotten.hold(made_at) {
                return Used::Forgotten;
            }
        }
        #[cfg(test)]
        super::tests::passing();
        if slot.compare_exchange(word, entry.word(), Ordering::SeqCst, Ordering::SeqCst).is_err() {
            continue;
        }
        if slots.iter().any(|any| !std::ptr::eq(any, slot) && entry.stands_in(any)) {
            return Used::Again;
        }
        // Written over already, by as many others.
        return if forgotten.hold(made_at) { Used::Forgotten } else { Used::First };
    }
}
