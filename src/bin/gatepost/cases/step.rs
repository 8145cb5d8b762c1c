//! What happens between requests: the administration commands of the command line, and a reload.

use std::fmt;

use gatepost::admin::{Issued, NewKey, NewUser};
use gatepost::engine::Engine;
use serde_json::Value;

use super::format::{self, KeySeed, PolicySource, UserSeed};
use super::json::{self, Members};
use super::matcher::{self, Matcher, Names, Saved};
use super::revocation::RevokeStep;
use super::roster::{ExportStep, ImportStep};
use super::run::{self, Folder};
use super::tokens::{IssueStep, KeysStep, RefreshStep};
use crate::open::Held;
use crate::{key, when};

/// One step.
#[derive(Debug)]
pub struct Step {
    command: Command,
    fails: Fails,
}

/// Whether the step is expected to fail.
#[derive(Debug)]
enum Fails {
    No,
    Yes,
    /// With a message like this.
    Saying(Box<Matcher>),
}

#[derive(Debug)]
enum Command {
    UserAdd(UserSeed),
    UserList,
    UserShow { name: String },
    UserPasswd { name: String, password: String },
    UserDisable { name: String },
    UserEnable { name: String },
    UserGrant { name: String, role: String },
    UserRevoke { name: String, role: String },
    UserRemove { name: String },
    UserImport(ImportStep),
    UserExport(ExportStep),
    KeyIssue(KeySeed),
    KeyList,
    KeyRevoke { key: String },
    TokenRevoke(RevokeStep),
    TokenIssue(Box<IssueStep>),
    TokenRefresh(RefreshStep),
    SignerKeys(KeysStep),
    Reload { policy: Option<PolicySource> },
}

impl Step {
    /// Reads the members of a step whose `do` is `command`.
    pub fn read(command: &str, members: &mut Members<'_>, names: &mut Names) -> Result<Step, String> {
        let place = members.at("fails");
        let fails = match members.get("fails") {
            None | Some(Value::Bool(false)) => Fails::No,
            Some(Value::Bool(true)) => Fails::Yes,
            Some(value @ Value::Object(_)) => Fails::Saying(Box::new(Matcher::read(value, &place, names)?)),
            Some(other) => {
                return Err(format!(
                    "{place}: true, false or {{\"contains\": …}} is wanted here, and it is {}",
                    json::kind(other)
                ));
            }
        };
        let mut text = |name: &'static str| -> Result<String, String> {
            let value = members.need(name)?;
            json::string(value, &members.at(name)).map(str::to_owned)
        };
        let command = match command {
            "user.add" => Command::UserAdd(format::user_seed(members)?),
            "user.list" => Command::UserList,
            "user.show" => Command::UserShow { name: text("name")? },
            "user.passwd" => Command::UserPasswd { name: text("name")?, password: text("password")? },
            "user.disable" => Command::UserDisable { name: text("name")? },
            "user.enable" => Command::UserEnable { name: text("name")? },
            "user.grant" => Command::UserGrant { name: text("name")?, role: text("role")? },
            "user.revoke" => Command::UserRevoke { name: text("name")?, role: text("role")? },
            "user.remove" => Command::UserRemove { name: text("name")? },
            "user.import" => Command::UserImport(ImportStep::read(members)?),
            "user.export" => Command::UserExport(ExportStep::read(members, names)?),
            "key.issue" => Command::KeyIssue(format::key_seed(members, names)?),
            "key.list" => Command::KeyList,
            "key.revoke" => Command::KeyRevoke { key: text("name")? },
            "token.revoke" => Command::TokenRevoke(RevokeStep::read(members)?),
            "token.issue" => Command::TokenIssue(Box::new(IssueStep::read(members, names)?)),
            "token.refresh" => Command::TokenRefresh(RefreshStep::read(members, names)?),
            "signer.keys" => Command::SignerKeys(KeysStep::read(members, names)?),
            "reload" => {
                let place = members.at("policy");
                Command::Reload {
                    policy: members.get("policy").map(|value| format::policy(value, &place)).transpose()?,
                }
            }
            other => return Err(format!("{}: there is no step {other:?}; there are {STEPS}", members.at("do"))),
        };
        Ok(Step { command, fails })
    }

    /// The policy that it loads, where it is a reload; `first` is the file's own.
    pub fn reloads<'a>(&'a self, first: &'a PolicySource) -> Option<&'a PolicySource> {
        match &self.command {
            Command::Reload { policy } => Some(policy.as_ref().unwrap_or(first)),
            _ => None,
        }
    }

    /// Whether it is expected to fail.
    pub fn may_fail(&self) -> bool {
        !matches!(self.fails, Fails::No)
    }

    /// Does it. `Ok` holds how it went differently from what was expected; empty: as expected.
    pub fn run(&self, engine: &Engine, source: &PolicySource, folder: &Folder, saved: &mut Saved) -> Vec<String> {
        let outcome = self.command.filled(saved).and_then(|command| command.run(engine, source, folder, saved));
        match (&self.fails, outcome) {
            (Fails::No, Ok(())) | (Fails::Yes, Err(_)) => Vec::new(),
            (Fails::No, Err(error)) => vec![format!("{}: wanted success, got: {error}", self.command)],
            (Fails::Yes | Fails::Saying(_), Ok(())) => vec![format!("{}: wanted a failure, got success", self.command)],
            (Fails::Saying(matcher), Err(error)) => match matcher.holds(error.as_bytes(), saved) {
                Ok(true) => Vec::new(),
                _ => vec![format!("{}: wanted a failure, {}, got: {error}", self.command, matcher.describe(saved))],
            },
        }
    }
}

