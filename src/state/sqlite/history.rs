//! Hashes of passwords that users had before, so that they are not taken again.

use rusqlite::{Connection, Transaction, params};

use super::failure::Fault;
use super::users;

/// Newest first.
pub(super) fn all(connection: &Connection, name: &str) -> Result<Vec<String>, Fault> {
    users::known(connection, name)?;
    let mut statement =
        connection.prepare_cached("SELECT hash FROM old_passwords WHERE user = ?1 ORDER BY number DESC")?;
    let rows = statement.query_map(params![name], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Puts the present hash before the old ones and forgets all but the newest `most`. Nothing is kept that no rule asks
/// for: an old password may still open a door elsewhere.
pub(super) fn keep(transaction: &Transaction<'_>, name: &str, most: usize) -> Result<(), Fault> {
    if most > 0 {
        transaction
            .prepare_cached(
                "INSERT INTO old_passwords (user, hash) SELECT name, hash FROM users WHERE name = ?1 AND hash IS NOT NULL",
            )?
            .execute(params![name])?;
    }
    transaction
        .prepare_cached(
            "DELETE FROM old_passwords WHERE user = ?1 AND number NOT IN
                (SELECT number FROM old_passwords WHERE user = ?1 ORDER BY number DESC LIMIT ?2)",
        )?
        .execute(params![name, i64::try_from(most).unwrap_or(i64::MAX)])?;
    Ok(())
}
