//! `gatepost token inspect` through the binary.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;
mod mint;

use std::path::Path;

use command::{Ran, run_in};
use serde_json::{Value, json};

const AT: &str = "2026-11-23T12:00:00Z";

/// In the folder of the case files, where `orders.toml` is.
fn inspect(arguments: &[&str], stdin: &str) -> Ran {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    run_in(&folder, &[&["token", "inspect", "--at", AT], arguments].concat(), stdin)
}

fn minted(name: &str) -> String {
    mint::token(name).unwrap_or_else(|| panic!("{name}"))
}

/// The outcome of each check, in order.
fn outcomes(value: &Value) -> Vec<(String, String)> {
    let text = |check: &Value, name: &str| check[name].as_str().unwrap().to_owned();
    value["checks"].as_array().unwrap().iter().map(|check| (text(check, "name"), text(check, "outcome"))).collect()
}

#[test]
fn without_a_policy_it_lays_out_and_says_that_nothing_was_verified() {
    let token = minted("good");
    let ran = inspect(&[], &format!("{token}\n")).exits(0).complains("nothing was verified");
    let signature = token.rsplit('.').next().unwrap();
    assert!(!ran.out.contains(signature) && ran.out.contains(&signature[..8]), "{}", ran.out);
    ran.says("alg  \"HS256\"")
        .says("exp    1795435800   2026-11-23T12:10:00Z (in 10 minutes)")
        .says("iat    1795435140   2026-11-23T11:59:00Z (1 minute ago)")
        .says("roles  [\"clerk\"]")
        .says("32 octets");
    let told = inspect(&["-", "--json"], &token).exits(0).json();
    assert_eq!(told["claims"]["sub"], "u-17");
    assert_eq!(told["times"]["exp"], json!({ "at": "2026-11-23T12:10:00Z", "seconds": 600 }));
    assert_eq!((&told["verified"], told.get("checks")), (&Value::Null, None));
    assert!(!told.to_string().contains(signature));
}

#[test]
fn a_good_token_passes_every_check_and_its_key_is_named() {
    let token = minted("good");
    inspect(&["--policy", "orders.toml"], &token)
        .exits(0)
        .says("✓ issuer      iss is \"https://accounts.example.com\": issuer accounts")
        .says("✓ expiry      exp is 2026-11-23T12:10:00Z (in 10 minutes)")
        .says("proved by a key without kid of issuer accounts with HS256");
    let told = inspect(&["--policy", "orders.toml", "--json"], &token).exits(0).json();
    let names: Vec<String> = outcomes(&told).into_iter().map(|(name, outcome)| format!("{name} {outcome}")).collect();
    let wanted = "form issuer algorithm key signature expiry start audience type claims revoked possession identity";
    assert_eq!(names, wanted.split(' ').map(|name| format!("{name} passed")).collect::<Vec<_>>());
    assert_eq!((&told["good"], &told["verified"], &told["reason"]), (&json!(true), &json!(true), &Value::Null));
    assert_eq!(told["issuer"], json!({ "name": "accounts", "issuer": "https://accounts.example.com" }));
    assert_eq!(told["key"], json!({ "kid": null, "algorithm": "HS256" }));
}

