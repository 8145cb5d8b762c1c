use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::identity::{Rights, Scheme};
use crate::policy::network::Network;
use crate::request::Peer;
use Requirement::{All, Any, Factor, LoginWithin, Not, Permission, Role, Scope, Tls};

fn rights() -> Rights {
    Rights {
        issuer: String::new(),
        roles: vec!["clerk".into()],
        scopes: vec!["orders:read".into()],
        permissions: vec!["orders:*".into()],
        scopes_narrow_permissions: false,
        factors: vec!["pwd".into()],
    }
}

fn identity() -> Identity {
    Identity {
        subject: "alice".into(),
        scheme: Scheme::Bearer,
        rights: Arc::new(rights()),
        authenticated_at: Some(1_000),
        expires_at: None,
        claims: crate::json::Object::read(br#"{"dept": "sales", "level": 3, "groups": ["a", "b"]}"#.to_vec())
            .ok()
            .map(Arc::new),
        names: Default::default(),
    }
}

fn client(address: &str) -> Client {
    Client { address: Peer::parse(address.as_bytes()), tls: Some(true), through_proxy: false }
}

fn reason_for(require: &Requirement, identity: &Identity, address: &str) -> Option<Reason> {
    authorise(require, &Facts { identity: Some(identity), client: &client(address), now: 1_100, leeway: 30 })
        .err()
        .map(|unmet| unmet.reason)
}

fn reason(require: &Requirement) -> Option<Reason> {
    reason_for(require, &identity(), "192.0.2.1")
}

fn role(name: &str) -> Requirement {
    Role(name.into())
}

fn claim_equals(name: &str, value: Value) -> Requirement {
    Requirement::Claim { name: name.into(), test: ClaimTest::Equals(value) }
}

#[test]
fn leaves_hold_or_name_their_reason() {
    let user = |issuer: &str, subject: &str| Requirement::User { issuer: issuer.into(), subject: subject.into() };
    let contains = |value| Requirement::Claim { name: "groups".into(), test: ClaimTest::Contains(value) };
    for (require, wanted) in [
        (Requirement::Authenticated, None),
        (role("clerk"), None),
        (role("admin"), Some(Reason::RoleMissing)),
        (Scope("orders:read".into()), None),
        (Scope("orders:write".into()), Some(Reason::ScopeMissing)),
        (Permission("orders:write".into()), None),
        (Permission("users:add".into()), Some(Reason::PermissionMissing)),
        (user("", "alice"), None),
        (user("https://accounts.example.com", "alice"), Some(Reason::RequirementUnmet)),
        (user("", "bob"), Some(Reason::RequirementUnmet)),
        (claim_equals("dept", json!("sales")), None),
        (claim_equals("level", json!(3.0)), None),
        (claim_equals("level", json!("3")), Some(Reason::ClaimMismatch)),
        (claim_equals("nothing", json!(1)), Some(Reason::ClaimMismatch)),
        (contains(json!("b")), None),
        (contains(json!("c")), Some(Reason::ClaimMismatch)),
        (Factor("pwd".into()), None),
        (Factor("otp".into()), Some(Reason::FactorRequired)),
        (LoginWithin(100), None),
        (LoginWithin(99), Some(Reason::LoginTooOld)),
        (Tls, None),
    ] {
        assert_eq!(reason(&require), wanted, "{require}");
    }
}

#[test]
fn several_failures_are_told_in_the_fixed_order() {
    let scope = Scope("x".into());
    let permission = Permission("x:y".into());
    let order = [
        (scope.clone(), Reason::ScopeMissing),
        (role("admin"), Reason::RoleMissing),
        (permission.clone(), Reason::PermissionMissing),
        (claim_equals("dept", json!("hr")), Reason::ClaimMismatch),
        (Not(Box::new(role("clerk"))), Reason::RequirementUnmet),
        (Factor("otp".into()), Reason::FactorRequired),
        (LoginWithin(1), Reason::LoginTooOld),
    ];
    for first in 0..order.len() {
        let mut parts: Vec<_> = order[first..].iter().map(|(part, _)| part.clone()).collect();
        parts.reverse();
        assert_eq!(reason(&All(parts)), Some(order[first].1));
    }
}

#[test]
fn a_failed_any_has_the_reason_of_its_branches_only_where_they_agree() {
    assert_eq!(reason(&Any(vec![role("a"), role("b")])), Some(Reason::RoleMissing));
    assert_eq!(reason(&Any(vec![role("a"), Scope("b".into())])), Some(Reason::RequirementUnmet));
    assert_eq!(reason(&Any(vec![role("a"), role("clerk")])), None);
    assert_eq!(reason(&Not(Box::new(role("clerk")))), Some(Reason::RequirementUnmet));
    assert_eq!(reason(&Not(Box::new(role("admin")))), None);
}

#[test]
fn unknown_denies_also_under_not() {
    let away = Requirement::Network(vec![Network::parse("10.0.0.0/8").unwrap()]);
    let not_away = Not(Box::new(away.clone()));
    assert_eq!(reason_for(&not_away, &identity(), "192.0.2.1"), None);
    assert_eq!(reason_for(&not_away, &identity(), "10.1.1.1"), Some(Reason::RequirementUnmet));
    assert_eq!(reason_for(&not_away, &identity(), "garbage"), Some(Reason::RequirementUnmet));
    assert_eq!(
        reason_for(&Not(Box::new(claim_equals("gone", json!(1)))), &identity(), "192.0.2.1"),
        Some(Reason::RequirementUnmet)
    );
    // A claim of another type says nothing about the value: `suspended: ["yes"]` is not "not suspended".
    for other in [json!(["hr"]), json!({"hr": true}), json!(7), json!(null)] {
        let not_hr = Not(Box::new(claim_equals("dept", other.clone())));
        assert_eq!(reason_for(&not_hr, &identity(), "192.0.2.1"), Some(Reason::RequirementUnmet), "{other}");
    }
    assert_eq!(reason_for(&Not(Box::new(claim_equals("dept", json!("hr")))), &identity(), "192.0.2.1"), None);
    // Unknown does not spoil what another branch decides.
    assert_eq!(reason_for(&Any(vec![away, role("clerk")]), &identity(), "garbage"), None);
}

#[test]
fn a_new_login_is_asked_for_only_where_it_would_help() {
    let both = |other| All(vec![Factor("otp".into()), LoginWithin(1), other]);
    assert_eq!(reason(&both(role("admin"))), Some(Reason::RoleMissing));
    assert_eq!(reason(&both(role("clerk"))), Some(Reason::FactorRequired));
    assert_eq!(reason(&All(vec![LoginWithin(1), role("clerk")])), Some(Reason::LoginTooOld));
    assert_eq!(reason(&Any(vec![role("admin"), Factor("otp".into())])), Some(Reason::FactorRequired));
    let unproved = Arc::new(Rights { factors: Vec::new(), ..rights() });
    let never = Identity { rights: unproved, authenticated_at: None, scheme: Scheme::Basic, ..identity() };
    assert_eq!(reason_for(&LoginWithin(i64::MAX), &never, "192.0.2.1"), Some(Reason::LoginTooOld));
    let unmet = authorise(
        &All(vec![LoginWithin(50), LoginWithin(20)]),
        &Facts { identity: Some(&identity()), client: &client("192.0.2.1"), now: 1_100, leeway: 30 },
    );
    assert_eq!(unmet.unwrap_err().details.max_age, Some(20));
}

#[test]
fn scopes_of_a_key_narrow_permissions_and_never_give_one() {
    let rights_of = |scopes: &[&str]| Rights {
        scopes: scopes.iter().map(|s| (*s).to_owned()).collect(),
        scopes_narrow_permissions: true,
        ..rights()
    };
    let narrowed = |scopes: &[&str]| Identity { rights: Arc::new(rights_of(scopes)), ..identity() };
    let require = Permission("orders:write".into());
    assert_eq!(reason_for(&require, &narrowed(&["orders:write"]), "192.0.2.1"), None);
    assert_eq!(reason_for(&require, &narrowed(&["orders:*"]), "192.0.2.1"), None);
    assert_eq!(reason_for(&require, &narrowed(&["orders:read"]), "192.0.2.1"), Some(Reason::PermissionMissing));
    let without = Rights { permissions: Vec::new(), ..rights_of(&["orders:write"]) };
    let powerless = Identity { rights: Arc::new(without), ..identity() };
    assert_eq!(reason_for(&require, &powerless, "192.0.2.1"), Some(Reason::PermissionMissing));
}

#[test]
fn tls_and_network_are_asked_before_credentials_only_where_nothing_else_could_do() {
    let network = Requirement::Network(vec![Network::parse("10.0.0.0/8").unwrap()]);
    let plain = Client { tls: Some(false), ..client("192.0.2.1") };
    let before =
        |require: &Requirement, client: &Client| before_credentials(require, client).err().map(|(reason, _)| reason);
    assert_eq!(before(&network, &plain), Some(Reason::NetworkNotAllowed));
    assert_eq!(before(&All(vec![network.clone(), All(vec![Tls])]), &plain), Some(Reason::TlsRequired));
    assert_eq!(before(&Any(vec![network.clone(), role("admin")]), &plain), None);
    assert_eq!(before(&Not(Box::new(network.clone())), &plain), None);
    assert_eq!(before(&network, &client("10.2.3.4")), None);
    assert_eq!(before(&network, &client("unix:")), Some(Reason::NetworkNotAllowed));
    assert_eq!(before(&Tls, &Client { tls: None, ..client("10.2.3.4") }), Some(Reason::TlsRequired));
}

#[test]
fn where_nobody_was_recognised_only_tls_and_network_can_hold() {
    let facts = Facts { identity: None, client: &client("192.0.2.1"), now: 0, leeway: 0 };
    let away = Requirement::Network(vec![Network::parse("10.0.0.0/8").unwrap()]);
    assert!(authorise(&Requirement::Authenticated, &facts).is_ok());
    assert!(authorise(&Not(Box::new(away.clone())), &facts).is_ok());
    assert!(authorise(&Any(vec![away, Tls]), &facts).is_ok());
    assert!(authorise(&Not(Box::new(role("admin"))), &facts).is_err());
}

#[test]
fn tls_is_told_before_the_network_and_deep_nesting_costs_one_pass() {
    let far = || Requirement::Network(vec![Network::parse("10.0.0.0/8").unwrap()]);
    let plain = Client { tls: Some(false), ..client("192.0.2.1") };
    let told = |require: &Requirement, client: &Client| before_credentials(require, client).err().map(|(r, _)| r);
    let nested = All(vec![far(), All(vec![role("clerk"), All(vec![far(), Tls])])]);
    assert_eq!(told(&nested, &plain), Some(Reason::TlsRequired));
    assert_eq!(told(&nested, &client("192.0.2.1")), Some(Reason::NetworkNotAllowed));
    assert_eq!(told(&nested, &client("10.0.0.1")), None);
    assert_eq!(told(&Any(vec![Tls, far()]), &plain), None, "only what stands alone or under all");
    // Two looks at each level would be 2^64 here.
    let deep = (0..64).fold(All(vec![role("clerk"), Tls]), |inner, _| All(vec![role("clerk"), inner]));
    assert_eq!(told(&deep, &plain), Some(Reason::TlsRequired));
    assert_eq!(told(&deep, &client("192.0.2.1")), None);
}
