//! Work too slow for an event loop, as an object that the host runs elsewhere.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::crypto::password::{self, Checked, HashError, Sent};
use crate::decision::Decision;
use crate::engine::conclude;
use crate::engine::context::{Context, Failure, Refused};
use crate::engine::decide::Mode;
use crate::engine::identify::{Facts, Proof};
use crate::engine::keeping;
use crate::engine::password::{Desk, PasswordFlight, busy};
use crate::engine::process::Process;
use crate::engine::snapshot::Snapshot;
use crate::engine::teller::Teller;
use crate::engine::telling::Kept;
use crate::engine::trace::Trace;
use crate::error::{Error, ErrorKind};
use crate::ffi::os::{fault, fork};
use crate::metrics::Waiting;
use crate::policy::Policy;
use crate::reason::Reason;
use crate::throttle::Place;
use crate::token::claims::Clock;

/// How often facts are read again because the state changed meanwhile. After that the last ones hold: they are
/// younger than the request.
const MOST_ROUNDS: u8 = 3;

/// How far a decision has come.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "it is taken apart at once and never kept in numbers")]
pub enum Progress {
    /// Decided.
    Done(Box<Decision>),
    /// Run this job, then finish it.
    Pending(Job),
}

/// A slow part of one decision, or of housekeeping. Nothing in it points into the request. Dropping it unfinished
/// cancels it. It holds what it needs of the engine.
#[derive(Debug)]
pub struct Job {
    process: Arc<Process>,
    mode: Mode,
    /// What a line says of the request; `None`: housekeeping.
    kept: Option<Kept>,
    teller: Option<Arc<Teller>>,
    slot: Mutex<Slot>,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Work {
    /// Check a password; `flight`: shared with equal ones.
    Password {
        name: String,
        sent: Sent,
        place: Option<Place>,
        flight: Option<Arc<PasswordFlight>>,
        waiting: Option<Waiting>,
    },
    /// Read what the state says. `place` is kept where it says that there is no such key.
    Read { proof: Proof, place: Option<Place>, round: u8 },
    /// Write last uses, forget what is over. The clock showed `now` at that moment: it may wait, and issuers may answer late.
    Housekeeping { now: i64, moment: Instant, snapshot: Arc<Snapshot> },
}

/// What came of it.
struct Outcome {
    context: Box<Context>,
    result: Result<Found, Failure>,
}

/// A proof with what the state said at a version.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) proof: Proof,
    pub(super) facts: Facts,
    pub(super) version: Option<u64>,
    pub(super) round: u8,
}

enum Slot {
    Waiting(Option<Box<Context>>, Box<Work>),
    Running,
    Done(Box<Outcome>),
    /// Housekeeping is over.
    Over,
    Cancelled,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Slot::Waiting(..) => "Waiting",
            Slot::Running => "Running",
            Slot::Done(_) => "Done",
            Slot::Over => "Over",
            Slot::Cancelled => "Cancelled",
        })
    }
}

impl Job {
    pub(super) fn new(process: Arc<Process>, context: Box<Context>, work: Box<Work>, mode: Mode, kept: Kept) -> Job {
        let teller = context.snapshot.telling.as_ref().map(|telling| Arc::clone(&telling.teller));
        Job { process, mode, kept: Some(kept), teller, slot: Mutex::new(Slot::Waiting(Some(context), work)) }
    }

    pub(super) fn housekeeping(process: Arc<Process>, now: i64, snapshot: Arc<Snapshot>, read_only: bool) -> Job {
        Job::housekeeping_of(process, (now, Instant::now()), snapshot, read_only)
    }

    fn housekeeping_of(
        process: Arc<Process>,
        (now, moment): (i64, Instant),
        snapshot: Arc<Snapshot>,
        read_only: bool,
    ) -> Job {
        let mode = Mode { read_only, traced: false };
        let teller = snapshot.telling.as_ref().map(|telling| Arc::clone(&telling.teller));
        let slot = Mutex::new(Slot::Waiting(None, Box::new(Work::Housekeeping { now, moment, snapshot })));
        Job { process, mode, kept: None, teller, slot }
    }

    /// Does the slow part, on any thread. A second call does nothing, and so does one in a child of the process that made
    /// the job. Never panics.
    pub fn run(&self) {
        if self.is_foreign() {
            return;
        }
        let (context, work) = {
            let mut slot = self.lock();
            match std::mem::replace(&mut *slot, Slot::Running) {
                Slot::Waiting(context, work) => (context, work),
                other => {
                    *slot = other;
                    return;
                }
            }
        };
        let policy = context.as_ref().map(|context| Arc::clone(&context.snapshot));
        let result = catch_unwind(AssertUnwindSafe(|| {
            fault::point("job");
            perform(
                &self.process,
                self.mode,
                policy.as_ref().map(|s| s.policy.as_ref()),
                self.teller.as_deref(),
                context.as_ref().map_or(0, |c| c.now),
                *work,
            )
        }));
        let result =
            result.unwrap_or_else(|_| Some(Err(Failure::new(Reason::Internal, "verify", "a fault while verifying"))));
        let mut slot = self.lock();
        if matches!(*slot, Slot::Running) {
            *slot = match (context, result) {
                (Some(context), Some(result)) => Slot::Done(Box::new(Outcome { context, result })),
                _ => Slot::Over,
            };
        }
        drop(slot);
        self.teller.iter().for_each(|teller| teller.write());
    }

