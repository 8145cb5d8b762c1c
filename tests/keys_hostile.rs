//! Servers of keys that are slow, wrong, elsewhere or somebody else's; what tokens may not make us ask; discovery.

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

use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use gatepost::engine::{Engine, Options};
use gatepost::fetch::{Ask, Fetch};
use keys_support::*;
use place::*;
use serde_json::{Value, json};
use server::*;

const ISSUER: &str = "https://accounts.example.com";
const JSON: &str = "Content-Type: application/json\r\n";

fn by_url(server: &Server) -> String {
    format!("{{ url = \"{}\", ca = \"ca.pem\" }}", server.url("/keys"))
}

/// One engine that asked once.
fn asked(server: &Server, keys: &str, issuer: &str) -> (Place, Engine) {
    let place = Place::new(server);
    let engine = place.engine(issuer, keys);
    keep_house(&engine);
    (place, engine)
}

/// The server's answer brings nothing: 503 where there were no keys, and those from before where there were. The failure
/// says so.
#[track_caller]
fn brings_nothing(reply: impl Fn(&Server) -> Reply, says: &str) {
    let (server, signer, before) = (Server::new(), Signer::new("one"), Signer::new("before"));
    let first = reply(&server);
    server.answers(move |_| first.clone());
    let (place, engine) = asked(&server, &by_url(&server), ISSUER);
    assert_eq!(seen(&engine, &signer, ISSUER), "keys_unavailable");
    let failure = place.failure(&engine);
    assert!(failure.contains(says), "{failure}");
    assert!(failure.starts_with(&server.url("/keys")), "{failure}");
    assert_eq!(server.asked(), 1, "{:?}", server.heads());

    server.publishes(&set(&[&before]));
    let (place, engine) = asked(&server, &by_url(&server), ISSUER);
    let second = reply(&server);
    server.answers(move |_| second.clone());
    place.live(605, &[&engine]);
    assert!(server.asked() > 2);
    assert_eq!(seen(&engine, &before, ISSUER), "allowed");
    assert!(place.failure(&engine).contains(says));
    assert!(counted(&engine, "failed") >= 1);
}