/// Each reason with the check that it belongs to: those before it passed, those after it were not reached.
#[test]
fn each_failure_is_at_its_check_with_what_was_seen_and_wanted() {
    for (name, check, reason, says) in [
        ("padded", "form", "token_malformed", "signature"),
        ("claim_twice", "form", "token_malformed", "twice"),
        ("crit", "form", "token_malformed", "crit"),
        ("other_issuer", "issuer", "token_issuer", "https://accounts.example.org"),
        ("hs512", "algorithm", "token_algorithm", "HS512"),
        ("alg_none", "algorithm", "token_algorithm", "none"),
        ("other_secret_expired", "signature", "token_signature", "HS256"),
        ("expired", "expiry", "token_expired", "3600 s ago"),
        ("nbf_ahead", "start", "token_not_yet_valid", "nbf"),
        ("iat_ahead", "start", "token_not_yet_valid", "iat"),
        ("other_audience", "audience", "token_audience", "billing"),
        ("typ_dpop", "type", "token_type", "dpop+jwt"),
        ("no_exp", "claims", "token_claim", "exp is missing"),
        ("exp_string", "claims", "token_claim", "a string"),
        ("audience_number", "claims", "token_claim", "a number"),
        ("subject_number", "claims", "token_claim", "sub"),
    ] {
        let told = inspect(&["--policy", "orders.toml", "--json"], &minted(name)).exits(3).json();
        assert_eq!((&told["reason"], &told["good"]), (&json!(reason), &json!(false)), "{name}");
        let outcomes = outcomes(&told);
        let at = outcomes.iter().position(|(_, outcome)| outcome == "failed").unwrap();
        assert_eq!(outcomes[at].0, check, "{name}");
        assert!(told["checks"][at]["saw"].as_str().unwrap().contains(says), "{name}: {}", told["checks"][at]);
        assert!(outcomes[..at].iter().all(|(_, outcome)| outcome == "passed" || outcome == "not_judged"), "{name}");
        assert!(outcomes[at + 1..].iter().all(|(_, outcome)| outcome == "not_reached"), "{name}");
        let proved = outcomes.iter().position(|(name, _)| name == "signature").unwrap() < at;
        assert_eq!(told["verified"], proved, "{name}");
    }
    // What could not be judged is not said to have passed.
    for (name, check) in [("no_exp", "expiry"), ("nbf_string", "start"), ("audience_mixed_list", "audience")] {
        let told = inspect(&["--policy", "orders.toml", "--json"], &minted(name)).exits(3).json();
        assert!(outcomes(&told).contains(&(check.to_owned(), "not_judged".to_owned())), "{name}");
    }
}

#[test]
fn a_kid_that_no_key_has_is_at_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let keys =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    std::fs::write(folder.path().join("keys.jwks"), keys).unwrap();
    let policy = "[[issuer]]\nname = \"a\"\nissuer = \"https://a\"\naudience = [\"b\"]\nalgorithms = [\"EdDSA\"]\nkeys = { file = \"keys.jwks\" }\n";
    std::fs::write(folder.path().join("p.toml"), policy).unwrap();
    let code = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let token = |kid: &str| {
        format!("{}.{}.AAAA", code(&format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#)), code(r#"{"iss":"https://a"}"#))
    };
    let ask = |kid: &str| {
        run_in(folder.path(), &["token", "inspect", "--policy", "p.toml", "--json"], &token(kid)).exits(3).json()
    };
    let told = ask("k2");
    assert_eq!(told["reason"], "token_key_unknown");
    assert!(outcomes(&told).contains(&("key".to_owned(), "failed".to_owned())));
    let told = ask("k1");
    assert_eq!(told["reason"], "token_signature");
    assert!(told["checks"][3]["saw"].as_str().unwrap().contains("\"k1\""), "{told}");
}

#[test]
fn on_a_route_it_says_what_the_token_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    std::fs::copy(cases.join("accounts.secret"), folder.path().join("accounts.secret")).unwrap();
    let policy = std::fs::read_to_string(cases.join("orders.toml")).unwrap();
    let route = "[[route]]\npath = \"/orders/{id}\"\nschemes = [\"bearer\"]\nrequire = { scope = \"orders:read\" }\n";
    std::fs::write(folder.path().join("orders.toml"), policy + route).unwrap();
    let ask = |name: &str, more: &[&str]| {
        let whole = [&["token", "inspect", "--at", AT, "--policy", "orders.toml"], more].concat();
        run_in(folder.path(), &whole, &minted(name))
    };
    let token = "no_scope_no_role";
    let told = ask(token, &["--route", "/orders/7", "--json"]).exits(3).json();
    assert_eq!((&told["good"], &told["reason"]), (&json!(true), &Value::Null), "the token itself is good");
    assert_eq!(told["decision"]["action"], "DENY");
    assert_eq!(told["decision"]["reason"], "scope_missing", "{told}");
    ask(token, &["--route", "/orders/7"]).exits(3).says("DENY 403 scope_missing").says("← refused here");
    ask("good", &["--route", "/orders/7"]).exits(0).says("ALLOW 200 allowed");
    ask("good", &["--route", "/nowhere", "--method", "POST"]).exits(3).says("route_unknown").says("POST /nowhere");
    ask("expired", &["--route", "/orders/7"]).exits(3).says("DENY 401 token_expired");
}

