//! What the engine promises about rights, held where such promises are forgotten: unknown facts, rights by source,
//! narrowing, clocks that lie, a state that is gone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use engine_support::*;
use gatepost::admin::NewUser;
use gatepost::engine::Options;
use gatepost::reason::Reason;
use serde_json::json;

const IDENTITY: &str = "[identity]\nissuer = \"X-Auth-Issuer\"\nsubject = \"X-Auth-Subject\"\nroles = \"X-Auth-Roles\"\n\
    scopes = \"X-Auth-Scopes\"\nscheme = \"X-Auth-Scheme\"\n";

const ROLES: &str = "[[role]]\nname = \"clerk\"\npermissions = [\"orders:read\"]\n\
    [[role]]\nname = \"admin\"\nincludes = [\"clerk\"]\npermissions = [\"orders:write\"]\n";

fn policy(engine: &str, rest: &str) -> String {
    format!("[engine]\nname = \"Orders\"\nstate = \":memory:\"\n{engine}\n{CHEAP}{IDENTITY}{ISSUER}{ROLES}{rest}")
}

fn route(path: &str, rest: &str) -> String {
    format!("[[route]]\npath = \"{path}\"\n{rest}\n")
}

#[test]
fn unknown_denies_also_under_not() {
    let engine = engine(&policy(
        "schemes = [\"basic\", \"bearer\"]",
        &[
            route("/not-net", "require = { not = { network = [\"10.0.0.0/8\"] } }"),
            route("/not-claim", "require = { not = { claim = { name = \"dept\", equals = \"sales\" } } }"),
            route("/public", "access = \"public\"\nrequire = { not = { network = [\"10.0.0.0/8\"] } }"),
        ]
        .concat(),
    ));
    add_user(&engine, "alice", &[]);
    assert_eq!(get("/not-net").login("alice").reason(&engine), "allowed");
    assert_eq!(get("/not-net").login("alice").peer("10.1.2.3").reason(&engine), "requirement_unmet");
    assert_eq!(get("/public").reason(&engine), "public");
    for unknown in ["", "unix:", "pipe", "10.1.2.3.4"] {
        assert_eq!(get("/not-net").login("alice").peer(unknown).reason(&engine), "requirement_unmet", "{unknown}");
        assert_eq!(get("/public").peer(unknown).reason(&engine), "requirement_unmet", "{unknown}");
    }
    let claim = |more| get("/not-claim").authorization(bearer("x", more)).reason(&engine);
    assert_eq!(claim(json!({"dept": "legal"})), "allowed");
    assert_eq!(claim(json!({"dept": "sales"})), "requirement_unmet");
    assert_eq!(claim(json!({})), "requirement_unmet");
    assert_eq!(get("/not-claim").login("alice").reason(&engine), "requirement_unmet");
}

#[test]
fn a_login_that_lies_ahead_is_not_recent() {
    let engine = engine(&policy(
        "schemes = [\"bearer\"]\nleeway = \"30s\"",
        &route("/a", "require = { login_within = \"15m\" }"),
    ));
    let at = |time: i64| get("/a").authorization(bearer("x", json!({"auth_time": time}))).to(&engine);
    assert_eq!(at(NOW - 900).reason, Reason::Allowed);
    assert_eq!(at(NOW + 30).reason, Reason::Allowed, "within the skew that is granted");
    assert_eq!(at(NOW - 901).reason, Reason::LoginTooOld);
    let ahead = at(NOW + 31);
    assert_eq!(ahead.reason, Reason::LoginTooOld, "it would stay recent for ever");
    assert!(fields(&ahead, "WWW-Authenticate")[0].contains("max_age=\"900\""));
}

