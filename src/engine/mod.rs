//! The engine: a loaded policy with its state. The one place where policy, facts and answers meet.

mod audited;
mod authorise;
mod bearer;
mod certificate;
mod conclude;
mod context;
mod counting;
mod decide;
mod facts;
mod flight;
mod identify;
mod issue;
mod job;
mod keeping;
mod password;
mod possession;
mod process;
mod refresh;
mod refusals;
mod remember;
mod revoke;
mod revoked;
mod rights;
mod snapshot;
mod start;
mod stored;
mod teller;
mod telling;
mod tokens;
mod trace;
mod undecided;
mod unmet;
mod verified;
mod verify;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;

pub use issue::{TokenRequest, Tokens};
pub use job::{Job, Progress};
pub use refresh::RefreshRequest;
pub use revoke::{Revoke, Revoked, Span};
pub use teller::{OnEvent, Told};
pub use trace::Step;
pub use verify::Verdict;

use crate::crypto::password::{self as hashing, Cost};
use crate::decision::Decision;
use crate::engine::audited::Audited;
use crate::engine::context::Context;
use crate::engine::decide::{Examined, Mode};
use crate::engine::process::Process;
use crate::engine::snapshot::{Current, Snapshot};
use crate::engine::teller::Teller;
use crate::engine::telling::Telling;
use crate::engine::trace::Trace;
use crate::error::{Error, ErrorKind};
use crate::fetch::{self, Fetch};
use crate::ffi::os::{fault, fork};
use crate::journal::Output;
use crate::policy::model::{EventSink, StateLocation};
use crate::policy::{Diagnostic, Loaded, Policy, Severity, diagnostic};
use crate::reading::fields::Fields;
use crate::reading::wanted::Wanted;
use crate::reason::Reason;
use crate::request::Request;
use crate::runtime::clock;
use crate::state::{self, State};
use crate::token::Held;
use crate::token::replay::Replays;

/// Returns Unix seconds.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// What the host sets besides the policy.
#[derive(Clone, Default)]
pub struct Options {
    /// The clock; `None`: the system's.
    pub clock: Option<Clock>,
    /// Where the state lives, whatever the policy says.
    pub state: Option<StateLocation>,
    /// Ceiling for the memory of password hashing in this process, bytes; `None`: 256 MiB. The highest word counts.
    pub hashing_memory: Option<usize>,
    /// Decide without leaving a trace: no counter, no last use, no event.
    pub read_only: bool,
    /// No events at all, whatever the policy says: for tests of policies.
    pub quiet: bool,
    /// Hears events.
    pub on_event: Option<OnEvent>,
    /// Fetches in place of the engine's own client.
    pub fetch: Option<Fetch>,
    /// Who administers, for the log; `None`: this is a server, whose start and end are events.
    pub by: Option<String>,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("state", &self.state)
            .field("hashing_memory", &self.hashing_memory)
            .finish_non_exhaustive()
    }
}

/// What became of a request at once.
#[derive(Debug)]
pub(crate) enum Begun<D> {
    /// Decided: what was made of the decision.
    Decided(D),
    /// Slow work is left.
    Slow(Box<Job>),
}

/// What housekeeping is due.
#[derive(Debug)]
pub struct Poll {
    /// Milliseconds until the next call is useful.
    pub next_ms: u64,
    /// A slow part, to be run elsewhere: `run`, then drop.
    pub job: Option<Job>,
}

/// A loaded policy with its state; clones share it. Shared by all threads, swapped whole on reload.
#[derive(Clone, Debug)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: Option<PathBuf>,
    options: Options,
    current: ArcSwap<Current>,
}

/// Milliseconds between two rounds of housekeeping.
const HOUSEKEEPING_MS: u64 = 30_000;
/// The same where events wait to be written.
const WRITING_MS: u64 = 1_000;

impl Engine {
    /// Loads a policy file. The error's message holds all problems, rendered; the second part of a success the
    /// warnings. Opens nothing but the policy and the files that it names.
    pub fn open(path: &Path, options: Options) -> Result<(Engine, Vec<Diagnostic>), Error> {
        let loaded = load(path)?;
        let warnings = loaded.warnings.clone();
        Ok((Engine::with(Some(path.to_owned()), loaded, options), warnings))
    }

    /// Makes an engine of a policy that is already loaded; it has no file to reload from.
    pub fn new(loaded: Loaded, options: Options) -> Engine {
        Engine::with(None, loaded, options)
    }

    fn with(path: Option<PathBuf>, loaded: Loaded, options: Options) -> Engine {
        let snapshot = Arc::new(Snapshot::new(Arc::new(loaded.policy), 1, None, None));
        let current = ArcSwap::from_pointee(Current { snapshot, process: None, failed: None });
        Engine { inner: Arc::new(Inner { path, options, current }) }
    }

