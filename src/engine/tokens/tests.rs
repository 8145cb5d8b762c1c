//! What is remembered of tokens answers as if each were verified anew.

use std::path::Path;
use std::sync::LazyLock;

use data_encoding::BASE64URL_NOPAD as B64;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

use super::*;
use crate::crypto::algorithm::Algorithm::{self, EdDsa, Es256, Ps256};
use crate::crypto::key::tests::private;
use crate::crypto::key::{Key, KeySet, Origin, Rules};
use crate::crypto::private::PrivateKey;
use crate::decision::Decision;
use crate::engine::{Engine, Options};
use crate::policy;
use crate::reason::Reason;
use crate::request::{Header, Request};

mod at_once;
mod histories;

const NOW: i64 = 1_790_000_000;
const SECRET: &[u8] = b"kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";

/// Each issuer's algorithm and key; the first has the secret. The second key of each is nobody's at first.
static KEYS: LazyLock<[(Algorithm, [PrivateKey; 2]); 3]> =
    LazyLock::new(|| [Es256, EdDsa, Ps256].map(|algorithm| (algorithm, [private(algorithm), private(algorithm)])));

const NAMES: [&str; 4] = ["hs", "es", "ed", "ps"];

fn url(issuer: usize) -> String {
    format!("https://{}.example.com", NAMES[issuer])
}

fn claims(issuer: usize, more: Value) -> Value {
    let mut claims = json!({ "iss": url(issuer), "aud": "orders", "sub": "sam", "iat": NOW - 60, "exp": NOW + 600 });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// Signed by the issuer's first key, or its second.
fn signed(issuer: usize, key: usize, more: Value) -> String {
    let algorithm = if issuer == 0 { "HS256" } else { KEYS[issuer - 1].0.name() };
    let part = |value: Value| B64.encode(value.to_string().as_bytes());
    let message = format!("{}.{}", part(json!({ "alg": algorithm })), part(claims(issuer, more)));
    let signature = match issuer {
        0 => {
            let secret: Vec<u8> = SECRET.iter().map(|byte| byte ^ key as u8).collect();
            let mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
            mac.chain_update(message.as_bytes()).finalize().into_bytes().to_vec()
        }
        _ => {
            let (algorithm, keys) = &KEYS[issuer - 1];
            keys[key].sign(*algorithm, message.as_bytes()).unwrap()
        }
    };
    format!("{message}.{}", B64.encode(&signature))
}

/// The second signature (r, n-s) of the same message.
fn twin(token: &str) -> String {
    // The order of P-256 (SEC 2 section 2.4.2).
    let order = b"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551";
    let order = data_encoding::HEXUPPER.decode(order).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut signature = B64.decode(signature.as_bytes()).unwrap();
    let mut borrow = 0;
    for (n, s) in order.iter().zip(&mut signature[32..]).rev() {
        let difference = i16::from(*n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 0);
        *s = difference.rem_euclid(256) as u8;
    }
    format!("{message}.{}", B64.encode(&signature))
}

/// The set of an issuer's first key, or its second.
fn set(issuer: usize, key: usize) -> KeySet {
    let (algorithm, keys) = &KEYS[issuer - 1];
    let rules = Rules { algorithms: &[*algorithm], strict: false, origin: Origin::Remote };
    KeySet::new(vec![Key::from_public(None, keys[key].public().clone(), None, &rules).unwrap()]).unwrap()
}

/// `which`: in what it differs.
fn policy(cache: usize, which: usize) -> policy::Loaded {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
    let mut text = format!(
        "[engine]\nname = \"T\"\nstate = \":memory:\"\nschemes = [\"bearer\"]\ntoken_cache_kib = {cache}\n\
         leeway = \"{}\"\n[identity]\nsubject = \"X-Subject\"\nroles = \"X-Roles\"\nissuer = \"X-Issuer\"\n\
         [[role]]\nname = \"clerk\"\n[[role]]\nname = \"admin\"\nincludes = [\"clerk\"]\n\
         [[route]]\npath = \"/a\"\n[[route]]\npath = \"/clerk\"\nrequire = {{ role = \"clerk\" }}\n\
         [[route]]\npath = \"/scope\"\nrequire = {{ scope = \"read\" }}\n",
        if which == 5 { "0s" } else { "30s" }
    );
    for (issuer, name) in NAMES.iter().enumerate() {
        // An issuer that is gone moves the others' places.
        if which == 1 && issuer == 0 {
            continue;
        }
        let (algorithm, keys) = match issuer {
            0 => ("HS256", "{ secret_file = \"secret.key\" }".to_owned()),
            _ => {
                let file = format!("{name}.jwk");
                let (algorithm, keys) = &KEYS[issuer - 1];
                std::fs::write(folder.path().join(&file), Value::Object(keys[0].public().to_jwk()).to_string())
                    .unwrap();
                (algorithm.name(), format!("{{ file = \"{file}\" }}"))
            }
        };
        let audience = if which == 2 && issuer == 1 { "billing" } else { "orders" };
        let users =
            if (issuer == 2) != (which == 3) { "users = \"local\"\n" } else { "claims = { roles = \"roles\" }\n" };
        let grants = if which == 4 { "grants = [\"clerk\"]\n" } else { "" };
        text.push_str(&format!(
            "[[issuer]]\nname = \"{name}\"\nissuer = \"{}\"\naudience = [\"{audience}\"]\nalgorithms = [\"{algorithm}\"]\n\
             keys = {keys}\n{users}{grants}",
            url(issuer)
        ));
    }
    policy::parse(&text, Path::new("t.toml"), folder.path())
        .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, &text, false)))
}

