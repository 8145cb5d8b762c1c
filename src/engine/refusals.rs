//! What refusals say. All that one says besides its id follows from a few facts, and most refusals have these in common
//! with many others: such a kind of refusal is written once while a policy is in force, and then shared.

use once_cell::race::OnceBox;
use smallvec::SmallVec;

use crate::answer::challenge::{self, Details};
use crate::answer::refusal::{Form, Refusal};
use crate::answer::{page, problem};
use crate::decision::{HeaderEntry, HeaderMode, List, Text};
use crate::engine::snapshot::{Rule, Snapshot};
use crate::identity::Scheme;
use crate::policy::model::Responses;
use crate::reading::wanted::Wanted;
use crate::reason::Reason;

/// Seconds that a client waits after a 503.
const RETRY_AFTER_UNAVAILABLE: u32 = 5;

/// What refusals of one kind have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) rule: Option<Rule>,
    pub(super) reason: Reason,
    /// The scheme that was used or tried.
    pub(super) used: Option<Scheme>,
    /// The scheme that was used is DPoP.
    pub(super) proved: bool,
    /// The token needs a proof of possession.
    pub(super) needs_proof: bool,
    /// `Sec-Fetch-Mode: navigate`, where the field is there.
    pub(super) navigating: Option<bool>,
    pub(super) wanted: Wanted,
}

/// What one refusal says that others of its kind do not. Nothing, for most.
#[derive(Debug, Default)]
pub(super) struct Own<'a> {
    pub(super) details: Option<&'a Details>,
    pub(super) retry_after: Option<u32>,
    /// Fields between those that every refusal has.
    pub(super) fields: SmallVec<[HeaderEntry; 2]>,
}

impl Own<'_> {
    fn is_nothing(&self) -> bool {
        self.details.is_none() && self.retry_after.is_none() && self.fields.is_empty()
    }
}

/// What is said, whatever the id.
#[derive(Debug)]
struct Said {
    response: List<HeaderEntry>,
    offered: SmallVec<[Scheme; 5]>,
    retry_after: Option<u32>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Nothing,
    Problem(problem::Frame),
    /// Written for each id.
    Page,
}

/// A refusal's fields and body.
pub(super) struct Answer {
    pub(super) response: List<HeaderEntry>,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<u32>,
}

/// Kinds of refusals that are written. Which kinds there are is for the clients to say in part, so that there is room for
/// a number of them; others are written for each refusal.
pub(super) struct Refusals(Box<[OnceBox<(Kind, Said)>]>);

/// Places for kinds.
const PLACES: usize = 256;
/// Places in which a kind may stand, one after the other.
const TRIED: usize = 4;

impl std::fmt::Debug for Refusals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Refusals")
    }
}

impl Refusals {
    /// Nothing is written.
    pub(super) fn new() -> Refusals {
        Refusals((0..PLACES).map(|_| OnceBox::new()).collect())
    }

    /// What a refusal of this kind says under this snapshot, whose own this is.
    pub(super) fn answer(&self, snapshot: &Snapshot, kind: Kind, own: &Own<'_>, id: &str) -> Answer {
        let written;
        let said = match self.shared(snapshot, kind, own) {
            Some(said) => said,
            None => {
                written = Said::of(snapshot, kind, own);
                &written
            }
        };
        let retry_after = said.retry_after;
        let body = match &said.body {
            Body::Nothing => Some(Vec::new()),
            Body::Problem(frame) => Some(frame.body(id)),
            Body::Page => page::body(&refusal(snapshot, kind, &said.offered, retry_after, id)),
        };
        match body {
            Some(body) => Answer { response: said.response.clone(), body, retry_after },
            // A page that cannot be written is no reason to say nothing.
            None => self.answer(snapshot, Kind { wanted: Wanted { page: false, ..kind.wanted }, ..kind }, own, id),
        }
    }

    /// What all of the kind say, written now where there is room; `None`: it says more than they, or there is no room.
    fn shared(&self, snapshot: &Snapshot, kind: Kind, own: &Own<'_>) -> Option<&Said> {
        if !own.is_nothing() {
            return None;
        }
        let first = kind.place();
        for place in (first..first.saturating_add(TRIED)).filter_map(|place| self.0.get(place % PLACES)) {
            let (known, said) = place.get_or_init(|| Box::new((kind, Said::of(snapshot, kind, own))));
            if *known == kind {
                return Some(said);
            }
        }
        None
    }
}

impl Kind {
    /// Where it stands, if it is the first to come there.
    fn place(&self) -> usize {
        let rule = match self.rule {
            Some(Rule::Route(index)) => index,
            Some(Rule::Unmatched) => PLACES - 1,
            None => PLACES - 2,
        };
        let wanted = self.wanted.language as usize * 2 + usize::from(self.wanted.page);
        rule.wrapping_mul(29).wrapping_add(self.reason as usize * 5).wrapping_add(wanted * 31)
    }
}

impl Said {
    fn of(snapshot: &Snapshot, kind: Kind, own: &Own<'_>) -> Said {
        let Kind { reason, wanted, .. } = kind;
        let policy = &snapshot.policy;
        let retry_after = own.retry_after.or((reason.status() == 503).then_some(RETRY_AFTER_UNAVAILABLE));
        let schemes = kind.rule.map_or(&[][..], |rule| &snapshot.rule(rule).schemes);
        let offered = challenge::offered(schemes, reason, kind.navigating);
        let tokens = snapshot.proofs.offered(kind.proved, kind.needs_proof && reason == Reason::TokenBinding);
        let none = Details::default();
        let details = own.details.unwrap_or(&none);
        let said = challenge::Said { realm: &policy.name, used: kind.used, reason, details, tokens };
        let challenges = challenge::fields(&offered, &said);
        let mut response = Vec::with_capacity(12);
        response.extend(challenges.into_iter().map(|value| entry("WWW-Authenticate", value, HeaderMode::Append)));
        if let Some(seconds) = retry_after {
            response.push(entry("Retry-After", seconds.to_string(), HeaderMode::Set));
        }
        response.push(entry("Cache-Control", "no-store", HeaderMode::Set));
        response.extend(own.fields.iter().cloned());
        let form = match policy.responses {
            Responses::None => Form::Nothing,
            Responses::Problem => Form::Problem,
            Responses::Auto if wanted.page => Form::Page,
            Responses::Auto => Form::ProblemOrPage,
        };
        let refusal = refusal(snapshot, kind, &offered, retry_after, "");
        refusal.describe(form, &mut response);
        let body = match form {
            _ if wanted.head => Body::Nothing,
            Form::Nothing => Body::Nothing,
            Form::Problem | Form::ProblemOrPage => Body::Problem(problem::Frame::of(&refusal)),
            Form::Page => Body::Page,
        };
        let response = if own.is_nothing() { List::shared(response) } else { response.into() };
        Said { response, offered, retry_after, body }
    }
}

fn refusal<'a>(
    snapshot: &'a Snapshot,
    kind: Kind,
    offered: &'a [Scheme],
    retry_after: Option<u32>,
    id: &'a str,
) -> Refusal<'a> {
    Refusal {
        service: &snapshot.policy.name,
        shown: kind.reason.shown(),
        id,
        offered,
        retry_after,
        language: kind.wanted.language,
        repeatable: kind.wanted.repeatable,
    }
}

/// A field of an answer.
pub(super) fn entry(name: &'static str, value: impl Into<Text>, mode: HeaderMode) -> HeaderEntry {
    HeaderEntry { name: name.into(), value: value.into(), mode }
}
