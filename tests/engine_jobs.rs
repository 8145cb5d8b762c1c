//! Jobs in every order that a host can bring about: run, finish, cancel, overloaded, drop, from several threads. After
//! each the place in the failure counters is as it must be, which is seen from what the next attempt is told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use engine_support::*;
use gatepost::decision::{Action, Decision};
use gatepost::engine::{Engine, Job, Options, Progress};
use gatepost::error::ErrorKind;
use gatepost::policy::model::StateLocation;
use gatepost::reason::Reason;
use serde_json::json;

/// One failure fills a counter of an account or an address. The pair is out of the way.
const STRICT: &str = "[throttle]\naccount = { failures = 1, per = \"15m\" }\naddress = { failures = 1, per = \"15m\" }\n\
    prefix = { failures = 10000, per = \"15m\" }\npair = { failures = 10000, per = \"15m\" }\n";

fn policy(password: &str) -> String {
    format!(
        "[engine]\nname = \"Jobs\"\nstate = \":memory:\"\nschemes = [\"basic\", \"api-key\", \"bearer\"]\n{password}{STRICT}\
         {}[[role]]\nname = \"clerk\"\n[[route]]\npath = \"/a\"\n[[route]]\npath = \"/clerk\"\nrequire = {{ role = \"clerk\" }}\n",
        ISSUER.replace("claims", "users = \"local\"\nclaims")
    )
}

fn start(password: &str) -> Engine {
    let engine = engine(&policy(password));
    add_user(&engine, "alice", &["clerk"]);
    engine
}

/// The place of an attempt on alice is still taken. Asked from elsewhere each time, so that only her counter tells.
fn is_taken(engine: &Engine, asker: u8) -> bool {
    let ask = get("/a").peer(&format!("203.0.113.{asker}")).authorization(basic("alice", "another guess"));
    match ask.with(|request| engine.begin(request)).unwrap() {
        Progress::Done(decision) => {
            assert_eq!(decision.reason, Reason::Throttled);
            true
        }
        // Not run: dropped it takes nothing, which the first of the tests below holds on its own.
        Progress::Pending(_) => false,
    }
}

fn decided(job: Job) -> Decision {
    match job.finish().unwrap() {
        Progress::Done(decision) => *decision,
        Progress::Pending(_) => panic!("nothing changed meanwhile"),
    }
}