    /// The decision, or the next job. An error where it was not run, was cancelled, is housekeeping, or belongs to the
    /// process that this one was forked from.
    pub fn finish(self) -> Result<Progress, Error> {
        self.finish_traced().map(|(progress, _)| progress)
    }

    /// As [`Job::finish`], with the steps where they were asked for.
    pub(super) fn finish_traced(mut self) -> Result<(Progress, Trace), Error> {
        self.in_own_process()?;
        fault::point("finish");
        let kept = self.kept.take().unwrap_or_default();
        let before = std::mem::replace(&mut *self.lock(), Slot::Cancelled);
        let outcome = match before {
            Slot::Done(outcome) => *outcome,
            Slot::Over => {
                return Err(Error::new(ErrorKind::Input, "housekeeping has no decision; free the job after run"));
            }
            Slot::Cancelled => return Err(Error::new(ErrorKind::Input, "the job was cancelled")),
            unfinished @ (Slot::Waiting(..) | Slot::Running) => {
                self.give_back(unfinished);
                return Err(Error::new(ErrorKind::Input, "run the job first, and finish it after run has returned"));
            }
        };
        let mut context = outcome.context;
        let found = match outcome.result {
            Ok(found) => found,
            Err(failure) => return Ok(done(refused(&mut context, failure, &kept), *context)),
        };
        let changed = self.process.state.version().is_none_or(|version| found.version != Some(version));
        if changed && found.round < MOST_ROUNDS {
            let work = Work::Read { proof: found.proof, place: None, round: found.round.saturating_add(1) };
            let next = Job::new(Arc::clone(&self.process), context, Box::new(work), self.mode, kept);
            return Ok((Progress::Pending(next), Trace::default()));
        }
        let asked = kept.asked(matches!(found.proof, Proof::Password { .. }));
        let decision = match conclude::conclude(&mut context, found.proof, &found.facts, &self.process, self.mode) {
            Ok(known) => context.allow(Reason::Allowed, Some(known), &asked),
            Err(refused) => refused.answer(&mut context, &asked),
        };
        Ok(done(decision, *context))
    }

    /// As [`Job::finish`], with all that follows done inside; may block.
    pub fn complete(self) -> Result<Decision, Error> {
        self.complete_traced().map(|(decision, _)| decision)
    }

    pub(super) fn complete_traced(self) -> Result<(Decision, Trace), Error> {
        let teller = self.teller.clone();
        let mut progress = self.finish_traced()?;
        loop {
            match progress {
                (Progress::Done(decision), trace) => {
                    teller.iter().for_each(|teller| teller.write());
                    return Ok((*decision, trace));
                }
                (Progress::Pending(job), _) => {
                    job.run();
                    progress = job.finish_traced()?;
                }
            }
        }
    }

    /// It will not be finished: from any thread, also while `run` works. What was reserved for it is given back unless
    /// the work was done.
    pub fn cancel(&self) {
        if self.is_foreign() {
            return;
        }
        let before = std::mem::replace(&mut *self.lock(), Slot::Cancelled);
        self.give_back(before);
    }

    /// The decision where there is no room to run it: 503 `overloaded`.
    pub fn overloaded(mut self) -> Result<Decision, Error> {
        self.in_own_process()?;
        let kept = self.kept.take().unwrap_or_default();
        let before = std::mem::replace(&mut *self.lock(), Slot::Cancelled);
        let Slot::Waiting(Some(mut context), work) = before else {
            return Err(Error::new(ErrorKind::Input, "the job was run, cancelled, or is housekeeping"));
        };
        self.give_back(Slot::Waiting(None, work));
        let failure = Failure::new(Reason::Overloaded, "verify", "the queue of slow work is full");
        Ok(refused(&mut context, failure, &kept))
    }

    /// Made by the process that this one was forked from. Another thread of that one may have held any lock in here.
    fn is_foreign(&self) -> bool {
        self.process.fork_generation != fork::fork_generation()
    }

    fn in_own_process(&self) -> Result<(), Error> {
        if !self.is_foreign() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotStarted, "the job was made by the process that this one was forked from"))
    }

    fn give_back(&self, slot: Slot) {
        if let Slot::Waiting(_, work) = slot
            && let Work::Password { place: Some(place), .. } | Work::Read { place: Some(place), .. } = *work
        {
            self.process.throttle.abandoned(place);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.cancel();
    }
}

fn done(decision: Decision, context: Context) -> (Progress, Trace) {
    (Progress::Done(Box::new(decision)), context.trace)
}

fn refused(context: &mut Context, failure: Failure, kept: &Kept) -> Decision {
    Box::<Refused>::from(failure).answer(context, &kept.asked(false))
}

