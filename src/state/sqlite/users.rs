//! Users and their granted roles in SQL.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::failure::Fault;
use super::{refresh, text};
use crate::crypto::password::{self, Work};
use crate::error::{Error, ErrorKind};
use crate::state::{LoginEnd, User};

/// One statement for user and roles: both are of one moment.
const ONE: &str = "
    SELECT u.name, u.hash, u.disabled, u.created_at, u.password_changed_at, u.tokens_from, g.role
    FROM users u LEFT JOIN grants g ON g.user = u.name
    WHERE u.name = ?1 ORDER BY g.role";
const ALL: &str = "
    SELECT u.name, u.hash, u.disabled, u.created_at, u.password_changed_at, u.tokens_from, g.role
    FROM users u LEFT JOIN grants g ON g.user = u.name
    ORDER BY u.name, g.role";

/// From one kind to the next by the index, however many users there are.
const WORKS: &str = "
    WITH RECURSIVE kinds (work) AS (
        SELECT min(work) FROM users WHERE work IS NOT NULL
        UNION ALL
        SELECT (SELECT min(work) FROM users WHERE work > kinds.work) FROM kinds WHERE kinds.work IS NOT NULL
    )
    SELECT work FROM kinds WHERE work IS NOT NULL";

pub(super) fn one(connection: &Connection, name: &str) -> Result<Option<User>, Fault> {
    let mut statement = connection.prepare_cached(ONE)?;
    let mut rows = statement.query(params![name])?;
    let mut user: Option<User> = None;
    while let Some(row) = rows.next()? {
        let user = match &mut user {
            Some(user) => user,
            None => user.insert(read(row)?),
        };
        user.roles.extend(row.get::<_, Option<String>>(6)?);
    }
    Ok(user)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<User>, Fault> {
    let mut statement = connection.prepare_cached(ALL)?;
    let mut rows = statement.query(())?;
    let mut users: Vec<User> = Vec::new();
    while let Some(row) = rows.next()? {
        let role = row.get::<_, Option<String>>(6)?;
        match users.last_mut() {
            Some(user) if user.name == row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)? => {
                user.roles.extend(role);
            }
            _ => {
                let mut user = read(row)?;
                user.roles.extend(role);
                users.push(user);
            }
        }
    }
    Ok(users)
}

pub(super) fn add(transaction: &Transaction<'_>, user: &User) -> Result<(), Fault> {
    text::check("user name", &user.name)?;
    for role in &user.roles {
        text::check("role", role)?;
    }
    if let Some(hash) = &user.hash {
        text::check("password hash", hash)?;
    }
    if exists(transaction, &user.name)? {
        return Err(conflict(format!(
            "there is a user {} already; `gatepost user show` shows it, `gatepost user passwd` sets its password",
            user.name
        )));
    }
    transaction
        .prepare_cached(
            "INSERT INTO users (name, hash, disabled, created_at, password_changed_at, work, tokens_from)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            user.name,
            user.hash,
            user.disabled,
            user.created_at,
            user.password_changed_at,
            user.hash.as_deref().and_then(work),
            user.tokens_from
        ])?;
    for role in &user.roles {
        insert_grant(transaction, &user.name, role)?;
    }
    Ok(())
}

pub(super) fn set_password(transaction: &Transaction<'_>, name: &str, hash: &str, now: i64) -> Result<(), Fault> {
    text::check("password hash", hash)?;
    known(transaction, name)?;
    transaction
        .prepare_cached(
            "UPDATE users SET hash = ?2, password_changed_at = ?3, work = ?4, tokens_from = max(tokens_from, ?3)
             WHERE name = ?1",
        )?
        .execute(params![name, hash, now, work(hash)])?;
    // Who has the old password may have logged in with it.
    refresh::end_user(transaction, name, LoginEnd::Password)
}

