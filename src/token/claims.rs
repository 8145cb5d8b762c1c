//! What a token says, once its signature is right: times, audience, type, and the claims that make an identity.
//!
//! A claim of the wrong type is never taken for one that is missing.

use std::borrow::Cow;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::crypto::algorithm::Algorithm;
use crate::ffi::os::plain::is_printable;
use crate::json::{Kind, Member, Object, Place, Raw, shown, tag};
use crate::policy::model::Issuer;
use crate::reason::Reason;
use crate::token::{Binding, Refused, list};

/// The last second of the year 9999: the largest NumericDate that is read.
const LAST_DATE: f64 = 253_402_300_799.0;

/// When a token is checked.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Unix seconds.
    pub now: i64,
    /// Seconds, not negative.
    pub leeway: i64,
}

/// Names of roles, scopes or factors.
pub type Names<'t> = SmallVec<[Cow<'t, str>; 8]>;

/// A token that passed every check. Its claims stay as they were sent; what makes the identity is read from them.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Index of the issuer in the policy.
    pub issuer: usize,
    /// The number of the key set that proved it.
    pub key_epoch: u64,
    /// The algorithm that proved it.
    pub algorithm: Algorithm,
    /// All claims; an identity that is made of them shares them.
    pub claims: Arc<Object>,
    says: Says,
}

/// Where in the claims stands what makes the identity; all of it was checked.
#[derive(Clone, Debug)]
pub struct Says {
    times: Times,
    authenticated_at: Option<i64>,
    subject: Place,
    roles: Option<Place>,
    scopes: Option<Place>,
    factors: Option<Place>,
    /// Few tokens have one, and it is large.
    binding: Option<Box<Binding>>,
}

/// `exp`, `nbf` and `iat`, with fractions: what of a token's checks depends on the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Times {
    expires: f64,
    not_before: Option<f64>,
    issued: Option<f64>,
}

impl Verified {
    pub(super) fn new(
        claims: Arc<Object>,
        issuer: usize,
        key_epoch: u64,
        algorithm: Algorithm,
        says: Says,
    ) -> Verified {
        Verified { issuer, key_epoch, algorithm, claims, says }
    }

    /// The subject as the issuer's `claims.subject` names it, without control characters.
    pub fn subject(&self) -> Cow<'_, str> {
        self.claims.at(self.says.subject).string().unwrap_or_default()
    }

    /// Role names as the token gives them; not yet filtered by what is defined and granted.
    pub fn roles(&self) -> Names<'_> {
        match self.says.roles.map(|place| self.claims.at(place)) {
            // A string is one name.
            Some(value) if value.kind() == Kind::String => value.string().into_iter().collect(),
            value => items(value),
        }
    }

    /// Scopes in the token's order.
    pub fn scopes(&self) -> Names<'_> {
        match self.says.scopes.map(|place| self.claims.at(place)) {
            Some(value) if value.kind() == Kind::String => match value.string() {
                Some(Cow::Borrowed(text)) => words(text).map(Cow::Borrowed).collect(),
                Some(Cow::Owned(text)) => words(&text).map(|word| Cow::Owned(word.to_owned())).collect(),
                None => Names::new(),
            },
            value => items(value),
        }
    }

    /// `amr`.
    pub fn factors(&self) -> Names<'_> {
        items(self.says.factors.map(|place| self.claims.at(place)))
    }

    /// The claims that give something, roles, scopes and factors, as they are written: tokens of one issuer that write
    /// them alike give the same.
    pub fn giving(&self) -> [Option<Raw<'_>>; 3] {
        [self.says.roles, self.says.scopes, self.says.factors].map(|place| place.map(|place| self.claims.at(place)))
    }

    /// `auth_time`, rounded down.
    pub fn authenticated_at(&self) -> Option<i64> {
        self.says.authenticated_at
    }

    /// `exp`, rounded down.
    pub fn expires_at(&self) -> i64 {
        whole_seconds(self.says.times.expires)
    }

    /// `iat`, rounded down.
    pub fn issued_at(&self) -> Option<i64> {
        self.says.times.issued.map(whole_seconds)
    }

    /// What must be asked again each time the token is seen.
    pub fn times(&self) -> Times {
        self.says.times
    }

    /// `jti`.
    pub fn token_id(&self) -> Option<Cow<'_, str>> {
        self.claims.get("jti").and_then(Raw::string)
    }

    /// `sid`.
    pub fn session_id(&self) -> Option<Cow<'_, str>> {
        self.claims.get("sid").and_then(Raw::string)
    }

    /// `cnf` (RFC 7800): the token is for the holder of a key alone.
    pub fn binding(&self) -> Option<&Binding> {
        self.says.binding.as_deref()
    }
}

