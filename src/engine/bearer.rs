//! From a token in the Authorization field to who it stands for: verified, not revoked, in the hands of whom it was
//! issued to, and then either an identity of its own or the local user that it names.

use std::sync::Arc;

use crate::engine::conclude::tell_roles;
use crate::engine::context::{Context, Failure};
use crate::engine::decide::{Examination, Examined};
use crate::engine::identify::{self, Proof};
use crate::engine::job::Work;
use crate::engine::possession::Possession;
use crate::engine::snapshot::Snapshot;
use crate::engine::verified::Token;
use crate::reason::Reason;
use crate::state::By;
use crate::token::claims::Clock;
use crate::token::{self, Trust};

/// Who it is. Tokens cannot be guessed, so nothing is counted.
pub(super) fn recognise(
    context: &mut Context,
    examination: &Examination<'_, '_>,
    sent: &[u8],
    possession: &Possession<'_, '_>,
) -> Result<Examined, Failure> {
    let process = examination.process;
    let token = verified(&context.snapshot, sent, context.now)?;
    let Some(revoked) = process.revoked.known(process.state.as_ref(), &token) else {
        // The request is gone when the job runs; what it proves is told if the token is not revoked.
        let unproved = possession.proves(context, examination, sent, &token.verified).err();
        return Ok(ask_the_state(token, unproved));
    };
    refuse_revoked(revoked)?;
    possession.proves(context, examination, sent, &token.verified)?;
    let user = match &token.user {
        None => None,
        Some(name) => match process.facts.known_user(process.state.as_ref(), name) {
            Some(user) => user,
            None => return Ok(ask_the_state(token, None)),
        },
    };
    tell_roles(context, &token, &user);
    identify::of_token(&token, &user, &context.snapshot).map(Examined::Recognised)
}

/// A token whose signature, times and claims are right: remembered, or verified now.
pub(super) fn verified(snapshot: &Snapshot, sent: &[u8], now: i64) -> Result<Arc<Token>, Failure> {
    let policy = &*snapshot.policy;
    let clock = Clock { now, leeway: policy.leeway.max(0) };
    let count = |remembered| {
        if let Some(telling) = &snapshot.telling {
            telling.teller.metrics.token(remembered);
        }
    };
    if let Some(token) = snapshot.tokens.find(sent, &snapshot.keys, clock).map_err(failure)? {
        count(true);
        return Ok(token);
    }
    let trust = Trust { issuers: &policy.issuers, keys: &snapshot.keys, leeway: policy.leeway };
    let verified = token::verify(sent, &trust, now).map_err(failure)?;
    count(false);
    let user = identify::local_subject(&verified, policy)?;
    let own = if user.is_none() { Some(identify::of_foreign_token(&verified, snapshot)?) } else { None };
    let token = Arc::new(Token::new(verified, user, own));
    snapshot.tokens.note(sent, &token);
    Ok(token)
}

/// The token is not revoked.
pub(super) fn refuse_revoked(by: Option<By>) -> Result<(), Failure> {
    let saw = match by {
        None => return Ok(()),
        Some(By::Subject) => "the tokens of its subject that were issued until then are revoked".to_owned(),
        Some(By::Claims) => "it is revoked".to_owned(),
        Some(by) => format!("its {by} is revoked"),
    };
    Err(Failure::new(Reason::TokenRevoked, "verify", saw))
}

fn ask_the_state(token: Arc<Token>, unproved: Option<Failure>) -> Examined {
    let proof = Proof::Token { token, unproved: unproved.map(Box::new) };
    Examined::Needs(Box::new(Work::Read { proof, place: None, round: 0 }))
}

pub(super) fn failure(refused: token::Refused) -> Failure {
    Failure::new(refused.reason, "verify", refused.detail)
}
