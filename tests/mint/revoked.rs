//! Tokens to be revoked.

use serde_json::{Value, json};

use super::{OTHER, T, claims, good, header, signed};

/// The token of this name.
pub fn token(name: &str) -> Option<String> {
    Some(match name {
        "first_of_session" => good(&[("jti", json!("a1")), ("sid", json!("s1"))]),
        "second_of_session" => good(&[("jti", json!("b1")), ("sid", json!("s1"))]),
        "of_another_session" => good(&[("jti", json!("c1")), ("sid", json!("s2"))]),
        "jti_of_another_case" => good(&[("jti", json!("A1")), ("sid", json!("S1"))]),
        "jti_written_with_an_escape" => {
            super::texts(&header().to_string(), &super::twice("\"jti\":\"\\u00611\",\"sid\":\"s3\""))
        }
        "jti_as_sid" => good(&[("jti", json!("s1")), ("sid", json!("a1"))]),
        "without_jti" => good(&[("scope", json!("orders:write"))]),
        "without_jti_too" => good(&[("scope", json!("orders:list"))]),
        "issued_later" => good(&[("iat", json!(T - 10)), ("jti", json!("d1"))]),
        "issued_now" => good(&[("iat", json!(T)), ("jti", json!("e1"))]),
        "issued_at_no_time" => good(&[("iat", Value::Null), ("jti", json!("f1"))]),
        "of_another_person" => good(&[("sub", json!("u-18")), ("jti", json!("g1"))]),
        "revoked_and_expired" => good(&[("jti", json!("h1")), ("exp", json!(T - 3_600))]),
        "revoked_for_others" => good(&[("jti", json!("i1")), ("aud", json!("billing"))]),
        "revoked_and_bound" => good(&[("jti", json!("j1")), ("cnf", json!({"x5t#S256": "A".repeat(43)}))]),
        "of_staff" => staff("alice", "a1"),
        "of_staff_in_capitals" => staff("Alice", "k1"),
        "of_staff_bob" => staff("bob", "l1"),
        "forged_with_jti" => signed(header(), claims(&[("jti", json!("a1"))]), OTHER),
        _ => return None,
    })
}

/// A token of the second issuer, whose subjects are local users.
fn staff(subject: &str, jti: &str) -> String {
    good(&[("iss", json!("https://staff.example.com")), ("sub", json!(subject)), ("jti", json!(jti))])
}
