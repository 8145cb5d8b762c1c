//! Verifying a token outside of any request, and what comes of it.

use std::mem::offset_of;

use super::bytes::Text;
use super::engine::gatepost_engine;
use super::error::gatepost_error;
use super::kernel::{Failure, Opaque, Plain, give, guard, guard_setup, guard_status};
use super::types::*;
use crate::answer::identity::joined;
use crate::decision::Action;
use crate::engine::Verdict;
use crate::reason::Reason;

/// What the engine says of a token. Owned by the caller, ended with gatepost_verified_free. It outlives reload and end of
/// the engine; it is the truth of the moment at which it was asked for, and no longer.
pub struct gatepost_verified {
    _opaque: [u8; 0],
}

/// All of it in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past it.
/// Everything it points to belongs to the gatepost_verified.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_token_view {
    /// sizeof (gatepost_token_view), set by the caller.
    pub struct_size: usize,
    /// GATEPOST_ALLOW: the token is good. GATEPOST_DENY: it is not, and reason says why.
    pub action: gatepost_action,
    /// The HTTP status that a request with it would get if nothing else were asked.
    pub status: u32,
    /// Why.
    pub reason: gatepost_reason,
    /// 0.
    pub reserved: u32,
    /// The stable name of the reason.
    pub reason_name: gatepost_str,
    /// For the operator: what was seen and what was wanted; empty where it is good. Not for whoever sent the token.
    pub detail: gatepost_str,
    /// For whom it stands; empty where it is not good.
    pub subject: gatepost_str,
    /// Whose subject that is; empty for local users. (issuer, subject) is the person, never the subject alone.
    pub issuer: gatepost_str,
    /// Roles, joined by a comma; bytes outside 0x21-0x7E, "%" and "," are percent-encoded.
    pub roles: gatepost_str,
    /// Scopes, joined by a space and encoded likewise.
    pub scopes: gatepost_str,
    /// All claims as they were sent, a JSON object; empty where it is not good.
    pub claims: gatepost_str,
    /// The policy's name of the issuer, where the signature and the claims are right.
    pub issuer_name: gatepost_str,
    /// "jti", likewise; empty where there is none, or it has a NUL in it.
    pub token_id: gatepost_str,
    /// "sid", likewise.
    pub session_id: gatepost_str,
    /// "iat" in Unix seconds, likewise; 0: not said.
    pub issued_at: i64,
    /// "exp" in Unix seconds; 0 where it is not good.
    pub expires_at: i64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_token_view {}

const FIRST_RELEASE: usize = offset_of!(gatepost_token_view, expires_at) + size_of::<i64>();

/// The strings that the view points to lie where they are until all of it is freed.
pub(super) struct Held {
    view: gatepost_token_view,
    _texts: [Text; 10],
}

// SAFETY: the view points into the texts, which nobody changes.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Opaque for gatepost_verified {
    type Inner = Held;
    const MARK: u64 = u64::from_le_bytes(*b"gpverify");
    const NAME: &'static str = "gatepost_verified";
}

/// Verifies a token outside of any request, as a decision would: signature, times, audience, type, claims, revocation, and
/// of a local user what the state says. No route is asked. A token that is bound to a key is refused, since only a request
/// can show who holds it.
///
/// engine: borrowed; started in this process.
/// token: the token alone, without "Bearer"; borrowed for the call.
/// now: Unix seconds; 0: the clock.
/// verified: gets what came of it, owned by the caller, also where the token is not good.
/// error: gets the reasons of a failure. NULL: not wanted.
/// May ask the state, which reads the disk: not for an event loop. Any number of threads at once.
/// Returns GATEPOST_OK, also where the token is not good, or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_token_verify(
    engine: *const gatepost_engine,
    token: gatepost_str,
    now: i64,
    verified: *mut *mut gatepost_verified,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(verified, "verified")?;
            let engine = c.look(engine)?;
            // What is not UTF-8 is no token, which the engine then says.
            let token = String::from_utf8_lossy(c.bytes(token, "token")?);
            let verdict = engine.verify_token(&token, (now != 0).then_some(now))?;
            place.set(give::<gatepost_verified>(Held::new(&verdict)?));
            Ok(GATEPOST_OK)
        })
    }
}

/// Fills a struct of the caller's with all that is known of the token.
///
/// verified: borrowed.
/// view: struct_size set by the caller, the rest is written.
/// What the view points to lives as long as verified. Any number of threads at once.
/// Returns GATEPOST_OK or an error; on an error nothing is written and the token must count as refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_verified_view(
    verified: *const gatepost_verified,
    view: *mut gatepost_token_view,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let place = c.sized_out(view, FIRST_RELEASE, "view")?;
            place.set(&c.look(verified)?.view);
            Ok(GATEPOST_OK)
        })
    }
}

/// Ends what came of a token with all strings taken from it. NULL is a no-op.
///
/// verified: taken.
/// One thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_verified_free(verified: *mut gatepost_verified) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.take(verified).map(drop)) }
}

impl Held {
    fn new(verdict: &Verdict) -> Result<Held, Failure> {
        let good = verdict.identity.as_deref().filter(|_| verdict.reason == Reason::Allowed);
        let text = |text: &str| Text::new(text.as_bytes());
        let plain = |text: &Option<String>| {
            Text::new(text.as_deref().filter(|text| !text.contains('\0')).unwrap_or_default().as_bytes())
        };
        let texts = [
            text(verdict.reason.name())?,
            Text::lossy(verdict.detail.as_bytes()),
            text(good.map_or("", |who| &who.subject))?,
            text(good.map_or("", |who| &who.issuer))?,
            text(&good.map_or(String::new(), |who| joined(&who.roles, ",")))?,
            text(&good.map_or(String::new(), |who| joined(&who.scopes, " ")))?,
            text(good.and_then(|who| who.claims.as_ref()).map_or("", |claims| claims.text()))?,
            plain(&verdict.issuer)?,
            plain(&verdict.token_id)?,
            plain(&verdict.session_id)?,
        ];
        let [reason_name, detail, subject, issuer, roles, scopes, claims, issuer_name, token_id, session_id] =
            texts.each_ref().map(Text::view);
        let view = gatepost_token_view {
            struct_size: size_of::<gatepost_token_view>(),
            action: if good.is_some() { Action::Allow } else { Action::Deny } as u32,
            status: u32::from(verdict.reason.status()),
            reason: verdict.reason.number(),
            reserved: 0,
            reason_name,
            detail,
            subject,
            issuer,
            roles,
            scopes,
            claims,
            issuer_name,
            token_id,
            session_id,
            issued_at: verdict.issued_at.unwrap_or(0),
            expires_at: good.and_then(|who| who.expires_at).unwrap_or(0),
        };
        Ok(Held { view, _texts: texts })
    }
}
