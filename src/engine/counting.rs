//! Has the failure counters of a process count together with those of all others that share its state.

use super::Options;
use super::process::Process;
use crate::error::Error;
use crate::policy::model::{Policy, StateLocation};
use crate::state::State;
use crate::throttle::{Shared, Throttle};

/// What the file is called: that of the state with this behind it.
const END: &str = "-throttle";
/// The secret under which its entries are found.
const KEY: &str = "throttle";

/// How a process stands to what others count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counting {
    /// It counts.
    Does,
    /// It leaves no trace, and looks at what there is.
    Looks,
    /// It decides nothing, and need not even look.
    Neither,
}

impl Counting {
    fn of(options: &Options) -> Counting {
        match options {
            Options { read_only: true, .. } => Counting::Looks,
            Options { by: Some(_), .. } => Counting::Neither,
            _ => Counting::Does,
        }
    }
}

/// Counters for a state, empty but found as those of all its processes are.
pub(super) fn begin(state: &dyn State, location: &StateLocation, options: &Options) -> Result<Throttle, Error> {
    let key = match (location, Counting::of(options)) {
        (StateLocation::Memory, _) | (_, Counting::Neither) => None,
        (_, Counting::Looks) => state.known_secret(KEY)?,
        (_, Counting::Does) => Some(state.secret(KEY)?),
    };
    Ok(key.map_or_else(Throttle::default, |key| Throttle::with(&key)))
}

/// Finds the counters of all processes, where this policy counts anything. Who only looks does without what cannot be
/// had.
pub(super) fn share(process: &Process, policy: &Policy, options: &Options) -> Result<(), Error> {
    let (throttle, looks) = (&process.throttle, Counting::of(options) == Counting::Looks);
    if !throttle.is_keyed() || !policy.throttle.is_on() {
        return Ok(());
    }
    if !throttle.is_shared() {
        let mut shared = None;
        let opened = process.state.open_beside(END, !looks, &mut |path, like| {
            shared = Some(Shared::open(path, like)?);
            Ok(())
        });
        match opened {
            Err(error) if !looks => return Err(error),
            _ => shared.into_iter().for_each(|shared| throttle.join(shared)),
        }
    }
    if !looks {
        throttle.prepare(&policy.throttle);
    }
    Ok(())
}

/// What who only looks has seen, where no counter was full.
pub(super) fn looked(process: &Process) -> &'static str {
    match (&process.location, process.throttle.is_shared()) {
        (_, true) => "below every limit",
        (StateLocation::Memory, _) => "not asked: the counters live in the running server",
        (StateLocation::File(_), _) => "not asked: no counters beside the state could be read, or none are kept",
    }
}
