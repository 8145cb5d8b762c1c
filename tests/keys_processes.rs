//! Keys of an issuer between processes on one state: what one of them has fetched is there for the other too. The test
//! runs itself again as the other process.

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
mod tools;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use engine_support::NOW;
use gatepost::engine::{Engine, Options};
use keys_support::*;
use place::*;
use server::*;
use tools::other::{Other, say};

const ISSUER: &str = "https://accounts.example.com";
/// The policy, for the test that runs as another process.
const POLICY: &str = "GATEPOST_TEST_KEYS_POLICY";

/// Does what it is asked to, at its own clock: `live SECONDS`, or a value of Authorization to judge.
fn be_the_other(policy: &Path) {
    let clock = Arc::new(AtomicI64::new(NOW));
    let own = Arc::clone(&clock);
    let clock_of_tests = Some(Arc::new(move || own.load(Ordering::Relaxed)) as Arc<_>);
    let options = Options { clock: clock_of_tests, fetch: patient(), ..Options::default() };
    let (engine, _) = Engine::open(policy, options).unwrap();
    engine.start().unwrap();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        match line.strip_prefix("live ") {
            Some(seconds) => {
                for _ in 0..seconds.parse().unwrap() {
                    clock.fetch_add(1, Ordering::Relaxed);
                    keep_house(&engine);
                }
                say("done lived");
            }
            None => say(&format!("done {}", reason(&engine, &line))),
        }
    }
}

fn asks(other: &mut Other, line: &str) -> String {
    other.say(line);
    other.next("done ").expect("the other process has ended")
}

#[test]
fn a_key_set_that_one_process_refreshed_is_seen_by_the_other() {
    if let Some(policy) = std::env::var_os(POLICY).map(PathBuf::from) {
        return be_the_other(&policy);
    }
    let (server, old, new) = (Server::new(), Signer::new("old"), Signer::new("new"));
    server.publishes(&set(&[&old]));
    let place = Place::new(&server);
    let policy = place.folder.path().join("gatepost.toml");
    let text = format!(
        "[engine]\nstate = \"state.db\"\nschemes = [\"bearer\"]\n[[issuer]]\nname = \"accounts\"\nissuer = \"{ISSUER}\"\n\
         audience = \"orders\"\nalgorithms = \"EdDSA\"\nkeys = {{ url = \"{}\", ca = \"ca.pem\" }}\n\
         [[route]]\npath = \"/orders\"\n",
        server.url("/keys")
    );
    std::fs::write(&policy, text).unwrap();
    let (engine, _) = Engine::open(&policy, place.options()).unwrap();
    engine.start().unwrap();
    let test = "a_key_set_that_one_process_refreshed_is_seen_by_the_other";
    let mut other = Other::start(test, &[(POLICY, policy.as_os_str())]);
    let bearer = |signer: &Signer| signer.bearer(ISSUER);

    assert_eq!(asks(&mut other, &bearer(&old)), "keys_unavailable", "nobody has fetched them yet");
    place.live(1, &[&engine]);
    assert_eq!((seen(&engine, &old, ISSUER), server.asked()), ("allowed", 1));
    assert_eq!(asks(&mut other, "live 1"), "lived");
    assert_eq!((asks(&mut other, &bearer(&old)).as_str(), server.asked()), ("allowed", 1));

    // The issuer changes its key, and one of them finds out when it is due. Both live at one pace.
    server.publishes(&set(&[&new]));
    for _ in 0..610 {
        place.live(1, &[&engine]);
        assert_eq!(asks(&mut other, "live 1"), "lived");
    }
    assert_eq!(server.asked(), 2, "one has asked for both");
    assert_eq!((seen(&engine, &new, ISSUER), asks(&mut other, &bearer(&new)).as_str()), ("allowed", "allowed"));
    // What was withdrawn is good nowhere, though both had it remembered.
    assert_eq!(seen(&engine, &old, ISSUER), "token_key_unknown");
    assert_eq!(asks(&mut other, &bearer(&old)), "token_key_unknown");
    other.end();
}
