//! Which library this is.

use super::kernel::{Failure, guard, guard_status};
use super::types::*;

/// What this build can do, by the names that `gatepost_has_feature` takes.
const FEATURES: &[&str] = &[
    "api-key",
    "basic",
    "bearer",
    "pool",
    "sqlite",
    #[cfg(feature = "https")]
    "https",
];

const ABI: u32 = parse(env!("GATEPOST_ABI"));

/// The version of the library that runs, like "0.1.0". It equals GATEPOST_VERSION where header and library belong
/// together.
///
/// The string is static. Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_version() -> gatepost_str {
    // SAFETY: no pointers.
    unsafe { guard(gatepost_str::EMPTY, |_| Ok(gatepost_str::of(VERSION))) }
}

/// The number of the binary interface of the library that runs; it is the last part of its SONAME. It moves
/// independently of the version and equals GATEPOST_ABI where header and library belong together.
///
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_abi() -> u32 {
    // SAFETY: no pointers.
    unsafe { guard(u32::MAX, |_| Ok(ABI)) }
}

/// Tells whether this library can serve a program that was compiled with a header of the given ABI. Call it first,
/// with GATEPOST_ABI, in programs that load the library by hand.
///
/// header_abi: GATEPOST_ABI of the header.
/// Any thread.
/// Returns GATEPOST_OK, or GATEPOST_ERR_UNSUPPORTED: then call nothing else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_abi_check(header_abi: u32) -> gatepost_status {
    // SAFETY: no pointers.
    unsafe {
        guard_status(|_| match header_abi == ABI {
            true => Ok(GATEPOST_OK),
            false => Err(Failure::unsupported("header and library do not belong together")),
        })
    }
}

/// Tells whether this build can do something: "basic", "bearer", "api-key", "sqlite", "pool", "https" (keys by URL without
/// on_fetch); later releases add names. All functions are there in every build.
///
/// name: borrowed for the call.
/// Any thread.
/// Returns 1 or 0; 0 for a name that it does not know.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_has_feature(name: gatepost_str) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard(0, |c| {
            let name = c.bytes(name, "name")?;
            Ok(u32::from(FEATURES.iter().any(|feature| feature.as_bytes() == name)))
        })
    }
}

const VERSION: &std::ffi::CStr =
    match std::ffi::CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(text) => text,
        Err(_) => c"",
    };

const fn parse(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => u32::MAX,
    }
}
