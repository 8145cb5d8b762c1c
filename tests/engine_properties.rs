//! Random requests of nasty pieces against a few policies: never a panic, never an ALLOW that a strict check of its own
//! would refuse, and every answer in its form. The check here shares no code with the engine: it reads paths, fields
//! and credentials again, more simply.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_oracle;
mod engine_support;

use std::sync::OnceLock;

use engine_oracle::{CERTIFICATE, MAPPED, RouteOf, World};
use engine_support::*;
use gatepost::decision::{Action, Decision};
use gatepost::engine::{Engine, Progress};
use gatepost::reason::Reason;
use proptest::prelude::*;
use serde_json::json;

const IDENTITY: [&str; 3] = ["X-Auth-Subject", "X-Auth-Roles", "X-Auth-Scheme"];

/// The routes of all the policies, and what each needs.
const ROUTES: [RouteOf; 8] = [
    RouteOf::new("/open/{*}", "access = \"public\"").public(),
    RouteOf::new("/get", "methods = [\"GET\"]").methods(&["GET"]),
    RouteOf::new("/orders/{}", "require = { permission = \"orders:read\" }").methods(&["GET", "POST"]).role("clerk"),
    RouteOf::new("/orders/{}", "").methods(&["DELETE"]).role("admin"),
    RouteOf::new("/admin/{*}", "require = { role = \"admin\" }").role("admin"),
    RouteOf::new("/Mixed/{}/x", "require = { tls = true }").tls(),
    RouteOf::new("/maybe", "access = \"optional\"").optional(),
    RouteOf::new("/near", "require = { network = [\"192.0.2.0/24\"] }").near(),
];

fn policy(engine: &str, more: &str) -> String {
    let routes: String = ROUTES.iter().map(RouteOf::text).collect();
    format!(
        "[engine]\nname = \"Any\"\nstate = \":memory:\"\nschemes = [\"basic\", \"bearer\", \"api-key\", \"client-cert\"]\n{engine}\n{CHEAP}{MAPPED}\
         [throttle]\naccount = false\naddress = false\nprefix = false\npair = false\n[identity]\nsubject = \"X-Auth-Subject\"\n\
         roles = \"X-Auth-Roles\"\nscheme = \"X-Auth-Scheme\"\n{ISSUER}[[role]]\nname = \"clerk\"\npermissions = [\"orders:read\"]\n\
         [[role]]\nname = \"admin\"\nincludes = [\"clerk\"]\n{more}{routes}"
    )
}

struct Subject {
    engine: Engine,
    /// Problem details are sent.
    bodies: bool,
    world: World,
}

fn subjects() -> &'static [Subject] {
    static SUBJECTS: OnceLock<Vec<Subject>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        let policies = [
            ("", "", true),
            ("unmatched = \"pass\"\nresponses = \"none\"\npreflight = \"allow\"", "", false),
            (
                "unmatched = \"authenticated\"",
                "[proxies]\ntrusted = [\"127.0.0.1\", \"unix:\"]\nscheme = \"X-Forwarded-Proto\"\nhost = \"X-Forwarded-Host\"\ncertificate = \"Client-Cert\"\n",
                true,
            ),
            ("", "[paths]\nseparate_encoded_slash = true\ndecode_once = true\nkeep_parameters = true\n", true),
        ];
        let mut subjects = policies.map(|(engine, more, bodies)| subject(&policy(engine, more), bodies));
        subjects[2].world.trusts = true;
        subjects[3].world.drops_readings = true;
        subjects.into()
    })
}

