//! Finds out whether another copy of this library in the same process uses a file too.
//!
//! SQLite's locks are POSIX locks, which belong to the process: two copies of SQLite in one process do not see each
//! other's, and either drops both when it closes the file. So a second copy is refused. Each copy marks the file with a
//! shared lock of the other kind (open file description locks, which copies do see) on a byte that stands for process
//! and copy; a byte of the same process and another copy means that there is one. Several openings by one copy share
//! its byte, other processes have bytes elsewhere, and the system takes the marks of a process that ends.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// Bytes that one process has to itself, one for each copy that there could be.
const COPIES: i64 = 1 << 16;

/// This copy's number among `COPIES`, plus one; 0: not drawn yet. A forked child keeps it, as it keeps the copy.
static COPY: AtomicU64 = AtomicU64::new(0);

/// The mark of this copy on a file, for as long as its file is open.
#[derive(Debug)]
pub struct Mark {
    at: i64,
}

/// Marks the file for this copy; an error of kind `ResourceBusy` where another copy in this process has marked it.
/// `None` where the file system has no such locks, and so cannot tell.
pub fn mark(file: &File) -> io::Result<Option<Mark>> {
    let (base, own) = (process_base(), own_number()?);
    let at = base + own;
    if lock(file, libc::F_OFD_SETLK, libc::F_RDLCK, at, 1).is_err() {
        return Ok(None);
    }
    // Marked first, looked afterwards: of two copies at the same moment at least one sees the other.
    for (from, length) in [(base, own), (at + 1, COPIES - own - 1)] {
        // A length of 0 would mean all that follows.
        if length > 0 && lock(file, libc::F_OFD_GETLK, libc::F_WRLCK, from, length)? {
            remove(file, &Mark { at });
            return Err(io::Error::new(
                io::ErrorKind::ResourceBusy,
                "another copy of the library in this process has the state open",
            ));
        }
    }
    Ok(Some(Mark { at }))
}

/// Takes the mark away, also where a forked child still has the file open. Only for the process that made it.
pub fn remove(file: &File, mark: &Mark) {
    // Where it fails the mark goes with the file.
    let _ = lock(file, libc::F_OFD_SETLK, libc::F_UNLCK, mark.at, 1);
}

/// Sets, tests or clears a lock. True where a test found somebody else's.
fn lock(file: &File, command: libc::c_int, kind: libc::c_int, from: i64, length: i64) -> io::Result<bool> {
    // SAFETY: integers, for all of which zero is a value.
    let mut wanted: libc::flock = unsafe { std::mem::zeroed() };
    wanted.l_type = kind as libc::c_short;
    wanted.l_whence = libc::SEEK_SET as libc::c_short;
    wanted.l_start = from;
    wanted.l_len = length;
    // SAFETY: `wanted` is a valid, writable flock for the length of the call, which keeps no pointer to it.
    if unsafe { libc::fcntl(file.as_raw_fd(), command, &raw mut wanted) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(command == libc::F_OFD_GETLK && wanted.l_type != libc::F_UNLCK as libc::c_short)
}

/// Where this process's bytes begin: the same for all copies in it and for no other process. It is made of 16 random
/// bytes that the kernel gives to each program that it starts, hashed, since the list of locks is public.
fn process_base() -> i64 {
    // SAFETY: reads the auxiliary vector.
    let random = unsafe { libc::getauxval(libc::AT_RANDOM) } as *const [u8; 16];
    // SAFETY: the kernel keeps 16 bytes there for the life of the process; NULL where it does not.
    let random = unsafe { random.as_ref() }.copied().unwrap_or_default();
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"gatepost copies 1\0")
        .chain_update(random)
        .chain_update(std::process::id().to_le_bytes())
        .finalize()
        .into();
    let [a, b, c, d, e, ..] = hash;
    // 40 bits of it, above every byte that a file of ours has and below the end of what can be locked.
    let number = i64::from_le_bytes([a, b, c, d, e, 0, 0, 0]);
    (number + 1) * COPIES
}

fn own_number() -> io::Result<i64> {
    let drawn = COPY.load(Ordering::Relaxed);
    let drawn = if drawn == 0 {
        let mut random = [0; 2];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let fresh = u64::from(u16::from_le_bytes(random)) + 1;
        match COPY.compare_exchange(0, fresh, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => fresh,
            Err(first) => first,
        }
    } else {
        drawn
    };
    Ok(i64::try_from(drawn - 1).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &std::path::Path) -> File {
        std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).unwrap()
    }

    #[test]
    fn one_copy_opens_a_file_as_often_as_it_likes_and_another_is_refused_until_all_are_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let (one, two, other) = (open(&path), open(&path), open(&path));
        let first = mark(&one).unwrap().unwrap();
        let second = mark(&two).unwrap().unwrap();
        // Another copy draws another number.
        let own = COPY.load(Ordering::Relaxed) - 1;
        let theirs = process_base() + i64::try_from((own + 1) % COPIES as u64).unwrap();
        assert!(!lock(&other, libc::F_OFD_SETLK, libc::F_RDLCK, theirs, 1).unwrap());
        let again = open(&path);
        assert_eq!(mark(&again).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        // Not by closing it: a child that a test beside this forks holds on to it for a while.
        remove(&other, &Mark { at: theirs });
        let third = mark(&again).unwrap().unwrap();
        remove(&one, &first);
        remove(&two, &second);
        remove(&again, &third);
        assert!(!lock(&open(&path), libc::F_OFD_GETLK, libc::F_WRLCK, process_base(), COPIES).unwrap());
    }
}
