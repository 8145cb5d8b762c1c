//! The C interface and the only unsafe code. `os` is its floor: system calls that have no safe form in Rust, each
//! wrapped into a safe function; nothing in it knows anything of the engine.

pub mod os;