fn subject(text: &str, bodies: bool) -> Subject {
    let engine = engine(text);
    let mut world = World::new(&ROUTES);
    for (name, roles) in [("alice", &["clerk"][..]), ("root", &["admin"]), ("bob", &[])] {
        add_user(&engine, name, roles);
        let (_, key) = add_key(&engine, name, &[], None);
        world.add("basic", basic(name, PASSWORD).split(' ').nth(1).unwrap(), name, roles);
        world.add("api-key", &key, name, roles);
        let token = token(name, json!({ "roles": roles }), SECRET);
        world.add("bearer", &token, name, roles);
    }
    // Good but for one thing each.
    let bad = [
        token("root", json!({"exp": NOW - 60}), SECRET),
        token("root", json!({"aud": "else"}), SECRET),
        token("root", json!({}), "Zp3nR8wYc5Kt2MxD7vQb9LhG4sJfA6Ue"),
    ];
    world.bad.extend(bad);
    world.bad.push(gatepost::credential::api_key::generate().unwrap().secret.to_string());
    add_user(&engine, "billing", &["clerk"]);
    world.add("client-cert", std::str::from_utf8(CERTIFICATE).unwrap(), "billing", &["clerk"]);
    Subject { engine, bodies, world }
}

/// Which credential, and what happens to it on the way.
#[derive(Clone, Debug)]
enum Credential {
    Good { which: usize, spelling: usize },
    Mutated { which: usize, at: prop::sample::Index, byte: u8, how: u8 },
    Bad(usize),
    Any(Vec<u8>),
    Joined(usize, usize),
}

#[derive(Clone, Debug)]
enum Piece {
    Header(Vec<u8>, Vec<u8>),
    Authorization(Credential),
    ApiKey(Credential),
}

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn bytes(all: &'static [&'static [u8]]) -> impl Strategy<Value = Vec<u8>> {
    one_of(all).prop_map(<[u8]>::to_vec)
}

fn method() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        12 => Just(b"GET".to_vec()),
        8 => bytes(&[b"HEAD", b"POST", b"DELETE", b"OPTIONS", b"PUT", b"CONNECT", b"BREW"]),
        1 => bytes(&[b"get", b"", b"GET ", b"G\xc3\x89T", b"\xff", b"GET\r\n", b"DELETE\0"]),
        1 => prop::collection::vec(any::<u8>(), 0..6),
    ]
}

/// Whole paths, paths of pieces, and anything.
fn target() -> impl Strategy<Value = Vec<u8>> {
    let good =
        bytes(&[b"/get", b"/open/x", b"/orders/7", b"/admin", b"/admin/users", b"/Mixed/1/x", b"/maybe", b"/near"]);
    let pieces = bytes(&[
        b"/",
        b"/",
        b"//",
        b"open",
        b"admin",
        b"ADMIN",
        b"orders",
        b"get",
        b"Mixed",
        b"mixed",
        b"x",
        b"7",
        b"..",
        b".",
        b"%2e",
        b"%2E%2e",
        b"%2f",
        b"%2F",
        b"%252f",
        b"%5c",
        b"%61dmin",
        b"%2561dmin",
        b";",
        b";a=b",
        b"%3b",
        b"..;",
        b"%25",
        b"%",
        b"%zz",
        b"%00",
        b"%0a",
        b"%c3%a9",
        b"\xc3\xa9",
        b"%ff",
        b"\xff",
        b" ",
        b"#",
        b"\\",
        b"?",
        b"?/open",
        b"+",
        b"%20",
        b"@",
        b":",
        b"~",
    ]);
    let mixed = prop::collection::vec(pieces, 1..7).prop_map(|pieces| [&b"/"[..], &pieces.concat()].concat());
    let ended = (good.boxed(), bytes(&[b"", b"", b"", b"/", b"?a=b", b"?%", b";x", b"/..", b"%2f", b"/%2e%2e/admin"]))
        .prop_map(|(a, b)| [a, b].concat());
    prop_oneof![
        16 => ended,
        6 => mixed,
        1 => bytes(&[b"*", b"", b"http://orders.example.com/get", b"https://evil.example/get", b"http://a@orders.example.com/get",
            b"HTTP://ORDERS.example.com:80", b"//get", b"get", b"orders.example.com:443", b"http:///get"]),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn host() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        40 => Just(b"orders.example.com".to_vec()),
        3 => bytes(&[b"", b"ORDERS.example.com.", b"orders.example.com:443", b"[::1]:80", b"b\xc3\xbccher.example"]),
        1 => bytes(&[b"a b", b"a@b", b"..", b"a,b", b":80", b"[::", b"\xff", b"a\0b", b"orders.example.com:99999"]),
    ]
}

