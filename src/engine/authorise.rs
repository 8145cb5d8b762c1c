//! Whether an identity meets a requirement, and if not, which reason says it best.
//!
//! Leaves are true, false or unknown (Kleene's strong logic); only true lets in, so that unknown denies also under
//! `not`. Factors and login ages are taken as met first: a refusal that a new login cannot mend is told as such.

use serde_json::Value;

use crate::answer::challenge::Details;
use crate::identity::Identity;
use crate::json::{Kind, Raw};
use crate::policy::requirement::{ClaimTest, Requirement};
use crate::policy::role::covers;
use crate::reading::client::Client;
use crate::reason::Reason;

/// What a requirement is held against.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Who was recognised; `None` where the route lets everybody in.
    pub identity: Option<&'a Identity>,
    /// Where the request comes from.
    pub client: &'a Client,
    /// Unix seconds.
    pub now: i64,
    /// Clock skew that is granted, seconds: a login may lie so far ahead.
    pub leeway: i64,
}

/// A requirement that is not met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Why.
    pub reason: Reason,
    /// What the challenge may say.
    pub details: Details,
    /// The leaf or branch, for the operator.
    pub what: String,
}

/// Holds the requirement against the facts.
#[inline]
pub fn authorise(require: &Requirement, facts: &Facts<'_>) -> Result<(), Unmet> {
    // What most routes ask for, and all that are open.
    if matches!(require, Requirement::Authenticated) { Ok(()) } else { evaluate(require, facts) }
}

fn evaluate(require: &Requirement, facts: &Facts<'_>) -> Result<(), Unmet> {
    let strict = Evaluation { facts: *facts, assume_factor: false, assume_login: false };
    // Factors and login ages never stand under `not`: what is true without assumptions is true with them.
    if strict.truth(require) == Truth::True {
        return Ok(());
    }
    let lenient = Evaluation { facts: *facts, assume_factor: true, assume_login: true };
    if let Some(failure) = lenient.failure(require) {
        return Err(unmet(require, failure, &lenient));
    }
    let recent = Evaluation { facts: *facts, assume_factor: false, assume_login: true };
    if recent.truth(require) != Truth::True {
        return Err(unmet(require, Failure::of(Reason::FactorRequired, require), &recent));
    }
    Err(unmet(require, Failure::of(Reason::LoginTooOld, require), &strict))
}

/// The `tls` and `network` leaves that stand alone or under `all`: what can be refused before any credential is asked
/// for, so that nobody is invited to send a password in the clear.
#[inline]
pub fn before_credentials<'a>(require: &'a Requirement, client: &Client) -> Result<(), (Reason, &'a Requirement)> {
    if !matches!(require, Requirement::Tls | Requirement::Network(_) | Requirement::All(_)) {
        return Ok(());
    }
    first_of_all(require, client)
}

fn first_of_all<'a>(require: &'a Requirement, client: &Client) -> Result<(), (Reason, &'a Requirement)> {
    // TLS first, whatever the order of the file: it is what the person can mend.
    let tls = first(require, &|leaf| matches!(leaf, Requirement::Tls) && client.tls != Some(true));
    if let Some(leaf) = tls {
        return Err((Reason::TlsRequired, leaf));
    }
    let far = |leaf: &Requirement| matches!(leaf, Requirement::Network(_)) && network(leaf, client) != Truth::True;
    first(require, &far).map_or(Ok(()), |leaf| Err((Reason::NetworkNotAllowed, leaf)))
}

/// The first leaf of this kind that stands alone or under `all`.
fn first<'a>(require: &'a Requirement, is: &dyn Fn(&Requirement) -> bool) -> Option<&'a Requirement> {
    match require {
        Requirement::All(parts) => parts.iter().find_map(|part| first(part, is)),
        leaf => is(leaf).then_some(leaf),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    True,
    False,
    Unknown,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Truth {
        if value { Truth::True } else { Truth::False }
    }
}

#[derive(Clone, Copy, Debug)]
struct Failure<'r> {
    reason: Reason,
    part: &'r Requirement,
}

