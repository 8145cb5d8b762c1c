//! What an engine tells of its decisions, and what never.

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

use data_encoding::BASE64;
use engine_support::*;
use engines::Place;
use events_support::{check, lines, schema};
use gatepost::admin::NewUser;
use gatepost::crypto::password::{self, Cost};
use gatepost::engine::{Engine, Options, Progress};
use gatepost::policy::model::StateLocation;
use serde_json::{Value, json};

/// The only decision.
fn one(place: &Place) -> Value {
    let all = place.decisions();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

#[test]
fn a_refusal_is_one_line_that_says_when_where_who_what_and_why() {
    let place = Place::new();
    let engine = place.engine("");
    let decision = get("/in/7?token=x").authorization(basic("alice", "not the right one")).to(&engine);
    let line = one(&place);
    assert_eq!(line["time"], "2026-09-21T14:13:20.000Z");
    assert_eq!(line["id"], decision.id.to_string());
    for (member, wanted) in [
        ("event", json!("decision")),
        ("severity", json!("notice")),
        ("engine", json!("Orders")),
        ("pid", json!(std::process::id())),
        ("action", json!("DENY")),
        ("status", json!(401)),
        ("reason", json!("credentials_invalid")),
        ("step", json!("verify")),
        ("saw", json!("wrong password for alice")),
        ("user", json!("alice")),
        ("scheme", json!("basic")),
        ("client", json!("192.0.2.7")),
        ("tls", json!(true)),
        ("method", json!("GET")),
        ("host", json!("orders.example.com")),
        ("route", json!("/in/{id}")),
        ("generation", json!(1)),
    ] {
        assert_eq!(line[member], wanted, "{member}");
    }
    for absent in ["subject", "issuer", "credential", "peer", "login", "attempt"] {
        assert!(line.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn who_was_recognised_is_there_also_where_he_is_refused() {
    let place = Place::new();
    let engine = place.engine("");
    get("/clerk").login("rita").to(&engine);
    get("/clerk").authorization(bearer("sam", json!({ "amr": ["pwd", "otp"] }))).to(&engine);
    get("/admin").host("admin.example.com").authorization(bearer("sam", json!({}))).to(&engine);
    let all = place.decisions();
    assert_eq!((&all[0]["reason"], &all[0]["subject"]), (&json!("role_missing"), &json!("rita")));
    assert!(all[0].get("issuer").is_none() && all[0].get("credential").is_none());
    assert_eq!((&all[1]["subject"], &all[1]["issuer"]), (&json!("sam"), &json!("https://accounts.example.com")));
    assert_eq!(all[1]["factors"], json!(["pwd", "otp"]));
    assert_eq!((&all[2]["route"], &all[2]["route_host"]), (&json!("/admin"), &json!("admin.example.com")));
}

#[test]
fn what_was_let_in_is_told_as_the_policy_says() {
    for (allowed, wanted) in [
        ("none", json!([])),
        ("logins", json!(["allowed", "allowed", "allowed"])),
        ("all", json!(["public", "allowed", "allowed", "allowed", "allowed", "allowed"])),
    ] {
        let place = Place::new();
        let engine = place.engine(&format!("allowed = \"{allowed}\"\n"));
        let (_, key) = add_key(&engine, "alice", &[], None);
        let ask = |ask: Ask| assert_eq!(ask.to(&engine).status, 200);
        ask(get("/open"));
        ask(get("/in/1").login("alice"));
        ask(get("/in/1").authorization(bearer("sam", json!({}))));
        ask(get("/in/1").authorization(bearer("sam", json!({}))));
        ask(get("/in/1").header("X-API-Key", &key));
        ask(get("/in/1").header("X-API-Key", &key));
        let all = place.decisions();
        let reasons: Value = all.iter().map(|line| line["reason"].clone()).collect();
        assert_eq!(reasons, wanted, "{allowed}");
        if allowed != "none" {
            assert_eq!(all.iter().filter(|line| line["login"] == true).count(), 3, "{allowed}: {all:#?}");
        }
    }
}

#[test]
fn a_token_is_a_login_once_for_each_address_and_day_and_a_password_whenever_it_is_checked() {
    let place = Place::new();
    let engine = place.engine("");
    let day = 86_400;
    let token = |now: i64| bearer("sam", json!({ "iat": NOW, "exp": NOW + 5 * day, "now": now }));
    let told = |ask: Ask| {
        let before = place.decisions().len();
        assert_eq!(ask.to(&engine).status, 200);
        place.decisions().len() - before
    };
    let same = token(0);
    assert_eq!(told(get("/in/1").authorization(&same)), 1);
    assert_eq!(told(get("/in/1").authorization(&same)), 0);
    assert_eq!(told(get("/in/1").authorization(&same).peer("192.0.2.8")), 1, "from elsewhere: stolen?");
    assert_eq!(told(get("/in/1").authorization(&same).at(NOW + day)), 1);
    assert_eq!(told(get("/in/1").authorization(token(1))), 1, "another token");
    assert_eq!(told(get("/in/1").login("alice")), 1);
    assert_eq!(told(get("/in/1").login("alice")), 0, "remembered: nothing was checked");
    assert_eq!(told(get("/in/1").login("alice").at(NOW + 3_600)), 1);
}

#[test]
fn one_token_has_one_digest_everywhere_and_another_state_has_others() {
    let (place, other) = (Place::new(), Place::new());
    let location = |place: &Place| Some(StateLocation::File(place.folder.path().join("state.db")));
    let digest = |place: &Place, ask: &Ask| {
        let engine = engine_with(&place.policy(""), Options { state: location(place), ..Options::default() });
        ask.to(&engine);
        place.decisions().last().unwrap()["credential"].as_str().unwrap().to_owned()
    };
    let bad =
        get("/in/1").authorization(format!("Bearer {}", token("sam", json!({}), "another secret of 32 octets.....")));
    let worse =
        get("/in/1").authorization(format!("Bearer {}", token("tom", json!({}), "another secret of 32 octets.....")));
    let first = digest(&place, &bad);
    assert_eq!(digest(&place, &bad), first, "in another process, later");
    assert_ne!(digest(&place, &worse), first);
    assert_ne!(digest(&other, &bad), first, "no table of digests serves for two services");
    // The same whether it is decided at once or by a job.
    let engine =
        engine_with(&place.policy("allowed = \"all\"\n"), Options { state: location(&place), ..Options::default() });
    add_user(&engine, "alice", &[]);
    let (_, key) = add_key(&engine, "alice", &[], None);
    for _ in 0..2 {
        get("/in/1").header("X-API-Key", &key).to(&engine);
    }
    let all = place.decisions();
    let last: Vec<&Value> = all.iter().rev().take(2).collect();
    assert_eq!(last[0]["credential"], last[1]["credential"]);
    assert_eq!((last[1]["login"].as_bool(), last[0]["login"].as_bool()), (Some(true), None));
}

#[test]
fn nothing_secret_reaches_the_log() {
    let place = Place::new();
    let engine = place.engine("allowed = \"all\"\n");
    let (_, key) = add_key(&engine, "alice", &[], None);
    let good = token("sam", json!({}), SECRET);
    let forged = token("sam", json!({}), "another secret of 32 octets.....");
    let (typed, wrong) = ("Hunter2-typed-as-name", "a wrong password, 4711");
    for ask in [
        get("/in/1").login("alice"),
        get("/in/1").authorization(basic("alice", wrong)),
        get("/in/1").authorization(basic(typed, wrong)),
        get("/in/1").authorization(format!("Basic {wrong}")),
        get("/in/1").authorization(format!("Bearer {good}")),
        get("/clerk").authorization(format!("Bearer {good}")),
        get("/in/1").authorization(format!("Bearer {forged}")),
        get("/in/1").authorization(format!("Bearer {forged}, Bearer {good}")),
        get("/in/1").header("X-API-Key", &key),
        get("/in/1").header("X-API-Key", format!("{key}x")),
        get("/in/1").header("X-API-Key", &key).authorization(basic("alice", wrong)),
        get("/in/1").header("Cookie", "__Host-session=seekrit-cookie-value"),
        get("/in/1?access_token=seekrit-in-query"),
        get("/nowhere?access_token=seekrit-in-query"),
        get("/in/%zz?access_token=seekrit-in-query"),
        get("/in/1#seekrit-in-query"),
        get("http://me:seekrit-userinfo@orders.example.com/in/1"),
        get("/in/1").host("me:seekrit-userinfo@orders.example.com"),
    ] {
        ask.to(&engine);
        finish_all(&ask, &engine);
    }
    let log = std::fs::read_to_string(&place.file).unwrap();
    assert!(place.decisions().len() >= 30);
    let mut secrets = vec![PASSWORD, wrong, typed, SECRET, &key, "seekrit"];
    secrets.extend(good.split('.').skip(1).chain(forged.split('.').skip(1)));
    for secret in secrets {
        for form in [secret.to_owned(), BASE64.encode(secret.as_bytes()), secret.to_lowercase()] {
            assert!(!log.contains(&form), "{form} is in the log");
        }
    }
}

/// The same by jobs.
fn finish_all(ask: &Ask, engine: &Engine) {
    if let Progress::Pending(job) = ask.with(|request| engine.begin(request)).unwrap() {
        finish(job);
    }
}

#[test]
fn nothing_that_a_client_sends_makes_a_line_or_breaks_one() {
    let place = Place::new();
    let engine = place.engine("");
    let evil = "x\r\n{\"event\":\"decision\",\"reason\":\"allowed\"}\n\u{2028}\u{85}\u{202e}\",\"reason\":\"allowed\"";
    let long = "a".repeat(7_000);
    let asks = [
        get(&format!("/{evil}")),
        get(&format!("/in/{long}?{evil}")),
        get("/in/\u{0}").method(evil),
        get("/in/1").host(evil),
        get("/in/1").host(&long),
        get("/in/1").peer(evil),
        get("/in/1").header("X-Forwarded-For", evil).header(evil, evil),
        get("/in/1").authorization(basic(evil, evil)),
        get("/in/1").authorization(bearer(evil, json!({ "exp": 1 }))),
        get("/in/1").authorization(bearer(&long, json!({ "iss": evil }))),
        get("/in/1").authorization(bearer("sam", json!({ "aud": evil, "scope": evil }))),
        Ask { target: b"/in/\xff\xfe\n".to_vec(), ..get("/") },
        Ask { method: b"G\xffT\n".to_vec(), ..get("/in/1") },
        Ask { id: evil.into(), ..get("/in/1") },
        Ask { id: b"\"},{".to_vec(), ..get("/in/1") },
    ];
    for (count, ask) in (1..).zip(&asks) {
        let decision = ask.to(&engine);
        assert_ne!(decision.status, 200, "{ask:?}");
        let all = place.decisions();
        assert_eq!(all.len(), count, "{ask:?}");
        let last = all.last().unwrap();
        assert_eq!(last["id"], decision.id.to_string());
        assert_eq!(last["reason"], decision.reason.name());
    }
    let log = std::fs::read_to_string(&place.file).unwrap();
    assert!(log.lines().all(|line| line.len() < 4096));
    assert!(!log.chars().any(|c| c != '\n' && (c.is_control() || ('\u{2000}'..'\u{2070}').contains(&c) && c != '…')));
}

#[test]
fn attempts_to_get_by_are_told_as_such() {
    let place = Place::new();
    let engine = place.engine("");
    let cookie = "__Host-session=1";
    for (ask, attempt) in [
        (get("/in/..%2fclerk"), "path_confusion"),
        (get("/in/1").header("X-API-Key", "gp_x").authorization("Bearer y"), "two_credentials"),
        (get("/in/1").authorization(none_token()), "key_confusion"),
        (
            get("/in/1")
                .authorization(format!("Bearer {}", token("sam", json!({}), "another secret of 32 octets....."))),
            "forgery",
        ),
        (get("/in/1").method("POST").login("alice").header("Sec-Fetch-Site", "cross-site"), "cross_site"),
    ] {
        ask.to(&engine);
        let all = place.decisions();
        let last = all.last().unwrap();
        assert_eq!((&last["attempt"], &last["severity"]), (&json!(attempt), &json!("warning")), "{last}");
    }
    get("/in/1").header("Cookie", cookie).to(&engine);
    assert!(place.decisions().last().unwrap().get("attempt").is_none(), "an old cookie is nothing of the kind");
}

/// `alg: none`.
fn none_token() -> String {
    let encode = |value: Value| data_encoding::BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let claims = json!({ "iss": "https://accounts.example.com", "aud": "orders", "sub": "sam", "exp": NOW + 600 });
    format!("Bearer {}.{}.", encode(json!({ "alg": "none" })), encode(claims))
}

#[test]
fn the_schema_tells_good_lines_from_bad_ones() {
    let place = Place::new();
    let engine = place.engine("");
    get("/in/1").to(&engine);
    let (schema, good) = (schema(), one(&place));
    check(&schema, &schema, &good).unwrap();
    for (member, value) in [
        ("time", json!("2026-11-23T12:00:00Z")),
        ("time", json!(7)),
        ("event", json!("decisions")),
        ("reason", json!("because")),
        ("status", json!("401")),
        ("login", json!(false)),
        ("credential", json!("hmac-sha256:xyz")),
        ("saw", json!("x".repeat(2_000))),
        ("factors", json!([])),
        ("password", json!("hunter2")),
        ("message", json!("of another event")),
    ] {
        let mut bad = good.clone();
        bad[member] = value;
        assert!(check(&schema, &schema, &bad).is_err(), "{member}: {bad}");
    }
    for member in ["id", "time", "client", "reason"] {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(member);
        assert!(check(&schema, &schema, &bad).is_err(), "{member}");
    }
}

#[test]
fn passwords_that_are_hashed_anew_are_told() {
    let place = Place::new();
    let engine = place.engine("");
    let cost = Cost { memory_kib: 32, iterations: 1, parallelism: 1 };
    let hash = password::hash(PASSWORD.as_bytes(), cost).unwrap();
    with_admin(&engine, |admin| {
        let new = NewUser { name: "bob", hash: Some(&hash), ..NewUser::default() };
        admin.seed_user(&new).unwrap();
    });
    assert_eq!(get("/in/1").login("bob").to(&engine).status, 200);
    let all = lines(&place.file);
    let line = all.iter().find(|line| line["event"] == "password_rehashed").expect("told");
    assert_eq!(line["user"], "bob");
}
