//! Used proofs between processes of one state file: what is used in one is refused in every other, and after a restart.
//! Tests with two processes run themselves again as the other one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod dpop_support;
mod engine_support;
mod tools;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dpop_support::*;
use engine_support::*;
use gatepost::engine::{Engine, Options};
use gatepost::policy::model::StateLocation;
use serde_json::json;
use tools::other::{Other, say};

/// The state file, for a test that runs as another process.
const STATE: &str = "GATEPOST_TEST_STATE";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn proofs(&self) -> PathBuf {
        self.folder.path().join("state.db-proofs")
    }

    fn open(&self, more: &str) -> Engine {
        on_file(more, &self.state())
    }
}

fn on_file(more: &str, state: &Path) -> Engine {
    engine_with(&policy(more), Options { state: Some(StateLocation::File(state.to_owned())), ..Options::default() })
}

/// Answers with reasons to the numbers that it is told, as another process; true where this is that one.
fn is_other() -> bool {
    let Some(state) = std::env::var_os(STATE) else { return false };
    let (engine, client) = (on_file("", Path::new(&state)), Client::new(7));
    for line in std::io::stdin().lines() {
        let asks = client.numbered(line.unwrap().parse().unwrap());
        say(&format!("done {}", asks.reason(&engine)));
    }
    true
}

fn asks(other: &mut Other, number: usize) -> String {
    other.say(&number.to_string());
    other.next("done ").expect("the other process has ended")
}

fn start(test: &str, place: &Place) -> Other {
    Other::start(test, &[(STATE, place.state().as_os_str())])
}

#[test]
fn a_proof_that_was_used_in_one_process_is_refused_in_the_other_and_after_a_restart() {
    const NAME: &str = "a_proof_that_was_used_in_one_process_is_refused_in_the_other_and_after_a_restart";
    if is_other() {
        return;
    }
    let place = Place::new();
    let (engine, client) = (place.open(""), Client::new(7));
    let mut other = start(NAME, &place);
    for number in 0..400 {
        if number % 2 == 0 {
            assert_eq!(client.numbered(number).reason(&engine), "allowed", "{number}");
            assert_eq!(asks(&mut other, number), "dpop_proof", "{number}");
        } else {
            assert_eq!(asks(&mut other, number), "allowed", "{number}");
            assert_eq!(client.numbered(number).reason(&engine), "dpop_proof", "{number}");
        }
        assert_eq!(asks(&mut other, number), "dpop_proof", "{number}");
    }
    other.end();
    drop(engine);
    let late = place.open("");
    for number in 0..400 {
        assert_eq!(client.numbered(number).reason(&late), "dpop_proof", "{number}");
    }
    assert_eq!(client.numbered(400).reason(&late), "allowed");
}

/// Both get the same proofs at the same time, in the same order.
#[test]
fn of_two_racing_processes_never_both_take_a_proof() {
    const PROOFS: usize = 3_000;
    if let Some(state) = std::env::var_os(STATE) {
        let (engine, client) = (on_file("", Path::new(&state)), Client::new(7));
        let asks: Vec<Ask> = (0..PROOFS).map(|number| client.numbered(number)).collect();
        say("ready here");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        let taken: Vec<String> = (0..PROOFS)
            .filter(|number| asks[*number].reason(&engine) == "allowed")
            .map(|number| number.to_string())
            .collect();
        say(&format!("taken {}", taken.join(" ")));
        return;
    }
    let place = Place::new();
    let mut others: Vec<Other> =
        (0..3).map(|_| start("of_two_racing_processes_never_both_take_a_proof", &place)).collect();
    others.iter_mut().for_each(|other| assert!(other.next("ready ").is_some()));
    others.iter_mut().for_each(|other| other.say("go"));
    let mut takers = vec![0; PROOFS];
    for mut other in others {
        for number in other.next("taken ").unwrap().split_whitespace() {
            takers[number.parse::<usize>().unwrap()] += 1;
        }
        other.end();
    }
    assert!(takers.iter().all(|takers| *takers <= 1));
    let nobody = takers.iter().filter(|takers| **takers == 0).count();
    println!("{nobody} of {PROOFS} were refused by all");
    assert!(nobody < PROOFS / 10);
}