#[test]
fn what_is_no_set_of_usable_keys_takes_the_place_of_none() {
    let secret =
        json!({ "keys": [{ "kty": "oct", "kid": "one", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T" }] });
    for (body, says) in [
        ("{", "no JWK Set"),
        ("[]", "no JWK Set"),
        ("{\"keys\":[]}", "the set is empty"),
        ("{\"keys\":{}}", "an array belongs"),
        ("{\"keys\":[{\"kty\":\"new\",\"kid\":\"one\"}]}", "kty \"new\" is not known"),
        (&secret.to_string(), "shared secret"),
    ] {
        let body = body.to_owned();
        brings_nothing(move |_| answer(200, JSON, &body), says);
    }
}

/// RFC 7517 section 5: what cannot be used is ignored, and what was wrong is told of once.
#[test]
fn one_odd_entry_of_a_set_leaves_the_others_in_force() {
    let (server, signer, twin) = (Server::new(), Signer::new("one"), Signer::new("one"));
    let with = |odd: &Value| json!({ "keys": [signer.jwk(), odd] }).to_string();
    let no_point =
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "p", "x": "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" });
    for (odd, says) in [
        (json!({ "kty": "new", "kid": "one" }), None),
        (json!({ "kty": "OKP", "crv": "X25519", "kid": "one", "use": "enc", "x": "AA" }), None),
        (signer.jwk(), None),
        (Value::Null, Some("key 2: it is null")),
        (json!({ "kty": "OKP", "kid": 5 }), Some("key 2: `kid` is")),
        (json!({ "kty": "oct", "kid": "two", "k": "AA" }), Some("key 2 (kid \"two\"): it is a shared secret")),
        (no_point, Some("key 2 (kid \"p\"): it is no sound Ed25519 key")),
        (twin.jwk(), Some("several keys of the kid \"one\"")),
    ] {
        server.publishes(&with(&odd));
        let (place, engine) = asked(&server, &by_url(&server), ISSUER);
        assert_eq!(seen(&engine, &signer, ISSUER), "allowed", "{odd}");
        let twins = if odd == twin.jwk() { "allowed" } else { "token_signature" };
        assert_eq!(seen(&engine, &twin, ISSUER), twins, "{odd}");
        place.live(1_300, &[&engine]);
        let told = place.told(&engine);
        let warnings: Vec<_> = told.iter().filter(|line| line["event"] == "keys_warning").collect();
        assert_eq!(warnings.len(), usize::from(says.is_some()), "{odd}: {told:?}");
        if let (Some(warning), Some(says)) = (warnings.first(), says) {
            assert!(warning["message"].as_str().unwrap().contains(says), "{warning}");
            assert!(warning["source"] == server.url("/keys") && warning["severity"] == "warning", "{warning}");
        }
    }
}

/// A file and a set of one issuer that each have another key under one name.
#[test]
fn keys_that_cannot_stand_together_are_told_of_once_and_replace_nothing() {
    let (server, filed, first, clash) = (Server::new(), Signer::new("one"), Signer::new("two"), Signer::new("one"));
    let keys = format!("[{{ file = \"own.jwks\" }}, {}]", by_url(&server));
    let place = Place::new(&server);
    std::fs::write(place.folder.path().join("own.jwks"), set(&[&filed])).unwrap();
    server.publishes(&set(&[&first]));
    let engine = place.engine(ISSUER, &keys);
    keep_house(&engine);
    assert_eq!((seen(&engine, &filed, ISSUER), seen(&engine, &first, ISSUER)), ("allowed", "allowed"));
    server.publishes(&set(&[&clash]));
    place.live(605, &[&engine]);
    assert!(place.failure(&engine).contains("two keys have the kid \"one\""));
    // What was good is still what a new process finds.
    assert_eq!(seen(&place.engine(ISSUER, &keys), &first, ISSUER), "allowed");

    // The file comes to clash with what lies in the state: told once, however often the state changes.
    let other = Place::new(&server);
    server.publishes(&set(&[&clash]));
    keep_house(&other.engine(ISSUER, &by_url(&server)));
    std::fs::write(other.folder.path().join("own.jwks"), set(&[&filed])).unwrap();
    let engine = other.engine(ISSUER, &keys);
    let before = server.asked();
    for number in 0..30 {
        engine_support::add_user(&engine, &format!("user-{number}"), &[]);
        other.live(1, &[&engine]);
    }
    let failed = other.names(&engine).iter().filter(|name| *name == "keys_failed").count();
    assert!(failed <= 1 + server.asked() - before, "{failed}: {:?}", other.told(&engine));
    assert_eq!(seen(&engine, &filed, ISSUER), "allowed");
    // When the file is mended the set is in force, and that is told.
    std::fs::write(other.folder.path().join("own.jwks"), set(&[&first])).unwrap();
    other.live(10, &[&engine]);
    assert_eq!(seen(&engine, &clash, ISSUER), "allowed");
}

#[test]
fn a_wrong_type_a_wrong_status_and_half_an_answer_bring_nothing() {
    let set = set(&[&Signer::new("one")]);
    let of = |fields: &'static str| {
        let set = set.clone();
        move |_: &Server| answer(200, fields, &set)
    };
    brings_nothing(of("Content-Type: text/html\r\n"), "\"text/html\" where JSON belongs");
    brings_nothing(|_| answer(404, JSON, ""), "it answered 404");
    brings_nothing(|_| answer(204, JSON, ""), "it answered 204");
    brings_nothing(|_| answer(304, "ETag: \"x\"\r\n", ""), "it answered 304");
    brings_nothing(|_| Reply::Hangup, "look at the network and the server");
    brings_nothing(|_| Reply::Whole(b"not HTTP at all\r\n\r\n".to_vec()), "look at the network and the server");
    let cut = format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: {}\r\n\r\n{set}", set.len() + 10);
    brings_nothing(move |_| Reply::Whole(cut.clone().into_bytes()), "look at the network and the server");
}

#[test]
fn a_huge_document_and_a_huge_head_are_cut_off() {
    brings_nothing(|_| answer(200, JSON, &" ".repeat(600 * 1024)), "larger than 512 KiB");
    // Without a length, and without an end.
    let head = format!("HTTP/1.1 200 OK\r\n{JSON}\r\n");
    brings_nothing(move |_| Reply::Whole((head.clone() + &" ".repeat(4 << 20)).into_bytes()), "larger than 512 KiB");
    let fields = format!("X: {}\r\n", "y".repeat(100 * 1024));
    brings_nothing(move |_| answer(200, &fields, "{}"), "the head of the answer is too large");
}

#[test]
fn no_redirect_is_followed_neither_elsewhere_nor_on_the_same_host() {
    for status in [301, 302, 303, 307, 308] {
        brings_nothing(
            move |server| answer(status, &format!("Location: {}\r\n", server.url("/other")), ""),
            "nothing is followed",
        );
    }
    let (server, elsewhere) = (Server::new(), Server::new());
    elsewhere.publishes(&set(&[&Signer::new("one")]));
    let location = format!("Location: {}\r\n", elsewhere.url("/keys"));
    server.answers(move |_| answer(302, &location, ""));
    let (_place, _engine) = asked(&server, &by_url(&server), ISSUER);
    assert_eq!((server.asked(), elsewhere.asked()), (1, 0));
}

#[test]
fn a_server_that_drips_or_is_silent_ends_in_time() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let (place, patient) = asked(&server, &by_url(&server), ISSUER);
    // The keys are there, in the state; from here on with the time that an engine takes by itself.
    drop(patient);
    let engine = Engine::new(place.policy(ISSUER, &by_url(&server)), Options { fetch: None, ..place.options() });
    engine.start().unwrap();
    let drip = format!("HTTP/1.1 200 OK\r\n{JSON}Content-Length: 100000\r\n\r\n").into_bytes();
    for reply in [Reply::Drip(drip), Reply::Silence(Duration::from_secs(60))] {
        server.answers(move |_| reply.clone());
        let before = server.asked();
        // On a machine that stands still the engine's time may be over before the server has heard of it.
        let end = Instant::now() + Duration::from_secs(300);
        while server.asked() == before {
            assert!(Instant::now() < end, "the server is not asked");
            place.wait(700);
            keep_house(&engine);
        }
        let failure = place.failure(&engine);
        assert!(failure.contains("no whole answer came within 10 seconds"), "{failure}");
    }
    assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
}

