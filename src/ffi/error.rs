//! Why a set-up call failed, as an object that the caller owns.

use super::bytes::Text;
use super::kernel::{Caller, Failure, Opaque, give, guard};
use super::types::*;
use std::os::unix::ffi::OsStrExt;

/// Why a set-up call failed. Owned by the caller, ended with gatepost_error_free.
pub struct gatepost_error {
    _opaque: [u8; 0],
}

/// What the handle holds.
pub(super) struct Held {
    status: gatepost_status,
    message: Text,
    file: Text,
    line: u32,
    column: u32,
}

impl Opaque for gatepost_error {
    type Inner = Held;
    const MARK: u64 = u64::from_le_bytes(*b"gp-error");
    const NAME: &'static str = "gatepost_error";
}

impl gatepost_error {
    pub(super) fn give(failure: Failure) -> *mut gatepost_error {
        let error = failure.error;
        give(Held {
            status: failure.status,
            message: Text::lossy(error.message().as_bytes()),
            file: Text::lossy(error.file().map_or(b"", |file| file.as_os_str().as_bytes())),
            line: error.line(),
            column: error.column(),
        })
    }
}

/// The status that the failed call returned.
///
/// error: borrowed.
/// Any number of threads at once.
/// Returns the status; GATEPOST_ERR_INVALID_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_error_status(error: *const gatepost_error) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(GATEPOST_ERR_INVALID_ARGUMENT, |c| Ok(c.look(error)?.status)) }
}

/// What happened and what to do about it, in English; several lines where a policy has several faults, each with its
/// place and the offending text underlined.
///
/// error: borrowed.
/// The string lives as long as the error. Any number of threads at once.
/// Returns the message; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_error_message(error: *const gatepost_error) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { view(error, |held| held.message.view()) }
}

/// The file that the error is about, where there is one.
///
/// error: borrowed.
/// The string lives as long as the error. Any number of threads at once.
/// Returns the path; empty where there is none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_error_file(error: *const gatepost_error) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { view(error, |held| held.file.view()) }
}

/// The line that the error is about; the first one where there are several.
///
/// error: borrowed.
/// Any number of threads at once.
/// Returns the line, counted from 1; 0 where there is none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_error_line(error: *const gatepost_error) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(0, |c| Ok(c.look(error)?.line)) }
}

/// The column that the error is about, in characters.
///
/// error: borrowed.
/// Any number of threads at once.
/// Returns the column, counted from 1; 0 where there is none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_error_column(error: *const gatepost_error) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(0, |c| Ok(c.look(error)?.column)) }
}

/// Ends an error with all strings taken from it. NULL is a no-op.
///
/// error: taken.
/// One thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_error_free(error: *mut gatepost_error) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.take(error).map(drop)) }
}

/// # Safety
/// As [`guard`].
unsafe fn view(error: *const gatepost_error, field: impl FnOnce(&Held) -> gatepost_str) -> gatepost_str {
    // SAFETY: the caller's promise is the same.
    unsafe { guard(gatepost_str::EMPTY, |c: Caller<'_>| Ok(field(c.look(error)?))) }
}