fn credential() -> impl Strategy<Value = Credential> {
    prop_oneof![
        8 => (0..9usize, 0..6usize).prop_map(|(which, spelling)| Credential::Good { which, spelling }),
        4 => (0..9usize, any::<prop::sample::Index>(), any::<u8>(), 0..5u8)
            .prop_map(|(which, at, byte, how)| Credential::Mutated { which, at, byte, how }),
        2 => (0..4usize).prop_map(Credential::Bad),
        1 => (0..9usize, 0..9usize).prop_map(|(a, b)| Credential::Joined(a, b)),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Credential::Any),
    ]
}

/// Field names, and those that make a request malformed whatever else it says.
const NAMES: &[&[u8]] = &[
    b"Host",
    b"Cookie",
    b"Origin",
    b"Origin",
    b"Sec-Fetch-Site",
    b"Sec-Fetch-Mode",
    b"Access-Control-Request-Method",
    b"Upgrade",
    b"Connection",
    b"connection",
    b"X-Forwarded-For",
    b"X-Forwarded-Proto",
    b"X-Forwarded-Host",
    b"X-Auth-Subject",
    b"x-auth-subject",
    b"X_Auth_Roles",
    b"X.AUTH.Scheme",
    b"X-HTTP-Method-Override",
    b"x_http_method",
    b"Accept",
    b"X_API_Key",
    b"Forwarded",
];
const ODD_NAMES: &[&[u8]] = &[b"", b"X Auth Subject", b"X\xffAuth-Roles", b"X\0Auth-Roles", b"Authorization "];
const VALUES: &[&[u8]] = &[
    b"orders.example.com",
    b"https://orders.example.com",
    b"https://evil.example",
    b"same-origin",
    b"cross-site",
    b"none",
    b"navigate",
    b"cors",
    b"GET",
    b"DELETE",
    b"websocket",
    b"close, X-Auth-Subject",
    b"x_auth_roles",
    b"https",
    b"http",
    b"keep-alive, \xffx, X-AUTH-SCHEME",
    b"10.0.0.1",
    b"root",
    b"127.0.0.1, x",
    b"__Host-session=a",
    b"__Host-session=a; __Host-session=b",
    b"\xff\xfe",
];

