//! What a decision carries from the request to the answer. Owned: nothing here points into the request, so that it
//! can wait in a job.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::answer::challenge::Details;
use crate::decision::{Action, Decision, HeaderEntry, HeaderMode, Id, List, Upstream};
use crate::engine::authorise::Facts;
use crate::engine::facts::Known;
use crate::engine::process::Process;
use crate::engine::refusals::{Answer, Kind, Own, entry};
use crate::engine::snapshot::{Rule, Snapshot};
use crate::engine::telling::{self, Asked};
use crate::engine::trace::Trace;
use crate::identity::{Identity, Scheme};
use crate::reading::client::Client;
use crate::reading::fields::Fields;
use crate::reading::wanted::Wanted;
use crate::reason::Reason;
use crate::request::Request;
use crate::throttle::Full;

/// A decision on its way.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) id: Id,
    pub(super) now: i64,
    pub(super) rule: Option<Rule>,
    pub(super) client: Client,
    /// The scheme that was used or tried.
    pub(super) scheme: Option<Scheme>,
    /// The scheme that was used is DPoP.
    pub(super) proved: bool,
    /// The token needs a proof of possession: it is bound to a key, or its issuer asks for that.
    pub(super) needs_proof: bool,
    /// A nonce for the client's next proof.
    pub(super) nonce: Option<String>,
    /// Refused if the credential turns out to be ambient.
    pub(super) cross_site: bool,
    /// `Sec-Fetch-Mode: navigate`, where the field is there.
    pub(super) navigating: Option<bool>,
    /// The request carried a session cookie that is of no use.
    pub(super) clear_cookie: bool,
    pub(super) strip: List<String>,
    /// `Connection` as the application may see it, where it nominated an identity header.
    pub(super) connection: Option<String>,
    pub(super) trace: Trace,
    /// How a refusal is to look. Read only where the request is refused at once or has to wait: not when it is let in.
    pub(super) wanted: Wanted,
}

/// A refusal that has no form yet.
#[derive(Debug)]
pub(super) struct Refused {
    failure: Failure,
    /// Who was recognised all the same.
    identity: Option<Arc<Identity>>,
}

impl Refused {
    /// Of somebody who was recognised: the decision says whom.
    pub(super) fn known(failure: Failure, identity: Arc<Identity>) -> Box<Refused> {
        Box::new(Refused { failure, identity: Some(identity) })
    }

    /// The decision, in the form that the request wants.
    pub(super) fn answer(self, context: &mut Context, asked: &Asked<'_>) -> Decision {
        context.answer(&self.failure, self.identity, asked)
    }
}

/// Of somebody who was not recognised.
impl From<Failure> for Box<Refused> {
    fn from(failure: Failure) -> Box<Refused> {
        Box::new(Refused { failure, identity: None })
    }
}

/// A refusal on its way.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) reason: Reason,
    /// The step that refused.
    pub(super) step: &'static str,
    /// What it saw, for the operator.
    pub(super) saw: Cow<'static, str>,
    pub(super) details: Details,
    pub(super) retry_after: Option<NonZeroU32>,
    /// What the log says otherwise.
    pub(super) log: Option<Box<ForLog>>,
}

/// What the log says of a refusal besides.
#[derive(Debug, Default)]
pub(super) struct ForLog {
    /// In place of what was seen, where that must not be all in there.
    pub(super) told: Option<String>,
    /// The local user whose credential it was.
    pub(super) user: Option<String>,
}

impl Failure {
    pub(super) fn new(reason: Reason, step: &'static str, saw: impl Into<String>) -> Failure {
        Failure::seeing(reason, step, Cow::Owned(saw.into()))
    }

    /// The same, where what was seen is one of a few texts, or is told to nobody.
    pub(super) fn seeing(reason: Reason, step: &'static str, saw: Cow<'static, str>) -> Failure {
        Failure { reason, step, saw, details: Details::default(), retry_after: None, log: None }
    }

    /// The same; the log says this of what was seen: it is read by more people, and for longer.
    pub(super) fn told(mut self, told: impl Into<String>) -> Failure {
        self.log.get_or_insert_default().told = Some(told.into());
        self
    }

    /// The same, of this local user's credential.
    pub(super) fn of(mut self, user: &str) -> Failure {
        self.log.get_or_insert_default().user = Some(user.to_owned());
        self
    }
}

impl From<Full> for Failure {
    fn from(full: Full) -> Failure {
        let saw = match full.under_way {
            true => format!("the counter {} has no room while other attempts are under way", full.counter),
            false => format!("the counter {} is full for another {} s", full.counter, full.retry_after),
        };
        Failure { retry_after: NonZeroU32::new(full.retry_after), ..Failure::new(Reason::Throttled, "throttle", saw) }
    }
}

