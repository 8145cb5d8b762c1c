//! Old hashes in an engine: what an attempt costs, counted and not timed, and what becomes of the hash.

use std::collections::BTreeMap;
use std::path::Path;

use data_encoding::BASE64;

use crate::crypto::password::meter::metered;
use crate::crypto::password::{self, Cost, Work};
use crate::decision::Decision;
use crate::engine::{Engine, Options, Progress};
use crate::policy::model::StateLocation;
use crate::request::{Header, Request};
use crate::state::User;

const PASSWORD: &str = "correct horse";
const COST: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

fn engine(read_only: bool) -> Engine {
    let text = "[engine]\nname = \"x\"\nstate = \":memory:\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 64\niterations = 1\nremember = \"0s\"\n\
                [throttle]\naccount = false\naddress = false\nprefix = false\npair = false\n[[route]]\npath = \"/\"\n";
    let loaded = crate::policy::parse(text, Path::new("x.toml"), Path::new(".")).unwrap();
    let engine = Engine::new(loaded, Options { read_only, ..Options::default() });
    engine.start().unwrap();
    engine
}

fn add(engine: &Engine, name: &str, hash: Option<String>, disabled: bool) {
    let user = User {
        name: name.to_owned(),
        password_changed_at: hash.as_ref().map(|_| 1_000),
        tokens_from: 0,
        hash,
        roles: Vec::new(),
        disabled,
        created_at: 1_000,
    };
    engine.state().unwrap().add_user(&user).unwrap();
}

fn hash_of(engine: &Engine, name: &str) -> String {
    engine.state().unwrap().user(name).unwrap().unwrap().hash.unwrap()
}

fn log_in(engine: &Engine, name: &str, password: &str) -> Decision {
    asking(name, password, |request| engine.decide(request).unwrap())
}

