//! The Big List of Naughty Strings wherever text comes in from outside: as password, as user name, in every field of a
//! request, and on its way to a terminal or a log. Nothing panics, no line is forged, and who was let in under a name or
//! password comes in with the same one.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;
mod engine_support;
mod vectors;

use std::collections::BTreeMap;

use engine_support::*;
use gatepost::admin::NewUser;
use gatepost::crypto::name;
use gatepost::decision::Decision;
use gatepost::engine::{Engine, Options};
use gatepost::error::ErrorKind;
use gatepost::passwords;
use gatepost::policy::model::StateLocation;
use serde_json::{Value, json};

/// Nobody is throttled: strangers come by the thousand.
const POLICY: &str = "[engine]\nname = \"Strings\"\nstate = \":memory:\"\nschemes = [\"basic\", \"bearer\", \"api-key\"]\n\
    [identity]\nsubject = \"X-User\"\n[throttle]\naccount = false\naddress = false\nprefix = false\npair = false\n\
    [proxies]\ntrusted = [\"192.0.2.7/32\"]\nscheme = \"X-Forwarded-Proto\"\nhost = \"X-Forwarded-Host\"\n\
    [[route]]\npath = \"/in/{*rest}\"\n[[route]]\npath = \"/open/{*rest}\"\naccess = \"public\"\n";

fn strings() -> Option<Vec<String>> {
    let list: Vec<String> = serde_json::from_str(&vectors::read("strings/blns.json")?).unwrap();
    assert_eq!(list.len(), 515);
    Some(list)
}

fn strings_engine() -> Engine {
    engine(&format!("{POLICY}{CHEAP}{ISSUER}"))
}

/// What a decision hands out could not be read as anything else.
#[track_caller]
fn assert_sound(decision: &Decision, sent: &str) {
    for header in decision.response.iter().chain(&*decision.upstream()) {
        let token = header.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let plain = header.value.bytes().all(|b| (0x20..=0x7e).contains(&b));
        assert!(token && plain, "{header:?} for {sent:?}");
    }
    let json = fields(decision, "Content-Type").first().is_some_and(|form| form.contains("json"));
    if json {
        let problem: Value = serde_json::from_slice(&decision.body).unwrap_or_else(|why| panic!("{why}: {sent:?}"));
        assert_eq!(problem["status"], decision.reason.status(), "{sent:?}");
    }
}

fn percent_decoded(value: &str) -> String {
    let mut bytes = value.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            out.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).unwrap()
}

#[test]
fn every_string_that_is_taken_as_a_user_name_logs_in_and_arrives_whole() {
    let Some(strings) = strings() else { return };
    let engine = strings_engine();
    let (mut taken, mut refused) = (0, 0);
    for string in &strings {
        let new = NewUser { name: string, password: Some(PASSWORD), ..NewUser::default() };
        let added = with_admin(&engine, |admin| admin.seed_user(&new));
        let decision = get("/in/x").login(string).to(&engine);
        assert_sound(&decision, string);
        let Some(canonical) = name::user_name(string) else {
            let error = added.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Input, "{string:?}");
            assert!(!error.message().contains(char::is_control), "{string:?}");
            assert!(decision.identity.is_none(), "{string:?} came in");
            assert!(matches!(decision.reason.status(), 400 | 401), "{string:?}: {:?}", decision.reason);
            refused += 1;
            continue;
        };
        // Two strings can be one name.
        assert!(added.is_ok() || added.is_err_and(|error| error.kind() == ErrorKind::Conflict), "{string:?}");
        assert_eq!(decision.reason.name(), "allowed", "{string:?}");
        assert_eq!(percent_decoded(&upstream(&decision, "X-User").unwrap()), canonical, "{string:?}");
        assert_eq!(get("/in/x").login(&canonical).reason(&engine), "allowed", "{string:?}");
        taken += 1;
    }
    assert!(taken > 100 && refused > 100, "{taken} taken, {refused} refused");
}

