//! What tells that a file is no longer the one that was read, without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where a file lay on its disk, how long it was and when it had been changed last, at the time that it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    place: (u64, u64),
    size: u64,
    /// Seconds and nanoseconds of the last change of contents, and of anything.
    modified: (i64, i64),
    changed: (i64, i64),
    /// So long after the last change that a further one would leave another stamp.
    settled: bool,
}

/// Seconds in which a second change may leave no other trace: file systems are not precise about time.
const COARSE: i64 = 2;

impl Stamp {
    /// A change after it was taken would leave another stamp.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// The file still is what it was when `self` was taken.
    pub fn holds(&self, now: &Stamp) -> bool {
        self.settled && self.looks_like(now)
    }

    /// It seems to be, but may have been changed at the very moment that `self` was taken.
    pub fn looks_like(&self, now: &Stamp) -> bool {
        let seen = |stamp: &Stamp| (stamp.place, stamp.size, stamp.modified, stamp.changed);
        seen(self) == seen(now)
    }
}

impl From<&Metadata> for Stamp {
    fn from(data: &Metadata) -> Stamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let last = data.mtime().max(data.ctime());
        Stamp {
            place: (data.dev(), data.ino()),
            size: data.size(),
            modified: (data.mtime(), data.mtime_nsec()),
            changed: (data.ctime(), data.ctime_nsec()),
            settled: last.saturating_add(COARSE) < i64::try_from(now).unwrap_or(0),
        }
    }
}
