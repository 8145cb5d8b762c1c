//! Public failures of other token libraries, each as the test that would have caught it.

use super::*;
use data_encoding::BASE64;

/// RFC 8410 section 10.1.
const SPKI: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";

/// libjwt 200 and 33, CVE-2026-107724, CVE-2024-37568: tokens MACed with the public key's own text.
#[test]
fn algorithm_confusion_with_public_key_text_as_hmac_key() {
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{SPKI}\n-----END PUBLIC KEY-----");
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"}"#;
    let texts = [
        pem.as_bytes().to_vec(),
        BASE64.decode(SPKI.as_bytes()).unwrap(),
        jwk.as_bytes().to_vec(),
        SPKI.as_bytes().to_vec(),
    ];
    for text in texts {
        for ending in [&b""[..], b"\n", b"\r\n", b"\n\n"] {
            let secret = [&text, ending].concat();
            for algorithm in [Hs256, Hs384, Hs512] {
                // As configuration it is refused; as a token's MAC key it fits nothing.
                assert!(Key::from_secret(None, &secret, &[algorithm]).is_err());
                let header = json!({"alg": algorithm.name()}).to_string();
                let token = sign_raw(header.as_bytes(), good().to_string().as_bytes(), algorithm, &secret);
                let asymmetric = Issuer {
                    algorithms: vec![Algorithm::Rs256, Algorithm::EdDsa],
                    sources: sourced(Vec::new()),
                    ..issuer()
                };
                assert_eq!(refusal(&token, asymmetric).reason, Reason::TokenAlgorithm);
                let symmetric = Issuer { algorithms: vec![Hs256, Hs384, Hs512], ..issuer() };
                let expected = if algorithm == Hs256 { Reason::TokenSignature } else { Reason::TokenAlgorithm };
                assert_eq!(refusal(&token, symmetric).reason, expected);
            }
        }
    }
}

/// CVE-2026-44699: an RSA key stood for an HMAC key of no bytes.
#[test]
fn tokens_maced_with_nothing_or_zero_bytes_are_refused() {
    for length in [0, 1, 31, 32, 48, 64, 128] {
        for algorithm in [Hs256, Hs384, Hs512] {
            let header = json!({"alg": algorithm.name()}).to_string();
            let token = sign_raw(header.as_bytes(), good().to_string().as_bytes(), algorithm, &vec![0; length]);
            let all = Issuer {
                algorithms: vec![Hs256, Hs384, Hs512],
                sources: sourced(vec![key(None, SECRET, &[Hs256, Hs384, Hs512])]),
                ..issuer()
            };
            assert_eq!(refusal(&token, all).reason, Reason::TokenSignature);
        }
    }
}

/// libjwt c948840: the pin was never compared with the token. Each pin against each algorithm of the family.
#[test]
fn downgrade_and_upgrade_within_a_family_are_refused() {
    for pinned in [Hs256, Hs384, Hs512] {
        for asked in [Hs256, Hs384, Hs512] {
            let header = json!({"alg": asked.name()}).to_string();
            let token = sign_raw(header.as_bytes(), good().to_string().as_bytes(), asked, SECRET);
            let by_policy = Issuer {
                algorithms: vec![pinned],
                sources: sourced(vec![key(None, SECRET, &[Hs256, Hs384, Hs512])]),
                ..issuer()
            };
            let by_key = Issuer {
                algorithms: vec![Hs256, Hs384, Hs512],
                sources: sourced(vec![key(None, SECRET, &[pinned])]),
                ..issuer()
            };
            for pinned_issuer in [by_policy, by_key] {
                if asked == pinned {
                    assert!(verify(&token, &[pinned_issuer], NOW, LEEWAY).is_ok());
                } else {
                    assert_eq!(refusal(&token, pinned_issuer).reason, Reason::TokenAlgorithm, "{pinned:?} {asked:?}");
                }
            }
        }
    }
}

