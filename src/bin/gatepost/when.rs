//! Times as people write and read them; the engine knows Unix seconds only.

use jiff::Timestamp;

/// The last second that RFC 3339 can write, and that many write for "never". The library's own range ends a day earlier.
const LAST: (&str, i64) = ("9999-12-31T23:59:59Z", 253_402_300_799);

/// Reads an RFC 3339 time with its offset; fractions are dropped.
pub fn read(text: &str) -> Result<i64, String> {
    if text.eq_ignore_ascii_case(LAST.0) {
        return Ok(LAST.1);
    }
    text.parse::<Timestamp>()
        .map(|at| at.as_millisecond().div_euclid(1000))
        .map_err(|_| format!("{text:?} is not a time: write it as RFC 3339 has it, like 2026-11-23T12:00:00Z"))
}

/// Reads a length of time like `90d`, `12h`, `30m` or `45s`; seconds.
pub fn read_length(text: &str) -> Result<i64, String> {
    length(text).ok_or_else(|| format!("{text:?} is not a length of time like 90d, 12h, 30m or 45s"))
}

/// Reads an RFC 3339 time, or a length of time from now.
pub fn read_expiry(text: &str, now: i64) -> Result<i64, String> {
    match length(text) {
        Some(seconds) => Ok(now.saturating_add(seconds)),
        None => read(text).map_err(|_| {
            format!("{text:?} is neither a time like 2027-01-01T00:00:00Z nor a length like 90d, 12h or 30m")
        }),
    }
}

fn length(text: &str) -> Option<i64> {
    let (last, unit) = text.char_indices().next_back()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let count: u32 = text.get(..last)?.parse().ok()?;
    i64::from(count).checked_mul(seconds)
}

/// Writes Unix seconds as RFC 3339 in UTC.
pub fn write(seconds: i64) -> String {
    if seconds == LAST.1 {
        return LAST.0.to_owned();
    }
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_any_offset_and_written_in_utc() {
        assert_eq!(read("2026-11-23T12:00:00Z"), Ok(1_795_435_200));
        assert_eq!(read("2026-11-23T13:00:00.9+01:00"), Ok(1_795_435_200));
        assert_eq!(read("1969-12-31T23:59:59.5Z"), Ok(-1));
        assert_eq!(write(1_795_435_200), "2026-11-23T12:00:00Z");
        assert_eq!(read("9999-12-31T23:59:59Z"), Ok(253_402_300_799));
        assert_eq!(write(253_402_300_799), "9999-12-31T23:59:59Z");
        for text in ["", "today", "2026-11-23", "2026-11-23T12:00:00", "1795435200"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_expiry_is_a_time_or_a_length() {
        assert_eq!(read_expiry("90d", 1_000), Ok(1_000 + 90 * 86_400));
        assert_eq!(read_expiry("45s", 0), Ok(45));
        assert_eq!(read_expiry("2026-11-23T12:00:00Z", 0), Ok(1_795_435_200));
        for text in ["", "d", "-1d", "1.5h", "10w", "10 d", "ä"] {
            assert!(read_expiry(text, 0).is_err(), "{text}");
        }
    }
}
