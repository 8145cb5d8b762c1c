//! What is kept answers as what is made anew.

use std::path::Path;

use data_encoding::BASE64URL_NOPAD as B64;
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::answer::identity::with;
use crate::policy;
use crate::token::{self, Keyring, Trust};

const NOW: i64 = 1_790_000_000;
const SECRET: &[u8] = b"kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";

const POLICY: &str = r#"
[identity]
issuer = "X-Issuer"
subject = "X-Subject"
roles = "X-Roles"
scopes = "X-Scopes"
scheme = "X-Scheme"
[[role]]
name = "clerk"
permissions = ["orders:read"]
[[role]]
name = "admin"
includes = ["clerk"]
permissions = ["*"]
[[issuer]]
name = "one"
issuer = "https://one"
audience = ["a"]
algorithms = ["HS256"]
keys = { secret_file = "secret.key" }
claims = { roles = "roles" }
[[issuer]]
name = "two"
issuer = "https://two"
audience = ["a"]
algorithms = ["HS256"]
keys = { secret_file = "secret.key" }
claims = { roles = "roles" }
grants = ["clerk"]
"#;

fn policy() -> Policy {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
    let text = format!("[engine]\nname = \"A\"\nstate = \":memory:\"\n{POLICY}");
    let loaded = policy::parse(&text, Path::new("gatepost.toml"), folder.path());
    loaded.map_err(|problems| policy::diagnostic::render(&problems, &text, false)).unwrap().policy
}

/// A token with these claims as they are written here.
fn verified(policy: &Policy, issuer: &str, claims: &str) -> Verified {
    let part = |text: &str| B64.encode(text.as_bytes());
    let payload = format!("{{\"iss\":\"https://{issuer}\",\"aud\":\"a\",\"sub\":\"sam\",\"exp\":{}{claims}}}", NOW + 9);
    let signed = format!("{}.{}", part(r#"{"alg":"HS256"}"#), part(&payload));
    let tag = Hmac::<sha2::Sha256>::new_from_slice(SECRET).unwrap().chain_update(&signed).finalize().into_bytes();
    let keys = Keyring::new(&policy.issuers);
    let trust = Trust { issuers: &policy.issuers, keys: &keys, leeway: 0 };
    token::verify(&format!("{signed}.{}", B64.encode(&tag)), &trust, NOW).unwrap()
}

/// What is kept of an entry by those who ask.
struct Gave {
    rights: Arc<Rights>,
    said: Arc<Said>,
}

fn gave(entry: &Entry) -> Gave {
    Gave { rights: Arc::clone(&entry.rights), said: Arc::clone(&entry.said) }
}

fn both(given: &Given, policy: &Policy, issuer: &str, claims: &str) -> [Gave; 2] {
    let verified = verified(policy, issuer, claims);
    let issuer = &policy.issuers[verified.issuer];
    let anew = gave(&Entry::new(&verified, verified.giving(), issuer, policy));
    [given.of(&verified, issuer, policy, gave), anew]
}

#[test]
fn rights_are_made_once_for_tokens_that_say_the_same() {
    let (policy, given) = (policy(), Given::new());
    let of = |issuer: &str, claims: &str| {
        let [kept, fresh] = both(&given, &policy, issuer, claims);
        assert_eq!(kept.rights, fresh.rights, "{issuer} {claims}");
        kept
    };
    let one = of("one", r#","roles":["admin"],"scope":"a b","jti":"1""#);
    let again = of("one", r#","scope":"a b","jti":"2","roles":["admin"]"#);
    assert!(Arc::ptr_eq(&one.rights, &again.rights) && Arc::ptr_eq(&one.said, &again.said));
    assert_eq!(
        (&one.rights.roles[..], &one.rights.scopes[..]),
        (&["admin".into(), "clerk".into()][..], &["a".into(), "b".into()][..])
    );
    // Another issuer may give less; an array is no string; what is in one claim is not in another; nothing is not empty.
    for (issuer, claims) in [
        ("two", r#","roles":["admin"],"scope":"a b""#),
        ("one", r#","roles":"[\"admin\"]","scope":"a b""#),
        ("one", r#","roles":["admin"],"scope":["a b"]"#),
        ("one", r#","roles":"a b","scope":"[\"admin\"]""#),
        ("one", r#","roles":["admin"],"amr":["a","b"]"#),
        ("one", r#","roles":["admin"],"scope":"""#),
        ("one", r#","roles":["admin"]"#),
        ("one", r#","roles":["admin" ],"scope":"a b""#),
        ("one", ""),
    ] {
        assert!(!Arc::ptr_eq(&one.rights, &of(issuer, claims).rights), "{issuer} {claims}");
    }
    assert!(of("two", r#","roles":["admin"]"#).rights.roles.is_empty());
    assert_eq!(of("two", r#","roles":["clerk"]"#).rights.roles, ["clerk"]);
}

#[test]
fn headers_have_the_subject_in_its_place() {
    let (policy, given) = (policy(), Given::new());
    let [entry, _] = both(&given, &policy, "one", r#","roles":["admin"],"scope":"a b""#);
    let of = |subject: &str| -> Vec<(String, String)> {
        with(&entry.said, subject).iter().map(|entry| (entry.name.to_string(), entry.value.to_string())).collect()
    };
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let rest = [pair("X-Roles", "admin,clerk"), pair("X-Scopes", "a b"), pair("X-Scheme", "bearer")];
    let issuer = pair("X-Issuer", "https://one");
    assert_eq!(of("s,m"), [&[issuer.clone(), pair("X-Subject", "s%2Cm")][..], &rest].concat());
    assert_eq!(of("eve"), [&[issuer.clone(), pair("X-Subject", "eve")][..], &rest].concat());
    assert_eq!(of(""), [&[issuer][..], &rest].concat());
}

#[test]
fn what_is_long_is_not_kept() {
    let (policy, given) = (policy(), Given::new());
    for (length, is_kept) in [(LONGEST, true), (LONGEST + 1, false)] {
        let claims = format!(",\"scope\":\"{}\"", "x".repeat(length));
        let [one, _] = both(&given, &policy, "one", &claims);
        let [two, fresh] = both(&given, &policy, "one", &claims);
        assert_eq!((Arc::ptr_eq(&one.rights, &two.rights), &two.rights), (is_kept, &fresh.rights));
    }
}

proptest! {
    #[test]
    fn what_is_kept_equals_what_is_made_anew(tokens in prop::collection::vec((0..2_usize, 0..6_usize, 0..6_usize, 0..3_usize), 1..40)) {
        let (policy, given) = (policy(), Given::new());
        let roles = [Value::Null, json!(["admin"]), json!("admin"), json!(["clerk", "x"]), json!([]), json!("clerk")];
        let scopes = [Value::Null, json!("a b"), json!(["a", "b"]), json!(""), json!("b a"), json!(["a b"])];
        let factors = [Value::Null, json!(["pwd"]), json!(["otp", "pwd"])];
        for (issuer, role, scope, factor) in tokens {
            let claims: String = [("roles", &roles[role]), ("scope", &scopes[scope]), ("amr", &factors[factor])]
                .iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(name, value)| format!(",\"{name}\":{value}"))
                .collect();
            let [kept, fresh] = both(&given, &policy, ["one", "two"][issuer], &claims);
            prop_assert_eq!(&kept.rights, &fresh.rights);
            prop_assert_eq!(with(&kept.said, "sam"), with(&fresh.said, "sam"));
        }
    }
}
