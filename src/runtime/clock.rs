//! The system's clock in the engine's unit.

use crate::ffi::os::clock;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// How far a clock may be from where it should have come to and counts as one that runs on, seconds.
const SLACK: u64 = 60;

/// Whether a clock has run on as time passed, or was set meanwhile: one that was set is not believed for a while in what
/// cannot be taken back. A machine that starts with a wrong clock has it put right in less, as a rule.
#[derive(Debug, Default)]
pub struct Steady(Mutex<Option<(i64, Instant)>>);

impl Steady {
    /// How long it must have run on.
    pub const LONG_ENOUGH: Duration = Duration::from_secs(600);

    /// The clock, which showed `now` at this moment, has run on for long enough; of what was asked before it is seen.
    pub fn holds(&self, now: i64, moment: Instant) -> bool {
        let mut begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (shown, since) = *begun.get_or_insert((now, moment));
        let passed = moment.saturating_duration_since(since);
        let expected = shown.saturating_add(i64::try_from(passed.as_secs()).unwrap_or(i64::MAX));
        if now.abs_diff(expected) > SLACK {
            *begun = Some((now, moment));
            return false;
        }
        passed >= Steady::LONG_ENOUGH
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_believed_once_it_has_run_on_and_not_after_it_was_set() {
        let (steady, begin) = (Steady::default(), Instant::now());
        let ask = |now, passed| steady.holds(now, begin + Duration::from_secs(passed));
        assert!(!ask(1_000, 0), "nothing is known of it");
        assert!(!ask(1_599, 599));
        assert!(ask(1_600, 600) && ask(1_655, 601), "it may be off a little");
        let days = 2 * 86_400;
        assert!(!ask(1_610 + days, 610), "set ahead");
        assert!(!ask(1_000 + days + 1_209, 1_209));
        assert!(!ask(2_210, 1_210), "set back");
        assert!(!ask(2_809, 1_809));
        assert!(ask(2_810, 1_810));
    }
}
