//! Types and values of claims, each kind of wrong for each claim.

use super::*;

/// CVE-2026-25537: a claim of the wrong type was treated as absent. Every registered claim with every other type.
#[test]
fn claims_of_the_wrong_type_are_refused_never_ignored() {
    let values = [
        json!("text"),
        json!(1.5),
        json!(true),
        json!(null),
        json!(["a"]),
        json!([1]),
        json!([]),
        json!({"a": 1}),
        json!({}),
        json!(1e300),
        json!(-1),
        json!(0),
        json!(""),
        json!(["a", null]),
        json!(-0.5),
        json!(253_402_300_800u64),
        json!(u64::MAX),
        json!(i64::MIN),
    ];
    for value in &values {
        let is_text = value.as_str().is_some_and(|text| !text.is_empty());
        let is_strings = value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
        let is_date = value.as_f64().is_some_and(|date| (0.0..=253_402_300_799.0).contains(&date));
        let expect = |name: &str, expected: Option<Reason>| {
            let token = mint(&header(), &with(name, value.clone()));
            let got = verify(&token, &[issuer()], NOW, LEEWAY).err().map(|refused| refused.reason);
            assert_eq!(got, expected, "{name} {value}");
        };
        let unless = |good: bool, reason| if good { None } else { Some(reason) };
        expect("iss", Some(Reason::TokenIssuer));
        expect("sub", unless(is_text, Reason::TokenClaim));
        expect("exp", Some(if is_date { Reason::TokenExpired } else { Reason::TokenClaim }));
        expect("nbf", unless(is_date, Reason::TokenClaim));
        expect("iat", unless(is_date, Reason::TokenClaim));
        expect("auth_time", unless(is_date, Reason::TokenClaim));
        expect("jti", unless(value.is_string(), Reason::TokenClaim));
        expect("sid", unless(value.is_string(), Reason::TokenClaim));
        expect("amr", unless(is_strings, Reason::TokenClaim));
        expect("roles", unless(is_strings || value.is_string(), Reason::TokenClaim));
        expect("scope", unless(is_strings || value.is_string(), Reason::TokenClaim));
        let readable = is_strings || value.is_string();
        expect("aud", Some(if readable { Reason::TokenAudience } else { Reason::TokenClaim }));
        expect("cnf", Some(if value.is_object() { Reason::TokenBinding } else { Reason::TokenClaim }));
    }
}

/// The other half of the matrix: each registered claim twice.
#[test]
fn registered_claims_that_stand_twice_are_malformed() {
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "amr", "scope", "roles", "sid", "cnf"] {
        let text = with(name, json!("x")).to_string();
        let escaped = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        for second in [name, &escaped] {
            let doubled = text.replacen('{', &format!("{{\"{second}\":\"y\","), 1);
            let token = sign_raw(header().to_string().as_bytes(), doubled.as_bytes(), Hs256, SECRET);
            assert_eq!(reason(&token), Reason::TokenMalformed, "{doubled}");
        }
    }
}

#[test]
fn now_is_before_exp_and_leeway_and_fractions_count() {
    let at = |exp: Value| {
        verify(&mint(&header(), &with("exp", exp)), &[issuer()], NOW, LEEWAY)
            .map(|v| v.expires_at())
            .map_err(|e| e.reason)
    };
    assert_eq!(at(json!(NOW - LEEWAY)), Err(Reason::TokenExpired));
    assert_eq!(at(json!(NOW - LEEWAY + 1)), Ok(NOW - LEEWAY + 1));
    assert_eq!(at(json!((NOW - LEEWAY) as f64 + 0.25)), Ok(NOW - LEEWAY));
    assert_eq!(at(json!((NOW - LEEWAY) as f64 - 0.25)), Err(Reason::TokenExpired));
    assert_eq!(at(json!(253_402_300_799u64)), Ok(253_402_300_799));
    assert_eq!(at(json!(253_402_300_799.5)), Err(Reason::TokenClaim));
    assert_eq!(at(json!(253_402_300_800u64)), Err(Reason::TokenClaim));
    let exponent = good().to_string().replace(&(NOW + 600).to_string(), "1.7900006e9");
    let token = sign_raw(header().to_string().as_bytes(), exponent.as_bytes(), Hs256, SECRET);
    assert_eq!(verify(&token, &[issuer()], NOW, 0).unwrap().expires_at(), NOW + 600);
    assert_eq!(verify(&mint(&header(), &good()), &[issuer()], i64::MAX, i64::MAX).map(|_| ()), Ok(()));
    assert_eq!(
        verify(&mint(&header(), &with("exp", json!(NOW))), &[issuer()], NOW, -5).unwrap_err().reason,
        Reason::TokenExpired
    );
}

