//! Has the library panic on purpose, for the tests of panic containment; in no release and not in the header.

use super::engine::gatepost_engine;
use super::kernel::guard_status;
use super::os::fault;
use super::types::*;

/// Panics inside the guard, with the engine in use.
#[unsafe(no_mangle)]
#[allow(clippy::panic)]
pub unsafe extern "C" fn gatepost_test_panic(engine: *const gatepost_engine) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let engine = c.look(engine)?;
            panic!("on purpose, with policy {} in force", engine.generation())
        })
    }
}

/// Has the nth pass of a point panic, on whatever thread. An empty name disarms.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_test_panic_at(point: gatepost_str, nth: u32) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            fault::arm(&String::from_utf8_lossy(c.bytes(point, "point")?), nth);
            Ok(GATEPOST_OK)
        })
    }
}