fn piece() -> impl Strategy<Value = Piece> {
    let names = prop_oneof![40 => bytes(NAMES), 1 => bytes(ODD_NAMES), 1 => prop::collection::vec(any::<u8>(), 0..8)];
    let values = prop_oneof![
        40 => bytes(VALUES),
        1 => bytes(&[b"a\r\nX-Auth-Subject: root", b"\0", b""]),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    let site = bytes(&[b"same-origin", b"cross-site", b"none"]);
    prop_oneof![
        10 => (names, values).prop_map(|(name, value)| Piece::Header(name, value)),
        1 => site.prop_map(|value| Piece::Header(b"Sec-Fetch-Site".to_vec(), value)),
        1 => credential().prop_map(Piece::Authorization),
        1 => credential().prop_map(Piece::ApiKey),
        1 => Just(Piece::Header(b"Client-Cert".to_vec(), CERTIFICATE.to_vec())),
    ]
}

fn peer() -> impl Strategy<Value = Vec<u8>> {
    bytes(&[
        b"192.0.2.7",
        b"192.0.2.7",
        b"198.51.100.1:80",
        b"127.0.0.1",
        b"::ffff:192.0.2.7",
        b"2001:db8::1",
        b"unix:",
        b"",
        b"\xff",
    ])
}

/// The value of a field, with the name of its scheme where `in_authorization`.
fn value(world: &World, credential: &Credential, in_authorization: bool) -> Vec<u8> {
    let good = |which: usize, spelling: usize| {
        let (scheme, secret) = (world.good[which].scheme, &world.good[which].secret);
        if !in_authorization {
            return secret.clone().into_bytes();
        }
        let word = match (scheme, spelling) {
            ("basic", 1) => "bASIC",
            ("basic", _) => "Basic",
            ("api-key", 1 | 2) => "ApiKey",
            (_, 3) => "BEARER",
            _ => "Bearer",
        };
        let spaces = if spelling == 4 { "   " } else { " " };
        let around = if spelling == 5 { " \t" } else { "" };
        format!("{around}{word}{spaces}{secret}{around}").into_bytes()
    };
    match credential {
        Credential::Good { which, spelling } => good(*which, *spelling),
        Credential::Bad(which) => format!("Bearer {}", world.bad[*which]).into_bytes(),
        Credential::Any(bytes) => bytes.clone(),
        Credential::Joined(a, b) => [good(*a, 0), b", ".to_vec(), good(*b, 0)].concat(),
        Credential::Mutated { which, at, byte, how } => {
            let mut value = good(*which, 0);
            let at = at.index(value.len());
            match how {
                0 => value[at] = *byte,
                1 => value[at] ^= 1 << (byte % 8),
                2 => value.insert(at, *byte),
                3 => _ = value.remove(at),
                _ => value.truncate(at),
            }
            value
        }
    }
}

fn ask(world: &World, parts: &Parts) -> Ask {
    let mut ask =
        Ask { method: parts.method.clone(), target: parts.target.clone(), host: parts.host.clone(), ..get("/") };
    ask = Ask { peer: parts.peer.clone(), tls: parts.tls, id: b"the-id".to_vec(), ..ask };
    for piece in &parts.pieces {
        ask = match piece {
            Piece::Header(name, value) => ask.header(name, value),
            Piece::Authorization(credential) => ask.header("authorization", value(world, credential, true)),
            Piece::ApiKey(credential) => ask.header("X-API-Key", value(world, credential, false)),
        };
    }
    ask
}

#[derive(Clone, Debug)]
struct Parts {
    method: Vec<u8>,
    target: Vec<u8>,
    host: Vec<u8>,
    peer: Vec<u8>,
    tls: bool,
    pieces: Vec<Piece>,
}

fn parts() -> impl Strategy<Value = Parts> {
    let first = prop_oneof![
        5 => credential().prop_map(|credential| vec![Piece::Authorization(credential)]),
        1 => credential().prop_map(|credential| vec![Piece::ApiKey(credential)]),
        1 => Just(vec![Piece::Header(b"client-cert".to_vec(), CERTIFICATE.to_vec())]),
        3 => Just(Vec::new()),
    ];
    let rest = prop::collection::vec(piece(), 0..4);
    (method(), target(), host(), peer(), any::<bool>(), first, rest).prop_map(
        |(method, target, host, peer, tls, first, rest)| Parts {
            method,
            target,
            host,
            peer,
            tls,
            pieces: [first, rest].concat(),
        },
    )
}

/// Without what differs from one engine's answer to another's.
fn same(a: &Decision, b: &Decision) -> bool {
    let of = |d: &Decision| {
        let identity = d.identity.clone();
        (d.action, d.status, d.reason, d.id.clone(), identity, d.scheme, d.response.clone(), d.upstream().into_owned())
    };
    let rest = |d: &Decision| (d.strip.clone(), d.body.clone(), d.retry_after, d.route, d.generation);
    of(a) == of(b) && rest(a) == rest(b)
}

fn assert_form(subject: &Subject, ask: &Ask, decision: &Decision) {
    let status = if decision.action == Action::Deny { decision.reason.status() } else { 200 };
    assert_eq!(decision.status, status);
    let admitted = [Reason::Allowed, Reason::Public, Reason::Anonymous, Reason::Preflight, Reason::Passed];
    assert_eq!(decision.action != Action::Deny, admitted.contains(&decision.reason), "{:?}", decision.reason);
    assert_eq!(decision.action == Action::Pass, decision.reason == Reason::Passed);
    assert_eq!(decision.id, "the-id");
    for header in decision.response.iter().chain(&*decision.upstream()) {
        assert!(
            !header.name.is_empty() && header.name.bytes().all(|b| b.is_ascii_graphic() && b != b':'),
            "{header:?}"
        );
        assert!(header.value.bytes().all(|b| (0x20..0x7F).contains(&b)), "{header:?}");
    }
    assert!(
        decision.strip.iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_graphic())),
        "{:?}",
        decision.strip
    );
    let fold = |name: &[u8]| -> Vec<u8> {
        name.iter().map(|b| if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'_' }).collect()
    };
    for name in IDENTITY {
        assert!(decision.strip.iter().any(|stripped| stripped == name), "{name}");
        let nominated = engine_oracle::values(ask, "connection");
        let nominated = nominated.iter().flat_map(|value| value.split(|b| *b == b',')).map(<[u8]>::trim_ascii);
        let received = ask.headers.iter().map(|(received, _)| received.as_slice()).chain(nominated);
        let aliases = received.filter(|received| fold(received) == fold(name.as_bytes()));
        for received in aliases.filter(|received| engine_oracle::is_token(received)) {
            let listed = decision.strip.iter().any(|stripped| stripped.as_bytes().eq_ignore_ascii_case(received));
            assert!(listed, "{:?} is not on {:?}", String::from_utf8_lossy(received), decision.strip);
        }
    }
    if decision.action == Action::Deny && subject.bodies && ask.method != b"HEAD" {
        let body: serde_json::Value = serde_json::from_slice(&decision.body).unwrap();
        assert_eq!((&body["status"], &body["id"]), (&json!(status), &json!("the-id")));
        assert_eq!(body["reason"], decision.reason.shown().name());
    } else {
        assert!(decision.body.is_empty());
    }
    let challenges = fields(decision, "WWW-Authenticate").len();
    assert!((challenges > 0) == (decision.status == 401) || decision.reason == Reason::ScopeMissing, "{decision:?}");
    assert!(decision.action != Action::Deny || decision.upstream().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_request_breaks_a_promise(parts in parts()) {
        for subject in subjects() {
            let ask = ask(&subject.world, &parts);
            let decision = ask.to(&subject.engine);
            assert_form(subject, &ask, &decision);
            subject.world.judge(&ask, &decision);
            let stepwise = match ask.with(|request| subject.engine.begin(request)).unwrap() {
                Progress::Done(decision) => *decision,
                Progress::Pending(job) => finish(job),
            };
            prop_assert!(same(&decision, &stepwise), "{:?}\n{:?}", decision, stepwise);
        }
    }
}

