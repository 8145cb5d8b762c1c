//! Revoking tokens.

use std::mem::offset_of;

use super::engine::gatepost_engine;
use super::error::gatepost_error;
use super::kernel::{Caller, Failure, Plain, guard_setup};
use super::types::*;
use crate::engine::{Revoke, Span};
use crate::state::By;

/// What is to be revoked: exactly one of token, token_id, session_id, subject and user. Zero it, set struct_size to
/// sizeof, fill in what is wanted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_revocation {
    /// sizeof (gatepost_revocation).
    pub struct_size: usize,
    /// A token. Its signature must be right; it may have expired. Or a refresh token: with it end its login and the
    /// access tokens of its session (RFC 7009). Its refresh token outlives an access token that is revoked.
    pub token: gatepost_str,
    /// Whose token_id, session_id or subject: the issuer's name in the policy, or its URL.
    pub issuer: gatepost_str,
    /// One token, by its "jti".
    pub token_id: gatepost_str,
    /// The tokens of a session, by their "sid".
    pub session_id: gatepost_str,
    /// The tokens of a person that were issued before `before`, and those that do not say when.
    pub subject: gatepost_str,
    /// The same of a local user, by every issuer whose subjects are local users.
    pub user: gatepost_str,
    /// Unix seconds, not later than now and the leeway; 0: all that say that they were issued until now, by this
    /// machine's clock. Of an issuer whose clock is ahead, name a time so much later. Only with subject and user.
    pub before: i64,
    /// By when all these tokens have expired, Unix seconds, so that the entry may be forgotten; 0: not known, it is kept
    /// for good. Not with token, which says so itself.
    pub until: i64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_revocation {}

const FIRST_RELEASE: usize = offset_of!(gatepost_revocation, until) + size_of::<i64>();

/// Revokes tokens. When it returns GATEPOST_OK the revocation is on the disk and holds for the next decision, in every
/// process that shares the state. Doing it again is no error.
///
/// engine: borrowed; started in this process.
/// revocation: borrowed for the call.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Writes to the disk: not for an event loop. Any number of threads at once.
/// Returns GATEPOST_OK, GATEPOST_ERR_INVALID_ARGUMENT where it does not name one thing, where the policy has no such
/// issuer, or where the token is not signed by one; GATEPOST_ERR_STATE where it could not be written; or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_token_revoke(
    engine: *const gatepost_engine,
    revocation: *const gatepost_revocation,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let engine = c.look(engine)?;
            let raw = c.sized(revocation, FIRST_RELEASE, "revocation")?;
            engine.revoke(&read(c, &raw)?)?;
            Ok(GATEPOST_OK)
        })
    }
}

fn read<'call>(c: Caller<'call>, raw: &gatepost_revocation) -> Result<Revoke<'call>, Failure> {
    let text = |value, name: &str| match std::str::from_utf8(c.bytes(value, name)?) {
        Ok(text) => Ok(Some(text).filter(|text| !text.is_empty())),
        Err(_) => Err(Failure::argument(format!("{name} is not UTF-8"))),
    };
    let (token, issuer) = (text(raw.token, "token")?, text(raw.issuer, "issuer")?);
    let named = [
        (By::Token, text(raw.token_id, "token_id")?),
        (By::Session, text(raw.session_id, "session_id")?),
        (By::Subject, text(raw.subject, "subject")?),
    ];
    let user = text(raw.user, "user")?;
    let set = |time: i64| (time != 0).then_some(time);
    let span = Span { before: set(raw.before), until: set(raw.until) };
    let mut named = named.into_iter().filter_map(|(by, name)| name.map(|name| (by, name)));
    match (token, named.next(), named.next(), user) {
        (Some(token), None, None, None) => {
            if issuer.is_some() || span.before.is_some() || span.until.is_some() {
                return Err(Failure::argument("a token says itself whose it is and when it ends: leave the rest zero"));
            }
            Ok(Revoke::Token(token))
        }
        (None, Some((by, name)), None, None) => {
            let issuer = issuer.ok_or_else(|| Failure::argument("issuer is empty: say whose tokens these are"))?;
            Ok(Revoke::Named { issuer, by, name, span })
        }
        (None, None, None, Some(name)) if issuer.is_none() => Ok(Revoke::User { name, span }),
        (None, None, None, Some(_)) => Err(Failure::argument("a user is local to all issuers: leave issuer empty")),
        _ => Err(Failure::argument("set exactly one of token, token_id, session_id, subject and user")),
    }
}
