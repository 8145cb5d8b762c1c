//! `gatepost log` through the binary, on files that engines wrote.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod events_support;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use events_support::{decisions, names};
use gatepost::engine::{Engine, Options};
use gatepost::request::{Header, Request};
use serde_json::Value;

const POLICY: &str = r#"[engine]
name = "Shop"
state = "shop.db"
schemes = ["basic", "api-key"]
[password]
memory_kib = 64
iterations = 1
[events]
file = "gatepost.jsonl"
[[role]]
name = "clerk"
[[route]]
path = "/orders/{id}"
[[route]]
path = "/admin"
require = { role = "clerk" }
"#;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(policy: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.toml"), policy).unwrap();
        Place { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn log(&self) -> PathBuf {
        self.at("gatepost.jsonl")
    }

    fn gatepost(&self, arguments: &[&str]) -> Output {
        self.fed(arguments, "")
    }

    fn fed(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails before it reads a password closes the pipe first.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.args(arguments).arg("--policy").arg(self.at("shop.toml"));
        command
    }

    fn says(&self, arguments: &[&str]) -> String {
        let done = self.gatepost(arguments);
        let out = String::from_utf8(done.stdout).unwrap();
        assert_eq!(done.status.code(), Some(0), "{out}{}", String::from_utf8_lossy(&done.stderr));
        out
    }

    fn complains(&self, arguments: &[&str], code: i32) -> String {
        let done = self.gatepost(arguments);
        assert_eq!(done.status.code(), Some(code), "{}", String::from_utf8_lossy(&done.stdout));
        String::from_utf8(if code == 1 { done.stderr } else { done.stdout }).unwrap()
    }

    fn engine(&self) -> Engine {
        let (engine, _) = Engine::open(&self.at("shop.toml"), Options::default()).unwrap();
        engine.start().unwrap();
        engine
    }
}

fn ask(engine: &Engine, id: &str, target: &str, headers: &[(&str, &str)]) -> u16 {
    let headers: Vec<Header<'_>> =
        headers.iter().map(|(name, value)| Header { name: name.as_bytes(), value: value.as_bytes() }).collect();
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        host: b"shop.example",
        peer: b"192.0.2.7",
        request_id: id.as_bytes(),
        headers: &headers,
        ..Request::default()
    };
    engine.decide(&request).unwrap().status
}

/// `alice:not the right one`.
const WRONG: (&str, &str) = ("Authorization", "Basic YWxpY2U6bm90IHRoZSByaWdodCBvbmU=");

#[test]
fn show_explains_a_decision_by_its_id_also_from_a_file_that_was_moved_away() {
    let place = Place::new(POLICY);
    place.fed(&["user", "add", "alice"], "correct horse battery staple\n");
    let engine = place.engine();
    assert_eq!(ask(&engine, "first", "/orders/7", &[WRONG]), 401);
    ask(&engine, "other", "/orders/7", &[]);
    std::fs::rename(place.log(), place.at("gatepost.jsonl.1")).unwrap();
    drop(engine);
    let engine = place.engine();
    ask(&engine, "\"}{\"", "/orders/..%2fadmin", &[]);
    let out = place.says(&["log", "show", "first"]);
    for part in [
        "DENY 401 credentials_invalid",
        "id          first",
        "request     GET shop.example/orders/{id}",
        "route       /orders/{id}, line 12 of the policy",
        "from        192.0.2.7",
        "who         somebody as alice by basic",
        "step        verify saw: wrong password for alice",
        "What happened: ",
        "What to check: Unknown user or wrong password",
    ] {
        assert!(out.contains(part), "{part:?} is not in {out}");
    }
    assert!(!out.contains("other"), "{out}");
    let strange = place.says(&["log", "show", "\"}{\""]);
    assert!(
        strange.contains("target_ambiguous") && strange.contains("path_confusion: a path that servers read"),
        "{strange}"
    );
    let found: Value = serde_json::from_str(&place.says(&["log", "show", "first", "--json"])).unwrap();
    assert_eq!(found[0]["event"]["reason"], "credentials_invalid");
    assert!(found[0]["operator"].as_str().unwrap().contains("gatepost user show"));
    let missing = place.complains(&["log", "show", "nobody"], 1);
    assert!(missing.contains("no decision nobody in the 2 files") && missing.contains("allowed"), "{missing}");
}

#[test]
fn a_policy_without_a_file_says_where_its_events_go() {
    let none = Place::new(&POLICY.replace("[events]\nfile = \"gatepost.jsonl\"\n", ""));
    assert!(none.complains(&["log", "tail"], 1).contains("names no events file: add `file ="));
    let stderr = Place::new(&POLICY.replace("\"gatepost.jsonl\"", "\"stderr\""));
    assert!(stderr.complains(&["log", "show", "x"], 1).contains("writes its events to stderr"));
    let fresh = Place::new(POLICY);
    assert!(fresh.complains(&["log", "tail"], 1).contains("the server makes it when it starts"));
    assert!(fresh.complains(&["log", "show", "x"], 1).contains("is not there"));
    assert!(fresh.complains(&["log", "verify"], 1).contains("has no `chain`"));
}