/// What the state says: who is revoked, and whom the token names.
#[test]
fn revocations_local_users_and_bound_tokens_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    std::fs::copy(cases.join("accounts.secret"), folder.path().join("accounts.secret")).unwrap();
    let policy = |users: &str| {
        format!(
            "[engine]\nstate = \"state.db\"\n[[issuer]]\nname = \"accounts\"\n\
             issuer = \"https://accounts.example.com\"\naudience = [\"orders\"]\nalgorithms = [\"HS256\"]\n\
             keys = {{ secret_file = \"accounts.secret\" }}\nusers = \"{users}\"\n"
        )
    };
    std::fs::write(folder.path().join("foreign.toml"), policy("none")).unwrap();
    std::fs::write(folder.path().join("local.toml"), policy("local")).unwrap();
    let run = |line: &str, stdin: &str| run_in(folder.path(), &line.split(' ').collect::<Vec<_>>(), stdin);
    let failed = |told: &Value| {
        let (name, _) = outcomes(told).into_iter().find(|(_, outcome)| outcome == "failed").unwrap();
        format!("{name} {}", told["reason"].as_str().unwrap())
    };
    let (alice, bound) = (minted("named_alice"), minted("bound"));
    let inspect = format!("token inspect --at {AT} --json --policy ");
    run(&format!("{inspect}foreign.toml"), &alice).exits(0);
    let told = run(&format!("{inspect}local.toml"), &alice).exits(3).json();
    assert!(failed(&told).starts_with("identity "), "{told}");
    run("user add alice --policy local.toml", "correct horse battery staple").exits(0);
    run(&format!("{inspect}local.toml"), &alice).exits(0);

    let told = run(&format!("{inspect}foreign.toml"), &bound).exits(0).json();
    assert!(outcomes(&told).contains(&("possession".to_owned(), "not_judged".to_owned())), "{told}");

    run("token revoke --issuer accounts --subject alice --policy foreign.toml", "").exits(0);
    let told = run(&format!("{inspect}foreign.toml"), &alice).exits(3).json();
    assert_eq!(failed(&told), "revoked token_revoked");
    assert_eq!(told["verified"], true);
}

#[test]
fn tokens_come_from_stdin_or_a_file_and_never_from_an_argument() {
    let folder = tempfile::tempdir().unwrap();
    let token = minted("good");
    std::fs::write(folder.path().join("token.txt"), format!(" {token}\r\n")).unwrap();
    run_in(folder.path(), &["token", "inspect", "token.txt", "--at", AT], "").exits(0).says("u-17");
    let ran = run_in(folder.path(), &["token", "inspect", &token], "").exits(1).complains("not taken from an argument");
    assert!(!ran.err.contains(&token[..20]), "{}", ran.err);
    for scheme in ["Bearer ", "dpop  "] {
        let sent = format!("{scheme}{token}");
        let ran =
            run_in(folder.path(), &["token", "inspect", &sent], "").exits(1).complains("not taken from an argument");
        assert!(!ran.err.contains(&token[..20]), "{}", ran.err);
        let ran = run_in(folder.path(), &["token", "inspect", "--at", AT], &format!("{sent}\n")).exits(0).says("u-17");
        assert!(ran.err.contains("is the name of the scheme and no part of the token"), "{}", ran.err);
    }
    run_in(folder.path(), &["token", "inspect"], "Bearer \n").exits(1).complains("stdin holds no token");
    run_in(folder.path(), &["token", "inspect", "Bearer.txt"], "").exits(1).complains("Bearer.txt cannot be read");
    run_in(folder.path(), &["token", "inspect", "nowhere.txt"], "").exits(1).complains("nowhere.txt cannot be read");
    run_in(folder.path(), &["token", "inspect"], "\n").exits(1).complains("stdin holds no token");
    run_in(folder.path(), &["token", "inspect"], &"a".repeat(1_100_000)).exits(1).complains("1 MiB");
    run_in(folder.path(), &["token", "inspect", "--route", "/x"], &token).exits(1).complains("--policy");
    run_in(folder.path(), &["token", "inspect", "--policy", "nowhere.toml"], &token).exits(1).complains("nowhere.toml");
}