const STEPS: &str = "user.add, user.list, user.show, user.passwd, user.disable, user.enable, user.grant, user.revoke, \
                     user.remove, user.import, user.export, key.issue, key.list, key.revoke, token.issue, token.refresh, \
                     token.revoke, signer.keys, reload";

impl Command {
    /// The same with what was saved put in; the policy of a reload stays as it is written.
    fn filled(&self, saved: &Saved) -> Result<Command, String> {
        let fill = |text: &String| matcher::fill(text, saved);
        let fill_all = |texts: &Vec<String>| texts.iter().map(fill).collect::<Result<Vec<_>, _>>();
        Ok(match self {
            Command::UserAdd(seed) => Command::UserAdd(UserSeed {
                name: fill(&seed.name)?,
                password: seed.password.as_ref().map(fill).transpose()?,
                hash: seed.hash.as_ref().map(fill).transpose()?,
                roles: fill_all(&seed.roles)?,
                disabled: seed.disabled,
            }),
            Command::UserList => Command::UserList,
            Command::UserShow { name } => Command::UserShow { name: fill(name)? },
            Command::UserPasswd { name, password } => {
                Command::UserPasswd { name: fill(name)?, password: fill(password)? }
            }
            Command::UserDisable { name } => Command::UserDisable { name: fill(name)? },
            Command::UserEnable { name } => Command::UserEnable { name: fill(name)? },
            Command::UserGrant { name, role } => Command::UserGrant { name: fill(name)?, role: fill(role)? },
            Command::UserRevoke { name, role } => Command::UserRevoke { name: fill(name)?, role: fill(role)? },
            Command::UserRemove { name } => Command::UserRemove { name: fill(name)? },
            Command::UserImport(import) => Command::UserImport(import.filled(saved)?),
            Command::UserExport(export) => Command::UserExport(export.clone()),
            Command::KeyIssue(seed) => Command::KeyIssue(KeySeed {
                name: fill(&seed.name)?,
                user: fill(&seed.user)?,
                scopes: fill_all(&seed.scopes)?,
                roles: seed.roles.as_ref().map(fill_all).transpose()?,
                ..seed.clone()
            }),
            Command::KeyList => Command::KeyList,
            Command::KeyRevoke { key } => Command::KeyRevoke { key: fill(key)? },
            Command::TokenRevoke(revoke) => Command::TokenRevoke(revoke.filled(saved)?),
            Command::TokenIssue(issue) => Command::TokenIssue(Box::new(issue.filled(saved)?)),
            Command::TokenRefresh(refresh) => Command::TokenRefresh(refresh.filled(saved)?),
            Command::SignerKeys(keys) => Command::SignerKeys(keys.clone()),
            Command::Reload { policy } => Command::Reload { policy: policy.clone() },
        })
    }

    fn run(&self, engine: &Engine, source: &PolicySource, folder: &Folder, saved: &mut Saved) -> Result<(), String> {
        if let Command::Reload { policy } = self {
            let loaded = run::load(policy.as_ref().unwrap_or(source), folder).map_err(|failed| failed.drawn)?;
            return engine.replace(loaded).map_err(|error| error.message().to_owned());
        }
        if let Command::UserImport(import) = self {
            let held = Held::of(engine).map_err(|error| error.message().to_owned())?;
            return import.run(&held.admin(), folder);
        }
        if let Command::SignerKeys(keys) = self {
            return keys.run(engine, saved);
        }
        self.administer(engine, saved).map_err(|error| error.message().to_owned())
    }

