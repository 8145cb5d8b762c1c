//! The system's clock in the engine's unit.

use crate::ffi::os::clock;
use std::time::{SystemTime, UNIX_EPOCH};

/// Unix milliseconds, for the log; 0 before 1970.
pub fn milliseconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    since.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// Unix seconds. A clock before 1970 reads as 0: every expiry then lies ahead and every `nbf` too, so that tokens are
/// refused as not yet valid.
pub fn now() -> i64 {
    clock::unix_seconds().max(0)
}