#[test]
fn nbf_and_iat_are_at_most_now_and_leeway() {
    for name in ["nbf", "iat"] {
        accepted(&with(name, json!(NOW + LEEWAY)));
        accepted(&with(name, json!((NOW + LEEWAY) as f64 - 0.5)));
        accepted(&with(name, json!(0)));
        assert_eq!(reason_of(&with(name, json!((NOW + LEEWAY) as f64 + 0.25))), Reason::TokenNotYetValid);
        assert_eq!(reason_of(&with(name, json!(NOW + LEEWAY + 1))), Reason::TokenNotYetValid);
        accepted(&without(name));
    }
}

#[test]
fn any_audience_of_the_policy_is_enough_and_compared_exactly() {
    for aud in [json!("orders"), json!("billing"), json!(["x", "orders"]), json!(["billing"])] {
        accepted(&with("aud", aud));
    }
    for aud in [
        json!("Orders"),
        json!("orders "),
        json!("orders,billing"),
        json!(["x"]),
        json!([]),
        json!(""),
        json!("order"),
        json!("orders2"),
    ] {
        assert_eq!(reason_of(&with("aud", aud)), Reason::TokenAudience);
    }
    assert_eq!(reason_of(&with("aud", json!(["orders", 1]))), Reason::TokenClaim);
}

#[test]
fn the_type_is_none_jwt_or_at_jwt_unless_the_policy_says_otherwise() {
    let typed = |types: &[&str], typ: Option<&str>| {
        let head = typ.map_or(json!({"alg": "HS256"}), |typ| json!({"alg": "HS256", "typ": typ}));
        let issuer = Issuer { types: types.iter().map(|t| t.to_string()).collect(), ..issuer() };
        verify(&mint(&head, &good()), &[issuer], NOW, LEEWAY).map(|_| ()).map_err(|e| e.reason)
    };
    for typ in [
        None,
        Some("JWT"),
        Some("jwt"),
        Some("at+jwt"),
        Some("AT+JWT"),
        Some("application/at+jwt"),
        Some("Application/JWT"),
    ] {
        assert_eq!(typed(&[], typ), Ok(()), "{typ:?}");
    }
    for typ in [
        "",
        "JOSE",
        "dpop+jwt",
        "logout+jwt",
        "text/jwt",
        "application/",
        "application/application/jwt",
        "jwt ",
        "at+jwt;x",
        "at_jwt",
    ] {
        assert_eq!(typed(&[], Some(typ)), Err(Reason::TokenType), "{typ:?}");
    }
    for typ in ["at+jwt", "At+Jwt", "application/AT+JWT"] {
        assert_eq!(typed(&["at+jwt"], Some(typ)), Ok(()));
        assert_eq!(typed(&["x", "application/at+jwt"], Some(typ)), Ok(()));
    }
    assert_eq!(typed(&["at+jwt"], Some("JWT")), Err(Reason::TokenType));
    assert_eq!(typed(&["at+jwt"], None), Err(Reason::TokenType));
}

