//! Strings of a certain form: header names, hosts, permissions and the like. Each check says what is wrong and what
//! to write instead. Path patterns have a file of their own.

use crate::crypto::algorithm::Algorithm;
use crate::policy::network::Network;
use crate::policy::report::{advise, quote};
use crate::request::field;

mod certificate;
mod host;
mod path;

pub(in crate::policy) use host::normalise as normalise_host;
pub(in crate::policy) use path::{Segment, segments};

/// A form of string.
#[derive(Debug)]
pub(in crate::policy) struct Form {
    /// With its article: "a header name".
    pub name: &'static str,
    pub example: &'static str,
    pub check: fn(&str) -> Result<(), Slip>,
}

/// What is wrong with a string, and what to write instead.
pub(in crate::policy) struct Slip {
    pub message: String,
    pub help: String,
}

impl Slip {
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Slip {
        Slip { message: message.into(), help: help.into() }
    }
}

pub(in crate::policy) static HEADER: Form = Form { name: "a header name", example: "X-Forwarded-Proto", check: header };
pub(in crate::policy) static IDENTITY_HEADER: Form =
    Form { name: "a header name", example: "X-Auth-Subject", check: identity_header };
pub(in crate::policy) static COOKIE: Form = Form { name: "a cookie name", example: "__Host-session", check: cookie };
pub(in crate::policy) static NETWORK: Form = Form { name: "an address range", example: "10.0.0.0/8", check: network };
pub(in crate::policy) static PEER: Form = Form { name: "an address range", example: "127.0.0.1/32", check: peer };
pub(in crate::policy) static METHOD: Form = Form { name: "a method", example: "GET", check: method };
pub(in crate::policy) static HOST: Form = Form { name: "a host", example: "admin.example.com", check: host };
pub(in crate::policy) static PATH: Form = Form { name: "a path pattern", example: "/orders/{id}", check: path::check };
pub(in crate::policy) static PREFIX: Form = Form { name: "a path", example: "/auth", check: prefix };
pub(in crate::policy) static PERMISSION: Form =
    Form { name: "a permission", example: "orders:read", check: permission };
pub(in crate::policy) static PERMISSION_PATTERN: Form =
    Form { name: "a permission, or a pattern of them", example: "orders:*", check: permission_pattern };
pub(in crate::policy) static SCOPE: Form = Form { name: "a scope", example: "orders:read", check: scope };
pub(in crate::policy) static USER: Form = Form { name: "a user name", example: "rita", check: user };
pub(in crate::policy) static ALGORITHM: Form = Form { name: "an algorithm", example: "HS256", check: algorithm };
pub(in crate::policy) static TOKEN_TYPE: Form = Form { name: "a token type", example: "at+jwt", check: token_type };
pub(in crate::policy) static VARIABLE: Form =
    Form { name: "the name of an environment variable", example: "ORDERS_SECRET", check: variable };
pub(in crate::policy) static HTTPS: Form =
    Form { name: "an https address", example: "https://accounts.example.com/jwks.json", check: https };
pub(in crate::policy) static SUBJECT: Form =
    Form { name: "a distinguished name", example: "CN=billing", check: certificate::subject };
pub(in crate::policy) static SAN: Form =
    Form { name: "a subject alternative name", example: "dns:billing.example.com", check: certificate::san };
pub(in crate::policy) static KEYS: Form =
    Form { name: "public keys as a JWK, a JWK Set or PEM", example: "{\"keys\": […]}", check: keys };
pub(in crate::policy) static FINGERPRINT: Form = Form {
    name: "a fingerprint",
    example: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    check: certificate::fingerprint,
};

/// Methods whose spelling is known (RFC 9110 section 9.3, RFC 5789).
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Fields that have a meaning of their own; an identity header of that name would change the request.
const STANDARD_FIELDS: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "age",
    "allow",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "content-range",
    "content-type",
    "cookie",
    "cookie2",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-api-key",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-http-method-override",
];

/// A token of RFC 9110 section 5.6.2.
pub(in crate::policy) fn is_token(text: &str) -> bool {
    field::is_token(text.as_bytes())
}

/// Header names that a server may take for one another fold to the same text.
pub(in crate::policy) fn fold_header(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

fn header(text: &str) -> Result<(), Slip> {
    if is_token(text) {
        return Ok(());
    }
    Err(Slip::new(format!("{} is not a header name", quote(text)), "letters, digits and `-`, without a colon"))
}

fn identity_header(text: &str) -> Result<(), Slip> {
    header(text)?;
    let folded = fold_header(text);
    if STANDARD_FIELDS.iter().any(|field| fold_header(field) == folded) {
        return Err(Slip::new(
            format!("{} has a meaning of its own and cannot carry an identity", quote(text)),
            "choose a name of your own, like `X-Auth-Subject`",
        ));
    }
    Ok(())
}

fn cookie(text: &str) -> Result<(), Slip> {
    if is_token(text) {
        return Ok(());
    }
    Err(Slip::new(format!("{} is not a cookie name", quote(text)), "letters, digits, `-` and `_`"))
}

fn network(text: &str) -> Result<(), Slip> {
    Network::parse(text).map_err(|why| Slip::new(format!("{} is not an address range", quote(text)), why))?;
    if text.to_ascii_lowercase().starts_with("::ffff:") {
        return Err(Slip::new(
            format!("{} never matches: such addresses are read as IPv4", quote(text)),
            "write the IPv4 range, like \"10.0.0.0/8\"",
        ));
    }
    Ok(())
}

fn peer(text: &str) -> Result<(), Slip> {
    if text == "unix:" { Ok(()) } else { network(text) }
}

fn method(text: &str) -> Result<(), Slip> {
    if text == "*" {
        return Err(Slip::new("`*` is not a method", "leave `methods` out to grant all of them"));
    }
    if !is_token(text) {
        return Err(Slip::new(format!("{} is not a method", quote(text)), "write one method, like \"GET\""));
    }
    let upper = text.to_ascii_uppercase();
    if METHODS.contains(&upper.as_str()) && upper != text {
        return Err(Slip::new(
            format!("{} is not the method {upper}: methods are case-sensitive", quote(text)),
            format!("write \"{upper}\""),
        ));
    }
    Ok(())
}

fn host(text: &str) -> Result<(), Slip> {
    host::normalise(text).map(|_| ())
}

fn prefix(text: &str) -> Result<(), Slip> {
    path::check(text)?;
    if text.contains('{') || (text.len() > 1 && text.ends_with('/')) {
        return Err(Slip::new(
            format!("{} is not a plain path", quote(text)),
            "write it without parameters and without a slash at the end, like \"/auth\"",
        ));
    }
    Ok(())
}

fn parts_are_sound<'p>(mut parts: impl Iterator<Item = &'p str>) -> bool {
    parts.all(|part| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
    })
}

