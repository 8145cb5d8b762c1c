//! A child of a started process: nothing of its parent's is used in it, and after `start` of its own it decides.
//!
//! What forks is another process that runs the test of this file again, so that the harness itself is never forked.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_support::*;
use gatepost::engine::{Engine, Options, Progress};
use gatepost::error::ErrorKind;
use gatepost::policy::model::StateLocation;
use gatepost::reason::Reason;

/// Says to a process that it is the one that forks.
const FORKS: &str = "GATEPOST_TEST_FORKS";

fn policy() -> String {
    format!(
        "[engine]\nstate = \":memory:\"\nschemes = [\"basic\", \"api-key\"]\n{CHEAP}[throttle]\n\
         account = {{ failures = 1, per = \"15m\" }}\n[[role]]\nname = \"clerk\"\n[[route]]\npath = \"/a\"\n\
         [[route]]\npath = \"/clerk\"\nrequire = {{ role = \"clerk\" }}\n[[route]]\npath = \"/p\"\naccess = \"public\"\n"
    )
}

/// Runs `body` in a forked child, which must say true in time.
fn in_a_child(body: impl FnOnce() -> bool) {
    // SAFETY: the child runs `body` and ends at once, without the destructors of what it shares with its parent. The
    // alarm ends it where it waits for a lock that a thread of the parent held.
    let child = unsafe { libc::fork() };
    assert!(child >= 0);
    if child == 0 {
        // SAFETY: no handler is set, so that the signal ends the process.
        unsafe { libc::alarm(300) };
        let good = std::panic::catch_unwind(std::panic::AssertUnwindSafe(body)).unwrap_or(false);
        // SAFETY: ends the child.
        unsafe { libc::_exit(if good { 0 } else { 1 }) };
    }
    let mut status = 0;
    // SAFETY: `status` is a valid, writable int, and the child is ours.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0, "the child ended with status {status:#x}");
}

/// True in the process that forks; the test itself starts it and waits.
fn forks(test: &str) -> bool {
    if std::env::var_os(FORKS).is_some() {
        return true;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FORKS, "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("1 passed"), "{said}");
    false
}

fn on_file(folder: &tempfile::TempDir) -> Engine {
    let location = StateLocation::File(folder.path().join("state.db"));
    let engine = engine_with(&policy(), Options { state: Some(location), ..Options::default() });
    add_user(&engine, "alice", &["clerk"]);
    engine
}

fn not_started<T>(result: Result<T, gatepost::error::Error>) {
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::NotStarted));
}

#[test]
fn before_start_nothing_is_decided() {
    let engine = Engine::new(load(&policy()), Options::default());
    for target in ["/a", "/p", "/nowhere", ""] {
        get(target).with(|request| {
            not_started(engine.decide(request));
            not_started(engine.begin(request));
            not_started(engine.explain(request));
        });
    }
    not_started(engine.poll());
    not_started(engine.state());
    assert_eq!(engine.generation(), 1);
    engine.start().unwrap();
    engine.start().unwrap();
    assert_eq!(get("/p").reason(&engine), "public");
}