#[test]
fn a_token_of_an_issuer_with_local_users_has_what_the_user_holds_and_the_issuer_may_give() {
    let local = |extra: &str| {
        let issuer = ISSUER.replace("claims", &format!("users = \"local\"\n{extra}\nclaims"));
        let routes = [
            route("/a", ""),
            route("/clerk", "require = { role = \"clerk\" }"),
            route("/admin", "require = { role = \"admin\" }"),
            route("/write", "require = { permission = \"orders:write\" }"),
        ];
        let text = format!("[engine]\nstate = \":memory:\"\nschemes = [\"bearer\"]\n{CHEAP}{IDENTITY}{issuer}{ROLES}");
        let engine = engine(&(text + &routes.concat()));
        add_user(&engine, "alice", &["admin"]);
        add_user(&engine, "bob", &[]);
        engine
    };
    let open = local("");
    let ask = |engine: &gatepost::engine::Engine, target: &str, subject: &str| {
        get(target).authorization(bearer(subject, json!({"roles": ["admin"]}))).to(engine)
    };
    let alice = ask(&open, "/admin", "ALICE");
    assert_eq!((alice.reason, alice.subject()), (Reason::Allowed, Some("alice")));
    assert_eq!(alice.identity.unwrap().issuer, "", "she is the local one");
    assert_eq!(ask(&open, "/clerk", "bob").reason, Reason::RoleMissing, "roles of the token do not count");
    assert_eq!(ask(&open, "/a", "nobody").reason, Reason::TokenClaim);
    assert_eq!(ask(&open, "/a", "no body").reason, Reason::TokenClaim);
    with_admin(&open, |admin| admin.set_disabled("alice", true)).unwrap();
    let disabled = ask(&open, "/a", "alice");
    assert_eq!(disabled.reason, Reason::AccountDisabled);
    assert!(!String::from_utf8(disabled.body).unwrap().contains("disabled"));
    let narrow = local("grants = [\"clerk\"]");
    assert_eq!(ask(&narrow, "/clerk", "alice").reason, Reason::Allowed, "an admin is a clerk, which may be given");
    assert_eq!(ask(&narrow, "/admin", "alice").reason, Reason::RoleMissing);
    assert_eq!(ask(&narrow, "/write", "alice").reason, Reason::PermissionMissing);
}

#[test]
fn a_foreign_token_has_nothing_from_the_state() {
    let issuer = ISSUER.replace("claims", "grants = [\"clerk\"]\nclaims");
    let routes = [
        route("/clerk", "require = { role = \"clerk\" }"),
        route("/rita", "require = { user = \"rita\" }"),
        route("/theirs", "require = { user = { issuer = \"accounts\", subject = \"rita\" } }"),
    ];
    let text = format!("[engine]\nstate = \":memory:\"\nschemes = [\"bearer\", \"basic\"]\n{CHEAP}{IDENTITY}{issuer}");
    let engine = engine(&(text + ROLES + &routes.concat()));
    add_user(&engine, "rita", &["admin"]);
    let ask = |target: &str, more| get(target).authorization(bearer("rita", more)).reason(&engine);
    assert_eq!(ask("/clerk", json!({})), "role_missing");
    assert_eq!(ask("/clerk", json!({"roles": ["clerk", "ghost"]})), "allowed");
    assert_eq!(ask("/clerk", json!({"roles": ["admin"]})), "role_missing", "not theirs to give");
    assert_eq!(ask("/rita", json!({})), "requirement_unmet");
    assert_eq!(ask("/theirs", json!({})), "allowed");
    assert_eq!(get("/rita").login("rita").reason(&engine), "allowed");
    assert_eq!(get("/theirs").login("rita").reason(&engine), "requirement_unmet");
    with_admin(&engine, |admin| admin.set_disabled("rita", true)).unwrap();
    assert_eq!(ask("/theirs", json!({})), "allowed", "another rita");
}