#[test]
fn required_claims_must_be_there_and_not_null() {
    let demanding = || Issuer { require: vec!["sub".into(), "jti".into(), "org.unit".into()], ..issuer() };
    let mut claims = good();
    claims["jti"] = json!("1");
    claims["org"] = json!({"unit": 0});
    assert!(verify(&mint(&header(), &claims), &[demanding()], NOW, LEEWAY).is_ok());
    for (name, value) in
        [("jti", json!(null)), ("org", json!({"unit": null})), ("org", json!({})), ("org", json!("unit"))]
    {
        let mut claims = claims.clone();
        claims[name] = value;
        assert_eq!(refusal(&mint(&header(), &claims), demanding()).reason, Reason::TokenClaim);
    }
    assert_eq!(refusal(&mint(&header(), &good()), demanding()).reason, Reason::TokenClaim);
}

#[test]
fn control_characters_in_subject_role_scope_or_factor_are_refused() {
    for control in (0u32..0x20).chain(0x7f..=0x9f).filter_map(char::from_u32) {
        let bad = format!("a{control}b");
        assert_eq!(reason_of(&with("sub", json!(bad))), Reason::TokenClaim, "{control:?}");
        for name in ["roles", "scope", "amr"] {
            assert_eq!(reason_of(&with(name, json!([bad]))), Reason::TokenClaim, "{name} {control:?}");
        }
        assert_eq!(reason_of(&with("roles", json!(bad))), Reason::TokenClaim);
        assert_eq!(reason_of(&with("scope", json!(bad))), Reason::TokenClaim);
    }
    assert_eq!(accepted(&with("sub", json!("Zoë\u{a0}\u{2028}名"))).subject(), "Zoë\u{a0}\u{2028}名");
}

#[test]
fn roles_are_an_array_or_one_name_and_scopes_an_array_or_split_at_spaces() {
    assert_eq!(
        accepted(&with("roles", json!("clerk admin"))).roles().as_slice(),
        ["clerk admin"],
        "one string is one name"
    );
    assert_eq!(accepted(&with("roles", json!([]))).roles().len(), 0);
    assert_eq!(accepted(&with("scope", json!(["a b", "c"]))).scopes().as_slice(), ["a b", "c"]);
    assert_eq!(accepted(&with("scope", json!(""))).scopes().len(), 0);
    assert_eq!(accepted(&good()).scopes().len(), 0);
    let without_roles = Issuer { claims: ClaimNames { roles: None, ..issuer().claims }, ..issuer() };
    let token = mint(&header(), &with("roles", json!(["admin"])));
    assert_eq!(
        verify(&token, &[without_roles], NOW, LEEWAY).unwrap().roles().len(),
        0,
        "no roles unless the policy names a claim"
    );
}

#[test]
fn a_claim_name_is_first_an_exact_member_then_a_dotted_path() {
    let value = json!({"a.b": 1, "a": {"b": 2, "c": {"d": 3}, "": 5}, "x": {"y.z": 4}, "n": null, "l": [{"b": 1}]});
    let claims = json::Object::read(value.to_string().into_bytes()).unwrap();
    let claim = |name: &str| claims.find(name).map(json::Raw::value);
    assert_eq!(claim("a.b"), Some(json!(1)));
    assert_eq!(claim("a.c.d"), Some(json!(3)));
    assert_eq!(claim("a."), Some(json!(5)));
    assert_eq!(claim("n"), Some(json!(null)));
    for missing in ["x.y.z", "a.c.d.e", "l.0.b", "l.b", "", ".", "a..b", ".a", "b", "A.b", "n.x"] {
        assert_eq!(claim(missing), None, "{missing}");
    }
    let nested = Issuer {
        require: Vec::new(),
        claims: ClaimNames {
            subject: "user.id".into(),
            roles: Some("realm_access.roles".into()),
            scopes: "https://x.example/scp".into(),
        },
        ..issuer()
    };
    let mut claims = without("sub");
    claims["user"] = json!({"id": "alice"});
    claims["realm_access"] = json!({"roles": ["clerk"]});
    claims["https://x.example/scp"] = json!("a b");
    let verified = verify(&mint(&header(), &claims), &[nested], NOW, LEEWAY).unwrap();
    assert_eq!(
        (&*verified.subject(), verified.roles().as_slice(), verified.scopes().as_slice()),
        ("alice", &["clerk".into()][..], &["a".into(), "b".into()][..])
    );
}
