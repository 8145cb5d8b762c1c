//! The coarse monotonic clock: a few nanoseconds to read, exact to a few milliseconds. For "at most once a second".

/// Whole seconds since some point in the past; never goes backwards. 0 where the system has no such clock, which its
/// readers take as "no time has passed".
pub fn coarse_seconds() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid, writable timespec for the length of the call, which keeps no pointer to it.
    let answer = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC_COARSE, &mut now) };
    if answer != 0 {
        return 0;
    }
    u64::try_from(now.tv_sec).unwrap_or(0)
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
}
