//! Random histories in two engines, one of which remembers nothing: every answer is the same.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::decision::HeaderEntry;
use crate::engine::{Revoke, Span};
use crate::identity::Identity;
use crate::state::{By, State, User};

/// Tokens of all issuers: of two sessions and two people, without `jti` or `iat`, of short life, of the future, with the
/// other signature, by another key, changed.
static TOKENS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut tokens = Vec::new();
    for issuer in 0..NAMES.len() {
        let first = signed(issuer, 0, json!({ "jti": "a", "sid": "s", "roles": ["clerk"], "scope": "read" }));
        let (head, tail) = first.split_at(first.len() - 20);
        let bent = format!("{head}{}{}", if tail.starts_with('A') { "B" } else { "A" }, &tail[1..]);
        tokens.extend([
            bent,
            signed(issuer, 0, json!({ "jti": "b", "sid": "s", "sub": "alice", "roles": ["admin", "nobody"] })),
            signed(issuer, 0, json!({ "sid": "t", "sub": "Alice", "iat": NOW - 5 })),
            signed(issuer, 0, json!({ "jti": "c", "iat": null, "exp": NOW + 20 })),
            signed(issuer, 0, json!({ "jti": "d", "nbf": NOW + 60, "sub": "bob" })),
            signed(issuer, 0, json!({ "jti": "e", "aud": "billing" })),
            signed(issuer, 0, json!({ "jti": "f", "sub": "a b", "cnf": { "kid": "x" } })),
            signed(issuer, 1, json!({ "jti": "g" })),
        ]);
        if issuer == 1 {
            tokens.push(twin(&first));
        }
        tokens.push(first);
    }
    tokens
});

/// Those that are good at the start: they are asked about more often.
static GOOD: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let world = World::new(0);
    let good = |token: &usize| ask(&world.engine, "/a", &TOKENS[*token], NOW).reason == Reason::Allowed;
    (0..TOKENS.len()).filter(good).collect()
});

#[derive(Clone, Debug)]
enum Event {
    Ask {
        token: usize,
        target: usize,
    },
    Later {
        seconds: i64,
    },
    Reload {
        which: usize,
    },
    /// 0 and 1: this key; 2: none.
    Keys {
        issuer: usize,
        key: usize,
    },
    RevokeToken {
        token: usize,
    },
    RevokeName {
        issuer: usize,
        by: usize,
        name: usize,
        before: i64,
    },
    RevokeUser {
        name: usize,
    },
    Role {
        held: bool,
    },
    Disabled(bool),
    Housekeeping,
}

fn event() -> impl Strategy<Value = Event> {
    let tokens = TOKENS.len();
    prop_oneof![
        4 => (0..tokens, 0..3_usize).prop_map(|(token, target)| Event::Ask { token, target }),
        12 => (prop::sample::select(&**GOOD), 0..3_usize).prop_map(|(token, target)| Event::Ask { token, target }),
        1 => (-40..90_i64).prop_map(|seconds| Event::Later { seconds }),
        1 => (0..6_usize).prop_map(|which| Event::Reload { which }),
        1 => (1..4_usize, 0..3_usize).prop_map(|(issuer, key)| Event::Keys { issuer, key }),
        1 => (0..tokens).prop_map(|token| Event::RevokeToken { token }),
        1 => (0..4_usize, 0..3_usize, 0..4_usize, -70..10_i64)
            .prop_map(|(issuer, by, name, before)| Event::RevokeName { issuer, by, name, before }),
        1 => (0..2_usize).prop_map(|name| Event::RevokeUser { name }),
        1 => any::<bool>().prop_map(|held| Event::Role { held }),
        1 => any::<bool>().prop_map(Event::Disabled),
        1 => Just(Event::Housekeeping),
    ]
}

/// What a host and an application see of a decision.
type Seen = (Reason, Option<Identity>, Vec<HeaderEntry>, Vec<HeaderEntry>, Vec<u8>);

