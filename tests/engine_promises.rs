//! What the engine promises about one request, held on the paths where such promises are forgotten: the order of the
//! checks, the strip list, public and optional routes, preflights, ids, challenges.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;

use std::collections::HashSet;

use engine_support::*;
use gatepost::decision::{Action, Decision};
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
fn each_check_comes_before_all_that_follow_it() {
    let engine = engine(&policy(
        "schemes = [\"basic\"]",
        &format!(
            "[throttle]\naccount = {{ failures = 1, per = \"15m\" }}\n{}",
            route(
                "/a",
                "methods = [\"POST\"]\nrequire = { role = \"admin\", tls = true, network = [\"192.0.2.0/24\"] }"
            )
        ),
    ));
    add_user(&engine, "alice", &[]);
    add_user(&engine, "bob", &[]);
    assert_eq!(get("/a").method("POST").authorization(basic("bob", "wrong")).reason(&engine), "credentials_invalid");

    // Wrong in every way; each step mends the first thing that is wrong.
    let mut ask = get("//x").method("GE T").host("a b").peer("198.51.100.1").tls(false).header("N ame", "x");
    ask = ask.header("X-Long", "x".repeat(20_000)).header("Host", "a").header("Host", "b");
    ask = ask.authorization("Basic !").authorization("Digest x").header("Origin", "https://evil.example");
    let mut expect = |wanted: &str, mend: &dyn Fn(&mut Ask)| {
        assert_eq!(ask.reason(&engine), wanted);
        mend(&mut ask);
    };
    let drop = |name: &'static str| move |ask: &mut Ask| ask.headers.retain(|(n, _)| n != name.as_bytes());
    expect("request_too_large", &drop("X-Long"));
    expect("request_malformed", &drop("N ame"));
    expect("request_malformed", &|ask| ask.method = b"GET".to_vec());
    expect("request_malformed", &|ask| ask.host = b"orders.example.com".to_vec());
    expect("request_malformed", &drop("Host"));
    expect("target_ambiguous", &|ask| ask.target = b"/x".to_vec());
    expect("route_unknown", &|ask| ask.target = b"/a".to_vec());
    expect("method_not_granted", &|ask| ask.method = b"POST".to_vec());
    expect("tls_required", &|ask| ask.tls = true);
    expect("network_not_allowed", &|ask| ask.peer = b"192.0.2.7".to_vec());
    expect("credentials_ambiguous", &|ask| _ = ask.headers.pop().zip(ask.headers.pop()));
    let set = |value: String| {
        move |ask: &mut Ask| {
            ask.headers.clear();
            *ask = ask.clone().header("Origin", "https://evil.example").authorization(&value);
        }
    };
    expect("credentials_malformed", &set("Digest x".into()));
    expect("scheme_not_accepted", &set("Basic !".into()));
    expect("credentials_malformed", &set(basic("bob", PASSWORD)));
    expect("throttled", &set(basic("alice", "wrong")));
    let mut expect = |wanted: &str, mend: &dyn Fn(&mut Ask)| {
        assert_eq!(ask.reason(&engine), wanted);
        mend(&mut ask);
    };
    // Other names from here on: a failure of each fills its counter.
    expect("credentials_invalid", &set(basic("alice2", "wrong")));
    add_user(&engine, "carol", &[]);
    expect("credentials_invalid", &set(basic("carol", PASSWORD)));
    expect("cross_site", &|ask| ask.headers.retain(|(n, _)| n != b"Origin"));
    expect("role_missing", &|_| with_admin(&engine, |admin| _ = admin.grant("carol", "admin").unwrap()));
    assert_eq!(ask.reason(&engine), "allowed");
}

#[test]
fn sizes_are_refused_one_octet_over_the_limit_and_not_at_it() {
    let engine = engine(&policy("schemes = [\"basic\"]", &route("/{*rest}", "access = \"public\"")));
    let target = |length: usize| get(&format!("/{}", "a".repeat(length - 1)));
    assert_eq!(target(8 * 1024).reason(&engine), "public");
    assert_eq!(target(8 * 1024 + 1).reason(&engine), "request_too_large");
    let query = |length: usize| get(&format!("/?{}", "a".repeat(length - 2)));
    assert_eq!(query(8 * 1024).reason(&engine), "public");
    assert_eq!(query(8 * 1024 + 1).reason(&engine), "request_too_large", "the query counts");
    let field = |length: usize| get("/").header("X-Y", "a".repeat(length - 3));
    assert_eq!(field(16 * 1024).reason(&engine), "public");
    assert_eq!(field(16 * 1024 + 1).reason(&engine), "request_too_large");
    let many = |count: usize| (0..count).fold(get("/"), |ask, i| ask.header(format!("X-{i}"), "a"));
    assert_eq!(many(200).reason(&engine), "public");
    assert_eq!(many(201).reason(&engine), "request_too_large");
    let form = get("/").header("b ad", "").header("X-Y", "a".repeat(17_000));
    assert_eq!(form.reason(&engine), "request_too_large", "size comes before form, whatever the order of the fields");
}