    fn open_all(&self) -> Result<(), Error> {
        hashing::set_memory_ceiling(self.inner.options.hashing_memory.unwrap_or(0));
        // Asked once: a clock of the host's may call back in and reload, and then what follows begins again.
        let now = self.now();
        loop {
            let before = self.inner.current.load_full();
            if before.process().is_ok() {
                return Ok(());
            }
            let policy = &before.snapshot.policy;
            let fresh = Arc::new(self.open_process(policy, Arc::new(Replays::new()?))?);
            let teller = self.open_teller(policy)?;
            let snapshot = self.snapshot(policy, before.snapshot.generation, &teller, &fresh, None, now)?;
            if self.swap(&before, Current { snapshot: Arc::new(snapshot), process: Some(fresh), failed: None }) {
                // What the parent opened is the parent's: dropping it would close the parent's files under its locks.
                before.process.iter().for_each(|parents| std::mem::forget(Arc::clone(parents)));
                if self.inner.options.by.is_none() && !self.is_quiet() {
                    teller.begins(policy, before.snapshot.generation);
                }
                return Ok(());
            }
        }
    }

    /// Decides; may block for hashing and state.
    pub fn decide(&self, request: &Request<'_>) -> Result<Decision, Error> {
        self.decide_traced(request, false).map(|(decision, _)| decision)
    }

    /// Decides at once where that is cheap, otherwise hands out a job for a thread that may block.
    pub fn begin(&self, request: &Request<'_>) -> Result<Progress, Error> {
        Ok(match self.begin_with(request, |decision| Box::new(decision.take()))? {
            Begun::Decided(decision) => Progress::Done(decision),
            Begun::Slow(job) => Progress::Pending(*job),
        })
    }

    /// As [`Engine::begin`], with the decision handed on where it is made: it is large. What is left of it is dropped.
    #[inline]
    pub(crate) fn begin_with<D>(
        &self,
        request: &Request<'_>,
        keep: impl FnOnce(&mut Decision) -> D,
    ) -> Result<Begun<D>, Error> {
        self.begin_traced(request, false, None, keep)
    }

    /// Decides and tells each step.
    pub fn explain(&self, request: &Request<'_>) -> Result<(Decision, Vec<Step>), Error> {
        self.decide_traced(request, true).map(|(decision, trace)| (decision, trace.into_steps()))
    }

    /// Reads the policy file again and swaps it in whole; on an error the old one stays. Returns warnings.
    pub fn reload(&self) -> Result<Vec<Diagnostic>, Error> {
        let Some(path) = &self.inner.path else {
            return Err(Error::new(
                ErrorKind::Input,
                "the engine was made without a file; hand the new policy in instead",
            ));
        };
        let reloaded = load(path).and_then(|loaded| {
            let warnings = loaded.warnings.clone();
            self.replace(loaded).map(|()| warnings)
        });
        if let (Err(error), Some(telling)) = (&reloaded, &self.inner.current.load().snapshot.telling) {
            telling.teller.reload_failed(&self.inner.current.load().snapshot, error);
        }
        reloaded
    }

    /// Swaps in a policy that is already loaded. Where it names another state, that is opened first; on an error the
    /// old policy and state stay. Of two at once the one that swaps last holds.
    pub fn replace(&self, loaded: Loaded) -> Result<(), Error> {
        let policy = Arc::new(loaded.policy);
        // As in `start`.
        let now = self.now();
        loop {
            let before = self.inner.current.load_full();
            let generation = before.snapshot.generation.saturating_add(1);
            let (Ok(process), Some(telling)) = (before.process(), &before.snapshot.telling) else {
                // Not started, or the parent's: start opens what the policy then names.
                let snapshot = Arc::new(Snapshot::new(Arc::clone(&policy), generation, None, None));
                if self
                    .swap(&before, Current { snapshot, process: before.process.clone(), failed: before.failed.clone() })
                {
                    return Ok(());
                }
                continue;
            };
            let process = if self.location(&policy) == process.location {
                Arc::clone(process)
            } else {
                Arc::new(self.open_process(&policy, Arc::clone(&process.replays))?)
            };
            let teller = Arc::clone(&telling.teller);
            let same = self.is_quiet() || teller.journal.is_for(&policy.events, &policy.name);
            let output = if same { None } else { Some(self.output(&policy)?) };
            let snapshot = self.snapshot(&policy, generation, &teller, &process, Some(&before.snapshot), now)?;
            fault::point("reload");
            if self.swap(&before, Current { snapshot: Arc::new(snapshot), process: Some(process), failed: None }) {
                teller.reloaded(&policy, generation, output);
                return Ok(());
            }
        }
    }

