//! Counts the work of this thread, so that two attempts can be compared without a clock.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::crypto::stored::Work;

thread_local! {
    static DONE: RefCell<BTreeMap<(Work, Vec<u8>), u64>> = const { RefCell::new(BTreeMap::new()) };
}

/// Called for each run of an algorithm.
pub(crate) fn count(work: Work, password: &[u8]) {
    DONE.with_borrow_mut(|done| {
        *done.entry((work.family(), password.to_vec())).or_default() += u64::from(work.amount());
    });
}

/// What `body` made this thread do: how much of which algorithm, over which password.
pub(crate) fn metered<T>(body: impl FnOnce() -> T) -> (T, BTreeMap<(Work, Vec<u8>), u64>) {
    DONE.take();
    let value = body();
    (value, DONE.take())
}