/// libjwt 096082e: `none` skipped the key and succeeded.
#[test]
fn alg_none_in_any_spelling_with_and_without_signature() {
    let right = mint(&header(), &good());
    let signature = right.rsplit('.').next().unwrap();
    for alg in
        ["none", "None", "nOnE", "NONE", "none ", "", "HS256 ", "hs256", "Hs256", "HS256\u{0}", "RS256", "HS1", "dir"]
    {
        let head = BASE64URL_NOPAD.encode(json!({"alg": alg}).to_string().as_bytes());
        let body = BASE64URL_NOPAD.encode(good().to_string().as_bytes());
        for signature in ["", signature] {
            assert_eq!(reason(&format!("{head}.{body}.{signature}")), Reason::TokenAlgorithm, "{alg:?}");
        }
        assert_eq!(reason(&format!("{head}.{body}")), Reason::TokenMalformed);
        let signed = sign_raw(json!({"alg": alg}).to_string().as_bytes(), good().to_string().as_bytes(), Hs256, SECRET);
        assert_eq!(reason(&signed), Reason::TokenAlgorithm, "{alg:?}");
    }
}

#[test]
fn a_missing_or_mistyped_alg_kid_or_typ_is_malformed() {
    assert_eq!(reason(&mint(&json!({"typ": "JWT"}), &good())), Reason::TokenMalformed);
    for wrong in [json!(null), json!(1), json!(true), json!(["HS256"]), json!({"HS256": 1})] {
        for name in ["alg", "kid", "typ"] {
            let mut head = header();
            head[name] = wrong.clone();
            assert_eq!(reason(&mint(&head, &good())), Reason::TokenMalformed, "{name} {wrong}");
        }
    }
}

#[test]
fn a_signature_that_was_cut_off_is_refused() {
    let token = mint(&header(), &good());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    assert_eq!(reason(&format!("{signed}.")), Reason::TokenSignature);
    for length in 1..signature.len() {
        assert!(
            [Reason::TokenSignature, Reason::TokenMalformed]
                .contains(&reason(&format!("{signed}.{}", &signature[..length])))
        );
    }
}

/// CVE-2024-51744: of several errors only "expired" was looked at.
#[test]
fn a_bad_signature_and_expired_is_a_bad_signature() {
    let claims = with("exp", json!(NOW - 9999)).to_string();
    assert_eq!(
        reason(&sign_raw(header().to_string().as_bytes(), claims.as_bytes(), Hs256, OTHER)),
        Reason::TokenSignature
    );
}

/// CVE-2025-30204, CVE-2025-27144: splitting at every dot let a stranger allocate.
#[test]
fn a_megabyte_of_dots_costs_nothing() {
    let detail = |token: &str| verify(token, &[issuer()], NOW, LEEWAY).unwrap_err().detail;
    for unit in [".", "a.", "..a", "e30.e30."] {
        let dots = unit.repeat(1_000_000 / unit.len());
        assert_eq!(reason(&dots), Reason::TokenMalformed);
        // What is longer than a token may be is not looked at: the length alone is told.
        assert!(detail(&dots).contains("octets; at most 16384 are read"), "{}", detail(&dots));
        assert_eq!(reason(&dots[..jws::MAX_LENGTH]), Reason::TokenMalformed);
        // In pieces of any number only three are looked at.
        assert_eq!(detail(&dots[..jws::MAX_LENGTH]), "it is not three parts with two dots");
    }
}

#[test]
fn a_token_of_more_than_16_kib_is_malformed() {
    let of = |fill: usize| mint(&header(), &with("x", json!("x".repeat(fill))));
    let most = (11_000..13_000).rev().find(|fill| of(*fill).len() <= jws::MAX_LENGTH).unwrap();
    assert!(verify(&of(most), &[issuer()], NOW, LEEWAY).is_ok());
    assert_eq!(reason(&of(most + 3)), Reason::TokenMalformed);
}

