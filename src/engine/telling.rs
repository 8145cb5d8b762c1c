//! What a decision leaves behind besides itself: its counters, and where it is worth one, its line.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use smallvec::SmallVec;

use crate::crypto::keyed::mix;
use crate::crypto::random;
use crate::decision::{Action, Decision};
use crate::engine::context::{Context, Failure};
use crate::engine::snapshot::{Rule, Snapshot};
use crate::engine::teller::{Teller, Told};
use crate::error::{Error, ErrorKind};
use crate::event::{Kind, Member, Severity, attempt};
use crate::metrics::RouteCounts;
use crate::policy::Policy;
use crate::policy::model::{Allowed, Route};
use crate::reason::Reason;
use crate::request::Peer;
use crate::state::State;

/// Under which name the state keeps the key of the digests of tokens and keys.
const DIGEST_KEY: &str = "events";

/// How a policy in force tells: the process's teller, the counters of its routes, and the key of its digests.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) teller: Arc<Teller>,
    routes: Vec<Arc<RouteCounts>>,
    unmatched: Arc<RouteCounts>,
    nowhere: Arc<RouteCounts>,
    digests: Digests,
    /// Somebody hears it.
    heard: bool,
}

#[derive(Clone)]
struct Digests(Hmac<Sha256>);

impl std::fmt::Debug for Digests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digests")
    }
}

impl Telling {
    pub(super) fn new(teller: &Arc<Teller>, policy: &Policy, state: &dyn State, heard: bool) -> Result<Telling, Error> {
        // In the state, so that one token has one digest in all processes and after a restart; asked for only where
        // somebody will read it.
        let key = if heard { state.secret(DIGEST_KEY)? } else { random::bytes::<32>()? };
        let digests =
            Hmac::new_from_slice(&key).map_err(|_| Error::new(ErrorKind::Internal, "HMAC did not take its key"))?;
        let metrics = &teller.metrics;
        Ok(Telling {
            teller: Arc::clone(teller),
            routes: policy.routes.iter().map(|route| metrics.route(&label(route))).collect(),
            unmatched: metrics.route("(unmatched)"),
            nowhere: metrics.route("(none)"),
            digests: Digests(digests),
            heard,
        })
    }

    fn counts(&self, rule: Option<Rule>) -> &RouteCounts {
        match rule {
            Some(Rule::Route(index)) => self.routes.get(index).unwrap_or(&self.unmatched),
            Some(Rule::Unmatched) => &self.unmatched,
            None => &self.nowhere,
        }
    }

    /// Somebody hears it.
    pub(super) fn is_heard(&self) -> bool {
        self.heard
    }

    /// The digest of a credential as lines have it.
    pub(super) fn digest_text(&self, credential: &[u8]) -> String {
        format!("hmac-sha256:{}", HEXLOWER.encode(&self.digest(credential)))
    }

    fn digest(&self, credential: &[u8]) -> Digest {
        let whole = self.digests.0.clone().chain_update(credential).finalize().into_bytes();
        whole.first_chunk().copied().unwrap_or_default()
    }
}

fn label(route: &Route) -> String {
    format!("{}{}", route.host.as_deref().unwrap_or_default(), route.path)
}

type Digest = [u8; 16];

/// What a line says of the request and the context does not know. Borrowed: an unlogged decision pays nothing for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a [u8],
    pub(super) host: &'a [u8],
    pub(super) peer: &'a [u8],
    pub(super) user: usize,
    /// A token, an API key or a session's cookie; never a password.
    pub(super) credential: Credential<'a>,
    /// A password was checked for this decision and for no earlier one.
    pub(super) checked: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Credential<'a> {
    None,
    Text(&'a [u8]),
    /// As it was kept for a job: its digest, where somebody hears of it, and its mark.
    Kept(Option<Digest>, u64),
}

/// The same, owned, for a job.
#[derive(Debug, Default)]
pub(super) struct Kept {
    method: SmallVec<[u8; 8]>,
    host: SmallVec<[u8; 64]>,
    peer: SmallVec<[u8; 48]>,
    user: usize,
    credential: Option<(Option<Digest>, u64)>,
}

/// More of a method, host or peer is not kept; what is longer is cut in the line anyway.
const MOST_KEPT: usize = 300;