fn asking<T>(name: &str, password: &str, call: impl FnOnce(&Request<'_>) -> T) -> T {
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
    call(&request)
}

fn bcrypt(cost: u32) -> String {
    bcrypt::hash_with_salt(PASSWORD, cost, [3; 16]).unwrap().to_string()
}

/// `{SHA}` of [`PASSWORD`].
const SHA: &str = "{SHA}L55TUjtiq8FBorTWAZ0jy6g129A=";

#[test]
fn cve_2026_41263_every_refusal_costs_the_same_work_whoever_it_is_and_however_the_password_is_stored() {
    let engine = engine(false);
    add(&engine, "argon", Some(password::hash(PASSWORD.as_bytes(), COST).unwrap()), false);
    add(&engine, "weaker", Some(password::hash(PASSWORD.as_bytes(), Cost { memory_kib: 32, ..COST }).unwrap()), false);
    add(&engine, "cheap", Some(bcrypt(4)), false);
    add(&engine, "dear", Some(bcrypt(7)), false);
    add(&engine, "plain", Some(SHA.to_owned()), false);
    add(&engine, "blocked", Some(SHA.to_owned()), true);
    add(&engine, "blocked2", Some(bcrypt(5)), true);
    add(&engine, "none", None, false);
    add(&engine, "broken", Some("é$2y$no hash".to_owned()), false);
    let attempt = |name: &str, password: &str| -> (String, BTreeMap<(Work, Vec<u8>), u64>) {
        let (decision, done) = metered(|| log_in(&engine, name, password));
        (decision.reason.name().to_owned(), done)
    };
    for password in ["wrong", PASSWORD, "wro\u{308}ng", &"x".repeat(1100)] {
        let (reason, unknown) = attempt("nobody", password);
        assert_eq!(reason, "credentials_invalid");
        assert_eq!(unknown.values().max().copied(), Some(1 << 7), "the dearest bcrypt is in it");
        for name in ["blocked", "blocked2", "none", "broken"] {
            let (reason, done) = attempt(name, password);
            assert!(["credentials_invalid", "account_disabled"].contains(&reason.as_str()), "{reason}");
            assert_eq!(done, unknown, "{name} with {password}");
        }
        for name in ["argon", "weaker", "cheap", "dear", "plain"].into_iter().filter(|_| password != PASSWORD) {
            let (reason, done) = attempt(name, password);
            assert_eq!((reason.as_str(), &done), ("credentials_invalid", &unknown), "{name} with {password}");
        }
    }
}

#[test]
fn a_right_password_that_comes_too_late_costs_what_a_wrong_one_costs_and_changes_nothing() {
    let policy = |limit: &str| {
        format!(
            "[engine]\nname = \"x\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 64\niterations = 1\n\
             [throttle]\naccount = {limit}\naddress = false\nprefix = false\npair = false\n[[route]]\npath = \"/\"\n"
        )
    };
    let begun = |password: &str, too_late: bool| {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let text = policy("{ failures = 1, per = \"15m\" }");
            let loaded = crate::policy::parse(&text, Path::new("x.toml"), Path::new(".")).unwrap();
            let state = Some(StateLocation::File(folder.path().join("x.db")));
            let engine = Engine::new(loaded, Options { state, ..Options::default() });
            engine.start().unwrap();
            engine
        };
        let (one, other) = (open(), open());
        add(&one, "alice", Some(bcrypt(5)), false);
        add(&one, "bob", Some(SHA.to_owned()), false);
        let Progress::Pending(job) = asking("alice", password, |request| one.begin(request)).unwrap() else {
            panic!("it was not to be decided at once");
        };
        if too_late {
            assert_eq!(log_in(&other, "alice", "wrong").reason.name(), "credentials_invalid");
        }
        let ((), done) = metered(|| job.run());
        let done: BTreeMap<Work, u64> = done.into_iter().map(|((work, _), times)| (work, times)).collect();
        let Progress::Done(decision) = job.finish().unwrap() else { panic!("it was not to go on") };
        let again = asking("alice", password, |request| one.begin(request)).unwrap();
        let refused = matches!(again, Progress::Done(decision) if decision.reason.name() == "throttled");
        (decision.reason.name(), decision.body.len(), done, hash_of(&one, "alice"), refused)
    };
    let (right, wrong) = (begun(PASSWORD, true), begun("wrong", true));
    assert_eq!(right, wrong);
    assert_eq!((right.0, right.3, right.4), ("throttled", bcrypt(5), true));
    // In time it costs less, and its hash is replaced.
    let (reason, _, done, hash, _) = begun(PASSWORD, false);
    assert_eq!(reason, "allowed");
    assert!(done != right.2 && hash.starts_with("$argon2id$"), "{done:?}");
}

#[test]
fn a_new_kind_of_hash_counts_from_the_next_attempt_on() {
    let engine = engine(false);
    let unknown = || metered(|| log_in(&engine, "nobody", "wrong")).1.into_values().collect::<Vec<_>>();
    assert_eq!(unknown(), [1]);
    add(&engine, "alice", Some(bcrypt(6)), false);
    assert_eq!(unknown(), [1, 64]);
    engine.state().unwrap().remove_user("alice").unwrap();
    assert_eq!(unknown(), [1], "and is gone with the last of its kind");
}

