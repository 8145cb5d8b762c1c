//! Users that come from a file, in one transaction.

use rusqlite::{Transaction, params};

use super::failure::Fault;
use super::{history, users};
use crate::state::{Incoming, User};

/// Adds and changes; true where anything is different afterwards.
pub(super) fn all(
    transaction: &Transaction<'_>,
    incoming: &[Incoming],
    update: bool,
    keep: usize,
    now: i64,
) -> Result<bool, Fault> {
    let mut changed = false;
    for user in incoming {
        let old = match update {
            true => users::one(transaction, &user.name)?,
            false => None,
        };
        match old {
            // One who is there all the same is told as a conflict.
            None => users::add(transaction, &user.fresh())?,
            Some(old) => {
                let new = user.over(&old);
                if new == old {
                    continue;
                }
                replace(transaction, &old, &new, keep, now)?;
            }
        }
        changed = true;
    }
    Ok(changed)
}

fn replace(transaction: &Transaction<'_>, old: &User, new: &User, keep: usize, now: i64) -> Result<(), Fault> {
    if let Some(hash) = new.hash.as_ref().filter(|_| new.hash != old.hash) {
        history::keep(transaction, &new.name, keep)?;
        let set_at = new.password_changed_at.unwrap_or(new.created_at);
        users::set_password(transaction, &new.name, hash, set_at)?;
    }
    users::set_disabled(transaction, &new.name, new.disabled, now)?;
    transaction.prepare_cached("DELETE FROM grants WHERE user = ?1")?.execute(params![new.name])?;
    for role in &new.roles {
        users::grant(transaction, &new.name, role)?;
    }
    Ok(())
}
