//! Data that others made. It is not part of the project: GATEPOST_VECTORS names its folder, or it lies in
//! `../shared/vectors`.

use std::path::PathBuf;

use serde_json::Value;

/// What a file holds; `None`, said on standard error past the capture of test output, where there are no vectors.
pub fn vectors(name: &str) -> Option<Value> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        let line = format!("NOT RUN: {name}: no {}; set GATEPOST_VECTORS to the vectors\n", folder.display());
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
        return None;
    }
    let path = folder.join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Some(serde_json::from_slice(&bytes).unwrap())
}

/// The items of a list; none where it is no list.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
