//! Descriptors that stay away from 0, 1 and 2: in a process that closed them, whoever prints to "standard error" would
//! write into what landed there.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// The same open file on a descriptor above the standard ones, closed on exec.
pub fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() > 2 {
        return Ok(fd);
    }
    Ok(rustix::io::fcntl_dupfd_cloexec(&fd, 3)?)
}
