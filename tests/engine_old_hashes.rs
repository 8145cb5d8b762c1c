//! Old password hashes in engines that share a state, with people who log in, change passwords and look on at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::sync::Barrier;

use engine_support::*;
use gatepost::admin::NewUser;
use gatepost::engine::{Engine, Options, Progress};
use gatepost::policy::model::StateLocation;

const NEW: &str = "another horse, another battery";

fn policy() -> String {
    format!(
        "[engine]\nname = \"Old\"\nstate = \":memory:\"\nschemes = [\"basic\"]\n{CHEAP}\
         [throttle]\naccount = false\naddress = false\nprefix = false\npair = false\n[[route]]\npath = \"/a\"\n"
    )
}

/// A bcrypt hash of everybody's password.
fn old() -> String {
    bcrypt::hash_with_salt(PASSWORD, 4, [9; 16]).unwrap().to_string()
}

fn import(engine: &Engine, name: &str) {
    let hash = old();
    let new = NewUser { name, hash: Some(&hash), ..NewUser::default() };
    with_admin(engine, |admin| admin.seed_user(&new)).unwrap();
}

fn hash_of(engine: &Engine, name: &str) -> String {
    with_admin(engine, |admin| admin.user(name)).unwrap().hash.unwrap()
}

#[test]
fn everybody_who_comes_at_once_gets_in_while_the_hash_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let location = StateLocation::File(folder.path().join("state.db"));
    let engines =
        [(); 2].map(|()| engine_with(&policy(), Options { state: Some(location.clone()), ..Options::default() }));
    for round in 0..12 {
        let name = format!("alice{round}");
        import(&engines[0], &name);
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (engine, name, barrier) = (&engines[thread % 2], &name, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    assert_eq!(get("/a").login(name).reason(engine), "allowed");
                });
            }
        });
        assert!(hash_of(&engines[1], &name).starts_with("$argon2id$"));
    }
}

#[test]
fn a_password_that_is_set_while_the_old_one_logs_in_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let location = StateLocation::File(folder.path().join("state.db"));
    let engines =
        [(); 2].map(|()| engine_with(&policy(), Options { state: Some(location.clone()), ..Options::default() }));
    for round in 0..24 {
        let name = format!("alice{round}");
        import(&engines[0], &name);
        let barrier = Barrier::new(2);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                barrier.wait();
                // Before or after the change: both are right answers.
                let reason = get("/a").login(&name).reason(&engines[0]);
                assert!(["allowed", "credentials_invalid"].contains(&reason), "{reason}");
            });
            scope.spawn(|| {
                barrier.wait();
                with_admin(&engines[1], |admin| admin.set_password(&name, NEW)).unwrap();
            });
        });
        assert_eq!(get("/a").login(&name).reason(&engines[0]), "credentials_invalid", "round {round}");
        assert_eq!(get("/a").authorization(basic(&name, NEW)).reason(&engines[1]), "allowed", "round {round}");
    }
}

#[test]
fn the_hash_is_replaced_by_the_job_and_not_on_the_loop() {
    let engine = engine(&policy());
    import(&engine, "alice");
    let job = get("/a").login("alice").begin(&engine);
    assert_eq!(hash_of(&engine, "alice"), old());
    job.run();
    let replaced = hash_of(&engine, "alice");
    assert!(replaced.starts_with("$argon2id$"));
    let Progress::Done(decision) = job.finish().unwrap() else { panic!("the job knows what it changed itself") };
    assert_eq!((decision.reason.name(), decision.subject()), ("allowed", Some("alice")));
    assert_eq!(hash_of(&engine, "alice"), replaced);
}

#[test]
fn a_login_that_another_engine_overtakes_is_checked_against_the_hash_that_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let location = StateLocation::File(folder.path().join("state.db"));
    let options = |read_only| Options { state: Some(location.clone()), read_only, ..Options::default() };
    let [looking, serving] = [true, false].map(|read_only| engine_with(&policy(), options(read_only)));
    for (name, change, reason) in [("alice", false, "allowed"), ("bob", true, "credentials_invalid")] {
        import(&serving, name);
        let job = get("/a").login(name).begin(&looking);
        job.run();
        assert_eq!(hash_of(&serving, name), old(), "who only looks replaces nothing");
        assert_eq!(get("/a").login(name).reason(&serving), "allowed");
        if change {
            with_admin(&serving, |admin| admin.set_password(name, NEW)).unwrap();
        }
        let Progress::Pending(next) = job.finish().unwrap() else { panic!("the state has changed") };
        next.run();
        let Progress::Done(decision) = next.finish().unwrap() else { panic!("and has not changed since") };
        assert_eq!(decision.reason.name(), reason);
    }
}

#[test]
fn a_remembered_password_survives_the_replacement_of_its_hash() {
    let engine = engine(&policy());
    import(&engine, "alice");
    assert_eq!(get("/a").login("alice").reason(&engine), "allowed");
    let known = get("/a").login("alice").with(|request| engine.begin(request)).unwrap();
    assert!(matches!(known, Progress::Done(_)), "no second hash");
}
