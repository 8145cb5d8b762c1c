//! Proofs of possession through the whole engine: nonces, processes, reloads, and that a proof is for one request alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod dpop_support;
mod engine_support;

use std::path::Path;
use std::sync::{Arc, Mutex};

use dpop_support::*;
use engine_support::*;
use gatepost::engine::{Engine, OnEvent, Options};
use gatepost::policy::model::StateLocation;
use proptest::prelude::*;
use serde_json::{Value, json};

fn on_file(text: &str, path: &Path) -> Engine {
    engine_with(text, Options { state: Some(StateLocation::File(path.to_owned())), ..Options::default() })
}

#[test]
fn a_nonce_goes_back_and_forth_as_rfc_9449_says() {
    let engine = engine(&policy("dpop_nonce = true\n"));
    let client = Client::new(7);
    let first = client.ask(&client.proof(json!({}))).to(&engine);
    assert_eq!(first.reason.name(), "dpop_nonce");
    assert!(fields(&first, "WWW-Authenticate")[1].ends_with("error=\"use_dpop_nonce\""), "{first:?}");
    let nonce = fields(&first, "DPoP-Nonce")[0].to_owned();

    // With it the request is let in, and as long as it is the newest there is no word of another.
    let second = client.ask(&client.proof(json!({"nonce": nonce}))).to(&engine);
    assert_eq!((second.reason.name(), fields(&second, "DPoP-Nonce")), ("allowed", vec![]));

    // A minute later it is still good, and the answer has the next one, which then is.
    let third = client.ask(&client.proof(json!({"nonce": nonce}))).at(NOW + 60).to(&engine);
    assert_eq!(third.reason.name(), "allowed");
    let next = fields(&third, "DPoP-Nonce")[0].to_owned();
    assert_ne!(next, nonce);
    let fourth = client.ask(&client.proof(json!({"nonce": next}))).at(NOW + 60).to(&engine);
    assert_eq!((fourth.reason.name(), fields(&fourth, "DPoP-Nonce")), ("allowed", vec![]));

    // Two minutes later it is not.
    let late = client.ask(&client.proof(json!({"nonce": nonce}))).at(NOW + 120).to(&engine);
    assert_eq!((late.reason.name(), fields(&late, "DPoP-Nonce").len()), ("dpop_nonce", 1));

    // The clock of the client does not count, and a proof with a nonce is good once as well.
    let proof = client.proof(json!({"nonce": nonce, "iat": NOW - 86_400}));
    assert_eq!(client.ask(&proof).reason(&engine), "allowed");
    assert_eq!(client.ask(&proof).reason(&engine), "dpop_proof");
    assert_eq!(client.ask(&proof).at(NOW + 60).reason(&engine), "dpop_proof");
}

#[test]
fn a_nonce_changed_anywhere_is_none() {
    let engine = engine(&policy("dpop_nonce = true\n"));
    let client = Client::new(7);
    let first = client.ask(&client.proof(json!({}))).to(&engine);
    let nonce = fields(&first, "DPoP-Nonce")[0];
    for at in 0..nonce.len() {
        let other = if &nonce[at..=at] == "A" { "B" } else { "A" };
        let changed = format!("{}{other}{}", &nonce[..at], &nonce[at + 1..]);
        assert_eq!(client.ask(&client.proof(json!({"nonce": changed}))).reason(&engine), "dpop_nonce", "{changed}");
    }
    for other in [json!(7), json!(null), json!([nonce])] {
        assert_eq!(client.ask(&client.proof(json!({"nonce": other}))).reason(&engine), "dpop_proof");
    }
}

#[test]
fn processes_of_one_state_know_each_others_nonces_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let text = policy("dpop_nonce = true\n");
    // Two engines on one file stand for two processes: they share nothing but the state.
    let (one, two) = (on_file(&text, &folder.path().join("a.db")), on_file(&text, &folder.path().join("a.db")));
    let other = on_file(&text, &folder.path().join("b.db"));
    let client = Client::new(7);
    let first = client.ask(&client.proof(json!({}))).to(&one);
    let nonce = fields(&first, "DPoP-Nonce")[0];
    let with = |engine: &Engine| client.ask(&client.proof(json!({"nonce": nonce}))).reason(engine);
    assert_eq!((with(&one), with(&two), with(&other)), ("allowed", "allowed", "dpop_nonce"));
}

