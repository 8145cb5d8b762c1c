//! The engine: a loaded policy with its state. The one place where policy, facts and answers meet.

mod job;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use job::{Job, Progress};

use crate::decision::Decision;
use crate::error::{Error, ErrorKind};
use crate::policy::model::StateLocation;
use crate::policy::{Diagnostic, Loaded};
use crate::request::Request;
use crate::state::State;

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
    /// Decide without leaving a trace: no counter, no last use.
    pub read_only: bool,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("state", &self.state)
            .field("hashing_memory", &self.hashing_memory)
            .finish_non_exhaustive()
    }
}

/// One step of a decision, for `--explain`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Section of the contract's order, like `target`, `route`, `credentials`.
    pub name: &'static str,
    /// What it saw.
    pub saw: String,
    /// What it concluded.
    pub concluded: String,
    /// The decision was made here, as a refusal.
    pub refused: bool,
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
}

impl Engine {
    /// Loads a policy file. The error's message holds all problems, rendered; the second part of a success the
    /// warnings. Opens nothing but the policy and the files that it names.
    pub fn open(path: &Path, options: Options) -> Result<(Engine, Vec<Diagnostic>), Error> {
        let _ = options;
        Ok((Engine { inner: Arc::new(Inner { path: Some(path.to_owned()) }) }, Vec::new()))
    }

    /// Makes an engine of a policy that is already loaded; [`Engine::reload`] then needs a file to be named.
    pub fn new(loaded: Loaded, options: Options) -> Engine {
        let _ = (loaded, options);
        Engine { inner: Arc::new(Inner { path: None }) }
    }

    /// Opens the state. Each process calls it, after fork; twice in one process does nothing.
    pub fn start(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Decides; may block for hashing and state.
    pub fn decide(&self, request: &Request<'_>) -> Result<Decision, Error> {
        let _ = request;
        Err(Error::new(ErrorKind::NotStarted, "not built"))
    }

    /// Decides at once where that is cheap, otherwise hands out a job for a thread that may block.
    pub fn begin(&self, request: &Request<'_>) -> Result<Progress, Error> {
        self.decide(request).map(|d| Progress::Done(Box::new(d)))
    }

    /// Decides and tells each step.
    pub fn explain(&self, request: &Request<'_>) -> Result<(Decision, Vec<Step>), Error> {
        self.decide(request).map(|decision| (decision, Vec::new()))
    }

    /// Reads the policy file again and swaps it in whole; on an error the old one stays. Returns warnings.
    pub fn reload(&self) -> Result<Vec<Diagnostic>, Error> {
        let _ = &self.inner.path;
        Ok(Vec::new())
    }

    /// Swaps in a policy that is already loaded.
    pub fn replace(&self, loaded: Loaded) -> Result<(), Error> {
        let _ = loaded;
        Ok(())
    }

    /// All housekeeping: sweeps counters, writes last uses. The job is slow and belongs on another thread.
    pub fn poll(&self) -> Result<Poll, Error> {
        Ok(Poll { next_ms: 60_000, job: None })
    }

    /// Counts the policies that were in force; 1 for the first.
    pub fn generation(&self) -> u64 {
        1
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<crate::policy::Policy> {
        unreachable!()
    }

    /// The state of this process.
    pub fn state(&self) -> Result<Arc<dyn State>, Error> {
        Err(Error::new(ErrorKind::NotStarted, "call start first, in this process"))
    }

    /// The engine's clock, Unix seconds.
    pub fn now(&self) -> i64 {
        0
    }
}