    /// All housekeeping: sweeps counters, writes last uses and events, lets the host hear of what is about no request. The
    /// job is slow and belongs on another thread.
    pub fn poll(&self) -> Result<Poll, Error> {
        let current = self.inner.current.load();
        let process = Arc::clone(current.process()?);
        let snapshot = Arc::clone(&current.snapshot);
        keeping::expire(&snapshot, &process, self.now());
        let mut next_ms = HOUSEKEEPING_MS;
        if let Some(telling) = &snapshot.telling {
            telling.teller.poll();
            next_ms = if telling.teller.journal.is_on() { WRITING_MS } else { HOUSEKEEPING_MS };
        }
        next_ms = snapshot.keeper.next_ms().map_or(next_ms, |ms| ms.min(next_ms));
        Ok(Poll { next_ms, job: Some(Job::housekeeping(process, self.now(), snapshot, self.inner.options.read_only)) })
    }

    /// Fetches keys of issuers that are to be fetched and are not known, for this process alone: for commands, which do not
    /// wait for a server's housekeeping. Blocks. What went wrong, one text for each address.
    pub fn fetch_keys(&self) -> Result<Vec<String>, Error> {
        let current = self.inner.current.load();
        Ok(keeping::fetch_alone(&current.snapshot, current.process()?, self.now()))
    }

    /// Writes the events that wait; may block. An error says why some cannot be written.
    pub fn write_events(&self) -> Result<(), Error> {
        let current = self.inner.current.load();
        current.process()?;
        current.snapshot.telling.as_ref().map_or(Ok(()), |telling| telling.teller.write_all())
    }

    /// The counters of this process as OpenMetrics text.
    pub fn metrics(&self) -> Result<String, Error> {
        let current = self.inner.current.load();
        let (process, snapshot) = (current.process()?, &current.snapshot);
        let Some(telling) = &snapshot.telling else { return Ok(String::new()) };
        let issuers = keeping::counted(snapshot, process, self.now());
        Ok(telling.teller.metrics(snapshot.generation, &issuers))
    }

    /// Counts the policies that were in force; 1 for the first.
    pub fn generation(&self) -> u64 {
        self.inner.current.load().snapshot.generation
    }

    /// The cost of new password hashes under the policy in force.
    pub fn password_cost(&self) -> Cost {
        let current = self.inner.current.load();
        let rules = &current.snapshot.policy.password;
        Cost { memory_kib: rules.memory_kib, iterations: rules.iterations, parallelism: rules.parallelism }
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::clone(&self.inner.current.load().snapshot.policy)
    }

    /// The keys of an issuer of the policy in force, by its index there, at this moment.
    pub fn keys_of(&self, issuer: usize) -> Option<Arc<Held>> {
        self.inner.current.load().snapshot.keys.held(issuer).map(|held| Arc::clone(&held))
    }

    /// The state of this process, for administration: changes that are made through it are events.
    pub fn state(&self) -> Result<Arc<dyn State>, Error> {
        let current = self.inner.current.load();
        let state = Arc::clone(&current.process()?.state);
        Ok(Arc::new(Audited::new(state, Arc::clone(&current.snapshot), self.inner.options.by.clone())))
    }

    /// Password hashes that this process computed for decisions of this engine, since it started or changed its state.
    pub fn password_hashes(&self) -> Result<u64, Error> {
        self.inner.current.load().process().map(|process| process.hashes())
    }

    /// The engine's clock, Unix seconds.
    pub fn now(&self) -> i64 {
        match &self.inner.options.clock {
            Some(clock) => clock(),
            None => clock::now(),
        }
    }

    /// What decides at present, of an engine that may change its state.
    fn current_to_change(&self) -> Result<Arc<Current>, Error> {
        if self.inner.options.read_only {
            return Err(Error::new(ErrorKind::Input, "this engine only reads: open one that may change its state"));
        }
        let current = self.inner.current.load_full();
        current.process()?;
        Ok(current)
    }

    /// Puts `next` in the place of `before`; false where something else stands there by now.
    fn swap(&self, before: &Arc<Current>, next: Current) -> bool {
        let found = self.inner.current.compare_and_swap(before, Arc::new(next));
        Arc::ptr_eq(&found, before)
    }

    fn open_process(&self, policy: &Policy, replays: Arc<Replays>) -> Result<Process, Error> {
        let fork_generation = fork::fork_generation();
        let location = self.location(policy);
        let state = state::open(&location)?;
        Process::new(state, location, &self.inner.options, replays, fork_generation)
    }

    fn open_teller(&self, policy: &Policy) -> Result<Arc<Teller>, Error> {
        let options = &self.inner.options;
        let (output, on_event) = match self.is_quiet() {
            true => (Output::none(), None),
            false => (self.output(policy)?, options.on_event.clone()),
        };
        Teller::new(output, on_event, options.clock.clone()).map(Arc::new)
    }

    fn is_quiet(&self) -> bool {
        self.inner.options.quiet || self.inner.options.read_only
    }

