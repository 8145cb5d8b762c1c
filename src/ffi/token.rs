//! Issuing tokens for local users, and exchanging refresh tokens.

use std::mem::offset_of;

use super::bytes::Text;
use super::engine::gatepost_engine;
use super::error::gatepost_error;
use super::kernel::{Caller, Failure, Opaque, Plain, give, guard, guard_setup, guard_status};
use super::types::*;
use crate::engine::{RefreshRequest, TokenRequest, Tokens};

/// gatepost_token_request.flags: a refresh token is wanted too. The signer must give such.
pub const GATEPOST_TOKEN_REFRESH: u32 = 1;

/// More entries in one list are a slip.
const MOST: usize = 256;

/// What a token is asked for with. Zero it, set struct_size to sizeof, fill in what there is. All of it is borrowed for
/// the call. Strings are UTF-8 without control characters.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_token_request {
    /// sizeof (gatepost_token_request).
    pub struct_size: usize,
    /// Name of the [[signer]]; empty: the policy's only one.
    pub signer: gatepost_str,
    /// The local user that the token is for.
    pub user: gatepost_str,
    /// Who asks for it (OAuth client_id); empty: nobody in particular.
    pub client_id: gatepost_str,
    /// The host's own name for the session (claim sid); empty: one is drawn where there is a refresh token.
    pub session: gatepost_str,
    /// Further claims as a JSON object, up to 4 KiB; empty: none. What the signer writes itself may not be among them.
    pub claims: gatepost_str,
    /// Scopes.
    pub scopes: *const gatepost_str,
    /// How many.
    pub scope_count: usize,
    /// Some of the signer's audience; none: all of it.
    pub audience: *const gatepost_str,
    /// How many.
    pub audience_count: usize,
    /// By which factors the user proved who they are (claim amr, RFC 8176).
    pub factors: *const gatepost_str,
    /// How many.
    pub factor_count: usize,
    /// Seconds that it lasts, at most what the policy says; 0: that.
    pub lifetime: i64,
    /// When the user proved who they are (claim auth_time), Unix seconds; 0: not known.
    pub authenticated_at: i64,
    /// Unix seconds to issue it at; 0: the engine's clock.
    pub now: i64,
    /// GATEPOST_TOKEN_* together.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_token_request {}

const FIRST_TOKEN: usize = offset_of!(gatepost_token_request, reserved) + size_of::<u32>();

/// A refresh token that is handed in. Zero it, set struct_size to sizeof, fill in what there is. All of it is borrowed
/// for the call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_refresh_request {
    /// sizeof (gatepost_refresh_request).
    pub struct_size: usize,
    /// The refresh token, as it was sent.
    pub token: gatepost_str,
    /// Who hands it in: the client_id that it was issued with.
    pub client_id: gatepost_str,
    /// Fewer scopes than the login has; none: all of them.
    pub scopes: *const gatepost_str,
    /// How many.
    pub scope_count: usize,
    /// Unix seconds; 0: the engine's clock.
    pub now: i64,
    /// 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_refresh_request {}

const FIRST_REFRESH: usize = offset_of!(gatepost_refresh_request, reserved) + size_of::<u32>();

/// Tokens just issued. Owned by the caller, ended with gatepost_tokens_free, which also overwrites them.
pub struct gatepost_tokens {
    _opaque: [u8; 0],
}

/// All of it in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past it.
/// Everything it points to belongs to the gatepost_tokens.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_issued {
    /// sizeof (gatepost_issued), set by the caller.
    pub struct_size: usize,
    /// The access token: a JWT as RFC 9068 has it.
    pub access_token: gatepost_str,
    /// The refresh token; empty: none.
    pub refresh_token: gatepost_str,
    /// Scopes of the access token, joined by a space.
    pub scope: gatepost_str,
    /// The user, in the canonical spelling.
    pub user: gatepost_str,
    /// Claim sid; empty: none.
    pub session: gatepost_str,
    /// Claim jti.
    pub token_id: gatepost_str,
    /// The answer of an OAuth token endpoint (RFC 6749 section 5.1) as JSON, to be sent with Cache-Control: no-store.
    pub json: gatepost_str,
    /// Seconds to the end of the access token.
    pub expires_in: i64,
    /// The end of the access token, Unix seconds.
    pub expires_at: i64,
    /// The end of the last refresh token of this login, Unix seconds; 0: there is none.
    pub refresh_expires_at: i64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_issued {}