fn engine(cache: usize) -> Engine {
    let engine = Engine::new(policy(cache, 0), Options::default());
    engine.start().unwrap();
    engine
}

fn ask(engine: &Engine, target: &str, token: &str, now: i64) -> Decision {
    with_request(target, token, now, |request| engine.decide(request).unwrap())
}

fn with_request<T>(target: &str, token: &str, now: i64, call: impl FnOnce(&Request<'_>) -> T) -> T {
    let value = format!("Bearer {token}");
    let headers = [Header { name: b"Authorization", value: value.as_bytes() }];
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        host: b"orders.example.com",
        peer: b"192.0.2.7",
        request_id: b"r",
        headers: &headers,
        tls: true,
        body_complete: true,
        now: Some(now),
        ..Request::default()
    };
    call(&request)
}

/// It would be answered without a look at its signature.
fn remembers(engine: &Engine, token: &str, now: i64) -> bool {
    let current = engine.inner.current.load();
    let snapshot = &current.snapshot;
    matches!(snapshot.tokens.find(token.as_bytes(), &snapshot.keys, Clock { now, leeway: 30 }), Ok(Some(_)))
}

fn put(engine: &Engine, issuer: usize, keys: Option<KeySet>) {
    let current = engine.inner.current.load();
    // Its place in the policy of the moment.
    let place = current.snapshot.policy.issuers.iter().position(|one| one.name == NAMES[issuer]);
    if let Some(place) = place {
        current.snapshot.keys.put(place, 0, keys).unwrap();
    }
}

#[test]
fn a_token_that_was_good_is_remembered_and_no_other_text_is() {
    let engine = engine(1_024);
    for issuer in [0, 1, 3] {
        let token = signed(issuer, 0, json!({}));
        assert!(!remembers(&engine, &token, NOW));
        assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::Allowed);
        assert!(remembers(&engine, &token, NOW));
        for at in 0..token.len() {
            let mut other = token.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            assert!(!remembers(&engine, std::str::from_utf8(&other).unwrap(), NOW), "{at}");
        }
        for other in [&token[1..], &token[..token.len() - 1], &format!("{token}="), &format!("A{token}"), ""] {
            assert!(!remembers(&engine, other, NOW));
        }
        let forged = signed(issuer, 1, json!({}));
        assert_eq!(ask(&engine, "/a", &forged, NOW).reason, Reason::TokenSignature);
        assert!(!remembers(&engine, &forged, NOW), "a refusal is not remembered");
    }
}

#[test]
fn liboauth2_2_3_0_what_is_remembered_ends_with_the_token() {
    let engine = engine(1_024);
    let token = signed(1, 0, json!({ "nbf": NOW - 10 }));
    assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::Allowed);
    for (now, reason) in [
        (NOW + 629, Reason::Allowed),
        (NOW + 630, Reason::TokenExpired),
        (NOW - 40, Reason::Allowed),
        (NOW - 41, Reason::TokenNotYetValid),
        (i64::MAX, Reason::TokenExpired),
        (0, Reason::TokenNotYetValid),
    ] {
        assert_eq!(ask(&engine, "/a", &token, now).reason, reason, "{now}");
    }
}

