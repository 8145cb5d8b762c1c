//! Bytes of every kind: never a panic, never a token that was not made with the key.

use super::*;
use proptest::prelude::*;

#[test]
fn every_flipped_bit_of_a_good_token_is_refused() {
    let token = mint(&header(), &good());
    let issuers = [issuer()];
    assert!(verify(&token, &issuers, NOW, LEEWAY).is_ok());
    let mut tried = 0;
    for at in 0..token.len() {
        for bit in 0..8 {
            let mut bytes = token.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            // What is no UTF-8 cannot be handed in at all.
            let Ok(changed) = String::from_utf8(bytes) else { continue };
            assert!(verify(&changed, &issuers, NOW, LEEWAY).is_err(), "byte {at}, bit {bit}");
            tried += 1;
        }
    }
    assert_eq!(tried, token.len() * 7);
}

#[test]
fn every_cut_and_lengthened_token_is_refused() {
    let token = mint(&header(), &good());
    let issuers = [issuer()];
    for at in 0..token.len() {
        assert!(verify(&token[..at], &issuers, NOW, LEEWAY).is_err());
        assert!(verify(&token[at + 1..], &issuers, NOW, LEEWAY).is_err());
        for more in ["A", ".", "=", "\0", "-"] {
            let mut longer = token.clone();
            longer.insert_str(at, more);
            assert!(verify(&longer, &issuers, NOW, LEEWAY).is_err());
        }
    }
}

/// Any JSON value, nested a little.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!(NOW)),
        Just(json!("orders")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_refused(text in ".{0,300}") {
        prop_assert!(verify(&text, &[issuer()], NOW, LEEWAY).is_err());
    }

    #[test]
    fn any_three_parts_are_refused(header: Vec<u8>, payload: Vec<u8>, signature: Vec<u8>) {
        let parts = [header, payload, signature].map(|part| BASE64URL_NOPAD.encode(&part));
        prop_assert!(verify(&parts.join("."), &[issuer()], NOW, LEEWAY).is_err());
    }

    #[test]
    fn any_signed_parts_never_panic(header: Vec<u8>, payload: Vec<u8>, now: i64, leeway: i64) {
        prop_assert!(verify(&sign_raw(&header, &payload, Hs256, SECRET), &[issuer()], now, leeway).is_err());
    }

    #[test]
    fn a_good_token_with_any_other_signature_is_refused(signature in prop::collection::vec(any::<u8>(), 0..80)) {
        let token = mint(&header(), &good());
        let (signed, right) = token.rsplit_once('.').unwrap();
        let other = BASE64URL_NOPAD.encode(&signature);
        prop_assume!(other != right);
        prop_assert_eq!(reason(&format!("{signed}.{other}")), Reason::TokenSignature);
    }

    #[test]
    fn any_value_of_any_claim_is_judged_without_a_panic(
        name in "iss|sub|aud|exp|nbf|iat|jti|auth_time|amr|scope|roles|sid|cnf|.{0,5}",
        value in any_json(),
        now in prop_oneof![Just(NOW), any::<i64>()],
    ) {
        let token = mint(&header(), &with(&name, value));
        if let Ok(verified) = verify(&token, &[issuer()], now, LEEWAY) {
            prop_assert!(!verified.subject().is_empty());
            let names = [verified.subject()].into_iter().chain(verified.roles()).chain(verified.scopes());
            prop_assert!(names.into_iter().all(|name| !name.chars().any(char::is_control)));
            prop_assert!(now < verified.expires_at() + 1 + LEEWAY);
        }
    }

    #[test]
    fn any_header_member_is_judged_without_a_panic(name in "alg|kid|typ|crit|b64|zip|jwk|cty|.{0,4}", value in any_json()) {
        let mut head = header();
        head[&name] = value;
        let signed = mint(&head, &good());
        let forged = sign_raw(head.to_string().as_bytes(), good().to_string().as_bytes(), Hs256, OTHER);
        let _ = verify(&signed, &[issuer()], NOW, LEEWAY);
        prop_assert!(verify(&forged, &[issuer()], NOW, LEEWAY).is_err());
    }
}
