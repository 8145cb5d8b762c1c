//! From a token in the Authorization field to who it stands for: verified, not revoked, in the hands of whom it was
//! issued to, and then either an identity of its own or the local user that it names.

use std::sync::Arc;

use crate::engine::conclude::tell_undefined;
use crate::engine::context::{Context, Failure};
use crate::engine::decide::Examined;
use crate::engine::identify::{self, Proof};
use crate::engine::job::Work;
use crate::engine::possession::Possession;
use crate::engine::process::Process;
use crate::token::{self, Trust, Verified};

/// Who it is. Tokens cannot be guessed, so nothing is counted.
pub(super) fn recognise(
    context: &mut Context,
    process: &Process,
    token: &str,
    possession: &Possession<'_, '_>,
) -> Result<Examined, Failure> {
    let verified = verify(context, token)?;
    possession.proves(context, &verified)?;
    identify(context, process, verified)
}

/// Signature, times and claims.
fn verify(context: &Context, token: &str) -> Result<Verified, Failure> {
    let snapshot = &context.snapshot;
    let trust = Trust { issuers: &snapshot.policy.issuers, keys: &snapshot.keys, leeway: snapshot.policy.leeway };
    token::verify(token, &trust, context.now).map_err(failure)
}

fn identify(context: &mut Context, process: &Process, verified: Verified) -> Result<Examined, Failure> {
    let snapshot = Arc::clone(&context.snapshot);
    let policy = &*snapshot.policy;
    let Some(name) = identify::local_subject(&verified, policy)? else {
        tell_undefined(context, "in the token of", &verified.subject(), &verified.roles());
        if let Some(issuer) = policy.issuers.get(verified.issuer).filter(|issuer| issuer.claims.roles.is_none()) {
            let saw = || format!("issuer {} has no claims = {{ roles = … }}", issuer.name);
            context.trace.step("roles", saw, || "its tokens give none");
        }
        let identity = identify::of_foreign_token(verified, policy)?;
        return Ok(Examined::Recognised(identify::known(identity, policy)));
    };
    let proof = Proof::Token(Box::new(verified), name);
    Ok(match proof.known(process) {
        Some(facts) => Examined::Proved(proof, facts),
        None => Examined::Needs(Box::new(Work::Read { proof, place: None, round: 0 })),
    })
}

fn failure(refused: token::Refused) -> Failure {
    Failure::new(refused.reason, "verify", refused.detail)
}