/// As `gatepost decide` does.
#[test]
fn an_engine_that_only_reads_uses_up_no_proof_and_makes_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("a.db");
    let reading = |text: &str| {
        let state = Some(StateLocation::File(state.clone()));
        engine_with(text, Options { state, read_only: true, ..Options::default() })
    };
    let client = Client::new(7);
    let (plain, nonces) = (policy(""), policy("dpop_nonce = true\n"));
    let proof = client.proof(json!({}));
    let reader = reading(&plain);
    assert_eq!((client.ask(&proof).reason(&reader), client.ask(&proof).reason(&reader)), ("allowed", "allowed"));
    let server = on_file(&plain, &state);
    assert_eq!((client.ask(&proof).reason(&server), client.ask(&proof).reason(&server)), ("allowed", "dpop_proof"));

    let secret = |name: &str| server.state().unwrap().known_secret(name).unwrap();
    assert_eq!(client.ask(&client.proof(json!({}))).reason(&reading(&nonces)), "dpop_nonce");
    assert_eq!(secret("dpop-nonce"), None);
    let serving = on_file(&nonces, &state);
    let first = client.ask(&client.proof(json!({}))).to(&serving);
    let nonce = fields(&first, "DPoP-Nonce")[0];
    assert!(secret("dpop-nonce").is_some());
    assert_eq!(client.ask(&client.proof(json!({"nonce": nonce}))).reason(&reading(&nonces)), "allowed");
}

#[test]
fn a_used_proof_stays_used_over_reloads_also_to_another_state() {
    let engine = engine(&policy(""));
    let client = Client::new(7);
    let proof = client.proof(json!({}));
    assert_eq!(client.ask(&proof).reason(&engine), "allowed");
    engine.replace(load(&policy(""))).unwrap();
    assert_eq!(client.ask(&proof).reason(&engine), "dpop_proof");
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = policy("").replace(":memory:", folder.path().join("b.db").to_str().unwrap());
    engine.replace(load(&elsewhere)).unwrap();
    assert_eq!(client.ask(&proof).reason(&engine), "dpop_proof");
    assert_eq!(client.ask(&client.proof(json!({}))).reason(&engine), "allowed");
    // A longer leeway takes older proofs, but none that was forgotten meanwhile; nor does a clock that is set back.
    let later = client.ask(&client.proof(json!({"iat": NOW + 200}))).at(NOW + 200);
    assert_eq!(later.reason(&engine), "allowed");
    engine.replace(load(&elsewhere.replace("[engine]\n", "[engine]\nleeway = \"5m\"\n"))).unwrap();
    assert_eq!(client.ask(&proof).at(NOW + 200).reason(&engine), "dpop_proof");
    assert_eq!(client.ask(&client.proof(json!({"iat": NOW + 100}))).at(NOW + 200).reason(&engine), "allowed");
    assert_eq!(client.ask(&proof).reason(&engine), "dpop_proof");
}

/// Where nonces are asked for a proof's time is the nonce's, and elsewhere its own.
#[test]
fn a_used_proof_stays_used_where_a_reload_asks_for_nonces_or_no_longer() {
    let (plain, nonces) = (policy(""), policy("dpop_nonce = true\n"));
    let engine = engine(&nonces);
    let client = Client::new(7);
    let first = client.ask(&client.proof(json!({}))).to(&engine);
    let nonce = fields(&first, "DPoP-Nonce")[0];
    let proof = || client.proof(json!({"nonce": nonce, "iat": NOW - 40}));
    let (before, after) = (proof(), proof());
    engine.replace(load(&plain)).unwrap();
    assert_eq!(client.ask(&before).reason(&engine), "allowed");
    engine.replace(load(&nonces)).unwrap();
    assert_eq!(client.ask(&before).reason(&engine), "dpop_proof");
    assert_eq!(client.ask(&after).reason(&engine), "allowed");
    engine.replace(load(&plain)).unwrap();
    assert_eq!(client.ask(&after).reason(&engine), "dpop_proof");
    assert_eq!(client.ask(&proof()).reason(&engine), "allowed");
}

