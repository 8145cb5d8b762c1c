//! Counters of one process: plain atomics that deciders touch without a lock, read by whoever asks for the text. They
//! only ever grow (those that count), also over reloads; a child after fork begins at zero.
//!
//! Counters that every request touches are kept several times over, and a thread uses one of the copies: two processors
//! that count at once do not fight for a cache line.

mod text;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use text::{CONTENT_TYPE, IssuerKeys, Moment};

use crate::identity::Scheme;
use crate::reason::Reason;

/// Copies of each counter that every request touches.
const COPIES: usize = 8;
/// Reasons, and schemes with "none" before them.
const REASONS: usize = Reason::ALL.len();
const SCHEMES: usize = Scheme::ALL.len() + 1;
/// The most routes that have counters of their own, those of earlier policies included; the rest share one.
const MOST_ROUTES: usize = 2_000;

/// All counters.
#[derive(Debug)]
pub struct Metrics {
    /// By reason and scheme.
    decisions: Counters,
    routes: Mutex<Routes>,
    /// Bearer tokens that were right: remembered, and verified.
    tokens: Counters,
    hashing: Hashing,
    /// Reloads that put another policy in force, and that did not.
    pub reloads: AtomicU64,
    /// Reloads of policies that do not load.
    pub reloads_failed: AtomicU64,
    /// Times that housekeeping could not write to the state.
    pub state_failures: AtomicU64,
    /// Attempts to read keys of issuers anew, by what came of them.
    refreshes: [AtomicU64; Refresh::ALL.len()],
    started: Instant,
}

/// What came of an attempt to read keys of an issuer anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// Other keys.
    Changed = 0,
    /// The same ones.
    Same = 1,
    /// None; those from before stay.
    Failed = 2,
}

impl Refresh {
    /// All of them.
    pub const ALL: [Refresh; 3] = [Refresh::Changed, Refresh::Same, Refresh::Failed];

    /// The label of the counter.
    pub const fn name(self) -> &'static str {
        match self {
            Refresh::Changed => "changed",
            Refresh::Same => "same",
            Refresh::Failed => "failed",
        }
    }
}

/// The decisions by one route, by reason.
#[derive(Debug)]
pub struct RouteCounts {
    label: String,
    counts: Counters,
}

#[derive(Debug, Default)]
struct Routes {
    by_label: BTreeMap<String, Arc<RouteCounts>>,
    rest: Option<Arc<RouteCounts>>,
}

#[derive(Debug, Default)]
struct Hashing {
    waiting: AtomicI64,
    running: AtomicI64,
    refused: AtomicU64,
    done: AtomicU64,
    microseconds: AtomicU64,
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Metrics {
        Metrics {
            decisions: Counters::new(REASONS * SCHEMES),
            routes: Mutex::default(),
            tokens: Counters::new(2),
            hashing: Hashing::default(),
            reloads: AtomicU64::new(0),
            reloads_failed: AtomicU64::new(0),
            state_failures: AtomicU64::new(0),
            refreshes: Default::default(),
            started: Instant::now(),
        }
    }

    /// Counts a decision. Nanoseconds.
    pub fn decided(&self, reason: Reason, scheme: Option<Scheme>, route: Option<&RouteCounts>) {
        let (copy, reason) = (own_copy(), index(reason));
        self.decisions.add(copy, reason * SCHEMES + scheme.map_or(0, |scheme| scheme as usize + 1));
        if let Some(route) = route {
            route.counts.add(copy, reason);
        }
    }

    /// A bearer token was right: one that was known by all its bytes, or one whose signature was checked.
    pub fn token(&self, remembered: bool) {
        self.tokens.add(own_copy(), usize::from(!remembered));
    }

    /// The counters of the route with this label, the same ones after a reload.
    pub fn route(&self, label: &str) -> Arc<RouteCounts> {
        let mut routes = self.routes();
        if let Some(known) = routes.by_label.get(label) {
            return Arc::clone(known);
        }
        let fresh = |label: &str| Arc::new(RouteCounts { label: label.to_owned(), counts: Counters::new(REASONS) });
        if routes.by_label.len() >= MOST_ROUTES {
            return Arc::clone(routes.rest.get_or_insert_with(|| fresh("(other)")));
        }
        let counts = fresh(label);
        routes.by_label.insert(label.to_owned(), Arc::clone(&counts));
        counts
    }

    /// A password waits to be checked, until the answer is dropped.
    pub fn waiting(self: &Arc<Metrics>) -> Waiting {
        self.hashing.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(Arc::clone(self))
    }

    /// A password is being checked, until the answer is dropped.
    pub fn hashing(&self) -> Running<'_> {
        self.hashing.running.fetch_add(1, Ordering::Relaxed);
        Running { hashing: &self.hashing, since: Instant::now() }
    }

    /// Keys of an issuer were read anew, or were to be.
    pub fn refreshed(&self, what: Refresh) {
        if let Some(counter) = self.refreshes.get(what as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A password was not checked for want of room.
    pub fn hashing_refused(&self) {
        self.hashing.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn routes(&self) -> std::sync::MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics::new()
    }
}

/// See [`Metrics::waiting`].
#[derive(Debug)]
pub struct Waiting(Arc<Metrics>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.hashing.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// See [`Metrics::hashing`].
#[derive(Debug)]
pub struct Running<'m> {
    hashing: &'m Hashing,
    since: Instant,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let took: Duration = self.since.elapsed();
        self.hashing.running.fetch_sub(1, Ordering::Relaxed);
        self.hashing.done.fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.hashing.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }
}

/// Several copies of a row of counters.
#[derive(Debug)]
struct Counters(Box<[Box<[AtomicU64]>]>);

impl Counters {
    fn new(length: usize) -> Counters {
        let copy = || (0..length).map(|_| AtomicU64::new(0)).collect();
        Counters((0..COPIES).map(|_| copy()).collect())
    }

    fn add(&self, copy: usize, index: usize) {
        if let Some(counter) = self.0.get(copy).and_then(|copy| copy.get(index)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn sum(&self, index: usize) -> u64 {
        let one = |copy: &[AtomicU64]| copy.get(index).map_or(0, |counter| counter.load(Ordering::Relaxed));
        self.0.iter().map(|copy| one(copy)).fold(0, u64::wrapping_add)
    }
}

/// The copy that this thread counts in.
fn own_copy() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static OWN: Cell<usize> = const { Cell::new(usize::MAX) });
    OWN.with(|own| {
        if own.get() == usize::MAX {
            own.set(NEXT.fetch_add(1, Ordering::Relaxed) % COPIES);
        }
        own.get()
    })
}

/// The place of a reason in [`Reason::ALL`].
fn index(reason: Reason) -> usize {
    const PLACES: [u8; 256] = {
        let mut places = [0; 256];
        let mut index = 0;
        while index < REASONS {
            #[allow(clippy::indexing_slicing, reason = "reckoned when it is compiled, where out of bounds is an error")]
            {
                places[Reason::ALL[index].number() as usize] = index as u8;
            }
            index += 1;
        }
        places
    };
    let number = usize::try_from(reason.number()).unwrap_or(0);
    PLACES.get(number).copied().map_or(0, usize::from)
}

#[cfg(test)]
mod tests;
