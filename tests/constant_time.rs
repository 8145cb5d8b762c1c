//! No branch and no address depends on a secret: the library as it is released, with marks that tell valgrind's memcheck
//! where secrets begin and end (undefined bytes), so that it reports every place that treats one differently. Two wrong
//! ways are built in as well, and must be found.
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
use std::process::{Command, Output};

use gatepost::credential::api_key;
use tools::hooked::hooked_folder;
use tools::program::{compile, must_be_caught, must_succeed};
use tools::service::{add_key, extend, service};
use tools::tool;

const POLICY: &str = r#"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["HS256"]
keys = { secret_file = "accounts.secret" }

[[route]]
path = "/secret"
schemes = ["basic", "bearer", "api-key"]
"#;

/// A service that takes passwords, tokens and keys; its folder and a good key.
fn prepared(name: &str) -> (PathBuf, String) {
    let folder = service("secrets", name);
    extend(&folder, POLICY);
    // A token that is known again has no MAC to compare, only the token itself, which its sender has.
    let file = folder.join("policy.toml");
    let policy = fs::read_to_string(&file).unwrap();
    fs::write(&file, policy.replacen("[engine]\n", "[engine]\ntoken_cache_kib = 0\n", 1)).unwrap();
    fs::write(folder.join("accounts.secret"), mint::SECRET).unwrap();
    let key = add_key(&folder);
    (folder, key)
}

fn memcheck(name: &str, way: &str, credentials: impl Fn(&str) -> String, status: u32) -> Output {
    let (folder, key) = prepared(name);
    let binary = compile("secrets/paths", "secrets", &[], &hooked_folder());
    let mut command = Command::new(tool("valgrind", "valgrind"));
    command.args(["--quiet", "--error-exitcode=9"]).arg(binary);
    command.arg(folder).args([way, &credentials(&key), &status.to_string()]);
    command.output().unwrap()
}

fn decides(name: &str, credentials: impl Fn(&str) -> String, status: u32) {
    must_succeed(name, memcheck(name, "decide", credentials, status));
}

fn basic(login: &str) -> String {
    format!("Basic {}", data_encoding::BASE64.encode(login.as_bytes()))
}

#[test]
fn comparing_a_password_depends_on_no_secret() {
    decides("right_password", |_| basic("alice:correct horse battery staple"), 200);
    decides("wrong_password", |_| basic("alice:not the right password"), 401);
    decides("unknown_user", |_| basic("nobody:not the right password"), 401);
}

#[test]
fn comparing_a_mac_depends_on_no_secret() {
    let good = mint::token("good").unwrap();
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.A{}", &signature[1..]);
    assert_ne!(forged, good);
    decides("right_mac", |_| format!("Bearer {good}"), 200);
    decides("wrong_mac", |_| format!("Bearer {forged}"), 401);
}

#[test]
fn looking_up_an_api_key_depends_on_no_letter_of_it() {
    decides("right_key", |key| format!("ApiKey {key}"), 200);
    let stranger = api_key::generate().unwrap().secret;
    decides("unknown_key", |_| format!("ApiKey {}", *stranger), 401);
    decides("mistyped_key", |key| format!("ApiKey {}AAAAAA", &key[..key.len() - 6]), 401);
}

#[test]
fn memcheck_catches_a_comparison_that_stops_at_the_first_difference() {
    let output = memcheck("naive_comparison", "naive_comparison", |_| String::new(), 0);
    must_be_caught("naive_comparison", "uninitialised", output);
}

#[test]
fn memcheck_catches_a_table_that_is_read_at_a_secret_place() {
    let output = memcheck("naive_decoding", "naive_decoding", |_| String::new(), 0);
    must_be_caught("naive_decoding", "uninitialised", output);
}
