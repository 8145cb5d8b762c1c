//! One policy in force, with what is prepared from it once. A decision uses one from start to end. Immutable but
//! for the keys of issuers, which are swapped set by set, the tokens that are remembered, what they gave, and what its refusals say.

use std::sync::Arc;

use crate::decision::{HeaderEntry, HeaderMode, List};
use crate::engine::possession::Proofs;
use crate::engine::process::Process;
use crate::engine::refusals::Refusals;
use crate::engine::rights::Given;
use crate::engine::telling::Telling;
use crate::engine::tokens::Tokens;
use crate::error::{Error, ErrorKind};
use crate::fetch::Fetch;
use crate::ffi::os::fork;
use crate::keeper::Keeper;
use crate::policy::Policy;
use crate::policy::model::{Access, Route};
use crate::policy::requirement::Requirement;
use crate::reading::fields::FieldRules;
use crate::token::Keyring;

/// A policy in force.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) policy: Arc<Policy>,
    pub(super) generation: u64,
    /// Which fields of a request its decisions look at.
    pub(super) fields: FieldRules,
    /// The keys of its issuers, which are replaced while it is in force.
    pub(super) keys: Keyring,
    /// What looks after them.
    pub(super) keeper: Keeper,
    /// Tokens that were verified under it, by these keys.
    pub(super) tokens: Tokens,
    /// What such tokens gave.
    pub(super) given: Given,
    /// How its tokens may come, and with which nonces.
    pub(super) proofs: Proofs,
    /// How its decisions are told of; `None` before start, when there are none.
    pub(super) telling: Option<Telling>,
    /// Its refusals.
    pub(super) refusals: Refusals,
    /// What a response to somebody who was recognised carries.
    pub(super) private: List<HeaderEntry>,
    /// What holds where no route matches and `unmatched = "authenticated"`.
    unmatched: Route,
}

/// What decides at present: swapped as one, so that no decision has the policy of one reload and the state of another.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) process: Option<Arc<Process>>,
    /// Why the last start failed, and in which process.
    pub(super) failed: Option<(Arc<Error>, u64)>,
}

impl Current {
    /// This process's part; an error before start, and in a forked child that was not started itself.
    #[inline]
    pub(super) fn process(&self) -> Result<&Arc<Process>, Error> {
        match &self.process {
            Some(process) if process.fork_generation == fork::fork_generation() => Ok(process),
            _ => Err(self.not_started()),
        }
    }

    #[cold]
    fn not_started(&self) -> Error {
        let what = match (&self.failed, &self.process) {
            (Some((why, process)), _) if *process == fork::fork_generation() => {
                return Error::new(ErrorKind::NotStarted, format!("start failed: {}", why.message()));
            }
            (_, Some(_)) => "this process was forked from one that was started; call start in it as well",
            (_, None) => "call start first, in each process after fork",
        };
        Error::new(ErrorKind::NotStarted, what)
    }
}

/// Which rule holds for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// A route, by index.
    Route(usize),
    /// The engine's own, where no route matches.
    Unmatched,
}

impl Snapshot {
    pub(super) fn new(
        policy: Arc<Policy>,
        generation: u64,
        telling: Option<Telling>,
        fetch: Option<Fetch>,
    ) -> Snapshot {
        let unmatched = Route {
            path: String::new(),
            host: None,
            methods: None,
            schemes: policy.schemes.clone(),
            access: Access::Required,
            require: Requirement::Authenticated,
            preflight: false,
            line: 0,
        };
        let private = HeaderEntry {
            name: "Cache-Control".into(),
            value: "private, no-store".into(),
            mode: HeaderMode::SetIfAbsent,
        };
        Snapshot {
            private: List::shared(vec![private]),
            fields: FieldRules::new(&policy),
            keys: Keyring::new(&policy.issuers),
            proofs: Proofs::of(&policy),
            keeper: Keeper::new(&policy.issuers, policy.strict, fetch),
            // Before start nothing is decided.
            tokens: Tokens::new(if telling.is_some() { policy.token_cache } else { 0 }),
            given: Given::new(),
            refusals: Refusals::new(),
            telling,
            unmatched,
            policy,
            generation,
        }
    }

    /// The rule's content. An index out of range cannot come from this snapshot's router; it reads as "log in".
    pub(super) fn rule(&self, rule: Rule) -> &Route {
        match rule {
            Rule::Route(index) => self.policy.routes.get(index).unwrap_or(&self.unmatched),
            Rule::Unmatched => &self.unmatched,
        }
    }
}