impl Asked<'_> {
    /// Kept for a job.
    pub(super) fn keep(&self, snapshot: &Snapshot) -> Kept {
        let telling = snapshot.telling.as_ref().filter(|telling| telling.heard);
        let head = |bytes: &[u8]| bytes.get(..MOST_KEPT).unwrap_or(bytes).to_vec();
        Kept {
            method: head(self.method).into(),
            host: head(self.host).into(),
            peer: head(self.peer).into(),
            user: self.user,
            credential: match self.credential {
                Credential::None => None,
                Credential::Text(text) => Some((telling.map(|telling| telling.digest(text)), mark(text))),
                Credential::Kept(digest, mark) => Some((digest, mark)),
            },
        }
    }
}

impl Kept {
    pub(super) fn asked(&self, checked: bool) -> Asked<'_> {
        Asked {
            method: &self.method,
            host: &self.host,
            peer: &self.peer,
            user: self.user,
            credential: self.credential.map_or(Credential::None, |(digest, mark)| Credential::Kept(digest, mark)),
            checked,
        }
    }
}

/// Counts a decision and tells of it: the one place where every decision of every path comes by, on the thread that
/// delivers it. Most are only counted.
#[inline(always)]
pub(super) fn ended(context: &Context, decision: Decision, failure: Option<&Failure>, asked: &Asked<'_>) -> Decision {
    let Some(telling) = &context.snapshot.telling else { return decision };
    telling.teller.metrics.decided(decision.reason, decision.scheme, Some(telling.counts(context.rule)));
    if telling.heard || decision.reason == Reason::Overloaded {
        return heard(telling, context, decision, failure, asked);
    }
    decision
}

#[inline(never)]
fn heard(
    telling: &Telling,
    context: &Context,
    decision: Decision,
    failure: Option<&Failure>,
    asked: &Asked<'_>,
) -> Decision {
    if decision.reason == Reason::Overloaded {
        telling.teller.metrics.hashing_refused();
    }
    if !telling.heard {
        return decision;
    }
    let allowed = context.snapshot.policy.events.allowed;
    let is_open = matches!(decision.action, Action::Allow | Action::Pass);
    if is_open && allowed == Allowed::None {
        return decision;
    }
    let login = decision.reason == Reason::Allowed && (asked.checked || is_first(telling, context, asked));
    if !is_open || login || allowed == Allowed::All {
        tell(telling, context, &decision, failure, asked, login);
    }
    decision
}

fn tell(
    telling: &Telling,
    context: &Context,
    decision: &Decision,
    failure: Option<&Failure>,
    asked: &Asked<'_>,
    login: bool,
) {
    let (teller, policy) = (&telling.teller, &context.snapshot.policy);
    let severity = Severity::of(decision.reason);
    let mut line = teller.line_at(Kind::Decision, severity, &policy.name, teller.milliseconds(context.now));
    line.text(Member::Id, &decision.id)
        .text(Member::Action, decision.action.name())
        .number(Member::Status, u64::from(decision.status))
        .text(Member::Reason, decision.reason.name())
        .maybe(Member::Attempt, attempt(decision.reason))
        .flag(Member::Login, login);
    let log = failure.and_then(|failure| failure.log.as_ref());
    if let Some(failure) = failure {
        line.text(Member::Step, failure.step)
            .text(Member::Saw, log.and_then(|log| log.told.as_deref()).unwrap_or(&failure.saw));
    }
    line.maybe(Member::User, log.and_then(|log| log.user.as_deref()));
    line.maybe(Member::Scheme, decision.scheme.map(|scheme| scheme.name()));
    if let Some(identity) = &decision.identity {
        line.text(Member::Subject, &identity.subject)
            .maybe(Member::Issuer, Some(identity.issuer.as_str()).filter(|issuer| !issuer.is_empty()))
            .texts(Member::Factors, identity.factors.iter().map(String::as_str));
    }
    let digest = match asked.credential {
        Credential::None => None,
        Credential::Text(text) => Some(telling.digest(text)),
        Credential::Kept(digest, _) => digest,
    };
    if let Some(digest) = digest {
        line.text(Member::Credential, &format!("hmac-sha256:{}", HEXLOWER.encode(&digest)));
    }
    let client = context.client.address;
    line.text(Member::Client, &client.to_string());
    if Peer::parse(asked.peer) != client {
        line.bytes(Member::Peer, asked.peer);
    }
    line.flag(Member::Tls, context.client.tls == Some(true)).bytes(Member::Method, asked.method);
    // What stands before an `@` would be a name and a password.
    let host = asked.host.rsplit(|byte| *byte == b'@').next().unwrap_or_default();
    if !host.is_empty() {
        line.bytes(Member::Host, host);
    }
    if let Some(route) = decision.route.and_then(|index| policy.routes.get(index)) {
        line.text(Member::Route, &route.path)
            .maybe(Member::RouteHost, route.host.as_deref())
            .number(Member::Line, u64::from(route.line));
    }
    if let Some(seconds) = decision.retry_after {
        line.number(Member::RetryAfter, u64::from(seconds));
    }
    line.number(Member::Generation, decision.generation);
    teller.tell(&Told {
        line: &line.finish(),
        kind: Kind::Decision,
        severity,
        decision: Some(decision),
        user: asked.user,
    });
}

