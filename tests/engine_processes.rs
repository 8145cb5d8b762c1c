//! A running engine and the command line in another process: what is acknowledged there holds for the very next
//! decision here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::path::Path;
use std::process::{Command, Stdio};

use engine_support::*;
use gatepost::engine::{Engine, Options};
use serde_json::json;

/// Rounds; each makes six changes in another process.
const ROUNDS: usize = 34;

/// Runs the command line to its end; only then is anything acknowledged.
fn gatepost(policy: &Path, arguments: &[&str]) {
    let done = Command::new(env!("CARGO_BIN_EXE_gatepost"))
        .args(arguments)
        .arg("--policy")
        .arg(policy)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn what_the_command_line_changes_holds_for_the_very_next_decision() {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("gatepost.toml");
    std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
    let issuer = ISSUER.replace("claims", "users = \"local\"\nclaims");
    let text = format!(
        "[engine]\nstate = \"state.db\"\nschemes = [\"basic\", \"api-key\", \"bearer\"]\n{CHEAP}[throttle]\n\
         account = {{ failures = 100000, per = \"15m\" }}\naddress = {{ failures = 100000, per = \"15m\" }}\n\
         prefix = {{ failures = 100000, per = \"15m\" }}\npair = {{ failures = 100000, per = \"15m\" }}\n\
         {issuer}[[role]]\nname = \"clerk\"\n[[route]]\npath = \"/a\"\nrequire = {{ role = \"clerk\" }}\n"
    );
    std::fs::write(&policy, text).unwrap();
    let (engine, _) = Engine::open(&policy, Options::default()).unwrap();
    engine.start().unwrap();

    let mut changes = 0;
    for round in 0..ROUNDS {
        add_user(&engine, "alice", &[]);
        let (id, key) = add_key(&engine, "alice", &[], None);
        let key = get("/a").header("X-API-Key", &key);
        let token = get("/a").authorization(bearer("alice", json!({})));
        let password = get("/a").login("alice");
        // By password, by token of a local user, by key. Asked twice before, so that what can be remembered is.
        let mut change = |arguments: &[&str], wanted: [&str; 3]| {
            for ask in [&password, &token, &key, &password, &token, &key] {
                ask.to(&engine);
            }
            gatepost(&policy, arguments);
            changes += 1;
            // Which of them is the very next one takes turns.
            let mut asks = [(&password, wanted[0]), (&token, wanted[1]), (&key, wanted[2])];
            asks.rotate_left(round % 3);
            for (ask, wanted) in asks {
                assert_eq!(ask.reason(&engine), wanted, "{arguments:?} in round {round}");
            }
        };
        change(&["user", "grant", "alice", "clerk"], ["allowed"; 3]);
        change(&["user", "revoke", "Alice", "clerk"], ["role_missing"; 3]);
        change(&["user", "disable", "alice"], ["account_disabled"; 3]);
        change(&["user", "enable", "alice"], ["role_missing"; 3]);
        change(&["key", "revoke", &id], ["role_missing", "role_missing", "api_key_revoked"]);
        change(&["user", "remove", "alice"], ["credentials_invalid", "token_claim", "api_key_unknown"]);
    }
    assert!(changes >= 200, "{changes}");
}
