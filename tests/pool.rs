//! The pool by itself, with the jobs of a real engine: each submission is answered once, whatever happens.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use gatepost::engine::{Engine, Job, Options, Progress};
use gatepost::error::ErrorKind;
use gatepost::fetch::{Ask, Fetch};
use gatepost::request::{Header, Request};
use gatepost::runtime::pool::{MOST_THREADS, MOST_WAITING, OnDone, Outcome, Pool, Ticket, Work};

const POLICY: &str = "[engine]\nstate = \":memory:\"\nschemes = [\"basic\"]\n\
                      [password]\nmemory_kib = 1024\niterations = 1\n[[route]]\npath = \"/private\"\n\
                      [throttle]\naccount = { failures = 1000, per = \"1m\" }\npair = { failures = 1000, per = \"1m\" }\n";

fn engine() -> Engine {
    with(POLICY, None)
}

fn with(policy: &str, fetch: Option<Fetch>) -> Engine {
    let loaded = gatepost::policy::parse(policy, Path::new("p.toml"), Path::new(".")).unwrap();
    let engine = Engine::new(loaded, Options { fetch, ..Options::default() });
    engine.start().unwrap();
    engine
}

fn job(engine: &Engine) -> Job {
    let headers = [Header { name: b"Authorization", value: b"Basic YTpi" }];
    let request = Request { method: b"GET", target: b"/private", host: b"a", headers: &headers, ..Request::default() };
    match engine.begin(&request).unwrap() {
        Progress::Pending(job) => job,
        Progress::Done(decision) => panic!("decided at once: {decision:?}"),
    }
}

/// Submits so many at once; what each came to arrives at the other end.
fn submit(pool: &Pool, engine: &Engine, count: usize) -> (Receiver<Outcome>, Vec<Ticket>) {
    let (sender, receiver) = channel();
    let tickets = (0..count)
        .map(|_| {
            let sender = sender.clone();
            let on_done: OnDone = Box::new(move |outcome| sender.send(outcome).unwrap());
            pool.submit(job(engine), Work::Decision, on_done).map_err(|refused| refused.0).unwrap()
        })
        .collect();
    (receiver, tickets)
}

fn status(outcome: Outcome) -> u16 {
    match outcome {
        Outcome::Decided(decision) => decision.status,
        other => panic!("{other:?}"),
    }
}

/// Housekeeping that waits: it says when it has begun, and goes on when the sender is dropped.
fn held_up() -> (Job, Receiver<()>, Sender<()>) {
    let (begins, begun) = channel();
    let (go_on, goes_on) = channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let fetch: Fetch = Arc::new(move |_: &Ask<'_>| {
        begins.send(()).unwrap();
        let _ = goes_on.lock().unwrap().recv();
        Err("nothing came".to_owned())
    });
    let keys = "[[issuer]]\nname = \"a\"\nissuer = \"https://a.example\"\naudience = \"b\"\nalgorithms = \"EdDSA\"\n\
                keys = { url = \"https://a.example/keys\" }\n";
    let job = with(&format!("{POLICY}{keys}"), Some(fetch)).poll().unwrap().job.unwrap();
    (job, begun, go_on)
}

#[test]
fn what_does_not_fit_is_refused_and_the_rest_is_decided() {
    let (pool, engine) = (Pool::new(1, 1).unwrap(), engine());
    // The only thread is at work for as long as the others are submitted, however long that takes.
    let (busy, begun, go_on) = held_up();
    pool.submit(busy, Work::Housekeeping, Box::new(|_| ())).map_err(|refused| refused.0).unwrap();
    begun.recv().unwrap();
    let (outcomes, _) = submit(&pool, &engine, 3);
    drop(go_on);
    let mut statuses = Vec::new();
    while statuses.len() < 3 {
        pool.dispatch().unwrap();
        statuses.extend(outcomes.try_iter().map(status));
        std::thread::yield_now();
    }
    statuses.sort_unstable();
    assert_eq!(statuses, [401, 503, 503]);
    assert!(outcomes.try_recv().is_err(), "nothing is answered twice");
}

#[test]
fn all_that_is_outstanding_is_cancelled_when_the_pool_closes() {
    let (pool, engine) = (Pool::new(2, 8).unwrap(), engine());
    let (outcomes, _) = submit(&pool, &engine, 6);
    pool.close();
    let outcomes: Vec<Outcome> = outcomes.try_iter().collect();
    assert_eq!(outcomes.len(), 6);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Cancelled)), "{outcomes:?}");
    assert!(pool.submit(job(&engine), Work::Decision, Box::new(|_| panic!("called"))).is_err());
}

#[test]
fn a_cancelled_submission_is_answered_as_cancelled() {
    let (pool, engine) = (Pool::new(1, 8).unwrap(), engine());
    let (outcomes, tickets) = submit(&pool, &engine, 3);
    tickets.iter().for_each(Ticket::cancel);
    let mut seen = 0;
    while seen < 3 {
        pool.dispatch().unwrap();
        seen += outcomes.try_iter().inspect(|o| assert!(matches!(o, Outcome::Cancelled), "{o:?}")).count();
        std::thread::yield_now();
    }
}

#[test]
fn sizes_out_of_range_are_errors() {
    for (threads, queue) in [(0, 1), (1, 0), (MOST_THREADS + 1, 1), (1, MOST_WAITING + 1)] {
        assert_eq!(Pool::new(threads, queue).unwrap_err().kind(), ErrorKind::Input);
    }
}