const FIRST_ISSUED: usize = offset_of!(gatepost_issued, refresh_expires_at) + size_of::<i64>();

/// What the handle holds.
pub struct Held {
    access: Text,
    refresh: Text,
    scope: Text,
    user: Text,
    session: Text,
    id: Text,
    json: Text,
    times: [i64; 3],
}

impl Opaque for gatepost_tokens {
    type Inner = Held;
    const MARK: u64 = u64::from_le_bytes(*b"gptokens");
    const NAME: &'static str = "gatepost_tokens";
}

/// Issues an access token for a local user and, with GATEPOST_TOKEN_REFRESH, a refresh token. Whether the user is who
/// they say they are is the host's to have checked.
///
/// engine: borrowed; started in this process.
/// request: borrowed for the call.
/// tokens: gets the tokens, owned by the caller.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Reads the state, and writes it where there is a refresh token: on the disk before the call returns. Not for an event
/// loop. Any number of threads at once.
/// Returns GATEPOST_OK; GATEPOST_ERR_CONFLICT where the user does not exist or is disabled;
/// GATEPOST_ERR_INVALID_ARGUMENT where something cannot be issued as it was asked for; or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_token_issue(
    engine: *const gatepost_engine,
    request: *const gatepost_token_request,
    tokens: *mut *mut gatepost_tokens,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(tokens, "tokens")?;
            let engine = c.look(engine)?;
            let raw = c.sized(request, FIRST_TOKEN, "request")?;
            if raw.flags & !GATEPOST_TOKEN_REFRESH != 0 || raw.reserved != 0 {
                return Err(unknown_bits());
            }
            let (scopes, audience, factors) = (
                list(c, raw.scopes, raw.scope_count, "scopes")?,
                list(c, raw.audience, raw.audience_count, "audience")?,
                list(c, raw.factors, raw.factor_count, "factors")?,
            );
            let issued = engine.issue_token(&TokenRequest {
                signer: given(c, raw.signer, "signer")?,
                user: text(c, raw.user, "user")?,
                audience: &audience,
                scopes: &scopes,
                lifetime: Some(raw.lifetime).filter(|seconds| *seconds != 0),
                client: given(c, raw.client_id, "client_id")?,
                session: given(c, raw.session, "session")?,
                authenticated_at: Some(raw.authenticated_at).filter(|at| *at != 0),
                factors: &factors,
                claims: given(c, raw.claims, "claims")?,
                refresh: raw.flags & GATEPOST_TOKEN_REFRESH != 0,
                now: Some(raw.now).filter(|now| *now != 0),
            })?;
            place.set(give(Held::new(&issued)?));
            Ok(GATEPOST_OK)
        })
    }
}

