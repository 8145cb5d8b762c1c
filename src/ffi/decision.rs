//! A decision as C reads it.

pub(super) mod flat;
mod held;
mod laid_out;

use std::mem::offset_of;

use self::held::Held;
use super::kernel::{Caller, Failure, Opaque, Plain, SizedOut, give_settled, guard, guard_status};
use super::types::*;
use crate::decision::Decision;

/// The answer to one request. Owned by the caller, ended with gatepost_decision_free. It outlives reload and end of
/// the engine.
pub struct gatepost_decision {
    _opaque: [u8; 0],
}

/// All of a decision in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past
/// it. Everything it points to belongs to the decision.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_view {
    /// sizeof (gatepost_view), set by the caller.
    pub struct_size: usize,
    /// What to do.
    pub action: gatepost_action,
    /// The HTTP status; 200 for GATEPOST_ALLOW and GATEPOST_PASS.
    pub status: u32,
    /// Why. For logs; what the person may know is in the body.
    pub reason: gatepost_reason,
    /// Seconds until another try may succeed; 0: not said.
    pub retry_after: u32,
    /// The stable name of the reason.
    pub reason_name: gatepost_str,
    /// What a user reads to support and what the log is searched by.
    pub id: gatepost_str,
    /// Who was recognised, also where the request is refused; empty: nobody.
    pub subject: gatepost_str,
    /// Whose subject it is; empty for local users. (issuer, subject) is the person, never the subject alone.
    pub issuer: gatepost_str,
    /// The scheme that was used or tried, like "basic"; empty: none.
    pub scheme: gatepost_str,
    /// Header fields for the response to the client.
    pub response_headers: *const gatepost_header,
    /// How many.
    pub response_header_count: usize,
    /// Header fields for the application, to apply after those to strip are gone.
    pub upstream_headers: *const gatepost_header,
    /// How many.
    pub upstream_header_count: usize,
    /// Names of request fields to remove before the application sees the request, on every action.
    pub strip: *const gatepost_str,
    /// How many.
    pub strip_count: usize,
    /// Body of the answer; its type is among the response headers. Empty on GATEPOST_ALLOW and GATEPOST_PASS,
    /// and for HEAD.
    pub body: gatepost_str,
    /// Which of the engine's policies decided: gatepost_engine_generation at that moment.
    pub generation: u64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_view {}

/// How a decision begins that was written into memory of the caller's. Behind it, at `head`, is a table of uint32_t:
/// for each header field for the response the lengths of name and value and the mode, the same for each for the
/// application, and the length of each name to strip. Behind the table are the strings, one after the other and without
/// NUL: subject, issuer, scheme, roles, scopes; name and value of each header field, in the order of the table; the names
/// to strip; the body; the id. All before the id may be the same for many decisions.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_flat {
    /// How many bytes all of it is.
    pub size: u32,
    /// Where the table begins: the length of this struct, which may grow.
    pub head: u32,
    /// Which of the engine's policies decided: gatepost_engine_generation at that moment.
    pub generation: u64,
    /// What to do.
    pub action: gatepost_action,
    /// The HTTP status; 200 for GATEPOST_ALLOW and GATEPOST_PASS.
    pub status: u32,
    /// Why. For logs; what the person may know is in the body.
    pub reason: gatepost_reason,
    /// Seconds until another try may succeed; 0: not said.
    pub retry_after: u32,
    /// Length of the id.
    pub id: u32,
    /// Length of the subject; 0: nobody was recognised.
    pub subject: u32,
    /// Length of the issuer.
    pub issuer: u32,
    /// Length of the scheme's name.
    pub scheme: u32,
    /// Length of the roles, joined as gatepost_decision_attribute joins them.
    pub roles: u32,
    /// Length of the scopes, joined as gatepost_decision_attribute joins them.
    pub scopes: u32,
    /// How many header fields for the response there are.
    pub response_header_count: u32,
    /// How many header fields for the application there are.
    pub upstream_header_count: u32,
    /// How many names to strip there are.
    pub strip_count: u32,
    /// Length of the body.
    pub body: u32,
}

pub(super) const FIRST_RELEASE: usize = offset_of!(gatepost_view, generation) + size_of::<u64>();

impl Opaque for gatepost_decision {
    type Inner = Held;
    const MARK: u64 = u64::from_le_bytes(*b"gpdecide");
    const NAME: &'static str = "gatepost_decision";
}

