//! The tokens of the case files, made anew: `let` of a case file holds what this makes. It signs what it is given, good
//! or not, with its own HMAC code path, and shares nothing with the code under test.

pub mod bound;
mod revoked;

use data_encoding::{BASE64, BASE64URL_NOPAD as B64};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

/// 2026-11-23T12:00:00Z, when the cases take place.
const T: i64 = 1_795_435_200;
/// `accounts.secret` without its line break.
pub const SECRET: &[u8] = b"vN3pQ8sXz2LkT7wYb5RdHc9FmJ4gUe6A";
/// A secret of somebody else.
const OTHER: &[u8] = b"Kq7RtZ1mWc5XyP9bLd3HsJ8vNf2GgT6e";

/// The token of this name.
pub fn token(name: &str) -> Option<String> {
    Some(match name {
        "good" => good(&[]),
        "no_scope_no_role" => good(&[("scope", Value::Null), ("roles", Value::Null)]),
        "writer" => good(&[("scope", json!("orders:read orders:write"))]),
        "scope_as_array" => good(&[("scope", json!(["orders:read", "orders:write"]))]),
        "scope_as_number" => good(&[("scope", json!(7))]),
        "admin" => good(&[("roles", json!(["admin"]))]),
        "admin_no_scope" => good(&[("roles", json!(["admin"])), ("scope", Value::Null)]),
        "one_role_as_string" => good(&[("roles", json!("clerk"))]),
        "roles_as_one_string" => good(&[("roles", json!("admin,clerk"))]),
        "undefined_role" => good(&[("roles", json!(["clerk", "superuser"]))]),
        "roles_of_numbers" => good(&[("roles", json!(["clerk", 7]))]),
        "named_alice" => good(&[("sub", json!("alice"))]),
        "sales" => {
            good(&[("dept", json!("sales")), ("groups", json!(["a", "b"])), ("address", json!({"country": "DE"}))])
        }
        "support" => {
            good(&[("dept", json!("support")), ("groups", json!(["ab"])), ("address", json!({"country": "FR"}))])
        }
        "dept_list" => good(&[("dept", json!(["sales"])), ("groups", json!("b"))]),
        "exact_member" => good(&[("address.country", json!("DE")), ("address", json!({"country": "FR"}))]),
        "otp_now" => good(&[("amr", json!(["pwd", "otp"])), ("auth_time", json!(T - 60))]),
        "otp_then" => good(&[("amr", json!(["pwd", "otp"])), ("auth_time", json!(T - 3_600))]),
        "pwd_now" => good(&[("amr", json!(["pwd"])), ("auth_time", json!(T - 60))]),
        "otp_admin" => {
            good(&[("amr", json!(["pwd", "otp"])), ("auth_time", json!(T - 60)), ("roles", json!(["admin"]))])
        }
        "bound" => good(&[("cnf", json!({ "jkt": B64.encode(&[7; 32]) }))]),
        "strange_subject" => good(&[("sub", json!("a,b c%ü"))]),
        "expired" => good(&[("exp", json!(T - 3_600))]),
        "expired_within_leeway" => good(&[("exp", json!(T - 29))]),
        "expired_at_leeway" => good(&[("exp", json!(T - 30))]),
        "expired_by_a_fraction" => good(&[("exp", json!(T as f64 - 29.5))]),
        "no_exp" => good(&[("exp", Value::Null)]),
        "exp_null" => raw_claim("exp", "null"),
        "exp_string" => raw_claim("exp", &format!("\"{}\"", T + 600)),
        "exp_bool" => raw_claim("exp", "true"),
        "exp_array" => raw_claim("exp", &format!("[{}]", T + 600)),
        "exp_object" => raw_claim("exp", "{}"),
        "exp_huge" => raw_claim("exp", "1e300"),
        "exp_negative" => raw_claim("exp", "-1"),
        "exp_past_the_year_9999" => raw_claim("exp", "253402300800"),
        "nbf_ahead" => good(&[("nbf", json!(T + 31))]),
        "nbf_within_leeway" => good(&[("nbf", json!(T + 30))]),
        "nbf_string" => raw_claim("nbf", "\"0\""),
        "nbf_null" => raw_claim("nbf", "null"),
        "iat_ahead" => good(&[("iat", json!(T + 31))]),
        "iat_string" => raw_claim("iat", "\"0\""),
        "other_audience" => good(&[("aud", json!("billing"))]),
        "no_audience" => good(&[("aud", Value::Null)]),
        "audience_list" => good(&[("aud", json!(["billing", "orders"]))]),
        "audience_list_of_others" => good(&[("aud", json!(["billing", "Orders"]))]),
        "audience_empty_list" => good(&[("aud", json!([]))]),
        "audience_number" => good(&[("aud", json!(7))]),
        "audience_mixed_list" => good(&[("aud", json!(["orders", 7]))]),
        "other_issuer" => good(&[("iss", json!("https://accounts.example.org"))]),
        "issuer_with_slash" => good(&[("iss", json!("https://accounts.example.com/"))]),
        "no_issuer" => good(&[("iss", Value::Null)]),
        "issuer_number" => good(&[("iss", json!(7))]),
        "issuer_list" => good(&[("iss", json!(["https://accounts.example.com"]))]),
        "no_subject" => good(&[("sub", Value::Null)]),
        "empty_subject" => good(&[("sub", json!(""))]),
        "subject_number" => good(&[("sub", json!(17))]),
        "subject_with_line_break" => good(&[("sub", json!("u-17\nX-Auth-Roles: admin"))]),
        "role_with_line_break" => good(&[("roles", json!(["clerk\r\n"]))]),
        "scope_with_control" => good(&[("scope", json!("orders:read\u{7}"))]),
        "hs384" => signed(json!({"alg": "HS384", "typ": "JWT"}), claims(&[]), SECRET),
        "hs512" => signed(json!({"alg": "HS512", "typ": "JWT"}), claims(&[]), SECRET),
        "rs256_in_name" => named_alg("RS256"),
        "alg_small" => named_alg("hs256"),
        "alg_missing" => signed(json!({"typ": "JWT"}), claims(&[]), SECRET),
        "alg_number" => signed(json!({"alg": 256}), claims(&[]), SECRET),
        "alg_none" => unsigned("none"),
        "alg_none_mixed" => unsigned("nOnE"),
        "alg_none_signed" => named_alg("none"),
        "other_secret" => signed(header(), claims(&[]), OTHER),
        "empty_secret" => signed(header(), claims(&[]), b""),
        "secret_with_line_break" => signed(header(), claims(&[]), b"vN3pQ8sXz2LkT7wYb5RdHc9FmJ4gUe6A\n"),
        "other_secret_expired" => signed(header(), claims(&[("exp", json!(T - 3_600)), ("aud", json!("x"))]), OTHER),
        "other_secret_own_jwk" => signed(
            json!({"alg": "HS256", "jwk": {"kty": "oct", "k": B64.encode(OTHER)}, "jku": "https://evil.example/keys"}),
            claims(&[]),
            OTHER,
        ),
        "own_jwk_ignored" => signed(
            json!({"alg": "HS256", "jwk": {"kty": "oct", "k": B64.encode(OTHER)}, "x5u": "https://evil.example/x"}),
            claims(&[]),
            SECRET,
        ),
        "any_kid" => signed(json!({"alg": "HS256", "kid": "../../dev/null"}), claims(&[]), SECRET),
        "kid_number" => signed(json!({"alg": "HS256", "kid": 7}), claims(&[]), SECRET),
        "changed" => {
            let token = good(&[]);
            let (_, signature) = token.rsplit_once('.')?;
            format!(
                "{}.{signature}",
                message(&header().to_string(), &claims(&[("roles", json!(["admin"]))]).to_string())
            )
        }
        "no_signature" => format!("{}.", message(&header().to_string(), &claims(&[]).to_string())),
        "cut_signature" => good(&[]).get(..good(&[]).len() - 4)?.to_owned(),
        "two_parts" => message(&header().to_string(), &claims(&[]).to_string()),
        "four_parts" => format!("{}.e30", good(&[])),
        "five_parts" => "e30.e30.e30.e30.e30".to_owned(),
        "dots" => "....................".to_owned(),
        "padded" => format!("{}=", good(&[])),
        "standard_base64" => {
            let head = BASE64.encode(br#"{"alg":"HS256","x":"???>>>~~"}"#);
            let message = format!("{head}.{}", B64.encode(claims(&[]).to_string().as_bytes()));
            format!("{message}.{}", B64.encode(&mac("HS256", SECRET, message.as_bytes())))
        }
        // The last character of a 32-octet signature carries two spare bits.
        "spare_bits" => {
            let token = good(&[]);
            let last = token.chars().last()?;
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let next = alphabet.chars().nth(alphabet.find(last)? + 1)?;
            format!("{}{next}", token.strip_suffix(last)?)
        }
        "header_no_json" => texts("alg: HS256", &claims(&[]).to_string()),
        "header_list" => texts("[]", &claims(&[]).to_string()),
        "claims_no_json" => texts(&header().to_string(), "sub=u-17"),
        "claims_list" => texts(&header().to_string(), "[]"),
        "claims_trailing" => texts(&header().to_string(), &format!("{} x", claims(&[]))),
        "header_twice" => texts(r#"{"alg":"HS256","alg":"HS256"}"#, &claims(&[]).to_string()),
        "claim_twice" => texts(&header().to_string(), &twice("\"sub\":\"u-18\"")),
        "claim_twice_escaped" => texts(&header().to_string(), &twice("\"s\\u0075b\":\"u-18\"")),
        "claim_twice_inside" => texts(&header().to_string(), &twice("\"x\":{\"a\":1,\"a\":2}")),
        "crit" => signed(json!({"alg": "HS256", "crit": ["exp"], "exp": T + 600}), claims(&[]), SECRET),
        "crit_empty" => signed(json!({"alg": "HS256", "crit": []}), claims(&[]), SECRET),
        "b64_false" => signed(json!({"alg": "HS256", "b64": false}), claims(&[]), SECRET),
        "deep" => texts(&header().to_string(), &twice(&format!("\"x\":{}{}", "[".repeat(500), "]".repeat(500)))),
        "typ_jwt" => typed("JWT"),
        "typ_small" => typed("jwt"),
        "typ_access" => typed("at+jwt"),
        "typ_access_long" => typed("application/AT+JWT"),
        "typ_dpop" => typed("dpop+jwt"),
        "typ_logout" => typed("logout+jwt"),
        "typ_number" => signed(json!({"alg": "HS256", "typ": 7}), claims(&[]), SECRET),
        name => return bound::token(name).or_else(|| revoked::token(name)),
    })
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

/// The claims of a good token with some changed; null takes one out.
fn claims(changes: &[(&str, Value)]) -> Value {
    let mut all = json!({
        "iss": "https://accounts.example.com", "aud": "orders", "sub": "u-17", "iat": T - 60, "exp": T + 600,
        "scope": "orders:read", "roles": ["clerk"],
    });
    for (name, value) in changes {
        all[*name] = value.clone();
    }
    all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    all
}

fn good(changes: &[(&str, Value)]) -> String {
    signed(header(), claims(changes), SECRET)
}

fn raw_claim(name: &str, value: &str) -> String {
    let mut rest = claims(&[]);
    rest.as_object_mut().unwrap().remove(name);
    let rest = rest.to_string();
    texts(&header().to_string(), &format!("{{\"{name}\":{value},{}", rest.strip_prefix('{').unwrap()))
}

fn twice(member: &str) -> String {
    format!("{{{member},{}", claims(&[]).to_string().strip_prefix('{').unwrap())
}

fn typed(typ: &str) -> String {
    signed(json!({"alg": "HS256", "typ": typ}), claims(&[]), SECRET)
}

/// Signed with HS256 whatever the header says.
fn named_alg(alg: &str) -> String {
    signed(json!({"alg": alg, "typ": "JWT"}), claims(&[]), SECRET)
}

fn unsigned(alg: &str) -> String {
    format!("{}.", message(&json!({"alg": alg}).to_string(), &claims(&[]).to_string()))
}

fn signed(header: Value, claims: Value, secret: &[u8]) -> String {
    let message = message(&header.to_string(), &claims.to_string());
    let alg = header["alg"].as_str().unwrap_or("HS256");
    format!("{message}.{}", B64.encode(&mac(alg, secret, message.as_bytes())))
}

fn texts(header: &str, claims: &str) -> String {
    let message = message(header, claims);
    format!("{message}.{}", B64.encode(&mac("HS256", SECRET, message.as_bytes())))
}

fn message(header: &str, claims: &str) -> String {
    format!("{}.{}", B64.encode(header.as_bytes()), B64.encode(claims.as_bytes()))
}

fn mac(alg: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    macro_rules! with {
        ($hash:ty) => {{
            let mut mac = Hmac::<$hash>::new_from_slice(secret).unwrap();
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match alg {
        "HS384" => with!(Sha384),
        "HS512" => with!(Sha512),
        _ => with!(Sha256),
    }
}
