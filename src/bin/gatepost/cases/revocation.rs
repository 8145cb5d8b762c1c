//! The step `token.revoke`.

use std::fmt;

use gatepost::engine::{Engine, Revoke, Span};
use gatepost::error::Error;
use gatepost::state::By;

use super::json::Members;
use super::matcher::{self, Saved};
use crate::when;

/// What is revoked.
#[derive(Clone, Debug)]
pub struct RevokeStep {
    what: What,
    issuer: String,
    /// RFC 3339.
    before: Option<i64>,
    /// RFC 3339, or a length of time from the engine's now.
    until: Option<String>,
}

#[derive(Clone, Debug)]
enum What {
    Token(String),
    Named(By, String),
    User(String),
}

const MEMBERS: [(&str, Option<By>); 5] = [
    ("token", None),
    ("user", None),
    ("jti", Some(By::Token)),
    ("sid", Some(By::Session)),
    ("subject", Some(By::Subject)),
];

impl RevokeStep {
    /// `token`, or `user`, or `issuer` with one of `jti`, `sid` and `subject`; `before`, `until`.
    pub fn read(members: &mut Members<'_>) -> Result<RevokeStep, String> {
        let mut named = Vec::new();
        for (name, by) in MEMBERS {
            if let Some(text) = members.string(name)? {
                named.push(match (name, by) {
                    (_, Some(by)) => What::Named(by, text.to_owned()),
                    ("token", _) => What::Token(text.to_owned()),
                    _ => What::User(text.to_owned()),
                });
            }
        }
        let (Some(what), None) = (named.pop(), named.pop()) else {
            return Err(format!("{}: one of token, user, jti, sid and subject is wanted", members.at("do")));
        };
        let issuer = members.string("issuer")?.map(str::to_owned);
        if issuer.is_some() != matches!(what, What::Named(..)) {
            return Err(format!("{}: it goes with jti, sid and subject, and with nothing else", members.at("issuer")));
        }
        let place = members.at("before");
        let before = members.string("before")?.map(when::read).transpose().map_err(|e| format!("{place}: {e}"))?;
        let place = members.at("until");
        let until = members.string("until")?.map(str::to_owned);
        if let Some(text) = &until {
            when::read_expiry(text, 0).map_err(|error| format!("{place}: {error}"))?;
        }
        Ok(RevokeStep { what, issuer: issuer.unwrap_or_default(), before, until })
    }

    /// The same with what was saved put in.
    pub fn filled(&self, saved: &Saved) -> Result<RevokeStep, String> {
        let fill = |text: &String| matcher::fill(text, saved);
        let what = match &self.what {
            What::Token(token) => What::Token(fill(token)?),
            What::Named(by, name) => What::Named(*by, fill(name)?),
            What::User(name) => What::User(fill(name)?),
        };
        Ok(RevokeStep { what, issuer: fill(&self.issuer)?, ..self.clone() })
    }

    /// Does it.
    pub fn run(&self, engine: &Engine) -> Result<(), Error> {
        let until = self.until.as_deref().and_then(|text| when::read_expiry(text, engine.now()).ok());
        let span = Span { before: self.before, until };
        let what = match &self.what {
            What::Token(token) => Revoke::Token(token),
            What::Named(by, name) => Revoke::Named { issuer: &self.issuer, by: *by, name, span },
            What::User(name) => Revoke::User { name, span },
        };
        engine.revoke(&what).map(drop)
    }
}

impl fmt::Display for RevokeStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Token(_) => f.write_str("token.revoke"),
            What::Named(by, name) => write!(f, "token.revoke {} {by} {name}", self.issuer),
            What::User(name) => write!(f, "token.revoke user {name}"),
        }
    }
}
