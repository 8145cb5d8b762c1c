//! From a proved credential to who is let in: rights, other sites, the requirement.

use std::sync::Arc;

use crate::engine::authorise::{Unmet, authorise};
use crate::engine::context::{Context, Failure, Refused};
use crate::engine::decide::Mode;
use crate::engine::facts::{Known, UserFact};
use crate::engine::identify::{self, Facts, Proof};
use crate::engine::process::Process;
use crate::engine::unmet;
use crate::engine::verified::Token;
use crate::identity::Identity;
use crate::policy::Policy;
use crate::policy::requirement::Requirement;
use crate::reason::Reason;

/// Who is let in, or a refusal that has no form yet.
pub(super) type Concluded = Result<Known, Box<Refused>>;

/// The rest, once the credential is proved: rights, other sites, the requirement.
pub(super) fn conclude(context: &mut Context, proof: Proof, facts: &Facts, process: &Process, mode: Mode) -> Concluded {
    if let (Proof::Key(digest), Facts::Key(Some(fact)), false) = (&proof, facts, mode.read_only)
        && fact.note_use(context.now)
    {
        process.note_use(*digest, context.now);
    }
    let granted = match facts {
        Facts::User(user) => user.as_ref(),
        // Told with what the token itself says.
        Facts::Token { .. } => None,
        Facts::Key(key) => key.as_ref().and_then(|key| key.owner.as_ref()),
    };
    if let (Proof::Token { token, .. }, Facts::Token { user, .. }) = (&proof, facts) {
        tell_roles(context, token, user);
    }
    if let Some(user) = granted {
        tell_undefined(context, "granted to", &user.name, &user.roles);
    }
    let known = proof.identity(facts, &context.snapshot, context.now)?;
    conclude_with(context, known, process)
}

/// What becomes of the roles that a token gives, or that its user holds.
pub(super) fn tell_roles(context: &mut Context, token: &Token, user: &UserFact) {
    if !context.trace.is_wanted() {
        return;
    }
    if token.user.is_some() {
        user.iter().for_each(|user| tell_undefined(context, "granted to", &user.name, &user.roles));
        return;
    }
    let verified = &token.verified;
    tell_undefined(context, "in the token of", &verified.subject(), &verified.roles());
    let snapshot = Arc::clone(&context.snapshot);
    let issuer = snapshot.policy.issuers.get(verified.issuer);
    if let Some(issuer) = issuer.filter(|issuer| issuer.claims.roles.is_none()) {
        let saw = || format!("issuer {} has no claims = {{ roles = … }}", issuer.name);
        context.trace.step("roles", saw, || "its tokens give none");
    }
}

/// Roles that vanish are the hardest to find: `--explain` says which and why.
fn tell_undefined(context: &mut Context, how: &str, whom: &str, roles: &[impl AsRef<str>]) {
    if !context.trace.is_wanted() {
        return;
    }
    let snapshot = Arc::clone(&context.snapshot);
    let undefined = identify::undefined(&snapshot.policy, roles);
    if !undefined.is_empty() {
        let saw = || format!("roles {how} {}: {}", whom.escape_debug(), undefined.join(", ").escape_debug());
        context.trace.step("roles", saw, || "no [[role]] defines them: they give nothing");
    }
}

/// The rest, once somebody is recognised.
pub(super) fn conclude_with(context: &mut Context, known: Known, process: &Process) -> Concluded {
    let identity = &known.identity;
    if context.trace.is_wanted() {
        tell_withheld(context, identity, process);
    }
    context.scheme = Some(identity.scheme);
    context.trace.step(
        "verify",
        || format!("{} {}", identity.scheme.name(), identity.subject.escape_debug()),
        || rights(identity),
    );
    if identity.scheme.is_ambient() && context.cross_site {
        let saw = "an unsafe request with a credential that browsers add on their own, from another site";
        return Err(Refused::known(Failure::new(Reason::CrossSite, "cross-site", saw), known.identity));
    }
    let Some(rule) = context.rule.map(|rule| context.snapshot.rule(rule)) else {
        return Err(Failure::new(Reason::Internal, "route", "a credential without a route").into());
    };
    match authorise(&rule.require, &context.facts(Some(identity))) {
        Ok(()) => {
            context.trace.step("authorise", || rule.require.to_string(), || "met");
            Ok(known)
        }
        Err(unmet) => {
            let failure = told(unmet, &rule.require, &known.identity, &context.snapshot.policy, process);
            Err(Refused::known(failure, known.identity))
        }
    }
}

/// What is missing and, where it is known, why it is.
fn told(unmet: Unmet, require: &Requirement, identity: &Identity, policy: &Policy, process: &Process) -> Failure {
    let Unmet { reason, details, what } = unmet;
    let mut saw = format!("{require} (not met: {what})");
    if matches!(reason, Reason::RoleMissing | Reason::PermissionMissing | Reason::RequirementUnmet)
        && let Some(withheld) = unmet::withheld_in_words(identity, policy, process)
    {
        saw = format!("{saw}; {withheld}");
    }
    let arrays = match reason {
        Reason::ClaimMismatch | Reason::RequirementUnmet => unmet::arrays(require, identity),
        _ => None,
    };
    let failure = match arrays {
        Some((shown, logged)) => {
            Failure::new(reason, "authorise", format!("{saw}; {shown}")).told(format!("{saw}; {logged}"))
        }
        None => Failure::new(reason, "authorise", saw),
    };
    Failure { details, ..failure }
}

/// Roles that `grants` takes away vanish as silently.
fn tell_withheld(context: &mut Context, identity: &Identity, process: &Process) {
    let snapshot = Arc::clone(&context.snapshot);
    if let Some((issuer, roles)) = unmet::withheld(identity, &snapshot.policy, process) {
        let saw = || format!("roles of the token of {}: {}", identity.subject.escape_debug(), roles.join(", "));
        context
            .trace
            .step("roles", saw, || format!("not in `grants` of issuer {}: its tokens do not give them", issuer.name));
    }
}

fn rights(identity: &Identity) -> String {
    format!(
        "roles [{}], scopes [{}], permissions [{}]",
        identity.roles.join(", "),
        identity.scopes.join(" "),
        identity.permissions.join(", ")
    )
}
