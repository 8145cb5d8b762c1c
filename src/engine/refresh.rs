//! Exchanging a refresh token for an access token and the next refresh token. Each is exchanged once; a used one that
//! comes again ends the login, but for a moment in which it gets the very answer that it got.
//!
//! That answer lies in the state sealed under a key made of the used token, of which the state has only the digest: who
//! reads the state learns nothing by it, and when it is wiped not even the used token brings it back.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::credential::refresh_token;
use crate::crypto::seal::Seal;
use crate::engine::Engine;
use crate::engine::issue::{self, Tokens};
use crate::error::{Error, ErrorKind};
use crate::event::{Kind, Member};
use crate::policy::Policy;
use crate::policy::model::Signer;
use crate::state::{Exchange, Exchanged, Login, LoginEnd, RefreshToken, State};

/// Keeps keys of seals apart from every other use of a refresh token.
const PURPOSE: &[u8] = b"gatepost refresh answer 1";

/// A refresh token that is handed in.
#[derive(Clone, Copy, Debug, Default)]
pub struct RefreshRequest<'a> {
    /// As it was sent.
    pub token: &'a str,
    /// Who hands it in; must be who it was issued to.
    pub client: Option<&'a str>,
    /// Fewer scopes than the login has; empty: all of them.
    pub scopes: &'a [String],
    /// Unix seconds; `None`: the engine's clock.
    pub now: Option<i64>,
}

/// Why a refresh token is not taken: for the operator. The client hears `invalid_grant` in each case.
struct Refusal {
    why: &'static str,
    saw: String,
    login: Option<Box<Login>>,
}

enum Outcome {
    Fresh(Tokens, Login),
    /// The answer of a moment ago.
    Again(Tokens, Login),
    Refused(Refusal),
}

impl Engine {
    /// Exchanges a refresh token. An error of the kind `Refused` means that the client is to hear `invalid_grant`; it and
    /// the event say why. May block: the next token is on the disk before it is handed out.
    pub fn refresh_token(&self, request: &RefreshRequest<'_>) -> Result<Tokens, Error> {
        let current = self.current_to_change()?;
        let (state, snapshot) = (current.process()?.state.as_ref(), &*current.snapshot);
        let now = request.now.unwrap_or_else(|| self.now());
        match exchange(state, &snapshot.policy, request, now)? {
            Outcome::Fresh(tokens, login) => {
                self.tell_of_tokens(snapshot, Kind::TokenRefreshed, &login, &tokens);
                Ok(tokens)
            }
            Outcome::Again(tokens, login) => {
                self.tell_of_tokens(snapshot, Kind::RefreshRepeated, &login, &tokens);
                Ok(tokens)
            }
            Outcome::Refused(refusal) => {
                let kind = if refusal.why == "reused" { Kind::RefreshReused } else { Kind::RefreshRefused };
                self.tell(snapshot, kind, |line, digest| {
                    line.text(Member::Why, refusal.why).text(Member::Saw, &refusal.saw);
                    if let Some(login) = &refusal.login {
                        line.text(Member::User, &login.user)
                            .text(Member::Issuer, &login.issuer)
                            .text(Member::Session, &login.session)
                            .maybe(Member::ClientId, login.client.as_deref());
                    }
                    line.text(Member::Credential, &digest(request.token.as_bytes()));
                });
                let message = format!("this refresh token is not taken (invalid_grant): {}", refusal.saw);
                Err(Error::new(ErrorKind::Refused, message))
            }
        }
    }
}

fn exchange(state: &dyn State, policy: &Policy, request: &RefreshRequest<'_>, now: i64) -> Result<Outcome, Error> {
    let refused = |why, saw: &str| Ok(Outcome::Refused(Refusal { why, saw: saw.to_owned(), login: None }));
    let Some(digest) = refresh_token::digest(request.token) else {
        return refused("malformed", "it is no refresh token of this kind, or was mistyped");
    };
    let Some(found) = state.refresh_token(&digest)? else {
        return refused("unknown", "there is no such refresh token: its user may have been removed since");
    };
    let (signer, grace) = match usable(policy, &found, request, now) {
        Ok(usable) => usable,
        Err((why, saw)) => {
            return Ok(Outcome::Refused(Refusal { why, saw, login: Some(Box::new(found.login)) }));
        }
    };
    let login = found.login;
    let scopes = narrowed(&login, request.scopes)?;
    let audience: Vec<String> = login.audience.iter().filter(|one| signer.audience.contains(one)).cloned().collect();
    let mut tokens = issue::access(signer, &login, &audience, scopes, now)?;
    let next = refresh_token::generate()?;
    tokens.refresh = Some(next.secret);
    tokens.refresh_expires_at = Some(end_of(&login, signer));
    let seal = Seal::of(request.token.as_bytes(), PURPOSE)?;
    let sealed = seal.close(&digest, &written(&tokens))?;
    let exchange = Exchange { digest: &digest, next: &next.digest, sealed: &sealed, now, grace };
    let refused = |why, saw: &str, login| {
        Ok(Outcome::Refused(Refusal { why, saw: saw.to_owned(), login: Some(Box::new(login)) }))
    };
    match state.exchange_refresh_token(&exchange)? {
        Exchanged::Done => Ok(Outcome::Fresh(tokens, login)),
        Exchanged::Again(sealed) => match seal.open(&digest, &sealed).and_then(|text| read(&text, &login, now)) {
            Some(tokens) => Ok(Outcome::Again(tokens, login)),
            None => {
                Err(Error::new(ErrorKind::State, "a sealed answer in the state is damaged; put the last backup back"))
            }
        },
        Exchanged::Reused => refused(
            "reused",
            "it was used before, by its owner or by whoever stole it: all that came of its login is revoked",
            login,
        ),
        Exchanged::Over(ended) => refused("revoked", over(ended), login),
        Exchanged::Unknown => refused("unknown", "it was removed while it was exchanged", login),
    }
}

