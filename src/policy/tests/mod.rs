//! Whole policies: what loads, what does not, and what is said about it.

mod errors_certificates;
mod errors_issuers;
mod errors_require;
mod errors_routes;
mod errors_settings;
mod example;
mod passwords;
mod places;
mod random;
mod secrets;
mod signers;
mod warnings;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Diagnostic, Loaded, Severity, parse};

/// 64 bytes that no list of weak secrets has.
const GOOD_SECRET: &str = "q3ZKf0Xw9LrTn7VbYc2MhE5sUdJ8aPgR1iO6xCkWvB4yQmNtHlSzDjFeGuIoApTs";

/// A public key for ES256, without a kid.
const GOOD_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"_1lFhKEPIxQ4TTN4ilJr4JngywiUetU1KHERzec5-Jg","y":"f_PeOqdBCp0B9hUIfkZJfTlpuFw_6jODBe1zIaelEAM"}"#;

/// A folder with `good.key`, a secret file that only its owner can read, and `empty.key`.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap().keep();
        file(&folder, "good.key", GOOD_SECRET.as_bytes(), 0o600);
        file(&folder, "empty.key", b"", 0o600);
        folder
    })
}

fn file(folder: &Path, name: &str, bytes: &[u8], mode: u32) {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A filter file of a list.
fn filter(list: &str) -> Vec<u8> {
    use crate::passwords::filter::{Build, build};
    let mut bytes = Vec::new();
    build(&mut list.as_bytes(), Build::default()).unwrap().filter.write(&mut bytes).unwrap();
    bytes
}

/// Parses a policy in the folder of the tests.
fn check(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    parse(text, Path::new("orders.toml"), folder())
}

/// All diagnostics, whether it loads or not.
fn found(text: &str) -> Vec<Diagnostic> {
    match check(text) {
        Ok(loaded) => loaded.warnings,
        Err(list) => list,
    }
}

/// Each text gives one diagnostic of the severity, as "line:column message | help" with the folder as `FOLDER`.
fn each_says(severity: Severity, cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        let list = found(text);
        let said: Vec<String> = list.iter().filter(|d| d.severity == severity).map(line).collect();
        assert_eq!(said, [*wanted], "from\n{text}");
        assert!(list.iter().all(|d| !d.help.is_empty() && d.file == Path::new("orders.toml")), "{list:#?}");
        assert_eq!(check(text).is_err(), severity == Severity::Error, "{text}");
    }
}

fn line(d: &Diagnostic) -> String {
    let said = format!("{}:{} {} | {}", d.line, d.column, d.message, d.help);
    said.replace(&folder().display().to_string(), "FOLDER")
}

/// A sound `[[issuer]]` up to its algorithms, and what follows.
macro_rules! issuer {
    ($($rest:literal),*) => {
        concat!("[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\n", $($rest),*)
    };
}

/// A sound `[[issuer]]`, and what follows.
macro_rules! sound_issuer {
    ($($rest:literal),*) => {
        concat!(
            "[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'orders'\n",
            "algorithms = 'HS256'\nkeys = { secret_file = 'good.key' }\n",
            $($rest),*
        )
    };
}

/// What comes before, and a sound `[[route]]` with what follows.
macro_rules! route {
    ($($rest:literal),*) => { concat!("[[route]]\npath = '/'\nschemes = 'basic'\n", $($rest),*) };
}

use {issuer, route, sound_issuer};

#[test]
fn a_policy_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<super::Policy>();
}
