//! The small types and numbers that every other file of the C interface uses. No functions.

use std::ffi::c_char;

/// How a call ended: GATEPOST_OK, GATEPOST_PENDING, GATEPOST_NEED_BODY, or one of GATEPOST_ERR_*. Everything from 16
/// on is an error, also numbers that a later release adds.
pub type gatepost_status = u32;

/// Done. A refusal is GATEPOST_OK too, with a decision that says so.
pub const GATEPOST_OK: gatepost_status = 0;
/// Slow work is left: run the job, then finish it.
pub const GATEPOST_PENDING: gatepost_status = 1;
/// Call again with the body. Reserved: no call answers it yet.
pub const GATEPOST_NEED_BODY: gatepost_status = 2;
/// An argument breaks the rules of this header: NULL, a wrong handle, a length without a pointer, a struct too short.
pub const GATEPOST_ERR_INVALID_ARGUMENT: gatepost_status = 16;
/// The caller asks for something that this release does not know: a flag, or a field past the end of its structs.
pub const GATEPOST_ERR_UNSUPPORTED: gatepost_status = 17;
/// gatepost_engine_start was not called in this process.
pub const GATEPOST_ERR_NOT_STARTED: gatepost_status = 18;
/// The policy does not load; the error object says all that is wrong with it.
pub const GATEPOST_ERR_POLICY: gatepost_status = 19;
/// The state cannot be opened, read or written.
pub const GATEPOST_ERR_STATE: gatepost_status = 20;
/// Memory ran out.
pub const GATEPOST_ERR_NO_MEMORY: gatepost_status = 21;
/// No room to work on it now; try again later.
pub const GATEPOST_ERR_OVERLOADED: gatepost_status = 22;
/// The job was cancelled, or its pool was freed.
pub const GATEPOST_ERR_CANCELLED: gatepost_status = 23;
/// gatepost_job_finish came before gatepost_job_run had returned.
pub const GATEPOST_ERR_NOT_RUN: gatepost_status = 24;
/// It exists already, does not exist, or was done before.
pub const GATEPOST_ERR_CONFLICT: gatepost_status = 25;
/// The operating system refused something.
pub const GATEPOST_ERR_SYSTEM: gatepost_status = 26;
/// A panic was caught: a fault in the library that ended this call alone. Please report it.
pub const GATEPOST_ERR_PANIC: gatepost_status = 27;
/// Another fault in the library. Please report it.
pub const GATEPOST_ERR_INTERNAL: gatepost_status = 28;
/// A credential that was handed in is not taken; the error object says why, which is for the log and not for the client.
pub const GATEPOST_ERR_REFUSED: gatepost_status = 29;

/// What the host does with a request: one of GATEPOST_DENY, GATEPOST_ALLOW, GATEPOST_RESPOND, GATEPOST_PASS. A number
/// that the host does not know means GATEPOST_DENY.
pub type gatepost_action = u32;

/// Refuse: send the decision's status, headers and body.
pub const GATEPOST_DENY: gatepost_action = 0;
/// Let it through: strip the headers to strip, apply the headers for the application.
pub const GATEPOST_ALLOW: gatepost_action = 1;
/// The engine answers this request itself: send status, headers and body.
pub const GATEPOST_RESPOND: gatepost_action = 2;
/// Not ours: the host's own default holds. Strip the headers to strip all the same.
pub const GATEPOST_PASS: gatepost_action = 3;

/// Why: one of GATEPOST_REASON_*.
pub type gatepost_reason = u32;

/// gatepost_header.mode: replace all fields of that name.
pub const GATEPOST_HEADER_SET: u32 = 0;
/// gatepost_header.mode: add one more field of that name.
pub const GATEPOST_HEADER_APPEND: u32 = 1;
/// gatepost_header.mode: add it only where no field of that name is there.
pub const GATEPOST_HEADER_SET_IF_ABSENT: u32 = 2;

/// Bytes with a length. {NULL, 0} is empty and accepted wherever a string is taken; NULL with a length, or a length
/// over PTRDIFF_MAX, is an error. A string that the library hands out has a NUL behind it that len does not count,
/// and none inside, so that ptr is a C string too; an empty one may be {NULL, 0} only where the object was NULL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gatepost_str {
    /// The bytes; nothing is assumed of their encoding unless a function says so.
    pub ptr: *const c_char,
    /// How many.
    pub len: usize,
}

/// One header field. In a request: as the client sent it, mode and reserved 0. In a decision: for the host to apply.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct gatepost_header {
    /// Field name, in the spelling received.
    pub name: gatepost_str,
    /// Field value, without the line break.
    pub value: gatepost_str,
    /// One of GATEPOST_HEADER_*; 0 in a request.
    pub mode: u32,
    /// 0.
    pub reserved: u32,
}

impl gatepost_str {
    /// `{NULL, 0}`.
    pub(super) const EMPTY: gatepost_str = gatepost_str { ptr: std::ptr::null(), len: 0 };

    /// A literal, which has its NUL already.
    pub(super) const fn of(text: &'static std::ffi::CStr) -> gatepost_str {
        gatepost_str { ptr: text.as_ptr(), len: text.count_bytes() }
    }
}