/// What a host does with a job, and whether its place is taken afterwards: with a wrong password, with the right one.
type Order = (&'static str, fn(Job), [bool; 2]);

const ORDERS: [Order; 12] = [
    ("dropped", |_| (), [false, false]),
    ("cancelled", |job| job.cancel(), [false, false]),
    (
        "cancelled twice and run then",
        |job| {
            job.cancel();
            job.cancel();
            job.run();
        },
        [false, false],
    ),
    ("cancelled, then finished", |job| (job.cancel(), assert_eq!(refused(job), ErrorKind::Input)).1, [false, false]),
    ("finished without run", |job| assert_eq!(refused(job), ErrorKind::Input), [false, false]),
    ("no room to run it", |job| assert_eq!(job.overloaded().unwrap().reason, Reason::Overloaded), [false, false]),
    (
        "cancelled, then no room",
        |job| (job.cancel(), assert_eq!(job.overloaded().unwrap_err().kind(), ErrorKind::Input)).1,
        [false, false],
    ),
    ("run and finished", |job| (job.run(), drop(decided(job))).1, [true, false]),
    ("run twice and finished", |job| (job.run(), job.run(), drop(decided(job))).2, [true, false]),
    ("run and dropped", |job| job.run(), [true, false]),
    ("run and cancelled", |job| (job.run(), job.cancel()).1, [true, false]),
    (
        "run, then no room",
        |job| (job.run(), assert_eq!(job.overloaded().unwrap_err().kind(), ErrorKind::Input)).1,
        [true, false],
    ),
];

fn refused(job: Job) -> ErrorKind {
    job.finish().unwrap_err().kind()
}

#[test]
fn a_place_is_given_back_unless_a_wrong_password_was_tried() {
    for (order, what, taken) in ORDERS {
        for (password, taken) in [("wrong", taken[0]), (PASSWORD, taken[1])] {
            let engine = start(CHEAP);
            let job = get("/a").authorization(basic("alice", password)).begin(&engine);
            assert!(is_taken(&engine, 1), "{order}: reserved before the work");
            what(job);
            assert_eq!(is_taken(&engine, 2), taken, "{order}, {password}");
            assert_eq!(is_taken(&engine, 3), taken, "{order}, {password}: asking changes nothing");
        }
    }
}

#[test]
fn a_look_up_of_a_key_counts_only_where_there_is_no_such_key() {
    for (order, what, taken) in ORDERS {
        for (known, taken) in [(false, taken[0]), (true, taken[1])] {
            let engine = start(CHEAP);
            let (_, mut key) = add_key(&engine, "alice", &[], None);
            if !known {
                key = add_key(&start(CHEAP), "alice", &[], None).1;
            }
            // The cache knows nothing of it yet.
            what(get("/a").header("X-API-Key", &key).begin(&engine));
            let next = get("/a").header("X-API-Key", add_key(&start(CHEAP), "alice", &[], None).1);
            let next = next.with(|request| engine.begin(request)).unwrap();
            let refused = matches!(&next, Progress::Done(decision) if decision.reason == Reason::Throttled);
            assert_eq!(refused, taken, "{order}, known: {known}");
        }
    }
}

#[test]
fn a_disabled_account_keeps_its_place_so_that_nobody_learns_that_the_password_was_right() {
    let engine = start(CHEAP);
    with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
    let decision = finish(get("/a").login("alice").begin(&engine));
    assert_eq!((decision.reason, decision.status), (Reason::AccountDisabled, 401));
    assert!(is_taken(&engine, 1));
}

#[test]
fn no_room_is_a_whole_answer() {
    let engine = start(CHEAP);
    let ask = Ask { id: b"seven".to_vec(), ..get("/a").login("alice") };
    let decision = ask.begin(&engine).overloaded().unwrap();
    assert_eq!((decision.action, decision.status, decision.id.as_str()), (Action::Deny, 503, "seven"));
    assert_eq!(fields(&decision, "Retry-After").len(), 1);
    assert!(!decision.body.is_empty() && decision.identity.is_none() && decision.upstream().is_empty());
}

#[test]
fn threads_cancel_while_another_runs() {
    // Long enough that a cancel meets the work under way.
    let engine = start("[password]\nmemory_kib = 8192\niterations = 3\n");
    let mut during = 0;
    for round in 0..250u8 {
        if round >= 12 && during > 0 {
            break;
        }
        let password = if round % 2 == 0 { "wrong" } else { PASSWORD };
        // A name of its own for each, so that rounds do not meet in a counter.
        let name = format!("u{round}");
        add_user(&engine, &name, &[]);
        let job = get("/a").peer(&format!("198.51.{round}.1")).authorization(basic(&name, password)).begin(&engine);
        std::thread::scope(|scope| {
            scope.spawn(|| job.run());
            // However late that thread comes to run: a job that was cancelled before has done no work.
            while format!("{job:?}").contains("Waiting") {
                std::hint::spin_loop();
            }
            during += u32::from(format!("{job:?}").contains("Running"));
            let cancel = [scope.spawn(|| job.cancel()), scope.spawn(|| job.cancel())];
            cancel.into_iter().for_each(|thread| thread.join().unwrap());
        });
        assert_eq!(refused(job), ErrorKind::Input, "it was cancelled");
        let next = get("/a").peer(&format!("203.0.113.{round}")).authorization(basic(&name, "wrong"));
        let taken =
            matches!(next.with(|r| engine.begin(r)).unwrap(), Progress::Done(d) if d.reason == Reason::Throttled);
        assert_eq!(taken, password == "wrong", "the work was done: round {round}");
    }
    assert!(during > 0, "no cancel met a run: the test sees nothing");
}

/// Twenty attempts on alice at once, each from elsewhere.
fn at_once(engine: &Engine, password: impl Fn(u8) -> String) -> Vec<Progress> {
    let ask = |i: u8| get("/a").peer(&format!("203.0.113.{i}")).authorization(basic("ALICE", &password(i)));
    (0..20).map(|i| ask(i).with(|request| engine.begin(request)).unwrap()).collect()
}

fn to_the_end(progress: Progress) -> Reason {
    match progress {
        Progress::Done(decision) => decision.reason,
        Progress::Pending(job) => finish(job).reason,
    }
}

fn count(reasons: &[Reason], wanted: Reason) -> usize {
    reasons.iter().filter(|reason| **reason == wanted).count()
}

#[test]
fn parallel_guesses_never_exceed_the_limit() {
    let engine = start(CHEAP);
    let guesses = at_once(&engine, |i| format!("guess {i}"));
    assert_eq!(guesses.iter().filter(|progress| matches!(progress, Progress::Pending(_))).count(), 1);
}

#[test]
fn one_guess_sent_many_times_at_once_is_answered_as_if_it_came_many_times() {
    for last_first in [false, true] {
        let engine = start(CHEAP);
        let mut twins = at_once(&engine, |_| "wrong".into());
        if last_first {
            twins.reverse();
        }
        let reasons: Vec<Reason> = twins.into_iter().map(to_the_end).collect();
        // Which of them runs first, and whether it had a place, makes no difference: one failure, then the door is shut.
        assert!(count(&reasons, Reason::CredentialsInvalid) <= 1, "{reasons:?}");
        assert_eq!(count(&reasons, Reason::CredentialsInvalid) + count(&reasons, Reason::Throttled), 20, "{reasons:?}");
        assert_eq!(engine.password_hashes().unwrap(), 1);
        assert!(is_taken(&engine, 99));
    }
}

/// A change of rights between run and finish, and what is then decided.
type Change = (&'static str, fn(&gatepost::admin::Admin<'_>), Reason);

