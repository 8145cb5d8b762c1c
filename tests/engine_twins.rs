//! Equal passwords that are checked at once share one hash, whatever a host does with their jobs: none of them waits for
//! one that never runs, and none of them is a guess that nobody counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::sync::mpsc;
use std::time::Duration;

use engine_support::*;
use gatepost::decision::Decision;
use gatepost::engine::{Engine, Job, Options, Progress};
use gatepost::reason::Reason;
use gatepost::runtime::pool::{Outcome, Pool, Work};

/// One failure fills the counter of an account.
const STRICT: &str = "[throttle]\naccount = { failures = 1, per = \"15m\" }\naddress = { failures = 1000, per = \"15m\" }\n\
    prefix = { failures = 10000, per = \"15m\" }\npair = false\n";

fn start(password: &str) -> Engine {
    let engine = engine(&format!(
        "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n{password}{STRICT}[[route]]\npath = \"/a\"\n"
    ));
    add_user(&engine, "alice", &[]);
    engine
}

fn ask(password: &str) -> Ask {
    get("/a").authorization(basic("alice", password))
}

/// What another guess is told at once; `None`: it may be tried.
fn door(engine: &Engine) -> Option<Reason> {
    match ask("another guess").with(|request| engine.begin(request)).unwrap() {
        Progress::Done(decision) => Some(decision.reason),
        Progress::Pending(_) => None,
    }
}

fn hashes(engine: &Engine) -> u64 {
    engine.password_hashes().unwrap()
}

