//! Proofs that were used, so that each is good once (RFC 9449 section 11.1).
//!
//! **What is kept** is a digest of the key, the `jti` and the `iat`, by the second in which the proof was made or used,
//! whichever is later, for as long as it would be taken, by the client's clock or by a nonce. **Why nothing slips
//! through**: of what was forgotten the times are kept, and a proof that was made in them is refused, whatever made us
//! forget: its age, a longer leeway in a new policy, a clock that went forward and back, or a memory that is full. So when
//! there are more proofs than the memory holds, they have to be younger, and no used one is taken again. **Why nobody
//! shuts others out**: what one key may hold is bounded, and more narrowly once half of the memory is in use. It is the
//! memory of one process; what all processes of a state file know lies beside that file.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crate::crypto::keyed::Keyed;
use crate::error::Error;

/// Most proofs that are remembered; some 30 MiB. What a table holds without doubling.
const CAPACITY: usize = 7 << 16;
/// The part of it that one key may hold: while there is room, and once half of it is in use.
const SHARES: (usize, usize) = (CAPACITY / 8, CAPACITY / 64);
/// Seconds by which a proof that is remembered can lie ahead before the clock must have been set back.
const FAR: i64 = 3_600;
/// Seconds for which a proof is good at most, under any policy.
pub const LONGEST: i64 = 400;
/// Times of which something was forgotten are one where no more seconds are between them, and at most so many.
const GAP: i64 = 600;
const MOST_SPANS: usize = 16;

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
    /// Its key made as many as are remembered for one key.
    TooMany,
}

/// One proof.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// The thumbprint of its key.
    pub key: &'a [u8; 32],
    /// `jti`.
    pub id: &'a str,
    /// `iat`, rounded down.
    pub issued: i64,
    /// When it was made, by what is believed: its nonce, or `iat`.
    pub at: i64,
}

/// Which times are looked at, Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// What was made before this is not taken any more.
    pub oldest: i64,
    /// The time of the request.
    pub now: i64,
}

/// The beginning of a key's thumbprint, and a keyed digest of all that makes the proof.
type Name = [u64; 2];

#[derive(Debug)]
struct Memory {
    used: HashSet<Name>,
    /// The same by the second up to which they are young enough.
    kept: BTreeMap<i64, Vec<Name>>,
    /// How many of them each key has.
    held: HashMap<u64, usize>,
    /// Of proofs that were made in these times, both ends counted, not all are remembered.
    forgotten: Vec<(i64, i64)>,
    capacity: usize,
    shares: (usize, usize),
}

impl Replays {
    /// Nothing, under a fresh key.
    pub fn new() -> Result<Replays, Error> {
        Replays::of(CAPACITY, SHARES)
    }

    fn of(capacity: usize, shares: (usize, usize)) -> Result<Replays, Error> {
        let memory = Memory {
            used: HashSet::new(),
            kept: BTreeMap::new(),
            held: HashMap::new(),
            forgotten: Vec::new(),
            capacity,
            shares,
        };
        Ok(Replays { key: Keyed::draw()?, memory: Mutex::new(memory) })
    }

    /// Notes the use of a proof that is good otherwise.
    pub fn note(&self, proof: &Made<'_>, span: Span) -> Use {
        let number = |digest: &[u8; 32]| u64::from_le_bytes(digest.first_chunk().copied().unwrap_or_default());
        let digest = self.key.digest([proof.key.as_slice(), proof.id.as_bytes(), &proof.issued.to_le_bytes()]);
        // Two keys that begin alike share what they may hold, and nothing else.
        let name = [number(proof.key), number(&digest)];
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).note(name, proof.at, span)
    }
}

impl Memory {
    fn note(&mut self, name: Name, made_at: i64, span: Span) -> Use {
        while let Some(first) = self.kept.first_entry().filter(|first| *first.key() < span.oldest) {
            let (second, names) = first.remove_entry();
            self.forget(second, &names);
        }
        while let Some(last) = self.kept.last_entry().filter(|last| *last.key() > span.now.saturating_add(FAR)) {
            let (second, names) = last.remove_entry();
            self.forget(second, &names);
        }
        if self.used.contains(&name) {
            return Use::Again;
        }
        if self.is_forgotten(made_at) {
            return Use::Forgotten;
        }
        let [key, _] = name;
        let (usual, crowded) = self.shares;
        let share = if self.used.len() < self.capacity / 2 { usual } else { crowded };
        if self.held.get(&key).is_some_and(|held| *held >= share) {
            return Use::TooMany;
        }
        while self.used.len() >= self.capacity {
            let Some((second, names)) = self.kept.pop_first() else { break };
            self.forget(second, &names);
        }
        if self.is_forgotten(made_at) {
            return Use::Forgotten;
        }
        self.used.insert(name);
        // Used before its time it is taken up to its time, and by a nonce from its use on.
        self.kept.entry(made_at.max(span.now)).or_default().push(name);
        let held = self.held.entry(key).or_default();
        *held = held.saturating_add(1);
        Use::First
    }

