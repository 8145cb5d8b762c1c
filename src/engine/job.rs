//! Work too slow for an event loop, as an object that the host runs elsewhere.

use crate::decision::Decision;
use crate::error::{Error, ErrorKind};

/// How far a decision has come.
#[derive(Debug)]
pub enum Progress {
    /// Decided.
    Done(Box<Decision>),
    /// Run this job, then finish it.
    Pending(Job),
}

/// A slow part of one decision, or of housekeeping. Nothing in it points into the request. Dropping it unfinished
/// cancels it. It holds the engine.
#[derive(Debug)]
pub struct Job {}

impl Job {
    /// Does the slow part, on any thread. A second call does nothing. Never panics.
    pub fn run(&self) {}

    /// The decision, or the next job. An error where it was not run, was cancelled, or is housekeeping.
    pub fn finish(self) -> Result<Progress, Error> {
        Err(Error::new(ErrorKind::Input, "not built"))
    }

    /// It will not be finished: from any thread, also while `run` works.
    pub fn cancel(&self) {}

    /// The decision where there is no room to run it: 503 `overloaded`.
    pub fn overloaded(self) -> Result<Decision, Error> {
        Err(Error::new(ErrorKind::Input, "not built"))
    }
}