#[test]
fn a_child_must_start_and_then_decides_while_its_parent_goes_on() {
    if !forks("a_child_must_start_and_then_decides_while_its_parent_goes_on") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = on_file(&folder);
    let (_, key) = add_key(&engine, "alice", &[], None);
    let login = get("/clerk").login("alice");
    assert_eq!(login.reason(&engine), "allowed");
    assert_eq!(get("/clerk").header("X-API-Key", &key).reason(&engine), "allowed");
    let failing = get("/a").peer("203.0.113.1").authorization(basic("bob", "wrong"));
    let [waiting, ran, cancelled, crowded] = ["b", "c", "d", "e"].map(|name| get("/a").login(name).begin(&engine));
    ran.run();
    let held = failing.begin(&engine);
    let other = get("/a").peer("203.0.113.2").authorization(basic("carol", "wrong"));
    let held_other = other.begin(&engine);
    in_a_child(|| {
        for target in ["/a", "/p"] {
            get(target).with(|request| {
                not_started(engine.decide(request));
                not_started(engine.begin(request));
            });
        }
        not_started(engine.poll());
        not_started(engine.state());
        waiting.run();
        assert!(format!("{waiting:?}").contains("Waiting"), "a parent's job does nothing here");
        not_started(waiting.finish());
        not_started(ran.finish());
        cancelled.cancel();
        assert!(format!("{cancelled:?}").contains("Waiting"));
        not_started(crowded.overloaded());
        drop(cancelled);
        engine.start().unwrap();
        assert_eq!(login.reason(&engine), "allowed");
        assert_eq!(failing.reason(&engine), "credentials_invalid", "what is under way there takes no place here");
        assert_eq!(failing.reason(&engine), "throttled");
        with_admin(&engine, |admin| admin.revoke("alice", "clerk")).unwrap();
        assert_eq!(login.reason(&engine), "role_missing");
        drop(engine.clone());
        true
    });
    // What the child did with its copies is nothing to the parent, but for what it wrote.
    assert_eq!(login.reason(&engine), "role_missing", "the child's change holds here at once");
    assert_eq!(get("/clerk").header("X-API-Key", &key).reason(&engine), "role_missing");
    assert_eq!(other.reason(&engine), "throttled", "the place is still held");
    held_other.cancel();
    assert_eq!(other.reason(&engine), "credentials_invalid");
    held.cancel();
    assert_eq!(failing.reason(&engine), "throttled", "what failed in the child counts here");
    with_admin(&engine, |admin| admin.grant("alice", "clerk")).unwrap();
    assert_eq!(login.reason(&engine), "allowed");
}

#[test]
fn a_child_that_drops_its_engine_unstarted_leaves_its_parents_state_whole() {
    if !forks("a_child_that_drops_its_engine_unstarted_leaves_its_parents_state_whole") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = on_file(&folder);
    let (_, key) = add_key(&engine, "alice", &[], None);
    assert_eq!(get("/a").header("X-API-Key", &key).reason(&engine), "allowed");
    let job = get("/a").login("alice").begin(&engine);
    let mut parts = Some((engine, job));
    in_a_child(|| {
        parts.take();
        true
    });
    let (engine, job) = parts.unwrap();
    assert_eq!(finish(job).reason, Reason::Allowed);
    with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
    drop(engine);
    let again = engine_with(
        &policy(),
        Options { state: Some(StateLocation::File(folder.path().join("state.db"))), ..Options::default() },
    );
    assert_eq!(get("/a").header("X-API-Key", &key).reason(&again), "account_disabled", "nothing was lost");
    let keys = with_admin(&again, |admin| admin.keys(None)).unwrap();
    assert_eq!(keys[0].last_used_at, Some(NOW - NOW % 60), "noted when the parent's engine ended");
}

#[test]
fn a_child_forked_while_threads_count_starts_and_decides() {
    if !forks("a_child_forked_while_threads_count_starts_and_decides") {
        return;
    }
    let engine = engine(&policy());
    add_user(&engine, "alice", &["clerk"]);
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (engine, over) = (&engine, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let ask = get("/a").peer(&format!("203.0.113.{thread}"));
                    for progress in ["x", "y"].map(|name| ask.clone().login(name).with(|r| engine.begin(r))) {
                        // Takes and gives back places, the lock that is held most.
                        if let Progress::Pending(job) = progress.unwrap() {
                            job.cancel();
                        }
                    }
                }
            });
        }
        // Also where a child fails: the threads would otherwise go on for ever.
        let _over = Ends(&over);
        for _ in 0..20 {
            let before = get("/a").login("alice").begin(&engine);
            in_a_child(|| {
                before.cancel();
                drop(before);
                get("/p").with(|request| not_started(engine.decide(request)));
                engine.start().unwrap();
                get("/p").reason(&engine) == "public"
                    && get("/a").login("nobody").reason(&engine) == "credentials_invalid"
            });
        }
    });
}

/// Ends the threads that watch it.
struct Ends<'o>(&'o AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
