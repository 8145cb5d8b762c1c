//! Runs the C programs of `tests/c` against the shared library: plain, under the address and undefined-behaviour
//! sanitizers, and under valgrind; and proves with programs that are wrong on purpose that both look at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tools::service::service;
use tools::{check, library_folder, link_folder, root, scratch, tool};

/// Every program of `tests/c` that must succeed.
const PROGRAMS: &[&str] =
    &["life_cycle", "nulls", "structs", "tables", "jobs", "pool", "forking", "threads", "random_calls", "certificates"];

#[test]
fn programs_hold_plain() {
    for program in PROGRAMS {
        let binary = compile(program, "plain", &["-DMEASURE"], &library_folder());
        must_succeed(program, run(&mut Command::new(&binary), &service("plain", program)));
    }
}

#[test]
fn programs_hold_under_the_sanitizers() {
    for program in PROGRAMS {
        let binary = compile(program, "sanitized", SANITIZERS, &library_folder());
        must_succeed(program, run(&mut sanitized(&binary), &service("sanitized", program)));
    }
}

#[test]
fn programs_hold_under_valgrind() {
    for program in PROGRAMS {
        // Fewer reloads: each instruction costs fifty there.
        let binary = compile(program, "valgrind", &["-DRELOADS=20", "-DSTEPS=2000"], &library_folder());
        let mut command = valgrind(&binary);
        if *program == "forking" {
            // A child lets go of what is its parent's without freeing it: another thread may have held it at fork.
            command = Command::new(tool("valgrind", "valgrind"));
            command.args(["--quiet", "--error-exitcode=9"]).arg(&binary);
        }
        must_succeed(program, run(&mut command, &service("valgrind", program)));
    }
}

#[test]
fn the_sanitizers_are_really_in() {
    for (program, says) in [("control_leak", "LeakSanitizer"), ("control_overflow", "heap-use-after-free")] {
        let binary = compile(program, "control", SANITIZERS, &library_folder());
        must_be_caught(program, says, run(&mut sanitized(&binary), &service("control_sanitized", program)));
    }
}

#[test]
fn valgrind_really_looks() {
    for (program, says) in [("control_leak", "definitely lost"), ("control_overflow", "Invalid read")] {
        let binary = compile(program, "control_valgrind", &[], &library_folder());
        must_be_caught(program, says, run(&mut valgrind(&binary), &service("control_valgrind", program)));
    }
}

#[test]
fn a_panic_is_an_error_of_one_call() {
    let target = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("test-panic");
    check(
        Command::new(env!("CARGO"))
            .args(["build", "--lib", "--no-default-features", "--features", "test-panic", "--target-dir"])
            .arg(&target)
            .current_dir(root()),
    );
    let folder = link_folder(&target.join("debug/libgatepost.so"), "panicking_lib");
    let binary = compile("panicking", "panicking", &[], &folder);
    must_succeed("panicking", run(&mut Command::new(&binary), &service("panicking", "panicking")));
    must_succeed("panicking", run(&mut valgrind(&binary), &service("panicking_valgrind", "panicking")));
}

#[test]
fn every_function_is_called_with_null() {
    let nulls = fs::read_to_string(root().join("tests/c/nulls.c")).expect("nulls.c");
    let symbols = fs::read_to_string(root().join("tests/abi/symbols.txt")).expect("symbols.txt");
    assert!(symbols.lines().count() > 40);
    for name in symbols.lines() {
        assert!(nulls.contains(&format!("{name}(")), "tests/c/nulls.c does not call {name}");
    }
}

#[test]
fn every_program_of_the_folder_is_run() {
    let mut found: Vec<String> = fs::read_dir(root().join("tests/c"))
        .expect("tests/c")
        .filter_map(|entry| {
            entry.expect("entry").file_name().to_str().and_then(|name| name.strip_suffix(".c")).map(str::to_owned)
        })
        .filter(|name| !name.starts_with("control_") && name != "panicking")
        .collect();
    found.sort_unstable();
    let mut listed: Vec<&str> = PROGRAMS.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

const SANITIZERS: &[&str] = &["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"];

fn compile(program: &str, kind: &str, flags: &[&str], library: &Path) -> PathBuf {
    let binary = scratch(kind).join(program);
    check(
        Command::new(tool("gcc", "gcc"))
            .args(["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1"])
            .args(flags)
            .arg("-I")
            .arg(root().join("include"))
            .arg("-o")
            .arg(&binary)
            .arg(root().join(format!("tests/c/{program}.c")))
            .arg("-L")
            .arg(library)
            .arg(format!("-Wl,-rpath,{}", library.display()))
            .args(["-lgatepost", "-pthread"]),
    );
    binary
}

fn sanitized(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env("ASAN_OPTIONS", "detect_leaks=1:exitcode=9").env("UBSAN_OPTIONS", "print_stacktrace=1:exitcode=9");
    command
}

fn valgrind(binary: &Path) -> Command {
    let mut command = Command::new(tool("valgrind", "valgrind"));
    command.args(["--quiet", "--leak-check=full", "--error-exitcode=9"]).arg(binary);
    command
}

fn run(command: &mut Command, service: &Path) -> Output {
    command.arg(service).output().unwrap_or_else(|e| panic!("{command:?}: {e}"))
}

fn must_succeed(program: &str, output: Output) {
    assert!(
        output.status.success(),
        "{program}: {} (signal {:?})\n{}",
        output.status,
        output.status.signal(),
        // The first finding is what counts; valgrind would go on for pages.
        String::from_utf8_lossy(&output.stderr).lines().take(60).collect::<Vec<_>>().join("\n")
    );
}

fn must_be_caught(program: &str, says: &str, output: Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(9), "{program} is wrong on purpose and was not caught:\n{text}");
    assert!(text.contains(says), "{program} was caught for something else:\n{text}");
}
