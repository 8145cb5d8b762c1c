//! When a token is decided without a job, and what a job then comes to.

use super::*;
use crate::engine::{Job, Progress, Revoke};
use crate::state::{By, User};

/// The reason where it came at once, or the job.
fn begin(engine: &Engine, token: &str) -> Result<Reason, Box<Job>> {
    match with_request("/a", token, NOW, |request| engine.begin(request).unwrap()) {
        Progress::Done(decision) => Ok(decision.reason),
        Progress::Pending(job) => Err(Box::new(job)),
    }
}

fn finish(mut job: Box<Job>) -> Reason {
    loop {
        job.run();
        match job.finish().unwrap() {
            Progress::Done(decision) => return decision.reason,
            Progress::Pending(next) => *job = next,
        }
    }
}

fn add_user(engine: &Engine, name: &str) {
    let user = User {
        name: name.into(),
        hash: None,
        roles: Vec::new(),
        disabled: false,
        created_at: NOW,
        password_changed_at: None,
        tokens_from: NOW,
    };
    engine.state().unwrap().add_user(&user).unwrap();
}

fn revoke(engine: &Engine, jti: &str) {
    let what = Revoke::Named { issuer: "hs", by: By::Token, name: jti, span: Default::default() };
    engine.revoke(&what).unwrap();
}

#[test]
fn a_token_needs_a_job_only_after_a_change_of_the_state() {
    for cache in [0, 1_024] {
        let engine = engine(cache);
        let [one, other] = ["a", "b"].map(|jti| signed(0, 0, json!({ "jti": jti })));
        for token in [&one, &other, &one] {
            assert_eq!(begin(&engine, token).unwrap(), Reason::Allowed, "the first of all as well");
        }
        add_user(&engine, "somebody");
        assert_eq!(finish(begin(&engine, &one).unwrap_err()), Reason::Allowed);
        for token in [&one, &other] {
            assert_eq!(begin(&engine, token).unwrap(), Reason::Allowed);
        }
        revoke(&engine, "a");
        assert_eq!(finish(begin(&engine, &other).unwrap_err()), Reason::Allowed);
        assert_eq!(
            (begin(&engine, &one).unwrap(), begin(&engine, &other).unwrap()),
            (Reason::TokenRevoked, Reason::Allowed)
        );
    }
}

#[test]
fn a_revocation_while_a_job_waits_or_between_run_and_finish_is_obeyed() {
    let engine = engine(1_024);
    let token = |jti: &str| signed(0, 0, json!({ "jti": jti }));
    add_user(&engine, "one");
    let job = begin(&engine, &token("a")).unwrap_err();
    revoke(&engine, "a");
    assert_eq!(finish(job), Reason::TokenRevoked);
    add_user(&engine, "two");
    let job = begin(&engine, &token("b")).unwrap_err();
    job.run();
    revoke(&engine, "b");
    let Progress::Pending(job) = job.finish().unwrap() else { panic!("what was read was old") };
    assert_eq!(finish(Box::new(job)), Reason::TokenRevoked);
}

/// What the request proves is looked at before the job, which outlives it, and told behind what is asked there.
#[test]
fn a_revoked_token_is_told_as_such_before_its_binding_also_by_a_job() {
    let engine = engine(1_024);
    let bound = signed(0, 0, json!({ "jti": "a", "cnf": { "x5t#S256": "A".repeat(43) } }));
    assert_eq!(begin(&engine, &bound).unwrap(), Reason::TokenBinding);
    add_user(&engine, "somebody");
    assert_eq!(finish(begin(&engine, &bound).unwrap_err()), Reason::TokenBinding);
    revoke(&engine, "a");
    assert_eq!(finish(begin(&engine, &bound).unwrap_err()), Reason::TokenRevoked);
    assert_eq!(begin(&engine, &bound).unwrap(), Reason::TokenRevoked);
    assert_eq!(engine.verify_token(&bound, Some(NOW)).unwrap().reason, Reason::TokenRevoked);
}

#[test]
fn a_local_users_token_is_decided_at_once_when_both_are_known() {
    let engine = engine(1_024);
    add_user(&engine, "sam");
    let token = signed(2, 0, json!({}));
    assert_eq!(finish(begin(&engine, &token).unwrap_err()), Reason::Allowed);
    assert_eq!(begin(&engine, &token).unwrap(), Reason::Allowed);
    engine.state().unwrap().set_disabled("sam", true, 3_000).unwrap();
    assert_eq!(finish(begin(&engine, &token).unwrap_err()), Reason::AccountDisabled);
    assert_eq!(begin(&engine, &token).unwrap(), Reason::AccountDisabled);
}
