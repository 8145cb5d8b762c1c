//! Stored passwords of one process: the plan that makes attempts equal, and the replacement of old hashes.

use std::sync::Arc;

use crate::crypto::password::{self, Checked, Cost, HashError, Plan, Sent};
use crate::engine::process::Process;
use crate::error::Error;
use crate::policy::Policy;
use crate::state::User;

/// What new hashes cost.
pub(super) fn cost_of(policy: &Policy) -> Cost {
    let rules = &policy.password;
    Cost { memory_kib: rules.memory_kib, iterations: rules.iterations, parallelism: rules.parallelism }
}

/// The plan for the hashes that are in the state now.
pub(super) fn plan(process: &Process, cost: Cost) -> Result<Arc<Plan>, Error> {
    let before = process.state.version();
    if let Some(version) = before
        && let Some(plan) = process.known_plan(version, cost)
    {
        return Ok(plan);
    }
    let plan = Arc::new(Plan::new(cost, &process.state.works()?));
    if let Some(version) = before.filter(|before| process.state.version() == Some(*before)) {
        process.keep_plan(version, cost, &plan);
    }
    Ok(plan)
}

/// Replaces an old or weaker hash, now that its password is at hand. The new one, unless there was no need, no room or
/// another hash by then: the login is good in any case, and the next one tries again.
pub(super) fn renew(
    process: &Process,
    cost: Cost,
    user: &User,
    hash: &str,
    sent: &Sent,
    checked: Checked,
) -> Option<String> {
    let as_given = checked == Checked::RightAsGiven && sent.prepared().is_some();
    if !as_given && !password::is_weaker(hash, cost) {
        return None;
    }
    let new = password::hash(sent.prepared().unwrap_or(sent.given()), cost).ok()?;
    let replaced = process.state.replace_hash(&user.name, hash, &new).ok()?;
    replaced.then_some(new)
}

/// Why it was not right, for the operator.
pub(super) fn why_wrong(user: Option<&User>, name: &str) -> String {
    let Some(user) = user else { return format!("there is no user {}", name.escape_debug()) };
    match user.hash.as_deref().map(password::check_stored) {
        None => format!("{} has no password", user.name),
        Some(Err(HashError::Unsupported(what))) => {
            format!("the password of {} cannot be checked: {what}", user.name)
        }
        Some(_) => format!("wrong password for {}", user.name),
    }
}

#[cfg(test)]
mod tests;
