//! Refresh tokens in SQL. Only digests are stored, and answers that the spent token alone can open.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::failure::Fault;
use super::{revocations, text, users};
use crate::error::{Error, ErrorKind};
use crate::state::{By, Exchange, Exchanged, Login, LoginEnd, Logins, RefreshToken, Revocation};

/// Seconds after which nobody asks for a sealed answer any more: the most that `grace` can be.
const SEALED: i64 = 60;
/// Seconds for which a login that is over is still told apart from one that never was.
const REMEMBERED: i64 = 7 * 86_400;
/// The most leeway that a policy can grant, seconds.
const LEEWAY: i64 = 300;

/// A login with its first token. A conflict where the user does not exist or is disabled.
pub(super) fn add(transaction: &Transaction<'_>, login: &Login, digest: &[u8; 32]) -> Result<(), Fault> {
    users::known(transaction, &login.user)?;
    let user = users::one(transaction, &login.user)?;
    if user.is_some_and(|user| user.disabled) {
        let message = format!("{} is disabled; `gatepost user enable` lets the account in again", login.user);
        return Err(Fault::Said(Error::new(ErrorKind::Conflict, message)));
    }
    text::check("session", &login.session)?;
    transaction
        .prepare_cached(
            "INSERT INTO logins (session, issuer, user, client, audience, scopes, claims, factors, authenticated_at,
                 token_lifetime, created_at, expires_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            login.session,
            login.issuer,
            login.user,
            login.client,
            text::list(&login.audience)?,
            text::list(&login.scopes)?,
            login.claims,
            text::list(&login.factors)?,
            login.authenticated_at,
            login.token_lifetime,
            login.created_at,
            login.expires_at,
        ])?;
    put(transaction, digest, transaction.last_insert_rowid(), login.created_at)
}

/// The token with this digest.
pub(super) fn one(connection: &Connection, digest: &[u8; 32]) -> Result<Option<RefreshToken>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT l.session, l.issuer, l.user, l.client, l.audience, l.scopes, l.claims, l.factors, l.authenticated_at,
             l.token_lifetime, l.created_at, l.expires_at, l.ended, t.issued_at, t.spent_at
         FROM refresh_tokens t JOIN logins l ON l.number = t.login WHERE t.digest = ?1",
    )?;
    let mut rows = statement.query(params![digest])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let list = |index: usize| -> Result<Vec<String>, Fault> { text::unlist(&row.get::<_, String>(index)?) };
    let login = Login {
        session: row.get(0)?,
        issuer: row.get(1)?,
        user: row.get(2)?,
        client: row.get(3)?,
        audience: list(4)?,
        scopes: list(5)?,
        claims: row.get(6)?,
        factors: list(7)?,
        authenticated_at: row.get(8)?,
        token_lifetime: row.get(9)?,
        created_at: row.get(10)?,
        expires_at: row.get(11)?,
    };
    let ended = row.get::<_, Option<String>>(12)?.map(|word| ended(&word));
    Ok(Some(RefreshToken { login, issued_at: row.get(13)?, spent_at: row.get(14)?, ended }))
}

/// Spends a token and puts the next one in force; with it, whether anything that decisions read is different.
pub(super) fn exchange(transaction: &Transaction<'_>, exchange: &Exchange<'_>) -> Result<(bool, Exchanged), Fault> {
    forget(transaction, exchange.now)?;
    let found = transaction
        .prepare_cached(
            "SELECT t.login, t.spent_at, t.sealed, l.ended, l.issuer, l.session, l.token_lifetime
             FROM refresh_tokens t JOIN logins l ON l.number = t.login WHERE t.digest = ?1",
        )?
        .query_row(params![exchange.digest], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get::<_, Option<Vec<u8>>>(2)?,
                row.get::<_, Option<String>>(3)?,
                (row.get::<_, String>(4)?, row.get::<_, String>(5)?, row.get::<_, i64>(6)?),
            ))
        })
        .optional()?;
    let Some((login, spent_at, sealed, over, of)) = found else { return Ok((false, Exchanged::Unknown)) };
    if let Some(word) = over {
        return Ok((false, Exchanged::Over(ended(&word))));
    }
    match (spent_at, sealed) {
        (None, _) => {}
        // Clocks may go back a little.
        (Some(at), Some(sealed)) if exchange.now.abs_diff(at) < exchange.grace.unsigned_abs() => {
            return Ok((false, Exchanged::Again(sealed)));
        }
        (Some(_), _) => {
            end(transaction, login, LoginEnd::Reused)?;
            let (issuer, name, lifetime) = of;
            // Until the last of its access tokens has expired, with the most leeway that a policy can grant.
            let ends_at = exchange.now.saturating_add(lifetime).saturating_add(LEEWAY);
            let (before, revoked_at) = (None, exchange.now);
            let session = Revocation { by: By::Session, issuer, name, before, revoked_at, ends_at: Some(ends_at) };
            return Ok((revocations::add(transaction, &session)?, Exchanged::Reused));
        }
    }
    // Without a grace nobody could ask for it.
    let sealed = (exchange.grace > 0).then_some(exchange.sealed);
    transaction
        .prepare_cached("UPDATE refresh_tokens SET spent_at = ?2, sealed = ?3 WHERE digest = ?1")?
        .execute(params![exchange.digest, exchange.now, sealed])?;
    put(transaction, exchange.next, login, exchange.now)?;
    Ok((false, Exchanged::Done))
}

