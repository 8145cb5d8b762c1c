//! Gives the shared library its SONAME and keeps it in memory once loaded.
//!
//! The number is the ABI's own and moves independently of the package version.

/// Equal to `gatepost_abi()`; a test holds the two together.
const ABI: u32 = 0;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libgatepost.so.{ABI}");
    // A host that unloads modules (Apache between its two configuration passes) would leave our
    // thread-local destructors pointing into unmapped memory.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // Two copies in one process (nginx loads with RTLD_GLOBAL) each call their own functions.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-Bsymbolic-functions");
    println!("cargo:rustc-env=GATEPOST_ABI={ABI}");
}