/// Everything about it but whether it was used before; the reason and what was seen where it is not good.
fn usable<'p>(
    policy: &'p Policy,
    found: &RefreshToken,
    request: &RefreshRequest<'_>,
    now: i64,
) -> Result<(&'p Signer, i64), (&'static str, String)> {
    let login = &found.login;
    if let Some(ended) = found.ended {
        return Err(("revoked", over(ended).to_owned()));
    }
    if request.client != login.client.as_deref() {
        let owner = login.client.as_deref().unwrap_or("nobody in particular");
        return Err(("client", format!("it was issued to another client, {owner:?}")));
    }
    let signer = policy.signers.iter().find(|signer| signer.issuer == login.issuer);
    let Some((signer, rules)) = signer.and_then(|signer| signer.refresh.map(|rules| (signer, rules))) else {
        return Err(("signer", format!("no [[signer]] of {} gives refresh tokens any more", login.issuer)));
    };
    if !login.audience.iter().any(|one| signer.audience.contains(one)) {
        return Err(("signer", format!("the [[signer]] {} lost all of its audience", signer.name)));
    }
    let end = end_of(login, signer);
    if now >= end {
        return Err(("expired", format!("its login began at {} and ended at {end}", login.created_at)));
    }
    // A used one is judged as such, however long ago it was issued.
    let unused_until = rules.idle.map(|idle| found.issued_at.saturating_add(idle));
    if let Some(until) = unused_until.filter(|until| found.spent_at.is_none() && now >= *until) {
        return Err(("expired", format!("it lay unused from {} to {until}", found.issued_at)));
    }
    Ok((signer, rules.grace))
}

/// A shorter lifetime in the policy holds for logins that were there before it, too.
fn end_of(login: &Login, signer: &Signer) -> i64 {
    let by_policy = signer.refresh.map_or(login.created_at, |rules| login.created_at.saturating_add(rules.lifetime));
    login.expires_at.min(by_policy)
}

const fn over(ended: LoginEnd) -> &'static str {
    match ended {
        LoginEnd::Revoked => "its login was revoked",
        LoginEnd::Reused => "its login was revoked, because a used refresh token of it came again",
        LoginEnd::Disabled => "its login ended when the user was disabled",
        LoginEnd::Password => "its login ended when the user got a new password",
    }
}

/// RFC 6749 section 6: as many scopes as the login has, or fewer.
fn narrowed<'s>(login: &'s Login, wanted: &'s [String]) -> Result<&'s [String], Error> {
    if wanted.is_empty() {
        return Ok(&login.scopes);
    }
    match wanted.iter().find(|scope| !login.scopes.contains(scope)) {
        None => Ok(wanted),
        Some(stray) => Err(Error::new(
            ErrorKind::Input,
            format!("{stray:?} is more than the login has (invalid_scope): ask for {}", login.scopes.join(" ")),
        )),
    }
}

/// The answer as it is sealed.
fn written(tokens: &Tokens) -> Zeroizing<Vec<u8>> {
    let refresh = tokens.refresh.as_ref().map(|token| token.as_str());
    let answer = json!({
        "access": tokens.access.as_str(),
        "refresh": refresh,
        "id": tokens.id,
        "scopes": tokens.scopes,
        "expires_at": tokens.expires_at,
        "refresh_expires_at": tokens.refresh_expires_at,
    });
    Zeroizing::new(answer.to_string().into_bytes())
}

fn read(text: &[u8], login: &Login, now: i64) -> Option<Tokens> {
    let answer: Value = serde_json::from_slice(text).ok()?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).map(str::to_owned);
    let expires_at = answer.get("expires_at")?.as_i64()?;
    let scopes = answer.get("scopes")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    Some(Tokens {
        access: Zeroizing::new(text("access")?),
        refresh: Some(Zeroizing::new(text("refresh")?)),
        user: login.user.clone(),
        id: text("id")?,
        session: Some(login.session.clone()),
        scopes,
        expires_in: expires_at.saturating_sub(now).max(0),
        expires_at,
        refresh_expires_at: answer.get("refresh_expires_at")?.as_i64(),
        by_dpop: issue::is_by_dpop(login),
    })
}