#[test]
fn the_first_good_login_replaces_an_old_hash_and_leaves_the_date_of_the_password() {
    let engine = engine(false);
    for (name, hash) in [("sha", SHA.to_owned()), ("bcrypt", bcrypt(4))] {
        add(&engine, name, Some(hash.clone()), false);
        assert_eq!(log_in(&engine, name, "wrong").reason.name(), "credentials_invalid");
        assert_eq!(hash_of(&engine, name), hash, "a wrong one replaces nothing");
        assert_eq!(log_in(&engine, name, PASSWORD).reason.name(), "allowed");
        let user = engine.state().unwrap().user(name).unwrap().unwrap();
        assert!(user.hash.as_ref().unwrap().starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{user:?}");
        assert_eq!(user.password_changed_at, Some(1_000));
        let (decision, done) = metered(|| log_in(&engine, name, PASSWORD));
        assert_eq!(decision.reason.name(), "allowed");
        assert_eq!(done.into_values().collect::<Vec<_>>(), [1], "the old form is not asked again");
        assert_eq!(log_in(&engine, name, "wrong").reason.name(), "credentials_invalid");
    }
}

#[test]
fn an_argon2id_weaker_than_the_policy_is_replaced_and_a_stronger_one_stays() {
    let engine = engine(false);
    for (name, cost, replaced) in [
        ("memory", Cost { memory_kib: 32, iterations: 8, parallelism: 1 }, true),
        ("same", COST, false),
        ("more", Cost { memory_kib: 128, ..COST }, false),
        ("longer", Cost { iterations: 2, ..COST }, false),
    ] {
        let hash = password::hash(PASSWORD.as_bytes(), cost).unwrap();
        add(&engine, name, Some(hash.clone()), false);
        assert_eq!(log_in(&engine, name, PASSWORD).reason.name(), "allowed");
        assert_eq!(hash_of(&engine, name) != hash, replaced, "{name}");
    }
}

#[test]
fn whoever_may_not_come_in_and_whoever_only_looks_replaces_nothing() {
    let engine = engine(false);
    add(&engine, "alice", Some(SHA.to_owned()), true);
    assert_eq!(log_in(&engine, "alice", PASSWORD).reason.name(), "account_disabled");
    assert_eq!(hash_of(&engine, "alice"), SHA);
    let looking = self::engine(true);
    add(&looking, "alice", Some(SHA.to_owned()), false);
    assert_eq!(log_in(&looking, "alice", PASSWORD).reason.name(), "allowed");
    assert_eq!(hash_of(&looking, "alice"), SHA);
}

#[test]
fn an_old_hash_takes_the_password_as_it_was_given_and_the_new_one_every_way_of_typing_it() {
    let engine = engine(false);
    let (composed, decomposed) = ("correct hörse", "correct ho\u{308}rse");
    let old = bcrypt::hash_with_salt(decomposed, 4, [5; 16]).unwrap().to_string();
    add(&engine, "alice", Some(old), false);
    assert_eq!(log_in(&engine, "alice", composed).reason.name(), "credentials_invalid");
    assert_eq!(log_in(&engine, "alice", decomposed).reason.name(), "allowed");
    assert_eq!(log_in(&engine, "alice", composed).reason.name(), "allowed");
    assert_eq!(log_in(&engine, "alice", decomposed).reason.name(), "allowed");
    // An Argon2id hash made elsewhere is made anew as well.
    let foreign = password::hash(decomposed.as_bytes(), COST).unwrap();
    add(&engine, "bob", Some(foreign.clone()), false);
    assert_eq!(log_in(&engine, "bob", composed).reason.name(), "credentials_invalid");
    assert_eq!(log_in(&engine, "bob", decomposed).reason.name(), "allowed");
    assert_ne!(hash_of(&engine, "bob"), foreign);
    assert_eq!(log_in(&engine, "bob", composed).reason.name(), "allowed");
    // What RFC 8265 does not allow stays usable for those who have it.
    let odd = "correct\u{200b}horse";
    add(&engine, "carol", Some(bcrypt::hash_with_salt(odd, 4, [5; 16]).unwrap().to_string()), false);
    for _ in 0..2 {
        assert_eq!(log_in(&engine, "carol", odd).reason.name(), "allowed");
        assert!(hash_of(&engine, "carol").starts_with("$argon2id$"));
        assert_eq!(log_in(&engine, "carol", PASSWORD).reason.name(), "credentials_invalid");
    }
}

#[test]
fn an_empty_password_is_wrong_also_where_an_old_hash_was_made_of_one() {
    let engine = engine(false);
    add(&engine, "alice", Some("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=".to_owned()), false);
    assert_eq!(log_in(&engine, "alice", "").reason.name(), "credentials_invalid");
}
