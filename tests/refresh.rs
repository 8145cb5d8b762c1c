//! Refresh tokens: one after the other, each used once; a used one that comes again ends its login, but for a moment in
//! which it gets the very answer that it got.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

#[path = "tools/patience.rs"]
mod patience;
mod refresh_support;

use std::sync::{Arc, Barrier};

use gatepost::engine::{Engine, RefreshRequest, TokenRequest, Tokens};
use gatepost::error::ErrorKind;
use gatepost::reason::Reason;
use gatepost::request::{Header, Request};
use gatepost::state::{By, Revocation};
use patience::patiently;
use refresh_support::*;

fn fresh() -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), REFRESH);
    add_user(&engine, "alice");
    (folder, engine)
}

/// What an access token comes to.
fn decide(engine: &Engine, access: &str, now: i64) -> Reason {
    let authorization = format!("Bearer {access}");
    let headers = [Header { name: b"Authorization", value: authorization.as_bytes() }];
    let request = Request {
        method: b"GET",
        target: b"/clerk",
        host: b"orders.example.com",
        headers: &headers,
        tls: true,
        now: Some(now),
        ..Request::default()
    };
    engine.decide(&request).unwrap().reason
}

fn same(one: &Tokens, other: &Tokens) -> bool {
    let all = |t: &Tokens| (t.access.clone(), t.refresh.clone(), t.id.clone(), t.session.clone(), t.scopes.clone());
    all(one) == all(other) && (one.expires_at, one.refresh_expires_at) == (other.expires_at, other.refresh_expires_at)
}

#[test]
fn each_is_exchanged_for_the_next_and_all_are_of_one_session() {
    let (_folder, engine) = fresh();
    let first = login(&engine);
    assert!(next(&first).starts_with("gpr_") && next(&first).len() == 53);
    assert_eq!((first.expires_in, first.refresh_expires_at), (600, Some(NOW + 30 * 86_400)));
    let mut last = first;
    for round in 1..5 {
        let now = NOW + round * 600;
        let tokens = exchange(&engine, next(&last), now).unwrap();
        assert_ne!((next(&tokens), tokens.access.as_str()), (next(&last), last.access.as_str()));
        assert_eq!((&tokens.session, &tokens.scopes), (&last.session, &last.scopes));
        assert_eq!((tokens.expires_at, tokens.refresh_expires_at), (now + 600, last.refresh_expires_at));
        assert_eq!(decide(&engine, &tokens.access, now), Reason::Allowed);
        last = tokens;
    }
}

#[test]
fn a_used_one_gets_the_same_answer_for_a_moment_and_then_ends_the_login() {
    let (_folder, engine) = fresh();
    let first = login(&engine);
    let second = exchange(&engine, next(&first), NOW + 100).unwrap();
    let again = exchange(&engine, next(&first), NOW + 109).unwrap();
    assert!(same(&second, &again));
    assert_eq!(again.expires_in, 591, "as many seconds as are left");
    // The answer that both got is good, and so is the one of a tab that was slow twice.
    let third = exchange(&engine, next(&second), NOW + 109).unwrap();
    assert!(same(&second, &exchange(&engine, next(&first), NOW + 109).unwrap()));
    assert!(same(&third, &exchange(&engine, next(&second), NOW + 110).unwrap()));
    assert_eq!(decide(&engine, &third.access, NOW + 110), Reason::Allowed);

    refused(exchange(&engine, next(&first), NOW + 110), "used before");
    refused(exchange(&engine, next(&third), NOW + 110), "came again");
    refused(exchange(&engine, next(&second), NOW + 110), "came again");
    // Its access tokens end with it.
    for tokens in [&first, &second, &third] {
        assert_eq!(decide(&engine, &tokens.access, NOW + 110), Reason::TokenRevoked);
    }
    let other = login(&engine);
    assert_eq!(decide(&engine, &other.access, NOW + 110), Reason::Allowed, "another login is another matter");
    exchange(&engine, next(&other), NOW + 110).unwrap();
}

#[test]
fn without_a_grace_the_second_use_ends_the_login() {
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), "refresh = { lifetime = \"30d\", grace = \"0s\" }");
    add_user(&engine, "alice");
    let first = login(&engine);
    let second = exchange(&engine, next(&first), NOW).unwrap();
    refused(exchange(&engine, next(&first), NOW), "used before");
    refused(exchange(&engine, next(&second), NOW), "came again");
}

#[test]
fn tabs_that_race_in_several_processes_get_one_answer() {
    let (folder, first) = fresh();
    let engines = [first, engine(folder.path(), REFRESH), engine(folder.path(), REFRESH)];
    for round in 0..20 {
        let tokens = login(&engines[0]);
        let (token, barrier) = (Arc::new(next(&tokens).to_owned()), Arc::new(Barrier::new(6)));
        let threads: Vec<_> = (0..6)
            .map(|index| {
                let (engine, token, barrier) =
                    (engines[index % engines.len()].clone(), Arc::clone(&token), Arc::clone(&barrier));
                std::thread::spawn(move || {
                    barrier.wait();
                    patiently(|| exchange(&engine, &token, NOW + 1))
                })
            })
            .collect();
        let answers: Vec<Tokens> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(answers.iter().all(|answer| same(answer, &answers[0])), "round {round}");
        exchange(&engines[1], next(&answers[3]), NOW + 60).unwrap();
    }
}

