//! Keys by URL and by discovery, from a real server over TLS.

#![cfg(feature = "https")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
mod keys_support;
#[path = "keys_support/place.rs"]
mod place;
#[path = "keys_support/server.rs"]
mod server;

use engine_support::{NOW, get};
use gatepost::engine::Engine;
use keys_support::*;
use place::*;
use serde_json::json;
use server::*;

const ISSUER: &str = "https://accounts.example.com";

fn by_url(server: &Server) -> String {
    format!("{{ url = \"{}\", ca = \"ca.pem\" }}", server.url("/keys"))
}

/// One engine that has fetched the set of one key.
fn running(server: &Server, signer: &Signer) -> (Place, Engine) {
    server.publishes(&set(&[signer]));
    let place = Place::new(server);
    let engine = place.engine(ISSUER, &by_url(server));
    keep_house(&engine);
    assert_eq!(seen(&engine, signer, ISSUER), "allowed", "{:?}", place.told(&engine));
    (place, engine)
}

#[test]
fn keys_are_there_after_the_first_housekeeping_and_503_until_then() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let place = Place::new(&server);
    let engine = place.engine(ISSUER, &by_url(&server));
    assert_eq!(seen(&engine, &signer, ISSUER), "keys_unavailable");
    assert!(engine.poll().unwrap().next_ms <= 250, "the host is asked to come back soon");
    assert_eq!(server.asked(), 0, "neither start nor a decision asks anybody");
    keep_house(&engine);
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
    assert_eq!(server.asked(), 1);
    let head = &server.heads()[0];
    assert!(head.starts_with("GET /keys HTTP/1.1\r\n"), "{head}");
    assert!(field(head, "user-agent").unwrap().starts_with("gatepost/"));
    assert_eq!(place.names(&engine), ["keys_changed"]);
    assert_eq!(place.told(&engine)[0]["source"], server.url("/keys"));
    assert!(engine.poll().unwrap().next_ms <= 1_000);
}

#[test]
fn a_restart_takes_the_keys_from_the_state_and_asks_nobody() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    let (place, engine) = running(&server, &signer);
    drop(engine);
    let engine = place.engine(ISSUER, &by_url(&server));
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
    keep_house(&engine);
    assert_eq!(server.asked(), 1);
    // Another policy about the same address is another question: an algorithm, an authority.
    let text = by_url(&server).replace("ca.pem", "other.pem");
    std::fs::write(place.folder.path().join("other.pem"), format!("# a note\n{}", server.ca)).unwrap();
    assert_eq!(seen(&place.engine(ISSUER, &text), &signer, ISSUER), "keys_unavailable");
    // And so is another issuer.
    let other = "https://other.example.com";
    assert_eq!(seen(&place.engine(other, &by_url(&server)), &signer, other), "keys_unavailable");
}

/// A worker whose timer died, or whose jobs are held up, must not go on with keys that were withdrawn long ago.
#[test]
fn keys_that_nobody_confirms_end_also_where_nobody_keeps_house() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    let (place, engine) = running(&server, &signer);
    let now = || place.clock.load(std::sync::atomic::Ordering::Relaxed);
    let reason = |engine: &Engine, sent: &str| get("/orders").authorization(sent).at(now()).reason(engine);
    place.wait(600 + 86_400);
    let remembered = signer.bearer(ISSUER);
    assert_eq!(reason(&engine, &remembered), "allowed");
    place.wait(1);
    let fresh = signer.bearer_with(ISSUER, &json!({ "alg": "EdDSA", "kid": "one", "x": 1 }));
    assert_eq!((reason(&engine, &remembered), reason(&engine, &fresh)), ("keys_unavailable", "keys_unavailable"));
    let verdict = engine.verify_token(fresh.strip_prefix("Bearer ").unwrap(), None).unwrap();
    assert_eq!(verdict.reason.name(), "keys_unavailable");
    // Housekeeping tells of it and mends it.
    keep_house(&engine);
    assert_eq!((reason(&engine, &remembered), reason(&engine, &fresh)), ("allowed", "allowed"));
    assert_eq!(place.names(&engine), ["keys_changed", "keys_expired", "keys_changed"]);
    // What is confirmed, also by an answer that nothing has changed, is believed from then on.
    place.live(610, &[&engine]);
    place.wait(86_400);
    assert_eq!((server.asked(), reason(&engine, &fresh)), (3, "allowed"));
}

