//! Who asks for an account that does not exist costs as much work as who has a wrong password: counted in instructions
//! by callgrind, which no other load on the machine changes. `make timing` measures the same by the clock.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use std::path::Path;
use std::process::Command;

use gatepost::crypto::password::{Cost, hash};
use tools::program::{compile, must_succeed};
use tools::service::{add_user, service};
use tools::{library_folder, tool};

/// The most by which two kinds of failure may differ.
const BOUND: f64 = 0.01;

/// Instructions of one call.
fn instructions(folder: &Path, way: &str, what: &str) -> f64 {
    let binary = compile("secrets/work", "work", &[], &library_folder());
    let function = if way == "verify" { "gatepost_password_verify" } else { "gatepost_decide" };
    let output = Command::new(tool("valgrind", "valgrind"))
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(format!("--toggle-collect={function}"))
        .arg(binary)
        .arg(folder)
        .args([way, what])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    must_succeed(what, output);
    let count = said.lines().find_map(|line| line.split_once("Collected : ")).unwrap_or_else(|| panic!("{said}")).1;
    count.trim().parse().unwrap()
}

fn basic(login: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(login.as_bytes()))
}

fn differ(one: f64, other: f64) -> f64 {
    (one / other - 1.0).abs()
}

#[test]
fn an_unknown_user_one_without_a_password_and_one_with_an_old_hash_cost_what_a_wrong_password_costs() {
    let folder = service("work", "work");
    add_user(&folder, "robot", None);
    add_user(&folder, "veteran", Some(bcrypt::hash("a password of old", 5).unwrap()));
    let wrong = instructions(&folder, "decide", &basic("alice:not the right password"));
    assert!(wrong > 1e6, "a hash was made: {wrong}");
    for other in ["nobody", "robot", "veteran"].map(|name| format!("{name}:not the right password")) {
        let count = instructions(&folder, "decide", &basic(&other));
        assert!(differ(count, wrong) < BOUND, "{other}: {count} instructions, a wrong password {wrong}");
        println!("{other}: {:.3} %", differ(count, wrong) * 100.0);
    }
}

#[test]
fn a_hash_that_is_cheaper_by_three_percent_is_noticed() {
    let folder = service("work", "control");
    let stored = |memory_kib| hash(b"password", Cost { memory_kib, iterations: 1, parallelism: 1 }).unwrap();
    let usual = instructions(&folder, "verify", &stored(1024));
    assert!(differ(instructions(&folder, "verify", &stored(1024)), usual) < BOUND);
    let cheaper = instructions(&folder, "verify", &stored(992));
    assert!(differ(cheaper, usual) > BOUND, "{cheaper} instructions, {usual} usually");
}