/// CVE-2024-28180, CVE-2024-28122, GHSA-2c7c-3mj9-8fqh: encrypted and compressed tokens that inflate, PBES2 counts.
#[test]
fn encrypted_and_compressed_tokens_are_not_read() {
    let jwe =
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "zip": "DEF", "p2c": 2_147_483_648u64, "p2s": "AAAA"});
    let head = BASE64URL_NOPAD.encode(jwe.to_string().as_bytes());
    assert_eq!(reason(&format!("{head}.AAAA.AAAA.AAAA.AAAA")), Reason::TokenMalformed);
    assert_eq!(reason(&mint(&jwe, &good())), Reason::TokenAlgorithm);
    // `zip` has no meaning in a JWS: the payload is what was signed, byte by byte.
    let zipped = sign_raw(br#"{"alg":"HS256","zip":"DEF"}"#, b"\xab\x56\xca\x2c\x2e\x56\xb2\x52", Hs256, SECRET);
    assert_eq!(reason(&zipped), Reason::TokenMalformed);
}

/// CVE-2018-0114: the key that came with the token was believed.
#[test]
fn keys_embedded_in_the_header_are_never_used() {
    let own = json!({"kty": "oct", "k": BASE64URL_NOPAD.encode(OTHER), "alg": "HS256"});
    for (name, value) in [
        ("jwk", own),
        ("jku", json!("https://evil.example.com/jwks.json")),
        ("x5u", json!("https://evil.example.com/cert.pem")),
        ("x5c", json!([SPKI])),
        ("x5t", json!("AAAA")),
    ] {
        let mut head = header();
        head[name] = value;
        let forged = sign_raw(head.to_string().as_bytes(), good().to_string().as_bytes(), Hs256, OTHER);
        assert_eq!(reason(&forged), Reason::TokenSignature, "{name}");
        assert!(verify(&mint(&head, &good()), &[issuer()], NOW, LEEWAY).is_ok(), "{name} has no say either way");
    }
}

/// liboauth2 2.2.2: the kid became part of a URL. Here it is compared and nothing else.
#[test]
fn a_kid_is_only_compared() {
    let named = || Issuer { sources: sourced(vec![key(Some("k1"), SECRET, &[Hs256])]), ..issuer() };
    for kid in ["../../x?", "https://evil.example.com/", "k1/../k1", "/dev/null", "k1;", "k1\n", "%6b1"] {
        let token = mint(&json!({"alg": "HS256", "kid": kid}), &good());
        assert_eq!(refusal(&token, named()).reason, Reason::TokenKeyUnknown);
    }
}

#[test]
fn critical_extensions_and_unencoded_payloads_are_malformed() {
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!(null)),
        ("crit", json!("x")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("b64", json!(null)),
    ] {
        let mut head = header();
        head[name] = value;
        assert_eq!(reason(&mint(&head, &good())), Reason::TokenMalformed, "{head}");
    }
}

/// GHSA-wcvh-g65p-v576: only the signature was checked. jsonwebtoken 493: an absent claim passed an expected value.
#[test]
fn tokens_without_or_for_another_audience_and_without_exp_or_iss_are_refused() {
    assert_eq!(reason_of(&with("aud", json!("elsewhere"))), Reason::TokenAudience);
    assert_eq!(reason_of(&without("aud")), Reason::TokenAudience);
    assert_eq!(reason_of(&without("iss")), Reason::TokenIssuer);
    assert_eq!(reason_of(&without("exp")), Reason::TokenClaim);
    assert_eq!(reason_of(&without("sub")), Reason::TokenClaim);
}

/// OWASP CheatSheetSeries 2242: one token in several spellings slipped past a list of hashes. There is one spelling.
#[test]
fn each_token_has_one_spelling() {
    let token = mint(&header(), &good());
    let parts: Vec<&str> = token.split('.').collect();
    for at in 0..3 {
        for spelled in [
            format!("{}=", parts[at]),
            format!("{}==", parts[at]),
            format!("{}\n", parts[at]),
            format!(" {}", parts[at]),
            parts[at].replacen('A', "A ", 1) + " ",
        ] {
            let mut changed: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
            changed[at] = spelled;
            assert_eq!(reason(&changed.join(".")), Reason::TokenMalformed);
        }
    }
    // A 32-byte tag ends in a character of which two bits are spare.
    let last = token.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for other in alphabet.chars().filter(|c| *c != last) {
        let reason = reason(&format!("{}{other}", &token[..token.len() - 1]));
        assert!(matches!(reason, Reason::TokenMalformed | Reason::TokenSignature));
    }
}

