//! Paths with which other products were bypassed, or that their tests hold, run against the router. The vectors are
//! third-party data and not part of this repository: they are read from `$GATEPOST_VECTORS/path_bypass`, or
//! `../shared/vectors/path_bypass` beside the project; a file that is not there is named on stderr.
//!
//! The common claim is [`never_public`]: where the path that the other product ends up with is protected and
//! everything else public, the request is refused or lands on the protected rule.

// Helpers of tests may panic; clippy exempts only the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::Write;
use std::path::{Path, PathBuf};

use gatepost::identity::Scheme;
use gatepost::policy::model::{Access, PathRules, Route};
use gatepost::policy::requirement::Requirement;
use gatepost::route::{Landing, Router, pattern};
use gatepost::target::{self, Host};
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    Public,
    Protected,
    MethodNotGranted,
    NoRoute,
}

/// nginx, http_uri.t: what nginx answers with 400 is refused on any route. Where it answers with a path, protecting
/// that path protects the target.
#[test]
fn nginx_http_uri() {
    let Some(cases) = vectors("nginx_http_uri_t.json") else { return };
    for case in list(&cases) {
        let target = text(&case["request_target"]);
        let expect = text(&case["expect"]);
        let host = target.strip_prefix("http://").map(|rest| rest.split(['/', '?', '#']).next().unwrap());
        if expect == "400" {
            refused_anywhere(host, target);
            continue;
        }
        let path = expect.strip_prefix("x ").unwrap().split(" x").next().unwrap();
        // nginx's own log writes a decoded control byte so; we refuse it.
        if path.contains("\\x") {
            refused_anywhere(host, target);
            continue;
        }
        never_public(host, target, path);
    }
}

/// Tomcat, the table of the Servlet 6.0 specification: protecting the canonical path protects the input, whether
/// Tomcat refuses it or not. What is above the root, malformed or has a fragment is refused on any route. What is its
/// own canonical path and no bad request lands on the protected rule.
#[test]
fn tomcat_canonicalisation() {
    let Some(cases) = vectors("tomcat_servlet6_canonicalization.json") else { return };
    let (mut plain, mut malformed) = (0, 0);
    for case in list(&cases) {
        let (input, canonical) = (text(&case["input"]), text(&case["canonical"]));
        let bad = case["bad_request_servlet6"] == true;
        let path = canonical.split('?').next().unwrap();
        let broken = has_bare_percent(input) || input.contains('#') || input.contains('\\') || !input.starts_with('/');
        if broken || canonical.starts_with("/../") || canonical == "/.." || canonical.contains(char::is_control) {
            assert!(bad, "{input}");
            refused_anywhere(None, input);
            malformed += 1;
        } else if std::str::from_utf8(&percent_decoded(input)).is_err() {
            refused_anywhere(None, input);
            malformed += 1;
        } else {
            never_public(None, input, path);
        }
        if !bad && input == canonical {
            assert_eq!(decide(&protected(path), None, "GET", input), Outcome::Protected, "{input}");
            plain += 1;
        }
    }
    assert!(plain >= 5 && malformed >= 30, "{plain} plain, {malformed} malformed");
}

/// Spring's StrictHttpFirewall: each path that it rejects by default is refused or lands on the protected rule, with
/// the cleaned path protected, an encoded slash taken for a slash or not. Methods that it rejects are not granted where a
/// route lists those that it accepts. Its rules for headers and parameters are not about paths.
#[test]
fn spring_strict_firewall() {
    let Some(cases) = vectors("spring_strict_http_firewall.json") else { return };
    let (mut paths, mut methods) = (0, 0);
    for case in list(&cases) {
        if case["expect"] != "reject" || !list(&case["allow"]).is_empty() {
            continue;
        }
        if let Some(method) = case["set"]["method"].as_str() {
            let mut policy = protected("/");
            policy[1].methods =
                Some(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map(str::to_owned).into());
            assert_eq!(decide(&policy, None, method, "/x"), Outcome::MethodNotGranted, "{method}");
            assert_eq!(decide(&policy, None, "GET", "/x"), Outcome::Public);
            methods += 1;
        }
        for key in ["requestURI", "contextPath", "servletPath", "pathInfo"] {
            let Some(path) = case["set"][key].as_str().filter(|path| !path.is_empty()) else { continue };
            for slash in [false, true] {
                match cleaned(path, slash) {
                    Some(clean) => never_public(None, path, &clean),
                    None => refused_anywhere(None, path),
                }
            }
            paths += 1;
        }
    }
    assert!(paths >= 40 && methods == 3, "{paths} paths, {methods} methods");
    assert_eq!(decide(&protected("/admin"), None, "GET", "/~"), Outcome::Public);
}