#[test]
fn other_keys_and_another_policy_end_it() {
    let engine = engine(1_024);
    let token = signed(1, 0, json!({}));
    let remembered = || {
        assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::Allowed);
        assert!(remembers(&engine, &token, NOW));
    };
    remembered();
    put(&engine, 1, Some(set(1, 1)));
    assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::TokenSignature);
    put(&engine, 1, Some(set(1, 0)));
    assert!(!remembers(&engine, &token, NOW), "the same keys as another set prove it anew");
    remembered();
    put(&engine, 1, None);
    assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::KeysUnavailable);
    put(&engine, 1, Some(set(1, 0)));
    remembered();
    // Another issuer's keys are no matter.
    put(&engine, 2, Some(set(2, 1)));
    assert!(remembers(&engine, &token, NOW));
    engine.replace(policy(1_024, 2)).unwrap();
    assert!(!remembers(&engine, &token, NOW));
    assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::TokenAudience);
}

#[test]
fn owasp_cheat_sheet_series_2242_both_signatures_are_remembered_apart_and_revoked_together() {
    for more in [json!({ "jti": "a" }), json!({})] {
        let engine = engine(1_024);
        let one = signed(1, 0, more);
        let other = twin(&one);
        assert_ne!(one, other);
        assert_eq!(ask(&engine, "/a", &one, NOW).reason, Reason::Allowed);
        assert!(!remembers(&engine, &other, NOW));
        assert_eq!(ask(&engine, "/a", &other, NOW).reason, Reason::Allowed);
        engine.revoke(&crate::engine::Revoke::Token(&other)).unwrap();
        for token in [&one, &other] {
            assert!(remembers(&engine, token, NOW), "what is remembered is the signature alone");
            assert_eq!(ask(&engine, "/a", token, NOW).reason, Reason::TokenRevoked);
        }
    }
}

#[test]
fn what_is_remembered_is_bounded_in_octets_and_0_is_nothing() {
    let (none, few) = (engine(0), engine(64));
    for number in 0..300 {
        let padding = "x".repeat(number % 7 * 500);
        let scopes = "a ".repeat(number % 5 * 8);
        let token = signed(0, 0, json!({ "n": number, "padding": padding, "scope": scopes.trim_end() }));
        for engine in [&none, &few] {
            assert_eq!(ask(engine, "/a", &token, NOW).reason, Reason::Allowed);
        }
        assert!(!remembers(&none, &token, NOW));
        let current = few.inner.current.load();
        let cache = current.snapshot.tokens.0.as_ref().unwrap();
        assert!(cache.weight() <= 64 * 1_024 && cache.len() < 64, "{} {}", cache.weight(), cache.len());
    }
    let current = few.inner.current.load();
    let tokens = &current.snapshot.tokens;
    assert!(tokens.0.as_ref().unwrap().len() > 5);
    tokens.sweep(Clock { now: NOW + 630, leeway: 30 });
    assert_eq!(tokens.0.as_ref().unwrap().len(), 0, "what has expired is forgotten");
}

#[test]
fn whom_a_token_stands_for_is_made_once() {
    let engine = engine(1_024);
    let token = signed(0, 0, json!({ "roles": ["admin"] }));
    let who = || ask(&engine, "/clerk", &token, NOW).identity.unwrap();
    assert!(Arc::ptr_eq(&who(), &who()));
}

#[test]
fn what_a_local_user_may_do_is_read_each_time() {
    let engine = engine(1_024);
    let state = engine.state().unwrap();
    let user = crate::state::User {
        name: "sam".into(),
        hash: None,
        roles: Vec::new(),
        disabled: false,
        created_at: NOW,
        password_changed_at: None,
        tokens_from: NOW,
    };
    state.add_user(&user).unwrap();
    let token = signed(2, 0, json!({}));
    let who = || ask(&engine, "/a", &token, NOW).identity.unwrap();
    assert!(who().roles.is_empty() && Arc::ptr_eq(&who(), &who()));
    state.grant("sam", "admin").unwrap();
    assert_eq!(who().roles, ["admin", "clerk"]);
    state.revoke("sam", "admin").unwrap();
    assert!(who().roles.is_empty());
    state.remove_user("sam").unwrap();
    assert_eq!(ask(&engine, "/a", &token, NOW).reason, Reason::TokenClaim);
}