/// What a host does with the first of two twins before it runs and finishes the other.
type Fate = (&'static str, fn(Job) -> Option<Job>);

const FATES: [Fate; 7] = [
    ("never run", Some),
    ("dropped", |_| None),
    ("cancelled", |job| {
        job.cancel();
        Some(job)
    }),
    ("finished without run", |job| {
        assert!(job.finish().is_err());
        None
    }),
    ("no room to run it", |job| {
        assert_eq!(job.overloaded().unwrap().reason, Reason::Overloaded);
        None
    }),
    ("run and never finished", |job| {
        job.run();
        Some(job)
    }),
    ("run, then cancelled", |job| {
        job.run();
        job.cancel();
        Some(job)
    }),
];

#[test]
fn whatever_becomes_of_one_twin_the_other_comes_to_its_end() {
    for (fate, what) in FATES {
        for swapped in [false, true] {
            let engine = start(CHEAP);
            let mut twins = vec![ask(PASSWORD).begin(&engine), ask(PASSWORD).begin(&engine)];
            if swapped {
                twins.reverse();
            }
            let (other, one) = (twins.pop().unwrap(), twins.pop().unwrap());
            let kept = what(one);
            assert_eq!(finish(other).reason, Reason::Allowed, "{fate}, {swapped}");
            assert_eq!(hashes(&engine), 1, "{fate}, {swapped}");
            drop(kept);
            assert_eq!(door(&engine), None, "{fate}, {swapped}: a right password leaves nothing in the counters");
        }
    }
}

#[test]
fn a_wrong_password_that_was_hashed_is_a_failure_whatever_becomes_of_its_twin() {
    // The first has the only place, and its host gives it up: the second must not be a guess for nothing.
    for (fate, what) in FATES {
        for swapped in [false, true] {
            let engine = start(CHEAP);
            let mut twins = vec![ask("wrong").begin(&engine), ask("wrong").begin(&engine)];
            if swapped {
                twins.reverse();
            }
            let (other, one) = (twins.pop().unwrap(), twins.pop().unwrap());
            let kept = what(one);
            let reason = finish(other).reason;
            assert!(matches!(reason, Reason::CredentialsInvalid | Reason::Throttled), "{fate}, {swapped}: {reason:?}");
            drop(kept);
            assert_eq!(hashes(&engine), 1, "{fate}, {swapped}");
            assert_eq!(door(&engine), Some(Reason::Throttled), "{fate}, {swapped}");
        }
    }
}

#[test]
fn twins_that_have_not_ended_yet_keep_nobody_out_once_the_password_was_right() {
    let engine = start(CHEAP);
    let mut twins: Vec<Job> = (0..3).map(|_| ask(PASSWORD).begin(&engine)).collect();
    let late = twins.pop().unwrap();
    let first = twins.swap_remove(0);
    first.run();
    // The only place is free again, though two of them have not run and none is finished.
    assert_eq!(ask(PASSWORD).reason(&engine), "allowed");
    assert_eq!(door(&engine), None);
    assert_eq!(finish(late).reason, Reason::Allowed);
    assert_eq!(finish_run(first).reason, Reason::Allowed);
    assert_eq!(hashes(&engine), 1);
    // A right password of a disabled account is a failure, and frees nothing.
    let engine = start(CHEAP);
    with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
    let twins: Vec<Job> = (0..3).map(|_| ask(PASSWORD).begin(&engine)).collect();
    twins[1].run();
    assert_eq!(ask(PASSWORD).reason(&engine), "throttled");
    assert_eq!(door(&engine), Some(Reason::Throttled));
}

#[test]
fn a_twin_without_a_place_is_not_hashed_where_another_guess_has_taken_it() {
    let engine = start(CHEAP);
    let (first, second) = (ask("one").begin(&engine), ask("one").begin(&engine));
    first.cancel();
    let other = ask("two").begin(&engine);
    assert_eq!(finish(second).reason, Reason::Throttled);
    assert_eq!(hashes(&engine), 0);
    assert_eq!(finish(other).reason, Reason::CredentialsInvalid);
}

#[test]
fn a_full_counter_is_not_passed_by_the_side_of_a_twin_from_elsewhere() {
    // The address has failed as often as it may; that the same password is being checked for another one is no way in.
    let strict = STRICT.replace("account = { failures = 1,", "account = { failures = 100,");
    let engine = engine(&format!(
        "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n{CHEAP}{}[[route]]\npath = \"/a\"\n",
        strict.replace("address = { failures = 1000,", "address = { failures = 1,")
    ));
    add_user(&engine, "alice", &[]);
    assert_eq!(ask("wrong").peer("198.51.100.1").reason(&engine), "credentials_invalid");
    let honest = ask(PASSWORD).begin(&engine);
    assert_eq!(ask(PASSWORD).peer("198.51.100.1").reason(&engine), "throttled");
    assert_eq!(finish(honest).reason, Reason::Allowed);
    assert_eq!(ask(PASSWORD).peer("198.51.100.1").reason(&engine), "throttled");
}

#[test]
fn a_twin_that_comes_after_a_change_learns_nothing_from_before_it() {
    let engine = start(CHEAP);
    let before = ask("the phrase that is to be").begin(&engine);
    before.run();
    with_admin(&engine, |admin| admin.set_password("alice", "the phrase that is to be")).unwrap();
    let after = ask("the phrase that is to be");
    // Her own failure stands in the way; from then on the new password holds.
    assert_eq!(finish_run(before).reason, Reason::CredentialsInvalid);
    assert_eq!(after.clone().reason(&engine), "throttled");
    assert_eq!(after.at(NOW + 900).reason(&engine), "allowed");

    let engine = start(CHEAP);
    let before = ask(PASSWORD).begin(&engine);
    before.run();
    with_admin(&engine, |admin| admin.set_password("alice", "the phrase that is to be")).unwrap();
    assert_eq!(ask(PASSWORD).reason(&engine), "credentials_invalid");
    assert_eq!(finish_run(before).reason, Reason::CredentialsInvalid);
}

fn finish_run(job: Job) -> Decision {
    match job.finish().unwrap() {
        Progress::Done(decision) => *decision,
        Progress::Pending(next) => finish(next),
    }
}

#[test]
fn a_pool_of_one_thread_does_not_wait_for_itself() {
    let engine = start(CHEAP);
    let pool = Pool::new(1, 200).unwrap();
    let (done, outcomes) = mpsc::channel();
    // All begin before the first is hashed: later ones would be known at once.
    let jobs: Vec<Job> = (0..100).map(|_| ask(PASSWORD).begin(&engine)).collect();
    for (n, job) in jobs.into_iter().enumerate() {
        let done = done.clone();
        let on_done = Box::new(move |outcome| done.send((n, outcome)).unwrap());
        let ticket = pool.submit(job, Work::Decision, on_done).unwrap();
        // Every third client goes away, also the first.
        if n % 3 == 0 {
            ticket.cancel();
        }
    }
    let mut allowed = 0;
    let mut answered = 0;
    while answered < 100 {
        pool.dispatch().unwrap();
        while let Ok((n, outcome)) = outcomes.try_recv() {
            answered += 1;
            match outcome {
                Outcome::Decided(decision) => {
                    assert_eq!(decision.reason, Reason::Allowed);
                    allowed += 1;
                }
                Outcome::Cancelled => assert_eq!(n % 3, 0),
                other => panic!("{other:?}"),
            }
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(allowed >= 66);
    assert_eq!(hashes(&engine), 1);
}

#[test]
fn a_leader_that_is_cancelled_while_it_works_still_tells_the_others() {
    let engine = start("[password]\nmemory_kib = 8192\niterations = 3\n");
    let leader = ask(PASSWORD).begin(&engine);
    let followers: Vec<Job> = (0..5).map(|_| ask(PASSWORD).begin(&engine)).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| leader.run());
        while !format!("{leader:?}").contains("Running") && hashes(&engine) == 0 {
            std::hint::spin_loop();
        }
        leader.cancel();
        let told: Vec<_> = followers.into_iter().map(|job| scope.spawn(|| finish(job).reason)).collect();
        for thread in told {
            assert_eq!(thread.join().unwrap(), Reason::Allowed);
        }
    });
    assert_eq!(hashes(&engine), 1);
}

#[test]
fn a_hundred_twins_need_the_memory_of_one_hash() {
    // Two at once would be `overloaded`. A process has one ceiling, and the highest word counts: hence a large hash.
    let options = Options { hashing_memory: Some(300 << 20), ..Options::default() };
    let text = format!(
        "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 200000\niterations = 1\n{STRICT}\
         [[route]]\npath = \"/a\"\n"
    );
    let engine = engine_with(&text, options);
    add_user(&engine, "alice", &[]);
    let reasons: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..100).map(|_| scope.spawn(|| ask(PASSWORD).reason(&engine))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(reasons.iter().all(|reason| *reason == "allowed"), "{reasons:?}");
    assert_eq!(hashes(&engine), 1);
}