/// The host waits until it is told to go on, or for far longer than a decision takes on any machine.
#[test]
fn whoever_waits_for_a_server_holds_no_decision_up() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let (place, first) = asked(&server, &by_url(&server), ISSUER);
    drop(first);
    let (asks, begun) = mpsc::channel();
    let (answer, answers) = mpsc::channel::<()>();
    let answers = Mutex::new(answers);
    let fetch: Fetch = Arc::new(move |_: &Ask<'_>| {
        asks.send(()).unwrap();
        let _ = answers.lock().unwrap().recv_timeout(Duration::from_secs(120));
        Err("nothing came".to_owned())
    });
    let options = Options { fetch: Some(fetch), ..place.options() };
    let engine = Engine::new(place.policy(ISSUER, &by_url(&server)), options);
    engine.start().unwrap();
    place.wait(700);
    let job = engine.poll().unwrap().job.unwrap();
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| job.run());
        begun.recv().unwrap();
        assert_eq!(seen(&engine, &signer, ISSUER), "allowed");
        keep_house(&engine);
        assert!(!fetching.is_finished());
        answer.send(()).unwrap();
    });
    assert!(begun.try_recv().is_err(), "one asks for all");
    assert!(place.failure(&engine).contains("nothing came"));
}

#[test]
fn a_host_that_is_not_there_is_a_failure() {
    let server = Server::new();
    // A port on which nobody listens and which nobody else is given: a connection of our own goes out from it.
    let held = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let port = held.local_addr().unwrap().port();
    let keys = format!("{{ url = \"https://localhost:{port}/keys\", ca = \"ca.pem\" }}");
    let (place, engine) = asked(&server, &keys, ISSUER);
    assert!(place.failure(&engine).contains("look at the network and the server"));
    let keys = "{ url = \"https://no-such-host.invalid/keys\", ca = \"ca.pem\" }";
    let (place, engine) = asked(&server, keys, ISSUER);
    assert!(!place.failure(&engine).is_empty());
}

