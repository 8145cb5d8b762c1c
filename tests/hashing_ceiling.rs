//! A low ceiling for hashing memory, in a process of its own: a right password comes in wherever its hash fits, and what
//! does not fit is told to the operator as that and not as a wrong password.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

use std::path::Path;

use data_encoding::{BASE64, BASE64_NOPAD};
use gatepost::crypto::password::{Cost, hash};
use gatepost::engine::{Engine, Options};
use gatepost::request::{Header, Request};
use gatepost::state::User;

const PASSWORD: &str = "correct horse";
const CEILING_KIB: usize = 1024;
/// Leaves no room beside it for the scrypt hashes below.
const COST: Cost = Cost { memory_kib: 1000, iterations: 1, parallelism: 1 };

fn scrypt(log_n: u8) -> String {
    let mut output = [0; 32];
    let params = scrypt::Params::new(log_n, 8, 1).unwrap();
    scrypt::scrypt(PASSWORD.as_bytes(), b"salt of sixteen.", &params, &mut output).unwrap();
    let (salt, output) = (BASE64_NOPAD.encode(b"salt of sixteen."), BASE64_NOPAD.encode(&output));
    format!("$scrypt$ln={log_n},r=8,p=1${salt}${output}")
}

fn engine() -> Engine {
    let text = format!(
        "[engine]\nname = \"x\"\nstate = \":memory:\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = {}\niterations = 1\n\
         remember = \"0s\"\n[throttle]\naccount = false\naddress = false\nprefix = false\npair = false\n[[route]]\npath = \"/\"\n",
        COST.memory_kib
    );
    let loaded = gatepost::policy::parse(&text, Path::new("x.toml"), Path::new(".")).unwrap();
    // Read only, so that a good login leaves the old hash for the next attempt.
    let options = Options { read_only: true, hashing_memory: Some(CEILING_KIB * 1024), ..Options::default() };
    let engine = Engine::new(loaded, options);
    engine.start().unwrap();
    engine
}

/// Reason and what the operator is told.
fn log_in(engine: &Engine, name: &str, password: &str) -> (String, String) {
    let value = format!("Basic {}", BASE64.encode(format!("{name}:{password}").as_bytes()));
    let headers = [Header { name: b"Authorization", value: value.as_bytes() }];
    let request = Request {
        method: b"GET",
        target: b"/",
        host: b"x.example",
        peer: b"192.0.2.1",
        headers: &headers,
        body_complete: true,
        now: Some(2_000),
        ..Request::default()
    };
    let (decision, steps) = engine.explain(&request).unwrap();
    (decision.reason.name().to_owned(), format!("{steps:?}"))
}

#[test]
fn a_right_password_comes_in_where_its_hash_fits_alone_and_what_does_not_fit_is_not_called_wrong() {
    let engine = engine();
    let users = [("argon", hash(PASSWORD.as_bytes(), COST).unwrap()), ("fits", scrypt(9)), ("large", scrypt(14))];
    for (name, hash) in users {
        let user = User {
            name: name.to_owned(),
            password_changed_at: Some(1_000),
            tokens_from: 0,
            hash: Some(hash),
            roles: Vec::new(),
            disabled: false,
            created_at: 1_000,
        };
        engine.state().unwrap().add_user(&user).unwrap();
    }
    for _ in 0..2 {
        for name in ["argon", "fits"] {
            assert_eq!(log_in(&engine, name, PASSWORD).0, "allowed", "{name}");
            let (reason, told) = log_in(&engine, name, "wrong");
            assert_eq!(reason, "credentials_invalid", "{name}");
            assert!(told.contains("wrong password") && !told.contains("cannot be checked"), "{told}");
        }
        assert_eq!(log_in(&engine, "nobody", PASSWORD).0, "credentials_invalid");
        let (reason, told) = log_in(&engine, "large", PASSWORD);
        assert_eq!(reason, "credentials_invalid");
        assert!(!told.contains("wrong password"), "{told}");
        for part in ["the password of large cannot be checked", "16387 KiB", "1024 KiB", "raise the ceiling"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
