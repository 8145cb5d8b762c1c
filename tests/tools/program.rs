//! C programs: built with warnings as errors, run plain, under the sanitizers or under valgrind.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

use super::{check, root, scratch, tool};

pub const SANITIZERS: &[&str] =
    &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

/// Builds `tests/c/PROGRAM.c` against the library in a folder; `kind` tells builds of one program apart.
pub fn compile(program: &str, kind: &str, flags: &[&str], library: &Path) -> PathBuf {
    let rpath = format!("-Wl,-rpath,{}", library.display());
    let folder = library.display().to_string();
    let link = ["-L", &folder, &rpath, "-lgatepost", "-pthread"];
    compile_alone(program, kind, &[flags, &link].concat())
}

/// The same without the library, for programs that load it by hand. Tests that run at the same time may build one
/// program each: none ever sees the half of it, since it is moved to its place when it is whole.
pub fn compile_alone(program: &str, kind: &str, flags: &[&str]) -> PathBuf {
    static BUILDS: AtomicU32 = AtomicU32::new(0);
    let binary = scratch(kind).join(program.replace('/', "_"));
    let unfinished = binary.with_extension(format!("{}-{}", process::id(), BUILDS.fetch_add(1, Ordering::Relaxed)));
    check(
        Command::new(tool("gcc", "gcc"))
            .args(["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1"])
            .arg("-I")
            .arg(root().join("include"))
            .arg("-o")
            .arg(&unfinished)
            .arg(root().join(format!("tests/c/{program}.c")))
            .args(flags),
    );
    fs::rename(unfinished, &binary).unwrap();
    binary
}

/// A program that was built with the sanitizers.
pub fn sanitized(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=9").env("UBSAN_OPTIONS", "print_stacktrace=1:exitcode=9");
    command
}

/// Under memcheck. Its threads take turns: a thread that never waits would keep the others from running.
pub fn valgrind(binary: &Path) -> Command {
    let mut command = Command::new(tool("valgrind", "valgrind"));
    command.args(["--quiet", "--fair-sched=try", "--leak-check=full", "--error-exitcode=9"]).arg(binary);
    command
}

/// Runs a program with the folder of its service.
pub fn run(command: &mut Command, service: &Path) -> Output {
    command.arg(service).output().unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

/// It must have ended well; what it printed.
pub fn must_succeed(program: &str, output: Output) -> String {
    assert!(
        output.status.success(),
        "{program}: {} (signal {:?})\n{}",
        output.status,
        output.status.signal(),
        // The first finding is what counts; valgrind would go on for pages.
        String::from_utf8_lossy(&output.stderr).lines().take(60).collect::<Vec<_>>().join("\n")
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A tool must have found fault with it, and the right one.
pub fn must_be_caught(program: &str, says: &str, output: Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(9), "{program} is wrong on purpose and was not caught:\n{text}");
    assert!(text.contains(says), "{program} was caught for something else:\n{text}");
}
