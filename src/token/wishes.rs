//! Keys that tokens asked for and nobody has: a reason to ask the issuer before it is time, but each name only once, and
//! nothing that a client could fill.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names that are remembered, roughly; one that pushes out another makes that one count as new again.
const PLACES: usize = 512;

/// What was asked for of one issuer.
#[derive(Debug)]
pub struct Wishes {
    seen: Box<[AtomicU64]>,
    count: AtomicU64,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes { seen: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), count: AtomicU64::new(0) }
    }
}

impl Wishes {
    /// A token names a key that is not there. Nanoseconds; no lock, no memory.
    pub fn note(&self, kid: &str) {
        let mut hasher = DefaultHasher::new();
        kid.hash(&mut hasher);
        let mark = hasher.finish().max(1);
        let index = usize::try_from(mark % PLACES as u64).unwrap_or(0);
        let Some(place) = self.seen.get(index) else { return };
        if place.load(Ordering::Relaxed) != mark && place.swap(mark, Ordering::Relaxed) != mark {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts the names that were new.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Every name counts as new again: other keys are there, or some time has passed.
    pub fn forget(&self) {
        self.seen.iter().for_each(|place| place.store(0, Ordering::Relaxed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_counts_once_until_all_are_forgotten() {
        let wishes = Wishes::default();
        for _ in 0..3 {
            wishes.note("a");
        }
        assert_eq!(wishes.count(), 1);
        wishes.note("b");
        assert_eq!(wishes.count(), 2);
        wishes.forget();
        wishes.note("a");
        assert_eq!(wishes.count(), 3);
    }

    #[test]
    fn any_number_of_names_takes_no_more_room() {
        let wishes = Wishes::default();
        (0..10_000).for_each(|number| wishes.note(&format!("kid-{number}")));
        assert_eq!(wishes.seen.len(), PLACES);
        assert!(wishes.count() <= 10_000);
        wishes.note("");
        wishes.note(&"x".repeat(10_000));
    }
}
