//! The part of a process that tells: counters, the journal, the host's callback. Handed on from one policy to the next,
//! made anew in a child after fork.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::decision::Decision;
use crate::engine::Clock;
use crate::engine::snapshot::Snapshot;
use crate::engine::telling::Seen;
use crate::error::{Error, ErrorKind};
use crate::event::{Kind, Line, Member, Severity};
use crate::ffi::os::fork::fork_generation;
use crate::journal::{Journal, Output};
use crate::metrics::{IssuerKeys, Metrics, Moment};
use crate::policy::Policy;
use crate::runtime::clock;

/// Most lines that wait for the host to poll.
const MOST_UNTOLD: usize = 1_000;

/// One event as the host's callback gets it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The line of JSON, without a line break.
    pub line: &'a str,
    /// What happened.
    pub kind: Kind,
    /// How much it asks for attention.
    pub severity: Severity,
    /// The decision, where it is one.
    pub decision: Option<&'a Decision>,
    /// The request's own pointer, where it is about a request.
    pub user: usize,
}

/// Hears events: those of a request on the thread that delivers its decision, all others on the thread that polls.
pub type OnEvent = Arc<dyn Fn(&Told<'_>) + Send + Sync>;

/// What one process tells.
pub(super) struct Teller {
    pub(super) metrics: Arc<Metrics>,
    pub(super) journal: Journal,
    pub(super) seen: Seen,
    on_event: Option<OnEvent>,
    clock: Option<Clock>,
    /// Events of no request, until the host polls.
    untold: Mutex<VecDeque<(Kind, Severity, String)>>,
    /// For the last line; empty: an administrator's command, whose start and end are no events.
    server: OnceLock<String>,
    process: u64,
}

impl Teller {
    pub(super) fn new(output: Output, on_event: Option<OnEvent>, clock: Option<Clock>) -> Result<Teller, Error> {
        Ok(Teller {
            metrics: Arc::default(),
            journal: Journal::new(output),
            seen: Seen::new()?,
            on_event,
            clock,
            untold: Mutex::default(),
            server: OnceLock::new(),
            process: fork_generation(),
        })
    }

    /// A server began; its end will be told too.
    pub(super) fn begins(&self, policy: &Policy, generation: u64) {
        if self.server.set(policy.name.clone()).is_err() {
            return;
        }
        let mut line = self.line(Kind::EngineStarted, policy);
        line.text(Member::Version, env!("CARGO_PKG_VERSION")).number(Member::Generation, generation);
        file(&mut line, policy);
        self.note(Kind::EngineStarted, line);
        self.write();
    }

    /// Another policy is in force, perhaps with another place for events.
    pub(super) fn reloaded(&self, policy: &Policy, generation: u64, output: Option<Output>) {
        self.metrics.reloads.fetch_add(1, Ordering::Relaxed);
        if let Some(output) = output {
            self.journal.turn_to(output, self.now());
        }
        let mut line = self.line(Kind::PolicyReloaded, policy);
        line.number(Member::Generation, generation);
        file(&mut line, policy);
        self.note(Kind::PolicyReloaded, line);
        self.write();
    }

    /// A policy was to be reloaded and the old one stays.
    pub(super) fn reload_failed(&self, snapshot: &Snapshot, error: &Error) {
        self.metrics.reloads_failed.fetch_add(1, Ordering::Relaxed);
        let mut line = self.line(Kind::PolicyRefused, &snapshot.policy);
        line.number(Member::Generation, snapshot.generation).text(Member::Message, &in_one_line(error));
        file(&mut line, &snapshot.policy);
        self.note(Kind::PolicyRefused, line);
        self.write();
    }

    /// Housekeeping could not write to the state.
    pub(super) fn state_failed(&self, policy: &Policy, error: &Error) {
        self.metrics.state_failures.fetch_add(1, Ordering::Relaxed);
        let mut line = self.line(Kind::StateFailed, policy);
        line.text(Member::Message, error.message());
        self.note(Kind::StateFailed, line);
    }

    /// The host hears events.
    pub(super) fn has_listener(&self) -> bool {
        self.on_event.is_some()
    }

    /// Begins a line about something that happens now.
    pub(super) fn line(&self, kind: Kind, policy: &Policy) -> Line {
        self.line_at(kind, kind.severity(), &policy.name, self.now())
    }

    /// Begins a line.
    pub(super) fn line_at(&self, kind: Kind, severity: Severity, engine: &str, at: i64) -> Line {
        Line::new(kind, severity, at, engine, self.journal.pid())
    }

    /// Tells at once: for events of a request, on the thread that delivers its decision.
    pub(super) fn tell(&self, told: &Told<'_>) {
        self.journal.push(told.line);
        if let Some(on_event) = &self.on_event {
            on_event(told);
        }
    }

    /// Tells of what is about no request: the journal at once, the host when it polls.
    pub(super) fn note(&self, kind: Kind, line: Line) {
        let line = line.finish();
        self.journal.push(&line);
        self.keep_for_host(kind, line);
    }

    /// Lets the host hear what happened since it polled last.
    pub(super) fn poll(&self) {
        let Some(on_event) = &self.on_event else { return };
        let waiting = std::mem::take(&mut *self.untold());
        for (kind, severity, line) in &waiting {
            on_event(&Told { line, kind: *kind, severity: *severity, decision: None, user: 0 });
        }
    }

    /// Writes what waits; for threads that may block.
    pub(super) fn write(&self) {
        if self.journal.waiting() > 0
            && let Some(line) = self.journal.write(self.now())
        {
            self.keep_for_host(Kind::EventsLost, line);
        }
    }

    /// The same, and an error where something still waits.
    pub(super) fn write_all(&self) -> Result<(), Error> {
        self.write();
        match self.journal.failure() {
            Some(why) if self.journal.waiting() > 0 => Err(Error::new(ErrorKind::System, why)),
            _ => Ok(()),
        }
    }

    /// The counters as text.
    pub(super) fn metrics(&self, generation: u64, issuers: &[IssuerKeys]) -> String {
        self.metrics.text(Moment {
            generation,
            events_written: self.journal.written(),
            events_lost: self.journal.lost(),
            events_waiting: self.journal.waiting(),
            issuers,
        })
    }

    /// Unix milliseconds now.
    pub(super) fn now(&self) -> i64 {
        match &self.clock {
            Some(clock) => clock().saturating_mul(1000),
            None => clock::milliseconds(),
        }
    }

    /// Unix milliseconds of a decision that was made for this second: by the system's clock, unless the host has one of
    /// its own or gave the request another time.
    pub(super) fn milliseconds(&self, decided: i64) -> i64 {
        let now = self.now();
        // A job may have waited long; what a host says of the time is another day, or a test.
        if (0..=600).contains(&now.div_euclid(1000).saturating_sub(decided)) {
            now
        } else {
            decided.saturating_mul(1000)
        }
    }

    fn keep_for_host(&self, kind: Kind, line: String) {
        if self.on_event.is_none() {
            return;
        }
        let mut untold = self.untold();
        if untold.len() >= MOST_UNTOLD {
            untold.pop_front();
        }
        untold.push_back((kind, kind.severity(), line));
    }

    fn untold(&self) -> std::sync::MutexGuard<'_, VecDeque<(Kind, Severity, String)>> {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn file(line: &mut Line, policy: &Policy) {
    line.maybe(Member::Policy, policy.file.to_str());
}

/// The place and the first line of an error, which `gatepost check` shows in full.
fn in_one_line(error: &Error) -> String {
    let first = error.message().lines().next().unwrap_or_default();
    match error.file() {
        Some(file) if error.line() > 0 => format!("{}:{}:{}: {first}", file.display(), error.line(), error.column()),
        _ => first.to_owned(),
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        // In a forked child these are the parent's lines.
        if self.process != fork_generation() {
            return;
        }
        if let Some(engine) = self.server.get() {
            let kind = Kind::EngineEnded;
            let mut line = self.line_at(kind, kind.severity(), engine, self.now());
            if self.journal.lost() > 0 {
                line.number(Member::Count, self.journal.lost());
            }
            self.journal.push(&line.finish());
        }
        self.write();
    }
}

impl std::fmt::Debug for Teller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("journal", &self.journal).finish_non_exhaustive()
    }
}
