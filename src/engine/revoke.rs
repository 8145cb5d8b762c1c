//! Revoking tokens: from what somebody names to entries of the state.

use crate::credential::{api_key, refresh_token};
use crate::crypto::name;
use crate::engine::Engine;
use crate::engine::verified::claims_digest;
use crate::error::{Error, ErrorKind};
use crate::json::shown;
use crate::policy::model::Issuer;
use crate::state::{By, Revocation};
use crate::token::{self, Trust};

/// The most skew that a policy may grant to a token's times, seconds: one that has expired by more is dead under any.
const MOST_LEEWAY: i64 = 300;

/// Longest name that is taken by itself, octets: more than any issuer writes, and little enough for a list.
const LONGEST_NAME: usize = 1_024;

/// What is to be revoked.
#[derive(Clone, Copy, Debug)]
pub enum Revoke<'a> {
    /// This token. Its signature must be right; it may have expired, or be meant for another audience. Or this refresh
    /// token: with it end its login, and the access tokens of its session.
    Token(&'a str),
    /// What an issuer (its name in the policy, or its `iss`) calls so.
    Named {
        /// The issuer.
        issuer: &'a str,
        /// What `name` is.
        by: By,
        /// The value.
        name: &'a str,
        /// Up to when.
        span: Span,
    },
    /// The tokens of a local user, by every issuer whose subjects are local users.
    User {
        /// The name in any spelling.
        name: &'a str,
        /// Up to when.
        span: Span,
    },
}

/// Up to when a revocation reaches, Unix seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    /// Tokens that were issued before this time are hit; `None`: all that were issued until now. Only of a subject.
    pub before: Option<i64>,
    /// By when all tokens that it hits have expired; `None`: not known, so that the entry stays for good.
    pub until: Option<i64>,
}

/// One entry, and whether it hits anything that was not revoked before.
#[derive(Clone, Debug)]
pub struct Revoked {
    /// The entry as it was handed to the state.
    pub entry: Revocation,
    /// It is new, or reaches further than the one that was there.
    pub new: bool,
}

impl Engine {
    /// Revokes. It is on the disk when this returns, and holds for the next decision in every process that shares the
    /// state. Writes to the state, so that it may block.
    pub fn revoke(&self, what: &Revoke<'_>) -> Result<Vec<Revoked>, Error> {
        let entries = match *what {
            Revoke::Token(token) => match refresh_token::digest(token) {
                Some(digest) => vec![self.entry_of_login(&digest)?],
                None => vec![self.entry_of_token(token)?],
            },
            Revoke::Named { issuer, by, name, span } => {
                let policy = self.policy();
                let found = policy.issuers.iter().find(|known| known.name == issuer || known.issuer == issuer);
                let found = found.ok_or_else(|| no_issuer(issuer, &policy.issuers))?;
                vec![self.entry(found, by, name, span)?]
            }
            Revoke::User { name, span } => {
                let policy = self.policy();
                let local = policy.issuers.iter().filter(|issuer| issuer.local_users);
                let entries: Result<Vec<_>, _> =
                    local.map(|issuer| self.entry(issuer, By::Subject, name, span)).collect();
                let entries = entries?;
                if entries.is_empty() {
                    return Err(input(
                        "no issuer of the policy names local users in its tokens; name an issuer and a subject",
                    ));
                }
                entries
            }
        };
        let state = self.state()?;
        let revoke = |entry: Revocation| Ok(Revoked { new: state.revoke_token(&entry)?, entry });
        entries.into_iter().map(revoke).collect()
    }