#[test]
fn every_string_that_is_taken_as_a_password_opens_and_nothing_near_it_does() {
    let Some(strings) = strings() else { return };
    let engine = strings_engine();
    let (mut taken, mut refused) = (0, 0);
    for (number, string) in strings.iter().enumerate() {
        let user = format!("u{number}");
        let new = NewUser { name: &user, password: Some(string), ..NewUser::default() };
        let added = with_admin(&engine, |admin| admin.seed_user(&new));
        let decide = |password: &str| get("/in/x").authorization(basic(&user, password)).to(&engine);
        let decision = decide(string);
        assert_sound(&decision, string);
        match passwords::prepare(string) {
            Ok(form) => {
                assert_eq!(added.unwrap().name, user);
                assert_eq!(decision.reason.name(), "allowed", "{string:?}");
                assert_eq!(decide(&form).reason.name(), "allowed", "{string:?} in the form that is hashed");
                for near in [format!("{string}x"), format!("x{string}"), form.chars().skip(1).collect()] {
                    assert_eq!(decide(&near).reason.name(), "credentials_invalid", "{near:?} for {string:?}");
                }
                taken += 1;
            }
            Err(broken) => {
                let error = added.unwrap_err();
                assert!(error.message().contains(&broken.why), "{error}");
                assert!(decision.identity.is_none(), "{string:?} came in");
                assert_eq!(decision.reason.status(), 401, "{string:?}");
                refused += 1;
            }
        }
    }
    assert!(taken > 400 && refused > 10, "{taken} taken, {refused} refused");
}

#[test]
fn the_rules_for_new_passwords_answer_every_string_and_their_words_hold_nothing_of_it() {
    let Some(strings) = strings() else { return };
    let engine = strings_engine();
    let mut kept = 0;
    for string in &strings {
        let broken = with_admin(&engine, |admin| admin.broken_rules(Some("margaret"), string)).unwrap();
        for broken in &broken {
            assert!(!broken.why.contains(|c: char| c.is_control() || !c.is_ascii()), "{broken:?} for {string:?}");
            assert!(string.chars().count() < 8 || !broken.why.contains(string), "{broken:?}");
        }
        kept += usize::from(broken.is_empty());
    }
    assert!(kept > 100, "only {kept} would be taken");
}

#[test]
fn a_string_in_any_field_of_a_request_opens_nothing_and_gets_an_answer_that_is_sound() {
    let Some(strings) = strings() else { return };
    let engine = strings_engine();
    let names = [
        "Authorization",
        "X-API-Key",
        "Cookie",
        "Host",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "X-Forwarded-Host",
        "Forwarded",
        "Origin",
        "Sec-Fetch-Site",
        "Sec-Fetch-Mode",
        "Accept",
        "Accept-Language",
        "Connection",
        "X-User",
        "X-HTTP-Method-Override",
        "Access-Control-Request-Method",
        "DPoP",
        "Upgrade",
    ];
    let mut asked = 0;
    for string in &strings {
        let mut asks: Vec<Ask> = Vec::new();
        for name in names {
            asks.push(get("/in/x").header(name, string));
        }
        for scheme in ["Basic ", "Bearer ", "ApiKey ", "Bearer gp_", "Digest ", ""] {
            asks.push(get("/in/x").authorization(format!("{scheme}{string}")));
        }
        asks.push(get("/in/x").header(string, "x"));
        asks.push(get("/in/x").host(string));
        asks.push(get("/in/x").peer(string));
        asks.push(get("/in/x").method(string));
        asks.push(get(string));
        asks.push(get(&format!("/in/{string}")));
        asks.push(get(&format!("/in/x?{string}")));
        asks.push(Ask { id: string.clone().into_bytes(), ..get("/in/x") });
        for ask in asks {
            let decision = ask.to(&engine);
            assert_sound(&decision, string);
            let refused = matches!(decision.reason.status(), 400 | 401 | 403);
            assert!(refused && decision.identity.is_none(), "{:?} for {ask:?}", decision.reason);
            asked += 1;
        }
        // The same on a public route: nothing of it reaches the application as an identity.
        for name in names {
            let decision = get("/open/x").header(name, string).to(&engine);
            assert_sound(&decision, string);
            assert!(decision.identity.is_none() && upstream(&decision, "X-User").is_none(), "{name}: {string:?}");
        }
    }
    assert_eq!(asked, 515 * 33);
}