const CHANGES: [Change; 6] = [
    ("nothing", |_| (), Reason::Allowed),
    ("a role is revoked", |admin| _ = admin.revoke("alice", "clerk").unwrap(), Reason::RoleMissing),
    ("the account is disabled", |admin| _ = admin.set_disabled("alice", true).unwrap(), Reason::AccountDisabled),
    ("the user is removed", |admin| _ = admin.remove_user("alice").unwrap(), Reason::CredentialsInvalid),
    (
        "the password is changed",
        |admin| _ = admin.set_password("alice", "an altogether different phrase").unwrap(),
        Reason::CredentialsInvalid,
    ),
    ("somebody else changes", |admin| _ = admin.set_disabled("bob", true).unwrap(), Reason::Allowed),
];

#[test]
fn rights_are_those_of_the_moment_of_the_decision() {
    for (name, change, wanted) in CHANGES {
        let engine = start(CHEAP);
        add_user(&engine, "bob", &[]);
        let job = get("/clerk").login("alice").begin(&engine);
        job.run();
        with_admin(&engine, change);
        assert_eq!(finish_run(job).reason, wanted, "{name}");
    }
    // For a key and for a token of a local user a change of the password says nothing.
    type Way = fn(&str) -> Ask;
    let ways: [(Way, Reason); 2] = [
        (|key| get("/clerk").header("X-API-Key", key), Reason::ApiKeyUnknown),
        (|_| get("/clerk").authorization(bearer("alice", json!({}))), Reason::TokenClaim),
    ];
    for (ask, removed) in ways {
        for (name, change, wanted) in CHANGES {
            let wanted = match (name, wanted) {
                ("the user is removed", _) => removed,
                (_, Reason::CredentialsInvalid) => Reason::Allowed,
                (_, wanted) => wanted,
            };
            let engine = start(CHEAP);
            add_user(&engine, "bob", &[]);
            let (_, key) = add_key(&engine, "alice", &[], None);
            let job = ask(&key).begin(&engine);
            job.run();
            with_admin(&engine, change);
            assert_eq!(finish_run(job).reason, wanted, "{name}");
        }
    }
    let engine = start(CHEAP);
    let (id, key) = add_key(&engine, "alice", &[], None);
    let job = get("/clerk").header("X-API-Key", &key).begin(&engine);
    job.run();
    with_admin(&engine, |admin| admin.revoke_key(&id)).unwrap();
    assert_eq!(finish_run(job).reason, Reason::ApiKeyRevoked);
}