#[test]
fn an_api_key_narrows_its_owner_and_never_widens() {
    let engine = engine(&policy(
        "schemes = [\"api-key\"]",
        &[
            route("/any", ""),
            route("/clerk", "require = { role = \"clerk\" }"),
            route("/admin", "require = { role = \"admin\" }"),
            route("/read", "require = { permission = \"orders:read\" }"),
            route("/write", "require = { permission = \"orders:write\" }"),
            route("/scope", "require = { scope = \"orders:read\" }"),
        ]
        .concat(),
    ));
    add_user(&engine, "alice", &["admin"]);
    add_user(&engine, "bob", &[]);
    let row = |key: &str| {
        let one = |target: &str| get(target).header("X-API-Key", key).reason(&engine) == "allowed";
        ["/any", "/clerk", "/admin", "/read", "/write", "/scope"].map(one)
    };
    let key = |user, scopes: &[&str], roles: Option<&[&str]>| add_key(&engine, user, scopes, roles).1;
    assert_eq!(row(&key("alice", &[], None)), [true, true, true, true, true, false]);
    assert_eq!(row(&key("alice", &["orders:read"], None)), [true, true, true, true, false, true]);
    assert_eq!(row(&key("alice", &[], Some(&["clerk"]))), [true, true, false, true, false, false]);
    assert_eq!(row(&key("alice", &[], Some(&[]))), [true, false, false, false, false, false]);
    assert_eq!(row(&key("bob", &["orders:read"], Some(&["admin"]))), [true, false, false, false, false, true]);
    let (id, last) = add_key(&engine, "alice", &[], None);
    assert_eq!(get("/any").header("X-API-Key", &last).reason(&engine), "allowed");
    with_admin(&engine, |admin| admin.set_disabled("alice", true)).unwrap();
    assert_eq!(get("/any").header("X-API-Key", &last).reason(&engine), "account_disabled");
    with_admin(&engine, |admin| admin.revoke_key(&id)).unwrap();
    assert_eq!(get("/any").header("X-API-Key", &last).reason(&engine), "api_key_revoked");
    with_admin(&engine, |admin| admin.remove_user("alice")).unwrap();
    assert_eq!(get("/any").header("X-API-Key", &last).reason(&engine), "api_key_unknown");
}

#[test]
fn a_missing_scope_is_named_but_none_that_must_be_missing() {
    let require = "require = { all = [ { scope = \"a\" }, { scope = \"b\" }, { not = { scope = \"root\" } } ] }";
    let engine = engine(&policy("schemes = [\"bearer\"]", &route("/a", require)));
    let decision = get("/a").authorization(bearer("x", json!({"scope": "a"}))).to(&engine);
    assert_eq!(decision.reason, Reason::ScopeMissing);
    let wanted = "Bearer realm=\"Orders\", error=\"insufficient_scope\", scope=\"a b\"";
    assert_eq!(fields(&decision, "WWW-Authenticate"), [wanted]);
}

#[test]
fn bearer_without_an_issuer_is_refused_by_its_issuer() {
    let text = format!("[engine]\nstate = \":memory:\"\nschemes = [\"basic\", \"bearer\"]\n{CHEAP}{}", route("/a", ""));
    let engine = engine(&text);
    assert_eq!(get("/a").authorization(bearer("x", json!({}))).reason(&engine), "token_issuer");
    assert_eq!(get("/a").authorization("Bearer x.y.z").reason(&engine), "token_malformed");
}

#[test]
fn no_clock_makes_it_panic_or_lets_in_what_is_over() {
    let engine = engine(&policy("schemes = [\"basic\", \"bearer\"]", &route("/any", "")));
    add_user(&engine, "alice", &[]);
    let never = |now: i64| get("/any").at(now).authorization(bearer("x", json!({}))).reason(&engine);
    for now in [i64::MIN, i64::MIN + 1, -1, 0, 1, NOW - 1_000] {
        assert_eq!(never(now), "token_not_yet_valid", "{now}");
    }
    for now in [NOW + 10_000, i64::MAX - 1, i64::MAX] {
        assert_eq!(never(now), "token_expired", "{now}");
    }
    // Forwards and backwards: passwords have no clock, and counters stay whole.
    for now in [NOW, i64::MAX, i64::MIN, 0, NOW - 3_600, NOW] {
        assert_eq!(get("/any").at(now).login("alice").reason(&engine), "allowed", "{now}");
        assert_eq!(get("/any").at(now).authorization(basic("alice", "no")).reason(&engine), "credentials_invalid");
    }
}

