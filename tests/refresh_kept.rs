//! What is kept of issued tokens, and what is told of them: never the tokens.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod events_support;
mod refresh_support;

use events_support::lines;
use refresh_support::*;

/// All bytes of the state's files.
fn bytes(folder: &std::path::Path) -> Vec<u8> {
    let files = ["gatepost.db", "gatepost.db-wal"].map(|name| std::fs::read(folder.join(name)).unwrap_or_default());
    files.concat()
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn sealed(folder: &std::path::Path) -> i64 {
    let connection = rusqlite::Connection::open(folder.join("gatepost.db")).unwrap();
    connection.query_row("SELECT count(*) FROM refresh_tokens WHERE sealed IS NOT NULL", (), |row| row.get(0)).unwrap()
}

#[test]
fn no_token_lies_in_the_state_and_sealed_answers_are_wiped() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), REFRESH);
    add_user(&engine, "alice");
    let first = login(&engine);
    let second = exchange(&engine, next(&first), NOW).unwrap();
    let third = exchange(&engine, next(&second), NOW + 5).unwrap();
    let state = bytes(folder.path());
    assert!(holds(&state, first.session.as_deref().unwrap()), "the files were read");
    for tokens in [&first, &second, &third] {
        for secret in [next(tokens), tokens.access.as_str(), &next(tokens)[4..47]] {
            assert!(!holds(&state, secret));
        }
    }
    assert_eq!(sealed(folder.path()), 2);
    // The next exchange wipes those that nobody asks for any more, and so does housekeeping.
    let fourth = exchange(&engine, next(&third), NOW + 61).unwrap();
    assert_eq!(sealed(folder.path()), 2, "those of the second and the third are not older than a minute");
    let state = engine.state().unwrap();
    state.sweep_logins(NOW + 122).unwrap();
    assert_eq!(sealed(folder.path()), 0);
    // A login that is over is forgotten after a week.
    state.sweep_logins(NOW + 37 * 86_400).unwrap();
    refused(exchange(&engine, next(&fourth), NOW + 37 * 86_400), "ended at");
    state.sweep_logins(NOW + 37 * 86_400 + 1).unwrap();
    refused(exchange(&engine, next(&fourth), NOW + 37 * 86_400), "no such");
}

#[test]
fn what_happens_to_tokens_is_told_with_a_digest_and_never_with_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), REFRESH);
    add_user(&engine, "alice");
    let first = login(&engine);
    let second = exchange(&engine, next(&first), NOW + 1).unwrap();
    exchange(&engine, next(&first), NOW + 2).unwrap();
    refused(exchange(&engine, next(&first), NOW + 60), "used before");
    refused(exchange(&engine, next(&second), NOW + 60), "came again");
    refused(exchange(&engine, "gpr_x", NOW + 60), "mistyped");
    engine.write_events().unwrap();
    let file = folder.path().join("gatepost.jsonl");
    let told: Vec<_> = lines(&file)
        .into_iter()
        .filter(|line| {
            let name = line["event"].as_str().unwrap();
            name.starts_with("token_") || name.starts_with("refresh_")
        })
        .collect();
    let names: Vec<_> = told.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let wanted =
        ["token_issued", "token_refreshed", "refresh_repeated", "refresh_reused", "refresh_refused", "refresh_refused"];
    assert_eq!(names, wanted);
    for line in &told[..5] {
        assert_eq!((&line["user"], &line["session"]), (&"alice".into(), &first.session.clone().unwrap().into()));
        assert_eq!(line["issuer"], "https://orders.example.com");
    }
    assert_eq!((&told[3]["why"], &told[3]["severity"]), (&"reused".into(), &"warning".into()));
    assert_eq!((&told[4]["why"], &told[5]["why"]), (&"revoked".into(), &"malformed".into()));
    assert_eq!(told[0]["token"], first.id.as_str());
    // One token has one digest: what was handed in twice, and the answer that was given twice.
    assert_eq!(told[1]["credential"], told[2]["credential"]);
    assert_ne!(told[0]["credential"], told[1]["credential"]);
    let text = std::fs::read(&file).unwrap();
    for tokens in [&first, &second] {
        assert!(!holds(&text, next(tokens)) && !holds(&text, &tokens.access));
    }
}
