//! Credential forms, keys and JSON against data that others made, through what the crate exports.
//!
//! The data is not part of the project: GATEPOST_VECTORS names its folder, or it lies in `../shared/vectors`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::PathBuf;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use gatepost::credential::authorization::Authorization;
use gatepost::credential::{basic, cookie};
use gatepost::crypto::algorithm::Algorithm;
use gatepost::crypto::key::{Key, KeySet, Origin, Rules};
use gatepost::json;
use gatepost::token::{self, Keyring, Refused, Trust, Verified};
use serde_json::Value;

fn bytes(name: &str) -> Vec<u8> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let path = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, PathBuf::from).join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; set GATEPOST_VECTORS", path.display()))
}

fn cases(name: &str) -> Vec<Value> {
    serde_json::from_slice(&bytes(name)).unwrap()
}

/// Name and password of a Basic field value, or `None` for everything else.
fn read_basic(value: &str) -> Option<(String, String)> {
    match Authorization::parse(value.as_bytes()) {
        Ok(Authorization::Basic(rest)) => {
            let mut room = basic::Room::new();
            let basic = basic::parse(rest.as_bytes(), &mut room).ok()?;
            Some((basic.name.to_owned(), String::from_utf8(basic.password.to_vec()).unwrap()))
        }
        _ => None,
    }
}

fn pair(name: &Value, password: &Value) -> Option<(String, String)> {
    Some((name.as_str()?.to_owned(), password.as_str()?.to_owned()))
}

/// Where this project reads a Basic value otherwise than another one, and why.
const BASIC_DIFFERENCES: &[(&str, &str)] = &[
    ("Basic Og==", "Go accepts an empty user name; here it is refused, as Tomcat does: it can name nobody"),
    ("Basic dXNlcmlkOnNlY3JldA", "Tomcat accepts base64 without its padding; here each value has one spelling"),
    ("Basic  dXNlcmlkOnNlY3JldA==", "Tomcat refuses two spaces; RFC 9110 section 11.4 has one or more"),
    (
        "Basic dXNlcmlkOnNlY3JldA==    ",
        "Tomcat refuses spaces at the end; RFC 9110 section 5.5 does not count them to the value",
    ),
];

/// Compares, and holds the list of differences to be exact.
fn compare_basic(value: &str, expected: Option<(String, String)>, differing: &mut Vec<String>) {
    let got = read_basic(value);
    if BASIC_DIFFERENCES.iter().any(|(known, _)| *known == value) {
        assert_ne!(got, expected, "{value:?} is no difference any more");
        differing.push(value.to_owned());
    } else {
        assert_eq!(got, expected, "{value:?}");
    }
}

#[test]
fn basic_as_go_tomcat_and_werkzeug_read_it() {
    if is_absent("basic_as_go_tomcat_and_werkzeug_read_it") {
        return;
    }
    let mut differing = Vec::new();
    for case in cases("http_auth/go_parse_basic_auth.json") {
        let expected = if case["ok"] == true { pair(&case["username"], &case["password"]) } else { None };
        compare_basic(case["authorization"].as_str().unwrap(), expected, &mut differing);
    }
    for case in cases("http_auth/tomcat_basic_parser.json") {
        let expected = if case["expect"] == "accept" { pair(&case["username"], &case["password"]) } else { None };
        compare_basic(case["authorization"].as_str().unwrap(), expected, &mut differing);
    }
    let mut seen = 0;
    for case in cases("http_auth/werkzeug_recorded.json") {
        let (Some(input), true) = (case["input"].as_str(), case["op"] == "Authorization.from_header") else { continue };
        let is_basic = case["output"]["type"] == "basic";
        let parameters = &case["output"]["parameters"];
        let expected = if is_basic { pair(&parameters["username"], &parameters["password"]) } else { None };
        compare_basic(input, expected, &mut differing);
        seen += 1;
    }
    assert!(seen >= 15, "{seen}");
    differing.sort();
    differing.dedup();
    assert_eq!(differing.len(), BASIC_DIFFERENCES.len(), "a listed difference has no case");
}

