//! What a request says against data that others made: the client's address, cookies, and strings that broke other
//! programs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod tools;

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use gatepost::credential::cookie;
use gatepost::decision::Action;
use gatepost::engine::{Engine, Options};
use gatepost::policy::model::{ForwardedHeader, Proxies};
use gatepost::policy::network::Network;
use gatepost::reading::client::Client;
use gatepost::reading::fields::Fields;
use gatepost::request::{Header, Request};
use regex::Regex;
use serde_json::Value;
use tools::vectors::{list, vectors};

/// Cases of a client's address that come out otherwise here, what comes out, and why.
const ADDRESSES: &[(&str, &str, &str)] = &[
    // A zone has a meaning on the machine that wrote it alone; no rule of a policy can name one.
    ("RemoteAddr", "IPv6 with zone and no port", "unknown"),
    ("RemoteAddr", "IPv6 with zone and port", "unknown"),
    ("SingleIPHeader", "IPv6 with zone and no port", "unknown"),
    ("SingleIPHeader", "IPv6 with zone and port", "unknown"),
    ("RightmostNonPrivate", "IPv6 with port and zone", "unknown"),
    ("RightmostNonPrivate", "IPv6 with port and zone, no quotes", "unknown"),
    // A field that is not there leaves the peer, which is a trusted proxy that says nothing.
    ("SingleIPHeader", "Fail: missing header", "127.0.0.1"),
    ("RightmostNonPrivate", "Fail: Forwarded: no header", "127.0.0.1"),
    ("RightmostTrustedRange", "Fail: no values in header", "127.0.0.1"),
    // An element that is no address ends the walk; there it is passed over, and what a client wrote before it counts.
    ("RightmostNonPrivate", "XFF: rightmost not desirable", "unknown"),
    ("RightmostNonPrivate", "Forwarded: rightmost not desirable", "unknown"),
    // Nobody in the list is a stranger: the furthest trusted peer asks for itself.
    ("RightmostTrustedRange", "Fail: no non-trusted IP", "2.2.2.2"),
    // A peer that is not known is not trusted, whatever it sends.
    ("RightmostTrustedRange", "Peer empty: walks header as normal", "unknown"),
    ("RightmostTrustedRange", "Peer garbage: walks header as normal", "unknown"),
];

