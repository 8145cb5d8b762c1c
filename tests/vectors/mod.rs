//! Where published test vectors are. They are not part of the repository: the folder is `$GATEPOST_VECTORS`, or
//! `../shared/vectors` beside the project.

use std::io::Write;
use std::path::PathBuf;

/// A vector file, or `None` with a plain word where the folder is absent. A folder without the file fails.
pub fn read(file: &str) -> Option<String> {
    let folder = match std::env::var_os("GATEPOST_VECTORS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
    };
    if !folder.is_dir() {
        // Written past the test harness, which would swallow what a passing test prints.
        let line = format!("NOT RUN: {file}: no {}; set GATEPOST_VECTORS to the vectors\n", folder.display());
        let _ = std::io::stderr().write_all(line.as_bytes());
        return None;
    }
    Some(std::fs::read_to_string(folder.join(file)).unwrap())
}
