//! A policy with every section.

use std::path::Path;

use super::super::model::{Access, RefreshRules, StateLocation, Unmatched};
use super::super::requirement::Requirement;
use super::super::{Severity, load, parse};
use super::check;
use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::tests as keys;
use crate::identity::Scheme;

const FULL: &str = r#"
[engine]
name = "Orders"                  # realm of the challenges, title of the pages
state = "gatepost.db"
schemes = ["session", "bearer"]  # for routes that list none
unmatched = "deny"               # deny | authenticated | pass
preflight = "deny"               # deny | allow
leeway = "30s"
responses = "auto"
profile = "default"

[paths]
separate_encoded_slash = false

[proxies]
trusted = ["127.0.0.1/32", "::1/128"]
header = "X-Forwarded-For"
scheme = "X-Forwarded-Proto"

[identity]
issuer = "X-Auth-Issuer"
subject = "X-Auth-Subject"
roles = "X-Auth-Roles"
scopes = "X-Auth-Scopes"
scheme = "X-Auth-Scheme"

[password]
memory_kib = 19456
iterations = 2
parallelism = 1
min_length = 15
remember = "60s"
max_age = "365d"
history = 5
words = ["orders"]
breached = "breached.filter"

[session]
cookie = "__Host-session"
idle = "30m"
absolute = "12h"
same_site = "Lax"

[endpoints]
prefix = "/auth"
login = true

[otp]
key = { secret_file = "otp.key" }

[throttle]
account = { failures = 10, per = "15m" }
address = { failures = 50, per = "15m" }
prefix  = { failures = 500, per = "15m" }
pair    = { failures = 5, per = "15m" }

[events]
file = "gatepost.jsonl"

[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = ["orders"]
algorithms = ["ES256", "RS256"]
keys = { file = "accounts.jwks.json" }
type = "at+jwt"
require = ["sub"]
claims = { subject = "sub", roles = "roles", scopes = "scope" }
users = "none"
grants = ["clerk"]

[[signer]]
name = "access"
issuer = "https://orders.example.com"
audience = ["orders"]
algorithm = "ES256"
key = { file = "signing.pem" }
lifetime = "10m"
refresh = { lifetime = "30d" }

[[certificate]]
subject = "CN=billing"
user = "billing"

[[role]]
name = "clerk"
permissions = ["orders:read"]
[[role]]
name = "admin"
includes = ["clerk"]
permissions = ["orders:write", "users:*"]

[[route]]
path = "/health"
access = "public"
[[route]]
path = "/orders/{id}"
methods = ["GET", "HEAD"]
schemes = ["session", "bearer", "api-key"]
require = { permission = "orders:read" }
[[route]]
path = "/admin/{*rest}"
host = "admin.example.com"
schemes = ["session"]
require = { all = [ { role = "admin" }, { factor = "otp" }, { login_within = "15m" }, { network = ["10.0.0.0/8"] } ] }
"#;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    super::file(folder.path(), "otp.key", super::GOOD_SECRET.as_bytes(), 0o600);
    let key = keys::pem("PRIVATE KEY", &keys::pkcs8(Algorithm::Es256));
    super::file(folder.path(), "signing.pem", key.as_bytes(), 0o600);
    super::file(folder.path(), "accounts.jwks.json", format!("{{\"keys\":[{}]}}", super::GOOD_KEY).as_bytes(), 0o644);
    super::file(folder.path(), "breached.filter", &super::filter("hunter2\n"), 0o600);
    folder
}

#[test]
fn the_full_grammar_is_an_error_only_where_a_route_needs_what_is_not_built() {
    let folder = folder();
    let list = parse(FULL, Path::new("orders.toml"), folder.path()).unwrap_err();
    let errors: Vec<_> = list.iter().filter(|d| d.severity == Severity::Error).map(|d| d.message.as_str()).collect();
    assert_eq!(errors, ["nobody can come in by these schemes (`session`: it is not built yet)"]);
}

#[test]
fn the_full_grammar_loads_with_a_warning_for_all_that_is_not_built() {
    let folder = folder();
    let text = FULL.replace("schemes = [\"session\"]\n", "schemes = [\"session\", \"basic\"]\n");
    let path = folder.path().join("orders.toml");
    std::fs::write(&path, &text).unwrap();
    let loaded = load(&path).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(|d| format!("{} {}", d.line, d.message)).collect();
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    5 nobody can come in by `session`: it is not built yet
    38 `[session]` is not built yet: it is checked, and then has no effect
    44 `[endpoints]` is not built yet: it is checked, and then has no effect
    48 `[otp]` is not built yet: it is checked, and then has no effect
    99 nobody can come in by `session`: it is not built yet
    104 nobody can come in by `session`: it is not built yet
    "#);

    let policy = loaded.policy;
    assert_eq!(policy.name, "Orders");
    assert_eq!(policy.state, StateLocation::File(folder.path().join("gatepost.db")));
    assert_eq!(policy.schemes, [Scheme::Session, Scheme::Bearer]);
    assert_eq!(policy.proxies.trusted.len(), 2);
    assert_eq!(policy.identity.names().count(), 5);
    assert_eq!(policy.issuers[0].grants.as_deref(), Some(&["clerk".to_owned()][..]));
    assert_eq!((policy.signers[0].lifetime, policy.signers[0].believed), (600, 1));
    let rules = RefreshRules { lifetime: 2_592_000, idle: None, grace: 10 };
    assert_eq!(policy.signers[0].refresh, Some(rules));
    assert_eq!(policy.routes[0].access, Access::Public);
    assert!(policy.routes[0].schemes.is_empty());
    assert_eq!(policy.routes[1].schemes, [Scheme::Session, Scheme::Bearer, Scheme::ApiKey]);
    assert_eq!(policy.routes[1].require, Requirement::Permission("orders:read".into()));
    assert_eq!(
        policy.routes[2].require.to_string(),
        "all(role admin, factor otp, login within 900s, network 10.0.0.0/8)"
    );
}