/// Envoy's path utilities: what is normal already lands as it is; what is invalid is refused; protecting the
/// normalised or merged path protects the input; a path is what stands before the query, and a fragment is refused.
#[test]
fn envoy_path_utility() {
    let Some(cases) = vectors("envoy_path_utility.json") else { return };
    for path in list(&cases["already_normal"]) {
        assert_eq!(decide(&protected(text(path)), None, "GET", text(path)), Outcome::Protected, "{path}");
    }
    for path in list(&cases["invalid"]) {
        refused_anywhere(None, text(path));
    }
    let mut judged = 0;
    for pair in list(&cases["normalize"]).iter().chain(list(&cases["merge_slashes"])) {
        let (input, output) = (text(&pair[0]), text(&pair[1]));
        let output = output.split('?').next().unwrap();
        if output.starts_with('/') && std::str::from_utf8(&percent_decoded(output)).is_ok() {
            never_public(None, input, output);
            judged += 1;
        } else {
            refused_anywhere(None, input);
        }
    }
    assert!(judged >= 20, "{judged}");
    for pair in list(&cases["remove_query_and_fragment"]) {
        let (input, output) = (text(&pair[0]), text(&pair[1]));
        match target::parse("GET", input.as_bytes(), None) {
            Ok(read) => assert_eq!(read.path, output.as_bytes(), "{input}"),
            Err(_) => assert!(input.is_empty() || input.contains('#'), "{input}"),
        }
    }
}

/// Traefik's encoded characters, all of which it refuses by default. Here each is refused where another reading of
/// it lands on the protected rule: `%2f` and `%5c` as slashes, `%3b` as the start of parameters; `%00` and a second
/// decoding that is not UTF-8 (`%25ba`) on any route. `%3f` and `%23` are data in every reading and land as such.
/// With the choice made that Traefik's option stands for (or one rule for all) the path lands.
#[test]
fn traefik_encoded_characters() {
    let Some(cases) = vectors("traefik_encoded_characters.json") else { return };
    for case in list(&cases) {
        let path = text(&case["path"]);
        let alone = vec![route("/{*all}", Access::Public)];
        let plain = PathRules::default();
        let (other, rules) = match path.get(4..7).unwrap() {
            "%2f" => ("/foo/bar", PathRules { separate_encoded_slash: true, ..plain }),
            "%5c" => ("/foo/bar", PathRules { separate_encoded_backslash: true, ..plain }),
            "%3b" => ("/foo", PathRules { keep_parameters: true, ..plain }),
            "%00" | "%25" => {
                refused_anywhere(None, path);
                continue;
            }
            "%3f" | "%23" => {
                assert_eq!(decide(&protected(path), None, "GET", path), Outcome::Protected, "{path}");
                assert_eq!(decide(&protected("/foo/bar"), None, "GET", path), Outcome::Public, "{path}");
                continue;
            }
            unknown => panic!("{unknown}"),
        };
        if case["status"] == 400 {
            assert_eq!(decide(&protected(other), None, "GET", path), Outcome::Refused, "{path}");
        } else {
            assert_eq!(decide(&alone, None, "GET", path), Outcome::Public, "{path}");
            assert_eq!(decide_under(rules, &protected(other), None, "GET", path), Outcome::Public, "{path}");
        }
    }
}

/// Traefik's sanitising of paths: protecting the sanitised path protects the input; what it rejects is refused; what
/// it does not lands.
#[test]
fn traefik_sanitize() {
    let Some(cases) = vectors("traefik_sanitize.json") else { return };
    for case in list(&cases) {
        let path = text(&case["path"]);
        match (case["expected"].as_str(), case["reject"].as_bool()) {
            (Some(expected), _) => never_public(None, path, expected),
            (None, Some(true)) => refused_anywhere(None, path),
            _ => assert_eq!(decide(&protected("/b"), None, "GET", path), Outcome::Public, "{path}"),
        }
    }
}

