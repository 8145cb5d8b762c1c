//! The promises of docs/EMBEDDING.md, each shown by a C program that behaves as a particular host does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tools::hooked::hooked_folder;
use tools::program::{compile, compile_alone, must_succeed, run, valgrind};
use tools::service::{add_key, add_user, extend, service};
use tools::{library, library_folder, root, scratch};

/// Builds a program of tests/c/host against the library and runs it with a service of its own; what it printed.
fn host(program: &str) -> String {
    let binary = compile(&format!("host/{program}"), "host", &[], &library_folder());
    must_succeed(program, run(&mut Command::new(&binary), &service("host", program)))
}

#[test]
fn workers_that_fork_in_each_servers_way_decide_for_themselves_and_leave_the_parent_whole() {
    host("workers");
}

#[test]
fn a_panic_in_any_function_ends_one_call_and_nothing_else() {
    let binary = compile("host/panicking", "host", &[], &hooked_folder());
    let issuing = |kind| {
        let folder = service(kind, "panicking");
        extend(&folder, SIGNER);
        fs::write(folder.join("signing.secret"), "Hq7Zk3vQ9xT1mB7wRfY5cLdN8pHsGjUaE2K4oX6iVtPq").unwrap();
        folder
    };
    must_succeed("panicking", run(&mut Command::new(&binary), &issuing("host")));
    must_succeed("panicking", run(&mut valgrind(&binary), &issuing("host_valgrind")));
    let program = fs::read_to_string(root().join("tests/c/host/panicking.c")).unwrap();
    let missing: Vec<String> = fs::read_to_string(root().join("tests/abi/symbols.txt"))
        .unwrap()
        .lines()
        .filter(|name| {
            let macro_name = if name.ends_with("_free") { "FREES" } else { "PANICS" };
            !program.contains(&format!("{macro_name}({name}("))
        })
        .map(str::to_owned)
        .collect();
    assert!(missing.is_empty(), "tests/c/host/panicking.c has no panic in {missing:?}");
}

#[test]
fn a_thousand_loads_and_unloads_leave_nothing_behind() {
    let binary = compile_alone("host/loading", "host", &["-ldl", "-pthread"]);
    let mut command = Command::new(&binary);
    command.arg(scratch("loading")).arg(library());
    println!("{}", must_succeed("loading", command.output().unwrap()));
}

#[test]
fn two_copies_and_the_hosts_own_sqlite_live_in_one_process() {
    let folder = scratch("copies");
    let copies: Vec<PathBuf> = ["libone.so", "libtwo.so"].iter().map(|name| folder.join(name)).collect();
    for copy in &copies {
        let _ = fs::remove_file(copy);
        fs::copy(library(), copy).unwrap();
    }
    let binary = compile_alone("host/copies", "host", &["-l:libsqlite3.so.0", "-ldl", "-pthread"]);
    let mut command = Command::new(&binary);
    command.arg(service("host", "copies")).arg(service("host", "copies_other")).args(&copies);
    println!("{}", must_succeed("copies", command.output().unwrap()));
}

