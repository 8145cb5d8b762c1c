//! What a token says, once its signature is right: times, audience, type, and the claims that make an identity.
//!
//! A claim of the wrong type is never taken for one that is missing.

use serde_json::{Map, Value};

use crate::crypto::json::{kind, shown};
use crate::policy::model::Issuer;
use crate::reason::Reason;
use crate::token::jws::Jws;
use crate::token::{Refused, Verified, list};

/// The last second of the year 9999: the largest NumericDate that is read.
const LAST_DATE: f64 = 253_402_300_799.0;

/// When a token is checked.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Unix seconds.
    pub now: i64,
    /// Seconds, not negative.
    pub leeway: i64,
}

/// A member of the claims: first an exact name, then a dotted path through objects.
pub fn claim<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    if let Some(exact) = claims.get(name) {
        return Some(exact);
    }
    let (first, path) = name.split_once('.')?;
    path.split('.').try_fold(claims.get(first)?, |value, part| value.as_object()?.get(part))
}

/// Checks the claims of a token whose signature is right, in the order of the reasons.
pub fn check(jws: Jws<'_>, index: usize, issuer: &Issuer, clock: Clock) -> Result<Verified, Refused> {
    let claims = jws.claims;
    let expires = date(&claims, "exp").and_then(|date| date.ok_or("exp is missing".to_owned()));
    let starts = [("nbf", date(&claims, "nbf")), ("iat", date(&claims, "iat"))];
    // What has no type to be judged by is reported as a claim, below, after what can be judged.
    if let Ok(expires) = &expires {
        check_expiry(*expires, clock)?;
    }
    for (name, start) in &starts {
        if let Ok(Some(start)) = start {
            check_start(name, *start, clock)?;
        }
    }
    let audience = audience(&claims);
    if let Ok(audience) = &audience {
        check_audience(audience, issuer)?;
    }
    check_type(jws.header.kind.as_deref(), issuer)?;
    let wrong = |detail| Refused::new(Reason::TokenClaim, detail);
    let expires = expires.map_err(wrong)?;
    for (_, start) in starts {
        start.map_err(wrong)?;
    }
    audience.map_err(wrong)?;
    let verified = identity(claims, index, issuer, expires).map_err(wrong)?;
    check_binding(&verified.claims)?;
    Ok(verified)
}

fn check_expiry(expires: f64, Clock { now, leeway }: Clock) -> Result<(), Refused> {
    // Both sides are whole seconds below 2^53 or the exact value of `exp`: the comparison itself rounds nothing.
    if (now.saturating_sub(leeway) as f64) < expires {
        return Ok(());
    }
    let ago = now as f64 - expires;
    let detail = format!("exp is {expires}, {ago} s ago; now is {now}, leeway {leeway} s");
    Err(Refused::new(Reason::TokenExpired, detail))
}

fn check_start(name: &str, start: f64, Clock { now, leeway }: Clock) -> Result<(), Refused> {
    if start <= now.saturating_add(leeway) as f64 {
        return Ok(());
    }
    let ahead = start - now as f64;
    let detail = format!("{name} is {start}, {ahead} s ahead; now is {now}, leeway {leeway} s");
    Err(Refused::new(Reason::TokenNotYetValid, detail))
}

fn check_audience(audience: &[&str], issuer: &Issuer) -> Result<(), Refused> {
    if audience.iter().any(|one| issuer.audience.iter().any(|own| own == one)) {
        return Ok(());
    }
    let seen: Vec<_> = audience.iter().take(4).map(|one| shown(one)).collect();
    let wanted: Vec<_> = issuer.audience.iter().map(|own| shown(own)).collect();
    let detail = format!("aud is {}; issuer {} wants {}", list(&seen, "missing"), issuer.name, list(&wanted, "none"));
    Err(Refused::new(Reason::TokenAudience, detail))
}

/// RFC 7515 section 4.1.9 and RFC 9068 section 4: media types without case, `application/` may be left out.
fn check_type(kind: Option<&str>, issuer: &Issuer) -> Result<(), Refused> {
    let is = |seen: &str, wanted: &str| bare_type(seen).eq_ignore_ascii_case(bare_type(wanted));
    let fits = match kind {
        None => issuer.types.is_empty(),
        Some(seen) if issuer.types.is_empty() => is(seen, "JWT") || is(seen, "at+jwt"),
        Some(seen) => issuer.types.iter().any(|wanted| is(seen, wanted)),
    };
    if fits {
        return Ok(());
    }
    let seen = kind.map_or("missing".into(), shown);
    let wanted = list(&issuer.types, "none, JWT or at+jwt");
    Err(Refused::new(Reason::TokenType, format!("typ is {seen}; issuer {} wants {wanted}", issuer.name)))
}