/// libjwt#282: the name was verified and the chain was not.
#[test]
fn libjwt_282_a_certificate_of_the_right_name_that_nobody_vouches_for_is_refused() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    server.signs_itself();
    let (place, engine) = asked(&server, &by_url(&server), ISSUER);
    assert_eq!(seen(&engine, &signer, ISSUER), "keys_unavailable");
    let failure = place.failure(&engine);
    assert!(failure.contains("its certificate is refused (UnknownIssuer)"), "{failure}");
    assert_eq!(server.asked(), 0, "nothing was said to it");
}

#[test]
fn a_certificate_of_another_name_is_refused() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    server.is_called("elsewhere.example.com");
    let (place, engine) = asked(&server, &by_url(&server), ISSUER);
    assert_eq!(seen(&engine, &signer, ISSUER), "keys_unavailable");
    let failure = place.failure(&engine);
    assert!(failure.contains("its certificate is refused (NotValidForName"), "{failure}");
    assert_eq!(server.asked(), 0);
}

#[test]
fn the_systems_authorities_do_not_vouch_for_a_private_one_nor_the_other_way_round() {
    let (server, other) = (Server::new(), Server::new());
    server.publishes(&set(&[&Signer::new("one")]));
    let (place, engine) = asked(&server, &format!("{{ url = \"{}\" }}", server.url("/keys")), ISSUER);
    assert!(!place.failure(&engine).is_empty());
    let (place, engine) = asked(&other, &by_url(&server), ISSUER);
    assert!(place.failure(&engine).contains("UnknownIssuer") || place.failure(&engine).contains("BadSignature"));
    assert_eq!(server.asked(), 0);
}

#[test]
fn plain_http_is_never_spoken() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut first = [0];
        std::io::Read::read_exact(&mut stream, &mut first).unwrap();
        first[0]
    });
    let server = Server::new();
    let (_place, _engine) = asked(&server, &format!("{{ url = \"https://localhost:{port}/\" }}"), ISSUER);
    assert_eq!(heard.join().unwrap(), 0x16, "a TLS handshake, whatever is there");
}

/// liboauth2 2.2.2 put the `kid` of a token into the address of the key. CVE-2018-0114 and jwt_tool: a token brings its
/// own key, or an address of one.
#[test]
fn liboauth2_2_2_2_nothing_of_a_token_makes_us_ask_anybody_else_or_anything_else() {
    let (server, evil) = (Server::new(), Server::new());
    let (good, forger) = (Signer::new("one"), Signer::new("mine"));
    server.publishes(&set(&[&good]));
    evil.publishes(&set(&[&forger]));
    let (place, engine) = asked(&server, &by_url(&server), ISSUER);
    let own = evil.url("/keys");
    let mut headers = vec![
        json!({ "alg": "EdDSA", "kid": "mine", "jku": own }),
        json!({ "alg": "EdDSA", "jku": own }),
        json!({ "alg": "EdDSA", "kid": "one", "jku": own, "x5u": own }),
        json!({ "alg": "EdDSA", "kid": "mine", "x5u": own }),
        json!({ "alg": "EdDSA", "kid": "mine", "jwk": forger.jwk() }),
        json!({ "alg": "EdDSA", "kid": own }),
    ];
    for kid in ["../../x?", "../../../etc/passwd", "@localhost/", "//evil.example", "one\r\nX: y", "one&b=c", "%2e%2e/"]
    {
        headers.push(json!({ "alg": "EdDSA", "kid": kid }));
    }
    for header in headers {
        let reason = reason(&engine, &forger.bearer_with(ISSUER, &header));
        assert!(["token_key_unknown", "token_signature"].contains(&reason), "{header}: {reason}");
        place.live(61, &[&engine]);
    }
    assert_eq!(evil.asked(), 0);
    assert!(server.asked() > 5, "unknown names did have it asked again");
    assert!(server.heads().iter().all(|head| path(head) == "/keys"), "{:?}", server.heads());
    assert_eq!(seen(&engine, &good, ISSUER), "allowed");
}

