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
use std::process::Command;

use tools::program::{SANITIZERS, compile, must_be_caught, must_succeed, run, sanitized, valgrind};
use tools::service::service;
use tools::{library_folder, root, tool};

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
        .filter(|name| !name.starts_with("control_"))
        .collect();
    found.sort_unstable();
    let mut listed: Vec<&str> = PROGRAMS.to_vec();
    listed.sort_unstable();
    assert_eq!(found, listed);
}