/// The first use of this token or key from this address, on this day, in this process.
fn is_first(telling: &Telling, context: &Context, asked: &Asked<'_>) -> bool {
    let mark = match asked.credential {
        Credential::None => return false,
        Credential::Text(text) => mark(text),
        Credential::Kept(_, mark) => mark,
    };
    let address = match context.client.address {
        Peer::Ip(IpAddr::V4(v4)) => u128::from(v4.to_bits()),
        Peer::Ip(IpAddr::V6(v6)) => v6.to_bits(),
        Peer::Unix => 1,
        Peer::Unknown => 0,
    };
    telling.teller.seen.is_new(mark, address, context.now.div_euclid(86_400))
}

/// The end of a token or key, where its randomness is: a signature, a secret.
fn mark(credential: &[u8]) -> u64 {
    let tail = credential.last_chunk::<16>().copied().unwrap_or_else(|| {
        let mut padded = [0; 16];
        padded.iter_mut().zip(credential).for_each(|(to, from)| *to = *from);
        padded
    });
    let wide = u128::from_le_bytes(tail);
    mix(wide as u64 ^ 0x9E37_79B9_7F4A_7C15, (wide >> 64) as u64 ^ credential.len() as u64)
}

/// Which tokens and keys were seen from where: a table of marks without a lock, each in one place or in none. A mark that
/// pushes out another makes that one count as new again, which costs a line and hides nothing.
#[derive(Debug)]
pub(super) struct Seen {
    places: Box<[AtomicU64]>,
    keys: (u64, u64),
}

/// Places in the table; a power of two. 64 KiB.
const PLACES: usize = 8_192;

impl Seen {
    pub(super) fn new() -> Result<Seen, Error> {
        let keys = (u64::from_le_bytes(random::bytes()?), u64::from_le_bytes(random::bytes()?));
        Ok(Seen { places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), keys })
    }

    /// Not seen before, or forgotten; from now on it is.
    fn is_new(&self, mark: u64, address: u128, day: i64) -> bool {
        let from = mix(address as u64 ^ self.keys.1, (address >> 64) as u64 ^ self.keys.0 ^ day as u64);
        let mark = mix(mark ^ self.keys.0, from ^ self.keys.1).max(1);
        let index = usize::try_from(mark % PLACES as u64).unwrap_or(0);
        let Some(place) = self.places.get(index) else { return true };
        place.load(Ordering::Relaxed) != mark && place.swap(mark, Ordering::Relaxed) != mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_is_new_once_for_each_address_and_day() {
        let seen = Seen::new().unwrap();
        let (one, two) = (mark(b"gp_0123456789abcdefghij"), mark(b"gp_0123456789abcdefghik"));
        assert_ne!(one, two);
        assert!(seen.is_new(one, 7, 20_000));
        assert!(!seen.is_new(one, 7, 20_000));
        assert!(seen.is_new(one, 8, 20_000) && !seen.is_new(one, 8, 20_000));
        assert!(seen.is_new(one, 7, 20_001) && !seen.is_new(one, 7, 20_001));
        assert!(seen.is_new(two, 7, 20_000));
    }

    #[test]
    fn many_credentials_have_marks_of_their_own() {
        let seen = Seen::new().unwrap();
        let new = (0..1_000_u32).filter(|n| seen.is_new(mark(format!("token.{n:08}").as_bytes()), 7, 1)).count();
        assert_eq!(new, 1_000);
        let again = (0..1_000_u32).filter(|n| seen.is_new(mark(format!("token.{n:08}").as_bytes()), 7, 1)).count();
        assert!(again < 250, "{again}: as many as fall together in 8,192 places");
    }
}