/// Every way out of the engine, each with the headers that pose as somebody.
fn ways_out() -> Vec<(&'static str, Ask)> {
    let preflight = |target: &str| {
        get(target)
            .method("OPTIONS")
            .header("Origin", "https://shop.example")
            .header("Access-Control-Request-Method", "GET")
    };
    vec![
        ("request_too_large", get("/public").header("X", "x".repeat(17_000))),
        ("request_malformed", get("/public").method("G T")),
        ("request_malformed", get("/public").host("a b")),
        ("target_ambiguous", get("/a/..%2fpublic")),
        ("passed", get("/nowhere")),
        ("passed", get("*").method("OPTIONS")),
        ("method_not_granted", get("/get").method("PUT")),
        ("tls_required", get("/tls").tls(false)),
        ("public", get("/public")),
        ("anonymous", get("/optional")),
        ("preflight", preflight("/get")),
        ("preflight", preflight("/any")),
        ("credentials_missing", get("/get")),
        ("credentials_ambiguous", get("/get").login("alice").login("alice")),
        ("scheme_not_accepted", get("/get").authorization("Digest x")),
        ("credentials_malformed", get("/get").authorization("Basic !")),
        ("credentials_invalid", get("/get").authorization(basic("alice", "wrong"))),
        ("token_malformed", get("/any").authorization("Bearer x")),
        ("role_missing", get("/admin").login("alice")),
        ("cross_site", get("/any").method("POST").login("alice").header("Sec-Fetch-Site", "cross-site")),
        ("allowed", get("/get").login("alice")),
        ("allowed", get("/any").authorization(bearer("x", json!({})))),
    ]
}

fn many_ways() -> gatepost::engine::Engine {
    let engine = engine(&policy(
        "schemes = [\"basic\", \"bearer\"]\nunmatched = \"pass\"\npreflight = \"allow\"",
        &[
            route("/public", "access = \"public\""),
            route("/optional", "access = \"optional\""),
            route("/get", "methods = [\"GET\"]"),
            route("/any", ""),
            route("/tls", "require = { tls = true }"),
            route("/admin", "require = { role = \"admin\" }"),
        ]
        .concat(),
    ));
    add_user(&engine, "alice", &["clerk"]);
    engine
}

#[test]
fn the_strip_list_is_there_on_every_way_out_and_holds_every_alias() {
    let engine = many_ways();
    let names = ["X-Auth-Issuer", "X-Auth-Subject", "X-Auth-Roles", "X-Auth-Scopes", "X-Auth-Scheme"];
    for (reason, ask) in ways_out() {
        let decision = ask.to(&engine);
        assert_eq!(decision.reason.name(), reason);
        for name in names {
            assert!(decision.strip.iter().any(|s| s == name), "{reason}: {:?}", decision.strip);
        }
        let aliases = ["x_auth_subject", "X.Auth.Roles", "X-AUTH_SCHEME", "x!auth!issuer"];
        let posing = aliases.iter().fold(ask.header("Connection", "close, X_AUTH-SCOPES"), |a, n| a.header(n, "root"));
        let decision = posing.to(&engine);
        assert_eq!(decision.reason.name(), reason, "an identity header changes nothing");
        for name in names.iter().chain(&aliases).chain(&["X_AUTH-SCOPES"]) {
            assert!(decision.strip.iter().any(|s| s == name), "{reason}: {name} in {:?}", decision.strip);
        }
        let admitted = matches!(decision.action, Action::Allow | Action::Pass);
        assert_eq!(upstream(&decision, "Connection").as_deref(), admitted.then_some("close"), "{reason}");
    }
}

