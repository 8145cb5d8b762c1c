//! Runs the C programs of `tests/c` against the shared library: plain, under the address and undefined-behaviour
//! sanitizers, and under valgrind; and proves with programs that are wrong on purpose that both look at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod mint;
mod tools;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tools::program::{SANITIZERS, compile, must_be_caught, must_succeed, run, sanitized, valgrind};
use tools::service::{extend, service};
use tools::{library_folder, root, scratch, tool};

/// Every program of `tests/c` that must succeed.
const PROGRAMS: &[&str] = &[
    "life_cycle",
    "nulls",
    "structs",
    "flat",
    "text",
    "tables",
    "jobs",
    "pool",
    "forking",
    "strip",
    "threads",
    "random_calls",
    "certificates",
    "dpop",
    "events",
    "tokens",
    "fetching",
    "issuing",
];

/// The folder of a program; that of `dpop` has an issuer, tokens that are bound to a key or a certificate, and proofs.
fn prepared(kind: &str, program: &str) -> PathBuf {
    let folder = service(kind, program);
    if program == "dpop" {
        extend(
            &folder,
            "[[issuer]]\nname = \"accounts\"\nissuer = \"https://accounts.example.com\"\naudience = \"orders\"\n\
             algorithms = \"HS256\"\nkeys = { secret_file = \"accounts.secret\" }\n\
             [[route]]\npath = \"/\"\nschemes = [\"bearer\"]\n",
        );
        fs::write(folder.join("accounts.secret"), mint::SECRET).expect("secret");
        for (file, name) in [
            ("token.txt", "bound_to_key"),
            ("proof.txt", "proof_good"),
            ("again.txt", "proof_good_2"),
            ("bearer.txt", "bound_to_billing"),
        ] {
            fs::write(folder.join(file), mint::token(name).expect(name)).expect(file);
        }
        fs::write(folder.join("client.der"), mint::bound::der("billing")).expect("client.der");
        fs::write(folder.join("stranger.der"), mint::bound::der("reports")).expect("stranger.der");
    }
    folder
}

#[test]
fn programs_hold_plain() {
    for program in PROGRAMS {
        let binary = compile(program, "plain", &["-DMEASURE"], &library_folder());
        must_succeed(program, run(&mut Command::new(&binary), &prepared("plain", program)));
    }
}

#[test]
fn programs_hold_under_the_sanitizers() {
    for program in PROGRAMS {
        let binary = compile(program, "sanitized", SANITIZERS, &library_folder());
        must_succeed(program, run(&mut sanitized(&binary), &prepared("sanitized", program)));
    }
}

#[test]
fn programs_hold_under_valgrind() {
    for program in PROGRAMS {
        // Fewer reloads: each instruction costs fifty there.
        let binary = compile(program, "valgrind", &["-DRELOADS=20", "-DSTEPS=2000"], &library_folder());
        let mut command = valgrind(&binary);
        if *program == "forking" || *program == "events" {
            // A child lets go of what is its parent's without freeing it: another thread may have held it at fork.
            command = Command::new(tool("valgrind", "valgrind"));
            command.args(["--quiet", "--error-exitcode=9"]).arg(&binary);
        }
        must_succeed(program, run(&mut command, &prepared("valgrind", program)));
    }
}

/// Judged by the parser of Prometheus's own client library.
#[test]
fn counters_are_open_metrics() {
    let binary = compile("events", "metrics", &[], &library_folder());
    let text = must_succeed("events", run(&mut Command::new(&binary), &service("metrics", "events")));
    let read = |text: &str| {
        let file = scratch("metrics").join("metrics.txt");
        fs::write(&file, text).expect("written");
        Command::new(tool("python3", "python3"))
            .args(["-c", READ])
            .arg(file)
            // Debian's own, where its package is, whichever comes first in the path.
            .env("PYTHONPATH", "/usr/lib/python3/dist-packages")
            .output()
            .expect("python3")
    };
    let output = read(&text);
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8(output.stdout).expect("UTF-8");
    for line in [
        "gatepost_decisions counter credentials_missing none 2",
        "gatepost_decisions counter allowed basic 2",
        "gatepost_decisions counter role_missing basic 1",
        "gatepost_policy_generation gauge 3",
    ] {
        assert!(found.lines().any(|have| have == line), "{line} is not in\n{found}");
    }
    // The parser can say no.
    for broken in [text.replace("# EOF\n", ""), text.replacen("_total{", "{", 1), text.replacen('"', "", 1)] {
        assert!(!read(&broken).status.success());
    }
}

const READ: &str = "import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as families
for family in families(open(sys.argv[1]).read()):
    for sample in family.samples:
        print(family.name, family.type, *sample.labels.values(), int(sample.value))";

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