/// Exchanges a refresh token for an access token and the next refresh token. Each is exchanged once. A used one that
/// comes again gets the same answer for the policy's grace (10 seconds unless it says otherwise); later it ends its login,
/// and all refresh tokens that came of it.
///
/// engine: borrowed; started in this process.
/// request: borrowed for the call.
/// tokens: gets the tokens, owned by the caller.
/// error: gets the reasons of a failure, for the log and not for the client. NULL: not wanted.
/// Writes the state: on the disk before the call returns. Not for an event loop. Any number of threads at once.
/// Returns GATEPOST_OK; GATEPOST_ERR_REFUSED where the token is unknown, expired, revoked, used before or another
/// client's, which the client hears as invalid_grant, whichever it is; GATEPOST_ERR_INVALID_ARGUMENT where more scopes
/// are asked for than the login has; or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_token_refresh(
    engine: *const gatepost_engine,
    request: *const gatepost_refresh_request,
    tokens: *mut *mut gatepost_tokens,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(tokens, "tokens")?;
            let engine = c.look(engine)?;
            let raw = c.sized(request, FIRST_REFRESH, "request")?;
            if raw.flags != 0 || raw.reserved != 0 {
                return Err(unknown_bits());
            }
            let scopes = list(c, raw.scopes, raw.scope_count, "scopes")?;
            let issued = engine.refresh_token(&RefreshRequest {
                // What is no text is no token either.
                token: std::str::from_utf8(c.bytes(raw.token, "token")?).unwrap_or_default(),
                client: given(c, raw.client_id, "client_id")?,
                scopes: &scopes,
                now: Some(raw.now).filter(|now| *now != 0),
            })?;
            place.set(give(Held::new(&issued)?));
            Ok(GATEPOST_OK)
        })
    }
}

/// Fills a struct of the caller's with all of the tokens.
///
/// tokens: borrowed.
/// issued: struct_size set by the caller, the rest is written.
/// What the struct points to lives as long as the tokens. Any number of threads at once.
/// Returns GATEPOST_OK or an error; on an error nothing is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_tokens_view(
    tokens: *const gatepost_tokens,
    issued: *mut gatepost_issued,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let place = c.sized_out(issued, FIRST_ISSUED, "issued")?;
            place.set(&c.look(tokens)?.view());
            Ok(GATEPOST_OK)
        })
    }
}

/// Overwrites and ends tokens with all strings taken from them; what was issued stays good. NULL is a no-op.
///
/// tokens: taken.
/// One thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_tokens_free(tokens: *mut gatepost_tokens) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.take(tokens).map(drop)) }
}

impl Held {
    fn new(tokens: &Tokens) -> Result<Held, Failure> {
        let text = |text: &str| Text::new(text.as_bytes());
        Ok(Held {
            access: text(&tokens.access)?,
            refresh: text(tokens.refresh.as_ref().map_or("", |token| token.as_str()))?,
            scope: text(&tokens.scopes.join(" "))?,
            user: text(&tokens.user)?,
            session: text(tokens.session.as_deref().unwrap_or_default())?,
            id: text(&tokens.id)?,
            json: text(&tokens.answer())?,
            times: [tokens.expires_in, tokens.expires_at, tokens.refresh_expires_at.unwrap_or_default()],
        })
    }

    fn view(&self) -> gatepost_issued {
        let [expires_in, expires_at, refresh_expires_at] = self.times;
        gatepost_issued {
            struct_size: size_of::<gatepost_issued>(),
            access_token: self.access.view(),
            refresh_token: self.refresh.view(),
            scope: self.scope.view(),
            user: self.user.view(),
            session: self.session.view(),
            token_id: self.id.view(),
            json: self.json.view(),
            expires_in,
            expires_at,
            refresh_expires_at,
        }
    }
}

fn unknown_bits() -> Failure {
    Failure::unsupported("request.flags or request.reserved has bits that this release does not know")
}

fn text<'call>(c: Caller<'call>, text: gatepost_str, name: &str) -> Result<&'call str, Failure> {
    std::str::from_utf8(c.bytes(text, name)?).map_err(|_| Failure::argument(format!("{name} is not UTF-8")))
}

/// `None` where it is empty.
fn given<'call>(c: Caller<'call>, given: gatepost_str, name: &str) -> Result<Option<&'call str>, Failure> {
    text(c, given, name).map(|text| Some(text).filter(|text| !text.is_empty()))
}

fn list(c: Caller<'_>, pointer: *const gatepost_str, count: usize, name: &str) -> Result<Vec<String>, Failure> {
    if count > MOST {
        return Err(Failure::argument(format!("{name} has {count} entries; at most {MOST} are taken")));
    }
    c.slice(pointer, count, name)?.iter().map(|one| text(c, *one, name).map(str::to_owned)).collect()
}