    fn entry_of_token(&self, token: &str) -> Result<Revocation, Error> {
        let current = self.inner.current.load();
        current.process()?;
        let policy = &current.snapshot.policy;
        let trust = Trust { issuers: &policy.issuers, keys: &current.snapshot.keys, leeway: policy.leeway };
        let (claims, issuer) = token::proved(token, &trust).map_err(|refused| {
            let why = format!("{}: {}", refused.reason.name(), refused.detail);
            input(format!("only a token that an issuer of the policy signed can be revoked, and this is none: {why}"))
        })?;
        let issuer = policy.issuers.get(issuer).map(|issuer| issuer.issuer.clone()).unwrap_or_default();
        let (by, name) = match claims.get("jti").and_then(|jti| jti.string()).filter(|jti| !jti.is_empty()) {
            Some(jti) => (By::Token, jti.into_owned()),
            None => (By::Claims, claims_digest(claims.text())),
        };
        let expires = claims.get("exp").and_then(|exp| exp.number());
        // Rounded up. What is out of range is no token that could ever be good.
        let ends_at = expires.map(|exp| (exp.ceil() as i64).saturating_add(MOST_LEEWAY));
        Ok(Revocation { by, issuer, name, before: None, revoked_at: self.now(), ends_at })
    }

    /// The session that a refresh token goes on with: revoking it ends the login too.
    fn entry_of_login(&self, digest: &[u8; 32]) -> Result<Revocation, Error> {
        let found = self.state()?.refresh_token(digest)?;
        let login = found.ok_or_else(|| input("there is no such refresh token: its user may have been removed"))?.login;
        let (now, last) = (self.now(), login.expires_at.saturating_add(login.token_lifetime));
        Ok(Revocation {
            by: By::Session,
            issuer: login.issuer,
            name: login.session,
            before: None,
            revoked_at: now,
            ends_at: Some(last.saturating_add(MOST_LEEWAY)),
        })
    }

    fn entry(&self, issuer: &Issuer, by: By, name: &str, span: Span) -> Result<Revocation, Error> {
        let now = self.now();
        if by != By::Subject && span.before.is_some() {
            return Err(input("`before` is for a subject; one token and one session are revoked whole"));
        }
        if span.until.is_some_and(|until| until <= now) {
            return Err(input(
                "`until` has passed already, so that nothing would be revoked: give a later time or none",
            ));
        }
        let latest = now.saturating_add(self.policy().leeway);
        if let Some(before) = span.before.filter(|before| *before > latest) {
            return Err(input(format!(
                "`before` is {before} and it is now {now}: tokens that nobody has issued yet cannot be revoked, and who \
                 logs in again would be refused until then; disable the account instead"
            )));
        }
        sensible(by, name)?;
        let canonical = if by == By::Subject && issuer.local_users { Some(user_name(name)?) } else { None };
        Ok(Revocation {
            by,
            issuer: issuer.issuer.clone(),
            name: canonical.unwrap_or_else(|| name.to_owned()),
            // Times in tokens are whole seconds: what was issued within this one is to be hit as well.
            before: (by == By::Subject).then(|| span.before.unwrap_or(now.saturating_add(1))),
            revoked_at: now,
            ends_at: span.until.map(|until| until.saturating_add(MOST_LEEWAY)),
        })
    }
}

/// A value that somebody took for a name and that is a credential would revoke nothing, and lie in the list as it is.
fn sensible(by: By, name: &str) -> Result<(), Error> {
    if name.len() > LONGEST_NAME {
        return Err(input(format!("this {by} has {} octets; at most {LONGEST_NAME} are taken", name.len())));
    }
    let parts = || name.split('.').collect::<Vec<_>>();
    if name.starts_with("eyJ") && parts().len() == 3 || refresh_token::digest(name).is_some() {
        return Err(input(format!("this is a whole token and no {by}: hand it in as the token itself")));
    }
    if api_key::digest(name).is_some() {
        return Err(input(format!("this is an API key and no {by}: `gatepost key revoke` ends it")));
    }
    Ok(())
}

fn user_name(raw: &str) -> Result<String, Error> {
    name::user_name(raw).ok_or_else(|| input(format!("{} cannot be a user name", shown(raw))))
}

fn no_issuer(asked: &str, issuers: &[Issuer]) -> Error {
    let names: Vec<&str> = issuers.iter().map(|issuer| issuer.name.as_str()).collect();
    let has = if names.is_empty() { "no issuer".to_owned() } else { names.join(", ") };
    input(format!("the policy has no issuer {}; it has {has}", shown(asked)))
}

fn input(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Input, message)
}
