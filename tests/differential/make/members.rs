//! Mutations of members: header and claims as values.

use serde_json::{Value, json};

use super::Act::Members;
use super::{AUDIENCE, Draft, LEEWAY, Mutation, Signer, url};
use crate::keys::ALGORITHMS;
use crate::random::Random;

/// Values that are no string.
fn no_string(random: &mut Random) -> Value {
    random.pick(&[json!(7), json!(null), json!(true), json!([]), json!({}), json!(["x"]), json!(1.5)]).clone()
}

/// Values that are no time.
fn no_time(random: &mut Random, good: i64) -> Value {
    let text = json!(good.to_string());
    random.pick(&[text, json!(null), json!(true), json!([good]), json!({}), json!("soon"), json!("")]).clone()
}

fn header(draft: &mut Draft<'_>, name: &str, value: Value) {
    draft.header.insert(name.to_owned(), value);
}

fn claim(draft: &mut Draft<'_>, name: &str, value: Value) {
    draft.claims.insert(name.to_owned(), value);
}

pub const ALL: &[Mutation] = &[
    // Header.
    ("typ JWT", Members(|d, r| header(d, "typ", json!(r.word(&["JWT", "jwt", "Jwt"]))))),
    ("typ at+jwt", Members(|d, r| header(d, "typ", json!(r.word(&["at+jwt", "AT+JWT", "application/at+jwt"]))))),
    (
        "typ of another kind",
        Members(|d, r| {
            header(d, "typ", json!(r.word(&["dpop+jwt", "logout+jwt", "JOSE", "secevent+jwt", "", "JWT "])));
        }),
    ),
    (
        "typ no string",
        Members(|d, r| {
            let v = no_string(r);
            header(d, "typ", v);
        }),
    ),
    (
        "kid missing",
        Members(|d, _| {
            d.header.remove("kid");
        }),
    ),
    (
        "kid unknown",
        Members(|d, r| header(d, "kid", json!(r.word(&["", "nobody", "../../x", "own-es256", "own-ES256\u{0}"])))),
    ),
    (
        "kid of another key",
        Members(|d, r| {
            let other = r.pick(&ALGORITHMS);
            if *other != d.algorithm {
                let kid = d.keys.own(*other).kid.clone();
                header(d, "kid", json!(kid));
            }
        }),
    ),
    (
        "kid no string",
        Members(|d, r| {
            let v = no_string(r);
            header(d, "kid", v);
        }),
    ),
    (
        "alg of another key",
        Members(|d, r| {
            let other = r.pick(&ALGORITHMS);
            if *other != d.algorithm {
                header(d, "alg", json!(other.name()));
            }
        }),
    ),
    ("alg none", Members(|d, r| header(d, "alg", json!(r.word(&["none", "None", "nOnE", "NONE"]))))),
    (
        "alg in other letters",
        Members(|d, _| {
            let v = json!(d.algorithm.name().to_lowercase());
            header(d, "alg", v);
        }),
    ),
    (
        "alg unknown",
        Members(|d, r| {
            header(d, "alg", json!(r.word(&["", "HS1", "ES256K", "dir", "A128KW", "HS256 ", "PBES2-HS256+A128KW"])))
        }),
    ),
    (
        "alg no string",
        Members(|d, r| {
            let v = no_string(r);
            header(d, "alg", v);
        }),
    ),
    (
        "alg missing",
        Members(|d, _| {
            d.header.remove("alg");
        }),
    ),
    ("alg Ed25519", Members(|d, _| header(d, "alg", json!("Ed25519")))),
    (
        "alg HS with a public key as secret",
        Members(|d, r| {
            let texts = d.keys.own(d.algorithm).texts();
            d.signed_by = Some(Signer::Secret(r.pick(&texts).clone()));
            header(d, "alg", json!(r.word(&["HS256", "HS384", "HS512"])));
            if r.below(2) == 0 {
                d.header.remove("kid");
            }
        }),
    ),
    (
        "crit of something unknown",
        Members(|d, r| {
            header(d, "crit", r.pick(&[json!(["x"]), json!(["exp"]), json!(["alg"]), json!(["x", "x"])]).clone());
            header(d, "x", json!(1));
        }),
    ),
    ("crit that names nothing there", Members(|d, _| header(d, "crit", json!(["y"])))),
    (
        "crit empty or no list",
        Members(|d, r| header(d, "crit", r.pick(&[json!([]), json!(null), json!("x"), json!({}), json!([1])]).clone())),
    ),
    (
        "crit b64 true",
        Members(|d, _| {
            header(d, "crit", json!(["b64"]));
            header(d, "b64", json!(true));
        }),
    ),
    (
        "crit b64 false",
        Members(|d, _| {
            header(d, "crit", json!(["b64"]));
            header(d, "b64", json!(false));
        }),
    ),
    ("b64 false alone", Members(|d, _| header(d, "b64", json!(false)))),
    ("b64 true alone", Members(|d, _| header(d, "b64", json!(true)))),
    (
        "own key in jwk, signed by it",
        Members(|d, r| {
            let jwk = d.keys.stranger(d.algorithm).jwk();
            if r.below(2) == 0 {
                header(d, "kid", jwk["kid"].clone());
            }
            header(d, "jwk", jwk);
            d.signed_by = Some(Signer::Stranger);
        }),
    ),
    (
        "jwk, jku, x5u, x5c without meaning",
        Members(|d, r| {
            let jwk = d.keys.stranger(d.algorithm).jwk();
            let (name, value) = r
                .pick(&[
                    ("jwk", jwk),
                    ("jku", json!("https://evil.example.com/jwks")),
                    ("x5u", json!("https://evil.example.com/x")),
                    ("x5c", json!(["AAAA"])),
                    ("x5t", json!("AAAA")),
                ])
                .clone();
            header(d, name, value);
        }),
    ),
    (
        "jwk, jku, x5u, x5c of the wrong type",
        Members(|d, r| header(d, r.word(&["jwk", "jku", "x5u", "x5c"]), json!(7))),
    ),
    (
        "unknown header member",
        Members(|d, r| {
            header(
                d,
                "x",
                r.pick(&[json!(null), json!(1e300), json!({"a": [1, {"b": {}}]}), json!("\u{1f600}\u{0}\n")]).clone(),
            )
        }),
    ),
    ("cty", Members(|d, _| header(d, "cty", json!("JWT")))),
    ("zip", Members(|d, _| header(d, "zip", json!("DEF")))),
    ("enc", Members(|d, _| header(d, "enc", json!("A256GCM")))),
    // Claims that are missing.
    (
        "exp missing",
        Members(|d, _| {
            d.claims.remove("exp");
        }),
    ),
    (
        "aud missing",
        Members(|d, _| {
            d.claims.remove("aud");
        }),
    ),
    (
        "iss missing",
        Members(|d, _| {
            d.claims.remove("iss");
        }),
    ),
    (
        "sub missing",
        Members(|d, _| {
            d.claims.remove("sub");
        }),
    ),
    (
        "iat or jti missing",
        Members(|d, r| {
            d.claims.remove(r.word(&["iat", "jti"]));
        }),
    ),
    // Of the wrong type.
    (
        "exp no number",
        Members(|d, r| {
            let v = no_time(r, d.now + 3_600);
            claim(d, "exp", v);
        }),
    ),
    (
        "nbf no number",
        Members(|d, r| {
            let v = no_time(r, d.now - 600);
            claim(d, "nbf", v);
        }),
    ),
    (
        "iat no number",
        Members(|d, r| {
            let v = no_time(r, d.now - 600);
            claim(d, "iat", v);
        }),
    ),
    (
        "sub no string",
        Members(|d, r| {
            let v = no_string(r);
            claim(d, "sub", v);
        }),
    ),
    ("sub empty", Members(|d, _| claim(d, "sub", json!("")))),
    ("sub with a control character", Members(|d, _| claim(d, "sub", json!("a\nb")))),
    (
        "jti no string",
        Members(|d, r| {
            let v = no_string(r);
            claim(d, "jti", v);
        }),
    ),
    (
        "iss no string",
        Members(|d, r| {
            let v = no_string(r);
            claim(d, "iss", v);
        }),
    ),
    (
        "iss in a list",
        Members(|d, _| {
            let v = json!([url(d.issuer())]);
            claim(d, "iss", v);
        }),
    ),
    (
        "aud no string and no list",
        Members(|d, r| {
            claim(d, "aud", r.pick(&[json!(7), json!(null), json!(true), json!({}), json!({"orders": 1})]).clone())
        }),
    ),
    (
        "aud a list of strings and others",
        Members(|d, r| {
            claim(
                d,
                "aud",
                r.pick(&[json!([AUDIENCE, 7]), json!([null, AUDIENCE]), json!([[AUDIENCE], AUDIENCE])]).clone(),
            )
        }),
    ),
    // With other values.
    (
        "aud a list with it",
        Members(|d, r| {
            claim(d, "aud", r.pick(&[json!([AUDIENCE]), json!(["x", AUDIENCE]), json!([AUDIENCE, AUDIENCE])]).clone())
        }),
    ),
    (
        "aud another",
        Members(|d, r| {
            claim(
                d,
                "aud",
                r.pick(&[
                    json!("order"),
                    json!("orders2"),
                    json!("Orders"),
                    json!(""),
                    json!([]),
                    json!(["order", "s"]),
                    json!("x orders"),
                    json!(" orders"),
                ])
                .clone(),
            );
        }),
    ),
    (
        "iss another",
        Members(|d, r| {
            let own = url(d.issuer());
            let other = r
                .pick(&[
                    format!("{own}/"),
                    own.to_uppercase(),
                    own[..own.len() - 1].to_owned(),
                    format!("{own}\n"),
                    String::new(),
                ])
                .clone();
            claim(d, "iss", json!(other));
        }),
    ),
    (
        "expired",
        Members(|d, r| {
            let v = d.now - *r.pick(&[86_400, 3_600, 300]);
            claim(d, "exp", json!(v));
        }),
    ),
    (
        "exp within or at the leeway",
        Members(|d, r| {
            let v = d.now - LEEWAY + *r.pick(&[-1, 0, 1]);
            claim(d, "exp", json!(v));
            d.on_the_second = true;
        }),
    ),
    (
        "exp within the leeway by a fraction",
        Members(|d, r| {
            let v = (d.now - LEEWAY) as f64 + r.pick(&[-0.5, 0.25, 0.5]);
            claim(d, "exp", json!(v));
            d.on_the_second = true;
        }),
    ),
    (
        "exp with a fraction",
        Members(|d, _| {
            let v = d.now as f64 + 600.5;
            claim(d, "exp", json!(v));
        }),
    ),
    (
        "exp out of sense",
        Members(|d, r| {
            claim(d, "exp", r.pick(&[json!(1e300), json!(253_402_300_800_i64), json!(u64::MAX), json!(1e19)]).clone())
        }),
    ),
    (
        "exp negative or zero",
        Members(|d, r| claim(d, "exp", r.pick(&[json!(-1), json!(0), json!(-1e300), json!(i64::MIN)]).clone())),
    ),
    (
        "nbf past",
        Members(|d, _| {
            let v = d.now - 600;
            claim(d, "nbf", json!(v));
        }),
    ),
    (
        "nbf ahead",
        Members(|d, r| {
            let v = d.now + *r.pick(&[86_400, 300]);
            claim(d, "nbf", json!(v));
        }),
    ),
    (
        "nbf at the leeway",
        Members(|d, r| {
            let v = d.now + LEEWAY + *r.pick(&[-1, 0, 1]);
            claim(d, "nbf", json!(v));
            d.on_the_second = true;
        }),
    ),
    (
        "nbf out of sense",
        Members(|d, r| claim(d, "nbf", r.pick(&[json!(-1), json!(1e300), json!(u64::MAX), json!(-1e300)]).clone())),
    ),
    (
        "iat ahead",
        Members(|d, r| {
            let v = d.now + *r.pick(&[86_400, 300]);
            claim(d, "iat", json!(v));
        }),
    ),
    (
        "iat at the leeway",
        Members(|d, r| {
            let v = d.now + LEEWAY + *r.pick(&[-1, 0, 1]);
            claim(d, "iat", json!(v));
            d.on_the_second = true;
        }),
    ),
    ("iat out of sense", Members(|d, r| claim(d, "iat", r.pick(&[json!(-1), json!(-1e300)]).clone()))),
    (
        "roles or scope of another type",
        Members(|d, r| {
            claim(d, r.word(&["roles", "scope"]), r.pick(&[json!(7), json!({}), json!([1]), json!(true)]).clone())
        }),
    ),
    ("cnf no object", Members(|d, r| claim(d, "cnf", r.pick(&[json!(7), json!("x"), json!(null), json!([])]).clone()))),
    (
        "unknown claims",
        Members(|d, r| {
            for name in ["x", "https://example.com/x", "a.b", ""] {
                claim(
                    d,
                    name,
                    r.pick(&[
                        json!(null),
                        json!(1.5),
                        json!(u64::MAX),
                        json!("\u{e9}\u{1f600}\"\\"),
                        json!({"a": [{}]}),
                    ])
                    .clone(),
                );
            }
        }),
    ),
];