#[test]
fn a_process_that_is_killed_at_any_moment_leaves_its_used_proofs_and_a_table_that_works() {
    const KILLS: usize = 40;
    /// Numbers of one process; no other takes them.
    const EACH: usize = 100_000;
    if let Some(state) = std::env::var_os(STATE) {
        let (engine, client) = (on_file("", Path::new(&state)), Client::new(7));
        let first: usize = std::env::var("GATEPOST_TEST_FIRST").unwrap().parse().unwrap();
        for number in first.. {
            assert_eq!(client.numbered(number).reason(&engine), "allowed", "{number}");
            say(&format!("used {number}"));
        }
    }
    let place = Place::new();
    let (engine, client) = (place.open(""), Client::new(7));
    let mut used: Vec<usize> = Vec::new();
    for round in 0..KILLS {
        let first = (round * EACH).to_string();
        let environment = [(STATE, place.folder.path().join("state.db")), ("GATEPOST_TEST_FIRST", first.into())];
        let environment: Vec<(&str, &OsStr)> =
            environment.iter().map(|(name, value)| (*name, value.as_os_str())).collect();
        let mut other = Other::start(
            "a_process_that_is_killed_at_any_moment_leaves_its_used_proofs_and_a_table_that_works",
            &environment,
        );
        for _ in 0..1 + round % 3 {
            used.push(other.next("used ").unwrap().parse().unwrap());
        }
        std::thread::sleep(Duration::from_micros((round as u64 * 137) % 3_000));
        other.child.kill().unwrap();
        while let Some(number) = other.next("used ") {
            used.push(number.parse().unwrap());
        }
        other.child.wait().unwrap();
        let last = *used.last().unwrap();
        assert_eq!(client.numbered(last).reason(&engine), "dpop_proof", "round {round}");
        assert_eq!(client.numbered((round + 1) * EACH - 1).reason(&engine), "allowed", "round {round}");
    }
    assert!(used.len() >= KILLS);
    let late = place.open("");
    for number in used {
        assert_eq!(client.numbered(number).reason(&late), "dpop_proof", "{number} was used");
        assert_eq!(client.numbered(number).reason(&engine), "dpop_proof", "{number} was used");
    }
}

/// Two engines share nothing but the state, as two processes do.
#[test]
fn by_its_nonce_and_by_its_own_time_it_is_the_same_proof_in_every_process() {
    let place = Place::new();
    let client = Client::new(7);
    let (plain, nonces) = (place.open(""), place.open("dpop_nonce = true\n"));
    let first = client.ask(&client.proof(json!({}))).to(&nonces);
    let nonce = fields(&first, "DPoP-Nonce")[0];
    let proof = || client.proof(json!({"nonce": nonce, "iat": NOW - 40}));
    for (one, other) in [(&plain, &nonces), (&nonces, &plain)] {
        let proof = proof();
        assert_eq!(client.ask(&proof).reason(one), "allowed");
        assert_eq!(client.ask(&proof).reason(other), "dpop_proof");
    }
}

#[test]
fn each_state_has_its_own_and_a_state_in_memory_tells_nobody() {
    let (one, two) = (Place::new(), Place::new());
    let client = Client::new(7);
    let proof = client.numbered(1);
    for engine in [one.open(""), two.open(""), engine(&policy("")), engine(&policy(""))] {
        assert_eq!((proof.reason(&engine), proof.reason(&engine)), ("allowed", "dpop_proof"));
    }
}

#[test]
fn the_file_is_there_only_where_proofs_are_taken_also_once_a_reload_takes_them() {
    let place = Place::new();
    let client = Client::new(7);
    let (one, two) = (place.open("dpop = \"off\"\n"), place.open("dpop = \"off\"\n"));
    let state = Some(StateLocation::File(place.state()));
    let reader = engine_with(&policy(""), Options { state, read_only: true, ..Options::default() });
    assert_eq!(client.numbered(1).reason(&reader), "allowed");
    assert!(!place.proofs().exists(), "who only reads makes nothing");
    assert_eq!(client.numbered(1).reason(&one), "scheme_not_accepted");
    one.replace(load(&policy(""))).unwrap();
    assert!(place.proofs().exists());
    two.replace(load(&policy(""))).unwrap();
    assert_eq!((client.numbered(1).reason(&one), client.numbered(1).reason(&two)), ("allowed", "dpop_proof"));
    // Once more changes nothing.
    two.replace(load(&policy("dpop = \"required\"\n"))).unwrap();
    assert_eq!((client.numbered(2).reason(&two), client.numbered(2).reason(&one)), ("allowed", "dpop_proof"));
    assert_eq!(client.numbered(1).reason(&two), "dpop_proof");
}