#[test]
fn the_pieces_reach_what_they_are_to_reach() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeMap::<&str, u32>::new();
    for _ in 0..8_000 {
        let parts = parts().new_tree(&mut runner).unwrap().current();
        for subject in subjects() {
            let decision = ask(&subject.world, &parts).to(&subject.engine);
            *seen.entry(decision.reason.name()).or_default() += 1;
            let scheme = decision.identity.map_or("nobody", |identity| identity.scheme.name());
            *seen.entry(scheme).or_default() += 1;
        }
    }
    println!("{seen:?}");
    for reason in [
        "allowed",
        "public",
        "anonymous",
        "passed",
        "request_malformed",
        "target_ambiguous",
        "credentials_ambiguous",
        "credentials_missing",
        "credentials_malformed",
        "scheme_not_accepted",
        "credentials_invalid",
        "api_key_unknown",
        "token_malformed",
        "token_signature",
        "token_expired",
        "token_audience",
        "route_unknown",
        "method_not_granted",
        "tls_required",
        "network_not_allowed",
        "cross_site",
        "role_missing",
        "permission_missing",
        "client-cert",
    ] {
        let often = seen.get(reason).copied().unwrap_or(0);
        assert!(often >= 10, "{reason}: {often} of {seen:?}");
    }
}