#[test]
fn a_rotation_is_taken_over_when_it_is_due_and_told_of() {
    let (server, old, new) = (Server::new(), Signer::new("old"), Signer::new("new"));
    let (place, engine) = running(&server, &old);
    server.publishes(&set(&[&old, &new]));
    place.live(400, &[&engine]);
    assert_eq!(server.asked(), 1, "not before it is due");
    place.live(210, &[&engine]);
    assert_eq!(server.asked(), 2);
    assert_eq!((seen(&engine, &old, ISSUER), seen(&engine, &new, ISSUER)), ("allowed", "allowed"));
    server.publishes(&set(&[&new]));
    place.live(610, &[&engine]);
    assert_eq!((seen(&engine, &old, ISSUER), seen(&engine, &new, ISSUER)), ("token_key_unknown", "allowed"));
    let told = place.told(&engine);
    assert_eq!(place.names(&engine), ["keys_changed"; 3]);
    assert_eq!((&told[1]["added"], &told[2]["removed"]), (&json!(["new"]), &json!(["old"])));
    assert_eq!((counted(&engine, "changed"), counted(&engine, "failed")), (3, 0));
    // The key that is gone was asked for once more in the first of these seconds.
    place.live(100, &[&engine]);
    let metrics = engine.metrics().unwrap();
    assert!(metrics.contains("gatepost_issuer_keys{issuer=\"accounts\"} 1\n"), "{metrics}");
    let age = "gatepost_issuer_keys_age_seconds{issuer=\"accounts\"} ";
    let age: u32 = metrics.lines().find_map(|line| line.strip_prefix(age)).unwrap().parse().unwrap();
    assert_eq!(age, 99);
}

#[test]
fn an_unknown_kid_brings_the_keys_early_and_no_request_waits_for_that() {
    let (server, old, new) = (Server::new(), Signer::new("old"), Signer::new("new"));
    let (place, engine) = running(&server, &old);
    server.publishes(&set(&[&old, &new]));
    place.live(5, &[&engine]);
    assert_eq!(server.asked(), 1);
    assert_eq!(seen(&engine, &new, ISSUER), "token_key_unknown", "answered at once");
    assert_eq!(server.asked(), 1);
    place.live(1, &[&engine]);
    assert_eq!(server.asked(), 2);
    assert_eq!(seen(&engine, &new, ISSUER), "allowed");
}

#[test]
fn a_thousand_unknown_kids_are_one_question_a_minute() {
    let (server, signer, stranger) = (Server::new(), Signer::new("one"), Signer::new("x"));
    let (place, engine) = running(&server, &signer);
    let flood = |from: usize| {
        for number in from..from + 1_000 {
            let header = json!({ "alg": "EdDSA", "kid": format!("kid-{number}") });
            assert_eq!(reason(&engine, &stranger.bearer_with(ISSUER, &header)), "token_key_unknown");
        }
    };
    flood(0);
    place.live(1, &[&engine]);
    assert_eq!(server.asked(), 2, "one for all of them");
    for minute in 0..5 {
        flood(10_000 * minute);
        place.live(60, &[&engine]);
    }
    assert!((4..=7).contains(&(server.asked() - 1)), "{}", server.asked());
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
    // Whoever has a key that is really new does not wait longer than the minute.
    let new = Signer::new("new");
    server.publishes(&set(&[&signer, &new]));
    flood(900_000);
    assert_eq!(seen(&engine, &new, ISSUER), "token_key_unknown");
    place.live(61, &[&engine]);
    assert_eq!(seen(&engine, &new, ISSUER), "allowed");
}

