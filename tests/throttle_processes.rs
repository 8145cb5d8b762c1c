//! Failure counters of the processes of one state: what fails in one counts in every other, and after a restart. Tests with
//! several processes run themselves again as the other ones.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
mod tools;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_support::*;
use gatepost::engine::{Engine, Options};
use gatepost::policy::model::StateLocation;
use tools::other::{Other, say};

/// The state file, for a test that runs as another process.
const STATE: &str = "GATEPOST_TEST_STATE";
/// Failures that an account may have.
const LIMIT: usize = 10;

const COUNTED: &str = "account = { failures = 10, per = \"15m\" }\n";
const OTHERS_OFF: &str = "address = false\nprefix = false\n";

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        add_user(&place.open(), "alice", &[]);
        place
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    fn counters(&self) -> PathBuf {
        self.folder.path().join("state.db-throttle")
    }

    fn open(&self) -> Engine {
        on_file(&policy("pair = false\n"), &self.state(), false)
    }

    fn start(&self, test: &str) -> Other {
        Other::start(test, &[(STATE, self.state().as_os_str())])
    }
}

fn policy(pair: &str) -> String {
    format!(
        "{CHEAP}[throttle]\n{COUNTED}{OTHERS_OFF}{pair}[[route]]\npath = \"/{{*rest}}\"\nschemes = [\"basic\", \"api-key\"]\n"
    )
}

fn on_file(policy: &str, state: &Path, read_only: bool) -> Engine {
    let state = Some(StateLocation::File(state.to_owned()));
    engine_with(policy, Options { state, read_only, ..Options::default() })
}

fn guess(engine: &Engine, password: &str) -> &'static str {
    get("/a").authorization(basic("alice", password)).reason(engine)
}

/// Answers with reasons to the passwords that it is told, as another process; true where this is that one.
fn is_other() -> bool {
    let Some(state) = std::env::var_os(STATE) else { return false };
    let engine = on_file(&policy("pair = false\n"), Path::new(&state), false);
    say("ready here");
    for line in std::io::stdin().lines() {
        say(&format!("done {}", guess(&engine, &line.unwrap())));
    }
    true
}

fn asks(other: &mut Other, password: &str) -> String {
    other.say(password);
    other.next("done ").expect("the other process has ended")
}

#[test]
fn what_fails_in_one_process_counts_in_the_other_after_a_kill_and_after_a_restart() {
    const NAME: &str = "what_fails_in_one_process_counts_in_the_other_after_a_kill_and_after_a_restart";
    if is_other() {
        return;
    }
    let place = Place::new();
    let engine = place.open();
    let mut other = place.start(NAME);
    for number in 0..LIMIT {
        let reason = match number % 2 {
            0 => guess(&engine, &format!("wrong {number}")).to_owned(),
            _ => asks(&mut other, &format!("wrong {number}")),
        };
        assert_eq!(reason, "credentials_invalid", "{number}");
    }
    assert_eq!(guess(&engine, PASSWORD), "throttled");
    assert_eq!(asks(&mut other, PASSWORD), "throttled");
    other.child.kill().unwrap();
    other.child.wait().unwrap();
    drop(engine);
    let late = place.open();
    assert_eq!(guess(&late, PASSWORD), "throttled");
    assert_eq!(get("/a").authorization(basic("alice", PASSWORD)).at(NOW + 899).reason(&late), "throttled");
    assert_eq!(get("/a").authorization(basic("alice", PASSWORD)).at(NOW + 900).reason(&late), "allowed");
    // Another name is another counter, and what is right counts nothing.
    assert_eq!(get("/a").authorization(basic("bob", "wrong")).reason(&late), "credentials_invalid");
}

