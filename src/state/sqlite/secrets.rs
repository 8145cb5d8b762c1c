//! Random secrets that all processes of a state share, in SQL.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::failure::Fault;
use crate::crypto::random;

pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<[u8; 32]>, Fault> {
    let mut statement = connection.prepare_cached("SELECT value FROM secrets WHERE name = ?1")?;
    Ok(statement.query_row(params![name], |row| row.get(0)).optional()?)
}

/// The one that another process drew meanwhile, or a fresh one.
pub(super) fn one_or_fresh(transaction: &Transaction<'_>, name: &str) -> Result<[u8; 32], Fault> {
    if let Some(known) = one(transaction, name)? {
        return Ok(known);
    }
    let fresh = random::bytes::<32>()?;
    transaction.prepare_cached("INSERT INTO secrets (name, value) VALUES (?1, ?2)")?.execute(params![name, fresh])?;
    Ok(fresh)
}
