//! Names of the forms for people, and refusals of those that are known and not taken.

use super::bcrypt::Before;
use super::sha_crypt::Size;
use super::work::{Kind, Work};
use super::{Stored, text};
use crate::crypto::password::HashError;

/// A stored hash for an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Its form and cost, such as `bcrypt, cost 10`.
    pub name: String,
    /// Guessing against a copy of it is so cheap that it should be replaced at once.
    pub weak: bool,
}

impl Stored {
    pub(crate) fn form(&self) -> Form {
        let weak = match self.work().0 {
            Kind::Md5Crypt { .. } | Kind::Sha1 => true,
            // md5-crypt's rounds are as many.
            Kind::Pbkdf2 { iterations, .. } => iterations <= 1000,
            _ => false,
        };
        let name = match self {
            Stored::Md5Crypt(md5) if md5.is_apache() => "apr1 (MD5)".to_owned(),
            Stored::Md5Crypt(_) => "md5-crypt".to_owned(),
            Stored::Sha1(sha) if sha.is_salted() => "{SSHA} (SHA-1, salted)".to_owned(),
            Stored::Sha1(_) => "{SHA} (SHA-1, no salt)".to_owned(),
            Stored::Bcrypt(bcrypt) if bcrypt.before != Before::Nothing => {
                format!("bcrypt over SHA-256, cost {}", bcrypt.cost)
            }
            other => name_of(other.work()),
        };
        Form { name, weak }
    }
}

/// The work in words.
pub(super) fn name_of(work: Work) -> String {
    match work.0 {
        Kind::Argon2 { variant, memory_kib, iterations, parallelism } => {
            let name = variant.name();
            format!("{name}, {memory_kib} KiB, {iterations} passes, {parallelism} lanes")
        }
        Kind::Scrypt(cost) => format!("scrypt, N = 2^{}, r = {}, p = {}", cost.log_n, cost.r, cost.p),
        Kind::Bcrypt { cost } => format!("bcrypt, cost {cost}"),
        Kind::Pbkdf2 { prf, iterations, .. } => {
            format!("PBKDF2-{}, {iterations} iterations", prf.name().to_uppercase())
        }
        Kind::ShaCrypt { size: Size::Sha256, rounds, .. } => format!("sha256-crypt, {rounds} rounds"),
        Kind::ShaCrypt { size: Size::Sha512, rounds, .. } => format!("sha512-crypt, {rounds} rounds"),
        Kind::Md5Crypt { .. } => "md5-crypt".to_owned(),
        Kind::Sha1 => "SHA-1".to_owned(),
    }
}

/// Why a text that no form takes is not taken. It never holds any of the text: it may be a password.
pub(super) fn refusal(stored: &str) -> HashError {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| stored.starts_with(prefix));
    let des = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/');
    let what = if stored.is_empty() || starts(&["!", "*"]) || stored == "x" {
        "the account is locked or has no password there: add it with `gatepost user add --no-password`, or set a new password"
    } else if starts(&["{PLAIN}", "{CLEAR}", "{CLEARTEXT}"]) {
        "the password itself is stored, readable for everybody who reads the file (htpasswd -p): set it anew with `gatepost user passwd`, and let its owner choose another"
    } else if starts(&["$y$", "$gy$"]) {
        "yescrypt is not read by this version: set a new password"
    } else if starts(&[
        "$sha1$",
        "$md5",
        "$3$",
        "$2$",
        "$md2",
        "{MD5}",
        "{SMD5}",
        "md5$",
        "sha1$",
        "{SSHA256}",
        "{SSHA512}",
        "{SHA256}",
        "{SHA512}",
        "{CRYPT}",
    ]) {
        "this form of password hash is known and not taken, since few use it and most of it is weak: set a new password"
    } else if (stored.len() == 13 && stored.chars().all(des)) || (stored.len() == 20 && stored.starts_with('_')) {
        "it looks like DES crypt (htpasswd -d), which looks at 8 characters and is broken within hours: set a new password with `gatepost user passwd`, and let its owner choose another than the old one"
    } else {
        "it has the form of no password hash that is read here; if it is the password itself (htpasswd -p), set it with `gatepost user passwd`"
    };
    text::unsupported(what)
}
