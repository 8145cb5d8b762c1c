//! Documents that one process fetches for all, in SQL.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::failure::Fault;
use crate::state::{Claim, Ended, Fetched, Fetching};

/// Seconds after which a document that nobody asks for any more is forgotten: policies change.
const FORGOTTEN: i64 = 60 * 86_400;

const COLUMNS: &str = "body, location, etag, confirmed_at, revision, due_at, early_at, failures";

pub(super) fn one(connection: &Connection, source: &str) -> Result<Option<Fetching>, Fault> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} FROM fetched WHERE source = ?1"))?;
    Ok(statement.query_row(params![source], read).optional()?)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Fetching> {
    let body: Option<Vec<u8>> = row.get(0)?;
    let good = match body {
        Some(body) => Some(Fetched {
            body,
            location: row.get(1)?,
            etag: row.get(2)?,
            confirmed_at: row.get(3)?,
            revision: row.get(4)?,
        }),
        None => None,
    };
    Ok(Fetching { good, due_at: row.get(5)?, early_at: row.get(6)?, failures: row.get(7)? })
}

pub(super) fn claim(transaction: &Transaction<'_>, source: &str, claim: &Claim<'_>) -> Result<(bool, Fetching), Fault> {
    let Claim { about, now, seconds, holder, early } = *claim;
    let known = one(transaction, source)?;
    if known.is_none() {
        transaction
            .prepare_cached("DELETE FROM fetched WHERE due_at < ?1")?
            .execute(params![now.saturating_sub(FORGOTTEN)])?;
        transaction
            .prepare_cached("INSERT INTO fetched (source, about, due_at) VALUES (?1, ?2, ?3)")?
            .execute(params![source, about, now])?;
    }
    let known = known.unwrap_or(Fetching { due_at: now, ..Fetching::default() });
    let held_until: i64 = transaction
        .prepare_cached("SELECT held_until FROM fetched WHERE source = ?1")?
        .query_row(params![source], |row| row.get(0))?;
    // A clock that was ahead must not keep everybody off for long.
    let is_held = held_until > now && held_until <= now.saturating_add(seconds);
    let is_due = known.is_due(now);
    let may_early = early.is_some_and(|seconds| known.early_at.saturating_add(seconds) <= now || known.early_at > now);
    if is_held || !(is_due || may_early) {
        return Ok((false, known));
    }
    let early_at = if is_due { known.early_at } else { now };
    transaction
        .prepare_cached("UPDATE fetched SET holder = ?2, held_until = ?3, early_at = ?4 WHERE source = ?1")?
        .execute(params![source, holder, now.saturating_add(seconds), early_at])?;
    Ok((true, Fetching { early_at, ..known }))
}

/// Also whether the content is another one.
pub(super) fn end(
    transaction: &Transaction<'_>,
    source: &str,
    holder: i64,
    now: i64,
    due_at: i64,
    ended: &Ended,
) -> Result<(bool, Fetching), Fault> {
    let before = one(transaction, source)?.unwrap_or_default();
    let mut changed = false;
    match ended {
        Ended::Good { body: Some(body), location, etag } => {
            let revision = before.good.as_ref().map_or(0, |good| good.revision);
            changed = before.good.as_ref().is_none_or(|good| good.body != *body);
            let revision = if changed { revision.saturating_add(1) } else { revision };
            transaction
                .prepare_cached(
                    "UPDATE fetched SET body = ?2, location = ?3, etag = ?4, confirmed_at = ?5, revision = ?6,
                        due_at = ?7, failures = 0, held_until = 0 WHERE source = ?1",
                )?
                .execute(params![source, body, location, etag, now, revision, due_at])?;
        }
        Ended::Good { body: None, .. } => {
            transaction
                .prepare_cached(
                    "UPDATE fetched SET confirmed_at = ?2, due_at = ?3, failures = 0, held_until = 0
                        WHERE source = ?1 AND body IS NOT NULL",
                )?
                .execute(params![source, now, due_at])?;
        }
        Ended::Failed => {
            transaction
                .prepare_cached(
                    "UPDATE fetched SET failures = failures + 1, due_at = ?3, held_until = 0
                        WHERE source = ?1 AND holder = ?2",
                )?
                .execute(params![source, holder, due_at])?;
        }
    }
    Ok((changed, one(transaction, source)?.unwrap_or_default()))
}