#[test]
fn signals_interrupt_nothing_and_a_broken_pipe_ends_nobody() {
    let binary = compile("host/signals", "host", &[], &library_folder());
    let folder = service("host", "signals");
    // What it tells goes to the pipe as well, as long as there is one and afterwards.
    extend(&folder, "[events]\nfile = \"stderr\"\nallowed = \"all\"\n");
    let output = run(&mut Command::new(&binary), &folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    println!("{}", must_succeed("signals", output));
    let lines = told.lines().filter(|line| line.contains(r#""reason":"allowed""#)).count();
    assert!(lines >= 40, "{lines} lines of events:\n{told}");
    for line in told.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
}

/// Every function of the header is called by these, on their good paths and with everything that is wrong.
#[test]
fn no_call_changes_anything_of_its_host() {
    let symbols = fs::read_to_string(root().join("tests/abi/symbols.txt")).unwrap();
    let macros: String =
        symbols.lines().map(|name| format!("#define {name}(...) WATCHED({name}, __VA_ARGS__)\n")).collect();
    let folder = scratch("watched_header");
    let header = folder.join("watch_all.h");
    let watched = root().join("tests/c/host/watched.h");
    fs::write(&header, format!("#include \"{}\"\n#include <gatepost.h>\n{macros}", watched.display())).unwrap();
    let mut counted = 0;
    for program in ["nulls", "life_cycle", "jobs", "pool", "tables"] {
        let flags = ["-include", header.to_str().unwrap(), "-lm"];
        let binary = compile(program, "watched", &flags, &library_folder());
        let folder = service("watched", program);
        must_succeed(program, run(&mut Command::new(&binary), &folder));
        // Not every one of them starts an engine.
        let counts = folder.join("gatepost.db-throttle").exists();
        counted += usize::from(counts);
        let names = ["gatepost.db", "gatepost.db-epoch", "gatepost.db-throttle"];
        for name in names.into_iter().take(if counts { 3 } else { 2 }) {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.join(name)).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600, "{name}, in a host whose umask forbids nothing");
        }
    }
    assert!(counted > 0);
}

#[test]
fn small_stacks_are_enough() {
    let folder = service("host", "stacks");
    add_user(&folder, "veteran", Some(bcrypt::hash("a password of old", 4).unwrap()));
    // As deep as a requirement can go.
    let deep = format!("{}{{ role = \"admin\" }}{}", "{ any = [".repeat(31), "] }".repeat(31));
    extend(&folder, &STACKS.replace("DEEP", &deep));
    fs::write(folder.join("secret"), "Zk3vQ9xT1mB7wRfY5cLdN8pHsGjUaE2K4oX6iVtPq0y").unwrap();
    let binary = compile("host/stacks", "host", &[], &library_folder());
    println!("{}", must_succeed("stacks", run(&mut Command::new(&binary), &folder)));
}

const SIGNER: &str = r#"
[[signer]]
name = "access"
issuer = "https://self.example"
audience = ["self"]
algorithm = "HS256"
key = { secret_file = "signing.secret" }
"#;

/// Tokens, keys and a requirement that goes deep.
const STACKS: &str = r#"
[[issuer]]
name = "a"
issuer = "https://a.example"
audience = ["b"]
algorithms = ["HS256"]
keys = { secret_file = "secret" }
claims = { roles = "roles" }

[[route]]
path = "/deep"
schemes = ["bearer"]
require = DEEP

[[route]]
path = "/key"
schemes = ["api-key"]
require = DEEP
"#;

#[test]
fn memory_that_cannot_be_had_is_an_answer() {
    println!("{}", host("scarce"));
}

#[test]
fn callbacks_may_call_back_in() {
    host("callbacks");
}

#[test]
fn processes_and_threads_end_as_they_like() {
    host("ending");
}

#[test]
fn nothing_is_opened_before_start_and_nothing_is_inherited() {
    host("before_start");
}

#[test]
fn a_few_system_calls_are_enough_to_decide() {
    if cfg!(target_arch = "x86_64") {
        let folder = service("host", "syscalls");
        extend(&folder, "\n[[route]]\npath = \"/key\"\nschemes = [\"api-key\"]\n");
        let key = format!("ApiKey {}", add_key(&folder));
        let binary = compile("host/syscalls", "host", &[], &library_folder());
        must_succeed("syscalls", Command::new(&binary).arg(folder).arg(key).output().unwrap());
    }
    let names = |text: &str, pattern: &str| -> BTreeSet<String> {
        regex::Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
    };
    let part = |path: &str, begin: &str, end: &str| -> String {
        let text = fs::read_to_string(root().join(path)).unwrap();
        text.split(begin).nth(1).unwrap().split(end).next().unwrap().to_owned()
    };
    let allowed = names(&part("tests/c/host/syscalls.c", "LIST BEGINS", "LIST ENDS"), r"call\((\w+)\)");
    let said = names(&part("docs/EMBEDDING.md", "## System calls", "\n## "), r"`(\w+)`");
    assert!(allowed.len() > 20);
    assert_eq!(said, allowed, "left: docs/EMBEDDING.md");
}

#[test]
fn every_program_of_the_folder_is_run() {
    let source = fs::read_to_string(root().join("tests/embedding.rs")).unwrap();
    let mut programs = 0;
    for entry in fs::read_dir(root().join("tests/c/host")).unwrap() {
        let path = entry.unwrap().path();
        let Some(name) = Path::new(&path).file_name().unwrap().to_str().unwrap().strip_suffix(".c") else { continue };
        assert!(source.contains(&format!("\"{name}\"")) || source.contains(&format!("\"host/{name}\"")), "{name}");
        programs += 1;
    }
    assert!(programs >= 10);
}

/// A start that failed is told as one, with the file and what to do, and a later one that succeeds ends it.
#[test]
fn what_a_start_failed_of_is_what_a_decision_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gatepost.toml");
    let policy =
        "[engine]\nstate = \"gone/shop.db\"\nschemes = [\"basic\"]\n[[route]]\npath = \"/\"\naccess = \"public\"\n";
    std::fs::write(&path, policy).unwrap();
    let (engine, _) = gatepost::engine::Engine::open(&path, gatepost::engine::Options::default()).unwrap();
    let request = gatepost::request::Request {
        method: b"GET",
        target: b"/",
        host: b"shop.example",
        peer: b"192.0.2.7",
        ..Default::default()
    };
    let said = |engine: &gatepost::engine::Engine| {
        let error = engine.decide(&request).unwrap_err();
        assert_eq!(error.kind(), gatepost::error::ErrorKind::NotStarted);
        error.message().to_owned()
    };
    assert_eq!(said(&engine), "call start first, in each process after fork");
    engine.start().unwrap_err();
    let failed = said(&engine);
    assert!(failed.starts_with("start failed: ") && failed.contains("gone/shop.db"), "{failed}");
    assert!(failed.contains("make its folder"), "{failed}");
    std::fs::create_dir(folder.path().join("gone")).unwrap();
    engine.start().unwrap();
    assert_eq!(engine.decide(&request).unwrap().status, 200);
}
