//! Issuing tokens for local users: what may be asked for, and what is told of it.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::credential::refresh_token;
use crate::credential::scope::is_scope;
use crate::crypto::{name, random};
use crate::engine::Engine;
use crate::engine::snapshot::Snapshot;
use crate::error::{Error, ErrorKind};
use crate::event::{Kind, Line, Member};
use crate::policy::Policy;
use crate::policy::model::Signer;
use crate::state::{Login, State};
use crate::token::issue::{self, Access};

/// The last time that a token can name: the end of the year 9999.
const LAST_DATE: i64 = 253_402_300_799;

/// What a token is asked for with. Everything that is left out has its usual meaning; nothing but `user` must be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenRequest<'a> {
    /// Name of the signer; `None`: the policy's only one.
    pub signer: Option<&'a str>,
    /// The local user, in any spelling.
    pub user: &'a str,
    /// Some of the signer's audience; empty: all of it.
    pub audience: &'a [String],
    /// Scopes (RFC 6749 section 3.3).
    pub scopes: &'a [String],
    /// Seconds, at most what the policy says; `None`: that.
    pub lifetime: Option<i64>,
    /// `client_id`; `None`: nobody in particular, and the token names the signer.
    pub client: Option<&'a str>,
    /// `sid`; `None`: one is drawn where there is a refresh token.
    pub session: Option<&'a str>,
    /// When the user proved who they are, Unix seconds.
    pub authenticated_at: Option<i64>,
    /// By which factors (RFC 8176).
    pub factors: &'a [String],
    /// Further claims, as a JSON object.
    pub claims: Option<&'a str>,
    /// A refresh token is wanted too.
    pub refresh: bool,
    /// Unix seconds; `None`: the engine's clock.
    pub now: Option<i64>,
}

/// Tokens just issued.
pub struct Tokens {
    /// The access token.
    pub access: Zeroizing<String>,
    /// The refresh token.
    pub refresh: Option<Zeroizing<String>>,
    /// The user, in the canonical spelling.
    pub user: String,
    /// `jti` of the access token.
    pub id: String,
    /// `sid` of the access token.
    pub session: Option<String>,
    /// Scopes of the access token.
    pub scopes: Vec<String>,
    /// Seconds from now to the end of the access token.
    pub expires_in: i64,
    /// When the access token ends, Unix seconds.
    pub expires_at: i64,
    /// When the last refresh token of this login ends, Unix seconds.
    pub refresh_expires_at: Option<i64>,
    /// The access token is for the holder of a key who proves it by DPoP (RFC 9449).
    pub by_dpop: bool,
}

impl Tokens {
    /// The answer of an OAuth token endpoint (RFC 6749 section 5.1, RFC 9449 section 5), as JSON.
    pub fn answer(&self) -> Zeroizing<String> {
        let mut answer = Map::new();
        let kind = if self.by_dpop { "DPoP" } else { "Bearer" };
        answer.insert("access_token".to_owned(), self.access.as_str().into());
        answer.insert("token_type".to_owned(), kind.into());
        answer.insert("expires_in".to_owned(), self.expires_in.into());
        answer.extend(self.refresh.as_ref().map(|token| ("refresh_token".to_owned(), token.as_str().into())));
        if !self.scopes.is_empty() {
            answer.insert("scope".to_owned(), self.scopes.join(" ").into());
        }
        Zeroizing::new(Value::Object(answer).to_string())
    }
}

impl Engine {
    /// Issues an access token for a user who exists and is not disabled and, where that is asked for, a refresh token.
    /// May block. What cannot be issued as it was asked for is an error that says why, and so is an unknown user.
    pub fn issue_token(&self, request: &TokenRequest<'_>) -> Result<Tokens, Error> {
        let current = self.current_to_change()?;
        let (state, snapshot) = (current.process()?.state.as_ref(), &*current.snapshot);
        let now = request.now.unwrap_or_else(|| self.now());
        let signer = signer(&snapshot.policy, request.signer)?;
        let login = login(state, &snapshot.policy, signer, request, now)?;
        let mut tokens = access(signer, &login, &login.audience, &login.scopes, now)?;
        if request.refresh {
            let fresh = refresh_token::generate()?;
            // On the disk before it is handed out.
            state.add_login(&login, &fresh.digest)?;
            tokens.refresh = Some(fresh.secret);
            tokens.refresh_expires_at = Some(login.expires_at);
        }
        self.tell_of_tokens(snapshot, Kind::TokenIssued, &login, &tokens);
        Ok(tokens)
    }