#[test]
fn what_leaves_is_text_also_where_what_came_was_not() {
    let engine = many_ways();
    let odd = get("/public").header("Connection", b"keep-alive, x\xffauth-subject, \x01, \xc3\xa9, X-Auth-Subject");
    let decision = odd.to(&engine);
    assert_eq!(decision.reason, Reason::Public);
    assert!(decision.strip.iter().all(|name| name.bytes().all(|b| b.is_ascii_graphic())), "{:?}", decision.strip);
    assert_eq!(upstream(&decision, "Connection").as_deref(), Some("keep-alive"));
    let alone = get("/public").header("Connection", "x-auth-roles").to(&engine);
    assert!(alone.strip.iter().any(|name| name == "Connection") && upstream(&alone, "Connection").is_none());
    let names = get("/public").header(b"X\0Auth\nSubject", "root").to(&engine);
    assert_eq!(names.reason, Reason::RequestMalformed);
    assert!(names.strip.iter().all(|name| name.bytes().all(|b| b.is_ascii_graphic())), "{:?}", names.strip);
}

#[test]
fn a_method_override_cannot_ride_on_a_granted_method_nor_on_a_preflight() {
    let engine = many_ways();
    let overridden = |ask: Ask| {
        let names = ["X-HTTP-Method-Override", "x_http_method", "X-Method_Override"];
        let decision = names.iter().fold(ask, |ask, name| ask.header(name, "DELETE")).to(&engine);
        (decision.reason.name(), names.iter().all(|name| decision.strip.iter().any(|s| s == name)))
    };
    assert_eq!(overridden(get("/get").login("alice")), ("allowed", true));
    assert_eq!(overridden(get("/any").login("alice")), ("allowed", false), "all methods are granted there anyway");
    for target in ["/get", "/any"] {
        let preflight =
            get(target).method("OPTIONS").header("Origin", "x").header("Access-Control-Request-Method", "GET");
        assert_eq!(overridden(preflight), ("preflight", true), "{target}");
    }
}

#[test]
fn a_preflight_names_a_method() {
    let engine = many_ways();
    let preflight = |value: &[u8]| {
        let ask = get("/any").method("OPTIONS").header("Origin", "https://shop.example");
        ask.header("Access-Control-Request-Method", value).reason(&engine)
    };
    assert_eq!(preflight(b"DELETE"), "preflight");
    for value in [&b""[..], b"GE T", b"GET, PUT", b"G\xc3\x89T", b"\xff"] {
        assert_eq!(preflight(value), "credentials_missing", "{value:?}");
    }
    let cookie = get("/any").method("OPTIONS").header("Origin", "https://shop.example");
    let cookie = cookie.header("Access-Control-Request-Method", "GET").header("Cookie", "__Host-session=x");
    assert_eq!(cookie.reason(&engine), "scheme_not_accepted", "a session is a credential");
}

#[test]
fn a_public_route_looks_at_no_credential_however_wrong() {
    let engine = many_ways();
    let wrong = [
        get("/public").authorization("Basic !"),
        get("/public").authorization(""),
        get("/public").authorization(b"\xff\xfe"),
        get("/public").authorization("Bearer a, Bearer b").authorization("Basic x"),
        get("/public").header("X-API-Key", "gp_x").header("X-API-Key", b"\xff").login("alice"),
        get("/public").header("Cookie", "__Host-session=a; __Host-session=b"),
    ];
    for ask in wrong {
        let decision = ask.to(&engine);
        assert_eq!((decision.reason, decision.scheme, decision.subject()), (Reason::Public, None, None), "{ask:?}");
        let pass = Ask { target: b"/nowhere".to_vec(), ..ask };
        assert_eq!(pass.reason(&engine), "passed");
    }
}

#[test]
fn every_401_has_a_challenge_and_no_other_refusal_before_login_has_one() {
    let engine = many_ways();
    for (reason, ask) in ways_out() {
        let decision = ask.to(&engine);
        let challenges = fields(&decision, "WWW-Authenticate");
        assert_eq!(!challenges.is_empty(), decision.status == 401, "{reason}: {challenges:?}");
        if decision.status == 401 {
            assert!(challenges[0].starts_with("Basic realm=\"Orders\"") && challenges[1].starts_with("Bearer realm="));
        }
        if decision.action == Action::Deny {
            assert_eq!(fields(&decision, "Cache-Control"), ["no-store"], "{reason}");
        }
    }
}