#[test]
fn one_kid_that_nobody_has_is_not_asked_for_over_and_over() {
    let (server, signer, stale) = (Server::new(), Signer::new("one"), Signer::new("stale"));
    let (place, engine) = running(&server, &signer);
    place.live(1, &[&engine]);
    for _ in 0..240 {
        seen(&engine, &stale, ISSUER);
        place.live(1, &[&engine]);
    }
    assert!(server.asked() <= 3, "{}", server.asked());
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    let text = set(&[&signer]);
    server.answers(move |head| match field(head, "if-none-match") {
        Some("\"v1\"") => answer(304, "ETag: \"v1\"\r\n", ""),
        Some(other) => panic!("{other}"),
        None => answer(200, "Content-Type: application/json\r\nETag: \"v1\"\r\n", &text),
    });
    let place = Place::new(&server);
    let engine = place.engine(ISSUER, &by_url(&server));
    keep_house(&engine);
    place.live(1_300, &[&engine]);
    assert!((3..=4).contains(&server.asked()), "{}", server.asked());
    let with_tag = server.heads().iter().filter(|head| field(head, "if-none-match").is_some()).count();
    assert_eq!(with_tag, server.asked() - 1);
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
    assert_eq!(place.names(&engine), ["keys_changed"], "nothing else to tell");
    assert!(counted(&engine, "same") >= 2);
    // What was confirmed is as good as new, long after it came.
    place.live(90_000 / 10, &[&engine]);
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
}

#[test]
fn the_server_may_ask_to_be_asked_more_often_and_not_less_often() {
    for (field, at_most, at_least) in [("max-age=120", 12, 8), ("max-age=1", 23, 17), ("max-age=864000", 3, 2)] {
        let (server, signer) = (Server::new(), Signer::new("one"));
        let text = set(&[&signer]);
        server.answers(move |_| {
            answer(200, &format!("Content-Type: application/json\r\nCache-Control: {field}\r\n"), &text)
        });
        let place = Place::new(&server);
        let engine = place.engine(ISSUER, &by_url(&server));
        keep_house(&engine);
        place.live(1_210, &[&engine]);
        assert!((at_least..=at_most).contains(&server.asked()), "{field}: {}", server.asked());
    }
}

#[test]
fn an_outage_is_survived_for_as_long_as_the_policy_says_and_then_503() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let place = Place::new(&server);
    let keys = format!("{{ url = \"{}\", ca = \"ca.pem\", stale = \"1h\" }}", server.url("/keys"));
    let engine = place.engine(ISSUER, &keys);
    keep_house(&engine);
    server.answers(|_| answer(503, "", ""));
    place.live(600, &[&engine]);
    let before = server.asked();
    assert!(before >= 2);
    place.live(3_590, &[&engine]);
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed", "stale, and believed");
    let tries = server.asked() - before;
    assert!((10..40).contains(&tries), "{tries} attempts in an hour");
    assert!(place.failure(&engine).contains("it answered 503"));
    place.live(20, &[&engine]);
    assert_eq!(seen(&engine, &signer, ISSUER), "keys_unavailable");
    assert_eq!(place.names(&engine).iter().filter(|name| *name == "keys_expired").count(), 1);
    // A restart does not believe what is too old either.
    assert_eq!(seen(&place.engine(ISSUER, &keys), &signer, ISSUER), "keys_unavailable");
    server.publishes(&set(&[&signer]));
    place.live(400, &[&engine]);
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
    assert_eq!(place.names(&engine).last().unwrap(), "keys_changed");
    assert!(engine.now() > NOW);
}

#[test]
fn the_end_of_a_short_outage_is_told() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    let (place, engine) = running(&server, &signer);
    server.answers(|_| Reply::Hangup);
    place.live(605, &[&engine]);
    server.publishes(&set(&[&signer]));
    place.live(300, &[&engine]);
    let names = place.names(&engine);
    assert_eq!(names.last().unwrap(), "keys_recovered", "{names:?}");
    assert!(names.contains(&"keys_failed".to_owned()));
    assert!(counted(&engine, "failed") >= 1);
}