/// A string, and the same with what would begin a line of its own.
fn forging(strings: &[String]) -> Vec<String> {
    let ends = ["\nFORGED", "\r\nFORGED", "\rFORGED", "\u{2028}FORGED", "\u{85}FORGED", "\u{b}FORGED"];
    let more = strings.iter().zip(ends.iter().cycle()).map(|(string, end)| format!("{string}{end}"));
    strings.iter().cloned().chain(more).collect()
}

/// No line begins with what was forged, and nothing speaks to the terminal.
#[track_caller]
fn assert_unforged(text: &str) {
    for line in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        assert!(!line.trim_start().starts_with("FORGED"), "{line:?}");
    }
    let steers =
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let found = text.lines().find(|line| line.contains(steers));
    assert!(found.is_none(), "{found:?}");
}

#[test]
fn no_string_forges_a_line_of_a_list() {
    let Some(strings) = strings() else { return };
    let folder = tempfile::tempdir().unwrap();
    let policy = format!("{}{CHEAP}", POLICY.replace(":memory:", "strings.db"));
    let policy = policy.replace("\"basic\", \"bearer\", ", "\"basic\", ");
    std::fs::write(folder.path().join("strings.toml"), &policy).unwrap();
    let state = StateLocation::File(folder.path().join("strings.db"));
    let loaded = gatepost::policy::load(&folder.path().join("strings.toml")).unwrap();
    let engine = Engine::new(loaded, Options { state: Some(state), ..Options::default() });
    engine.start().unwrap();
    let mut users = BTreeMap::new();
    for string in forging(&strings) {
        let roles = [string.clone()];
        let new = NewUser { name: &string, roles: &roles, ..NewUser::default() };
        if let Ok(user) = with_admin(&engine, |admin| admin.seed_user(&new)) {
            users.insert(user.name, string);
        }
    }
    assert!(users.len() > 100, "{}", users.len());
    let list = command::run_in(folder.path(), &["user", "list", "--policy", "strings.toml"], "").exits(0);
    assert_unforged(&list.out);
    assert_eq!(list.out.lines().count(), users.len() + 1, "a line for each user");
    let told =
        command::run_in(folder.path(), &["user", "list", "--json", "--policy", "strings.toml"], "").exits(0).json();
    let names: Vec<&str> = told.as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, users.keys().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn no_string_forges_a_line_of_what_the_commands_say_about_it() {
    let Some(strings) = strings() else { return };
    let folder = tempfile::tempdir().unwrap();
    // Every case fails, and is told with its name and with what came.
    let cases: Vec<Value> = forging(&strings)
        .iter()
        .enumerate()
        .map(|(number, string)| {
            let sent = json!({
                "method": "GET", "target": "/in/x", "headers": [["Authorization", string], ["X-Number", number.to_string()]],
            });
            json!({ "name": format!("{number} {string}"), "request": sent, "expect": { "reason": "allowed" } })
        })
        .collect();
    let many = cases.len();
    let policy = format!("{}{CHEAP}", POLICY.replace("\"basic\", \"bearer\", ", "\"basic\", "));
    std::fs::write(folder.path().join("cases.json"), json!({ "policy": policy, "cases": cases }).to_string()).unwrap();
    let ran = command::run_in(folder.path(), &["test", "cases.json"], "").exits(3);
    assert_unforged(&ran.out);
    assert_unforged(&ran.err);
    assert!(ran.out.contains(&format!("{many} failed")), "{}", ran.out.lines().last().unwrap());
    // One by one, with the steps, the strings that a terminal or a log would obey.
    std::fs::write(folder.path().join("strings.toml"), policy).unwrap();
    let steering: Vec<String> = forging(&strings).into_iter().filter(|s| s.contains(char::is_control)).collect();
    let mut explained = 0;
    for string in steering.iter().step_by(steering.len() / 12) {
        if string.contains('\0') {
            continue;
        }
        let header = format!("X-User: {string}");
        let arguments = ["decide", "strings.toml", "GET", "/in/x", "-H", &header, "--cookie", "a=b", "--explain"];
        let ran = command::run_in(folder.path(), &arguments, "");
        assert_unforged(&ran.out);
        assert_unforged(&ran.err);
        let arguments = ["user", "show", string, "--policy", "strings.toml"];
        let ran = command::run_in(folder.path(), &arguments, "").exits(1);
        assert_unforged(&ran.err);
        explained += 1;
    }
    assert!(explained > 10, "{explained}");
}
