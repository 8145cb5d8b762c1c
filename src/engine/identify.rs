//! From a proved credential to an identity: rights are read when the decision is made.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::answer::identity as identity_headers;
use crate::crypto::name;
use crate::crypto::password::Sent;
use crate::decision::{List, Upstream};
use crate::engine::bearer;
use crate::engine::context::Failure;
use crate::engine::facts::{Account, KeyFact, Known, UserFact};
use crate::engine::process::Process;
use crate::engine::rights::owned;
use crate::engine::snapshot::Snapshot;
use crate::engine::verified::Token;
use crate::identity::{Identity, Names, Rights, Scheme};
use crate::policy::Policy;
use crate::policy::model::Issuer;
use crate::reason::Reason;
use crate::state::{ApiKey, By, User};
use crate::token::Verified;

/// A credential that is right; whose it is and what they may do is read from the state.
#[derive(Debug)]
pub(super) enum Proof {
    /// The password of this user, as it is stored under this hash.
    Password { name: String, hash: String, sent: Sent },
    /// The password of the user in the facts, verified a moment ago against the hash that stands there.
    Remembered,
    /// The key with this digest.
    Key([u8; 32]),
    /// A token that is verified, and why the request is refused all the same unless the token is revoked.
    Token { token: Arc<Token>, unproved: Option<Box<Failure>> },
    /// A client certificate that the policy maps to this user.
    Certificate { user: String, expires_at: i64 },
}

/// What the state says about it.
#[derive(Clone, Debug)]
pub(super) enum Facts {
    /// The user, where there is one.
    User(UserFact),
    /// The key and its owner, where there is one.
    Key(Option<KeyFact>),
    /// What the token is revoked by, and the local user that it names, where there is one.
    Token { revoked: Option<By>, user: UserFact },
}

impl Proof {
    /// What is known without asking the state.
    pub(super) fn known(&self, process: &Process) -> Option<Facts> {
        let state = process.state.as_ref();
        match self {
            Proof::Password { name, .. } | Proof::Certificate { user: name, .. } => {
                process.facts.known_user(state, name).map(Facts::User)
            }
            Proof::Key(digest) => process.facts.known_key(state, digest).map(|fact| Facts::Key(Some(fact))),
            // A token that gets here is one of which something is not known.
            Proof::Remembered | Proof::Token { .. } => None,
        }
    }

    /// Asks the state.
    pub(super) fn read(&self, process: &Process) -> Result<Facts, Failure> {
        let state = process.state.as_ref();
        let facts = match self {
            Proof::Password { name, .. } | Proof::Certificate { user: name, .. } => {
                process.facts.read_user(state, name).map(Facts::User)
            }
            Proof::Token { token, .. } => process.revoked.ask(state, token).and_then(|revoked| {
                let user = token.user.as_deref().map(|name| process.facts.read_user(state, name)).transpose()?;
                Ok(Facts::Token { revoked, user: user.flatten() })
            }),
            Proof::Key(digest) => process.facts.read_key(state, digest).map(Facts::Key),
            // It came with its facts, and holds for no others.
            Proof::Remembered => Ok(Facts::User(None)),
        };
        facts.map_err(|error| Failure::new(Reason::StateUnavailable, "verify", error.message()))
    }

    /// The identity with the rights of this moment.
    pub(super) fn identity(self, facts: &Facts, snapshot: &Snapshot, now: i64) -> Result<Known, Failure> {
        let policy = &*snapshot.policy;
        match (self, facts) {
            (Proof::Password { name, hash, .. }, Facts::User(user)) => {
                let current = user.as_ref().and_then(|user| user.hash.as_deref());
                if user.is_some() && current != Some(hash.as_str()) {
                    let saw = format!("the password of {name} was changed while it was being checked");
                    return Err(Failure::new(Reason::CredentialsInvalid, "verify", saw).of(&name));
                }
                by_password(live(user, &name, Reason::CredentialsInvalid)?, snapshot, now)
            }
            (Proof::Remembered, Facts::User(user)) => {
                by_password(live(user, "", Reason::CredentialsInvalid)?, snapshot, now)
            }
            (Proof::Key(_), Facts::Key(Some(fact))) => of_key(fact, snapshot, now),
            (Proof::Key(_), Facts::Key(None)) => {
                Err(Failure::new(Reason::ApiKeyUnknown, "verify", "no such key in the state"))
            }
            (Proof::Certificate { user: name, expires_at }, Facts::User(user)) => {
                let user = live(user, &name, Reason::CredentialsInvalid)?;
                let identity = local(user, Scheme::ClientCert, policy);
                Ok(known(Identity { expires_at: Some(expires_at), ..identity }, policy))
            }
            (Proof::Token { token, unproved }, Facts::Token { revoked, user }) => {
                bearer::refuse_revoked(*revoked)?;
                unproved.map_or(Ok(()), |failure| Err(*failure))?;
                of_token(&token, user, snapshot)
            }
            _ => Err(Failure::new(Reason::Internal, "verify", "facts of another kind than the proof")),
        }
    }
}

