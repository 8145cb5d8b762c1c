//! A token that was verified, with what is made of it once and used again: who it is, and at which version of the state
//! it was last found not to be revoked.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};

use crate::crypto::name;
use crate::decision::{List, Upstream};
use crate::engine::facts::{Account, Known};
use crate::engine::revoked::Names;
use crate::state::By;
use crate::token::Verified;

/// No version of a state is ever this.
const NEVER: u64 = u64::MAX;

/// Who somebody is as an account.
type AsAccount = ArcSwapOption<(Arc<Account>, Known)>;

/// A verified token, with what was made of it.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) verified: Verified,
    /// The local user that it names, in the one canonical spelling; `None`: it speaks for itself.
    pub(super) user: Option<String>,
    /// The version of the state at which it was found not to be revoked.
    clear_at: AtomicU64,
    /// Who it is, where only the token says so, with the headers of the first decision.
    pub(super) own: Option<Known>,
    /// The headers of all decisions but the first. Most tokens that are seen once are not seen again, and to prepare
    /// headers for others costs more than to have them.
    upstream: OnceLock<Upstream>,
    /// The first decision was made.
    seen: AtomicBool,
    /// Who it is as this account; only of a token that names one.
    local: OnceLock<Box<AsAccount>>,
}

/// The token of a request: one of those that are remembered, or this request's alone. In a place for each, so that
/// nothing large is moved for those that are remembered.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) kept: Option<Arc<Token>>,
    pub(super) alone: Option<Token>,
}

impl Shown {
    /// It, once it was found or verified.
    #[inline]
    pub(super) fn token(&self) -> Option<&Token> {
        self.kept.as_deref().or(self.alone.as_ref())
    }

    /// The same, to be kept beyond the request.
    pub(super) fn into_kept(self) -> Option<Arc<Token>> {
        self.kept.or_else(|| self.alone.map(Arc::new))
    }
}

impl Token {
    /// `own`: who it is, of a token that names no local user.
    pub(super) fn new(verified: Verified, user: Option<String>, own: Option<Known>) -> Token {
        Token {
            verified,
            user,
            clear_at: AtomicU64::new(NEVER),
            own,
            upstream: OnceLock::new(),
            seen: AtomicBool::new(false),
            local: OnceLock::new(),
        }
    }

    /// `iss`.
    pub(super) fn issuer(&self) -> Cow<'_, str> {
        self.verified.claims.get("iss").and_then(|iss| iss.string()).unwrap_or_default()
    }

    /// It was found not to be revoked at this version of the state.
    pub(super) fn is_clear_at(&self, version: u64) -> bool {
        self.clear_at.load(Ordering::Relaxed) == version
    }

    pub(super) fn note_clear(&self, version: u64) {
        self.clear_at.store(version, Ordering::Relaxed);
    }

    /// By what it can be revoked. The subject counts as the policy reads it and as `sub` has it, so that a change of the
    /// policy's mind revives nothing.
    pub(super) fn names(&self, with_claims: bool) -> Names<'_> {
        let verified = &self.verified;
        let mut names = Names::new();
        names.extend(verified.token_id().map(|name| (By::Token, name)));
        names.extend(verified.session_id().map(|name| (By::Session, name)));
        let subject = verified.subject();
        let others = [self.user.as_deref().map(Cow::Borrowed), verified.claims.get("sub").and_then(|sub| sub.string())];
        names.extend(others.into_iter().flatten().filter(|other| *other != subject).map(|name| (By::Subject, name)));
        // Under a policy to which its subject was a local user it was revoked in the one spelling of that name.
        if self.user.is_none() && !subject.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit()) {
            let canonical = name::user_name(&subject).filter(|canonical| *canonical != *subject);
            names.extend(canonical.map(|name| (By::Subject, Cow::Owned(name))));
        }
        names.push((By::Subject, subject));
        if with_claims {
            names.push((By::Claims, Cow::Owned(claims_digest(verified.claims.text()))));
        }
        names
    }

    /// Who it is where only the token says so.
    pub(super) fn own(&self) -> Option<Known> {
        let own = self.own.as_ref()?;
        let upstream = match self.upstream.get() {
            Some(shared) => shared.clone(),
            None if self.seen.load(Ordering::Relaxed) => {
                let shared = || List::shared(own.upstream.entries(Some(&own.identity)).into_owned()).into();
                self.upstream.get_or_init(shared).clone()
            }
            // Two at once may both be the first.
            None => {
                self.seen.store(true, Ordering::Relaxed);
                own.upstream.clone()
            }
        };
        Some(Known { identity: Arc::clone(&own.identity), upstream })
    }

    /// Who it is as this account; made once for as long as the account stays what it is.
    pub(super) fn local<E>(&self, account: &Arc<Account>, make: impl FnOnce() -> Result<Known, E>) -> Result<Known, E> {
        let local = self.local.get_or_init(Box::default);
        // An account is never changed, and this one cannot make room for another while it is held here.
        if let Some(made) = local.load().as_ref().filter(|made| Arc::ptr_eq(&made.0, account)) {
            return Ok(made.1.clone());
        }
        let known = make()?;
        local.store(Some(Arc::new((Arc::clone(account), known.clone()))));
        Ok(known)
    }
}

/// What a token without `jti` is revoked by: all that it says, as it was signed. A second signature of the same claims,
/// or another header, makes no other token of it.
pub(super) fn claims_digest(claims: &str) -> String {
    BASE64URL_NOPAD.encode(&Sha256::digest(claims.as_bytes()))
}
