use super::*;
use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{Key, KeySet};
use crate::policy::model::{ClaimNames, DpopRules, Issuer, KeySource, SourcedKeys};
use crate::state::SqliteState;
use crate::token::{self, Keyring, Trust};
use data_encoding::BASE64URL_NOPAD as B64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;

const NOW: i64 = 1_790_000_000;
const ISSUER: &str = "https://accounts.example.com";
const SECRET: &[u8] = b"kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";

fn token(jti: &str) -> Token {
    let key = Key::from_secret(None, SECRET, &[Algorithm::Hs256]).unwrap();
    let issuers = [Issuer {
        name: "accounts".into(),
        issuer: ISSUER.into(),
        audience: vec!["orders".into()],
        algorithms: vec![Algorithm::Hs256],
        sources: vec![SourcedKeys { source: KeySource::Fixed, keys: Some(KeySet::new(vec![key]).unwrap()) }],
        types: Vec::new(),
        require: Vec::new(),
        claims: ClaimNames { subject: "sub".into(), roles: None, scopes: "scope".into() },
        local_users: false,
        grants: None,
        dpop: DpopRules::default(),
    }];
    let claims = json!({ "iss": ISSUER, "aud": "orders", "sub": "sam", "exp": NOW + 600, "iat": NOW, "jti": jti });
    let part = |value: serde_json::Value| B64.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(json!({ "alg": "HS256" })), part(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET).unwrap().chain_update(message.as_bytes());
    let text = format!("{message}.{}", B64.encode(&mac.finalize().into_bytes()));
    let keys = Keyring::new(&issuers);
    Token::new(token::verify(&text, &Trust { issuers: &issuers, keys: &keys, leeway: 0 }, NOW).unwrap(), None, None)
}

fn revoke(state: &dyn State, jti: &str, ends_at: Option<i64>) {
    let entry =
        Revocation { by: By::Token, issuer: ISSUER.into(), name: jti.into(), before: None, revoked_at: NOW, ends_at };
    assert!(state.revoke_token(&entry).unwrap());
}

#[test]
fn a_change_makes_the_next_token_ask_and_all_others_know() {
    let state = SqliteState::memory().unwrap();
    let revoked = Revoked::read(&state).unwrap();
    let (one, other) = (token("a"), token("b"));
    assert_eq!(revoked.known(&state, &one), Some(None), "what was read at the start is known");
    revoke(&state, "a", None);
    assert_eq!(revoked.known(&state, &one), None, "what was found before a change is not known after it");
    assert_eq!(revoked.known(&state, &other), None);
    assert_eq!(revoked.ask(&state, &other).unwrap(), None);
    assert_eq!(revoked.known(&state, &one), Some(Some(By::Token)));
    assert_eq!(revoked.known(&state, &other), Some(None));
}

#[test]
fn while_somebody_writes_the_state_is_asked_and_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = SqliteState::open(&folder.path().join("state.db")).unwrap();
    let revoked = Revoked::read(&state).unwrap();
    let (one, other) = (token("a"), token("b"));
    revoke(&state, "a", None);
    assert_eq!(revoked.ask(&state, &one).unwrap(), Some(By::Token));
    // Somebody takes a ticket and is not done: the first of the two numbers in the shared file is ahead. They hold the
    // lock meanwhile, or whoever looks again after a while would take them to be dead.
    let writer = rusqlite::Connection::open(folder.path().join("state.db")).unwrap();
    writer.execute_batch("BEGIN IMMEDIATE").unwrap();
    let path = folder.path().join("state.db-epoch");
    let version = state.version().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(8).position(|window| window == version.to_le_bytes()).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &(version + 1).to_le_bytes(), at as u64).unwrap();
    assert_eq!(state.version(), None);
    for _ in 0..2 {
        assert_eq!((revoked.known(&state, &one), revoked.known(&state, &other)), (None, None));
        assert_eq!(revoked.ask(&state, &one).unwrap(), Some(By::Token));
        assert_eq!(revoked.ask(&state, &other).unwrap(), None);
    }
}

#[test]
fn more_than_are_kept_in_memory_are_asked_for_one_by_one_until_there_are_fewer() {
    let state = SqliteState::memory().unwrap();
    let revoked = Revoked::bounded(&state, 3).unwrap();
    let tokens: Vec<Token> = ["a", "b", "c", "d", "e"].map(token).into();
    for (count, jti) in ["a", "b", "c", "d"].iter().enumerate() {
        revoke(&state, jti, (count < 2).then_some(NOW));
        for (place, token) in tokens.iter().enumerate() {
            let wanted = (place <= count).then_some(By::Token);
            assert_eq!(revoked.ask(&state, token).unwrap(), wanted, "{count} {place}");
            // A token that was found clear is known to be; others only where all are in memory.
            let known = if count < 3 || wanted.is_none() { Some(wanted) } else { None };
            assert_eq!(revoked.known(&state, token), known, "{count} {place}");
        }
    }
    // From the start as well.
    let late = Revoked::bounded(&state, 3).unwrap();
    assert_eq!(late.known(&state, &tokens[0]), None);
    assert_eq!(late.ask(&state, &tokens[3]).unwrap(), Some(By::Token));
    revoked.sweep(&state, NOW + KEPT).unwrap();
    assert_eq!(revoked.known(&state, &tokens[3]), Some(Some(By::Token)));
    assert_eq!(revoked.known(&state, &tokens[0]), Some(None), "its time was over for long");
}

#[test]
fn what_is_over_is_forgotten_in_memory_too() {
    let state = SqliteState::memory().unwrap();
    revoke(&state, "a", Some(NOW));
    revoke(&state, "b", None);
    let revoked = Revoked::read(&state).unwrap();
    let kept = || revoked.live.read().unwrap().entries.len();
    revoked.sweep(&state, NOW + KEPT - 1).unwrap();
    assert_eq!(kept(), 2);
    revoked.sweep(&state, NOW + KEPT).unwrap();
    assert_eq!(kept(), 1);
    assert_eq!(revoked.known(&state, &token("b")), Some(Some(By::Token)));
}

#[test]
fn a_clock_that_stood_days_ahead_revives_nothing() {
    let state = SqliteState::memory().unwrap();
    let revoked = Revoked::read(&state).unwrap();
    revoke(&state, "a", Some(NOW + 600));
    // Made while it stood two days behind the clock that the token is from.
    revoke(&state, "b", Some(NOW + 600 - 2 * 86_400));
    for days in [0, 2, 4] {
        revoked.sweep(&state, NOW + days * 86_400).unwrap();
    }
    for jti in ["a", "b"] {
        assert_eq!(revoked.ask(&state, &token(jti)).unwrap(), Some(By::Token), "{jti}");
        assert_eq!(Revoked::read(&state).unwrap().known(&state, &token(jti)), Some(Some(By::Token)), "{jti}");
    }
    revoked.sweep(&state, NOW + 600 - 2 * 86_400 + KEPT).unwrap();
    assert_eq!(revoked.ask(&state, &token("b")).unwrap(), None, "what is over for good is forgotten");
    assert_eq!(revoked.ask(&state, &token("a")).unwrap(), Some(By::Token));
}