#[test]
fn a_malformed_token_is_shown_as_far_as_it_goes() {
    let code = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let (header, claims) = (code(r#"{"alg":"HS256"}"#), code(r#"{"sub":"u","exp":}"#));
    inspect(&[], &format!("{header}==.{claims}.AAAA"))
        .exits(3)
        .says("padding (=) at character 21")
        .says("\"sub\": \"u\"")
        .says("malformed: ");
    let told = inspect(&["--json"], &format!("{header}.{claims}.AAAA")).exits(3).json();
    assert_eq!((&told["header"]["alg"], &told["claims"]), (&json!("HS256"), &Value::Null));
    assert!(told["faults"]["claims"].as_str().unwrap().contains("octet 18"), "{told}");
    inspect(&[], &minted("five_parts")).exits(3).says("JWE");
    inspect(&["--policy", "orders.toml", "--route", "/orders/7"], "a.b")
        .exits(3)
        .says("✗ form")
        .says("token_malformed");
}

/// Nothing that a token says reaches the terminal as a command to it.
#[test]
fn control_characters_are_shown_and_not_sent() {
    let code = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let header = code("{\"alg\":\"HS256\",\"k\u{9b}31m\":\"\u{202e}\u{7f}\\u001b[2J\"}");
    for token in [format!("{header}.{}.AAAA", code("{\"a\":\"\u{9b}2J\"")), format!("{header}.\u{1b}[2J.\u{9b}")] {
        for arguments in [&[][..], &["--json"], &["--policy", "orders.toml", "--route", "/three"]] {
            let ran = inspect(arguments, &token).exits(3);
            let steering = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
            assert_eq!(ran.out.chars().chain(ran.err.chars()).find(steering), None, "{arguments:?}: {:?}", ran.out);
        }
    }
}

#[test]
fn a_method_in_the_route_is_told_where_it_belongs() {
    let ran = inspect(&["--policy", "orders.toml", "--route", "PUT /orders/7"], &minted("good")).exits(1);
    ran.complains("--route takes no method: write `--method PUT --route /orders/7`");
    // A path that a client might send is asked about as it is.
    inspect(&["--policy", "orders.toml", "--route", "/a b"], &minted("good")).says("target_ambiguous");
}

/// Of one issuer that may give `clerk` alone.
fn with_grants(grants: &str, route: &str) -> tempfile::TempDir {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(cases.join("accounts.secret"), folder.path().join("accounts.secret")).unwrap();
    let policy = format!(
        r#"[engine]
schemes = ["bearer"]
[events]
file = "events.jsonl"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = "orders"
algorithms = "HS256"
keys = {{ secret_file = "accounts.secret" }}
claims = {{ subject = "sub", roles = "roles", scopes = "scope" }}
{grants}
[[role]]
name = "clerk"
permissions = ["orders:read"]
[[role]]
name = "admin"
includes = ["clerk"]
permissions = ["orders:write"]
[[route]]
path = "/"
require = {route}
"#
    );
    std::fs::write(folder.path().join("shop.toml"), policy).unwrap();
    folder
}

const WITHHELD: &str = "not in `grants` of issuer accounts, so that its tokens do not give it: role clerk";

#[test]
fn a_role_that_grants_leaves_out_is_told_wherever_it_is_missed() {
    let token = minted("good");
    let ask = |folder: &tempfile::TempDir, arguments: &[&str]| {
        run_in(folder.path(), &[&["token", "inspect", "--at", AT, "--policy", "shop.toml"], arguments].concat(), &token)
    };
    for route in [r#"{ role = "clerk" }"#, r#"{ permission = "orders:read" }"#] {
        let folder = with_grants("grants = \"admin\"", route);
        ask(&folder, &[]).exits(0).says("roles: none").says(WITHHELD);
        let ran = ask(&folder, &["--route", "/"]).exits(3);
        ran.says("roles of the token of u-17: clerk").says(&format!("); {WITHHELD}"));
        // What may be given is not spoken of, nor is anything where all may be.
        for grants in ["grants = [\"admin\", \"clerk\"]", ""] {
            let told = ask(&with_grants(grants, route), &["--route", "/"]).exits(0);
            assert!(!told.out.contains("grants"), "{}", told.out);
        }
    }
}

#[test]
fn a_claim_that_is_an_array_is_shown_where_equals_meets_it() {
    let token = minted("good");
    let ask = |route: &str| {
        let folder = with_grants("", route);
        run_in(folder.path(), &["token", "inspect", "--at", AT, "--policy", "shop.toml", "--route", "/"], &token)
    };
    let hint = "claim roles of the token is [\"clerk\"], an array, which never equals that: write `contains`";
    ask(r#"{ claim = { name = "roles", equals = "clerk" } }"#).exits(3).says(hint);
    ask(r#"{ all = [{ role = "clerk" }, { claim = { name = "roles", equals = "clerk" } }] }"#).exits(3).says(hint);
    ask(r#"{ claim = { name = "roles", contains = "clerk" } }"#).exits(0);
    let other = ask(r#"{ claim = { name = "sub", equals = "clerk" } }"#).exits(3);
    assert!(!other.out.contains("contains"), "{}", other.out);
}

/// What the events file says of a refusal: with the cause, and without the values of claims.
#[test]
fn the_log_says_why_too() {
    let saw = |grants: &str, route: &str| {
        let folder = with_grants(grants, route);
        let clock: gatepost::engine::Clock = std::sync::Arc::new(|| 1_795_435_200);
        let options = gatepost::engine::Options { clock: Some(clock), ..Default::default() };
        let (engine, _) = gatepost::engine::Engine::open(&folder.path().join("shop.toml"), options).unwrap();
        engine.start().unwrap();
        let value = format!("Bearer {}", minted("good"));
        let headers = [gatepost::request::Header { name: b"Authorization", value: value.as_bytes() }];
        let request = gatepost::request::Request {
            method: b"GET",
            target: b"/",
            host: b"shop.example",
            peer: b"192.0.2.7",
            headers: &headers,
            ..Default::default()
        };
        let decision = engine.decide(&request).unwrap();
        assert_eq!(decision.status, 403);
        let body = String::from_utf8_lossy(&decision.body);
        assert!(!body.contains("clerk") && !body.contains("accounts") && !body.contains("contains"), "{body}");
        let log = std::fs::read_to_string(folder.path().join("events.jsonl")).unwrap();
        let line = log.lines().find(|line| line.contains("\"DENY\"")).unwrap();
        serde_json::from_str::<Value>(line).unwrap()["saw"].as_str().unwrap().to_owned()
    };
    let role = saw("grants = \"admin\"", r#"{ role = "clerk" }"#);
    assert!(role.ends_with(WITHHELD), "{role}");
    let claim = saw("", r#"{ claim = { name = "roles", equals = "boss" } }"#);
    assert!(
        claim.ends_with(
            "claim roles of the token is an array, which never equals that: write `contains` in place of `equals`"
        ),
        "{claim}"
    );
    assert!(!claim.contains("clerk"), "{claim}");
}
