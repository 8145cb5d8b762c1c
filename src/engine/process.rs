//! What one process opened for an engine: state, counters, caches of facts, ids. Never crosses a fork.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::crypto::password::{Cost, Plan};
use crate::crypto::random;
use crate::decision::Id;
use crate::engine::facts::FactCache;
use crate::engine::flight::Flights;
use crate::engine::password::Checked;
use crate::engine::remember::Remembered;
use crate::engine::revoked::Revoked;
use crate::engine::{Options, counting};
use crate::error::{Error, ErrorKind};
use crate::ffi::os::fork;
use crate::policy::model::StateLocation;
use crate::runtime::clock::Steady;
use crate::state::State;
use crate::throttle::{Throttle, Twins};
use crate::token::replay::Replays;

/// The most uses of keys that wait to be written.
const MAX_USES: usize = 10_000;

/// Seconds between two sweeps of the counters.
const SWEEP: i64 = 30;

/// One process's part of an engine.
#[derive(Debug)]
pub(super) struct Process {
    pub(super) state: Arc<dyn State>,
    pub(super) location: StateLocation,
    pub(super) throttle: Throttle,
    /// Proofs of possession that were used.
    pub(super) replays: Arc<Replays>,
    pub(super) facts: FactCache,
    pub(super) remembered: Remembered,
    pub(super) revoked: Revoked,
    /// Passwords that are being checked.
    pub(super) flights: Flights<Twins, Checked>,
    /// Fork generation in which it was opened.
    pub(super) fork_generation: u64,
    ids: Ids,
    /// Password hashes computed.
    hashes: AtomicU64,
    /// Uses of keys that housekeeping writes.
    uses: Mutex<Vec<([u8; 32], i64)>>,
    /// What a failed attempt costs: good at this version of the state, for a policy of this cost.
    plan: Mutex<Option<(u64, Cost, Arc<Plan>)>>,
    /// When counters were swept last, Unix seconds.
    swept: AtomicI64,
    /// Whether housekeeping may believe the clock.
    pub(super) steady: Steady,
}

/// Random bits drawn at start and a counter.
#[derive(Debug)]
pub(super) struct Ids {
    prefix: [u8; 17],
    counter: AtomicU64,
}

impl Process {
    /// Puts together what was opened. `replays` are handed on from before where only the state changes.
    pub(super) fn new(
        state: Arc<dyn State>,
        location: StateLocation,
        options: &Options,
        replays: Arc<Replays>,
        fork_generation: u64,
    ) -> Result<Process, Error> {
        Ok(Process {
            throttle: counting::begin(state.as_ref(), &location, options)?,
            revoked: Revoked::read(state.as_ref())?,
            state,
            location,
            replays,
            facts: FactCache::new(),
            remembered: Remembered::new()?,
            flights: Flights::new(),
            fork_generation,
            ids: Ids::draw()?,
            hashes: AtomicU64::new(0),
            uses: Mutex::default(),
            plan: Mutex::default(),
            swept: AtomicI64::new(i64::MIN),
            steady: Steady::default(),
        })
    }

    /// Counts a password hash that is about to be computed.
    pub(super) fn count_hash(&self) {
        self.hashes.fetch_add(1, Ordering::Relaxed);
    }

    /// Password hashes computed since it was opened.
    pub(super) fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    /// The plan that was kept for this version and cost.
    pub(super) fn known_plan(&self, version: u64, cost: Cost) -> Option<Arc<Plan>> {
        let kept = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref()
            .filter(|(at, of, plan)| (*at, *of) == (version, cost) && plan.is_current())
            .map(|(_, _, plan)| Arc::clone(plan))
    }

    /// Keeps the plan of this version.
    pub(super) fn keep_plan(&self, version: u64, cost: Cost, plan: &Arc<Plan>) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some((version, cost, Arc::clone(plan)));
    }

    /// Notes that a key was used, for housekeeping to write; beyond a bound it is forgotten.
    pub(super) fn note_use(&self, digest: [u8; 32], now: i64) {
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() < MAX_USES {
            uses.push((digest, now));
        }
    }

    /// Counters are due to be swept: to look at all of them each second would be dear.
    pub(super) fn is_sweep_due(&self, now: i64) -> bool {
        let last = self.swept.load(Ordering::Relaxed);
        let due = now.saturating_sub(last) >= SWEEP || now < last;
        due && self.swept.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Writes the noted uses.
    pub(super) fn write_uses(&self) -> Result<(), Error> {
        let uses = std::mem::take(&mut *self.uses.lock().unwrap_or_else(PoisonError::into_inner));
        if uses.is_empty() { Ok(()) } else { self.state.touch_api_keys(&uses) }
    }

    /// The host's id where it is one that can be printed and searched for, else a fresh one.
    pub(super) fn id_for(&self, request_id: &[u8]) -> Id {
        if !Id::is_possible(request_id) {
            return self.ids.next();
        }
        std::str::from_utf8(request_id).map_or_else(|_| self.ids.next(), Id::from)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // In a forked child the parent's state must not be touched.
        if self.fork_generation == fork::fork_generation() {
            // Nobody is left to tell, and a last use is no more than a hint.
            let _ = self.write_uses();
        }
    }
}

impl Ids {
    fn draw() -> Result<Ids, Error> {
        let bits = u64::from_le_bytes(random::bytes::<8>()?);
        let text = format!("{bits:016x}-");
        let prefix = text.as_bytes().try_into().map_err(|_| Error::new(ErrorKind::Internal, "an id has no length"))?;
        Ok(Ids { prefix, counter: AtomicU64::new(1) })
    }

    fn next(&self) -> Id {
        Id::numbered(&self.prefix, self.counter.fetch_add(1, Ordering::Relaxed))
    }
}
