//! The library as it is released, but with hooks: the features `test-panic` and `test-secrets`.
//!
//! It takes the profile of a release and, to the flag, the dependencies of `make build`: what that has compiled in
//! target/release is used again. But cargo calls a library what its manifest says, and there lies the one without hooks
//! under the same name. So the build has a manifest of its own, which differs in this one word, in a folder of links.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{check, link_folder, root};

/// A folder with the library under the names that the linker and the loader look for.
pub fn hooked_folder() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    // Once: tests of one program that ask at the same time wait for the first.
    link_folder(BUILT.get_or_init(build), "hooked")
}

fn build() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let target = scratch.parent().expect("target");
    let folder = scratch.join("hooks");
    mirror(&folder);
    check(
        Command::new(env!("CARGO"))
            .args(["build", "--release", "--locked", "--lib", "--features", "test-panic,test-secrets"])
            .arg("--target-dir")
            .arg(target)
            .current_dir(&folder),
    );
    target.join("release/libgatepost_hooked.so")
}

/// The project's folder by links, with the other manifest.
fn mirror(folder: &Path) {
    fs::create_dir_all(folder).expect("folder");
    for entry in fs::read_dir(root()).expect("root") {
        let from = entry.expect("entry").path();
        let name = from.file_name().expect("name");
        if ["Cargo.toml", "target", ".git"].iter().any(|ours| name == *ours) {
            continue;
        }
        match symlink(&from, folder.join(name)) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => panic!("{}: {error}", from.display()),
            _ => {}
        }
    }
    let (ours, theirs) = ("[lib]\nname = \"gatepost\"", "[lib]\nname = \"gatepost_hooked\"");
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml");
    assert!(manifest.contains(ours), "Cargo.toml names the library otherwise");
    let fresh = folder.join(format!("Cargo.toml.{}", std::process::id()));
    fs::write(&fresh, manifest.replacen(ours, theirs, 1)).expect("written");
    fs::rename(fresh, folder.join("Cargo.toml")).expect("renamed");
}