#[test]
fn duplicate_members_are_malformed_at_any_depth_also_when_spelled_with_escapes() {
    let payload = |extra: &str| good().to_string().replacen('{', &format!("{{{extra},"), 1);
    for extra in [
        r#""iss":"https://accounts.example.com""#,
        r#""\u0069ss":"x""#,
        r#""sub":"admin""#,
        r#""\u0073ub":"admin""#,
        r#""exp":1"#,
        r#""x":{"a":1,"a":2}"#,
        r#""x":[{"a":1,"\u0061":2}]"#,
    ] {
        let token = sign_raw(header().to_string().as_bytes(), payload(extra).as_bytes(), Hs256, SECRET);
        assert_eq!(reason(&token), Reason::TokenMalformed, "{extra}");
    }
    for head in [
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","\u0061lg":"none"}"#,
        r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
    ] {
        let token = sign_raw(head.as_bytes(), good().to_string().as_bytes(), Hs256, SECRET);
        assert_eq!(reason(&token), Reason::TokenMalformed, "{head}");
    }
}

#[test]
fn nesting_trailing_bytes_and_bad_text_in_either_part_are_malformed() {
    let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    for text in [
        "",
        "null",
        "[]",
        "\"x\"",
        "1",
        "{",
        "{}{}",
        "{} x",
        "{\"a\":\"\\ud800\"}",
        "\u{feff}{}",
        &deep(17),
        &deep(2000),
    ] {
        let payload = sign_raw(header().to_string().as_bytes(), text.as_bytes(), Hs256, SECRET);
        assert_eq!(reason(&payload), Reason::TokenMalformed, "{text}");
        let head = sign_raw(text.as_bytes(), good().to_string().as_bytes(), Hs256, SECRET);
        assert_eq!(reason(&head), Reason::TokenMalformed, "{text}");
    }
    let latin = sign_raw(header().to_string().as_bytes(), b"{\"iss\":\"\xe9\"}", Hs256, SECRET);
    assert_eq!(reason(&latin), Reason::TokenMalformed);
    // Inside an otherwise good token the claims object is itself one level.
    let inside = |levels: usize| with("x", serde_json::from_str(&deep(levels)).unwrap());
    accepted(&inside(15));
    assert_eq!(reason_of(&inside(16)), Reason::TokenMalformed);
}

/// kjdev 0.14.1: one token changed what held for the next. Nothing is kept between two calls.
#[test]
fn a_forged_token_after_a_good_one_is_still_refused() {
    let issuers = [issuer()];
    let good_token = mint(&header(), &good());
    let forged = sign_raw(header().to_string().as_bytes(), good().to_string().as_bytes(), Hs256, OTHER);
    for _ in 0..3 {
        assert!(verify(&good_token, &issuers, NOW, LEEWAY).is_ok());
        assert_eq!(verify(&forged, &issuers, NOW, LEEWAY).unwrap_err().reason, Reason::TokenSignature);
    }
    // liboauth2 2.3.0: a remembered result outlived the token.
    assert_eq!(verify(&good_token, &issuers, NOW + 600 + LEEWAY, LEEWAY).unwrap_err().reason, Reason::TokenExpired);
}

/// CVE-2022-29226: that a token was there counted as one that was good.
#[test]
fn garbage_is_no_token() {
    for garbage in
        ["", ".", "..", "...", "a.b.c", "null", "{}", "eyJhbGciOiJIUzI1NiJ9", "e30.e30.", "gp_x", "\u{0}", "é.é.é"]
    {
        assert_eq!(reason(garbage), Reason::TokenMalformed, "{garbage}");
    }
}