struct World {
    engine: Engine,
    cache: usize,
    now: i64,
    /// Questions that were answered without a look at a signature.
    saved: usize,
}

impl World {
    fn new(cache: usize) -> World {
        let world = World { engine: engine(cache), cache, now: NOW, saved: 0 };
        for name in ["alice", "sam"] {
            let user = User {
                name: name.into(),
                hash: None,
                roles: Vec::new(),
                disabled: false,
                created_at: NOW,
                password_changed_at: None,
                tokens_from: NOW,
            };
            world.state().add_user(&user).unwrap();
        }
        world
    }

    fn state(&self) -> Arc<dyn State> {
        self.engine.state().unwrap()
    }

    /// What can be compared: of a decision all, of a change whether it could be made.
    fn happens(&mut self, event: &Event) -> (Option<Seen>, bool) {
        let engine = self.engine.clone();
        let mut done = true;
        match *event {
            Event::Ask { token, target } => {
                let token = &TOKENS[token];
                self.saved += usize::from(remembers(&engine, token, self.now));
                let got = ask(&engine, ["/a", "/clerk", "/scope"][target], token, self.now);
                let seen = (
                    got.reason,
                    got.identity.as_deref().cloned(),
                    got.upstream().into_owned(),
                    got.response.to_vec(),
                    got.body,
                );
                return (Some(seen), true);
            }
            Event::Later { seconds } => self.now += seconds,
            Event::Reload { which } => engine.replace(policy(self.cache, which)).unwrap(),
            Event::Keys { issuer, key } => put(&engine, issuer, (key < 2).then(|| set(issuer, key))),
            Event::RevokeToken { token } => done = engine.revoke(&Revoke::Token(&TOKENS[token])).is_ok(),
            Event::RevokeName { issuer, by, name, before } => {
                let by = [By::Token, By::Session, By::Subject][by];
                let name = match by {
                    By::Token => ["a", "b", "c", "d"][name],
                    By::Session => ["s", "t", "u", "a"][name],
                    _ => ["sam", "alice", "Alice", "bob"][name],
                };
                let span = Span { before: (by == By::Subject).then_some(NOW + before), until: None };
                done = engine.revoke(&Revoke::Named { issuer: NAMES[issuer], by, name, span }).is_ok();
            }
            Event::RevokeUser { name } => {
                let span = Span { before: Some(NOW - 30), until: None };
                done = engine.revoke(&Revoke::User { name: ["alice", "bob"][name], span }).is_ok();
            }
            Event::Role { held } => {
                let (state, role) = (self.state(), "clerk");
                _ = if held { state.grant("alice", role) } else { state.revoke("alice", role) }.unwrap();
            }
            Event::Disabled(disabled) => self.state().set_disabled("alice", disabled, NOW).unwrap(),
            Event::Housekeeping => engine.poll().unwrap().job.unwrap().run(),
        }
        (None, done)
    }
}

/// Both worlds through one history.
fn compare(events: &[Event]) -> Result<usize, TestCaseError> {
    let (mut remembering, mut fresh) = (World::new(1_024), World::new(0));
    for (step, event) in events.iter().enumerate() {
        let (got, wanted) = (remembering.happens(event), fresh.happens(event));
        prop_assert_eq!(got, wanted, "step {}: {:?}", step, event);
    }
    prop_assert_eq!(fresh.saved, 0);
    Ok(remembering.saved)
}

#[test]
fn remembered_and_fresh_answers_are_equal() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 64, ..ProptestConfig::default() });
    runner.run(&prop::collection::vec(event(), 10..100), |events| compare(&events).map(drop)).unwrap();
    // The same with a fixed seed tells that something was remembered at all, and that it was refused at times.
    let mut runner = TestRunner::deterministic();
    let mut saved = 0;
    for _ in 0..8 {
        let events = prop::collection::vec(event(), 150).new_tree(&mut runner).unwrap().current();
        saved += compare(&events).unwrap();
    }
    assert!(saved > 50, "{saved} questions were answered from memory");
}