    pub(super) fn tell_of_tokens(&self, snapshot: &Snapshot, kind: Kind, login: &Login, tokens: &Tokens) {
        self.tell(snapshot, kind, |line, digest| {
            line.text(Member::User, &login.user)
                .text(Member::Issuer, &login.issuer)
                .text(Member::Token, &tokens.id)
                .maybe(Member::Session, tokens.session.as_deref())
                .maybe(Member::ClientId, login.client.as_deref())
                .texts(Member::Scopes, tokens.scopes.iter().map(String::as_str))
                .time(Member::Expires, tokens.expires_at.saturating_mul(1000))
                .text(Member::Credential, &digest(tokens.access.as_bytes()));
        });
    }

    /// Tells of something that is about no request. The line can have digests of credentials, never themselves.
    pub(super) fn tell(&self, snapshot: &Snapshot, kind: Kind, fill: impl FnOnce(&mut Line, &dyn Fn(&[u8]) -> String)) {
        let Some(telling) = snapshot.telling.as_ref().filter(|telling| telling.is_heard()) else { return };
        let mut line = telling.teller.line(kind, &snapshot.policy);
        fill(&mut line, &|credential| telling.digest_text(credential));
        line.maybe(Member::By, self.inner.options.by.as_deref());
        telling.teller.note(kind, line);
        telling.teller.write();
    }
}

/// An access token of a login.
pub(super) fn access(
    signer: &Signer,
    login: &Login,
    audience: &[String],
    scopes: &[String],
    now: i64,
) -> Result<Tokens, Error> {
    let id = BASE64URL_NOPAD.encode(&random::bytes::<16>()?);
    let further = login.claims.as_deref().map(further).transpose()?;
    let lifetime = login.token_lifetime.min(signer.lifetime);
    let expires_at = now.saturating_add(lifetime);
    if now < 0 || expires_at > LAST_DATE {
        return Err(input(format!("a token cannot be issued at {now}: times are Unix seconds from 0 to {LAST_DATE}")));
    }
    let session = Some(login.session.as_str()).filter(|session| !session.is_empty());
    let says = Access {
        issuer: &signer.issuer,
        subject: &login.user,
        audience,
        // RFC 9068 section 2.2 asks for one.
        client: login.client.as_deref().unwrap_or(&signer.name),
        id: &id,
        issued_at: now,
        expires_at,
        scopes,
        authenticated_at: login.authenticated_at,
        factors: &login.factors,
        session,
        further: further.as_ref(),
    };
    let access = issue::access(&signer.key, &says).map_err(input)?;
    Ok(Tokens {
        access,
        refresh: None,
        user: login.user.clone(),
        session: session.map(str::to_owned),
        scopes: scopes.to_vec(),
        id,
        expires_in: lifetime,
        expires_at,
        refresh_expires_at: None,
        by_dpop: is_by_dpop(login),
    })
}

/// `cnf.jkt` stands among the further claims.
pub(super) fn is_by_dpop(login: &Login) -> bool {
    let claims = login.claims.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    claims.is_some_and(|claims| claims.pointer("/cnf/jkt").is_some())
}

fn signer<'p>(policy: &'p Policy, name: Option<&str>) -> Result<&'p Signer, Error> {
    if let Some(signer) = policy.signer(name) {
        return Ok(signer);
    }
    let names: Vec<&str> = policy.signers.iter().map(|signer| signer.name.as_str()).collect();
    Err(input(match (name, names.as_slice()) {
        (_, []) => "the policy has no [[signer]]: add one to issue tokens".to_owned(),
        (Some(name), names) => format!("there is no signer {name:?}; there are {}", names.join(", ")),
        (None, names) => format!("say which signer issues the token: {}", names.join(", ")),
    }))
}