impl<'r> Failure<'r> {
    fn of(reason: Reason, part: &'r Requirement) -> Failure<'r> {
        Failure { reason, part }
    }

    /// The order in which several failures under `all` are told.
    fn precedence(&self) -> u8 {
        match self.reason {
            Reason::ScopeMissing => 0,
            Reason::RoleMissing => 1,
            Reason::PermissionMissing => 2,
            Reason::ClaimMismatch => 3,
            Reason::FactorRequired => 5,
            Reason::LoginTooOld => 6,
            _ => 4,
        }
    }
}

struct Evaluation<'f> {
    facts: Facts<'f>,
    assume_factor: bool,
    assume_login: bool,
}

impl Evaluation<'_> {
    fn truth(&self, require: &Requirement) -> Truth {
        let of_identity =
            |holds: &dyn Fn(&Identity) -> bool| self.facts.identity.map_or(Truth::Unknown, |i| holds(i).into());
        match require {
            Requirement::Authenticated => Truth::True,
            Requirement::User { issuer, subject } => of_identity(&|i| i.issuer == *issuer && i.subject == *subject),
            Requirement::Role(name) => of_identity(&|i| i.roles.contains(name)),
            Requirement::Scope(name) => of_identity(&|i| i.scopes.contains(name)),
            Requirement::Permission(name) => of_identity(&|i| permitted(i, name)),
            Requirement::Claim { name, test } => self.claim(name, test),
            Requirement::Factor(_) if self.assume_factor => Truth::True,
            Requirement::Factor(name) => of_identity(&|i| i.factors.contains(name)),
            Requirement::LoginWithin(seconds) => self.login_within(*seconds),
            Requirement::Network(_) => network(require, self.facts.client),
            Requirement::Tls => self.facts.client.tls.map_or(Truth::Unknown, Truth::from),
            Requirement::All(parts) => self.all(parts),
            Requirement::Any(parts) => self.any(parts),
            Requirement::Not(part) => match self.truth(part) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
        }
    }

    fn all(&self, parts: &[Requirement]) -> Truth {
        parts.iter().map(|part| self.truth(part)).fold(Truth::True, |so_far, next| match (so_far, next) {
            (Truth::False, _) | (_, Truth::False) => Truth::False,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            _ => Truth::True,
        })
    }

    fn any(&self, parts: &[Requirement]) -> Truth {
        parts.iter().map(|part| self.truth(part)).fold(Truth::False, |so_far, next| match (so_far, next) {
            (Truth::True, _) | (_, Truth::True) => Truth::True,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            _ => Truth::False,
        })
    }

    /// A claim that is not there, or that has no such kind of value, is unknown: `not` must not turn it into a yes.
    fn claim(&self, name: &str, test: &ClaimTest) -> Truth {
        let Some(value) = self.facts.identity.and_then(|i| i.claims.as_ref()).and_then(|claims| claims.find(name))
        else {
            return Truth::Unknown;
        };
        match (test, value.kind()) {
            // A claim of another JSON type is no answer: under `not` it must not let in.
            (ClaimTest::Equals(wanted), kind) if kind_of(wanted) != kind => Truth::Unknown,
            (ClaimTest::Equals(wanted), _) => is(value, wanted).into(),
            (ClaimTest::Contains(wanted), Kind::Array) => (!value.all(|item| !is(item, wanted))).into(),
            (ClaimTest::Contains(_), _) => Truth::Unknown,
        }
    }

    fn login_within(&self, seconds: i64) -> Truth {
        if self.assume_login {
            return Truth::True;
        }
        match self.facts.identity.and_then(|i| i.authenticated_at) {
            // A login that has not happened yet would stay recent for ever.
            Some(at) if at > self.facts.now.saturating_add(self.facts.leeway) => Truth::Unknown,
            Some(at) => (self.facts.now.saturating_sub(at) <= seconds).into(),
            None => Truth::Unknown,
        }
    }

    /// Why it does not come out true; `None` where it does.
    fn failure<'r>(&self, require: &'r Requirement) -> Option<Failure<'r>> {
        if self.truth(require) == Truth::True {
            return None;
        }
        let reason = match require {
            Requirement::Role(_) => Reason::RoleMissing,
            Requirement::Scope(_) => Reason::ScopeMissing,
            Requirement::Permission(_) => Reason::PermissionMissing,
            Requirement::Claim { .. } => Reason::ClaimMismatch,
            Requirement::Network(_) => Reason::NetworkNotAllowed,
            Requirement::Tls => Reason::TlsRequired,
            Requirement::All(parts) => {
                return parts.iter().filter_map(|part| self.failure(part)).min_by_key(Failure::precedence);
            }
            Requirement::Any(parts) => {
                let mut reasons = parts.iter().filter_map(|part| self.failure(part)).map(|failure| failure.reason);
                let first = reasons.next().unwrap_or(Reason::RequirementUnmet);
                if reasons.all(|reason| reason == first) { first } else { Reason::RequirementUnmet }
            }
            Requirement::Factor(_) => Reason::FactorRequired,
            Requirement::LoginWithin(_) => Reason::LoginTooOld,
            Requirement::Authenticated | Requirement::User { .. } | Requirement::Not(_) => Reason::RequirementUnmet,
        };
        Some(Failure::of(reason, require))
    }
}

