//! What a new password must be, and why one is refused: length, common passwords, words of the service and the user,
//! breached lists. No rule asks for kinds of characters. Which passwords a user had before is the state's to know.

use zeroize::Zeroizing;

use crate::crypto::name;
use crate::crypto::password::LONGEST_PASSWORD;
use crate::policy::model::PasswordRules;

mod common;
pub mod filter;
pub mod words;

/// What a password breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// It cannot be a password at all.
    Form,
    /// It is too short.
    Length,
    /// It is common, or made of what is tried first.
    Common,
    /// A word of the service or of the user's name stands in it.
    Words,
    /// It is known from a breach.
    Breached,
    /// The user had it before.
    History,
}

impl Rule {
    /// The name for machines: that of the key of `[password]` where there is one.
    pub fn name(self) -> &'static str {
        match self {
            Rule::Form => "form",
            Rule::Length => "min_length",
            Rule::Common => "common",
            Rule::Words => "words",
            Rule::Breached => "breached",
            Rule::History => "history",
        }
    }
}

/// A rule that a password breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub rule: Rule,
    /// Why, and what would do, as the end of a sentence about the password. Never holds the password or a part of it
    /// that is not a word of the policy or of the user's name.
    pub why: String,
}

impl Broken {
    /// One rule with what to say.
    pub fn new(rule: Rule, why: impl Into<String>) -> Broken {
        Broken { rule, why: why.into() }
    }
}

/// The form of a password that is hashed, or why it cannot be one.
pub fn prepare(raw: &str) -> Result<Zeroizing<String>, Broken> {
    name::password(raw).ok_or_else(|| {
        let why = if raw.is_empty() {
            "is empty: type one".to_owned()
        } else if raw.len() > LONGEST_PASSWORD {
            format!("has {} bytes, and up to 1,024 are taken as they are, with nothing cut off: take a shorter one", raw.len())
        } else {
            "holds characters that no password can have, such as control characters, or is over 1,024 bytes in the form \
             that is stored (RFC 8265): take letters, digits, signs and spaces"
                .to_owned()
        };
        Broken::new(Rule::Form, why)
    })
}

/// All rules that a password of this user breaks, but for the history. `user`: the canonical name, where there is one.
pub fn check(raw: &str, user: Option<&str>, rules: &PasswordRules) -> Vec<Broken> {
    let prepared = match prepare(raw) {
        Ok(prepared) => prepared,
        Err(broken) => return vec![broken],
    };
    let own = user.map(words::of_user).unwrap_or_default();
    let mut broken = Vec::new();
    let length = prepared.chars().count();
    if length < rules.min_length {
        let least = rules.min_length;
        broken.push(Broken::new(
            Rule::Length,
            format!("has {length} characters and [password] min_length asks for {least}: take a longer one, for example several words"),
        ));
    }
    if let Some(word) = words::inside(&prepared, rules.words.iter().chain(&own)) {
        broken.push(Broken::new(
            Rule::Words,
            format!("holds \"{word}\", which is a word of this service or of the user's name and is tried first: leave it out"),
        ));
    }
    let known: Vec<&str> = rules.words.iter().chain(&own).map(String::as_str).chain(user).collect();
    if let Some(what) = common::weakness(&prepared, &known) {
        broken.push(Broken::new(
            Rule::Common,
            format!("is {what}: take several words that have nothing to do with one another, or let a password manager make one"),
        ));
    }
    if let Some(filter) = &rules.breached
        && (filter.contains(prepared.as_bytes()) || filter.contains(raw.as_bytes()))
    {
        broken.push(Broken::new(
            Rule::Breached,
            "is known from a breach, whoever used it there, and is tried first: take another, and change it wherever you use it",
        ));
    }
    broken
}

#[cfg(test)]
mod tests;
