//! Writing where nobody reads any more ends a process that does nothing about SIGPIPE. A library that prints or logs
//! must not be the one that ends its host, nor may it change what the host does about signals.

use std::panic;

use once_cell::race::OnceBool;

/// Has the message of a panic printed without that danger, from now on. Cheap after the first call.
pub fn spare_the_host() {
    static DONE: OnceBool = OnceBool::new();
    if DONE.get().is_some() || std::thread::panicking() {
        return;
    }
    // Of two threads at once both may wrap it, which does no harm.
    DONE.get_or_init(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| without_sigpipe(|| before(info))));
        true
    });
}

/// Runs `body`; a SIGPIPE that it raises on this thread comes to nothing. The thread's mask is afterwards what it was.
pub fn without_sigpipe<R>(body: impl FnOnce() -> R) -> R {
    let Some(before) = block() else { return body() };
    let result = body();
    if !before.was_pending {
        take_pending();
    }
    // SAFETY: the mask is the one that this thread had.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before.mask, std::ptr::null_mut()) };
    result
}

struct Before {
    mask: libc::sigset_t,
    was_pending: bool,
}

fn sigpipe() -> libc::sigset_t {
    // SAFETY: integers, for all of which zero is a value; the calls only write to the set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGPIPE);
        set
    }
}

fn block() -> Option<Before> {
    let set = sigpipe();
    // SAFETY: integers, for all of which zero is a value.
    let (mut mask, mut pending): (libc::sigset_t, libc::sigset_t) = unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    // SAFETY: valid sets, the second and third ours to write.
    let blocked = unsafe {
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, &raw mut mask) == 0
            && libc::sigpending(&raw mut pending) == 0
    };
    // SAFETY: a valid set.
    blocked.then(|| Before { mask, was_pending: unsafe { libc::sigismember(&raw const pending, libc::SIGPIPE) } == 1 })
}

/// Takes a SIGPIPE that waits for this thread; it was raised by what this thread wrote.
fn take_pending() {
    let set = sigpipe();
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid set and time; nothing is asked about the signal.
    while unsafe { libc::sigtimedwait(&raw const set, std::ptr::null_mut(), &raw const at_once) } == -1
        && std::io::Error::last_os_error().kind() == std::io::ErrorKind::Interrupted
    {}
}