impl Context {
    /// The beginning: what is known of a request before it is examined.
    pub(super) fn new(
        request: &Request<'_>,
        now: i64,
        fields: &Fields<'_>,
        snapshot: Arc<Snapshot>,
        process: &Process,
        traced: bool,
    ) -> Context {
        let (strip, connection) = snapshot.fields.strip.list(&fields.stripped, request.headers);
        Context {
            id: process.id_for(request.request_id),
            now,
            rule: None,
            client: Client::read(request, fields, &snapshot.policy.proxies),
            scheme: None,
            proved: false,
            needs_proof: false,
            nonce: None,
            cross_site: false,
            navigating: fields.fetch_mode.first().map(|mode| mode.eq_ignore_ascii_case(b"navigate")),
            clear_cookie: false,
            strip,
            connection,
            trace: Trace::new(traced),
            wanted: Wanted::default(),
            snapshot,
        }
    }

    /// What a requirement is held against.
    pub(super) fn facts<'a>(&'a self, identity: Option<&'a Identity>) -> Facts<'a> {
        Facts { identity, client: &self.client, now: self.now, leeway: self.snapshot.policy.leeway }
    }

    /// Refused, in the form that the request wants.
    pub(super) fn answer(&mut self, failure: &Failure, identity: Option<Arc<Identity>>, asked: &Asked<'_>) -> Decision {
        let reason = failure.reason;
        self.trace.refused(failure.step, &failure.saw, || format!("{} {}", reason.status(), reason.name()));
        let kind = Kind {
            rule: self.rule,
            reason,
            used: self.scheme,
            proved: self.proved,
            needs_proof: self.needs_proof,
            navigating: self.navigating,
            wanted: self.wanted,
        };
        let own = Own {
            details: (!failure.details.is_empty()).then_some(&failure.details),
            retry_after: failure.retry_after.map(NonZeroU32::get),
            fields: self.cleared_cookie().into_iter().chain(self.next_nonce()).collect(),
        };
        let Answer { response, body, retry_after } =
            self.snapshot.refusals.answer(&self.snapshot, kind, &own, &self.id);
        let decision = Decision {
            action: Action::Deny,
            status: reason.status(),
            reason,
            id: std::mem::take(&mut self.id),
            identity,
            scheme: self.scheme,
            response,
            upstream: Upstream::default(),
            strip: std::mem::take(&mut self.strip),
            body,
            retry_after,
            route: self.route(),
            generation: self.snapshot.generation,
        };
        telling::ended(self, decision, Some(failure), asked)
    }

    /// Let in, with or without somebody recognised.
    #[inline(always)]
    pub(super) fn allow(&mut self, reason: Reason, known: Option<Known>, asked: &Asked<'_>) -> Decision {
        self.trace.step(
            "answer",
            || known.as_ref().map_or("nobody recognised".to_owned(), |known| describe(&known.identity)),
            || format!("200 {}", reason.name()),
        );
        let (identity, mut upstream, mut response) = match known {
            Some(known) => (Some(known.identity), known.upstream, self.snapshot.private.clone()),
            None => Default::default(),
        };
        if self.clear_cookie || self.nonce.is_some() {
            response.extend(self.cleared_cookie());
            response.extend(self.next_nonce());
        }
        if let Some(rest) = self.connection.take() {
            let mut entries = upstream.entries(identity.as_deref()).into_owned();
            entries.push(entry("Connection", rest, HeaderMode::Set));
            upstream = Upstream::List(entries.into());
        }
        let action = if reason == Reason::Passed { Action::Pass } else { Action::Allow };
        let decision = Decision {
            action,
            status: 200,
            reason,
            id: std::mem::take(&mut self.id),
            identity,
            scheme: self.scheme,
            response,
            upstream,
            strip: std::mem::take(&mut self.strip),
            body: Vec::new(),
            retry_after: None,
            route: self.route(),
            generation: self.snapshot.generation,
        };
        telling::ended(self, decision, None, asked)
    }

    fn route(&self) -> Option<usize> {
        match self.rule {
            Some(Rule::Route(index)) => Some(index),
            Some(Rule::Unmatched) | None => None,
        }
    }

    /// RFC 9449 section 8.2.
    fn next_nonce(&self) -> Option<HeaderEntry> {
        self.nonce.clone().map(|nonce| entry("DPoP-Nonce", nonce, HeaderMode::Set))
    }

    fn cleared_cookie(&self) -> Option<HeaderEntry> {
        let name = &self.snapshot.policy.session.cookie;
        let value = || format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
        self.clear_cookie.then(|| entry("Set-Cookie", value(), HeaderMode::Append))
    }
}

fn describe(identity: &Identity) -> String {
    let from = if identity.issuer.is_empty() { "local".to_owned() } else { format!("of {}", identity.issuer) };
    format!("{} ({from}) by {}", identity.subject.escape_debug(), identity.scheme.name())
}
