//! Which shared secrets are refused when they are loaded: too short, public, known, or no secret at all.
//!
//! A MAC is as strong as its secret, and the failures of this field were secrets that were public keys, examples from
//! documentation, or empty. Every check leaves random secrets alone, raw as well as in hexadecimal or base64.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::crypto::algorithm::Algorithm;

/// The first 8 bytes of the SHA-256 of secrets that are public knowledge, sorted. Made from all lines of at least 32
/// bytes of `jwt.secrets.list` of wallarm/jwt-secrets (MIT) by the test `the_table_of_known_secrets_is_up_to_date`.
const KNOWN: &[u8] = include_bytes!("known_secrets.bin");
const DIGEST: usize = 8;

const MAKE_ONE: &str =
    "Make a new one with `openssl rand -base64 48` and give it to the issuer and to this engine alone.";

/// What is no secret but may well hold some.
const JSON: &str = "a JSON document";

/// So much of a secret must be left when all words below are taken out of it.
const LEAST_REST: usize = 16;

/// Words that secrets made by people are made of. The longest that fits is taken; a random secret, even one of
/// hexadecimal digits that holds a "123", keeps far more than `LEAST_REST`.
const WORDS: &[&str] = &[
    "placeholder",
    "authentication",
    "authorization",
    "development",
    "production",
    "application",
    "characters",
    "signature",
    "passphrase",
    "password",
    "passwort",
    "passwd",
    "changeit",
    "changeme",
    "change",
    "replace",
    "example",
    "sample",
    "default",
    "testing",
    "secrets",
    "secret",
    "secure",
    "security",
    "signing",
    "private",
    "public",
    "shared",
    "random",
    "string",
    "should",
    "would",
    "please",
    "insert",
    "update",
    "generate",
    "generated",
    "strong",
    "super",
    "really",
    "staging",
    "server",
    "service",
    "client",
    "company",
    "project",
    "session",
    "cookie",
    "access",
    "refresh",
    "token",
    "tokens",
    "jsonwebtoken",
    "jwt",
    "jws",
    "hmac",
    "hs256",
    "hs384",
    "hs512",
    "sha256",
    "256-bit",
    "256bit",
    "384-bit",
    "384bit",
    "512-bit",
    "512bit",
    "256",
    "384",
    "512",
    "bits",
    "bit",
    "bytes",
    "byte",
    "octets",
    "minimum",
    "length",
    "least",
    "long",
    "longer",
    "enough",
    "very",
    "much",
    "only",
    "this",
    "that",
    "here",
    "with",
    "from",
    "your",
    "yours",
    "mine",
    "must",
    "keep",
    "safe",
    "some",
    "something",
    "anything",
    "value",
    "keys",
    "key",
    "my",
    "our",
    "is",
    "the",
    "for",
    "not",
    "to",
    "of",
    "it",
    "in",
    "at",
    "or",
    "and",
    "are",
    "test",
    "tests",
    "demo",
    "local",
    "localhost",
    "admin",
    "administrator",
    "user",
    "hello",
    "world",
    "welcome",
    "letmein",
    "iloveyou",
    "monkey",
    "dragon",
    "master",
    "login",
    "foobar",
    "todo",
    "fixme",
    "xxxx",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "asdf",
    "zxcvbnm",
    "1q2w3e4r",
    "correct",
    "horse",
    "battery",
    "staple",
    "gatepost",
    "0123456789",
    "1234567890",
    "123456789",
    "12345678",
    "1234567",
    "123456",
    "12345",
    "1234",
    "123",
    "abcdefghijklmnopqrstuvwxyz",
    "abcdefgh",
    "abcdef",
    "abcd",
    "dev",
    "prod",
    "api",
    "app",
    "web",
    "auth",
    "oauth",
    "use",
    "do",
    "in production",
    "good",
    "great",
    "awesome",
    "such",
    "so",
];