/// Ends logins that are not over yet; how many.
pub(super) fn revoke(transaction: &Transaction<'_>, issuer: &str, which: Logins<'_>) -> Result<usize, Fault> {
    let word = LoginEnd::Revoked.name();
    Ok(match which {
        Logins::Session(session) => transaction
            .prepare_cached("UPDATE logins SET ended = ?3 WHERE session = ?2 AND issuer = ?1 AND ended IS NULL")?
            .execute(params![issuer, session, word])?,
        Logins::User { name, before } => transaction
            .prepare_cached(
                "UPDATE logins SET ended = ?3
                 WHERE user = ?2 AND issuer = ?1 AND ended IS NULL AND (?4 IS NULL OR created_at < ?4)",
            )?
            .execute(params![issuer, name, word, before])?,
    })
}

/// A revocation of the access tokens of a session or a subject holds for their refresh tokens too.
pub(super) fn revoke_as(transaction: &Transaction<'_>, revocation: &Revocation) -> Result<usize, Fault> {
    let (name, before) = (revocation.name.as_str(), revocation.before);
    match revocation.by {
        By::Session => revoke(transaction, &revocation.issuer, Logins::Session(name)),
        By::Subject => revoke(transaction, &revocation.issuer, Logins::User { name, before }),
        By::Token | By::Claims => Ok(0),
    }
}

/// Ends all logins of a user.
pub(super) fn end_user(transaction: &Transaction<'_>, user: &str, why: LoginEnd) -> Result<(), Fault> {
    transaction
        .prepare_cached("UPDATE logins SET ended = ?2 WHERE user = ?1 AND ended IS NULL")?
        .execute(params![user, why.name()])?;
    Ok(())
}

/// Sealed answers that are too old, and logins that have been over for long.
pub(super) fn sweep(transaction: &Transaction<'_>, now: i64) -> Result<(), Fault> {
    forget(transaction, now)?;
    let long_ago = now.saturating_sub(REMEMBERED);
    transaction.prepare_cached("DELETE FROM logins WHERE expires_at < ?1")?.execute(params![long_ago])?;
    Ok(())
}

/// Something is there that `sweep` would take away.
pub(super) fn is_stale(connection: &Connection, now: i64) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM refresh_tokens WHERE sealed IS NOT NULL AND spent_at < ?1)
             OR EXISTS (SELECT 1 FROM logins WHERE expires_at < ?2)",
    )?;
    let (spent, expired) = (now.saturating_sub(SEALED), now.saturating_sub(REMEMBERED));
    Ok(statement.query_row(params![spent, expired], |row| row.get(0))?)
}

fn forget(transaction: &Transaction<'_>, now: i64) -> Result<(), Fault> {
    transaction
        .prepare_cached("UPDATE refresh_tokens SET sealed = NULL WHERE sealed IS NOT NULL AND spent_at < ?1")?
        .execute(params![now.saturating_sub(SEALED)])?;
    Ok(())
}

fn end(transaction: &Transaction<'_>, login: i64, why: LoginEnd) -> Result<(), Fault> {
    // Nothing of it is asked for any more.
    transaction
        .prepare_cached("UPDATE refresh_tokens SET sealed = NULL WHERE login = ?1 AND sealed IS NOT NULL")?
        .execute(params![login])?;
    transaction
        .prepare_cached("UPDATE logins SET ended = ?2 WHERE number = ?1")?
        .execute(params![login, why.name()])?;
    Ok(())
}

fn put(transaction: &Transaction<'_>, digest: &[u8; 32], login: i64, now: i64) -> Result<(), Fault> {
    transaction
        .prepare_cached("INSERT INTO refresh_tokens (digest, login, issued_at) VALUES (?1, ?2, ?3)")?
        .execute(params![digest, login, now])?;
    Ok(())
}

/// A word that a newer version wrote means at least that it is over.
fn ended(word: &str) -> LoginEnd {
    LoginEnd::ALL.into_iter().find(|ended| ended.name() == word).unwrap_or(LoginEnd::Revoked)
}