impl gatepost_decision {
    /// The decision as a handle; what is left in its place is empty.
    #[inline(always)]
    pub(super) fn give(decision: &mut Decision) -> Result<*mut gatepost_decision, Failure> {
        // SAFETY: it writes all of it.
        unsafe { give_settled::<gatepost_decision>(|place| Held::write(place, decision), Held::settle) }
    }
}

/// Fills a struct of the caller's with all of a decision.
///
/// decision: borrowed.
/// view: struct_size set by the caller, the rest is written.
/// What the view points to lives as long as the decision. Any number of threads at once.
/// Returns GATEPOST_OK or an error; on an error nothing is written and the host must refuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_view(
    decision: *const gatepost_decision,
    view: *mut gatepost_view,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let place = c.sized_out(view, FIRST_RELEASE, "view")?;
            place.set(&c.look(decision)?.view);
            Ok(GATEPOST_OK)
        })
    }
}

/// What to do.
///
/// decision: borrowed.
/// Any number of threads at once.
/// Returns one of GATEPOST_DENY, GATEPOST_ALLOW, GATEPOST_RESPOND, GATEPOST_PASS; GATEPOST_DENY for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_action(decision: *const gatepost_decision) -> gatepost_action {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(GATEPOST_DENY, |c| Ok(c.look(decision)?.view.action)) }
}

/// The HTTP status.
///
/// decision: borrowed.
/// Any number of threads at once.
/// Returns the status, 200 for GATEPOST_ALLOW and GATEPOST_PASS; 500 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_status(decision: *const gatepost_decision) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(500, |c| Ok(c.look(decision)?.view.status)) }
}

/// Why. For logs; what the person may know is in the decision's body.
///
/// decision: borrowed.
/// Any number of threads at once.
/// Returns one of GATEPOST_REASON_*; GATEPOST_REASON_INTERNAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_reason(decision: *const gatepost_decision) -> gatepost_reason {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(super::reason_numbers::GATEPOST_REASON_INTERNAL, |c| Ok(c.look(decision)?.view.reason)) }
}

/// Who was recognised, also where the request is refused.
///
/// decision: borrowed.
/// The string lives as long as the decision. Any number of threads at once.
/// Returns the subject; empty where nobody was recognised, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_subject(decision: *const gatepost_decision) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(gatepost_str::EMPTY, |c| Ok(c.look(decision)?.view.subject)) }
}

/// What a user reads to support and what the log is searched by: the request's own id, or one that the engine drew.
///
/// decision: borrowed.
/// The string lives as long as the decision. Any number of threads at once.
/// Returns the id; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_id(decision: *const gatepost_decision) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(gatepost_str::EMPTY, |c| Ok(c.look(decision)?.view.id)) }
}

/// One fact of a decision by name: "subject", "issuer", "scheme", "roles", "scopes", "id", "reason". Roles are joined
/// by a comma and scopes by a space; in them bytes outside 0x21-0x7E, "%" and "," are percent-encoded.
///
/// decision: borrowed.
/// name: borrowed for the call.
/// The string lives as long as the decision. Any number of threads at once.
/// Returns the value; empty where there is none, for a name that it does not know, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_attribute(
    decision: *const gatepost_decision,
    name: gatepost_str,
) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard(gatepost_str::EMPTY, |c| {
            let held = c.look(decision)?;
            match c.bytes(name, "name")? {
                b"subject" => Ok(held.view.subject),
                b"issuer" => Ok(held.view.issuer),
                b"scheme" => Ok(held.view.scheme),
                b"roles" => Ok(held.roles()),
                b"scopes" => Ok(held.scopes()),
                b"id" => Ok(held.view.id),
                b"reason" => Ok(held.view.reason_name),
                _ => Err(Failure::unsupported("no such attribute")),
            }
        })
    }
}

/// Ends a decision with all strings and arrays taken from it. NULL is a no-op.
///
/// decision: taken.
/// One thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_free(decision: *mut gatepost_decision) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.end(decision)) }
}

/// Fills the caller's view of a decision that was just made.
pub(super) fn fill(
    c: Caller<'_>,
    place: SizedOut<'_, gatepost_view>,
    decision: *const gatepost_decision,
) -> Result<(), Failure> {
    place.set(&c.look(decision)?.view);
    Ok(())
}