/// Refuses what cannot protect the listed algorithms. The text says why, and what to do; nothing of the secret.
pub fn check(secret: &[u8], algorithms: &[Algorithm]) -> Result<(), String> {
    if secret.is_empty() {
        return Err(format!("the secret is empty. {MAKE_ONE}"));
    }
    if secret.trim_ascii().is_empty() {
        return Err(format!("the secret is nothing but white space. {MAKE_ONE}"));
    }
    if let Some(what) = public_material(secret) {
        if what == JSON {
            return Err(format!(
                "this is {what}, not the bytes of a secret. Name a JWK or JWK Set (RFC 7517) with `file`, like keys = {{ file = \"keys.json\" }}."
            ));
        }
        return Err(format!(
            "this is {what}, not a shared secret: anybody who has it could make tokens. \
             For a public key list its own algorithms (RS256, ES256, …) and name it under keys = {{ file = … }}."
        ));
    }
    let short = algorithms.iter().max_by_key(|algorithm| algorithm.least_secret()).and_then(|algorithm| {
        let (name, least, has) = (algorithm.name(), algorithm.least_secret(), secret.len());
        (has < least).then(|| {
            format!("is too short: it has {has} octets and {name} needs at least {least} (RFC 7518 section 3.2)")
        })
    });
    let weak = weakness(secret).map(str::to_owned);
    let reasons: Vec<String> = weak.into_iter().chain(short).collect();
    if reasons.is_empty() { Ok(()) } else { Err(format!("the secret {}. {MAKE_ONE}", reasons.join(", and "))) }
}

/// Why a secret can be guessed whatever its length, as the end of a sentence that begins with "the secret".
pub fn weakness(secret: &[u8]) -> Option<&'static str> {
    let bare = secret.trim_ascii();
    if bare.is_empty() {
        return Some("is empty");
    }
    if is_known(secret) || is_known(bare) {
        return Some("is public: it stands in collections of known secrets");
    }
    if is_placeholder(bare) {
        return Some("is a placeholder or made of dictionary words, not a random value");
    }
    if is_pattern(bare) {
        return Some("is a repeated pattern or a sequence, not a random value");
    }
    None
}

fn is_known(secret: &[u8]) -> bool {
    let (table, _) = KNOWN.as_chunks::<DIGEST>();
    truncated_digest(secret).is_some_and(|digest| table.binary_search(&digest).is_ok())
}

fn truncated_digest(secret: &[u8]) -> Option<[u8; DIGEST]> {
    Sha256::digest(secret).first_chunk::<DIGEST>().copied()
}

/// One part over and over, fewer than seven different octets, or mostly steps of one (`abcdef…`, `0123…`).
fn is_pattern(secret: &[u8]) -> bool {
    let longest = (secret.len() / 2).min(64);
    if (1..=longest).any(|period| secret.iter().zip(secret.iter().skip(period)).all(|(a, b)| a == b)) {
        return true;
    }
    let mut different: Vec<u8> = secret.to_vec();
    different.sort_unstable();
    different.dedup();
    let few = different.len() < 7;
    zeroize::Zeroize::zeroize(&mut different);
    let steps = secret.iter().zip(secret.iter().skip(1)).filter(|(a, b)| a.abs_diff(**b) <= 1).count();
    few || steps * 4 >= secret.len() * 3
}

/// A template that was never filled in, or words with little else.
fn is_placeholder(secret: &[u8]) -> bool {
    if is_template(secret) {
        return true;
    }
    let lower = Zeroizing::new(secret.to_ascii_lowercase());
    let (mut rest, mut covered, mut left) = (lower.as_slice(), 0usize, 0usize);
    while let [_, tail @ ..] = rest {
        let word = WORDS.iter().filter(|word| rest.starts_with(word.as_bytes())).map(|word| word.len()).max();
        let Some(length) = word else {
            left += 1;
            rest = tail;
            continue;
        };
        rest = rest.get(length..).unwrap_or_default();
        let joint = rest.iter().take_while(|byte| b" -_.,:;!?/+*".contains(byte)).count();
        rest = rest.get(joint..).unwrap_or_default();
        covered += length + joint;
    }
    left < LEAST_REST && covered > left
}

