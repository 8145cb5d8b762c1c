//! The one question: what about this request?

use std::ffi::c_char;
use std::mem::{MaybeUninit, offset_of};

use super::decision::{FIRST_RELEASE, fill, flat, gatepost_decision, gatepost_flat, gatepost_view};
use super::engine::gatepost_engine;
use super::job::gatepost_job;
use super::kernel::{Failure, Plain, guard_status};
use super::request::{self, Headers, gatepost_request, text};
use super::types::*;
use crate::decision::Decision;
use crate::engine::{Begun, Engine};
use crate::request::Request;

/// Decides a request. Once for each request of a client: internal redirects and subrequests reuse the decision.
///
/// engine: borrowed; started in this process.
/// request: borrowed for the call only, also where it returns GATEPOST_PENDING.
/// decision: gets the decision, owned by the caller; NULL with GATEPOST_PENDING.
/// job: NULL: the caller may block, and everything happens inside. Otherwise what is cheap is decided at once (and
///     *job becomes NULL), and where something slow is left *job gets it, owned by the caller: gatepost_job_run on a
///     thread that may block and then gatepost_job_finish; or gatepost_pool_submit.
/// Any number of threads at once.
/// Returns GATEPOST_OK with a decision, also where it is a refusal; GATEPOST_PENDING with a job; or an error, with
/// nothing written: then no decision could be made and the host must refuse (503 for GATEPOST_ERR_OVERLOADED and
/// GATEPOST_ERR_STATE, else 500).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decide(
    engine: *const gatepost_engine,
    request: *const gatepost_request,
    decision: *mut *mut gatepost_decision,
    job: *mut *mut gatepost_job,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let decision = c.out(decision, "decision")?;
            let job = if job.is_null() { None } else { Some(c.out(job, "job")?) };
            let engine = c.look(engine)?;
            let mut headers = Headers::new();
            let request = request::read(c, request, &mut headers)?;
            let Some(job) = job else {
                decision.set(gatepost_decision::give(&mut engine.decide(&request)?)?);
                return Ok(GATEPOST_OK);
            };
            let (made, slow) = begin(engine, &request, None)?;
            decision.set(made);
            job.set(slow);
            Ok(if slow.is_null() { GATEPOST_OK } else { GATEPOST_PENDING })
        })
    }
}

/// gatepost_decide without a job and gatepost_decision_view in one call, for callers to whom each call is dear.
///
/// engine: borrowed; started in this process.
/// request: borrowed for the call.
/// decision: gets the decision, owned by the caller.
/// view: struct_size set by the caller, the rest is written. What it points to lives as long as the decision.
/// May block. Any number of threads at once.
/// Returns as gatepost_decide, without GATEPOST_PENDING.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decide_into(
    engine: *const gatepost_engine,
    request: *const gatepost_request,
    decision: *mut *mut gatepost_decision,
    view: *mut gatepost_view,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let decision = c.out(decision, "decision")?;
            let view = c.sized_out(view, FIRST_RELEASE, "view")?;
            let engine = c.look(engine)?;
            let mut headers = Headers::new();
            let request = request::read(c, request, &mut headers)?;
            let made = gatepost_decision::give(&mut engine.decide(&request)?)?;
            fill(c, view, made)?;
            decision.set(made);
            Ok(GATEPOST_OK)
        })
    }
}

/// gatepost_decide that writes the decision into memory of the caller's, as gatepost_flat says, where it fits: there is
/// nothing to end then.
///
/// engine: borrowed; started in this process.
/// request: borrowed for the call only, also where it returns GATEPOST_PENDING.
/// memory: gets the decision: the struct and what stands behind it. Unless the decision is written there, what it then
///     holds means nothing.
/// room: how many bytes it has.
/// decision: NULL where the decision is in memory; where it does not fit, gets it, owned by the caller.
/// job: gets slow work that is left, owned by the caller; else NULL.
/// Any number of threads at once.
/// Returns as gatepost_decide.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decide_flat(
    engine: *const gatepost_engine,
    request: *const gatepost_request,
    memory: *mut gatepost_flat,
    room: usize,
    decision: *mut *mut gatepost_decision,
    job: *mut *mut gatepost_job,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let decision = c.out(decision, "decision")?;
            let job = c.out(job, "job")?;
            let room = c.room(memory, room, "memory")?;
            let engine = c.look(engine)?;
            let mut headers = Headers::new();
            let request = request::read(c, request, &mut headers)?;
            let (made, slow) = begin(engine, &request, Some(room))?;
            decision.set(made);
            job.set(slow);
            Ok(if slow.is_null() { GATEPOST_OK } else { GATEPOST_PENDING })
        })
    }
}

