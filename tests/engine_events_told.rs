//! When and where an engine tells: to the host, to a file that may fail, of changes and of itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
#[path = "events_support/engines.rs"]
mod engines;
mod events_support;

use engine_support::*;
use engines::{Place, listener, text};
use events_support::{decisions, lines, names};
use gatepost::engine::{Engine, Options, Progress};
use gatepost::request::Request;
use serde_json::{Value, json};

#[test]
fn the_host_hears_of_a_request_from_decide_and_finish_alone_with_the_requests_own_pointer() {
    let place = Place::new();
    let (on_event, heard) = listener();
    let engine = engine_with(
        &place.policy("").replace("[events]\n", "[events]\nallowed = \"all\"\n").replace("\nfile", "\n#"),
        Options { on_event: Some(on_event), ..Options::default() },
    );
    add_user(&engine, "alice", &["clerk"]);
    let count = || heard.lock().unwrap().len();
    let begin = |ask: Ask, user: usize| ask.with(|request| engine.begin(&Request { user, ..*request })).unwrap();
    assert_eq!(count(), 0, "what is about no request waits for a poll");

    drop(begin(get("/open"), 11));
    assert_eq!(count(), 1);
    let Progress::Pending(job) = begin(get("/in/1").login("alice"), 22) else { panic!("cheap?") };
    assert_eq!(count(), 1, "not by a decide that is not done");
    std::thread::scope(|scope| scope.spawn(|| job.run()).join().unwrap());
    assert_eq!(count(), 1, "never by run");
    finish(job);
    let all = heard.lock().unwrap().clone();
    let me = std::thread::current().id();
    assert_eq!(all.iter().map(|(_, user, thread)| (*user, *thread)).collect::<Vec<_>>(), [(11, me), (22, me)]);
    let line: Value = serde_json::from_str(&all[1].0).unwrap();
    assert_eq!((&line["subject"], &line["login"]), (&json!("alice"), &json!(true)));

    // A job that nobody finishes is no decision.
    let Progress::Pending(job) = begin(get("/in/1").authorization(basic("alice", "wrong")), 33) else { panic!() };
    job.run();
    job.cancel();
    drop(job);
    assert_eq!(count(), 2);

    engine.poll().unwrap();
    let rest: Vec<String> = heard.lock().unwrap()[2..]
        .iter()
        .map(|(line, user, _)| {
            assert_eq!(*user, 0);
            serde_json::from_str::<Value>(line).unwrap()["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(rest, ["engine_started", "user_added"]);
    engine.poll().unwrap();
    assert_eq!(count(), 4, "each once");
}

#[test]
fn a_loop_writes_no_file_and_what_may_block_does() {
    let place = Place::new();
    let engine = place.engine("");
    let length = || std::fs::metadata(&place.file).unwrap().len();
    engine.write_events().unwrap();
    let before = length();
    let Progress::Done(_) = get("/in/1").with(|request| engine.begin(request)).unwrap() else { panic!() };
    let job = get("/in/1").login("alice").begin(&engine);
    assert_eq!(length(), before, "begin does not");
    job.run();
    assert_eq!(place.decisions().len(), 1, "run does");
    let length_before_finish = length();
    finish(job);
    assert_eq!(length(), length_before_finish, "finish does not");
    let poll = engine.poll().unwrap();
    assert!(poll.next_ms <= 1_000, "lines do not wait long: {}", poll.next_ms);
    assert_eq!(length(), length_before_finish, "poll does not");
    poll.job.unwrap().run();
    assert_eq!(place.decisions().len(), 2, "its job does");
    get("/in/1").to(&engine);
    assert_eq!(place.decisions().len(), 3, "and a decide that may block");
    let Progress::Done(_) = get("/in/1").with(|request| engine.begin(request)).unwrap() else { panic!() };
    drop(engine);
    assert_eq!(place.decisions().len(), 4, "and the engine's end");
    assert_eq!(names(&place.file).last().unwrap(), "engine_ended");
}

#[test]
fn changes_reloads_and_refused_policies_are_told() {
    let place = Place::new();
    let policy = place.folder.path().join("orders.toml");
    let content = place.policy("").replace("secret.key", place.folder.path().join("secret.key").to_str().unwrap());
    std::fs::write(place.folder.path().join("secret.key"), SECRET).unwrap();
    std::fs::write(&policy, &content).unwrap();
    let (engine, _) = Engine::open(&policy, Options::default()).unwrap();
    engine.start().unwrap();
    add_user(&engine, "alice", &["clerk"]);
    let (id, _) = add_key(&engine, "alice", &["a:b"], Some(&["clerk"]));
    with_admin(&engine, |admin| {
        admin.set_disabled("alice", true).unwrap();
        admin.set_disabled("alice", true).unwrap();
        admin.set_disabled("alice", false).unwrap();
        admin.grant("alice", "clerk").unwrap();
        admin.revoke("alice", "clerk").unwrap();
        admin.grant("alice", "clerk").unwrap();
        admin.set_password("alice", "another good long password").unwrap();
        admin.revoke_key(&id).unwrap();
        admin.revoke_key(&id).unwrap();
        admin.remove_user("alice").unwrap();
        admin.remove_user("alice").unwrap_err();
    });
    engine.reload().unwrap();
    std::fs::write(&policy, content.replace("/open", "open")).unwrap();
    engine.reload().unwrap_err();
    let all = lines(&place.file);
    let told: Vec<&str> = all.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let wanted = [
        "engine_started",
        "user_added",
        "key_issued",
        "user_disabled",
        "user_enabled",
        "role_revoked",
        "role_granted",
        "password_set",
        "key_revoked",
        "user_removed",
        "policy_reloaded",
        "policy_refused",
    ];
    assert_eq!(told, wanted);
    assert_eq!((&all[2]["key"], &all[2]["scopes"], &all[2]["user"]), (&json!(id), &json!(["a:b"]), &json!("alice")));
    assert_eq!((&all[10]["generation"], &all[11]["generation"]), (&json!(2), &json!(2)));
    let message = all[11]["message"].as_str().unwrap();
    assert!(message.starts_with(policy.to_str().unwrap()) && message.contains(':'), "{message}");
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_of_start_and_at_reload_the_old_one_stays() {
    let place = Place::new();
    let nowhere = text("/nowhere/at/all.jsonl", "");
    let refused = Engine::new(load(&nowhere), Options::default()).start().unwrap_err();
    assert!(refused.message().contains("/nowhere/at/all.jsonl") && refused.message().contains("make its folder"));
    let engine = place.engine("");
    assert!(engine.replace(load(&nowhere)).is_err());
    assert_eq!(engine.generation(), 1);
    get("/in/1").to(&engine);
    assert_eq!(place.decisions().len(), 1);
    let second = place.folder.path().join("second.jsonl");
    engine.replace(load(&text(second.to_str().unwrap(), ""))).unwrap();
    get("/in/1").to(&engine);
    assert_eq!((place.decisions().len(), decisions(&second).len()), (1, 1));
}

#[test]
fn a_full_disk_costs_lines_and_no_answer_and_is_counted() {
    let engine = engine(&text("/dev/full", ""));
    for _ in 0..4_000 {
        assert_eq!(get("/in/1").reason(&engine), "credentials_missing");
    }
    let why = engine.write_events().unwrap_err();
    assert!(why.message().contains("No space left"), "{}", why.message());
    let metrics = engine.metrics().unwrap();
    let lost = metrics.lines().find_map(|line| line.strip_prefix("gatepost_events_lost_total ")).unwrap();
    assert!(lost.parse::<u64>().unwrap() > 500, "{lost}");
    assert!(metrics.contains("gatepost_events_written_total 0\n"), "{metrics}");
}

#[test]
fn two_engines_share_a_file_and_a_tool_leaves_none() {
    let place = Place::new();
    let engines = [place.engine(""), place.engine("")];
    engines.iter().for_each(|engine| drop(get("/in/1").to(engine)));
    assert_eq!(place.decisions().len(), 2);
    let before = std::fs::read(&place.file).unwrap();
    for options in [Options { read_only: true, ..Options::default() }, Options { quiet: true, ..Options::default() }] {
        let (on_event, heard) = listener();
        let engine = engine_with(&place.policy(""), Options { on_event: Some(on_event), ..options });
        get("/in/1").to(&engine);
        engine.poll().unwrap();
        drop(engine);
        assert_eq!(std::fs::read(&place.file).unwrap(), before);
        assert!(heard.lock().unwrap().is_empty());
    }
}