/// A role gives it and, where the credential's scopes narrow, one of them covers it. Scopes alone never give one.
fn permitted(identity: &Identity, permission: &str) -> bool {
    let given = identity.permissions.iter().any(|pattern| covers(pattern, permission));
    given && (!identity.scopes_narrow_permissions || identity.scopes.iter().any(|scope| covers(scope, permission)))
}

fn network(require: &Requirement, client: &Client) -> Truth {
    match (require, client.address.ip()) {
        (Requirement::Network(ranges), Some(address)) => ranges.iter().any(|range| range.contains(address)).into(),
        _ => Truth::Unknown,
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    }
}

/// A claim's value is the one that is wanted.
fn is(value: Raw<'_>, wanted: &Value) -> bool {
    match (value.string(), wanted) {
        (Some(text), Value::String(wanted)) => text == wanted.as_str(),
        (Some(_), _) => false,
        (None, Value::String(_)) => false,
        (None, _) => kind_of(wanted) == value.kind() && same(&value.value(), wanted),
    }
}

/// Equal as JSON values; numbers by value, so that 1 and 1.0 are equal.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || (x.as_f64().is_some() && x.as_f64() == y.as_f64()),
        (Value::Array(x), Value::Array(y)) => x.len() == y.len() && x.iter().zip(y).all(|(a, b)| same(a, b)),
        _ => a == b,
    }
}

/// What the challenge names, over the whole requirement: all scopes that it asks for (RFC 6750 section 3), and the
/// factors and login ages that do not hold.
fn unmet(require: &Requirement, failure: Failure<'_>, evaluation: &Evaluation<'_>) -> Unmet {
    let mut details = Details::default();
    gather(require, failure.reason, evaluation, &mut details);
    Unmet { reason: failure.reason, details, what: failure.part.to_string() }
}

/// Passes by what stands under `not`: nobody is asked for what they must not have.
fn gather(require: &Requirement, reason: Reason, evaluation: &Evaluation<'_>, details: &mut Details) {
    match (require, reason) {
        (Requirement::All(parts) | Requirement::Any(parts), _) => {
            parts.iter().for_each(|part| gather(part, reason, evaluation, details));
        }
        (Requirement::Scope(name), Reason::ScopeMissing) if !details.scopes.contains(name) => {
            details.scopes.push(name.clone());
        }
        (Requirement::Factor(name), Reason::FactorRequired)
            if evaluation.truth(require) != Truth::True && !details.factors.contains(name) =>
        {
            details.factors.push(name.clone());
        }
        (Requirement::LoginWithin(seconds), Reason::LoginTooOld) if evaluation.truth(require) != Truth::True => {
            details.max_age = Some(details.max_age.map_or(*seconds, |known| known.min(*seconds)));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
