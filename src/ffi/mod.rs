//! The C interface and the only unsafe code. `os` is its floor: system calls that have no safe form in Rust, each
//! wrapped into a safe function; nothing in it knows anything of the engine.
//!
//! One file for each concept of the header. Exported functions are plain `extern "C"` signatures with the kernel's
//! guard as their whole body, so that a panic stays inside; `tests/header.rs` holds both. What a caller of each must
//! keep to (their "safety") stands once, at the head of `include/gatepost.h`, which is generated from these files.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

pub mod bytes;
pub mod decide;
pub mod decision;
pub mod engine;
pub mod error;
pub mod event;
pub mod fetch;
pub mod job;
mod kernel;
pub mod os;
pub mod password;
pub mod policy;
pub mod pool;
pub mod reason;
pub mod reason_numbers;
pub mod request;
pub mod revocation;
#[cfg(feature = "test-panic")]
pub mod test_panic;
#[cfg(feature = "test-secrets")]
pub mod test_secrets;
pub mod token;
pub mod types;
pub mod verified;
pub mod version;
