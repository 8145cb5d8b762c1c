//! What the tests that build and run C programs share. A tool that is missing is an error that says what to install.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

pub mod hooked;
pub mod other;
pub mod patience;
pub mod program;
pub mod service;
pub mod vectors;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The project's folder.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The shared library that was built together with this test.
pub fn library() -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    let library = test.parent().expect("folder").join("libgatepost.so");
    assert!(
        library.exists(),
        "{} is missing: build with cargo, which makes it together with the tests",
        library.display()
    );
    library
}

/// A folder with the library under the names that the linker and the loader look for.
pub fn library_folder() -> PathBuf {
    link_folder(&library(), "lib")
}

/// The same for any build of the library.
pub fn link_folder(library: &Path, name: &str) -> PathBuf {
    let folder = scratch(name);
    for link in ["libgatepost.so".to_owned(), format!("libgatepost.so.{}", env!("GATEPOST_ABI"))] {
        // Made under another name and moved: tests run side by side.
        let fresh = folder.join(format!("{link}.{}.{:?}", std::process::id(), std::thread::current().id()));
        let _ = fs::remove_file(&fresh);
        std::os::unix::fs::symlink(library, &fresh).expect("link");
        fs::rename(&fresh, folder.join(link)).expect("renamed");
    }
    folder
}

/// A folder of one test's own.
pub fn scratch(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("own path");
    let stem = test.file_stem().expect("name").to_string_lossy().into_owned();
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(stem).join(name);
    fs::create_dir_all(&folder).expect("folder");
    folder
}

/// A program that must be there.
pub fn tool(name: &str, package: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("{name} is not installed and this test needs it: apt-get install {package}"))
}

/// A compiler; `None` where it is missing and not needed.
pub fn compiler(name: &str, needed: bool) -> Option<PathBuf> {
    if needed { Some(tool(name, name)) } else { find(name) }
}

fn find(name: &str) -> Option<PathBuf> {
    // Servers lie where only root's PATH leads.
    let servers = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).chain(servers).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Runs a command that must succeed and be silent about problems.
pub fn check(command: &mut Command) {
    output(command);
}

/// Runs a command that must succeed; its standard output.
pub fn output(command: &mut Command) -> String {
    let done = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(
        done.status.success(),
        "{command:?} failed: {}\n{}\n{}",
        done.status,
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).expect("UTF-8")
}