#[test]
fn a_login_ends_with_its_time_its_user_and_its_users_password() {
    let (_folder, engine) = fresh();
    let end = NOW + 30 * 86_400;
    let mut tokens = login(&engine);
    for day in (6..30).step_by(6) {
        tokens = exchange(&engine, next(&tokens), NOW + day * 86_400).unwrap();
    }
    refused(exchange(&engine, next(&tokens), end), "ended at");
    exchange(&engine, next(&tokens), end - 1).unwrap();

    let unused = login(&engine);
    refused(exchange(&engine, next(&unused), NOW + 7 * 86_400), "lay unused");
    exchange(&engine, next(&unused), NOW + 7 * 86_400 - 1).unwrap();

    let disabled = login(&engine);
    with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
    refused(exchange(&engine, next(&disabled), NOW), "disabled");
    assert_eq!(decide(&engine, &disabled.access, NOW), Reason::AccountDisabled);
    with_admin(&engine, |admin| admin.set_disabled("alice", false)).unwrap();
    refused(exchange(&engine, next(&disabled), NOW), "disabled");

    let former = login(&engine);
    with_admin(&engine, |admin| admin.set_password("alice", "mattress violin gravel")).unwrap();
    refused(exchange(&engine, next(&former), NOW), "new password");
    exchange(&engine, next(&login(&engine)), NOW).unwrap();

    let removed = login(&engine);
    with_admin(&engine, |admin| admin.remove_user("alice")).unwrap();
    refused(exchange(&engine, next(&removed), NOW), "no such");
    add_user(&engine, "alice");
    refused(exchange(&engine, next(&removed), NOW), "no such");
}

#[test]
fn a_revoked_session_or_subject_has_no_refresh_tokens_left() {
    let (_folder, engine) = fresh();
    let state = engine.state().unwrap();
    let revoke = |by, name: &str, before| {
        let issuer = "https://orders.example.com".to_owned();
        let revocation = Revocation { by, issuer, name: name.to_owned(), before, revoked_at: NOW, ends_at: None };
        state.revoke_token(&revocation).unwrap();
    };
    let (one, other) = (login(&engine), login(&engine));
    revoke(By::Session, one.session.as_deref().unwrap(), None);
    refused(exchange(&engine, next(&one), NOW), "was revoked");
    assert_eq!(decide(&engine, &one.access, NOW), Reason::TokenRevoked);
    let other = exchange(&engine, next(&other), NOW).unwrap();
    revoke(By::Subject, "alice", Some(NOW));
    let other = exchange(&engine, next(&other), NOW).unwrap();
    revoke(By::Subject, "alice", Some(NOW + 1));
    refused(exchange(&engine, next(&other), NOW), "was revoked");
}

#[test]
fn only_the_client_that_it_was_issued_to_exchanges_it_and_never_for_more() {
    let (_folder, engine) = fresh();
    let scopes = ["orders:read".to_owned(), "orders:write".to_owned()];
    let request = TokenRequest {
        user: "alice",
        client: Some("web"),
        session: Some("browser 7"),
        scopes: &scopes,
        refresh: true,
        now: Some(NOW),
        ..TokenRequest::default()
    };
    let tokens = engine.issue_token(&request).unwrap();
    assert_eq!(tokens.session.as_deref(), Some("browser 7"));
    let hand_in = |token: &str, client, scopes: &[&str]| {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        engine.refresh_token(&RefreshRequest { token, client, scopes: &scopes, now: Some(NOW) })
    };
    refused(hand_in(next(&tokens), None, &[]), "another client");
    refused(hand_in(next(&tokens), Some("app"), &[]), "another client");
    let error = hand_in(next(&tokens), Some("web"), &["orders:read", "users:write"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.message().contains("invalid_scope"), "{error}");
    // Nothing of that has used it.
    let narrow = hand_in(next(&tokens), Some("web"), &["orders:read"]).unwrap();
    assert_eq!((narrow.scopes.as_slice(), narrow.session.as_deref()), (&scopes[..1], Some("browser 7")));
    let wide = hand_in(next(&narrow), Some("web"), &[]).unwrap();
    assert_eq!(wide.scopes, scopes);
}

#[test]
fn what_is_no_refresh_token_is_refused() {
    let (_folder, engine) = fresh();
    let tokens = login(&engine);
    let mut mistyped = next(&tokens).to_owned();
    mistyped.pop();
    mistyped.push(if next(&tokens).ends_with('A') { 'B' } else { 'A' });
    for token in
        ["", "gpr_", &mistyped, &tokens.access, &format!("{} ", next(&tokens)), &next(&tokens).replacen("gpr", "gp", 1)]
    {
        refused(exchange(&engine, token, NOW), "no refresh token of this kind");
    }
    let (_other, stranger) = fresh();
    refused(exchange(&stranger, next(&tokens), NOW), "there is no such");
    // It is no credential either.
    assert_eq!(decide(&engine, next(&tokens), NOW), Reason::TokenMalformed);
    exchange(&engine, next(&tokens), NOW).unwrap();
}

#[test]
fn a_policy_that_changes_holds_for_logins_that_are_there() {
    let (folder, first) = fresh();
    let mut tokens = login(&first);
    let shorter = engine(folder.path(), "lifetime = \"5m\"\nrefresh = { lifetime = \"1h\" }");
    tokens = exchange(&shorter, next(&tokens), NOW + 60).unwrap();
    assert_eq!((tokens.expires_in, tokens.refresh_expires_at), (300, Some(NOW + 3_600)));
    refused(exchange(&shorter, next(&tokens), NOW + 3_600), "ended at");
    let none = engine(folder.path(), "");
    refused(exchange(&none, next(&tokens), NOW + 70), "gives refresh tokens any more");
    exchange(&first, next(&tokens), NOW + 3_600).unwrap();
}