#[test]
fn basic_examples_of_rfc_7617() {
    if is_absent("basic_examples_of_rfc_7617") {
        return;
    }
    let texts: Vec<String> = cases("http_auth/rfc7617_examples.json")
        .iter()
        .map(|c| c["text"].as_str().unwrap().trim().to_owned())
        .collect();
    let values: Vec<&str> = texts.iter().filter_map(|text| text.strip_prefix("Authorization: ")).collect();
    let read: Vec<_> = values.into_iter().map(|value| read_basic(value).unwrap()).collect();
    let pairs = [("Aladdin", "open sesame"), ("test", "123\u{a3}")];
    assert_eq!(read, pairs.map(|(name, password)| (name.to_owned(), password.to_owned())));
}

/// The cases of one Authorization field; where Spring looks into forms and queries, this project never does.
#[test]
fn bearer_as_spring_resolves_it() {
    if is_absent("bearer_as_spring_resolves_it") {
        return;
    }
    let mut seen = 0;
    for case in cases("http_auth/spring_bearer_resolver.json") {
        let headers = case["headers"].as_array().unwrap();
        let has_parameters = !case["params"].as_array().unwrap().is_empty();
        if headers.is_empty() || has_parameters {
            continue;
        }
        let value = headers[0][1].as_str().unwrap();
        let got = Authorization::parse(value.as_bytes());
        match case["expect"].as_str().unwrap() {
            "token" => assert_eq!(got, Ok(Authorization::Bearer(case["token"].as_str().unwrap())), "{value}"),
            // A word that is no token is the token's fault, not the field's.
            "error" => match got {
                Err(_) => {}
                Ok(Authorization::Bearer(word)) => {
                    let refused = verify(word).unwrap_err();
                    assert_eq!(refused.reason, gatepost::reason::Reason::TokenMalformed, "{value}");
                }
                Ok(other) => panic!("{value}: {other:?}"),
            },
            "none" => assert!(matches!(got, Ok(Authorization::Basic(_))), "{value}"),
            other => panic!("{other}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 7);
}

/// Headers of large sites: the count of each name is what a plain split gives, the first value the first.
#[test]
fn cookies_of_large_sites_are_found() {
    if is_absent("cookies_of_large_sites_are_found") {
        return;
    }
    let mut seen = 0;
    let headers: Value = serde_json::from_slice(&bytes("cookies/jshttp_top-cookie.json")).unwrap();
    for header in headers.as_object().unwrap().values().filter_map(Value::as_str) {
        let pairs: Vec<(&str, &str)> = header.split("; ").filter_map(|pair| pair.split_once('=')).collect();
        for (name, _) in &pairs {
            let same: Vec<&str> = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| *value).collect();
            let found = cookie::find([header.as_bytes()], name);
            assert_eq!(found.count, same.len(), "{name}");
            assert_eq!(found.first, Some(same[0].trim().trim_end_matches(';').as_bytes()), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen}");
}

/// The known public secrets are refused through the key itself, with an error that does not repeat them.
#[test]
fn known_public_secrets_make_no_key() {
    if is_absent("known_public_secrets_make_no_key") {
        return;
    }
    let list = bytes("jwt_secrets/jwt.secrets.list");
    let long: Vec<&[u8]> = list.split(|&b| b == b'\n').filter(|line| line.len() >= 32).collect();
    assert!(long.len() > 1900);
    for line in long {
        let error = Key::from_secret(None, line, &[Algorithm::Hs256]).unwrap_err();
        assert!(!error.0.contains(&*String::from_utf8_lossy(line)));
    }
}

/// Wycheproof's and the RFCs' key sets with shared secrets, as an operator would give them.
#[test]
fn oct_keys_of_rfc_7515_7517_and_7520() {
    if is_absent("oct_keys_of_rfc_7515_7517_and_7520") {
        return;
    }
    let load = |name: &str, algorithms: &[Algorithm]| {
        KeySet::from_jwks(&bytes(&format!("jose_rfc/latchset/{name}")), &rules(algorithms))
    };
    assert_eq!(load("rfc7515_A.1.jwk", &[Algorithm::Hs256, Algorithm::Hs512]).unwrap().len(), 1);
    assert_eq!(first(&load("rfc7520_3.5.jwk", &[Algorithm::Hs256]).unwrap()).algorithms(), [Algorithm::Hs256]);
    // RFC 7520 section 3.6 is a key for encryption, RFC 7517 A.1 and A.2 hold public and private keys.
    for other in ["rfc7520_3.6.jwk", "rfc7517_A.1.jwkset", "rfc7517_A.2.jwkset", "rfc7515_A.2.jwk", "rfc7515_A.3.jwk"] {
        let error = load(other, &[Algorithm::Hs256]).unwrap_err();
        assert!(error.0.contains("no key of the set can verify HS256"), "{other}: {error}");
    }
    // RFC 7517 A.3: one key to wrap others with, one of 64 octets that is too short for none.
    let keys = load("rfc7517_A.3.jwkset", &[Algorithm::Hs256]).unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(first(&keys).kid.as_deref(), Some("HMACkeyusedinJWSspecAppendixA.1example"));
}

/// Wycheproof's long keys count from zero: a pattern that no issuer should use.
const PATTERNS: [u64; 3] = [13, 14, 15];

/// Wycheproof: sets with a short or empty key, a kid twice, keys for encryption, secrets beside public keys.
#[test]
fn wycheproof_json_web_key_sets_with_oct_keys() {
    if is_absent("wycheproof_json_web_key_sets_with_oct_keys") {
        return;
    }
    let file: Value = serde_json::from_slice(&bytes("wycheproof/json_web_key_test.json")).unwrap();
    let (mut good, mut refused) = (0, 0);
    for group in file["testGroups"].as_array().unwrap() {
        let set = group.get("private").or(group.get("public")).unwrap();
        if !set.to_string().contains(r#""oct""#) {
            continue;
        }
        let algorithms = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];
        let keys = KeySet::from_jwks(set.to_string().as_bytes(), &rules(&algorithms));
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let (signed, tag) = test["jws"].as_str().unwrap().rsplit_once('.').unwrap();
            let tag = BASE64URL_NOPAD.decode(tag.as_bytes()).unwrap();
            let verified =
                keys.iter().flat_map(KeySet::iter).any(|key| key.verify(key.algorithms()[0], signed.as_bytes(), &tag));
            assert_eq!(verified, test["result"] == "valid" && !PATTERNS.contains(&id), "{id}: {}", test["comment"]);
            if verified { good += 1 } else { refused += 1 }
        }
    }
    assert_eq!((good, refused), (1, 14));
}

/// JSONTestSuite, each text by itself and as a member of an object: what must be refused is, and what must be accepted
/// is, unless a name stands there twice.
#[test]
fn json_test_suite() {
    if is_absent("json_test_suite") {
        return;
    }
    let (mut accepted, mut refused) = (0, 0);
    for case in cases("json/nst_JSONTestSuite_test_parsing.json") {
        let name = case["name"].as_str().unwrap();
        let text = BASE64.decode(case["b64"].as_str().unwrap().as_bytes()).unwrap();
        let member = [b"{\"v\":", text.as_slice(), b"}"].concat();
        match case["expect"].as_str().unwrap() {
            "accept" => {
                assert_eq!(json::object(&member).is_ok(), !name.contains("duplicated_key"), "{name}");
                assert_eq!(json::Object::read(member).is_ok(), !name.contains("duplicated_key"), "{name}");
                accepted += 1;
            }
            "reject" => {
                assert!(json::object(&member).is_err() && json::object(&text).is_err(), "{name}");
                assert!(json::Object::read(member).is_err() && json::Object::read(text).is_err(), "{name}");
                refused += 1;
            }
            // Implementations may differ; ours must agree.
            _ => assert_eq!(json::object(&member).is_ok(), json::Object::read(member).is_ok(), "{name}"),
        }
    }
    assert!(accepted > 90 && refused > 180, "{accepted} {refused}");
}

fn rules(algorithms: &[Algorithm]) -> Rules<'_> {
    Rules { algorithms, strict: false, origin: Origin::File }
}

fn first(keys: &KeySet) -> &Key {
    keys.iter().next().unwrap()
}

fn verify(token: &str) -> Result<Verified, Refused> {
    token::verify(token, &Trust { issuers: &[], keys: &Keyring::default(), leeway: 0 }, 0)
}

/// There is no folder of vectors: said plainly on standard error, past the capture of test output.
fn is_absent(what: &str) -> bool {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, std::path::PathBuf::from);
    if !folder.exists() {
        let line = format!("NOT RUN: {what}: no {}; set GATEPOST_VECTORS to the vectors\n", folder.display());
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }
    !folder.exists()
}