/// A token for the holder of a key is not for whoever bears it (RFC 7800, RFC 8705, RFC 9449); the proof cannot be
/// checked yet.
fn check_binding(claims: &Map<String, Value>) -> Result<(), Refused> {
    if !claims.contains_key("cnf") {
        return Ok(());
    }
    let detail = "the token is bound to a key (cnf); proofs of possession cannot be checked by this version";
    Err(Refused::new(Reason::TokenBinding, detail))
}

/// The identity, with the types of all registered claims checked. The error is a detail of `token_claim`.
fn identity(claims: Map<String, Value>, index: usize, issuer: &Issuer, expires: f64) -> Result<Verified, String> {
    if let Some(missing) = issuer.require.iter().find(|name| claim(&claims, name).is_none_or(Value::is_null)) {
        return Err(format!("{} is missing; issuer {} requires it", shown(missing), issuer.name));
    }
    for name in ["sub", "jti", "sid"] {
        if let Some(value) = claims.get(name)
            && !value.is_string()
        {
            return Err(mistyped(name, value, "a string"));
        }
    }
    if let Some(value) = claims.get("cnf")
        && !value.is_object()
    {
        return Err(mistyped("cnf", value, "an object"));
    }
    let names = &issuer.claims;
    let subject = match claim(&claims, &names.subject) {
        Some(Value::String(subject)) if !subject.is_empty() => plain(subject, &names.subject)?,
        Some(Value::String(_)) => return Err(format!("{} is empty", shown(&names.subject))),
        Some(value) => return Err(mistyped(&names.subject, value, "a string")),
        None => return Err(format!("{} is missing, which names the subject", shown(&names.subject))),
    };
    let roles = match &names.roles {
        None => Vec::new(),
        Some(name) => match claim(&claims, name) {
            None => Vec::new(),
            Some(Value::String(role)) => vec![plain(role, name)?],
            Some(value) => strings(value, name, "an array of strings, or one string")?,
        },
    };
    let scopes = match claim(&claims, &names.scopes) {
        None => Vec::new(),
        Some(Value::String(scope)) => {
            plain(scope, &names.scopes)?.split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect()
        }
        Some(value) => strings(value, &names.scopes, "a string, or an array of strings")?,
    };
    let factors = claims.get("amr").map_or(Ok(Vec::new()), |value| strings(value, "amr", "an array of strings"))?;
    let authenticated_at = date(&claims, "auth_time")?.map(whole_seconds);
    Ok(Verified {
        issuer: index,
        subject,
        roles,
        scopes,
        factors,
        authenticated_at,
        expires_at: whole_seconds(expires),
        claims,
    })
}

/// A NumericDate (RFC 7519 section 2): a JSON number, with or without a fraction, from 1970 to 9999.
fn date(claims: &Map<String, Value>, name: &str) -> Result<Option<f64>, String> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_f64().filter(|seconds| (0.0..=LAST_DATE).contains(seconds)) {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(format!("{name} is {number}, no time from 0 to {LAST_DATE}")),
        },
        Some(other) => Err(mistyped(name, other, "a number of seconds")),
    }
}

/// Rounded down; in range by `date`.
fn whole_seconds(date: f64) -> i64 {
    date as i64
}

/// `aud`: one string, or an array of strings; missing is empty.
fn audience(claims: &Map<String, Value>) -> Result<Vec<&str>, String> {
    let wrong = |value| mistyped("aud", value, "a string or an array of strings");
    match claims.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(value @ Value::Array(all)) => all.iter().map(|one| one.as_str().ok_or_else(|| wrong(value))).collect(),
        Some(other) => Err(wrong(other)),
    }
}

/// An array of strings without control characters.
fn strings(value: &Value, name: &str, wanted: &str) -> Result<Vec<String>, String> {
    let Value::Array(items) = value else { return Err(mistyped(name, value, wanted)) };
    items
        .iter()
        .map(|item| item.as_str().map_or_else(|| Err(mistyped(name, item, wanted)), |s| plain(s, name)))
        .collect()
}

/// A text without control characters (C0, DEL, C1): these names go into header fields and logs.
fn plain(text: &str, name: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err(format!("{} holds a control character", shown(name)));
    }
    Ok(text.to_owned())
}

fn mistyped(name: &str, value: &Value, wanted: &str) -> String {
    format!("{} is or holds {} where {wanted} belongs", shown(name), kind(value))
}

/// A media type without `application/`.
fn bare_type(kind: &str) -> &str {
    match kind.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => kind,
    }
}