#[test]
fn an_optional_route_without_schemes_looks_at_no_credential() {
    let engine = engine(&policy("", &route("/optional", "access = \"optional\"")));
    add_user(&engine, "alice", &[]);
    let (_, key) = add_key(&engine, "alice", &[], None);
    for ask in [get("/optional").login("alice"), get("/optional").header("X-API-Key", &key)] {
        assert_eq!(ask.reason(&engine), "anonymous", "a 401 would have no challenge to offer");
    }
}

#[test]
fn an_x_api_key_that_is_no_text_is_judged_by_the_route_first() {
    let engine = engine(&policy(
        "",
        &[route("/key", "schemes = [\"api-key\"]"), route("/basic", "schemes = [\"basic\"]")].concat(),
    ));
    let key = |target: &str| get(target).header("X-API-Key", b"gp_\xff");
    assert_eq!(key("/key").reason(&engine), "credentials_malformed");
    assert_eq!(key("/basic").reason(&engine), "scheme_not_accepted");
}

#[test]
fn the_id_is_the_hosts_or_our_own_and_never_twice() {
    let engine = many_ways();
    let with = |id: &[u8]| Ask { id: id.to_vec(), ..get("/get") }.to(&engine);
    let body = |decision: &Decision| serde_json::from_slice::<serde_json::Value>(&decision.body).unwrap();
    let named = with(b"req-7f\"\\3");
    assert_eq!(named.id, "req-7f\"\\3");
    assert_eq!(body(&named)["id"], "req-7f\"\\3");
    let mut seen = HashSet::new();
    for odd in [&b""[..], b"a b", b"a\nb", b"\xff", &[b'x'; 129]] {
        let decision = with(odd);
        assert!(decision.id.bytes().all(|b| b.is_ascii_graphic()) && decision.id.len() > 16);
        assert_eq!(body(&decision)["id"], decision.id.as_str());
        assert!(seen.insert(decision.id));
    }
    let other = many_ways();
    assert!(seen.insert(get("/get").to(&other).id), "two engines draw apart");
}

#[test]
fn responses_none_has_no_body_and_says_so() {
    let engine = engine(&policy("schemes = [\"basic\"]\nresponses = \"none\"", &route("/a", "")));
    let decision = get("/a").to(&engine);
    assert_eq!((decision.status, decision.body.len()), (401, 0));
    assert!(fields(&decision, "Content-Type").is_empty() && !fields(&decision, "WWW-Authenticate").is_empty());
}

#[test]
fn host_and_scheme_behind_a_trusted_proxy_are_those_that_cross_site_compares() {
    let engine = engine(&policy(
        "schemes = [\"basic\"]",
        &format!(
            "[proxies]\ntrusted = [\"127.0.0.1\"]\nscheme = \"X-Forwarded-Proto\"\nhost = \"X-Forwarded-Host\"\n{}{}",
            route("/a", "host = \"shop.example.com\""),
            route("/b", "")
        ),
    ));
    add_user(&engine, "alice", &[]);
    let ask = |peer: &str, target: &str, origin: &str| {
        let ask = get(target).method("POST").host("backend.internal:8080").peer(peer).tls(false).login("alice");
        ask.header("X-Forwarded-Proto", "https")
            .header("X-Forwarded-Host", "Shop.Example.com.")
            .header("Origin", origin)
    };
    assert_eq!(ask("127.0.0.1", "/a", "https://shop.example.com").reason(&engine), "allowed");
    assert_eq!(ask("127.0.0.1", "/a", "http://shop.example.com").reason(&engine), "cross_site");
    assert_eq!(ask("127.0.0.1", "/a", "http://backend.internal:8080").reason(&engine), "cross_site");
    assert_eq!(ask("192.0.2.1", "/a", "https://shop.example.com").reason(&engine), "route_unknown");
    assert_eq!(ask("192.0.2.1", "/b", "https://shop.example.com").reason(&engine), "cross_site");
    assert_eq!(ask("192.0.2.1", "/b", "http://backend.internal:8080").reason(&engine), "allowed");
    let broken = ask("127.0.0.1", "/b", "https://shop.example.com").header("X-Forwarded-Host", "a b");
    assert_eq!(broken.reason(&engine), "request_malformed");
}

#[test]
fn get_grants_head_and_nothing_else() {
    let engine = many_ways();
    assert_eq!(get("/get").method("HEAD").login("alice").reason(&engine), "allowed");
    for method in ["OPTIONS", "TRACE", "CONNECT", "get", "POST", "GETT"] {
        assert_eq!(get("/get").method(method).login("alice").reason(&engine), "method_not_granted", "{method}");
    }
}