    /// Opens where a policy wants its events. A new file belongs to whom the state belongs to.
    fn output(&self, policy: &Policy) -> Result<Output, Error> {
        let like = match self.location(policy) {
            StateLocation::File(path) => Some(path),
            StateLocation::Memory => None,
        };
        Output::open(&policy.events, &policy.name, like)
    }

    fn snapshot(
        &self,
        policy: &Arc<Policy>,
        generation: u64,
        teller: &Arc<Teller>,
        process: &Process,
        before: Option<&Snapshot>,
        now: i64,
    ) -> Result<Snapshot, Error> {
        let fetch = self.inner.options.fetch.clone().or_else(|| fetch::own(fetch::WHOLE));
        keeping::can_fetch(policy, fetch.is_some())?;
        let wanted = policy.events.sink != EventSink::Callback || teller.has_listener();
        let heard = wanted && !self.is_quiet();
        let telling = Telling::new(teller, policy, process.state.as_ref(), heard)?;
        let mut snapshot = Snapshot::new(Arc::clone(policy), generation, Some(telling), fetch);
        let read_only = self.inner.options.read_only;
        counting::share(process, policy, &self.inner.options)?;
        snapshot.proofs.open(process.state.as_ref(), read_only, now, policy.leeway.max(0))?;
        keeping::begin(&snapshot, process, before, now)?;
        Ok(snapshot)
    }

    fn location(&self, policy: &Policy) -> StateLocation {
        self.inner.options.state.clone().unwrap_or_else(|| policy.state.clone())
    }

    /// `may_block`: events are written on the way. The steps go into `trace`, where they are wanted.
    #[inline]
    fn begin_traced<D>(
        &self,
        request: &Request<'_>,
        may_block: bool,
        mut trace: Option<&mut Trace>,
        keep: impl FnOnce(&mut Decision) -> D,
    ) -> Result<Begun<D>, Error> {
        let current = self.inner.current.load();
        let process = current.process()?;
        let snapshot = &*current.snapshot;
        let now = request.now.unwrap_or_else(|| self.now());
        let mode = Mode { read_only: self.inner.options.read_only, traced: trace.is_some() };
        let mut fields = Fields::default();
        fields.collect(request, &snapshot.policy, &snapshot.fields);
        let mut context = Context::new(request, now, &fields, Arc::clone(&current.snapshot), process, mode.traced);
        let mut asked = decide::asked(request, &fields);
        let examined = decide::examine(&mut context, snapshot, request, &fields, process, mode, &mut asked);
        fault::point("decide");
        let let_in = match examined {
            Err(failure) => Err(Err(failure)),
            Ok(Examined::Open(reason)) => Ok((reason, None)),
            Ok(Examined::Recognised(known)) => conclude::conclude_with(&mut context, known, process)
                .map(|known| (Reason::Allowed, Some(known)))
                .map_err(Ok),
            Ok(Examined::Proved(proof, facts)) => conclude::conclude(&mut context, proof, &facts, process, mode)
                .map(|known| (Reason::Allowed, Some(known)))
                .map_err(Ok),
            Ok(Examined::Needs(work)) => {
                context.wanted = Wanted::read(request);
                let kept = asked.keep(&context.snapshot);
                let job = Job::new(Arc::clone(process), Box::new(context), work, mode, kept);
                return Ok(Begun::Slow(Box::new(job)));
            }
        };
        let mut decision = match let_in {
            Ok((reason, known)) => context.allow(reason, known, &asked),
            Err(refused) => {
                context.wanted = Wanted::read(request);
                match refused {
                    Ok(refused) => refused.answer(&mut context, &asked),
                    Err(failure) => context.answer(&failure, None, &asked),
                }
            }
        };
        if let (true, Some(telling)) = (may_block, &snapshot.telling) {
            telling.teller.write();
        }
        if let Some(trace) = &mut trace {
            **trace = context.trace;
        }
        Ok(Begun::Decided(keep(&mut decision)))
    }

    fn decide_traced(&self, request: &Request<'_>, traced: bool) -> Result<(Decision, Trace), Error> {
        let mut trace = Trace::default();
        match self.begin_traced(request, true, traced.then_some(&mut trace), Decision::take)? {
            Begun::Decided(decision) => Ok((decision, trace)),
            Begun::Slow(job) => {
                job.run();
                job.complete_traced()
            }
        }
    }
}

fn load(path: &Path) -> Result<Loaded, Error> {
    crate::policy::load(path).map_err(|problems| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let first = problems.iter().find(|p| p.severity == Severity::Error).or(problems.first());
        let error = Error::new(ErrorKind::Policy, diagnostic::render(&problems, &text, false));
        match first {
            Some(first) => error.at(&first.file, first.line, first.column),
            None => error.at(path, 0, 0),
        }
    })
}