    fn administer(&self, engine: &Engine, saved: &mut Saved) -> Result<(), gatepost::error::Error> {
        let held = Held::of(engine)?;
        let admin = held.admin();
        match self {
            Command::UserAdd(seed) => admin.add_user(&new_user(seed)).map(drop),
            Command::UserList => admin.users().map(drop),
            Command::UserShow { name } => admin.user(name).map(drop),
            Command::UserPasswd { name, password } => admin.set_password(name, password).map(drop),
            Command::UserDisable { name } => admin.set_disabled(name, true).map(drop),
            Command::UserEnable { name } => admin.set_disabled(name, false).map(drop),
            Command::UserGrant { name, role } => admin.grant(name, role).map(drop),
            Command::UserRevoke { name, role } => admin.revoke(name, role).map(drop),
            Command::UserRemove { name } => admin.remove_user(name).map(drop),
            Command::UserExport(export) => export.run(&admin, saved),
            Command::KeyIssue(seed) => {
                let issued = admin.issue_key(&new_key(seed, admin.now))?;
                keep(seed, &issued, admin.now, saved);
                Ok(())
            }
            Command::KeyList => admin.keys(None).map(drop),
            Command::KeyRevoke { key } => admin.revoke_key(key).map(drop),
            Command::TokenRevoke(revoke) => revoke.run(engine),
            Command::TokenIssue(issue) => issue.run(engine, saved),
            Command::TokenRefresh(refresh) => refresh.run(engine, saved),
            // Handled by the caller.
            Command::Reload { .. } | Command::UserImport(_) | Command::SignerKeys(_) => Ok(()),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.command.fmt(f)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Command::UserAdd(seed) => write!(f, "user.add {}", seed.name),
            Command::UserList => f.write_str("user.list"),
            Command::UserShow { name } => write!(f, "user.show {name}"),
            Command::UserPasswd { name, .. } => write!(f, "user.passwd {name}"),
            Command::UserDisable { name } => write!(f, "user.disable {name}"),
            Command::UserEnable { name } => write!(f, "user.enable {name}"),
            Command::UserGrant { name, role } => write!(f, "user.grant {name} {role}"),
            Command::UserRevoke { name, role } => write!(f, "user.revoke {name} {role}"),
            Command::UserRemove { name } => write!(f, "user.remove {name}"),
            Command::UserImport(import) => import.fmt(f),
            Command::UserExport(_) => f.write_str("user.export"),
            Command::KeyIssue(seed) => write!(f, "key.issue {}", seed.name),
            Command::KeyList => f.write_str("key.list"),
            Command::KeyRevoke { key } => write!(f, "key.revoke {key}"),
            Command::TokenRevoke(revoke) => revoke.fmt(f),
            Command::TokenIssue(issue) => issue.fmt(f),
            Command::TokenRefresh(_) => f.write_str("token.refresh"),
            Command::SignerKeys(_) => f.write_str("signer.keys"),
            Command::Reload { policy: Some(PolicySource::Path(path)) } => write!(f, "reload {path}"),
            Command::Reload { .. } => f.write_str("reload"),
        }
    }
}

/// A seed as administration takes it.
pub fn new_user(seed: &UserSeed) -> NewUser<'_> {
    NewUser {
        name: &seed.name,
        password: seed.password.as_deref(),
        hash: seed.hash.as_deref(),
        roles: &seed.roles,
        disabled: seed.disabled,
    }
}

/// A seed as administration takes it; its expiry was checked when the file was read.
pub fn new_key(seed: &KeySeed, now: i64) -> NewKey<'_> {
    NewKey {
        name: &seed.name,
        user: &seed.user,
        scopes: &seed.scopes,
        roles: seed.roles.as_deref(),
        expires_at: seed.expires.as_deref().and_then(|text| when::read_expiry(text, now).ok()),
    }
}

/// Keeps the secret of a key, or what else the file asks for.
pub fn keep(seed: &KeySeed, issued: &Issued, now: i64, saved: &mut Saved) {
    seed.save.put(issued.secret.as_str(), || key::issued_to_json(issued, now), saved);
}