#[test]
fn tail_lists_the_last_ones_as_they_are_asked_for() {
    let place = Place::new(POLICY);
    place.fed(&["user", "add", "alice"], "correct horse battery staple\n");
    let engine = place.engine();
    for count in 0..20 {
        ask(&engine, &format!("id-{count}"), "/orders/7", if count % 2 == 0 { &[WRONG] } else { &[] });
    }
    drop(engine);
    let lines = |arguments: &[&str]| {
        place.says(&[&["log", "tail"], arguments].concat()).lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]).len(), 10);
    let last = lines(&["-n", "2"]);
    assert!(last[0].contains("id id-19") && last[1].contains("engine_ended"), "{last:#?}");
    let refused = lines(&["--refused", "-n", "100"]);
    assert_eq!(refused.len(), 20);
    assert!(
        refused[0].contains("401 credentials_invalid")
            && refused[0].contains("192.0.2.7  GET shop.example/orders/{id}")
    );
    assert_eq!(lines(&["--reason", "credentials_missing", "-n", "100"]).len(), 10);
    assert_eq!(lines(&["--subject", "alice", "-n", "100"]).len(), 11, "with the addition of the account");
    assert_eq!(lines(&["--event", "user_added", "--event", "engine_started"]).len(), 2);
    let json = lines(&["--json", "-n", "3"]);
    assert!(json.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()));
    assert!(
        place
            .complains(&["log", "tail", "--reason", "nonsense"], 1)
            .contains("there is no reason \"nonsense\"; there are allowed")
    );

    // What is no line of ours is passed by and counted.
    let mut file = std::fs::OpenOptions::new().append(true).open(place.log()).unwrap();
    file.write_all(b"{\"time\":\n\xff\xfe\n\x1b[2J\n").unwrap();
    let done = place.gatepost(&["log", "tail", "-n", "1"]);
    assert!(String::from_utf8_lossy(&done.stderr).contains("3 lines could not be read"));
    assert!(String::from_utf8_lossy(&done.stdout).contains("engine_ended"));
}

#[test]
fn tail_follows_over_a_move_until_it_is_ended() {
    let place = Place::new(POLICY);
    let engine = place.engine();
    let mut follower =
        Follow(place.command(&["log", "tail", "--follow", "--refused"]).stdout(Stdio::piped()).spawn().unwrap());
    let mut out = BufReader::new(follower.0.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        line
    };
    ask(&engine, "one", "/orders/7", &[]);
    assert!(next().contains("id one"));
    std::fs::rename(place.log(), place.at("gatepost.jsonl.1")).unwrap();
    drop(engine);
    let engine = place.engine();
    ask(&engine, "two", "/orders/7", &[]);
    assert!(next().contains("id two"));
}

/// Ends what follows for ever.
struct Follow(Child);

impl Drop for Follow {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn commands_leave_a_trail_in_the_servers_file() {
    let place = Place::new(POLICY);
    let engine = place.engine();
    place.fed(&["user", "add", "alice"], "correct horse battery staple\n");
    for arguments in [
        &["user", "grant", "alice", "clerk"][..],
        &["user", "grant", "alice", "clerk"],
        &["user", "revoke", "alice", "clerk"],
        &["user", "disable", "alice"],
        &["user", "enable", "alice"],
        &["key", "issue", "nightly", "--user", "alice", "--scope", "a:b", "--expires", "90d"],
        &["key", "revoke", "nightly"],
        &["user", "list"],
        &["user", "remove", "alice"],
    ] {
        assert_eq!(place.gatepost(arguments).status.code(), Some(0), "{arguments:?}");
    }
    drop(engine);
    let wanted = [
        "engine_started",
        "user_added",
        "role_granted",
        "role_revoked",
        "user_disabled",
        "user_enabled",
        "key_issued",
        "key_revoked",
        "user_removed",
        "engine_ended",
    ];
    assert_eq!(names(&place.log()), wanted);
    let by = events_support::lines(&place.log())[1]["by"].as_str().unwrap().to_owned();
    assert!(by.starts_with("uid "), "{by}");

    // Where the trail cannot be written, nothing is changed.
    std::fs::write(place.at("shop.toml"), POLICY.replace("gatepost.jsonl", "nowhere/gatepost.jsonl")).unwrap();
    let refused = place.fed(&["user", "add", "bob"], "correct horse battery staple\n");
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("make its folder"));
    std::fs::write(place.at("shop.toml"), POLICY).unwrap();
    assert!(!place.says(&["user", "list"]).contains("bob"));
}

