//! The README's program and policy do what it says.

// Helpers of tests may panic; clippy exempts only the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The first block of the README in this language.
fn block(language: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let start = format!("```{language}\n");
    let (_, rest) = readme.split_once(&start).unwrap_or_else(|| panic!("README.md has a {language} block"));
    rest.split_once("\n```").unwrap().0.to_owned() + "\n"
}

fn folder_with_policy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("orders.toml"), block("toml")).unwrap();
    folder
}

/// The folder that holds the libraries and the binary of this test run.
fn built() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gatepost")).parent().unwrap()
}

#[test]
fn the_policy_loads_without_a_warning() {
    let folder = folder_with_policy();
    let mut check = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    let output = check.args(["check", "--strict", "orders.toml"]).current_dir(folder.path()).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn the_c_program_compiles_without_a_warning_and_prints_what_it_says() {
    let folder = folder_with_policy();
    std::fs::write(folder.path().join("app.c"), block("c")).unwrap();
    // Tests leave the library in `deps` alone. Programs ask for it by its SONAME; `make build` makes the same link.
    for name in ["libgatepost.so", "libgatepost.so.0"] {
        std::os::unix::fs::symlink(built().join("deps/libgatepost.so"), folder.path().join(name)).unwrap();
    }
    let compiled = Command::new("cc")
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "app.c", "-o", "app", "-lgatepost"])
        .arg(format!("-I{}", root().join("include").display()))
        .arg(format!("-L{}", folder.path().display()))
        .arg(format!("-Wl,-rpath,{}", folder.path().display()))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new("./app").current_dir(folder.path()).output().unwrap();
    assert_eq!(
        String::from_utf8_lossy(&ran.stdout),
        "401 credentials_missing\n",
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(std::fs::read_to_string(root().join("README.md")).unwrap().contains("It prints `401 credentials_missing`"));
}