#[test]
fn cve_2019_5421_processes_that_guess_at_once_never_learn_more_than_the_limit_allows() {
    const NAME: &str = "cve_2019_5421_processes_that_guess_at_once_never_learn_more_than_the_limit_allows";
    const THREADS: usize = 8;
    if let Some(state) = std::env::var_os(STATE) {
        let engine = on_file(&policy("pair = false\n"), Path::new(&state), false);
        say("ready here");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        let told: Vec<&str> = std::thread::scope(|scope| {
            let guesses = |thread: usize| {
                let (engine, line) = (&engine, line.trim());
                move || -> Vec<&str> { (0..6).map(|n| guess(engine, &format!("{line} {thread} {n}"))).collect() }
            };
            let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(guesses(thread))).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        say(&format!("told {}", told.join(" ")));
        return;
    }
    let place = Place::new();
    let mut others: Vec<Other> = (0..4).map(|_| place.start(NAME)).collect();
    for other in &mut others {
        other.next("ready ").unwrap();
    }
    for (number, other) in others.iter_mut().enumerate() {
        other.say(&format!("guess {number}"));
    }
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for mut other in others {
        for reason in other.next("told ").unwrap().split(' ') {
            *told.entry(reason.to_owned()).or_default() += 1;
        }
        other.end();
    }
    assert_eq!(told.values().sum::<usize>(), 4 * THREADS * 6);
    assert_eq!(told.keys().collect::<Vec<_>>(), ["credentials_invalid", "throttled"], "{told:?}");
    assert!(told["credentials_invalid"] <= LIMIT, "{told:?}");
    // The wrong ones that were told are as many as count.
    let engine = place.open();
    for _ in told["credentials_invalid"]..LIMIT {
        assert_eq!(guess(&engine, "wrong"), "credentials_invalid", "{told:?}");
    }
    assert_eq!(guess(&engine, PASSWORD), "throttled");
}

#[test]
fn whoever_is_known_in_one_process_is_not_locked_out_of_another() {
    let place = Place::new();
    let pair = policy("pair = { failures = 5, per = \"15m\" }\n");
    let (one, two) = (on_file(&pair, &place.state(), false), on_file(&pair, &place.state(), false));
    let at = |engine: &Engine, peer: &str, password: &str| {
        get("/a").peer(peer).authorization(basic("alice", password)).reason(engine)
    };
    assert_eq!(at(&one, "192.0.2.1", PASSWORD), "allowed");
    for n in 0..LIMIT {
        assert_eq!(at(&one, &format!("198.51.100.{n}"), "wrong"), "credentials_invalid");
    }
    assert_eq!(at(&two, "198.51.100.99", PASSWORD), "throttled");
    assert_eq!(at(&two, "192.0.2.1", PASSWORD), "allowed");
}

#[test]
fn keys_that_nobody_has_count_in_all_processes_by_address() {
    let place = Place::new();
    let address = policy("pair = false\n").replace("address = false", "address = { failures = 3, per = \"15m\" }");
    let engines = [0, 1].map(|_| on_file(&address, &place.state(), false));
    // Of another state, so that it is well formed and nobody has it.
    let unknown = add_key(&Place::new().open(), "alice", &[], None).1;
    let known = add_key(&engines[0], "alice", &[], None).1;
    let ask = |n: usize, key: &str| get("/a").header("X-API-Key", key).reason(&engines[n % 2]);
    for n in 0..3 {
        assert_eq!(ask(n, &unknown), "api_key_unknown", "{n}");
    }
    assert_eq!([ask(0, &unknown), ask(1, &unknown), ask(0, &known), ask(1, &known)], ["throttled"; 4]);
}

#[test]
fn who_only_looks_sees_what_the_servers_count_and_leaves_no_trace() {
    let place = Place::new();
    let look = || on_file(&policy("pair = false\n"), &place.state(), true);
    std::fs::remove_file(place.counters()).unwrap();
    assert_eq!(guess(&look(), "wrong"), "credentials_invalid");
    assert!(!place.counters().exists());
    let server = place.open();
    for _ in 0..LIMIT - 1 {
        assert_eq!(guess(&server, "wrong"), "credentials_invalid");
    }
    for _ in 0..5 {
        assert_eq!(guess(&look(), "wrong"), "credentials_invalid");
        assert_eq!(guess(&look(), PASSWORD), "allowed");
    }
    assert_eq!(guess(&server, "wrong"), "credentials_invalid");
    assert_eq!(guess(&look(), PASSWORD), "throttled");
}

#[test]
fn each_state_has_counters_of_its_own_and_a_policy_that_counts_nothing_has_none() {
    let (place, other) = (Place::new(), Place::new());
    let engine = place.open();
    for _ in 0..LIMIT {
        assert_eq!(guess(&engine, "wrong"), "credentials_invalid");
    }
    assert_eq!(guess(&other.open(), PASSWORD), "allowed");
    let off = policy("account = false\npair = false\n").replace(COUNTED, "");
    std::fs::remove_file(other.counters()).unwrap();
    let uncounted = on_file(&off, &other.state(), false);
    assert!(!other.counters().exists());
    for _ in 0..LIMIT * 2 {
        assert_eq!(guess(&uncounted, "wrong"), "credentials_invalid");
    }
    // It counts from the reload on, with all others.
    uncounted.replace(load(&policy("pair = false\n"))).unwrap();
    assert_eq!(guess(&uncounted, "wrong"), "credentials_invalid");
    let beside = other.open();
    for _ in 1..LIMIT {
        assert_eq!(guess(&beside, "wrong"), "credentials_invalid");
    }
    assert_eq!(guess(&uncounted, PASSWORD), "throttled");
}

#[test]
fn a_file_that_is_something_else_stops_the_start_with_what_to_do() {
    for content in ["somebody's notes".as_bytes(), &[7; 4096], &[0; 4096]] {
        let place = Place::new();
        std::fs::write(place.counters(), content).unwrap();
        let state = Some(StateLocation::File(place.state()));
        let engine = Engine::new(load(&policy("")), Options { state, ..Options::default() });
        let error = engine.start().unwrap_err();
        let said = error.message();
        assert!(said.contains("state.db-throttle cannot be used") && said.contains("delete this file"), "{said}");
        assert_eq!(std::fs::read(place.counters()).unwrap(), content);
        // As it says.
        std::fs::remove_file(place.counters()).unwrap();
        engine.start().unwrap();
        assert_eq!(guess(&engine, PASSWORD), "allowed");
    }
}