#[test]
fn decide_and_test_and_list_leave_no_line() {
    let place = Place::new(POLICY);
    place.fed(&["user", "add", "alice"], "correct horse battery staple\n");
    let before = std::fs::read(place.log()).unwrap();
    let policy = place.at("shop.toml");
    let run = |arguments: &[&str]| Command::new(env!("CARGO_BIN_EXE_gatepost")).args(arguments).output().unwrap();
    assert_eq!(run(&["decide", policy.to_str().unwrap(), "GET", "/orders/7"]).status.code(), Some(3));
    let case = place.at("case.json");
    std::fs::write(
        &case,
        r#"{ "policy": "shop.toml", "state": { "users": [ { "name": "bob", "password": "x" } ] },
             "cases": [ { "name": "refused", "request": { "target": "/orders/7" }, "expect": { "status": 401 } } ] }"#,
    )
    .unwrap();
    let tested = run(&["test", case.to_str().unwrap()]);
    assert_eq!(tested.status.code(), Some(0), "{tested:?}");
    place.says(&["user", "list"]);
    place.says(&["log", "tail"]);
    assert_eq!(std::fs::read(place.log()).unwrap(), before);
}

#[test]
fn verify_finds_what_was_changed_taken_out_put_in_and_cut_off() {
    let place = Place::new(&POLICY.replace(
        "file = \"gatepost.jsonl\"\n",
        "file = \"gatepost.jsonl\"\nchain = { secret_file = \"chain.key\" }\n",
    ));
    std::fs::write(
        place.at("chain.key"),
        [7_u8, 201, 33, 98, 4, 155, 60, 18]
            .repeat(4)
            .iter()
            .enumerate()
            .map(|(at, byte)| byte.wrapping_mul(at as u8 | 1))
            .collect::<Vec<u8>>(),
    )
    .unwrap();
    place.fed(&["user", "add", "alice"], "correct horse battery staple\n");
    let engine = place.engine();
    ask(&engine, "one", "/orders/7", &[]);
    std::fs::rename(place.log(), place.at("gatepost.jsonl.1")).unwrap();
    drop(engine);
    place.gatepost(&["user", "grant", "alice", "clerk"]);
    place.gatepost(&["user", "disable", "alice"]);
    assert!(decisions(&place.at("gatepost.jsonl.1")).len() == 1, "sealed lines fit the schema too");
    let good = place.says(&["log", "verify"]);
    assert!(good.starts_with("lines 1 to ") && good.contains("nothing was changed"), "{good}");

    let log = std::fs::read_to_string(place.log()).unwrap();
    let found = |content: String| {
        std::fs::write(place.log(), content).unwrap();
        place.complains(&["log", "verify"], 3)
    };
    let lines: Vec<&str> = log.split_inclusive('\n').collect();
    assert!(found(log.replace("role_granted", "role_revoked")).contains("was changed"));
    assert!(found(lines[1..].concat()).contains("missing before it"), "the one line of a command is missed too");
    assert!(found(lines[..lines.len() - 1].concat()).contains("missing at the end"));
    assert!(found(format!("{log}{}", lines[0])).contains("moved or put in"));
    assert!(found(format!("{log}{{\"time\":\"x\",\"event\":\"decision\"}}\n")).contains("bears no seal"));
    std::fs::write(place.log(), format!("{log}{{\"time\":\"20")).unwrap();
    let torn = place.says(&["log", "verify"]);
    assert!(torn.contains("1 lines are cut short"), "{torn}");
    std::fs::write(place.log(), &log).unwrap();
    let json: Value = serde_json::from_str(&place.says(&["log", "verify", "--json"])).unwrap();
    assert_eq!((json["sound"].as_bool(), json["problems"].as_array().unwrap().len()), (Some(true), 0));
    let only = place.says(&["log", "verify", place.log().to_str().unwrap()]);
    assert!(only.contains("files that were not looked at"), "{only}");
    std::fs::write(
        place.at("chain.key"),
        [9_u8; 32]
            .iter()
            .enumerate()
            .map(|(at, byte)| byte.wrapping_add((at as u8).wrapping_mul(37)))
            .collect::<Vec<u8>>(),
    )
    .unwrap();
    assert!(place.complains(&["log", "verify"], 3).contains("another key"));
}

#[test]
fn an_id_that_is_not_there_yet_is_told_from_one_that_is_none() {
    let place = Place::new(POLICY);
    let engine = place.engine();
    ask(&engine, "", "/orders/7", &[]);
    let early = place.complains(&["log", "show", "02796a87194e6955-3"], 1);
    assert!(early.contains("no decision 02796a87194e6955-3 in the file of"), "{early}");
    assert!(early.contains("written up to a second after its decision: try again"), "{early}");
    for none in ["", "two words", &"x".repeat(129)] {
        let told = place.complains(&["log", "show", none], 1);
        assert!(told.contains("is no id of a decision: copy it whole from the refusal"), "{told}");
        assert!(!told.contains("try again"), "{told}");
    }
}