/// A recognised person, with the headers that say so.
pub(super) fn known(identity: Identity, policy: &Policy) -> Known {
    let upstream = identity_headers::headers(&policy.identity, &identity);
    Known { identity: Arc::new(identity), upstream: List::shared(upstream).into() }
}

fn by_password(user: &Account, snapshot: &Snapshot, now: i64) -> Result<Known, Failure> {
    let policy = &*snapshot.policy;
    young_enough(user, policy, now)?;
    Ok(user.by_password.get(snapshot.generation, || known(local(user, Scheme::Basic, policy), policy)))
}

/// Roles that somebody was given and that no `[[role]]` defines: they give nothing, and nobody else says so.
pub(super) fn undefined<'r>(policy: &Policy, roles: &'r [impl AsRef<str>]) -> Vec<&'r str> {
    roles.iter().map(AsRef::as_ref).filter(|role| !policy.roles.is_defined(role)).collect()
}

/// Whom a token stands for: the local user that it names, who is this one, or whoever the token itself says.
pub(super) fn of_token(token: &Token, user: &UserFact, snapshot: &Snapshot) -> Result<Known, Failure> {
    let policy = &*snapshot.policy;
    match &token.user {
        None => match token.own() {
            Some(known) => Ok(known),
            None => of_foreign_token(&token.verified, snapshot),
        },
        Some(name) => {
            let user = live(user, name, Reason::TokenClaim)?;
            of_this_account(token, user, policy)?;
            token.local(user, || of_local_token(&token.verified, user, policy).map(|identity| known(identity, policy)))
        }
    }
}

/// A token of our own was issued to this account, and not to one of the same name before it, nor before the account was
/// disabled or its password changed. A stranger's token may be older than the account that is made for it.
fn of_this_account(token: &Token, user: &User, policy: &Policy) -> Result<(), Failure> {
    let issued_at = token.verified.issued_at().unwrap_or(i64::MIN);
    if issued_at >= user.tokens_from || !policy.is_own(token.verified.issuer) {
        return Ok(());
    }
    let saw = format!(
        "it was issued at {issued_at}, and the account of {} was made, disabled or given another password at {}",
        user.name, user.tokens_from
    );
    Err(Failure::new(Reason::TokenRevoked, "verify", saw).of(&user.name))
}

/// An identity that only the token speaks for: roles and scopes from its claims, never from the state, even where its
/// subject equals a local name. And the headers that say so.
pub(super) fn of_foreign_token(verified: &Verified, snapshot: &Snapshot) -> Result<Known, Failure> {
    let policy = &*snapshot.policy;
    let issuer = issuer(policy, verified)?;
    let (rights, said) =
        snapshot.given.of(verified, issuer, policy, |given| (Arc::clone(&given.rights), Arc::clone(&given.said)));
    let subject = verified.subject();
    let upstream = match identity_headers::is_plain(&subject) {
        true => Upstream::Of(said),
        false => Upstream::List(identity_headers::with(&said, &subject).into()),
    };
    let identity = Identity {
        subject: subject.into_owned(),
        scheme: Scheme::Bearer,
        rights,
        authenticated_at: verified.authenticated_at(),
        expires_at: Some(verified.expires_at()),
        claims: Some(Arc::clone(&verified.claims)),
        names: Names::default(),
    };
    Ok(Known { identity: Arc::new(identity), upstream })
}

/// The local user that a token of an issuer with `users = "local"` names, in its one canonical spelling.
pub(super) fn local_subject(verified: &Verified, policy: &Policy) -> Result<Option<String>, Failure> {
    if !issuer(policy, verified)?.local_users {
        return Ok(None);
    }
    let canonical = name::user_name(&verified.subject());
    canonical
        .map(Some)
        .ok_or_else(|| Failure::new(Reason::TokenClaim, "verify", "the subject is no possible user name"))
}