/// Where gatepost_decide_text puts a decision. Zero it, set struct_size to sizeof, memory and room; it may be used for any
/// number of calls, one at a time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_place {
    /// sizeof (gatepost_place).
    pub struct_size: usize,
    /// Gets the decision: the struct and what stands behind it. Unless the decision is written there, what it then holds
    /// means nothing.
    pub memory: *mut gatepost_flat,
    /// How many bytes it has.
    pub room: usize,
    /// Written by the call: NULL where the decision is in memory; where it does not fit, the decision, owned by the caller.
    pub decision: *mut gatepost_decision,
    /// Written by the call: slow work that is left, owned by the caller; else NULL.
    pub job: *mut gatepost_job,
    /// Written by the call where the decision is in memory: a number that all decisions have which differ from this in the
    /// octets of their id alone. Others may have it too: it says where to compare.
    pub mark: u64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_place {}

const FIRST_PLACE: usize = offset_of!(gatepost_place, job) + size_of::<*mut gatepost_job>();

/// gatepost_decide_flat of a request in one text, for languages whose strings do not lie where C could point to them, and
/// to whom each argument is dear. It has what most requests have; any other is decided as a gatepost_request.
///
/// engine: borrowed; started in this process.
/// text: strings joined by LF, none before the first or behind the last: GATEPOST_REQUEST_* together, in decimal; how many
///     header fields there are, in decimal; method; target; peer; name and value of each header field. What these are is
///     said at gatepost_request. Where the text holds another number of strings, because one of them has an LF in it, that
///     is GATEPOST_ERR_INVALID_ARGUMENT: nothing in a string can make two of it. Borrowed for the call only.
/// length: of the text.
/// place: where the decision goes.
/// Any number of threads at once, each with a place of its own.
/// Returns as gatepost_decide.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decide_text(
    engine: *const gatepost_engine,
    text: *const c_char,
    length: usize,
    place: *mut gatepost_place,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let mut filled = c.sized(place.cast_const(), FIRST_PLACE, "place")?;
            let place = c.sized_out(place, FIRST_PLACE, "place")?;
            let room = c.room(filled.memory, filled.room, "place.memory")?;
            let engine = c.look(engine)?;
            let text = c.bytes(gatepost_str { ptr: text, len: length }, "text")?;
            let mut headers = Headers::new();
            let request = text::read(text, &mut headers)?;
            let (made, slow) = begin(engine, &request, Some(&mut *room))?;
            (filled.decision, filled.job) = (made, slow);
            if made.is_null() && slow.is_null() {
                // It is written there.
                filled.mark = flat::mark(room);
            }
            place.set(&filled);
            Ok(if slow.is_null() { GATEPOST_OK } else { GATEPOST_PENDING })
        })
    }
}

/// Decides what is cheap: a decision, NULL where it has gone into the room, or what is slow. One function for both who
/// call it, since all of deciding is built into it.
fn begin(
    engine: &Engine,
    request: &Request<'_>,
    mut room: Option<&mut [MaybeUninit<u8>]>,
) -> Result<(*mut gatepost_decision, *mut gatepost_job), Failure> {
    // A failure is large, too.
    let give = |made: &mut Decision| {
        if let Some(room) = &mut room
            && flat::write(made, room).map_err(Box::new)? <= room.len()
        {
            return Ok(std::ptr::null_mut());
        }
        gatepost_decision::give(made).map_err(Box::new)
    };
    match engine.begin_with(request, give)? {
        Begun::Decided(made) => Ok((made.map_err(|failure: Box<Failure>| *failure)?, std::ptr::null_mut())),
        Begun::Slow(slow) => Ok((std::ptr::null_mut(), gatepost_job::give(*slow))),
    }
}

/// What of a request must not reach the application where nothing is decided about it: the policy is not asked there,
/// somebody else has let the request in, or the engine cannot decide yet. Known from gatepost_engine_new and
/// gatepost_engine_open on; it needs no gatepost_engine_start, counts nothing and tells nobody.
///
/// engine: borrowed.
/// request: borrowed for the call. NULL: none; then it is what the policy strips of every request, which are the names of
///     its identity headers.
/// decision: gets what the list belongs to, owned by the caller. It lets nobody in: GATEPOST_DENY, 500 internal; where
///     the request itself is wrong, 400 request_malformed or 431 request_too_large.
/// view: struct_size set by the caller, the rest is written: strip and strip_count are what was asked for, as a decision
///     about this request would have them. What it points to lives as long as the decision. A field whose name is no
///     token (RFC 9110) is on no list: it makes the request wrong, and a host that hands it on all the same removes it.
/// Never blocks. Any number of threads at once.
/// Returns GATEPOST_OK or an error, with nothing written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_strip(
    engine: *const gatepost_engine,
    request: *const gatepost_request,
    decision: *mut *mut gatepost_decision,
    view: *mut gatepost_view,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let decision = c.out(decision, "decision")?;
            let view = c.sized_out(view, FIRST_RELEASE, "view")?;
            let engine = c.look(engine)?;
            let mut headers = Headers::new();
            let request = if request.is_null() { None } else { Some(request::read(c, request, &mut headers)?) };
            let made = gatepost_decision::give(&mut engine.strip(request.as_ref()))?;
            fill(c, view, made)?;
            decision.set(made);
            Ok(GATEPOST_OK)
        })
    }
}