/// True where the hash was `old` until now. The password is the same, so it is as old as before.
pub(super) fn replace_hash(transaction: &Transaction<'_>, name: &str, old: &str, new: &str) -> Result<bool, Fault> {
    text::check("password hash", new)?;
    let changed = transaction
        .prepare_cached("UPDATE users SET hash = ?3, work = ?4 WHERE name = ?1 AND hash = ?2")?
        .execute(params![name, old, new, work(new)])?;
    Ok(changed > 0)
}

/// Each kind of work once. One written by a newer version is passed over: its hashes cannot be checked either.
pub(super) fn works(connection: &Connection) -> Result<Vec<Work>, Fault> {
    let mut statement = connection.prepare_cached(WORKS)?;
    let texts = statement.query_map((), |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    Ok(texts.iter().filter_map(|text| Work::parse(text)).collect())
}

/// True where it was otherwise before.
pub(super) fn set_disabled(transaction: &Transaction<'_>, name: &str, disabled: bool, now: i64) -> Result<bool, Fault> {
    known(transaction, name)?;
    let changed = transaction
        .prepare_cached("UPDATE users SET disabled = ?2 WHERE name = ?1 AND disabled <> ?2")?
        .execute(params![name, disabled])?;
    if disabled && changed > 0 {
        // Nothing is issued to who is disabled, so the present second is taken in.
        transaction
            .prepare_cached("UPDATE users SET tokens_from = max(tokens_from, ?2 + 1) WHERE name = ?1")?
            .execute(params![name, now])?;
    }
    if disabled {
        refresh::end_user(transaction, name, LoginEnd::Disabled)?;
    }
    Ok(changed > 0)
}

pub(super) fn grant(transaction: &Transaction<'_>, name: &str, role: &str) -> Result<bool, Fault> {
    text::check("role", role)?;
    known(transaction, name)?;
    insert_grant(transaction, name, role)
}

pub(super) fn revoke(transaction: &Transaction<'_>, name: &str, role: &str) -> Result<bool, Fault> {
    known(transaction, name)?;
    let changed =
        transaction.prepare_cached("DELETE FROM grants WHERE user = ?1 AND role = ?2")?.execute(params![name, role])?;
    Ok(changed > 0)
}

/// Roles and keys go with the user (`ON DELETE CASCADE`).
pub(super) fn remove(transaction: &Transaction<'_>, name: &str) -> Result<(), Fault> {
    known(transaction, name)?;
    transaction.prepare_cached("DELETE FROM users WHERE name = ?1")?.execute(params![name])?;
    Ok(())
}

/// A conflict where there is no such user.
pub(super) fn known(connection: &Connection, name: &str) -> Result<(), Fault> {
    if exists(connection, name)? {
        return Ok(());
    }
    Err(conflict(format!("there is no user {}; `gatepost user list` shows who exists", text::shown(name))))
}

fn exists(connection: &Connection, name: &str) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM users WHERE name = ?1")?;
    Ok(statement.query_row(params![name], |_| Ok(())).optional()?.is_some())
}

fn insert_grant(transaction: &Transaction<'_>, name: &str, role: &str) -> Result<bool, Fault> {
    let changed = transaction
        .prepare_cached("INSERT INTO grants (user, role) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
        .execute(params![name, role])?;
    Ok(changed > 0)
}

/// What checking a hash costs, as it is kept beside it; none where it cannot be checked.
fn work(hash: &str) -> Option<String> {
    password::work(hash).map(Work::to_text)
}

fn read(row: &Row<'_>) -> Result<User, rusqlite::Error> {
    Ok(User {
        name: row.get(0)?,
        hash: row.get(1)?,
        roles: Vec::new(),
        disabled: row.get(2)?,
        created_at: row.get(3)?,
        password_changed_at: row.get(4)?,
        tokens_from: row.get(5)?,
    })
}

fn conflict(message: String) -> Fault {
    Fault::Said(Error::new(ErrorKind::Conflict, message))
}