#[test]
fn an_empty_policy_denies_everything_by_default() {
    let policy = check("").unwrap().policy;
    assert_eq!(policy.name, "Gatepost");
    assert_eq!(policy.state, StateLocation::File(super::folder().join("gatepost.db")));
    assert_eq!(policy.unmatched, Unmatched::Deny);
    assert_eq!(policy.leeway, 30);
    assert_eq!(policy.paths, Default::default());
    assert!(policy.proxies.trusted.is_empty() && !policy.proxies.trust_unix);
    assert_eq!(policy.identity.names().count(), 0);
    assert_eq!((policy.password.memory_kib, policy.password.iterations, policy.password.parallelism), (19_456, 2, 1));
    assert_eq!((policy.password.min_length, policy.password.remember), (15, 60));
    assert_eq!((policy.session.idle, policy.session.absolute), (1_800, 43_200));
    let limits = [policy.throttle.account, policy.throttle.address, policy.throttle.prefix, policy.throttle.pair];
    assert_eq!(
        limits.map(|limit| limit.map(|l| (l.failures, l.per))),
        [Some((10, 900)), Some((50, 900)), Some((500, 900)), Some((5, 900))]
    );
}

#[test]
fn a_comment_changes_nothing() {
    let text =
        "[engine]\nschemes = \"basic\"\n[[role]]\nname = \"a\"\n[[route]]\npath = \"/x\"\nrequire = { role = \"a\" }\n";
    let lines = regex::Regex::new("line:? [0-9]+").unwrap();
    let printed = |text: &str| lines.replace_all(&format!("{:?}", check(text).unwrap().policy), "").into_owned();
    let plain = printed(text);
    assert!(plain.contains("\"/x\""));
    for commented in [
        format!("# über\n{text}"),
        text.replace('\n', " # comment\n"),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("{text}# end"),
    ] {
        assert_eq!(printed(&commented), plain);
    }
    assert_ne!(printed(&text.replace("/x", "/y")), plain);
}

#[test]
fn requirements_become_what_they_say() {
    for (written, wanted) in [
        ("\"authenticated\"", "authenticated"),
        ("{ authenticated = true }", "authenticated"),
        ("{ role = \"a\" }", "role a"),
        ("{ role = [\"a\"] }", "role a"),
        ("{ role = [\"a\", \"b\"] }", "any(role a, role b)"),
        ("{ user = \"rita\" }", "user rita"),
        ("{ user = \"RITA\" }", "user rita"),
        ("{ user = \"ÉLISE\" }", "user élise"),
        ("{ user = [\"rita\", { issuer = \"acc\", subject = \"7\" }] }", "any(user rita, user 7 of https://acc)"),
        ("{ tls = true, role = \"b\", scope = \"s\" }", "all(tls, role b, scope s)"),
        ("{ network = [\"10.0.0.0/8\", \"::1\"] }", "network 10.0.0.0/8 ::1/128"),
        ("{ not = { role = \"a\" } }", "not(role a)"),
        ("{ not = { role = [\"a\", \"b\"] } }", "not(any(role a, role b))"),
        ("{ all = [{ any = [{ role = \"a\" }] }] }", "role a"),
        ("{ any = [{ role = \"b\" }, { role = \"a\", tls = true }] }", "any(role b, all(role a, tls))"),
        ("[{ role = \"b\" }, { scope = \"x\" }]", "any(role b, scope x)"),
        ("{ claim = { name = \"a.b\", equals = [1, { x = true }] } }", "claim a.b = [1,{\"x\":true}]"),
        ("{ claim = { name = \"groups\", contains = \"x\" } }", "claim groups contains \"x\""),
        (
            "{ factor = [\"otp\", \"hwk\"], login_within = \"5m\" }",
            "all(any(factor otp, factor hwk), login within 300s)",
        ),
    ] {
        let text = format!(
            "[[issuer]]\nname = \"acc\"\nissuer = \"https://acc\"\naudience = \"x\"\nalgorithms = \"HS256\"\n\
             keys = {{ secret_file = \"good.key\" }}\n\
             [[role]]\nname = \"a\"\n[[role]]\nname = \"b\"\n\
             [[route]]\npath = \"/\"\nschemes = [\"basic\", \"bearer\"]\nrequire = {written}\n"
        );
        let loaded = check(&text).unwrap_or_else(|list| panic!("{written}: {list:#?}"));
        assert_eq!(loaded.policy.routes[0].require.to_string(), wanted, "{written}");
    }
}