/// `None`: housekeeping, which has no result.
fn perform(
    process: &Process,
    mode: Mode,
    policy: Option<&Policy>,
    teller: Option<&Teller>,
    now: i64,
    work: Work,
) -> Option<Result<Found, Failure>> {
    match (work, policy) {
        (Work::Password { name, sent, place, flight, waiting }, Some(policy)) => {
            drop(waiting);
            let desk = Desk { process, mode, policy, teller, now };
            Some(desk.check(name, sent, place, flight.as_deref()))
        }
        (Work::Read { proof, place, round }, Some(_)) => Some(read(process, proof, place, round, now)),
        (Work::Housekeeping { now, moment, snapshot }, _) => {
            let failed = |error: Error| {
                let teller = snapshot.telling.iter().map(|telling| &telling.teller);
                teller.for_each(|teller| teller.state_failed(&snapshot.policy, &error));
            };
            process.write_uses().unwrap_or_else(failed);
            keeping::look(&snapshot, process, now);
            let is_steady = process.steady.holds(now, moment);
            // The work may have waited, and taken long: failures have come meanwhile.
            let now = now.saturating_add(i64::try_from(moment.elapsed().as_secs()).unwrap_or(0));
            if process.is_sweep_due(now) {
                process.remembered.sweep(snapshot.policy.password.remember, now);
                snapshot.tokens.sweep(Clock { now, leeway: snapshot.policy.leeway.max(0) });
                // By a clock that was just set ahead a guesser would begin anew.
                if !mode.read_only {
                    if is_steady {
                        process.throttle.sweep(now);
                    }
                    // By a clock that is wrong a token would live again once it is put right.
                    if is_steady {
                        process.revoked.sweep(process.state.as_ref(), now).unwrap_or_else(failed);
                    }
                    process.state.sweep_logins(now).unwrap_or_else(failed);
                }
            }
            None
        }
        (_, None) => Some(Err(Failure::new(Reason::Internal, "verify", "work without its request"))),
    }
}

fn read(process: &Process, mut proof: Proof, place: Option<Place>, round: u8, now: i64) -> Result<Found, Failure> {
    let version = process.state.version();
    let facts = proof.read(process);
    if let Some(place) = place {
        match &facts {
            Ok(Facts::Key(None)) => process.throttle.failed(place, now)?,
            Ok(_) => process.throttle.succeeded(place, now)?,
            Err(_) => process.throttle.abandoned(place),
        }
    }
    let facts = facts?;
    // Another request of the same person may have replaced the hash meanwhile, or the password is a new one.
    if let (Proof::Password { hash, sent, .. }, Facts::User(Some(user))) = (&mut proof, &facts)
        && let Some(current) = user.hash.as_ref().filter(|current| *current != hash)
    {
        match password::verify_sent(sent, current) {
            Ok(Checked::Right | Checked::RightAsGiven) => hash.clone_from(current),
            Err(HashError::Overloaded) => return Err(busy()),
            // Told when the proof is held against the facts.
            Ok(Checked::Wrong) | Err(_) => {}
        }
    }
    Ok(Found { proof, facts, version, round })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::engine::{Engine, Options};
    use crate::policy::model::{Limit, StateLocation, ThrottleRules};
    use crate::request::Peer;
    use crate::state::{By, KEPT, Revocation};
    use crate::throttle::Attempt;

    const NOW: i64 = 1_790_000_000;

    #[test]
    fn housekeeping_goes_by_the_moment_at_which_the_clock_was_asked() {
        let text = "[[route]]\npath = \"/\"\naccess = \"public\"\n";
        let policy = crate::policy::parse(text, Path::new("gatepost.toml"), Path::new(".")).unwrap();
        let engine = Engine::new(policy, Options { state: Some(StateLocation::Memory), ..Options::default() });
        engine.start().unwrap();
        let current = engine.inner.current.load_full();
        let process = current.process().unwrap();
        let (issuer, name, ends_at) = ("https://a.example".to_owned(), "a".to_owned(), Some(NOW - KEPT));
        let over = Revocation { by: By::Token, issuer, name, before: None, revoked_at: NOW - KEPT, ends_at };
        process.state.revoke_token(&over).unwrap();
        let limit = Some(Limit { failures: 1, per: 60 });
        let rules = ThrottleRules { account: limit, ..ThrottleRules::default() };
        let attempt = || process.throttle.reserve(&rules, Attempt::Account("alice"), Peer::Unix, NOW - 60);
        process.throttle.failed(attempt().unwrap(), NOW - 60).unwrap();
        let begun = Instant::now();
        for (later, left) in [(0, 1), (300, 1), (700, 0)] {
            // Each is run at once, and might as well have waited.
            let asked = (NOW + later as i64, begun + Duration::from_secs(later));
            let snapshot = Arc::clone(&current.snapshot);
            Job::housekeeping_of(Arc::clone(process), asked, snapshot, false).run();
            assert_eq!(process.state.revocations(9).unwrap().len(), left, "{later}");
            // Requests come at a time of their own, at which the failure is not over.
            assert_eq!(attempt().map(|place| process.throttle.abandoned(place)).is_err(), left == 1, "{later}");
        }
    }
}