/// oauth2-proxy's routes without authentication, written as routes: what it allows is public, what it denies is not.
///
/// One difference, and it is asserted: a pattern `.*` in the middle took `%23` for an end of the path there; here
/// `{name}` is one segment in which `%23` is data, so that `/public/secret%23/endpoint` is an endpoint like another.
/// The attack itself, a raw `#`, is refused.
#[test]
fn oauth2_proxy_skip_auth() {
    let Some(cases) = vectors("oauth2_proxy_skip_auth.json") else { return };
    for case in list(&cases) {
        let (url, method) = (text(&case["url"]), text(&case["method"]));
        let public = |list: &[(&str, &str)]| -> Vec<Route> {
            let parse = |(methods, path): &(&str, &str)| Route {
                methods: (!methods.is_empty()).then(|| vec![(*methods).to_owned()]),
                ..route(path, Access::Public)
            };
            list.iter().map(parse).collect()
        };
        let rules: Vec<&str> = list(&case["skip_auth_routes"]).iter().map(text).collect();
        let policy = match rules.as_slice() {
            ["GET=^/skip/auth/routes/get", "^/foo/.*/bar$"] => {
                let open = [
                    ("", "/skip/auth/regex"),
                    ("", "/public/{x}/endpoint"),
                    ("GET", "/skip/auth/routes/get"),
                    ("", "/foo/{x}/bar"),
                ];
                [public(&open), vec![route("/{*all}", Access::Required)]].concat()
            }
            ["!=^/api", _] => {
                let open = [("", "/{*all}"), ("POST", "/api/public-entity")];
                [public(&open), vec![route("/api/{*rest}", Access::Required)]].concat()
            }
            ["GET!=^/api", _] => {
                let open = [("GET", "/{*all}"), ("POST", "/api/public-entity")];
                [public(&open), vec![route("/api/{*rest}", Access::Required)]].concat()
            }
            unknown => panic!("{unknown:?}"),
        };
        let outcome = decide(&policy, None, method, url);
        if url.contains("%23") {
            assert_eq!(outcome, Outcome::Public, "{url}");
            refused_anywhere(None, &url.replace("%23", "#"));
            continue;
        }
        assert_eq!(outcome == Outcome::Public, case["allowed"] == true, "{method} {url}: {outcome:?}");
    }
}

/// WHATWG's URL tests, as absolute-form targets sent to the host that a browser would go to: protecting the path that
/// the browser would ask for protects the target. URLs that have no valid host are refused, save numbers that only
/// look like addresses and A-labels that cannot be decoded, which are names like others here.
#[test]
fn whatwg_urls() {
    let Some(cases) = vectors("whatwg_urltestdata.json") else { return };
    let (mut judged, mut failing) = (0, 0);
    for case in list(&cases) {
        let Some(input) = case["input"].as_str().filter(|i| i.starts_with("http://") || i.starts_with("https://"))
        else {
            continue;
        };
        if case["failure"] == true {
            let authority = input.split("//").nth(1).unwrap().split(['/', '?', '#']).next().unwrap();
            let Ok(host) = Host::parse(authority.as_bytes()) else {
                failing += 1;
                continue;
            };
            let last = host.name.as_str().rsplit('.').next().unwrap();
            let number = last.starts_with(|c: char| c.is_ascii_digit());
            assert!(number || host.name.as_str().contains("xn--"), "{input}: {host}");
            continue;
        }
        let (host, path) = (text(&case["host"]), text(&case["pathname"]));
        if pattern::parse(&escaped(path)).is_ok() {
            never_public(Some(host), input, path);
            judged += 1;
        }
    }
    assert!(judged >= 100 && failing >= 100, "{judged} judged, {failing} without a host");
}

/// `path` protected, everything else public: the target is refused or lands on the protected rule.
fn never_public(host: Option<&str>, target: &str, path: &str) {
    let outcome = decide(&protected(path), host, "GET", target);
    assert!(matches!(outcome, Outcome::Refused | Outcome::Protected), "{target:?} for {path:?}: {outcome:?}");
}

