//! Revocations between processes: what is acknowledged in one refuses the very next decision in the other, and `kill -9`
//! loses nothing that was acknowledged. Each test runs itself again as the other process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
mod tools;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine_support::*;
use gatepost::engine::{Engine, Options, Revoke, Span};
use gatepost::state::By;
use serde_json::json;
use tools::other::{Other, say};

/// The policy, for a test that runs as another process.
const POLICY: &str = "GATEPOST_TEST_POLICY";

const ISSUED: i64 = NOW - 60;

struct Place {
    _folder: tempfile::TempDir,
    policy: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let policy = folder.path().join("gatepost.toml");
        std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
        let text = format!(
            "[engine]\nstate = \"state.db\"\nschemes = [\"bearer\"]\n{CHEAP}{ISSUER}[[route]]\npath = \"/a\"\n"
        );
        std::fs::write(&policy, text).unwrap();
        Place { _folder: folder, policy }
    }
}

fn open(policy: &Path) -> Engine {
    let (engine, _) = Engine::open(policy, Options::default()).unwrap();
    engine.start().unwrap();
    engine
}

/// What the other one is asked to do, and does.
fn asks(other: &mut Other, line: &str) -> String {
    other.say(line);
    other.next("done ").expect("the other process has ended")
}

fn other() -> Option<PathBuf> {
    std::env::var_os(POLICY).map(PathBuf::from)
}

/// A request with the token of this number: each has a `jti`, a `sid` and a subject of its own.
fn with_token(number: usize) -> Ask {
    let more = json!({ "jti": format!("j{number}"), "sid": format!("s{number}"), "iat": ISSUED });
    get("/a").authorization(bearer(&format!("u{number}"), more))
}

fn revoke(engine: &Engine, number: usize) {
    let span = Span { before: None, until: None };
    let (by, name, span) = match number % 3 {
        0 => (By::Token, format!("j{number}"), span),
        1 => (By::Session, format!("s{number}"), Span { until: Some(i64::MAX / 2), ..span }),
        _ => (By::Subject, format!("u{number}"), Span { before: Some(ISSUED + 1), ..span }),
    };
    let done = engine.revoke(&Revoke::Named { issuer: "accounts", by, name: &name, span }).unwrap();
    assert!(done.iter().all(|one| one.new), "{name}");
}

#[test]
fn a_revocation_in_one_process_refuses_the_very_next_decision_in_the_other() {
    if let Some(policy) = other() {
        let engine = open(&policy);
        for line in std::io::stdin().lines() {
            let line = line.unwrap();
            let (what, number) = line.split_once(' ').unwrap();
            let number = number.parse().unwrap();
            if what == "revoke" {
                revoke(&engine, number);
                say("done revoked");
            } else {
                say(&format!("done {}", with_token(number).reason(&engine)));
            }
        }
        return;
    }
    let place = Place::new();
    let engine = open(&place.policy);
    let mut other = Other::start(
        "a_revocation_in_one_process_refuses_the_very_next_decision_in_the_other",
        &[(POLICY, place.policy.as_os_str())],
    );
    for number in 0..150 {
        let ask = with_token(number);
        // Asked twice, so that what can be remembered is, in both.
        for _ in 0..2 {
            assert_eq!(ask.reason(&engine), "allowed", "{number}");
            assert_eq!(asks(&mut other, &format!("ask {number}")), "allowed", "{number}");
        }
        if number % 2 == 0 {
            assert_eq!(asks(&mut other, &format!("revoke {number}")), "revoked");
            assert_eq!(ask.reason(&engine), "token_revoked", "{number}");
        } else {
            revoke(&engine, number);
            assert_eq!(asks(&mut other, &format!("ask {number}")), "token_revoked", "{number}");
        }
        assert_eq!(with_token(number + 1).reason(&engine), "allowed", "{number}");
    }
    other.end();
    // A process that comes later knows them all.
    let late = open(&place.policy);
    for number in 0..150 {
        assert_eq!(with_token(number).reason(&late), "token_revoked", "{number}");
    }
}

#[test]
fn no_acknowledged_revocation_is_lost_to_200_kills() {
    const KILLS: usize = 200;
    /// Numbers of one process; no other takes them.
    const EACH: usize = 100_000;
    if let Some(policy) = other() {
        let engine = open(&policy);
        let first: usize = std::env::var("GATEPOST_TEST_FIRST").unwrap().parse().unwrap();
        for number in first.. {
            revoke(&engine, number);
            say(&format!("acknowledged {number}"));
        }
    }
    let place = Place::new();
    let engine = open(&place.policy);
    let mut acknowledged: Vec<usize> = Vec::new();
    for round in 0..KILLS {
        let first = (round * EACH).to_string();
        let environment = [(POLICY, place.policy.as_os_str()), ("GATEPOST_TEST_FIRST", first.as_ref())];
        let mut other = Other::start("no_acknowledged_revocation_is_lost_to_200_kills", &environment);
        for _ in 0..1 + round % 3 {
            acknowledged.push(other.next("acknowledged ").unwrap().parse().unwrap());
        }
        // Somewhere in what follows, at a different point each time.
        let until = Instant::now() + Duration::from_micros((round as u64 * 37) % 1_500);
        while Instant::now() < until {
            let last = *acknowledged.last().unwrap();
            assert_eq!(with_token(last).reason(&engine), "token_revoked", "round {round}, while it goes on");
        }
        other.child.kill().unwrap();
        while let Some(number) = other.next("acknowledged ") {
            acknowledged.push(number.parse().unwrap());
        }
        other.child.wait().unwrap();
        let last = *acknowledged.last().unwrap();
        assert_eq!(with_token(last).reason(&engine), "token_revoked", "round {round}");
        // The numbers of the next process are free.
        assert_eq!(with_token((round + 1) * EACH).reason(&engine), "allowed", "round {round}");
    }
    println!("{} acknowledged", acknowledged.len());
    assert!(acknowledged.len() >= KILLS);
    let late = open(&place.policy);
    for number in &acknowledged {
        assert_eq!(with_token(*number).reason(&late), "token_revoked", "{number} was acknowledged");
        assert_eq!(with_token(*number).reason(&engine), "token_revoked", "{number} was acknowledged");
    }
}

#[test]
fn a_state_that_cannot_be_read_is_503_and_never_a_yes() {
    let place = Place::new();
    let engine = open(&place.policy);
    let (ask, fresh) = (with_token(1), with_token(2));
    assert_eq!(ask.reason(&engine), "allowed");
    let file = place.policy.with_file_name("state.db");
    let away = place.policy.with_file_name("away.db");
    std::fs::rename(&file, &away).unwrap();
    // A lost file is looked for once a second.
    std::thread::sleep(Duration::from_millis(1_100));
    for ask in [&ask, &fresh] {
        let decision = ask.to(&engine);
        assert_eq!((decision.status, decision.reason.name()), (503, "state_unavailable"));
        assert!(decision.identity.is_none());
    }
    std::fs::rename(&away, &file).unwrap();
    assert_eq!(ask.reason(&engine), "allowed");
}
