//! The tables, and how an older file becomes a current one. The version of a file is the number of migrations that it
//! has been through; a migration is never changed once released.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::failure::Fault;
use crate::error::{Error, ErrorKind};

/// "GPST": tells our files from other programs' (`PRAGMA application_id`).
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"GPST");

/// One step each from version n to n + 1.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE users (
        name                TEXT    NOT NULL PRIMARY KEY CHECK (name <> ''),
        hash                TEXT,
        disabled            INTEGER NOT NULL CHECK (disabled IN (0, 1)),
        created_at          INTEGER NOT NULL,
        password_changed_at INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE grants (
        user TEXT NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role <> ''),
        PRIMARY KEY (user, role)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE api_keys (
        id           TEXT    NOT NULL PRIMARY KEY CHECK (id <> ''),
        name         TEXT    NOT NULL,
        user         TEXT    NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
        scopes       TEXT    NOT NULL CHECK (json_type(scopes) = 'array'),
        roles        TEXT    CHECK (roles IS NULL OR json_type(roles) = 'array'),
        created_at   INTEGER NOT NULL,
        expires_at   INTEGER,
        revoked_at   INTEGER,
        last_used_at INTEGER
    ) STRICT;
    CREATE INDEX api_keys_by_user ON api_keys (user);
    CREATE INDEX api_keys_by_name ON api_keys (name);
",
    "
    CREATE TABLE old_passwords (
        number INTEGER NOT NULL PRIMARY KEY,
        user   TEXT    NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        hash   TEXT    NOT NULL
    ) STRICT;
    CREATE INDEX old_passwords_by_user ON old_passwords (user, number);
",
    "
    ALTER TABLE users ADD COLUMN work TEXT;
    UPDATE users SET work = substr(hash, 2, 14 + instr(substr(hash, 16), '$') - 1) WHERE hash LIKE '$argon2id$v=19$%$%';
    CREATE INDEX users_by_work ON users (work) WHERE work IS NOT NULL;
",
    "
    CREATE TABLE secrets (
        name  TEXT NOT NULL PRIMARY KEY CHECK (name <> ''),
        value BLOB NOT NULL CHECK (length(value) = 32)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE revocations (
        number     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        stamp      INTEGER NOT NULL,
        by         INTEGER NOT NULL CHECK (by BETWEEN 0 AND 3),
        issuer     TEXT    NOT NULL CHECK (issuer <> ''),
        name       TEXT    NOT NULL CHECK (name <> ''),
        before     INTEGER,
        revoked_at INTEGER NOT NULL,
        ends_at    INTEGER,
        UNIQUE (by, issuer, name)
    ) STRICT;
    CREATE INDEX revocations_by_end ON revocations (ends_at) WHERE ends_at IS NOT NULL;
",
    "
    CREATE TABLE fetched (
        source       TEXT    NOT NULL PRIMARY KEY CHECK (source <> ''),
        about        TEXT    NOT NULL,
        body         BLOB,
        location     TEXT    NOT NULL DEFAULT '',
        etag         TEXT,
        confirmed_at INTEGER NOT NULL DEFAULT 0,
        revision     INTEGER NOT NULL DEFAULT 0,
        due_at       INTEGER NOT NULL,
        early_at     INTEGER NOT NULL DEFAULT 0,
        failures     INTEGER NOT NULL DEFAULT 0,
        holder       INTEGER NOT NULL DEFAULT 0,
        held_until   INTEGER NOT NULL DEFAULT 0
    ) STRICT;
",
    "
    CREATE TABLE logins (
        number           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        session          TEXT    NOT NULL CHECK (session <> ''),
        issuer           TEXT    NOT NULL CHECK (issuer <> ''),
        user             TEXT    NOT NULL REFERENCES users (name) ON DELETE CASCADE,
        client           TEXT,
        audience         TEXT    NOT NULL CHECK (json_type(audience) = 'array'),
        scopes           TEXT    NOT NULL CHECK (json_type(scopes) = 'array'),
        claims           TEXT    CHECK (claims IS NULL OR json_type(claims) = 'object'),
        factors          TEXT    NOT NULL CHECK (json_type(factors) = 'array'),
        authenticated_at INTEGER,
        token_lifetime   INTEGER NOT NULL,
        created_at       INTEGER NOT NULL,
        expires_at       INTEGER NOT NULL,
        ended            TEXT
    ) STRICT;
    CREATE INDEX logins_by_session ON logins (session);
    CREATE INDEX logins_by_user ON logins (user);
    CREATE INDEX logins_by_end ON logins (expires_at);

    CREATE TABLE refresh_tokens (
        digest    BLOB    NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
        login     INTEGER NOT NULL REFERENCES logins (number) ON DELETE CASCADE,
        issued_at INTEGER NOT NULL,
        spent_at  INTEGER,
        sealed    BLOB
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX refresh_tokens_by_login ON refresh_tokens (login);
    CREATE INDEX refresh_tokens_sealed ON refresh_tokens (spent_at) WHERE sealed IS NOT NULL;
",
    "
    ALTER TABLE users ADD COLUMN tokens_from INTEGER NOT NULL DEFAULT 0;
    UPDATE users SET tokens_from = created_at;
",
];

/// The file is ours or empty, and not of a newer version. Changes nothing.
pub(super) fn recognise(connection: &Connection, path: &Path) -> Result<usize, Fault> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let objects: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if application == 0 && version == 0 && objects == 0 {
        return Ok(0);
    }
    let path = path.display();
    if application != APPLICATION_ID {
        return Err(refused(format!(
            "{path} is a SQLite database of another program; name another file under `state` in `[engine]`"
        )));
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(refused(format!(
            "{path} is of version {version}, and this Gatepost knows versions up to {}; update Gatepost, or put back \
             the backup from before the update",
            MIGRATIONS.len()
        ))),
    }
}

/// Brings the file to the current version. The caller holds the write lock and commits.
pub(super) fn migrate(transaction: &Transaction<'_>, path: &Path) -> Result<(), Fault> {
    let version = recognise(transaction, path)?;
    let Some(missing) = MIGRATIONS.get(version..).filter(|missing| !missing.is_empty()) else { return Ok(()) };
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX))?;
    Ok(())
}

fn refused(message: String) -> Fault {
    Fault::Said(Error::new(ErrorKind::State, message))
}
