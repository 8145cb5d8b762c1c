//! The coarse clocks: a few nanoseconds to read, exact to a few milliseconds.

/// Whole seconds since some point in the past; never goes backwards. 0 where the system has no such clock, which its
/// readers take as "no time has passed". For "at most once a second".
pub fn coarse_seconds() -> u64 {
    u64::try_from(seconds(libc::CLOCK_MONOTONIC_COARSE)).unwrap_or(0)
}

/// Unix seconds, as `time` of the C library tells them; 0 where the system has no such clock.
pub fn unix_seconds() -> i64 {
    seconds(libc::CLOCK_REALTIME_COARSE)
}

fn seconds(clock: libc::clockid_t) -> i64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid, writable timespec for the length of the call, which keeps no pointer to it.
    let answer = unsafe { libc::clock_gettime(clock, &mut now) };
    if answer == 0 { now.tv_sec } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coarse_clock_runs_and_never_goes_back() {
        let first = coarse_seconds();
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        let second = coarse_seconds();
        assert!(second > first, "{first} then {second}");
    }

    #[test]
    fn the_time_of_day_is_that_of_the_exact_clock() {
        let exact = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() as i64;
        let (before, coarse, after) = (exact(), unix_seconds(), exact());
        assert!((before - 1..=after).contains(&coarse), "{coarse} is not between {before} and {after}");
    }
}
