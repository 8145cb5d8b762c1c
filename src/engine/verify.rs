//! A token outside of any request: whether it is good now, and for whom it stands.

use std::sync::Arc;

use crate::credential::authorization;
use crate::engine::Engine;
use crate::engine::bearer;
use crate::engine::context::Failure;
use crate::engine::facts::Known;
use crate::engine::identify;
use crate::engine::possession;
use crate::engine::process::Process;
use crate::engine::snapshot::Snapshot;
use crate::engine::unmet;
use crate::engine::verified::{Shown, Token};
use crate::error::Error;
use crate::identity::Identity;
use crate::reason::Reason;

/// What the engine says of a token.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// `allowed`, or why it is refused.
    pub reason: Reason,
    /// For the operator: what was seen and what was wanted; empty where it is good.
    pub detail: String,
    /// For whom it stands; `None` where it is refused.
    pub identity: Option<Arc<Identity>>,
    /// The policy's name of its issuer, once its signature is proved.
    pub issuer: Option<String>,
    /// `jti`, likewise.
    pub token_id: Option<String>,
    /// `sid`, likewise.
    pub session_id: Option<String>,
    /// `iat`, Unix seconds, likewise.
    pub issued_at: Option<i64>,
}

impl Engine {
    /// Verifies a token at a time, Unix seconds (`None`: the engine's clock), as a decision would: signature, times,
    /// claims, revocation, and of a local user what the state says. One that is bound to a key is `token_binding`: only a
    /// request can prove that it is in the right hands. May block where the state has to be asked.
    pub fn verify_token(&self, token: &str, now: Option<i64>) -> Result<Verdict, Error> {
        let current = self.inner.current.load();
        let (process, snapshot) = (current.process()?, &current.snapshot);
        let mut shown = Shown::default();
        let now = now.unwrap_or_else(|| self.now());
        let verified = bearer::verified(snapshot, token.as_bytes(), now, &mut shown);
        let token = match verified.and_then(|()| shown.token().ok_or_else(bearer::nothing)) {
            Ok(token) => token,
            Err(failure) => {
                let alone = authorization::scheme_before_token(token.as_bytes());
                let detail = alone.map(|(name, _)| format!("the token alone is wanted: leave out `{name} `"));
                let verdict = refused(failure);
                return Ok(Verdict { detail: detail.unwrap_or(verdict.detail), ..verdict });
            }
        };
        let verdict = match judge(snapshot, process, token) {
            Ok(known) => Verdict { reason: Reason::Allowed, identity: Some(known.identity), ..blank() },
            Err(failure) => refused(failure),
        };
        let verified = &token.verified;
        Ok(Verdict {
            issuer: snapshot.policy.issuers.get(verified.issuer).map(|issuer| issuer.name.clone()),
            token_id: verified.token_id().map(|name| name.into_owned()),
            session_id: verified.session_id().map(|name| name.into_owned()),
            issued_at: verified.issued_at(),
            ..verdict
        })
    }

    /// Roles of a token that `grants` of its issuer leaves out, by the identity that it was verified as: for people.
    pub fn withheld_roles(&self, identity: &Identity) -> Result<Option<String>, Error> {
        let current = self.inner.current.load();
        Ok(unmet::withheld_in_words(identity, &current.snapshot.policy, current.process()?))
    }
}

/// What is asked of a verified token each time.
fn judge(snapshot: &Snapshot, process: &Process, token: &Token) -> Result<Known, Failure> {
    let state = process.state.as_ref();
    let unreadable = |error: Error| Failure::new(Reason::StateUnavailable, "verify", error.message());
    let revoked = match process.revoked.known(state, token) {
        Some(revoked) => revoked,
        None => process.revoked.ask(state, token).map_err(unreadable)?,
    };
    bearer::refuse_revoked(revoked)?;
    possession::without_request(&snapshot.policy, &token.verified)?;
    let user = match &token.user {
        None => None,
        Some(name) => match process.facts.known_user(state, name) {
            Some(user) => user,
            None => process.facts.read_user(state, name).map_err(unreadable)?,
        },
    };
    identify::of_token(token, &user, snapshot)
}

fn refused(failure: Failure) -> Verdict {
    Verdict { reason: failure.reason, detail: failure.saw.into_owned(), ..blank() }
}

fn blank() -> Verdict {
    Verdict {
        reason: Reason::Internal,
        detail: String::new(),
        identity: None,
        issuer: None,
        token_id: None,
        session_id: None,
        issued_at: None,
    }
}
