//! What a request is answered with, against data that others made: challenges, and credentials of schemes that are not
//! offered.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod tools;

use std::collections::BTreeMap;

use gatepost::answer::challenge::{self, Details, Said, Tokens};
use gatepost::credential::authorization::{Authorization, is_joined};
use gatepost::identity::Scheme;
use gatepost::reason::Reason;
use proptest::prelude::*;
use regex::Regex;
use tools::vectors::{list, vectors};

/// A challenge: scheme in lower case, parameters with names in lower case.
type Challenge = (String, BTreeMap<String, String>);

/// The challenges of one field (RFC 9110 section 11.6.1), read strictly and independently of what writes them; `None`
/// where it is not one. A scheme with a token68 has it under the name "".
fn challenges(field: &str) -> Option<Vec<Challenge>> {
    let token = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    let parameter =
        Regex::new(&format!(r#"^({token})[ \t]*=[ \t]*(?:({token})|"((?:[^"\\]|\\.)*)")[ \t]*(?:,|$)"#)).unwrap();
    let word = Regex::new(&format!(r"^({token})(?:[ ]+|[ \t]*(,|$))")).unwrap();
    let token68 = Regex::new(r"^([A-Za-z0-9._~+/-]+=*)[ \t]*(?:,|$)").unwrap();
    let escape = Regex::new(r"\\(.)").unwrap();
    let mut all: Vec<Challenge> = Vec::new();
    let mut rest = field.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        if let (Some(found), Some((_, parameters))) = (parameter.captures(rest), all.last_mut()) {
            let quoted = found.get(3).map(|value| escape.replace_all(value.as_str(), "$1"));
            let value = found.get(2).map_or_else(|| quoted.unwrap().into_owned(), |value| value.as_str().to_owned());
            if parameters.insert(found[1].to_ascii_lowercase(), value).is_some() {
                return None;
            }
            rest = rest[found[0].len()..].trim_start();
            continue;
        }
        let found = word.captures(rest)?;
        all.push((found[1].to_ascii_lowercase(), BTreeMap::new()));
        rest = rest[found[0].len()..].trim_start();
        let alone = found.get(2).is_some();
        if let (false, None, Some(found)) = (alone, parameter.captures(rest), token68.captures(rest)) {
            all.last_mut().unwrap().1.insert(String::new(), found[1].to_owned());
            rest = rest[found[0].len()..].trim_start();
        }
    }
    Some(all)
}

/// Challenges that others wrote, read by the reader that then judges ours.
#[test]
fn challenges_of_greenbytes_the_rfcs_and_werkzeug_are_read() {
    let Some(file) = vectors("http_auth/greenbytes_www_authenticate.json") else { return };
    let mut judged = 0;
    for case in list(&file) {
        let id = case["name"].as_str().unwrap();
        // A folded line, octets beyond ASCII and escapes that the collection lost are not the reader's.
        if ["simplebasiclf", "simplebasicrealmsqc2", "multibasicqs"].contains(&id) {
            continue;
        }
        let fields = list(&case["fields"]).iter().map(|field| field["latin1"].as_str().unwrap());
        let read: Option<Vec<Challenge>> = fields
            .map(|field| challenges(field.strip_prefix("WWW-Authenticate:").unwrap_or(field)))
            .collect::<Option<Vec<_>>>()
            .map(|all| all.concat());
        let basic = read.as_ref().and_then(|all| all.iter().find(|(scheme, _)| scheme == "basic"));
        let realm = basic.and_then(|(_, parameters)| parameters.get("realm")).map(String::as_str);
        match (id, case["cls"].as_str().unwrap()) {
            ("unknown", _) => assert_eq!(basic, None),
            // A quoted-string is asked for there, and a token is read all the same (section 11.2 allows both).
            ("simplebasictok" | "simplebasicsq", "invalidsyntax") => assert!(realm.is_some(), "{id}"),
            (_, "parseerror" | "invalidsyntax") => {
                assert_eq!(realm.filter(|_| id != "simplebasiccomma2"), None, "{id}")
            }
            _ => assert!(realm.is_some(), "{id}: {read:?}"),
        }
        judged += 1;
    }
    assert_eq!(judged, 26);
    let folding = Regex::new(r"\n[ \t]+").unwrap();
    let mut examples = Vec::new();
    for file in
        ["http_auth/rfc9110_examples.json", "http_auth/rfc7617_examples.json", "http_auth/rfc7616_examples.json"]
    {
        for example in list(&vectors(file).unwrap()).iter().filter_map(|case| case["text"].as_str()) {
            let unfolded = folding.replace_all(example, " ").into_owned();
            examples
                .extend(unfolded.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate: ")).map(str::to_owned));
        }
    }
    let read: Vec<Vec<Challenge>> = examples.iter().map(|field| challenges(field).unwrap()).collect();
    let schemes: Vec<Vec<&str>> =
        read.iter().map(|all| all.iter().map(|(scheme, _)| scheme.as_str()).collect()).collect();
    assert_eq!(
        schemes,
        [vec!["basic", "newauth"], vec!["basic"], vec!["basic"], vec!["digest"], vec!["digest"], vec!["digest"]]
    );
    assert_eq!(read[0][1].1["title"], "Login to \"apps\"");
    for case in list(&vectors("http_auth/werkzeug_recorded.json").unwrap()) {
        let (Some(input), true) = (case["input"].as_str(), case["op"] == "WWWAuthenticate.from_header") else {
            continue;
        };
        let Some(wanted) = case["output"]["type"].as_str() else { continue };
        let read = challenges(input).unwrap();
        assert_eq!(read[0].0, wanted, "{input}");
        for (name, value) in case["output"]["parameters"].as_object().unwrap() {
            assert_eq!(read[0].1.get(name).map(String::as_str), value.as_str(), "{input}");
        }
    }
}

/// Spring's answers to bearer tokens, and ours to the same: scheme, `realm`, `error` and `scope` agree.
/// `resource_metadata`, `error_description` and `error_uri` are not sent; a realm always is; for `invalid_request` there
/// is `invalid_token` here.
#[test]
fn bearer_challenges_as_spring_writes_them() {
    let Some(file) = vectors("http_auth/spring_bearer_challenges.json") else { return };
    let cases = list(&file);
    for case in cases {
        let error = case["error"].as_str();
        let reason = match error {
            None => Reason::CredentialsMissing,
            // A field that cannot be read is told as a token that cannot, and as a 401: only the credential is wrong.
            Some("invalid_request") => Reason::CredentialsMalformed,
            Some("invalid_token") => Reason::TokenExpired,
            Some("insufficient_scope") => Reason::ScopeMissing,
            other => panic!("{other:?}"),
        };
        let scopes = case["scope"].as_str().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        let details = Details { scopes, ..Details::default() };
        let realm = case["realm"].as_str().unwrap_or("Orders");
        let used = error.map(|_| Scheme::Bearer);
        let said = Said { realm, used, reason, details: &details, tokens: Tokens::default() };
        let ours = challenge::fields(&[Scheme::Bearer], &said);
        let [field] = ours.as_slice() else { panic!("{ours:?}") };
        let (mut wanted, got) =
            (challenges(case["www_authenticate"].as_str().unwrap()).unwrap(), challenges(field).unwrap());
        for name in ["resource_metadata", "error_description", "error_uri"] {
            wanted[0].1.remove(name);
        }
        wanted[0].1.insert("realm".into(), realm.to_owned());
        if error == Some("invalid_request") {
            wanted[0].1.insert("error".into(), "invalid_token".into());
        }
        assert_eq!(got, wanted, "{field}");
        assert!(case["status"] == reason.status() || error == Some("invalid_request"), "{field}");
    }
    assert_eq!(cases.len(), 11);
}

proptest! {
    /// Whatever realm, scopes and factors: one challenge a field, whose parameters are those that were meant.
    #[test]
    fn every_challenge_that_is_written_can_be_read(
        realm in "[ -~]{0,20}",
        scopes in prop::collection::vec("[!#-\\[\\]-~]{1,8}", 0..3),
        used in prop::sample::select(&Scheme::ALL[..]),
        at in 0..Reason::ALL.len(),
        bound_only: bool,
        proved: bool,
    ) {
        let details = Details { scopes: scopes.clone(), factors: vec!["otp".into()], max_age: Some(900) };
        let tokens = Tokens { bound_only, proofs: Some("ES256 EdDSA"), proved };
        let said = Said { realm: &realm, used: Some(used), reason: Reason::ALL[at], details: &details, tokens };
        for field in challenge::fields(&Scheme::ALL, &said) {
            let read = challenges(&field).unwrap();
            prop_assert_eq!(read.len(), 1, "{}", field);
            match read[0].0.as_str() {
                "dpop" => prop_assert_eq!(&read[0].1["algs"], "ES256 EdDSA"),
                _ => prop_assert_eq!(&read[0].1["realm"], &realm),
            }
            if let Some(scope) = read[0].1.get("scope") {
                prop_assert_eq!(scope, &scopes.join(" "));
            }
        }
    }
}

/// Digest is not offered: what curl sends is another scheme, whole, and no two fields joined.
#[test]
fn digest_credentials_are_another_scheme() {
    let Some(file) = vectors("http_auth/curl_digest_tests.json") else { return };
    let (mut digests, mut others) = (0, 0);
    for field in list(&file).iter().flat_map(|case| list(&case["authorization"])).map(|field| field.as_str().unwrap()) {
        assert!(!is_joined(field.as_bytes()), "{field}");
        match Authorization::parse(field.as_bytes()) {
            Ok(Authorization::Other(name)) if name.eq_ignore_ascii_case("digest") => digests += 1,
            Ok(_) => others += 1,
            Err(malformed) => panic!("{field}: {malformed:?}"),
        }
    }
    assert!(digests > 40, "{digests} digests, {others} others");
}