/// To the end, for a job that was run once already.
fn finish_run(job: Job) -> Decision {
    match job.finish().unwrap() {
        Progress::Done(decision) => *decision,
        Progress::Pending(next) => finish(next),
    }
}

#[test]
fn a_state_that_changes_all_the_time_does_not_keep_a_decision_from_being_made() {
    let engine = start(CHEAP);
    add_user(&engine, "bob", &[]);
    let mut job = get("/clerk").login("alice").begin(&engine);
    let mut rounds = 0;
    let decision = loop {
        job.run();
        with_admin(&engine, |admin| _ = admin.set_disabled("bob", rounds % 2 == 0).unwrap());
        match job.finish().unwrap() {
            Progress::Done(decision) => break decision,
            Progress::Pending(next) => job = next,
        }
        rounds += 1;
        assert!(rounds < 10, "it never ends");
    };
    assert_eq!((decision.reason, rounds), (Reason::Allowed, 3));
}

#[test]
fn two_engines_on_one_state_file_see_each_others_changes_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let location = StateLocation::File(folder.path().join("state.db"));
    let options = || Options { state: Some(location.clone()), ..Options::default() };
    let [one, two] = [(); 2].map(|()| engine_with(&policy(CHEAP), options()));
    add_user(&one, "alice", &["clerk"]);
    let (_, key) = add_key(&two, "alice", &[], None);
    for round in 0..50 {
        let (changes, decides) = if round % 2 == 0 { (&one, &two) } else { (&two, &one) };
        for ask in [get("/clerk").header("X-API-Key", &key), get("/clerk").authorization(bearer("alice", json!({})))] {
            with_admin(changes, |admin| admin.grant("alice", "clerk")).unwrap();
            assert_eq!([ask.reason(decides), ask.reason(changes)], ["allowed"; 2], "round {round}");
            with_admin(changes, |admin| admin.revoke("alice", "clerk")).unwrap();
            assert_eq!([ask.reason(decides), ask.reason(changes)], ["role_missing"; 2], "round {round}");
        }
    }
    // A failure counts in both.
    assert_eq!(get("/a").authorization(basic("alice", "wrong")).reason(&one), "credentials_invalid");
    assert!(is_taken(&one, 9) && is_taken(&two, 9));
    drop(one);
    assert_eq!(get("/a").peer("203.0.113.77").header("X-API-Key", &key).reason(&two), "allowed");
}

#[test]
fn jobs_and_decisions_outlive_their_engine() {
    let engine = start(CHEAP);
    let [run, waiting, other] = ["alice", "nobody", "else"].map(|name| {
        let ask = get("/clerk").peer(&format!("203.0.113.{}", name.len())).login(name);
        ask.begin(&engine)
    });
    let early = get("/a").to(&engine);
    run.run();
    drop(engine);
    assert_eq!(decided(run).reason, Reason::Allowed);
    assert_eq!(finish(waiting).reason, Reason::CredentialsInvalid);
    other.cancel();
    drop(other);
    assert_eq!(early.response_header("WWW-Authenticate").map(|value| value.contains("Jobs")), Some(true));
}

#[test]
fn housekeeping_has_no_decision_and_writes_what_was_noted() {
    let engine = start(CHEAP);
    let (_, key) = add_key(&engine, "alice", &[], None);
    assert_eq!(get("/a").header("X-API-Key", &key).reason(&engine), "allowed");
    let last_use = || with_admin(&engine, |admin| admin.keys(None)).unwrap()[0].last_used_at;
    let poll = engine.poll().unwrap();
    assert!(poll.next_ms > 0);
    let job = poll.job.unwrap();
    assert_eq!(last_use(), None);
    job.run();
    assert_eq!(last_use(), Some(NOW - NOW % 60), "to the minute");
    assert_eq!(refused(job), ErrorKind::Input);
    assert_eq!(engine.poll().unwrap().job.unwrap().overloaded().unwrap_err().kind(), ErrorKind::Input);
}
