//! The system's clock in the engine's unit.

use std::time::{SystemTime, UNIX_EPOCH};

/// Unix seconds. A clock before 1970 reads as 0: every expiry then lies ahead and every `nbf` too, so that tokens are
/// refused as not yet valid.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}
