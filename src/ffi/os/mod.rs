//! Safe wrappers of system calls and of instructions: files of words that processes share, the change counter, the fork
//! counter, the coarse clocks, descriptors, errno, writing without signals, looking at many octets at a time, and two hooks
//! for tests. Nothing here knows anything of the engine.

pub mod ascii;
pub mod breaks;
pub mod broken_pipe;
pub mod clock;
pub mod copies;
pub mod descriptor;
pub mod differ;
pub mod errno;
pub mod fault;
pub mod fork;
pub mod mapped;
pub mod plain;
pub mod quiet;
pub mod quotes;
pub mod sextets;
pub mod taint;
pub mod wide;
pub mod words;
