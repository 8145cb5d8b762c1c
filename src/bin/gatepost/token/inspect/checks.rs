//! Each check of a token in the order of the reasons, with what it saw.

use gatepost::engine::Engine;
use gatepost::error::Error;
use gatepost::json::{Kind, Object, shown};
use gatepost::policy::model::Issuer;
use gatepost::reason::Reason;
use gatepost::token::{self, Clock, Held, Jws, Message, Refused, Room, claims};

use super::words;

/// What came of a token.
pub struct Verdict {
    /// Every check, in order.
    pub checks: Vec<Check>,
    /// Why it is refused.
    pub refused: Option<Refused>,
    /// Whose it says it is, where the policy believes them: the name in the policy and the `iss`.
    pub issuer: Option<(String, String)>,
    /// Which key proved it.
    pub key: Option<MatchedKey>,
}

/// The key that proved a token.
pub struct MatchedKey {
    /// Its `kid`.
    pub kid: Option<String>,
    /// The algorithm.
    pub algorithm: &'static str,
}

/// One check.
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// What it saw, and of a failure what was wanted.
    pub saw: String,
}

/// What a check saw, by its name.
type Seen = (&'static str, Outcome, String);

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not hold: the reason of the refusal.
    Failed,
    /// What it is about is missing or of the wrong type, which a later check tells.
    NotJudged,
    /// An earlier one failed: nothing that comes after it is looked at.
    NotReached,
}

impl Outcome {
    /// For machines.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::NotJudged => "not_judged",
            Outcome::NotReached => "not_reached",
        }
    }
}

/// The checks, in the order of the reasons.
const NAMES: [&str; 13] = [
    "form",
    "issuer",
    "algorithm",
    "key",
    "signature",
    "expiry",
    "start",
    "audience",
    "type",
    "claims",
    "revoked",
    "possession",
    "identity",
];

/// The check that a reason belongs to, of those that a token passes alone.
fn check_of(reason: Reason) -> &'static str {
    match reason {
        Reason::TokenMalformed => "form",
        Reason::TokenIssuer => "issuer",
        Reason::TokenAlgorithm => "algorithm",
        Reason::TokenKeyUnknown | Reason::KeysUnavailable => "key",
        Reason::TokenSignature => "signature",
        Reason::TokenExpired => "expiry",
        Reason::TokenNotYetValid => "start",
        Reason::TokenAudience => "audience",
        Reason::TokenType => "type",
        _ => "claims",
    }
}

/// Takes a token through all checks. `fault`: what makes it malformed.
pub fn run(token: &str, fault: Option<&str>, engine: &Engine, now: i64) -> Result<Verdict, Error> {
    let mut verdict = Verdict { checks: Vec::new(), refused: None, issuer: None, key: None };
    let mut seen: Vec<Seen> = Vec::new();
    let walked = match fault {
        Some(fault) => Err(Refused { reason: Reason::TokenMalformed, detail: fault.to_owned() }),
        None => walk(token, engine, now, &mut verdict, &mut seen),
    };
    let refused = match walked {
        Ok(()) => ask(token, engine, now, &mut seen)?,
        Err(refused) => Some((check_of(refused.reason), refused)),
    };
    let mut reached = true;
    for name in NAMES {
        let noted = seen.iter().find(|(noted, ..)| *noted == name);
        let (outcome, saw) = match (noted, &refused) {
            _ if !reached => (Outcome::NotReached, String::new()),
            (_, Some((failed, refused))) if *failed == name => (Outcome::Failed, refused.detail.clone()),
            (Some((_, outcome, saw)), _) => (*outcome, saw.clone()),
            (None, _) => (Outcome::Passed, String::new()),
        };
        reached &= outcome != Outcome::Failed;
        verdict.checks.push(Check { name, outcome, saw });
    }
    verdict.refused = refused.map(|(_, refused)| refused);
    Ok(verdict)
}

/// What the engine says of a proved token: revocation, and for whom it stands. Names the check that refused it.
fn ask(token: &str, engine: &Engine, now: i64, seen: &mut Vec<Seen>) -> Result<Option<(&'static str, Refused)>, Error> {
    let asked = engine.verify_token(token, Some(now))?;
    let refused = |check| Ok(Some((check, Refused { reason: asked.reason, detail: asked.detail.clone() })));
    seen.push(("revoked", Outcome::Passed, "it is not".to_owned()));
    match (&asked.identity, asked.reason) {
        (Some(identity), _) => {
            seen.push(("possession", Outcome::Passed, "it is bound to no key".to_owned()));
            let listed = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let (roles, scopes) = (listed(&identity.roles), listed(&identity.scopes));
            let mut saw = format!("{}; roles: {roles}; scopes: {scopes}", identity.subject);
            if let Some(withheld) = engine.withheld_roles(identity)? {
                saw = format!("{saw}; {withheld}");
            }
            seen.push(("identity", Outcome::Passed, saw));
            Ok(None)
        }
        // That is no fault of the token.
        (None, Reason::TokenBinding) => {
            seen.push(("possession", Outcome::NotJudged, asked.detail.clone()));
            seen.push(("identity", Outcome::NotJudged, "it comes after possession".to_owned()));
            Ok(None)
        }
        (None, Reason::TokenRevoked | Reason::StateUnavailable) => refused("revoked"),
        (None, _) => {
            seen.push(("possession", Outcome::Passed, "it is bound to no key".to_owned()));
            refused("identity")
        }
    }
}