/// What is asked for, checked.
fn login(
    state: &dyn State,
    policy: &Policy,
    signer: &Signer,
    request: &TokenRequest<'_>,
    now: i64,
) -> Result<Login, Error> {
    let user = user(state, request.user)?;
    let lifetime = request.lifetime.unwrap_or(signer.lifetime);
    if !(1..=signer.lifetime).contains(&lifetime) {
        return Err(input(format!(
            "a token of {} lasts 1 to {} seconds, not {lifetime}: ask for less, or raise its `lifetime`",
            signer.name, signer.lifetime
        )));
    }
    let audience = match request.audience {
        [] => signer.audience.clone(),
        some => {
            if let Some(stray) = some.iter().find(|one| !signer.audience.contains(one)) {
                let all = signer.audience.join(", ");
                return Err(input(format!("{stray:?} is not in the audience of {}: {all}", signer.name)));
            }
            some.to_vec()
        }
    };
    if let Some(scope) = request.scopes.iter().find(|scope| !is_scope(scope)) {
        return Err(input(format!(
            "{scope:?} cannot be a scope: take visible ASCII without spaces, quotes and backslashes, one scope a time"
        )));
    }
    for (what, text) in [("client_id", request.client), ("session", request.session)] {
        text.map_or(Ok(()), |text| word(what, text))?;
    }
    if request.factors.len() > 16 {
        return Err(input("a token names at most 16 factors"));
    }
    request.factors.iter().try_for_each(|factor| word("factor", factor))?;
    if let Some(at) = request.authenticated_at.filter(|at| !(0..=now.saturating_add(policy.leeway)).contains(at)) {
        return Err(input(format!("nobody can have logged in at {at}: it is now {now} (Unix seconds)")));
    }
    let claims =
        request.claims.map(|text| further(text).map(|claims| Value::Object(claims).to_string())).transpose()?;
    let (session, expires_at) = match (signer.refresh, request.refresh) {
        (Some(rules), true) => {
            let drawn = BASE64URL_NOPAD.encode(&random::bytes::<16>()?);
            (request.session.map_or(drawn, str::to_owned), now.saturating_add(rules.lifetime))
        }
        (_, false) => (request.session.unwrap_or_default().to_owned(), now),
        (None, true) => {
            return Err(input(format!(
                "{} gives no refresh tokens: add `refresh = {{ lifetime = \"30d\" }}` to its section",
                signer.name
            )));
        }
    };
    Ok(Login {
        session,
        issuer: signer.issuer.clone(),
        user,
        client: request.client.map(str::to_owned),
        audience,
        scopes: request.scopes.to_vec(),
        claims,
        factors: request.factors.to_vec(),
        authenticated_at: request.authenticated_at,
        token_lifetime: lifetime,
        created_at: now,
        expires_at,
    })
}

/// The canonical name of a user who may come in.
fn user(state: &dyn State, raw: &str) -> Result<String, Error> {
    let canonical = name::user_name(raw).ok_or_else(|| input(format!("{raw:?} cannot be a user name")))?;
    match state.user(&canonical)? {
        Some(user) if user.disabled => Err(Error::new(
            ErrorKind::Conflict,
            format!("{canonical} is disabled; `gatepost user enable` lets the account in again"),
        )),
        Some(user) => Ok(user.name),
        None => Err(Error::new(
            ErrorKind::Conflict,
            format!("there is no user named {canonical}: `gatepost user list` shows who there is"),
        )),
    }
}

fn further(text: &str) -> Result<Map<String, Value>, Error> {
    issue::further(text).map_err(|why| input(format!("these claims cannot be taken: {why}")))
}

fn word(what: &str, text: &str) -> Result<(), Error> {
    if !text.is_empty() && text.len() <= 255 && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(input(format!("{text:?} cannot be a {what}: take 1 to 255 bytes, none of them control characters")))
}

fn input(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Input, message)
}

/// Never shows a token.
impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("user", &self.user).field("id", &self.id).finish_non_exhaustive()
    }
}
