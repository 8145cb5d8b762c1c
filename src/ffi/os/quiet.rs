//! Writing without a signal. A reader that has gone sends SIGPIPE, and a file over its limit SIGXFSZ, and either ends a
//! process that did not expect it: a library must not do that to its host, and must not change how the host handles
//! them.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Writes as much as goes in one call.
pub fn write(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    quietly(|| {
        // SAFETY: the bytes are borrowed for the call, which only reads them, and the descriptor is open.
        let written = unsafe { libc::write(to.as_raw_fd(), bytes.as_ptr().cast(), bytes.len()) };
        usize::try_from(written).map_err(|_| io::Error::last_os_error())
    })
}

/// Runs `body`; one of both signals that it raises on this thread comes to nothing. The thread's mask is afterwards what
/// it was.
pub fn quietly<R>(body: impl FnOnce() -> R) -> R {
    let silence = Silence::new();
    let result = body();
    silence.swallow();
    result
}

/// Both signals blocked in this thread, until it is dropped.
struct Silence {
    both: libc::sigset_t,
    before: Option<libc::sigset_t>,
    /// One of them waited already: it is not ours to take.
    pending: bool,
}

impl Silence {
    fn new() -> Silence {
        let mut both = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        let mut pending = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: all three sets are ours and live through the calls, which only write to them or read `both` after it
        // was filled in; all zero bits are a value of the type.
        unsafe {
            libc::sigemptyset(both.as_mut_ptr());
            libc::sigaddset(both.as_mut_ptr(), libc::SIGPIPE);
            libc::sigaddset(both.as_mut_ptr(), libc::SIGXFSZ);
            libc::sigpending(pending.as_mut_ptr());
            let pending = libc::sigismember(pending.as_ptr(), libc::SIGPIPE) == 1
                || libc::sigismember(pending.as_ptr(), libc::SIGXFSZ) == 1;
            let blocked = libc::pthread_sigmask(libc::SIG_BLOCK, both.as_ptr(), before.as_mut_ptr()) == 0;
            Silence { both: both.assume_init(), before: blocked.then_some(before.assume_init()), pending }
        }
    }

    /// Takes what was sent to this thread meanwhile.
    fn swallow(&self) {
        if self.pending || self.before.is_none() {
            return;
        }
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the set and the time live through the call, and no information about the signal is asked for.
        while unsafe { libc::sigtimedwait(&self.both, std::ptr::null_mut(), &at_once) } == -1
            && io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
        {}
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // SAFETY: the mask is the one that was in force before.
            unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before, std::ptr::null_mut()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fork::in_a_child;
    use super::*;
    use std::os::fd::AsFd;

    #[test]
    fn a_reader_that_has_gone_and_a_file_over_its_limit_are_errors_and_no_signals() {
        let file = tempfile::tempfile().unwrap();
        let code = in_a_child(|| {
            // SAFETY: the child's own dispositions; tests of Rust run with SIGPIPE ignored.
            unsafe {
                libc::signal(libc::SIGPIPE, libc::SIG_DFL);
                libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
            }
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let broken = write(writer.as_fd(), b"x").unwrap_err();
            let limit = libc::rlimit { rlim_cur: 10, rlim_max: 10 };
            // SAFETY: the child's own limit.
            assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_FSIZE, &limit) }, 0);
            let short = write(file.as_fd(), &[0; 20]).unwrap();
            let full = write(file.as_fd(), &[0; 20]).unwrap_err();
            let good =
                broken.raw_os_error() == Some(libc::EPIPE) && short == 10 && full.raw_os_error() == Some(libc::EFBIG);
            if good { 7 } else { 8 }
        });
        assert_eq!(code, 7);
    }
}