fn of_local_token(verified: &Verified, user: &User, policy: &Policy) -> Result<Identity, Failure> {
    let issuer = issuer(policy, verified)?;
    let rights = Rights {
        scopes: owned(verified.scopes()),
        factors: owned(verified.factors()),
        ..local_rights(user, policy, issuer.grants.as_deref())
    };
    Ok(Identity {
        rights: Arc::new(rights),
        authenticated_at: verified.authenticated_at(),
        expires_at: Some(verified.expires_at()),
        claims: Some(Arc::clone(&verified.claims)),
        ..of_user(user, Scheme::Bearer)
    })
}

fn of_key(fact: &KeyFact, snapshot: &Snapshot, now: i64) -> Result<Known, Failure> {
    let key = &fact.key;
    if let Some(at) = key.revoked_at {
        return Err(Failure::new(Reason::ApiKeyRevoked, "verify", format!("key {} was revoked at {at}", key.id)));
    }
    if let Some(at) = key.expires_at.filter(|at| *at <= now) {
        return Err(Failure::new(Reason::ApiKeyExpired, "verify", format!("key {} expired at {at}", key.id)));
    }
    let owner = live(&fact.owner, &key.user, Reason::ApiKeyUnknown)?;
    let policy = &*snapshot.policy;
    Ok(fact.memo.get(snapshot.generation, || known(rights_of_key(key, owner, policy), policy)))
}

fn rights_of_key(key: &ApiKey, owner: &User, policy: &Policy) -> Identity {
    let mut roles = closure(policy, &owner.roles);
    if let Some(own) = &key.roles {
        let own = closure(policy, own);
        roles.retain(|role| own.contains(role));
    }
    // Both sides were closed under inclusion, so what is left is too: no role brings in more than was narrowed to.
    let rights = Rights {
        scopes: key.scopes.clone(),
        scopes_narrow_permissions: !key.scopes.is_empty(),
        ..rights_of_roles(roles, policy)
    };
    Identity { rights: Arc::new(rights), expires_at: key.expires_at, ..of_user(owner, Scheme::ApiKey) }
}

fn local(user: &User, scheme: Scheme, policy: &Policy) -> Identity {
    Identity { rights: Arc::new(local_rights(user, policy, None)), ..of_user(user, scheme) }
}

/// With no rights yet.
fn of_user(user: &User, scheme: Scheme) -> Identity {
    Identity {
        subject: user.name.clone(),
        scheme,
        rights: Arc::default(),
        authenticated_at: None,
        expires_at: None,
        claims: None,
        names: Names::default(),
    }
}

fn local_rights(user: &User, policy: &Policy, only: Option<&[String]>) -> Rights {
    let mut roles = closure(policy, &user.roles);
    if let Some(only) = only {
        // Who holds a role holds what it includes, and may be given that much.
        let only = closure(policy, only);
        roles.retain(|role| only.contains(role));
    }
    rights_of_roles(roles, policy)
}

/// Of roles with all that they include.
fn rights_of_roles(roles: BTreeSet<String>, policy: &Policy) -> Rights {
    Rights {
        permissions: policy.roles.permissions(roles.iter().map(String::as_str)).into_iter().collect(),
        roles: roles.into_iter().collect(),
        ..Rights::default()
    }
}

/// The user, where there is one who may come in.
fn live<'u>(user: &'u UserFact, name: &str, absent: Reason) -> Result<&'u Arc<Account>, Failure> {
    match user {
        Some(user) if user.disabled => {
            let saw = format!("{} is disabled", user.name);
            Err(Failure::new(Reason::AccountDisabled, "verify", saw).of(&user.name))
        }
        Some(user) => Ok(user),
        None => Err(Failure::new(absent, "verify", format!("there is no user {}", name.escape_debug()))),
    }
}

/// The password has not expired. Where nobody knows when it was set, it is as old as the account.
fn young_enough(user: &User, policy: &Policy, now: i64) -> Result<(), Failure> {
    let Some(max_age) = policy.password.max_age else { return Ok(()) };
    let set_at = user.password_changed_at.unwrap_or(user.created_at);
    if now.saturating_sub(set_at) < max_age {
        return Ok(());
    }
    let saw = format!("the password of {} was set at {set_at} and [password] max_age is over", user.name);
    Err(Failure::new(Reason::PasswordExpired, "verify", saw).of(&user.name))
}

fn closure(policy: &Policy, roles: &[String]) -> BTreeSet<String> {
    policy.roles.closure(roles.iter().map(String::as_str))
}

fn issuer<'p>(policy: &'p Policy, verified: &Verified) -> Result<&'p Issuer, Failure> {
    policy
        .issuers
        .get(verified.issuer)
        .ok_or_else(|| Failure::new(Reason::Internal, "verify", "a token of an issuer that the policy does not hold"))
}