fn discovery(server: &Server) -> (String, String) {
    (server.url("/tenant"), "{ discovery = true, ca = \"ca.pem\" }".to_owned())
}

#[test]
fn discovery_finds_the_keys_by_the_issuers_metadata() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    let (issuer, keys) = discovery(&server);
    let metadata = json!({ "issuer": issuer, "jwks_uri": server.url("/certs"), "other": [1] }).to_string();
    let text = set(&[&signer]);
    server.answers(move |head| match path(head) {
        "/tenant/.well-known/openid-configuration" => answer(200, JSON, &metadata),
        "/certs" if field(head, "if-none-match").is_some() => answer(304, "", ""),
        "/certs" => answer(200, &format!("{JSON}ETag: \"a\"\r\n"), &text),
        other => panic!("{other}"),
    });
    let (place, engine) = asked(&server, &keys, &issuer);
    assert_eq!(seen(&engine, &signer, &issuer), "allowed", "{:?}", place.told(&engine));
    assert_eq!(server.asked(), 2);
    place.live(610, &[&engine]);
    assert_eq!(server.asked(), 4);
    assert_eq!(seen(&engine, &signer, &issuer), "allowed");
    assert!(server.heads().iter().all(|head| field(head, "host").unwrap().starts_with("localhost:")));
}

#[test]
fn metadata_of_another_issuer_or_with_another_kind_of_address_bring_nothing() {
    let signer = Signer::new("one");
    let text = set(&[&signer]);
    for (own, uri, says) in [
        (Some("SELF/"), Some("https://localhost:PORT/certs"), "both must be the same to the letter"),
        (Some("https://evil.example"), Some("https://localhost:PORT/certs"), "both must be the same to the letter"),
        (None, Some("https://localhost:PORT/certs"), "these metadata have no `issuer`"),
        (Some("SELF"), None, "no `jwks_uri`"),
        (Some("SELF"), Some("http://localhost:PORT/certs"), "is no https address"),
        (Some("SELF"), Some("file:///etc/passwd"), "is no https address"),
        (Some("SELF"), Some("https://a@localhost:PORT/certs"), "is no https address"),
        (Some("SELF"), Some("/certs"), "is no https address"),
    ] {
        let server = Server::new();
        let (issuer, keys) = discovery(&server);
        let mut metadata = json!({});
        if let Some(own) = own {
            metadata["issuer"] = own.replace("SELF", &issuer).into();
        }
        if let Some(uri) = uri {
            metadata["jwks_uri"] = uri.replace("PORT", &server.port.to_string()).into();
        }
        let (metadata, text) = (metadata.to_string(), text.clone());
        server.answers(move |head| match path(head) {
            "/certs" => answer(200, JSON, &text),
            _ => answer(200, JSON, &metadata),
        });
        let (place, engine) = asked(&server, &keys, &issuer);
        assert_eq!(seen(&engine, &signer, &issuer), "keys_unavailable", "{own:?} {uri:?}");
        let failure = place.failure(&engine);
        assert!(failure.contains(says), "{failure}");
        assert_eq!(server.asked(), 1, "{own:?} {uri:?}");
    }
}

#[test]
fn metadata_that_name_a_member_twice_are_no_metadata() {
    let server = Server::new();
    let (issuer, keys) = discovery(&server);
    let metadata = format!("{{\"issuer\":\"{issuer}\",\"issuer\":\"x\",\"jwks_uri\":\"{}\"}}", server.url("/certs"));
    server.answers(move |_| answer(200, JSON, &metadata));
    let (place, engine) = asked(&server, &keys, &issuer);
    assert!(place.failure(&engine).contains("these are no metadata"));
    assert_eq!(server.asked(), 1);
}
