//! Safe wrappers of system calls: the mapped change counter, the fork counter.
