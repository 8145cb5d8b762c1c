//! API keys in SQL. Only digests are stored.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::failure::Fault;
use super::{text, users};
use crate::error::{Error, ErrorKind};
use crate::state::ApiKey;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, user, digest, scopes, roles, created_at, expires_at, revoked_at, last_used_at ",
            "FROM api_keys ",
            $rest
        )
    };
}

pub(super) fn one(connection: &Connection, digest: &[u8; 32]) -> Result<Option<ApiKey>, Fault> {
    let mut statement = connection.prepare_cached(select!("WHERE digest = ?1"))?;
    let mut rows = statement.query(params![digest])?;
    rows.next()?.map(read).transpose()
}

pub(super) fn all(connection: &Connection, user: Option<&str>) -> Result<Vec<ApiKey>, Fault> {
    let mut statement =
        connection.prepare_cached(select!("WHERE ?1 IS NULL OR user = ?1 ORDER BY created_at, rowid"))?;
    let mut rows = statement.query(params![user])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(read(row)?);
    }
    Ok(keys)
}

pub(super) fn add(transaction: &Transaction<'_>, key: &ApiKey) -> Result<(), Fault> {
    text::check("id of the API key", &key.id)?;
    text::check("name of the API key", &key.name)?;
    for scope in &key.scopes {
        text::check("scope", scope)?;
    }
    for role in key.roles.iter().flatten() {
        text::check("role", role)?;
    }
    users::known(transaction, &key.user)?;
    let taken = transaction
        .prepare_cached("SELECT 1 FROM api_keys WHERE id = ?1 OR digest = ?2")?
        .query_row(params![key.id, key.digest], |_| Ok(()))
        .optional()?;
    if taken.is_some() {
        return Err(conflict(format!("there is an API key {} already; issue another one", key.id)));
    }
    let roles = key.roles.as_deref().map(text::list).transpose()?;
    transaction
        .prepare_cached(
            "INSERT INTO api_keys
                 (id, name, user, digest, scopes, roles, created_at, expires_at, revoked_at, last_used_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            key.id,
            key.name,
            key.user,
            key.digest,
            text::list(&key.scopes)?,
            roles,
            key.created_at,
            key.expires_at,
            key.revoked_at,
            key.last_used_at
        ])?;
    Ok(())
}

/// True where it was not revoked before. An id comes before a name; a name must mean one key that is not revoked yet, or
/// where all of that name are revoked, nothing is left to do.
pub(super) fn revoke(transaction: &Transaction<'_>, id_or_name: &str, now: i64) -> Result<bool, Fault> {
    let by_id = transaction
        .prepare_cached("SELECT id FROM api_keys WHERE id = ?1")?
        .query_row(params![id_or_name], |row| row.get::<_, String>(0))
        .optional()?;
    let id = match by_id {
        Some(id) => id,
        None => match by_name(transaction, id_or_name)? {
            Some(id) => id,
            None => return Ok(false),
        },
    };
    let changed = transaction
        .prepare_cached("UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL")?
        .execute(params![id, now])?;
    Ok(changed > 0)
}

/// When keys were last used, to the minute; later times win. Keys that are gone are passed by.
pub(super) fn touch(transaction: &Transaction<'_>, uses: &[([u8; 32], i64)]) -> Result<(), Fault> {
    let mut statement = transaction.prepare_cached(
        "UPDATE api_keys SET last_used_at = ?2
         WHERE digest = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)",
    )?;
    for (digest, at) in uses {
        statement.execute(params![digest, at - at.rem_euclid(60)])?;
    }
    Ok(())
}

/// The id of the one key of this name that is not revoked; `None` where all are revoked.
fn by_name(transaction: &Transaction<'_>, name: &str) -> Result<Option<String>, Fault> {
    let mut statement = transaction.prepare_cached("SELECT id, revoked_at IS NULL FROM api_keys WHERE name = ?1")?;
    let found = statement
        .query_map(params![name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        return Err(conflict(format!(
            "there is no API key {}; `gatepost key list` shows the ids and names of all",
            text::shown(name)
        )));
    }
    let mut live = found.into_iter().filter(|(_, live)| *live).map(|(id, _)| id);
    let first = live.next();
    let others: Vec<String> = live.collect();
    match (first, others.is_empty()) {
        (Some(first), false) => Err(conflict(format!(
            "{} API keys are called {}; revoke by id: {first}, {}",
            others.len() + 1,
            text::shown(name),
            others.join(", ")
        ))),
        (first, _) => Ok(first),
    }
}

fn read(row: &Row<'_>) -> Result<ApiKey, Fault> {
    let roles: Option<String> = row.get(5)?;
    Ok(ApiKey {
        id: row.get(0)?,
        name: row.get(1)?,
        user: row.get(2)?,
        digest: row.get(3)?,
        scopes: text::unlist(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?,
        roles: roles.as_deref().map(text::unlist).transpose()?,
        created_at: row.get(6)?,
        expires_at: row.get(7)?,
        revoked_at: row.get(8)?,
        last_used_at: row.get(9)?,
    })
}

fn conflict(message: String) -> Fault {
    Fault::Said(Error::new(ErrorKind::Conflict, message))
}