#[test]
fn a_clock_that_was_set_back_does_not_forget_failures() {
    let engine = engine(&policy(
        "schemes = [\"basic\"]",
        &format!("[throttle]\naccount = {{ failures = 2, per = \"15m\" }}\n{}", route("/a", "")),
    ));
    add_user(&engine, "alice", &[]);
    let at = |now: i64, password: &str| get("/a").at(now).authorization(basic("alice", password)).to(&engine);
    assert_eq!(at(NOW, "wrong").reason, Reason::CredentialsInvalid);
    assert_eq!(at(NOW + 5, "wrong").reason, Reason::CredentialsInvalid);
    let back = at(NOW - 86_400, PASSWORD);
    assert_eq!(back.reason, Reason::Throttled);
    assert_eq!(fields(&back, "Retry-After"), [back.retry_after.unwrap().to_string()]);
    assert_eq!(back.retry_after, Some(900), "no longer than the window, wherever the clock was");
}

#[test]
fn read_only_leaves_no_trace() {
    let text = policy(
        "schemes = [\"basic\", \"api-key\"]",
        &format!("[throttle]\naccount = {{ failures = 1, per = \"15m\" }}\n{}", route("/a", "")),
    );
    let engine = engine_with(&text, Options { read_only: true, ..Options::default() });
    add_user(&engine, "alice", &[]);
    let (_, key) = add_key(&engine, "alice", &[], None);
    for _ in 0..5 {
        assert_eq!(get("/a").authorization(basic("alice", "wrong")).reason(&engine), "credentials_invalid");
        assert_eq!(get("/a").header("X-API-Key", &key).reason(&engine), "allowed");
    }
    engine.poll().unwrap().job.unwrap().run();
    let keys = with_admin(&engine, |admin| admin.keys(None)).unwrap();
    assert_eq!(keys[0].last_used_at, None);
}

#[test]
fn a_state_that_is_gone_is_a_503_and_no_failure_of_the_person() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.db");
    let text = policy(
        "schemes = [\"basic\"]",
        &format!("[throttle]\naccount = {{ failures = 1, per = \"15m\" }}\n{}", route("/a", "")),
    );
    let location = gatepost::policy::model::StateLocation::File(state.clone());
    let engine = engine_with(&text, Options { state: Some(location), ..Options::default() });
    add_user(&engine, "alice", &[]);
    assert_eq!(get("/a").login("alice").reason(&engine), "allowed");
    let hidden = folder.path().join("hidden.db");
    std::fs::rename(&state, &hidden).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    for _ in 0..3 {
        let decision = get("/a").authorization(basic("alice", "wrong")).to(&engine);
        assert_eq!((decision.status, decision.reason), (503, Reason::StateUnavailable));
        assert_eq!(fields(&decision, "Retry-After").len(), 1);
        assert!(fields(&decision, "WWW-Authenticate").is_empty() && decision.identity.is_none());
    }
    std::fs::rename(&hidden, &state).unwrap();
    assert_eq!(get("/a").login("alice").reason(&engine), "allowed", "none of them was counted");
}

#[test]
fn explain_names_the_roles_that_vanish() {
    let engine = engine(&policy("schemes = [\"basic\", \"bearer\"]", &route("/", "require = { role = \"admin\" }")));
    with_admin(&engine, |admin| {
        let seed =
            NewUser { name: "alice", password: Some(PASSWORD), roles: &["boss".to_owned()], ..NewUser::default() };
        admin.seed_user(&seed).unwrap();
    });
    let told = |ask: Ask| {
        let (_, steps) = ask.with(|request| engine.explain(request)).unwrap();
        steps.iter().filter(|s| s.name == "roles").map(|s| format!("{} → {}", s.saw, s.concluded)).collect::<Vec<_>>()
    };
    let vanished = "no [[role]] defines them: they give nothing";
    assert_eq!(told(get("/").login("alice")), [format!("roles granted to alice: boss → {vanished}")]);
    let token = |roles: &str| get("/").authorization(bearer("sam", json!({"roles": [roles]})));
    assert_eq!(told(token("Admin")), [format!("roles in the token of sam: Admin → {vanished}")]);
    assert!(told(token("admin")).is_empty());
}