fn permission(text: &str) -> Result<(), Slip> {
    if parts_are_sound(text.split(':')) {
        return Ok(());
    }
    if text.contains('*') {
        return Err(Slip::new(
            format!("{} asks for a pattern; a requirement names one permission", quote(text)),
            "name the permission, like \"orders:read\"; patterns belong in `[[role]] permissions`",
        ));
    }
    Err(not_a_permission(text))
}

fn permission_pattern(text: &str) -> Result<(), Slip> {
    let stem = text.strip_suffix(":*");
    if text == "*" || parts_are_sound(stem.unwrap_or(text).split(':')) {
        return Ok(());
    }
    if text.contains('*') {
        return Err(Slip::new(
            format!("{} has a `*` in a place where it means nothing", quote(text)),
            "`*` stands only as the whole last part, like \"orders:*\"",
        ));
    }
    Err(not_a_permission(text))
}

fn not_a_permission(text: &str) -> Slip {
    Slip::new(
        format!("{} is not a permission", quote(text)),
        "join parts of letters, digits, `_`, `.` and `-` by `:`, like \"orders:read\"",
    )
}

/// `scope-token` of RFC 6749 section 3.3.
fn scope(text: &str) -> Result<(), Slip> {
    if text.contains(' ') {
        return Err(Slip::new(
            format!("{} is more than one scope", quote(text)),
            "write a list, which means any of them, or several under `all`",
        ));
    }
    if text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)) {
        return Ok(());
    }
    Err(Slip::new(format!("{} is not a scope", quote(text)), "visible ASCII without `\"` and `\\`"))
}

fn user(text: &str) -> Result<(), Slip> {
    if canonical_user(text).is_some() {
        return Ok(());
    }
    Err(Slip::new(
        format!("{} can be nobody's user name", quote(text)),
        "write the name as `gatepost user list` shows it (RFC 8265: no spaces, no control characters)",
    ))
}

/// The canonical form of a local user's name.
pub(in crate::policy) fn canonical_user(text: &str) -> Option<String> {
    crate::crypto::name::user_name(text)
}

fn algorithm(text: &str) -> Result<(), Slip> {
    if Algorithm::from_name(text).is_some() {
        return Ok(());
    }
    if text.eq_ignore_ascii_case("none") {
        return Err(Slip::new(
            format!("{} is no signature: everybody could make such tokens", quote(text)),
            "name the algorithms that the issuer signs with, like \"ES256\"",
        ));
    }
    Err(Slip::new(
        format!("there is no algorithm {}", quote(text)),
        advise(text, Algorithm::ALL.iter().map(|algorithm| algorithm.name())),
    ))
}

fn token_type(text: &str) -> Result<(), Slip> {
    if text.splitn(2, '/').all(|part| !part.contains('/') && is_token(part)) {
        return Ok(());
    }
    Err(Slip::new(format!("{} is not a media type", quote(text)), "write it like \"at+jwt\" or \"application/at+jwt\""))
}

fn variable(text: &str) -> Result<(), Slip> {
    let sound =
        text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && !text.starts_with(|c: char| c.is_ascii_digit());
    if sound {
        return Ok(());
    }
    // Not quoted: it may be the secret itself.
    Err(Slip::new(
        "this is not the name of an environment variable",
        "name the variable, like \"ORDERS_SECRET\"; the secret itself does not stand in the policy",
    ))
}

fn https(text: &str) -> Result<(), Slip> {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains('@') || text.contains(['#', ' ', '\\']) || !text.is_ascii() {
        return Err(Slip::new(
            format!("{} is not an https address", quote(text)),
            "write it in full, like \"https://accounts.example.com/jwks.json\", without user and fragment",
        ));
    }
    Ok(())
}

fn keys(text: &str) -> Result<(), Slip> {
    let bare = text.trim_start();
    if bare.starts_with('{') || bare.starts_with("-----BEGIN ") {
        return Ok(());
    }
    // Not quoted: it may be a secret.
    Err(Slip::new(
        "this is neither a JWK Set nor PEM",
        "write the keys between three single quotes, like inline = '''{\"keys\": […]}'''; a path goes to `file`, a secret to `secret_file`",
    ))
}
