//! Equal attempts that are under way at once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::table::Key;

/// Tells attempts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Number(pub(super) u64);

/// Equal attempts that are under way at once: the same secret of the same account, and so one guess.
#[derive(Debug)]
pub struct Twins {
    pub(super) number: Number,
    /// Locked only while the counters are.
    joint: Mutex<Joint>,
}

#[derive(Debug, Default)]
pub(super) struct Joint {
    /// Counters in which they took places.
    pub(super) taken: Vec<Key>,
    /// The secret was right.
    pub(super) right: bool,
}

impl Twins {
    /// None of them is under way yet.
    pub(super) fn new(number: Number) -> Twins {
        Twins { number, joint: Mutex::default() }
    }

    pub(super) fn joint(&self) -> MutexGuard<'_, Joint> {
        self.joint.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
