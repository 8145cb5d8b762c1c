//! Tells a process from the children that it forks: a counter that grows by one in each child.
//!
//! A process id would do as well, but the C library asks the kernel for it each time, and it may come back.

use std::sync::atomic::{AtomicU64, Ordering};

use once_cell::race::OnceBool;

static GENERATION: AtomicU64 = AtomicU64::new(0);
static WATCHING: OnceBool = OnceBool::new();

/// A number that differs between a process and every process forked from it after the first call. Nanoseconds.
///
/// Children made with a bare `clone` system call, which skips the C library's handlers, are not told apart; nor is one
/// forked before the first call in its parent, which cannot have anything to tell apart yet.
pub fn fork_generation() -> u64 {
    // Two threads at once may both register: the counter then grows by two in a child, which is as good.
    if WATCHING.get_or_init(watch) {
        return GENERATION.load(Ordering::Relaxed);
    }
    // No room for a handler: dearer, but right.
    u64::from(std::process::id())
}

/// Has the C library call [`in_child`] in each child, on the one thread that it starts with.
fn watch() -> bool {
    // SAFETY: the handler is a function of this library, which is marked not unloadable, and does nothing but one
    // atomic addition, which is allowed in a child of a process with many threads.
    unsafe { libc::pthread_atfork(None, None, Some(in_child)) == 0 }
}

extern "C" fn in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}

/// Runs `body` in a forked child and returns the exit status that it asked for; for tests of what children may do. The
/// body must take no lock that another thread may have held at the fork.
#[cfg(test)]
pub(crate) fn in_a_child(body: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child runs `body` alone, which keeps to the rule above, and then ends without unwinding into the
    // parent's frames or running its destructors.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(99);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: `status` is a valid, writable int, and the child is ours.
    let waited = unsafe { libc::waitpid(child, &mut status, 0) };
    assert_eq!(waited, child);
    assert!(libc::WIFEXITED(status), "status {status:#x}");
    libc::WEXITSTATUS(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_has_another_generation_and_its_parent_keeps_its_own() {
        let before = fork_generation();
        assert_eq!(in_a_child(|| if fork_generation() != before { 7 } else { 8 }), 7);
        assert_eq!(fork_generation(), before);
    }
}
