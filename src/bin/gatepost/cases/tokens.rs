//! The steps `token.issue`, `token.refresh` and `signer.keys`.

use std::fmt;

use gatepost::engine::{Engine, RefreshRequest, TokenRequest, Tokens};
use gatepost::error::Error;
use gatepost::token::published;
use serde_json::Value;

use super::format;
use super::json::{self, Members};
use super::keep::Kept;
use super::matcher::{self, Names, Saved};
use crate::token::issue;
use crate::when;

/// `token.issue`.
#[derive(Clone, Debug)]
pub struct IssueStep {
    user: String,
    signer: Option<String>,
    scopes: Vec<String>,
    audience: Vec<String>,
    lifetime: Option<i64>,
    client: Option<String>,
    session: Option<String>,
    factors: Vec<String>,
    auth_time: Option<i64>,
    claims: Option<Value>,
    refresh: bool,
    keep: Keep,
}

/// `token.refresh`.
#[derive(Clone, Debug)]
pub struct RefreshStep {
    token: String,
    client: Option<String>,
    scopes: Vec<String>,
    keep: Keep,
}

/// `signer.keys`.
#[derive(Clone, Debug)]
pub struct KeysStep {
    signer: Option<String>,
    save: Option<String>,
}

/// Under which names the tokens are kept.
#[derive(Clone, Debug)]
struct Keep {
    access: Kept,
    refresh: Option<String>,
    session: Option<String>,
    id: Option<String>,
}

impl IssueStep {
    /// Reads its members.
    pub fn read(members: &mut Members<'_>, names: &mut Names) -> Result<IssueStep, String> {
        let at = |members: &Members<'_>, name: &str, error: String| format!("{}: {error}", members.at(name));
        let lifetime = members.string("lifetime")?.map(when::read_length).transpose();
        let auth_time = members.string("auth_time")?.map(when::read).transpose();
        Ok(IssueStep {
            user: json::string(members.need("user")?, &members.at("user"))?.to_owned(),
            signer: owned(members.string("signer")?),
            scopes: members.strings("scopes")?.unwrap_or_default(),
            audience: members.strings("audience")?.unwrap_or_default(),
            lifetime: lifetime.map_err(|error| at(members, "lifetime", error))?,
            client: owned(members.string("client")?),
            session: owned(members.string("session")?),
            factors: members.strings("factors")?.unwrap_or_default(),
            auth_time: auth_time.map_err(|error| at(members, "auth_time", error))?,
            claims: members.get("claims").cloned(),
            refresh: members.flag("refresh")?,
            keep: Keep::read(members, names)?,
        })
    }

    /// The same with what was saved put in.
    pub fn filled(&self, saved: &Saved) -> Result<IssueStep, String> {
        Ok(IssueStep {
            user: matcher::fill(&self.user, saved)?,
            session: self.session.as_ref().map(|text| matcher::fill(text, saved)).transpose()?,
            ..self.clone()
        })
    }

    /// Does it, and keeps what the step asks for.
    pub fn run(&self, engine: &Engine, saved: &mut Saved) -> Result<(), Error> {
        let claims = self.claims.as_ref().map(Value::to_string);
        let issued = engine.issue_token(&TokenRequest {
            signer: self.signer.as_deref(),
            user: &self.user,
            audience: &self.audience,
            scopes: &self.scopes,
            lifetime: self.lifetime,
            client: self.client.as_deref(),
            session: self.session.as_deref(),
            authenticated_at: self.auth_time,
            factors: &self.factors,
            claims: claims.as_deref(),
            refresh: self.refresh,
            now: None,
        })?;
        self.keep.all(&issued, saved);
        Ok(())
    }
}

impl RefreshStep {
    /// Reads its members.
    pub fn read(members: &mut Members<'_>, names: &mut Names) -> Result<RefreshStep, String> {
        Ok(RefreshStep {
            token: json::string(members.need("token")?, &members.at("token"))?.to_owned(),
            client: owned(members.string("client")?),
            scopes: members.strings("scopes")?.unwrap_or_default(),
            keep: Keep::read(members, names)?,
        })
    }

    /// The same with what was saved put in.
    pub fn filled(&self, saved: &Saved) -> Result<RefreshStep, String> {
        Ok(RefreshStep { token: matcher::fill(&self.token, saved)?, ..self.clone() })
    }

    /// Does it, and keeps what the step asks for.
    pub fn run(&self, engine: &Engine, saved: &mut Saved) -> Result<(), Error> {
        let request =
            RefreshRequest { token: &self.token, client: self.client.as_deref(), scopes: &self.scopes, now: None };
        self.keep.all(&engine.refresh_token(&request)?, saved);
        Ok(())
    }
}

impl KeysStep {
    /// Reads its members.
    pub fn read(members: &mut Members<'_>, names: &mut Names) -> Result<KeysStep, String> {
        Ok(KeysStep { signer: owned(members.string("signer")?), save: name(members, "save", names)? })
    }

    /// Does it, and keeps the key set where the step asks for it.
    pub fn run(&self, engine: &Engine, saved: &mut Saved) -> Result<(), String> {
        let policy = engine.policy();
        let wanted: Vec<_> = policy
            .signers
            .iter()
            .filter(|signer| self.signer.as_ref().is_none_or(|name| *name == signer.name))
            .collect();
        if wanted.is_empty() {
            return Err("there is no such signer".to_owned());
        }
        let keys = published::key_set(&policy, wanted);
        saved.extend(self.save.iter().map(|name| (name.clone(), keys.to_string().into_bytes())));
        Ok(())
    }
}

impl Keep {
    fn read(members: &mut Members<'_>, names: &mut Names) -> Result<Keep, String> {
        Ok(Keep {
            access: Kept::read(members, "save", names)?,
            refresh: name(members, "save_refresh", names)?,
            session: name(members, "save_session", names)?,
            id: name(members, "save_id", names)?,
        })
    }

    fn all(&self, tokens: &Tokens, saved: &mut Saved) {
        let refresh = tokens.refresh.as_ref().map(|token| token.as_str());
        for (name, value) in
            [(&self.refresh, refresh), (&self.session, tokens.session.as_deref()), (&self.id, Some(tokens.id.as_str()))]
        {
            if let (Some(name), Some(value)) = (name, value) {
                saved.insert(name.clone(), value.as_bytes().to_vec());
            }
        }
        self.access.put(tokens.access.as_str(), || issue::to_json(tokens), saved);
    }
}

fn name(members: &mut Members<'_>, member: &'static str, names: &mut Names) -> Result<Option<String>, String> {
    let name = owned(members.string(member)?);
    if let Some(name) = &name {
        format::check_name(name, &members.at(member))?;
        names.insert(name.clone());
    }
    Ok(name)
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

impl fmt::Display for IssueStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token.issue {}", self.user)
    }
}
