//! The scripts behind `make demo` and `make bench` run to their end, on the library that was built with this test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tools::{library, output, root, scratch};

/// Stands for target/release.
fn release(name: &str) -> PathBuf {
    let folder = scratch(name);
    let program = Path::new(env!("CARGO_BIN_EXE_gatepost")).to_owned();
    for (from, to) in [(library(), "libgatepost.so"), (library(), "libgatepost.so.0"), (program, "gatepost")] {
        let to = folder.join(to);
        let _ = fs::remove_file(&to);
        std::os::unix::fs::symlink(from, to).expect("link");
    }
    folder
}

fn script(path: &str, name: &str) -> Command {
    let mut command = Command::new(root().join(path));
    command.env("GATEPOST_RELEASE", release(name));
    command
}

#[test]
fn the_demo_plays_thirteen_requests_and_explains_one() {
    let text = output(&mut script("examples/demo/demo.sh", "demo"));
    let played = text.lines().filter(|line| line.starts_with("GET /") || line.starts_with("DELETE /")).count();
    assert_eq!(played, 13, "{text}");
    assert!(text.contains("403 role_missing ← refused here"), "{text}");
}

#[test]
fn the_bench_prints_a_line_for_each_path() {
    let mut bench = script("benches/decide.sh", "bench");
    let text = output(bench.env("CFLAGS", "-DROUNDS=3 -DEACH=20").env("WITHOUT_INSTRUCTIONS", "1"));
    for path in ["public", "anonymous", "basic", "api-key", "hs256", "refused", "unknown"] {
        let row = text.lines().find(|line| line.split_whitespace().next() == Some(path));
        let nanoseconds = row.and_then(|row| row.split_whitespace().nth(1)).and_then(|ns| ns.parse::<f64>().ok());
        assert!(nanoseconds.is_some_and(|ns| ns > 0.0), "{path}: {text}");
    }
}

#[test]
fn the_trained_build_says_what_it_wants() {
    let folder = scratch("untrained");
    let compiler = folder.join("rustc");
    // By another process: nothing runs a file that some process has open for writing, and here a test beside this may
    // have started one meanwhile.
    let script = "printf '#!/bin/sh\\necho host: nowhere\\n' >\"$0\" && chmod +x \"$0\"";
    let written = Command::new("sh").args(["-c", script]).arg(&compiler).status().expect("run");
    assert!(written.success());
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a PATH"));
    let said = Command::new(root().join("bindings/c/optimized.sh")).env("PATH", path).output().expect("run");
    let text = String::from_utf8_lossy(&said.stderr);
    assert!(!said.status.success() && text.contains("rustup component add llvm-tools"), "{text}");
}

/// A project and tools that do next to nothing; somebody edits a source while it is being compiled.
const PRETENDED: &str = r#"
rm -rf project tools && mkdir -p tools project/target/release sysroot/lib/rustlib/nowhere/bin && cd project
mkdir -p src include tests/cases tests/bindings/c benches bindings/c examples/demo
cp "$SCRIPT" bindings/c/optimized.sh
touch src/lib.rs Cargo.toml Cargo.lock build.rs tests/cases/a.json benches/decide.c
echo '[engine]' >benches/orders.toml
tool() { printf '#!/bin/sh\n%s\n' "$2" >"$1" && chmod +x "$1"; }
tool tests/bindings/c/build :
tool examples/demo/mint.sh 'echo token'
tool target/release/gatepost 'echo "\"gp_key\""'
tool ../sysroot/lib/rustlib/nowhere/bin/llvm-profdata :
tool ../tools/rustc "[ \$1 = -vV ] && echo 'host: nowhere' || echo $PWD/../sysroot"
tool ../tools/openssl 'echo 00'
tool ../tools/cc "while [ \$1 != -o ]; do shift; done; printf '#!/bin/sh\n' >\$2; chmod +x \$2"
tool ../tools/cargo 'mkdir -p target/training/release && touch target/training/release/libgatepost.so target/training/release/libgatepost.a
[ ! -e edit ] || { sleep 0.1; touch src/lib.rs; rm edit; }'
export PATH="$PWD/../tools:$PATH" CARGO_TARGET_DIR=$PWD/target TMPDIR=$PWD
touch edit
for _ in 1 2 3; do bindings/c/optimized.sh 2>&1 | tail -n 1; sleep 0.1; done
"#;

#[test]
fn the_trained_build_takes_what_was_edited_while_it_ran_the_next_time() {
    let mut bash = Command::new("bash");
    let bash = bash.args(["-euo", "pipefail", "-c", PRETENDED]).env("SCRIPT", root().join("bindings/c/optimized.sh"));
    let said = output(bash.current_dir(scratch("edited")).env_remove("CARGO"));
    let is_old: Vec<bool> = said.lines().map(|line| line.ends_with("is up to date")).collect();
    assert_eq!(is_old, [false, false, true], "{said}");
}

#[test]
fn a_lane_in_which_something_fails_or_cannot_even_begin_shows_and_fails() {
    let said = |limits: &str, commands: &str| {
        let line = format!("{limits} exec timeout 600 .ci/lanes {commands}");
        let said = Command::new("bash").arg("-c").arg(line).current_dir(root()).output().expect("run");
        (said.status.code(), String::from_utf8_lossy(&said.stdout).into_owned())
    };
    let (status, text) = said("", "'echo one' -- 'exit 3' 'echo after'");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("FAILED with status 3: exit 3") && text.contains("passed: echo after"), "{text}");
    assert_eq!(said("", "'echo one' -- true").0, Some(0));
    let (status, text) = said("", "--together 'exit 3' 'echo after'");
    assert!(status == Some(1) && text.contains("DID NOT RUN: echo after"), "{text}");
    // What the commands write is kept in a file each, and then no descriptor is left.
    let (status, text) = said("ulimit -n 8;", "'echo one' true true true");
    assert_eq!(status, Some(1), "{text}");
    assert!(text.contains("DID NOT RUN: echo one") && !text.contains("passed"), "{text}");
}

/// A tree whose bindings and tools do nothing and are content.
const CONTENT: &str = r#"
rm -rf tree && mkdir -p tree/tests/cases tree/release && cd tree
for name in c cpp python go; do mkdir -p "tests/bindings/$name" && printf '#!/bin/sh\n' >"tests/bindings/$name/cases"; done
cp "$SCRIPT" tests/bindings/run.sh
touch tests/cases/a.json release/libgatepost.so.0 tests/bindings/compare.py tests/bindings/compare_test.py tests/bindings/exchanges.py
printf '#!/bin/sh\n' >release/gatepost
chmod +x tests/bindings/*/cases release/gatepost
export GATEPOST_RELEASE=$PWD/release CARGO_TARGET_DIR=$PWD/target
tests/bindings/run.sh
chmod -x tests/bindings/go/cases
tests/bindings/run.sh && echo "it passed without Go" || true
"#;

#[test]
fn a_binding_whose_cases_cannot_be_run_fails_the_suite() {
    let mut bash = Command::new("bash");
    let bash = bash.args(["-euo", "pipefail", "-c", CONTENT]).env("SCRIPT", root().join("tests/bindings/run.sh"));
    let said = output(bash.current_dir(scratch("content")).env_remove("GATEPOST_CASES"));
    assert!(said.contains("go: there is no") && !said.contains("it passed without Go"), "{said}");
}