impl Times {
    /// Expired, then not yet valid.
    pub fn check(&self, clock: Clock) -> Result<(), Refused> {
        check_expiry(self.expires, clock)?;
        for (name, start) in [("nbf", self.not_before), ("iat", self.issued)] {
            start.map_or(Ok(()), |start| check_start(name, start, clock))?;
        }
        Ok(())
    }
}

/// The registered claims and those that issuers most often have besides, found in one pass. Where they stand: values are
/// read when they are asked for.
#[derive(Default)]
struct Registered<'t> {
    exp: Option<&'t Member>,
    nbf: Option<&'t Member>,
    iat: Option<&'t Member>,
    aud: Option<&'t Member>,
    sub: Option<&'t Member>,
    jti: Option<&'t Member>,
    sid: Option<&'t Member>,
    cnf: Option<&'t Member>,
    amr: Option<&'t Member>,
    auth_time: Option<&'t Member>,
    roles: Option<&'t Member>,
    scope: Option<&'t Member>,
}

impl<'t> Registered<'t> {
    fn of(claims: &'t Object) -> Registered<'t> {
        const EXP: u32 = tag(b"exp");
        const NBF: u32 = tag(b"nbf");
        const IAT: u32 = tag(b"iat");
        const AUD: u32 = tag(b"aud");
        const SUB: u32 = tag(b"sub");
        const JTI: u32 = tag(b"jti");
        const SID: u32 = tag(b"sid");
        const CNF: u32 = tag(b"cnf");
        const AMR: u32 = tag(b"amr");
        const AUTH_TIME: u32 = tag(b"auth_time");
        const ROLES: u32 = tag(b"roles");
        const SCOPE: u32 = tag(b"scope");
        let mut found = Registered::default();
        for (tag, member) in claims.tagged() {
            // Three octets have a number of their own.
            match tag {
                EXP => found.exp = Some(member),
                NBF => found.nbf = Some(member),
                IAT => found.iat = Some(member),
                AUD => found.aud = Some(member),
                SUB => found.sub = Some(member),
                JTI => found.jti = Some(member),
                SID => found.sid = Some(member),
                CNF => found.cnf = Some(member),
                AMR => found.amr = Some(member),
                AUTH_TIME if claims.is(member, "auth_time", AUTH_TIME) => found.auth_time = Some(member),
                ROLES if claims.is(member, "roles", ROLES) => found.roles = Some(member),
                SCOPE if claims.is(member, "scope", SCOPE) => found.scope = Some(member),
                _ => {}
            }
        }
        found
    }

    /// The member that the issuer's settings name; as most do, one of the usual.
    fn named(&self, claims: &'t Object, name: &str) -> Option<&'t Member> {
        match name {
            "sub" => self.sub,
            "roles" => self.roles,
            "scope" => self.scope,
            _ => claims.member(name),
        }
    }
}

/// Checks the claims of a token whose signature is right, in the order of the reasons.
pub fn check(claims: &Object, kind: Option<&str>, issuer: &Issuer, clock: Clock) -> Result<Says, Refused> {
    let found = Registered::of(claims);
    let value = |member: Option<&Member>| member.map(|member| claims.value(member));
    let date = |member, name| date_of(claims, member, name);
    let expires = date(found.exp, "exp").and_then(|date| date.ok_or_else(|| "exp is missing".to_owned()));
    let (not_before, issued) = (date(found.nbf, "nbf"), date(found.iat, "iat"));
    // What has no type to be judged by is reported as a claim, below, after what can be judged.
    if let Ok(expires) = &expires {
        check_expiry(*expires, clock)?;
    }
    for (name, start) in [("nbf", &not_before), ("iat", &issued)] {
        if let Ok(Some(start)) = start {
            check_start(name, *start, clock)?;
        }
    }
    let aud = value(found.aud);
    let audience = match aud.and_then(Raw::string) {
        // As it is with most.
        Some(one) if issuer.audience.iter().any(|own| *own == *one) => Ok(()),
        _ => match audience(aud) {
            Ok(audience) => check_audience(&audience, issuer).map(Ok)?,
            Err(why) => Err(why),
        },
    };
    check_type(kind, issuer)?;
    let wrong = |detail| Refused::new(Reason::TokenClaim, detail);
    let expires = expires.map_err(wrong)?;
    let times = Times { expires, not_before: not_before.map_err(wrong)?, issued: issued.map_err(wrong)? };
    audience.map_err(wrong)?;
    identity(claims, &found, issuer, times).map_err(wrong)
}

fn check_expiry(expires: f64, Clock { now, leeway }: Clock) -> Result<(), Refused> {
    // Both sides are whole seconds below 2^53 or the exact value of `exp`: the comparison itself rounds nothing.
    if (now.saturating_sub(leeway) as f64) < expires {
        return Ok(());
    }
    let ago = now as f64 - expires;
    let detail = format!("exp is {expires}, {ago} s ago; now is {now}, leeway {leeway} s");
    Err(Refused::new(Reason::TokenExpired, detail))
}

fn check_start(name: &str, start: f64, Clock { now, leeway }: Clock) -> Result<(), Refused> {
    if start <= now.saturating_add(leeway) as f64 {
        return Ok(());
    }
    let ahead = start - now as f64;
    let detail = format!("{name} is {start}, {ahead} s ahead; now is {now}, leeway {leeway} s");
    Err(Refused::new(Reason::TokenNotYetValid, detail))
}

fn check_audience(audience: &Names<'_>, issuer: &Issuer) -> Result<(), Refused> {
    if audience.iter().any(|one| issuer.audience.iter().any(|own| *own == **one)) {
        return Ok(());
    }
    let seen: Vec<_> = audience.iter().take(4).map(|one| shown(one)).collect();
    let wanted: Vec<_> = issuer.audience.iter().map(|own| shown(own)).collect();
    let detail = format!("aud is {}; issuer {} wants {}", list(&seen, "missing"), issuer.name, list(&wanted, "none"));
    Err(Refused::new(Reason::TokenAudience, detail))
}

/// RFC 7515 section 4.1.9 and RFC 9068 section 4: media types without case, `application/` may be left out.
fn check_type(kind: Option<&str>, issuer: &Issuer) -> Result<(), Refused> {
    let is = |seen: &str, wanted: &str| bare_type(seen).eq_ignore_ascii_case(bare_type(wanted));
    let fits = match kind {
        None => issuer.types.is_empty(),
        Some(seen) if issuer.types.is_empty() => is(seen, "JWT") || is(seen, "at+jwt"),
        Some(seen) => issuer.types.iter().any(|wanted| is(seen, wanted)),
    };
    if fits {
        return Ok(());
    }
    let seen = kind.map_or("missing".into(), shown);
    let wanted = list(&issuer.types, "none, JWT or at+jwt");
    Err(Refused::new(Reason::TokenType, format!("typ is {seen}; issuer {} wants {wanted}", issuer.name)))
}

/// What makes the identity, with the types of all registered claims checked. The error is a detail of `token_claim`.
fn identity(claims: &Object, found: &Registered<'_>, issuer: &Issuer, times: Times) -> Result<Says, String> {
    let is_there = |name: &String| claims.find(name).is_some_and(|value| value.kind() != Kind::Null);
    if let Some(missing) = issuer.require.iter().find(|name| !is_there(name)) {
        return Err(format!("{} is missing; issuer {} requires it", shown(missing), issuer.name));
    }
    for (name, member) in [("sub", found.sub), ("jti", found.jti), ("sid", found.sid)] {
        if let Some(member) = member.filter(|member| member.value().kind != Kind::String) {
            return Err(mistyped(name, claims.value(member), "a string"));
        }
    }
    let value = |member: Option<&Member>| member.map(|member| claims.value(member));
    let binding = value(found.cnf).map(Binding::read).transpose()?.map(Box::new);
    let names = &issuer.claims;
    // A name with dots may be a path to what lies deeper.
    let named = |name: &str| value(found.named(claims, name)).or_else(|| claims.deeper(name));
    let subject = named(&names.subject);
    let roles = names.roles.as_deref().and_then(named);
    let scopes = named(&names.scopes);
    let factors = value(found.amr);
    let subject = match subject {
        Some(value) if value.kind() == Kind::String && !value.written().is_empty() => {
            plain(value, &names.subject, "a string")?;
            value
        }
        Some(value) if value.kind() == Kind::String => return Err(format!("{} is empty", shown(&names.subject))),
        Some(value) => return Err(mistyped(&names.subject, value, "a string")),
        None => return Err(format!("{} is missing, which names the subject", shown(&names.subject))),
    };
    if let (Some(name), Some(value)) = (&names.roles, roles) {
        check_names(value, name, true, "an array of strings, or one string")?;
    }
    if let Some(value) = scopes {
        check_names(value, &names.scopes, true, "a string, or an array of strings")?;
    }
    if let Some(value) = factors {
        check_names(value, "amr", false, "an array of strings")?;
    }
    let authenticated_at = date_of(claims, found.auth_time, "auth_time")?.map(whole_seconds);
    Ok(Says {
        times,
        authenticated_at,
        subject: claims.place(subject),
        roles: roles.map(|value| claims.place(value)),
        scopes: scopes.map(|value| claims.place(value)),
        factors: factors.map(|value| claims.place(value)),
        binding,
    })
}

/// The NumericDate that a member is.
#[inline]
fn date_of(claims: &Object, member: Option<&Member>, name: &str) -> Result<Option<f64>, String> {
    match member.and_then(|member| claims.whole(member)) {
        // As most are.
        Some(seconds) if seconds as f64 <= LAST_DATE => Ok(Some(seconds as f64)),
        _ => date(member.map(|member| claims.value(member)), name),
    }
}

/// A NumericDate (RFC 7519 section 2): a JSON number, with or without a fraction, from 1970 to 9999.
pub(super) fn date(value: Option<Raw<'_>>, name: &str) -> Result<Option<f64>, String> {
    let Some(value) = value else { return Ok(None) };
    match value.number() {
        Some(seconds) if (0.0..=LAST_DATE).contains(&seconds) => Ok(Some(seconds)),
        Some(seconds) => Err(format!("{name} is {seconds}, no time from 0 to {LAST_DATE}")),
        None => Err(mistyped(name, value, "a number of seconds")),
    }
}

/// Rounded down; in range by `date`.
fn whole_seconds(date: f64) -> i64 {
    date as i64
}

/// `aud`: one string, or an array of strings; missing is empty.
fn audience(value: Option<Raw<'_>>) -> Result<Names<'_>, String> {
    let Some(value) = value else { return Ok(Names::new()) };
    if let Some(one) = value.string() {
        return Ok(std::iter::once(one).collect());
    }
    let mut found = Names::new();
    let sound = value.all(|item| item.string().map(|one| found.push(one)).is_some());
    if sound { Ok(found) } else { Err(mistyped("aud", value, "a string or an array of strings")) }
}

/// An array of strings without control characters, or, where `single`, one such string.
fn check_names(value: Raw<'_>, name: &str, single: bool, wanted: &str) -> Result<(), String> {
    match value.kind() {
        Kind::String if single => plain(value, name, wanted),
        // As it is with most.
        Kind::Array if value.is_plainly_strings() => Ok(()),
        Kind::Array => {
            let mut fault = None;
            value.all(|item| {
                fault = plain(item, name, wanted).err();
                fault.is_none()
            });
            fault.map_or(Ok(()), Err)
        }
        _ => Err(mistyped(name, value, wanted)),
    }
}

/// A string without control characters (C0, DEL, C1): these names go into header fields and logs.
fn plain(value: Raw<'_>, name: &str, wanted: &str) -> Result<(), String> {
    match value.string() {
        None => Err(mistyped(name, value, wanted)),
        // As most are.
        Some(text) if is_printable(text.as_bytes()) => Ok(()),
        Some(text) if text.chars().any(char::is_control) => Err(format!("{} holds a control character", shown(name))),
        Some(_) => Ok(()),
    }
}

/// The strings of an array.
fn items(value: Option<Raw<'_>>) -> Names<'_> {
    let mut found = Names::new();
    if let Some(value) = value {
        value.all(|item| {
            found.extend(item.string());
            true
        });
    }
    found
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn mistyped(name: &str, value: Raw<'_>, wanted: &str) -> String {
    format!("{} is or holds {} where {wanted} belongs", shown(name), value.kind().article())
}

/// A media type without `application/`.
fn bare_type(kind: &str) -> &str {
    match kind.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => kind,
    }
}
