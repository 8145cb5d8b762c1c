//! Revoked tokens in SQL. Entries are numbered in the order in which they come, so that a reader asks only for what is
//! new; what is said again about one name takes the place of what was said before, under a new number.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::failure::Fault;
use super::text;
use crate::crypto::random;
use crate::error::{Error, ErrorKind};
use crate::state::revocation::{By, KEPT, Mark, News, Revocation};

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT by, issuer, name, before, revoked_at, ends_at, number, stamp FROM revocations ", $rest)
    };
}

/// True where it hits more than what was there, or for longer.
pub(super) fn add(transaction: &Transaction<'_>, new: &Revocation) -> Result<bool, Fault> {
    text::check("issuer of the revocation", &new.issuer)?;
    if new.name.is_empty() {
        return Err(Fault::Said(Error::new(ErrorKind::Input, format!("the {} to revoke is empty", new.by))));
    }
    let known = of_name(transaction, new.by, &new.issuer, &new.name)?;
    let merged = known.as_ref().map_or_else(|| new.clone(), |known| new.over(known));
    if known.is_some_and(|known| (known.before, known.ends_at) == (merged.before, merged.ends_at)) {
        return Ok(false);
    }
    let stamp = i64::from_le_bytes(random::bytes::<8>().map_err(Fault::Said)?);
    transaction
        .prepare_cached("DELETE FROM revocations WHERE by = ?1 AND issuer = ?2 AND name = ?3")?
        .execute(params![merged.by.number(), merged.issuer, merged.name])?;
    transaction
        .prepare_cached(
            "INSERT INTO revocations (stamp, by, issuer, name, before, revoked_at, ends_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            stamp,
            merged.by.number(),
            merged.issuer,
            merged.name,
            merged.before,
            merged.revoked_at,
            merged.ends_at
        ])?;
    Ok(true)
}

/// The first of these names that is revoked.
pub(super) fn first(
    connection: &Connection,
    issuer: &str,
    names: &[(By, &str)],
    issued_at: Option<i64>,
) -> Result<Option<Revocation>, Fault> {
    for (by, name) in names {
        let found = of_name(connection, *by, issuer, name)?;
        if let Some(found) = found.filter(|found| found.hits(issued_at)) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// The newest ones.
pub(super) fn newest(connection: &Connection, most: usize) -> Result<Vec<Revocation>, Fault> {
    let mut statement = connection.prepare_cached(select!("ORDER BY number DESC LIMIT ?1"))?;
    let mut rows = statement.query(params![i64::try_from(most).unwrap_or(i64::MAX)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?.0);
    }
    Ok(found)
}

/// What came after the mark; everything where the mark's entry is not there any more.
pub(super) fn news(connection: &Connection, since: Option<Mark>, most: usize) -> Result<News, Fault> {
    // One moment for both questions.
    let transaction = connection.unchecked_transaction()?;
    let since = match since {
        Some(mark) => transaction
            .prepare_cached("SELECT 1 FROM revocations WHERE number = ?1 AND stamp = ?2")?
            .query_row(params![mark.number, mark.stamp], |_| Ok(mark))
            .optional()?,
        None => None,
    };
    let mut news = News { entries: Vec::new(), whole: since.is_none(), mark: since, too_many: false };
    let mut statement = transaction.prepare_cached(select!("WHERE number > ?1 ORDER BY number LIMIT ?2"))?;
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let mut rows = statement.query(params![since.map_or(i64::MIN, |mark| mark.number), limit])?;
    while let Some(row) = rows.next()? {
        let (entry, mark) = read(row)?;
        news.entries.push(entry);
        news.mark = Some(mark);
    }
    news.too_many = news.entries.len() > most;
    Ok(news)
}

/// There is something to forget at `now`.
pub(super) fn any_over(connection: &Connection, now: i64) -> Result<bool, Fault> {
    let found = connection
        .prepare_cached("SELECT 1 FROM revocations WHERE ends_at <= ?1 LIMIT 1")?
        .query_row(params![now.saturating_sub(KEPT)], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// Forgets what can hit no token any more at `now`; how many.
pub(super) fn sweep(transaction: &Transaction<'_>, now: i64) -> Result<usize, Fault> {
    Ok(transaction
        .prepare_cached("DELETE FROM revocations WHERE ends_at <= ?1")?
        .execute(params![now.saturating_sub(KEPT)])?)
}

fn of_name(connection: &Connection, by: By, issuer: &str, name: &str) -> Result<Option<Revocation>, Fault> {
    let mut statement = connection.prepare_cached(select!("WHERE by = ?1 AND issuer = ?2 AND name = ?3"))?;
    let mut rows = statement.query(params![by.number(), issuer, name])?;
    Ok(rows.next()?.map(read).transpose()?.map(|(found, _)| found))
}

fn read(row: &Row<'_>) -> Result<(Revocation, Mark), Fault> {
    let Some(by) = By::from_number(row.get(0)?) else {
        return Err(Fault::Said(Error::new(
            ErrorKind::State,
            "the state has a revocation of a kind that this Gatepost does not know; update Gatepost",
        )));
    };
    let revocation = Revocation {
        by,
        issuer: row.get(1)?,
        name: row.get(2)?,
        before: row.get(3)?,
        revoked_at: row.get(4)?,
        ends_at: row.get(5)?,
    };
    Ok((revocation, Mark { number: row.get(6)?, stamp: row.get(7)? }))
}

#[cfg(test)]
mod tests;
