//! Proofs that were used, so that each is good once (RFC 9449 section 11.1).
//!
//! **What is kept** is a keyed digest of the key and the `jti`, by the second in which the proof was made, for as long as
//! a proof of that second would be taken. **Why nothing slips through**: a proof that was made before a time of which
//! something was forgotten is refused, whatever made us forget: its age, a longer leeway in a new policy, or a memory
//! that is full. So when there are more proofs than the memory holds, they have to be younger, and no used one is taken
//! again. It is the memory of one process.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::crypto::keyed::Keyed;
use crate::error::Error;

/// Most proofs that are remembered; some 20 MiB.
const CAPACITY: usize = 1 << 19;

/// What one process remembers.
#[derive(Debug)]
pub struct Replays {
    key: Keyed,
    memory: Mutex<Memory>,
}

/// What is known of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It is the first one, and is remembered from now on.
    First,
    /// It was used before.
    Again,
    /// It was made at a time of which not all is remembered.
    Forgotten,
}

/// Which times are looked at, Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// What was made before this is not taken any more.
    pub oldest: i64,
    /// The time of the request.
    pub now: i64,
}

#[derive(Debug)]
struct Memory {
    /// Digests by the second in which the proof was made.
    used: BTreeMap<i64, HashSet<u128>>,
    count: usize,
    capacity: usize,
    /// What was made before this was forgotten because it is old.
    swept: i64,
    /// What was made before this was forgotten because there was no room.
    dropped: i64,
}

impl Replays {
    /// Nothing, under a fresh key.
    pub fn new() -> Result<Replays, Error> {
        Replays::of(CAPACITY)
    }

    fn of(capacity: usize) -> Result<Replays, Error> {
        let memory = Memory { used: BTreeMap::new(), count: 0, capacity, swept: i64::MIN, dropped: i64::MIN };
        Ok(Replays { key: Keyed::draw()?, memory: Mutex::new(memory) })
    }

    /// Notes the use of a proof that is good otherwise: its key's thumbprint, its `jti`, and when it was made.
    pub fn note(&self, key: &[u8; 32], jti: &str, made_at: i64, span: Span) -> Use {
        let digest = self.key.digest([key.as_slice(), jti.as_bytes()]);
        let digest = u128::from_le_bytes(digest.first_chunk().copied().unwrap_or_default());
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).note(digest, made_at, span)
    }
}