/// A range as a policy writes it: bits behind the prefix are cleared, an IPv4 range is IPv4.
fn network(text: &str) -> Network {
    if let Some((four, prefix)) = text.strip_prefix("::ffff:").and_then(|rest| rest.split_once('/')) {
        return network(&format!("{four}/{}", prefix.parse::<u32>().unwrap() - 96));
    }
    if let Ok(network) = Network::parse(text) {
        return network;
    }
    let (address, prefix) = text.split_once('/').unwrap();
    let prefix: u32 = prefix.parse().unwrap();
    let cleared = match address.parse::<IpAddr>().unwrap() {
        IpAddr::V4(four) => IpAddr::V4((u32::from(four) & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into()),
        IpAddr::V6(six) => IpAddr::V6((u128::from(six) & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into()),
    };
    Network::parse(&format!("{cleared}/{prefix}")).unwrap()
}

/// realclientip-go. Its strategies "remote address", "single header" (the value as one element of the believed field),
/// "rightmost that is not private" (private ranges as trusted) and "rightmost beyond trusted ranges" are settings here.
/// "Leftmost" believes what a client wrote and "trusted count" counts hops that nobody checks: neither is offered, nor
/// are chains of strategies. Wrong names of fields are errors of a policy.
#[test]
fn client_addresses_as_realclientip_finds_them() {
    let Some(file) = vectors("client_ip/realclientip_tests.json") else { return };
    let header_name = Regex::new(r#"headerName: "([^"]*)""#).unwrap();
    let range = Regex::new(r"trustedRanges: \[\]string\{([^}]*)\}").unwrap();
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10"];
    let mut differing = Vec::new();
    let (mut run, mut left_out) = (0, 0);
    for case in list(&file) {
        let strategy = case["test"].as_str().unwrap().strip_prefix("Test").unwrap().strip_suffix("Strategy").unwrap();
        let (name, arguments) = (case["name"].as_str().unwrap(), case["args"].as_str().unwrap());
        let offered = ["RemoteAddr", "SingleIPHeader", "RightmostNonPrivate", "RightmostTrustedRange"];
        if !offered.contains(&strategy) || name.starts_with("Error: ") {
            left_out += 1;
            continue;
        }
        run += 1;
        let field = header_name.captures(arguments).map(|found| found[1].to_ascii_lowercase()).unwrap_or_default();
        let mut trusted: Vec<String> = match strategy {
            "RemoteAddr" => vec![],
            "RightmostNonPrivate" => private.map(str::to_owned).to_vec(),
            _ => vec!["127.0.0.1".into()],
        };
        if arguments.contains("ranges.Cloudflare") {
            trusted.push("2400:cb00::/32".into());
        }
        if let Some(found) = range.captures(arguments) {
            trusted.extend(found[1].split(',').map(|text| text.trim().trim_matches(['`', '"']).to_owned()));
        }
        let proxies = Proxies {
            trusted: trusted.iter().filter(|t| !t.is_empty()).map(|text| network(text)).collect(),
            header: if field == "forwarded" { ForwardedHeader::Forwarded } else { ForwardedHeader::XForwardedFor },
            ..Proxies::default()
        };
        let mut fields = Fields::default();
        for header in list(&case["headers"]).iter().filter(|h| h[0].as_str().unwrap().eq_ignore_ascii_case(&field)) {
            fields.forwarded.extend(list(&header[1]).iter().map(|value| value.as_str().unwrap().as_bytes()));
        }
        let says_peer = strategy == "RemoteAddr" || name.starts_with("Peer ");
        let peer = if says_peer { case["remote_addr"].as_str().unwrap_or_default() } else { "127.0.0.1" };
        let client = Client::read(&Request { peer: peer.as_bytes(), ..Request::default() }, &fields, &proxies);
        let got = client.address.to_string();
        let wanted = match case["want"].as_str().unwrap() {
            "" => "unknown",
            address => address,
        };
        match ADDRESSES.iter().find(|(s, n, _)| (*s, *n) == (strategy, name)) {
            Some((_, _, ours)) => {
                assert_eq!(got, *ours, "{strategy}: {name}");
                assert_ne!(got, wanted, "{strategy}: {name} is no difference any more");
                differing.push((strategy.to_owned(), name.to_owned()));
            }
            None => assert_eq!(got, wanted, "{strategy}: {name}: {arguments}"),
        }
    }
    differing.dedup();
    assert_eq!(differing.len(), ADDRESSES.len(), "a listed difference has no case: {differing:?}");
    assert_eq!((run, left_out), (59, 38));
}

/// What another reader makes of the value that stands in a field: quotes taken off, `\\ooo` and `%xx` decoded. Here all
/// of it is part of the value.
fn decoded(value: &[u8]) -> String {
    let value = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")).unwrap_or(value);
    let mut out = Vec::new();
    let mut rest = value;
    while let Some(&first) = rest.first() {
        let digits = |from: usize, count: usize, radix| {
            let digits = rest.get(from..from + count).and_then(|digits| std::str::from_utf8(digits).ok());
            digits.and_then(|digits| u8::from_str_radix(digits, radix).ok())
        };
        let (octet, length) = match first {
            b'\\' => digits(1, 3, 8).map_or((first, 1), |octet| (octet, 4)),
            b'%' => digits(1, 2, 16).map_or((first, 1), |octet| (octet, 3)),
            _ => (first, 1),
        };
        out.push(octet);
        rest = &rest[length..];
    }
    String::from_utf8(out).unwrap()
}

/// Cookie fields as Go, jshttp and Werkzeug read them: each name that they find is found, with the same first value
/// save for quotes and escapes, which are taken off there and are part of the value here.
#[test]
fn cookies_as_go_jshttp_and_werkzeug_read_them() {
    let Some(go) = vectors("cookies/go_net_http_cookie_tables.json") else { return };
    let mut seen = 0;
    let mut check = |fields: &[&str], name: &str, value: &str| {
        let found = cookie::find(fields.iter().map(|field| field.as_bytes()), name);
        let first = found.first.unwrap_or_else(|| panic!("{fields:?}: no {name:?}"));
        let kept_quotes = String::from_utf8_lossy(first) == value;
        assert!(kept_quotes || decoded(first) == value, "{fields:?}: {name}: {value:?}");
        seen += 1;
    };
    for case in list(&go["readCookies"]) {
        let fields: Vec<&str> = list(&case["Header"]["Cookie"]).iter().map(|field| field.as_str().unwrap()).collect();
        for one in list(&case["Cookies"]) {
            check(&fields, one["Name"].as_str().unwrap(), one["Value"].as_str().unwrap());
        }
        assert_eq!(cookie::find(fields.iter().map(|f| f.as_bytes()), "c3").count, 0);
    }
    let member = Regex::new(r#"(\w+|""): (?:"([^"]*)"|'([^']*)')"#).unwrap();
    for case in list(&vectors("cookies/jshttp_parse_cookie.json").unwrap()) {
        let input = case["input"].as_str().unwrap();
        let expected = case["expected_js"].as_str().unwrap();
        let members: Vec<_> = member.captures_iter(expected).collect();
        assert_eq!(members.len(), expected.matches(": ").count(), "{expected}");
        for found in members {
            let value = found.get(2).or(found.get(3)).unwrap().as_str();
            check(&[input], found[1].trim_matches('"'), value);
        }
    }
    for case in list(&vectors("cookies/werkzeug_recorded.json").unwrap()) {
        if case["op"] != "parse_cookie" {
            continue;
        }
        // Recorded as WSGI hands them in: each character is an octet.
        let input: Vec<u8> = case["args"][0].as_str().unwrap().chars().map(|c| u8::try_from(c).unwrap()).collect();
        let input = String::from_utf8(input).unwrap();
        for pair in list(&case["output"]) {
            let (name, value) = (pair[0].as_str().unwrap(), pair[1].as_str().unwrap());
            let all: Vec<&str> =
                list(&case["output"]).iter().filter(|p| p[0] == pair[0]).map(|p| p[1].as_str().unwrap()).collect();
            match name {
                // A name without `=` is no cookie here; a stray `=` begins another name.
                "oops" => assert_eq!(cookie::find([input.as_bytes()], name).count, 0),
                // A `;` ends a cookie also between quotes: nothing hides the one behind it.
                "b" if value == "\";" => {
                    assert_eq!(cookie::find([input.as_bytes()], name).first, Some(&b"\"\\\""[..]));
                }
                _ => check(&[&input], name, if all[0] == value { value } else { all[0] }),
            }
        }
    }
    assert_eq!(seen, 65);
}

/// Tomcat: a `=` in a value belongs to it, and a `$Version` changes nothing. It drops a quoted value with a space in
/// it; here the value stands as it came, and no session has such a name.
#[test]
fn cookies_as_tomcat_reads_them() {
    let Some(file) = vectors("cookies/tomcat_cookie_parsing.json") else { return };
    for case in list(&file) {
        if case["mode"].as_str().is_some_and(|mode| mode.contains("cookiesWithoutEquals=name")) {
            continue;
        }
        let expected = case["expected_concat"].as_str().unwrap();
        for field in list(&case["cookie_headers"]).iter().map(|field| field.as_str().unwrap()) {
            let name = if field.contains("bob") { "bob" } else { "name" };
            let found = cookie::find([field.as_bytes()], name);
            match field {
                "bob" | "=bob" => assert_eq!(found.count, 0, "{field}"),
                quoted if quoted.starts_with("$Version") => {
                    assert!(found.first.unwrap().starts_with(b"\"val"), "{field}");
                    assert_eq!(cookie::find([field.as_bytes()], "$Version").count, 1);
                }
                _ => {
                    let value = String::from_utf8(found.first.unwrap().to_vec()).unwrap();
                    assert!(expected.contains(&format!("{name}={value}")), "{field}: {value}");
                }
            }
        }
    }
}

const POLICY: &str = r#"
[engine]
name = "Naughty"
state = ":memory:"
schemes = ["basic", "bearer", "api-key", "client-cert"]
[proxies]
trusted = ["127.0.0.1"]
scheme = "X-Forwarded-Proto"
host = "X-Forwarded-Host"
certificate = "Client-Cert"
[identity]
subject = "X-Auth-Subject"
[password]
memory_kib = 8
iterations = 1
[[certificate]]
subject = "CN=billing"
user = "billing"
[[issuer]]
name = "accounts"
issuer = "https://accounts.example.com"
audience = "orders"
algorithms = "HS256"
keys = { secret_file = "accounts.secret" }
[[route]]
path = "/{*all}"
"#;

/// Target, host, method, header fields.
type Place<'a> = (&'a [u8], &'a [u8], &'a [u8], &'a [Header<'a>]);

/// Every string that broke other programs, in every place of a request that takes one: refused, never let in, and
/// nothing of it comes back in a header.
#[test]
fn naughty_strings_anywhere_in_a_request_are_refused_in_order() {
    let Some(file) = vectors("strings/blns.json") else { return };
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let loaded = gatepost::policy::parse(POLICY, Path::new("policy.toml"), &folder).unwrap();
    let engine = Engine::new(loaded, Options::default());
    engine.start().unwrap();
    let strings = list(&file);
    for text in strings.iter().map(|text| text.as_str().unwrap()) {
        let bearer = format!("Bearer {text}");
        let basic = format!("Basic {text}");
        let (bytes, path) = (text.as_bytes(), format!("/{text}"));
        let field = |name: &'static str, value| Header { name: name.as_bytes(), value };
        let places: [Place<'_>; 14] = [
            (bytes, b"h.example", b"GET", &[]),
            (path.as_bytes(), b"h.example", b"GET", &[]),
            (b"/", bytes, b"GET", &[]),
            (b"/", b"h.example", bytes, &[]),
            (b"/", b"h.example", b"GET", &[field("Authorization", bytes)]),
            (b"/", b"h.example", b"GET", &[field("Authorization", bearer.as_bytes())]),
            (b"/", b"h.example", b"GET", &[field("Authorization", basic.as_bytes())]),
            (b"/", b"h.example", b"GET", &[field("X-API-Key", bytes)]),
            (b"/", b"h.example", b"GET", &[field("Cookie", bytes)]),
            (b"/", b"h.example", b"GET", &[field("X-Forwarded-For", bytes)]),
            (b"/", b"h.example", b"GET", &[field("X-Forwarded-Proto", bytes), field("X-Forwarded-Host", bytes)]),
            (b"/", b"h.example", b"GET", &[field("Client-Cert", bytes)]),
            (b"/", b"h.example", b"POST", &[field("Origin", bytes), field("Sec-Fetch-Site", bytes)]),
            (b"/", b"h.example", b"GET", &[Header { name: bytes, value: bytes }, field("Connection", bytes)]),
        ];
        for (i, (target, host, method, headers)) in places.into_iter().enumerate() {
            let request =
                Request { target, host, method, headers, peer: b"127.0.0.1", request_id: bytes, ..Request::default() };
            let decision = engine.decide(&request).unwrap();
            assert_eq!(decision.action, Action::Deny, "{i}: {text:?}");
            assert!((400..=431).contains(&decision.status), "{i}: {text:?}: {}", decision.status);
            let upstream = decision.upstream();
            let entries = decision.response.iter().chain(&*upstream);
            for entry in entries {
                assert!(entry.value.bytes().all(|b| (0x20..0x7F).contains(&b)), "{i}: {text:?}: {entry:?}");
            }
            let body: Value = serde_json::from_slice(&decision.body).unwrap();
            assert_eq!(body["status"], decision.status, "{i}: {text:?}");
        }
    }
    assert_eq!(strings.len(), 515);
}