#[test]
fn a_proof_that_is_used_again_is_told_as_a_replay() {
    let lines: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&lines);
    let on_event: OnEvent = Arc::new(move |told| heard.lock().unwrap().push(told.line.to_owned()));
    let engine = engine_with(&policy(""), Options { on_event: Some(on_event), ..Options::default() });
    let client = Client::new(7);
    let ask = client.ask(&client.proof(json!({})));
    assert_eq!((ask.reason(&engine), ask.reason(&engine)), ("allowed", "dpop_proof"));
    let lines = lines.lock().unwrap();
    let told: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    assert_eq!((&told["reason"], &told["attempt"]), (&json!("dpop_proof"), &json!("replay")));
    assert!(told["saw"].as_str().unwrap().contains("used before"), "{told}");
    // Neither the token nor the proof is in the log.
    let proof = String::from_utf8(ask.headers[1].1.clone()).unwrap();
    assert!(!lines.iter().any(|line| line.contains(&client.token) || line.contains(&proof)));
}

#[test]
fn outside_of_a_request_nothing_proves_a_bound_token() {
    let (client, plain) = (Client::new(7), token("sam", json!({}), SECRET));
    for (more, bound, unbound) in
        [("", "token_binding", "allowed"), ("dpop = \"required\"\n", "token_binding", "token_binding")]
    {
        let engine = engine(&policy(more));
        let verdict = |token: &str| engine.verify_token(token, Some(NOW)).unwrap().reason.name();
        assert_eq!((verdict(&client.token), verdict(&plain)), (bound, unbound), "{more}");
    }
}

#[test]
fn of_many_threads_with_one_proof_one_is_let_in() {
    let engine = engine(&policy(""));
    let client = Client::new(7);
    let ask = client.ask(&client.proof(json!({})));
    let reasons: Vec<&str> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(|| ask.reason(&engine))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(reasons.iter().filter(|reason| **reason == "allowed").count(), 1, "{reasons:?}");
    assert!(reasons.iter().all(|reason| ["allowed", "dpop_proof"].contains(reason)), "{reasons:?}");
}

#[test]
fn tokens_of_local_users_are_asked_for_their_proof_as_well() {
    let text = policy("users = \"local\"\n")
        .replace("claims = { subject = \"sub\", roles = \"roles\", scopes = \"scope\" }\n", "");
    let engine = engine(&text);
    add_user(&engine, "sam", &[]);
    let client = Client::new(7);
    let proof = client.proof(json!({}));
    // The first one asks the state in a job, and the proof is gone with it.
    let decision = finish(client.ask(&proof).begin(&engine));
    assert_eq!(decision.reason.name(), "allowed");
    assert_eq!(client.ask(&proof).reason(&engine), "dpop_proof");
    assert_eq!(get("/x").authorization(format!("Bearer {}", client.token)).reason(&engine), "token_binding");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// One proof, and one thing of the request that is another.
    #[test]
    fn any_other_method_place_token_key_or_time_refuses(
        which in 0..8usize, method in "[A-Z]{3,5}", path in "/[a-z]{2,5}", host in "[a-z]{1,5}\\.example", away in 31..90_000i64,
    ) {
        let engine = engine(&policy(""));
        let (client, other) = (Client::new(7), Client::new(8));
        let proof = client.proof(json!({}));
        let good = client.ask(&proof);
        let ask = match which {
            0 => good.clone().method(if method == "GET" { "PUT" } else { &method }),
            1 => Ask { target: path.into_bytes(), ..good.clone() },
            2 => good.clone().host(&host),
            3 => good.clone().tls(false),
            4 => good.clone().at(NOW + away.max(91)),
            5 => good.clone().at(NOW - away),
            6 => get("/x").authorization(format!("DPoP {}", other.token)).header("DPoP", &proof),
            _ => get("/x").authorization(format!("DPoP {}", client.token)).header("DPoP", other.proof(json!({}))),
        };
        let reason = ask.reason(&engine);
        prop_assert!(["dpop_proof", "token_binding", "token_expired", "token_not_yet_valid"].contains(&reason), "{which} {reason}");
        // Nothing of that used it up.
        prop_assert_eq!(good.reason(&engine), "allowed");
    }
}