/// The steps of `token::verify`, each noted.
fn walk(token: &str, engine: &Engine, now: i64, verdict: &mut Verdict, seen: &mut Vec<Seen>) -> Result<(), Refused> {
    let malformed = |detail| Refused { reason: Reason::TokenMalformed, detail };
    let mut room = Room::default();
    let jws = Jws::read(token, &mut room).map_err(malformed)?;
    let Jws { signed, header, payload, signature } = jws;
    let payload = Object::read(payload).map_err(malformed)?;
    let mut note = |name, saw: String| seen.push((name, Outcome::Passed, saw));
    note("form", format!("{} octets in three parts", token.len()));

    let policy = engine.policy();
    let (index, issuer) = token::issuer_of(&payload, &policy.issuers)?;
    verdict.issuer = Some((issuer.name.clone(), issuer.issuer.clone()));
    note("issuer", format!("iss is {}: issuer {}", shown(&issuer.issuer), issuer.name));

    let held = engine.keys_of(index);
    let held = held.as_deref();
    let message = Message { header: &header, signed, signature };
    let kid = header.kid.as_deref();
    note("algorithm", format!("alg is {}, which issuer {} lists", shown(&header.algorithm), issuer.name));
    note("key", keys(held, issuer, &header.algorithm, kid));
    let proved = token::prove(&message, issuer, held)?;
    note("signature", "right".to_owned());
    verdict.key = Some(MatchedKey { kid: proved.kid.map(str::to_owned), algorithm: proved.algorithm.name() });

    let clock = Clock { now, leeway: policy.leeway.max(0) };
    times(&payload, clock, seen);
    seen.push(match payload.get("aud") {
        Some(aud) if aud.kind() != Kind::String && !aud.all(|one| one.kind() == Kind::String) => {
            ("audience", Outcome::NotJudged, "aud is neither a string nor an array of strings".to_owned())
        }
        aud => {
            let aud = aud.map_or("missing".to_owned(), |aud| words::value(aud, ""));
            ("audience", Outcome::Passed, format!("aud is {aud}"))
        }
    });
    let kind = header.kind.as_deref();
    seen.push(("type", Outcome::Passed, format!("typ is {}", kind.map_or("missing".to_owned(), shown))));
    seen.push(("claims", Outcome::Passed, identity(&payload, issuer)));
    claims::check(&payload, kind, issuer, clock).map(drop)
}

/// The claims that make the identity.
fn identity(payload: &Object, issuer: &Issuer) -> String {
    let names = &issuer.claims;
    let wanted = [Some(&names.subject), names.roles.as_ref(), Some(&names.scopes)];
    let found = wanted.into_iter().flatten().filter_map(|name| Some((name, payload.find(name)?)));
    found.map(|(name, value)| format!("{name} is {}", words::value(value, ""))).collect::<Vec<_>>().join("; ")
}

/// Which keys come into question.
fn keys(held: Option<&Held>, issuer: &Issuer, algorithm: &str, kid: Option<&str>) -> String {
    let algorithm = gatepost::crypto::algorithm::Algorithm::from_name(algorithm);
    let fitting = algorithm.and_then(|algorithm| held?.keys.candidates(algorithm, kid).ok());
    let names: Vec<String> = fitting
        .iter()
        .flatten()
        .map(|key| key.kid.as_deref().map_or("one without kid".to_owned(), |kid| format!("kid {}", shown(kid))))
        .collect();
    let asked = kid.map_or("the token names no kid".to_owned(), |kid| format!("the token names kid {}", shown(kid)));
    format!("{asked}; of issuer {} fit: {}", issuer.name, names.join(", "))
}

/// Expiry and start; a claim that is no time is told of by the check of claims.
fn times(payload: &Object, Clock { now, leeway }: Clock, seen: &mut Vec<Seen>) {
    let told = |name: &str| {
        let value = payload.get(name)?;
        Some(words::time(name, value).map(|time| format!("{name} is {}", words::at(time, now))))
    };
    seen.push(match told("exp") {
        Some(Some(saw)) => ("expiry", Outcome::Passed, format!("{saw}, leeway {leeway} s")),
        _ => ("expiry", Outcome::NotJudged, "exp is missing or no time".to_owned()),
    });
    let starts = [told("nbf"), told("iat")];
    let (outcome, saw) = match &starts {
        [None, None] => (Outcome::Passed, "neither nbf nor iat is there".to_owned()),
        [Some(None), _] | [_, Some(None)] => (Outcome::NotJudged, "nbf or iat is no time".to_owned()),
        starts => (Outcome::Passed, starts.iter().flatten().flatten().cloned().collect::<Vec<_>>().join("; ")),
    };
    seen.push(("start", outcome, saw));
}
