//! The calling thread's errno.

/// Puts it back at the end: a host that looks at it after a call of ours finds what its own last call left there.
pub struct Errno(std::ffi::c_int);

impl Errno {
    /// What it is now.
    pub fn keep() -> Errno {
        // SAFETY: the C library gives each thread an errno, which lives as long as the thread.
        Errno(unsafe { *libc::__errno_location() })
    }
}

impl Drop for Errno {
    fn drop(&mut self) {
        // SAFETY: as above; nobody else writes to this thread's errno.
        unsafe { *libc::__errno_location() = self.0 }
    }
}