impl Memory {
    fn note(&mut self, digest: u128, made_at: i64, Span { oldest, now }: Span) -> Use {
        if self.swept > now {
            // The clock was set back. Waiting until it is there again could take hours.
            self.swept = i64::MIN;
        }
        while let Some(first) = self.used.first_entry().filter(|first| *first.key() < oldest) {
            self.count = self.count.saturating_sub(first.remove().len());
        }
        self.swept = self.swept.max(oldest);
        if made_at < self.swept.max(self.dropped) {
            return Use::Forgotten;
        }
        if self.used.get(&made_at).is_some_and(|used| used.contains(&digest)) {
            return Use::Again;
        }
        while self.count >= self.capacity {
            let Some((second, used)) = self.used.pop_first() else { break };
            self.count = self.count.saturating_sub(used.len());
            self.dropped = self.dropped.max(second.saturating_add(1));
        }
        if made_at < self.dropped {
            return Use::Forgotten;
        }
        self.used.entry(made_at).or_default().insert(digest);
        self.count = self.count.saturating_add(1);
        Use::First
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_790_000_000;
    const KEY: [u8; 32] = [7; 32];

    fn span(now: i64) -> Span {
        Span { oldest: now - 90, now }
    }

    #[test]
    fn a_proof_is_good_once_for_its_key() {
        let replays = Replays::new().unwrap();
        let note = |key: &[u8; 32], jti: &str| replays.note(key, jti, NOW, span(NOW));
        assert_eq!(note(&KEY, "a"), Use::First);
        assert_eq!(note(&KEY, "a"), Use::Again);
        assert_eq!(note(&KEY, "b"), Use::First);
        assert_eq!(note(&[8; 32], "a"), Use::First, "of another key");
        assert_eq!(replays.note(&KEY, "a", NOW, span(NOW + 90)), Use::Again, "as long as it would be taken");
        assert_eq!(replays.note(&KEY, "a", NOW, span(NOW + 91)), Use::Forgotten);
        assert_eq!(replays.memory.lock().unwrap().count, 0);
    }

    #[test]
    fn a_longer_leeway_lets_no_forgotten_proof_in() {
        let replays = Replays::new().unwrap();
        assert_eq!(replays.note(&KEY, "a", NOW, span(NOW)), Use::First);
        assert_eq!(replays.note(&KEY, "b", NOW + 200, span(NOW + 200)), Use::First);
        let longer = Span { oldest: NOW - 100, now: NOW + 200 };
        assert_eq!(replays.note(&KEY, "a", NOW, longer), Use::Forgotten);
        assert_eq!(replays.note(&KEY, "c", NOW + 109, longer), Use::Forgotten);
        assert_eq!(replays.note(&KEY, "c", NOW + 110, longer), Use::First);
    }

    #[test]
    fn a_full_memory_takes_younger_proofs_and_no_used_one() {
        let replays = Replays::of(10).unwrap();
        let note = |jti: i64, at: i64| replays.note(&KEY, &jti.to_string(), NOW + at, span(NOW));
        for n in 0..10 {
            assert_eq!(note(n, n / 5), Use::First);
        }
        assert_eq!(note(3, 0), Use::Again, "a full memory still knows what it holds");
        assert_eq!(note(10, 2), Use::First, "room is made where the oldest were");
        assert_eq!(note(3, 0), Use::Forgotten);
        assert_eq!(note(11, 0), Use::Forgotten);
        assert_eq!(note(7, 1), Use::Again);
        assert_eq!(replays.memory.lock().unwrap().count, 6);
        // All in one second: the rest of it is refused.
        let replays = Replays::of(10).unwrap();
        let uses: Vec<Use> = (0..20).map(|n| replays.note(&KEY, &n.to_string(), NOW, span(NOW))).collect();
        assert!(uses[..10].iter().all(|one| *one == Use::First), "{uses:?}");
        assert!(uses[10..].iter().all(|one| *one == Use::Forgotten), "{uses:?}");
        assert_eq!(replays.note(&KEY, "x", NOW + 1, span(NOW)), Use::First);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_shut_everybody_out() {
        let replays = Replays::new().unwrap();
        assert_eq!(replays.note(&KEY, "a", NOW + 86_400, span(NOW + 86_400)), Use::First);
        assert_eq!(replays.note(&KEY, "b", NOW, span(NOW)), Use::First);
        assert_eq!(replays.note(&KEY, "b", NOW, span(NOW)), Use::Again);
        assert_eq!(replays.note(&KEY, "a", NOW + 86_400, span(NOW)), Use::Again);
    }

    proptest! {
        /// Held against a memory without bounds, with a clock that goes on.
        #[test]
        fn nothing_is_taken_twice(capacity in 1..8usize, steps in proptest::collection::vec((0..6u8, -100..40i64, 0..60i64), 1..60)) {
            let replays = Replays::of(capacity).unwrap();
            let mut taken = HashSet::new();
            let mut now = NOW;
            for (jti, offset, later) in steps {
                now += later;
                let made_at = (now + offset).div_euclid(20) * 20;
                let used = replays.note(&KEY, &jti.to_string(), made_at, span(now));
                let fresh = taken.insert((jti, made_at));
                match used {
                    Use::First => prop_assert!(fresh),
                    Use::Again => prop_assert!(!fresh),
                    Use::Forgotten => if fresh { taken.remove(&(jti, made_at)); },
                }
                prop_assert!(replays.memory.lock().unwrap().count <= capacity);
            }
        }
    }
}