/// The target is refused whatever the routes.
fn refused_anywhere(host: Option<&str>, target: &str) {
    for policy in [vec![], vec![route("/{*all}", Access::Public)], vec![route("/{*all}", Access::Required)]] {
        assert_eq!(decide(&policy, host, "GET", target), Outcome::Refused, "{target:?}");
    }
}

fn decide(routes: &[Route], host: Option<&str>, method: &str, target: &str) -> Outcome {
    decide_under(PathRules::default(), routes, host, method, target)
}

fn decide_under(rules: PathRules, routes: &[Route], host: Option<&str>, method: &str, target: &str) -> Outcome {
    let router = Router::build(routes, rules).unwrap();
    let host = host.and_then(|host| Host::parse(host.as_bytes()).ok());
    let Ok(read) = target::parse(method, target.as_bytes(), host.as_ref()) else { return Outcome::Refused };
    match router.find(host.as_ref().map(|host| host.name.as_ref()), read.path, method) {
        Err(_) => Outcome::Refused,
        Ok(Landing::None) => Outcome::NoRoute,
        Ok(Landing::MethodNotGranted(_)) => Outcome::MethodNotGranted,
        Ok(Landing::Route(index)) if routes[index].access == Access::Public => Outcome::Public,
        Ok(Landing::Route(_)) => Outcome::Protected,
    }
}

fn protected(path: &str) -> Vec<Route> {
    vec![route(&escaped(path), Access::Required), route("/{*all}", Access::Public)]
}

fn route(path: &str, access: Access) -> Route {
    pattern::parse(path).unwrap_or_else(|error| panic!("{path:?}: {}", error.explanation));
    Route {
        path: path.to_owned(),
        host: None,
        methods: None,
        schemes: vec![Scheme::Basic],
        access,
        require: Requirement::Authenticated,
        preflight: false,
        line: 0,
    }
}

/// A path as a pattern: triplets stay, what a pattern may not hold is encoded.
fn escaped(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        let triplet = bytes.get(at + 1..at + 3).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
        match byte {
            b'%' if triplet => out.push('%'),
            b'!'..=b'~' if !b"%{}*?#\\".contains(byte) => out.push(char::from(*byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    // Merged, as the products whose output it is mostly do; a pattern has no empty segment.
    while out.contains("//") {
        out = out.replace("//", "/");
    }
    out
}

/// What a usual server makes of a path: decoded once, parameters dropped, slashes merged, dot segments resolved.
/// `None` where nothing can be made of it.
fn cleaned(path: &str, slash: bool) -> Option<String> {
    let kept = if slash { path.to_owned() } else { path.replace("%2F", "%252F").replace("%2f", "%252f") };
    if has_bare_percent(path) || path.contains(' ') || !path.starts_with('/') || path.starts_with("//") {
        return None;
    }
    let decoded = String::from_utf8(percent_decoded(&kept)).ok()?;
    if decoded.contains(char::is_control) {
        return None;
    }
    let mut out: Vec<&str> = Vec::new();
    for segment in decoded.split('/') {
        match segment.split(';').next().unwrap() {
            "" | "." => {}
            ".." => _ = out.pop()?,
            segment => out.push(segment),
        }
    }
    Some(format!("/{}", out.join("/")))
}

fn percent_decoded(path: &str) -> Vec<u8> {
    let bytes = path.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let digits = path.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    out
}

fn has_bare_percent(text: &str) -> bool {
    let path = text.split('?').next().unwrap();
    let digits = |after: &str| after.as_bytes().get(..2).is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit));
    path.split('%').skip(1).any(|after| !digits(after))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn vectors(file: &str) -> Option<Value> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, PathBuf::from);
    let path = folder.join("path_bypass").join(file);
    match std::fs::read(&path) {
        Ok(bytes) => {
            let cases: Value = serde_json::from_slice(&bytes).unwrap();
            assert!(cases.is_object() || !list(&cases).is_empty(), "{file} holds nothing");
            Some(cases)
        }
        Err(error) => {
            // Past the capture of the test harness, in one piece.
            let line = format!("NOT RUN: {} ({error})\n", path.display());
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            None
        }
    }
}