    fn is_forgotten(&self, made_at: i64) -> bool {
        self.forgotten.iter().any(|(first, last)| (*first..=*last).contains(&made_at))
    }

    fn forget(&mut self, second: i64, names: &[Name]) {
        for name in names {
            self.used.remove(name);
            let [key, _] = name;
            if let Some(held) = self.held.get_mut(key) {
                *held = held.saturating_sub(1);
                if *held == 0 {
                    self.held.remove(key);
                }
            }
        }
        // What was used at that second may have been made as long before as any policy takes it.
        let mut span = (second.saturating_sub(LONGEST), second);
        let is_near = |a: &(i64, i64), b: &(i64, i64)| a.0 <= b.1.saturating_add(GAP) && b.0 <= a.1.saturating_add(GAP);
        self.forgotten.retain(|other| {
            let near = is_near(other, &span);
            if near {
                span = (span.0.min(other.0), span.1.max(other.1));
            }
            !near
        });
        self.forgotten.push(span);
        self.forgotten.sort_unstable();
        if self.forgotten.len() > MOST_SPANS
            && let [first, second, ..] = self.forgotten.as_mut_slice()
        {
            second.0 = first.0;
            self.forgotten.remove(0);
        }
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

    fn of(capacity: usize) -> Replays {
        Replays::of(capacity, (usize::MAX, usize::MAX)).unwrap()
    }

    /// By the client's clock.
    fn note(replays: &Replays, key: &[u8; 32], id: &str, at: i64, span: Span) -> Use {
        replays.note(&Made { key, id, issued: at, at }, span)
    }

    fn count(replays: &Replays) -> usize {
        let memory = replays.memory.lock().unwrap();
        assert_eq!(memory.used.len(), memory.kept.values().map(Vec::len).sum::<usize>());
        assert_eq!(memory.used.len(), memory.held.values().sum::<usize>());
        memory.used.len()
    }

    #[test]
    fn a_proof_is_good_once_for_its_key() {
        let replays = Replays::new().unwrap();
        let first = |key: &[u8; 32], id: &str| note(&replays, key, id, NOW, span(NOW));
        assert_eq!(first(&KEY, "a"), Use::First);
        assert_eq!(first(&KEY, "a"), Use::Again);
        assert_eq!(first(&KEY, "b"), Use::First);
        assert_eq!(first(&[8; 32], "a"), Use::First, "of another key");
        assert_eq!(note(&replays, &KEY, "a", NOW, span(NOW + 90)), Use::Again, "as long as it would be taken");
        assert_eq!(note(&replays, &KEY, "a", NOW, span(NOW + 91)), Use::Forgotten);
        assert_eq!(count(&replays), 0);
    }

    #[test]
    fn a_longer_leeway_lets_no_forgotten_proof_in() {
        let replays = Replays::new().unwrap();
        assert_eq!(note(&replays, &KEY, "a", NOW, span(NOW)), Use::First);
        assert_eq!(note(&replays, &KEY, "b", NOW + 200, span(NOW + 200)), Use::First);
        let longer = Span { oldest: NOW - 100, now: NOW + 200 };
        assert_eq!(note(&replays, &KEY, "a", NOW, longer), Use::Forgotten);
        assert_eq!(note(&replays, &KEY, "c", NOW - 50, longer), Use::Forgotten);
        assert_eq!(note(&replays, &KEY, "c", NOW + 1, longer), Use::First);
    }

    #[test]
    fn a_full_memory_takes_younger_proofs_and_no_used_one() {
        let replays = of(10);
        let numbered = |id: i64, at: i64| note(&replays, &KEY, &id.to_string(), NOW + at, span(NOW));
        for n in 0..10 {
            assert_eq!(numbered(n, n / 5), Use::First);
        }
        assert_eq!(numbered(3, 0), Use::Again, "a full memory still knows what it holds");
        assert_eq!(numbered(10, 2), Use::First, "room is made where the oldest were");
        assert_eq!(numbered(3, 0), Use::Forgotten);
        assert_eq!(numbered(11, 0), Use::Forgotten);
        assert_eq!(numbered(7, 1), Use::Again);
        assert_eq!(count(&replays), 6);
        // All in one second: the rest of it is refused.
        let replays = of(10);
        let uses: Vec<Use> = (0..20).map(|n| note(&replays, &KEY, &n.to_string(), NOW, span(NOW))).collect();
        assert!(uses[..10].iter().all(|one| *one == Use::First), "{uses:?}");
        assert!(uses[10..].iter().all(|one| *one == Use::Forgotten), "{uses:?}");
        assert_eq!(note(&replays, &KEY, "x", NOW + 1, span(NOW)), Use::First);
    }

    /// A client that dates its proofs ahead, as far as they are taken, and makes as many as it can.
    #[test]
    fn one_key_has_its_share_and_shuts_no_other_out() {
        let replays = Replays::of(640, (80, 10)).unwrap();
        let numbered = |key: u8, n: usize, at: i64| note(&replays, &[key; 32], &n.to_string(), at, span(NOW));
        let uses: Vec<Use> = (0..1_000).map(|n| numbered(1, n, NOW + 30)).collect();
        assert!(uses[..80].iter().all(|one| *one == Use::First), "{uses:?}");
        assert!(uses[80..].iter().all(|one| *one == Use::TooMany), "{uses:?}");
        assert_eq!(numbered(1, 7, NOW + 30), Use::Again, "what it used is remembered all the same");
        // Others are where there is room, also while several keys flood: then each has less.
        for flood in 2..30 {
            for n in 0..1_000 {
                let _ = numbered(flood, n, NOW + 30);
            }
        }
        assert_eq!(count(&replays), 4 * 80 + 25 * 10);
        assert!((0..10).all(|n| numbered(99, n, NOW) == Use::First));
        assert_eq!(numbered(99, 10, NOW), Use::TooMany);
        // When its proofs are too old, it may have others.
        assert_eq!(note(&replays, &[1; 32], "new", NOW + 121, span(NOW + 121)), Use::First);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_shut_everybody_out() {
        let replays = Replays::new().unwrap();
        assert_eq!(note(&replays, &KEY, "a", NOW + 86_400, span(NOW + 86_400)), Use::First);
        assert_eq!(note(&replays, &KEY, "b", NOW, span(NOW)), Use::First);
        assert_eq!(note(&replays, &KEY, "b", NOW, span(NOW)), Use::Again);
        assert_eq!(count(&replays), 1, "what lies so far ahead takes no room");
        assert_eq!(note(&replays, &KEY, "a", NOW + 86_400, span(NOW + 86_400)), Use::Forgotten);
        assert_eq!(note(&replays, &KEY, "c", NOW + 86_401, span(NOW + 86_401)), Use::First);
    }

    #[test]
    fn a_clock_that_goes_forward_and_back_lets_no_used_proof_in() {
        for (away, at) in [(500, NOW), (500, NOW - 60), (86_400, NOW), (91, NOW - 89)] {
            let replays = Replays::new().unwrap();
            assert_eq!(note(&replays, &KEY, "a", at, span(NOW)), Use::First);
            assert_eq!(note(&replays, &KEY, "b", NOW + away, span(NOW + away)), Use::First);
            assert_eq!(note(&replays, &KEY, "a", at, span(NOW)), Use::Forgotten, "{away} {at}");
            assert_eq!(note(&replays, &KEY, "c", NOW + 1, span(NOW + 1)), Use::First, "and nobody waits for the clock");
        }
    }

    /// Whether a proof's time is that of its nonce or its own is the policy's, and can change under it.
    #[test]
    fn a_proof_is_the_same_by_its_nonce_and_by_its_own_time() {
        let replays = Replays::new().unwrap();
        let proof = |issued: i64, at: i64| Made { key: &KEY, id: "a", issued, at };
        let long = |now: i64| Span { oldest: now - 120, now };
        assert_eq!(replays.note(&proof(NOW - 80, NOW - 80), long(NOW)), Use::First);
        assert_eq!(replays.note(&proof(NOW - 80, NOW - 60), long(NOW)), Use::Again);
        assert_eq!(replays.note(&proof(NOW - 80, NOW - 60), long(NOW + 59)), Use::Again, "it is kept from its use on");
        assert_eq!(replays.note(&proof(NOW - 79, NOW - 60), long(NOW)), Use::First, "another proof");
    }

    #[test]
    fn times_of_which_something_was_forgotten_stay_few() {
        let replays = Replays::new().unwrap();
        for n in 0..100 {
            let now = NOW + n * 10_000;
            assert_eq!(note(&replays, &KEY, "a", now, span(now)), Use::First);
        }
        assert_eq!(replays.memory.lock().unwrap().forgotten.len(), MOST_SPANS);
        for n in 0..99 {
            assert_eq!(note(&replays, &KEY, "a", NOW + n * 10_000, span(NOW)), Use::Forgotten, "{n}");
        }
    }

    proptest! {
        /// Held against a memory without bounds, with a clock that goes forward and back and a leeway that changes.
        #[test]
        fn nothing_is_taken_twice(
            capacity in 1..8usize,
            steps in proptest::collection::vec((0..6u8, -100..40i64, -200..300i64, 90..LONGEST), 1..60),
        ) {
            let replays = of(capacity);
            let mut taken = HashSet::new();
            let mut now = NOW;
            for (id, offset, later, window) in steps {
                now += later;
                let made_at = (now + offset.max(-window)).div_euclid(20) * 20;
                let used = note(&replays, &KEY, &id.to_string(), made_at, Span { oldest: now - window, now });
                let fresh = taken.insert((id, made_at));
                match used {
                    Use::First => prop_assert!(fresh),
                    Use::Again => prop_assert!(!fresh),
                    Use::Forgotten | Use::TooMany => if fresh { taken.remove(&(id, made_at)); },
                }
                prop_assert!(count(&replays) <= capacity);
            }
        }
    }
}