#[test]
fn a_file_that_is_something_else_stops_the_start_and_a_reload_with_what_to_do() {
    let client = Client::new(7);
    for content in ["somebody's notes".as_bytes(), &[7; 4096], &[0; 4096]] {
        let place = Place::new();
        std::fs::write(place.proofs(), content).unwrap();
        let off = place.open("dpop = \"off\"\n");
        let error = off.replace(load(&policy(""))).unwrap_err();
        let state = Some(StateLocation::File(place.state()));
        let engine = Engine::new(load(&policy("")), Options { state, ..Options::default() });
        for error in [error, engine.start().unwrap_err()] {
            let said = error.message();
            assert!(said.contains("state.db-proofs cannot be used") && said.contains("delete this file"), "{said}");
        }
        assert_eq!(client.numbered(1).reason(&off), "scheme_not_accepted", "the old policy stays in force");
        assert_eq!(std::fs::read(place.proofs()).unwrap(), content);
        // As it says.
        std::fs::remove_file(place.proofs()).unwrap();
        engine.start().unwrap();
        assert_eq!(client.ask(&client.proof(json!({}))).reason(&engine), "allowed");
    }
}

#[test]
fn a_file_that_is_deleted_while_it_is_in_use_lets_no_used_proof_in() {
    let place = Place::new();
    let client = Client::new(7);
    let (one, two) = (place.open(""), place.open(""));
    assert_eq!(client.numbered(1).reason(&one), "allowed");
    std::fs::remove_file(place.proofs()).unwrap();
    // It is looked for once a second.
    std::thread::sleep(Duration::from_millis(1_100));
    let at = |at: i64, number: usize| {
        client.ask(&client.proof(json!({"jti": number.to_string(), "iat": NOW + at}))).at(NOW + at)
    };
    assert_eq!(client.numbered(1).reason(&two), "dpop_proof");
    assert_eq!(at(32, 2).reason(&two), "dpop_proof", "it may have been used while it was dated ahead");
    assert_eq!(at(33, 3).reason(&two), "allowed", "it was found again");
    assert_eq!(at(33, 3).reason(&one), "dpop_proof");
    // The folder is gone as well: refused, and never let in without having asked.
    let moved = place.folder.path().with_extension("moved");
    std::thread::sleep(Duration::from_millis(1_100));
    std::fs::rename(place.folder.path(), &moved).unwrap();
    let decision = at(36, 4).to(&one);
    assert_eq!((decision.status, decision.reason.name()), (503, "state_unavailable"));
    std::fs::rename(&moved, place.folder.path()).unwrap();
    assert_eq!((at(36, 5).reason(&one), at(36, 5).reason(&two)), ("allowed", "dpop_proof"));
}

/// The process that knows what was used is not asked, or has ended.
#[test]
fn who_starts_after_the_file_was_deleted_takes_no_proof_that_was_used_before() {
    for ended in [false, true] {
        let place = Place::new();
        let client = Client::new(7);
        let at = |at: i64, number: usize| {
            client.ask(&client.proof(json!({"jti": number.to_string(), "iat": NOW + at}))).at(NOW + at.min(0))
        };
        let open = || {
            let (state, clock) = (Some(StateLocation::File(place.state())), Some(Arc::new(|| NOW) as Arc<_>));
            engine_with(&policy(""), Options { state, clock, ..Options::default() })
        };
        let old = open();
        for (offset, number) in [(0, 1), (-60, 2), (20, 3)] {
            assert_eq!(at(offset, number).reason(&old), "allowed", "{number}");
        }
        let old = (!ended).then_some(old);
        std::fs::remove_file(place.proofs()).unwrap();
        let new = open();
        for (offset, number) in [(0, 1), (-60, 2), (20, 3)] {
            assert_eq!(at(offset, number).reason(&new), "dpop_proof", "{number}");
        }
        assert_eq!(client.numbered(4).reason(&open()), "dpop_proof", "nor does the next one");
        let late = client.ask(&client.proof(json!({"jti": "5", "iat": NOW + 33}))).at(NOW + 33);
        assert_eq!((late.reason(&new), late.reason(&open())), ("allowed", "dpop_proof"));
        drop(old);
    }
}
