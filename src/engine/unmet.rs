//! What the operator is told besides of a requirement that is not met, where its words alone lead nowhere: roles that
//! `grants` takes away, and claims of another kind than `equals` asks for.

use crate::engine::facts::UserFact;
use crate::engine::process::Process;
use crate::identity::{Identity, Scheme};
use crate::json::{Kind, Object};
use crate::policy::Policy;
use crate::policy::model::Issuer;
use crate::policy::requirement::{ClaimTest, Requirement};
use crate::token;

/// Characters of a claim's value that are shown.
const SHOWN: usize = 64;

/// The defined roles that a token, or the local user that it names, has and does not give here, because `grants` of
/// its issuer leaves them out: the issuer's name in the policy and the roles. `None` where there are none.
pub(super) fn withheld<'p>(
    identity: &Identity,
    policy: &'p Policy,
    process: &Process,
) -> Option<(&'p Issuer, Vec<String>)> {
    let claims = identity.claims.as_deref().filter(|_| identity.scheme == Scheme::Bearer)?;
    let (_, issuer) = token::issuer_of(claims, &policy.issuers).ok()?;
    issuer.grants.as_ref()?;
    let named = match issuer.local_users {
        true => roles_of(&user(identity, process)),
        false => named(claims, issuer),
    };
    // Only `grants` takes away a role that the policy defines.
    let gone = named.into_iter().filter(|role| policy.roles.is_defined(role) && !identity.roles.contains(role));
    let gone: Vec<String> = gone.collect();
    (!gone.is_empty()).then_some((issuer, gone))
}

/// The same in words.
pub(super) fn withheld_in_words(identity: &Identity, policy: &Policy, process: &Process) -> Option<String> {
    let (issuer, roles) = withheld(identity, policy, process)?;
    let roles = roles.join(", ");
    Some(format!("not in `grants` of issuer {}, so that its tokens do not give it: role {roles}", issuer.name))
}

/// Claims that `equals` meets as arrays, with their values, and without them: a log is read by more people.
pub(super) fn arrays(require: &Requirement, identity: &Identity) -> Option<(String, String)> {
    match require {
        Requirement::Claim { name, test: ClaimTest::Equals(wanted) } if !wanted.is_array() => {
            let value = identity.claims.as_ref()?.find(name).filter(|value| value.kind() == Kind::Array)?;
            let mut shown: String = value.written().chars().take(SHOWN).collect();
            if value.written().chars().nth(SHOWN).is_some() {
                shown.push('…');
            }
            let hint = "an array, which never equals that: write `contains` in place of `equals`";
            Some((
                format!("claim {name} of the token is {shown}, {hint}"),
                format!("claim {name} of the token is {hint}"),
            ))
        }
        Requirement::All(parts) | Requirement::Any(parts) => parts.iter().find_map(|part| arrays(part, identity)),
        _ => None,
    }
}

fn user(identity: &Identity, process: &Process) -> UserFact {
    let state = process.state.as_ref();
    let known = process.facts.known_user(state, &identity.subject);
    known.or_else(|| process.facts.read_user(state, &identity.subject).ok()).flatten()
}

fn roles_of(user: &UserFact) -> Vec<String> {
    user.as_ref().map(|user| user.roles.clone()).unwrap_or_default()
}

fn named(claims: &Object, issuer: &Issuer) -> Vec<String> {
    let mut found = Vec::new();
    let value = issuer.claims.roles.as_ref().and_then(|name| claims.find(name));
    if let Some(value) = value {
        found.extend(value.string().map(|role| role.into_owned()));
        value.all(|item| {
            found.extend(item.string().map(|role| role.into_owned()));
            true
        });
    }
    found
}