/// `<your secret>`, `${SECRET}`, `$(openssl rand …)`, `{{ secret }}`, `%SECRET%`, `$SECRET`.
fn is_template(secret: &[u8]) -> bool {
    let wrapped = [("<", ">"), ("${", "}"), ("$(", ")"), ("{{", "}}"), ("%", "%"), ("[", "]"), ("`", "`")];
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-.:,/".contains(byte);
    let inside = wrapped
        .iter()
        .find_map(|(open, close)| secret.strip_prefix(open.as_bytes())?.strip_suffix(close.as_bytes()))
        .or_else(|| secret.strip_prefix(b"$").filter(|name| !name.iter().any(u8::is_ascii_lowercase)));
    inside.is_some_and(|inside| inside.iter().all(is_plain))
}

/// Names what a text or its base64 decoding is, where it is a key or certificate rather than a secret.
fn public_material(secret: &[u8]) -> Option<&'static str> {
    let bare = secret.strip_prefix(b"\xef\xbb\xbf").unwrap_or(secret).trim_ascii();
    if let Some(what) = key_format(secret).or_else(|| key_format(bare)) {
        return Some(what);
    }
    let compact: Zeroizing<Vec<u8>> =
        Zeroizing::new(bare.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
    [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .iter()
        .find_map(|encoding| encoding.decode(&compact).ok().map(Zeroizing::new))
        .and_then(|decoded| key_format(&decoded).or_else(|| key_format(decoded.trim_ascii())))
}

fn key_format(bytes: &[u8]) -> Option<&'static str> {
    let contains = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| bytes.starts_with(prefix.as_bytes()));
    if contains(b"-----BEGIN ") || contains(b"---- BEGIN ") {
        return Some("a key or certificate in PEM form");
    }
    let ssh =
        ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-", "\0\0\0\x07ssh-", "\0\0\0\x0bssh-", "\0\0\0\x13ecdsa-sha2-"];
    if starts(&ssh) || contains(b" ssh-rsa AAAA") || contains(b" ssh-ed25519 AAAA") {
        return Some("an SSH public key");
    }
    if starts(&["<RSAKeyValue", "<DSAKeyValue", "<ECKeyValue", "<ds:", "<KeyValue", "<?xml"]) {
        return Some("a key or certificate in XML");
    }
    if starts(&["untrusted comment:"]) {
        return Some("a signify or minisign key");
    }
    if matches!(bytes.first(), Some(b'{' | b'[')) && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
        return Some(JSON);
    }
    is_der(bytes).then_some("a key or certificate in DER form")
}

/// An ASN.1 SEQUENCE over all of the bytes whose parts also fit and begin with a SEQUENCE or an INTEGER: the shape of
/// SubjectPublicKeyInfo, Certificate, RSAPublicKey and private keys. Random bytes pass once in 2^26 or less.
fn is_der(bytes: &[u8]) -> bool {
    let Some((0x30, inside, b"")) = element(bytes) else { return false };
    let Some((0x30 | 0x02, first, mut rest)) = element(inside) else { return false };
    let mut parts = 1;
    while !rest.is_empty() {
        let Some((_, _, after)) = element(rest) else { return false };
        rest = after;
        parts += 1;
    }
    parts > 1 && !first.is_empty()
}

/// Tag, content and what follows of one DER element of definite length.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, length], rest) = bytes.split_first_chunk::<2>()?;
    if length < 0x80 {
        let (content, after) = rest.split_at_checked(length.into())?;
        return Some((tag, content, after));
    }
    let count = usize::from(length & 0x7f);
    if !(1..=4).contains(&count) {
        return None;
    }
    let (digits, rest) = rest.split_at_checked(count)?;
    let length = digits.iter().fold(0usize, |sum, &digit| (sum << 8) | usize::from(digit));
    let (content, after) = rest.split_at_checked(length)?;
    Some((tag, content, after))
}

#[cfg(test)]
mod tests;
