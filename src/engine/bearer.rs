//! From a token in the Authorization field to who it stands for: verified, not revoked, in the hands of whom it was
//! issued to, and then either an identity of its own or the local user that it names.

use crate::engine::conclude::tell_roles;
use crate::engine::context::{Context, Failure};
use crate::engine::decide::{Examination, Examined};
use crate::engine::identify::{self, Proof};
use crate::engine::job::Work;
use crate::engine::possession::Possession;
use crate::engine::snapshot::Snapshot;
use crate::engine::verified::{Shown, Token};
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
    let mut shown = Shown::default();
    verified(&context.snapshot, sent, context.now, &mut shown)?;
    let token = shown.token().ok_or_else(nothing)?;
    let Some(revoked) = process.revoked.known(process.state.as_ref(), token) else {
        // The request is gone when the job runs; what it proves is told if the token is not revoked.
        let unproved = possession.proves(context, examination, sent, &token.verified).err();
        return ask_the_state(shown, unproved);
    };
    refuse_revoked(revoked)?;
    possession.proves(context, examination, sent, &token.verified)?;
    let user = match &token.user {
        None => None,
        Some(name) => match process.facts.known_user(process.state.as_ref(), name) {
            Some(user) => user,
            None => return ask_the_state(shown, None),
        },
    };
    tell_roles(context, token, &user);
    // Nobody else has it.
    if let Some(Token { own: Some(own), .. }) = shown.alone {
        return Ok(Examined::Recognised(own));
    }
    identify::of_token(token, &user, &context.snapshot).map(Examined::Recognised)
}

/// A token whose signature, times and claims are right: remembered, or verified now. It lies where it is shown.
#[inline(always)]
pub(super) fn verified(snapshot: &Snapshot, sent: &[u8], now: i64, shown: &mut Shown) -> Result<(), Failure> {
    let clock = Clock { now, leeway: snapshot.policy.leeway.max(0) };
    shown.kept = snapshot.tokens.find(sent, &snapshot.keys, clock).map_err(failure)?;
    if shown.kept.is_none() {
        return verify(snapshot, sent, now, shown);
    }
    count(snapshot, true);
    Ok(())
}

fn verify(snapshot: &Snapshot, sent: &[u8], now: i64, shown: &mut Shown) -> Result<(), Failure> {
    let policy = &*snapshot.policy;
    let trust = Trust { issuers: &policy.issuers, keys: &snapshot.keys, leeway: policy.leeway };
    let verified = token::verify(sent, &trust, now).map_err(failure)?;
    count(snapshot, false);
    let user = identify::local_subject(&verified, policy)?;
    let own = if user.is_none() { Some(identify::of_foreign_token(&verified, snapshot)?) } else { None };
    snapshot.tokens.note(sent, Token::new(verified, user, own), shown);
    Ok(())
}

fn count(snapshot: &Snapshot, remembered: bool) {
    if let Some(telling) = &snapshot.telling {
        telling.teller.metrics.token(remembered);
    }
}

#[cold]
pub(super) fn nothing() -> Failure {
    Failure::new(Reason::Internal, "verify", "there is no token where one was verified")
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

fn ask_the_state(shown: Shown, unproved: Option<Failure>) -> Result<Examined, Failure> {
    let token = shown.into_kept().ok_or_else(nothing)?;
    let proof = Proof::Token { token, unproved: unproved.map(Box::new) };
    Ok(Examined::Needs(Box::new(Work::Read { proof, place: None, round: 0 })))
}

pub(super) fn failure(refused: token::Refused) -> Failure {
    Failure::new(refused.reason, "verify", refused.detail)
}