#[test]
fn one_process_asks_for_all_and_all_get_what_it_brought() {
    let (server, old, new) = (Server::new(), Signer::new("old"), Signer::new("new"));
    server.publishes(&set(&[&old]));
    let place = Place::new(&server);
    let engines: Vec<Engine> = (0..4).map(|_| place.engine(ISSUER, &by_url(&server))).collect();
    let all: Vec<&Engine> = engines.iter().collect();
    std::thread::scope(|scope| {
        for engine in &all {
            scope.spawn(move || keep_house(engine));
        }
    });
    place.live(1, &all);
    assert_eq!(server.asked(), 1);
    assert!(all.iter().all(|engine| seen(engine, &old, ISSUER) == "allowed"));
    server.publishes(&set(&[&old, &new]));
    place.live(700, &all);
    assert!((2..=3).contains(&server.asked()), "{}", server.asked());
    assert!(all.iter().all(|engine| seen(engine, &new, ISSUER) == "allowed"));
    // All of them miss the same key at once.
    let newest = Signer::new("newest");
    server.publishes(&set(&[&newest]));
    let before = server.asked();
    assert!(all.iter().all(|engine| seen(engine, &newest, ISSUER) == "token_key_unknown"));
    place.live(2, &all);
    assert_eq!(server.asked(), before + 1);
    assert!(all.iter().all(|engine| seen(engine, &newest, ISSUER) == "allowed"));
    assert!(all.iter().all(|engine| seen(engine, &old, ISSUER) == "token_key_unknown"));
}

#[test]
fn whoever_died_while_fetching_is_followed_by_another_within_a_minute() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let place = Place::new(&server);
    let engine = place.engine(ISSUER, &by_url(&server));
    // As a process that took the turn and was killed would leave it.
    let database = rusqlite::Connection::open(place.folder.path().join("state.db")).unwrap();
    keep_house(&engine);
    database.execute("UPDATE fetched SET holder = 7, held_until = ?1, due_at = 0", [NOW + 30]).unwrap();
    server.publishes("{");
    place.live(25, &[&engine]);
    assert_eq!(server.asked(), 1);
    place.live(36, &[&engine]);
    assert!(server.asked() >= 2, "{}", server.asked());
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
}

#[test]
fn a_reload_keeps_the_keys_also_where_it_names_another_state() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    let (place, engine) = running(&server, &signer);
    engine.replace(place.policy(ISSUER, &by_url(&server))).unwrap();
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
    let elsewhere = Place::new(&server);
    engine.replace(elsewhere.policy(ISSUER, &by_url(&server))).unwrap();
    assert_eq!((engine.generation(), seen(&engine, &signer, ISSUER)), (3, "allowed"));
    assert_eq!(server.asked(), 1);
    keep_house(&engine);
    assert_eq!(server.asked(), 2, "the new state knows nothing yet");
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
}

#[test]
fn a_clock_that_was_ahead_holds_nothing_up_for_long() {
    let (server, old, new) = (Server::new(), Signer::new("old"), Signer::new("new"));
    server.publishes(&set(&[&old]));
    let place = Place::new(&server);
    place.wait(90 * 86_400);
    keep_house(&place.engine(ISSUER, &by_url(&server)));
    place.wait(-90 * 86_400);
    server.publishes(&set(&[&new]));
    let engine = place.engine(ISSUER, &by_url(&server));
    assert_eq!(seen(&engine, &old, ISSUER), "allowed");
    assert_eq!(seen(&engine, &new, ISSUER), "token_key_unknown");
    place.live(65, &[&engine]);
    assert_eq!(seen(&engine, &new, ISSUER), "allowed");
}

/// Threads of a host that fetch need more than those that only decide: what docs/EMBEDDING.md says is enough.
#[test]
fn fetching_is_content_with_128_kib_of_stack() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let place = Place::new(&server);
    let engine = place.engine(ISSUER, &by_url(&server));
    let job = engine.poll().unwrap().job.unwrap();
    std::thread::Builder::new().stack_size(128 * 1024).spawn(move || job.run()).unwrap().join().unwrap();
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
}
