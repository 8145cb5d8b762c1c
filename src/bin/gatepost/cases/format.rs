//! From the text of a case file to checked structures. A member that is not known, of the wrong type or given twice is
//! an error that names it: a typing error must never make a check vanish. Nothing here knows an engine.

use gatepost::decision::Action;
use gatepost::identity::Scheme;
use gatepost::reason::Reason;
use regex::Regex;
use serde_json::Value;

use super::json::{self, Members};
use super::keep::Kept;
use super::matcher::{self, Matcher, Names, Saved, Text, is_name};
use super::step::Step;
use crate::when;

/// A whole file.
#[derive(Debug)]
pub struct CaseFile {
    /// Where the policy is.
    pub policy: PolicySource,
    /// Texts that are there from the start, for `${name}`.
    pub saved: Saved,
    /// Users before the first case.
    pub users: Vec<UserSeed>,
    /// API keys before the first case.
    pub api_keys: Vec<KeySeed>,
    /// What is tried.
    pub content: Content,
}

/// What a file tries.
#[derive(Debug)]
pub enum Content {
    /// Cases in order.
    Cases(Vec<Case>),
    /// The policy does not load, and each of these matches what is said.
    PolicyErrors(Vec<Regex>),
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicySource {
    /// Path, relative to the case file.
    Path(String),
    /// The policy itself.
    Text(String),
}

/// A user as it is found by the first case.
#[derive(Clone, Debug, Default)]
pub struct UserSeed {
    /// Name.
    pub name: String,
    /// Password, not bound by the rules for new ones.
    pub password: Option<String>,
    /// Hash, in place of a password.
    pub hash: Option<String>,
    /// Granted roles.
    pub roles: Vec<String>,
    /// May not come in.
    pub disabled: bool,
}

/// An API key, to be issued.
#[derive(Clone, Debug, Default)]
pub struct KeySeed {
    /// The operator's name for it.
    pub name: String,
    /// Owner.
    pub user: String,
    /// Scopes.
    pub scopes: Vec<String>,
    /// Roles that narrow the owner's.
    pub roles: Option<Vec<String>>,
    /// A time, or a length of time from the engine's now.
    pub expires: Option<String>,
    /// Under which names it is kept.
    pub save: Kept,
}

/// One entry of `cases`.
#[derive(Debug)]
pub struct Case {
    /// For people.
    pub name: String,
    /// Sets the clock, Unix seconds.
    pub at: Option<i64>,
    /// What happens.
    pub what: What,
}

/// What happens in a case.
#[derive(Debug)]
pub enum What {
    /// A request.
    Request(Box<Exchange>),
    /// Something else.
    Step(Box<Step>),
}

/// A request, what is expected of the answer, and what to keep of it.
#[derive(Debug)]
pub struct Exchange {
    /// The request.
    pub request: RequestSpec,
    /// The expectation.
    pub expect: Expect,
    /// (name, where in the answer).
    pub save: Vec<(String, Source)>,
}

/// A request.
#[derive(Debug)]
pub struct RequestSpec {
    /// Method; `GET` when left out.
    pub method: Text,
    /// Raw request-target; `/` when left out.
    pub target: Text,
    /// `:authority`; `localhost` when left out, unless a Host field is given.
    pub host: Text,
    /// Peer; `192.0.2.1` when left out.
    pub peer: Text,
    /// Connection is TLS.
    pub tls: bool,
    /// Fields in order.
    pub headers: Vec<(Text, Text)>,
    /// Body.
    pub body: Text,
    /// The host's id for the request.
    pub request_id: Text,
    /// Client certificate of the connection: PEM, or DER.
    pub client_cert: Text,
    /// The host verified its chain.
    pub cert_verified: bool,
}

/// Part of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Value of a cookie that the answer sets.
    Cookie(String),
    /// First value of a field.
    Header(String),
    /// Member of the body, by path.
    Json(Vec<String>),
}

/// What an answer is compared with; only what is there.
#[derive(Debug, Default)]
pub struct Expect {
    /// Any of these.
    pub status: Option<Vec<u16>>,
    /// Any of these.
    pub action: Option<Vec<Action>>,
    /// Any of these.
    pub reason: Option<Vec<Reason>>,
    /// This, or none.
    pub subject: Option<Option<Text>>,
    /// This, or none.
    pub scheme: Option<Option<Scheme>>,
    /// Fields of the answer.
    pub headers: Vec<(String, FieldRule)>,
    /// Fields that the application sees.
    pub upstream: Vec<(String, FieldRule)>,
    /// Names that are at least stripped.
    pub strip: Vec<String>,
    /// At least these members of a problem document; `Some(None)`: no problem document.
    pub problem: Option<Option<Value>>,
    /// The body; `Some(None)`: empty.
    pub body: Option<Option<Matcher>>,
}

/// What the fields of one name must be.
#[derive(Debug)]
pub enum FieldRule {
    /// There is none.
    Absent,
    /// One of them is this.
    Any(Matcher),
    /// They are exactly these, in this order.
    Exactly(Vec<Matcher>),
}

/// Reads a case file.
pub fn read(text: &str) -> Result<CaseFile, String> {
    let value = json::read(text)?;
    if !value.is_object() {
        return Err(format!(
            "an object with \"policy\" and \"cases\" is wanted here, and it is {}",
            json::kind(&value)
        ));
    }
    let mut file = Members::of(&value, "")?;
    let policy = policy(file.need("policy")?, "policy")?;
    let mut saved = Saved::new();
    if let Some(given) = file.get("let") {
        for (name, value) in Members::of(given, "let").and_then(|_| object(given, "let"))? {
            let text = json::string(value, &format!("let.{name}"))?;
            check_name(name, "let")?;
            saved.insert(name.clone(), text.as_bytes().to_vec());
        }
    }
    let mut names: Names = saved.keys().cloned().collect();
    let (users, api_keys) = match file.get("state") {
        Some(value) => state(value, &mut names)?,
        None => Default::default(),
    };
    let cases = file.get("cases");
    let errors = file.strings("policy_errors")?;
    file.finish()?;
    let content = match (cases, errors) {
        (Some(cases), None) => Content::Cases(read_cases(cases, &mut names)?),
        (None, Some(errors)) if errors.is_empty() => {
            return Err("policy_errors: the list is empty, so it checks nothing".into());
        }
        (None, Some(errors)) => {
            let compile = |pattern: &String| matcher::regex(pattern, "policy_errors");
            Content::PolicyErrors(errors.iter().map(compile).collect::<Result<_, _>>()?)
        }
        (Some(_), Some(_)) => return Err("give \"cases\" or \"policy_errors\", not both".into()),
        (None, None) => return Err("the member \"cases\" (or \"policy_errors\") is missing".into()),
    };
    Ok(CaseFile { policy, saved, users, api_keys, content })
}

/// A policy: a path or, with line breaks, the policy itself.
pub fn policy(value: &Value, place: &str) -> Result<PolicySource, String> {
    let text = json::string(value, place)?;
    if text.trim().is_empty() {
        return Err(format!("{place}: it is empty: give the path of a policy, or a policy with line breaks"));
    }
    Ok(if text.contains('\n') { PolicySource::Text(text.to_owned()) } else { PolicySource::Path(text.to_owned()) })
}

/// Members of a user, in seeds and in `user.add`.
pub fn user_seed(members: &mut Members<'_>) -> Result<UserSeed, String> {
    Ok(UserSeed {
        name: json::string(members.need("name")?, &members.at("name"))?.to_owned(),
        password: members.string("password")?.map(str::to_owned),
        hash: members.string("hash")?.map(str::to_owned),
        roles: members.strings("roles")?.unwrap_or_default(),
        disabled: members.flag("disabled")?,
    })
}

/// Members of an API key, in seeds and in `key.issue`.
pub fn key_seed(members: &mut Members<'_>, names: &mut Names) -> Result<KeySeed, String> {
    let seed = KeySeed {
        name: json::string(members.need("name")?, &members.at("name"))?.to_owned(),
        user: json::string(members.need("user")?, &members.at("user"))?.to_owned(),
        scopes: members.strings("scopes")?.unwrap_or_default(),
        roles: members.strings("roles")?,
        expires: members.string("expires")?.map(str::to_owned),
        save: Kept::read(members, "save", names)?,
    };
    if let Some(expires) = &seed.expires {
        when::read_expiry(expires, 0).map_err(|error| format!("{}: {error}", members.at("expires")))?;
    }
    Ok(seed)
}

/// `at`: RFC 3339.
pub fn at(members: &mut Members<'_>) -> Result<Option<i64>, String> {
    let place = members.at("at");
    members.string("at")?.map(|text| when::read(text).map_err(|error| format!("{place}: {error}"))).transpose()
}

/// A name for `${…}`.
pub fn check_name(name: &str, place: &str) -> Result<(), String> {
    if is_name(name) {
        return Ok(());
    }
    Err(format!("{place}: {name:?} cannot be a name: take letters, digits, `_`, `-` and `.`"))
}

fn object<'a>(value: &'a Value, place: &str) -> Result<&'a serde_json::Map<String, Value>, String> {
    value.as_object().ok_or_else(|| format!("{place}: an object is wanted here, and it is {}", json::kind(value)))
}

fn state(value: &Value, names: &mut Names) -> Result<(Vec<UserSeed>, Vec<KeySeed>), String> {
    let mut state = Members::of(value, "state")?;
    let (mut users, mut keys) = (Vec::new(), Vec::new());
    for (i, value) in listed(state.get("users"), "state.users")?.iter().enumerate() {
        let mut members = Members::of(value, format!("state.users[{i}]"))?;
        users.push(user_seed(&mut members)?);
        members.finish()?;
    }
    for (i, value) in listed(state.get("api_keys"), "state.api_keys")?.iter().enumerate() {
        let mut members = Members::of(value, format!("state.api_keys[{i}]"))?;
        keys.push(key_seed(&mut members, names)?);
        members.finish()?;
    }
    state.finish()?;
    Ok((users, keys))
}

fn listed<'a>(value: Option<&'a Value>, place: &str) -> Result<&'a [Value], String> {
    value.map_or(Ok(&[]), |value| json::list(value, place))
}

fn read_cases(value: &Value, names: &mut Names) -> Result<Vec<Case>, String> {
    let items = json::list(value, "cases")?;
    if items.is_empty() {
        return Err("cases: the list is empty, so it checks nothing".into());
    }
    items.iter().enumerate().map(|(i, item)| case(item, &format!("cases[{i}]"), names)).collect()
}

fn case(value: &Value, place: &str, names: &mut Names) -> Result<Case, String> {
    let mut members = Members::of(value, place)?;
    if let Some(command) = members.get("do") {
        let command = json::string(command, &members.at("do"))?;
        let at = at(&mut members)?;
        // The policy of a reload is taken as it is written.
        let strings = object(value, place)?.iter().filter(|(name, _)| *name != "policy");
        strings.into_iter().try_for_each(|(name, value)| matcher::check_names(value, &members.at(name), names))?;
        let step = Step::read(command, &mut members, names)?;
        members.finish()?;
        return Ok(Case { name: step.to_string(), at, what: What::Step(Box::new(step)) });
    }
    let name = json::string(members.need("name")?, &members.at("name"))?.to_owned();
    let place = format!("{place} ({name})");
    let at = at(&mut members)?;
    let request = request(members.need("request")?, &format!("{place}.request"), names)?;
    let expect = match members.get("expect") {
        Some(value) => super::compare::read(value, &format!("{place}.expect"), names)?,
        None => Expect::default(),
    };
    let mut save = Vec::new();
    if let Some(value) = members.get("save") {
        let place = format!("{place}.save");
        for (name, value) in object(value, &place)? {
            check_name(name, &place)?;
            save.push((name.clone(), source(json::string(value, &place)?, &place)?));
        }
    }
    members.finish()?;
    names.extend(save.iter().map(|(name, _)| name.clone()));
    Ok(Case { name, at, what: What::Request(Box::new(Exchange { request, expect, save })) })
}

fn source(text: &str, place: &str) -> Result<Source, String> {
    match text.split_once(':') {
        Some(("cookie", name)) if !name.is_empty() => Ok(Source::Cookie(name.to_owned())),
        Some(("header", name)) if !name.is_empty() => Ok(Source::Header(name.to_owned())),
        Some(("json", path)) if !path.is_empty() => Ok(Source::Json(path.split('.').map(str::to_owned).collect())),
        _ => Err(format!("{place}: {text:?} names no part of an answer: write cookie:NAME, header:NAME or json:a.b")),
    }
}

fn request(value: &Value, place: &str, names: &Names) -> Result<RequestSpec, String> {
    let mut members = Members::of(value, place)?;
    let headers = match members.get("headers") {
        Some(value) => fields(value, &members.at("headers"), names)?,
        None => Vec::new(),
    };
    let names_host = headers
        .iter()
        .any(|(name, _)| name.fill_string(&Saved::new()).is_ok_and(|name| name.eq_ignore_ascii_case("host")));
    let mut text = |name: &'static str, usual: &str| match members.get(name) {
        Some(value) => Text::read(value, &members.at(name), names),
        None => Ok(Text::fixed(usual)),
    };
    let spec = RequestSpec {
        method: text("method", "GET")?,
        target: text("target", "/")?,
        host: text("host", if names_host { "" } else { "localhost" })?,
        peer: text("peer", "192.0.2.1")?,
        body: text("body", "")?,
        request_id: text("request_id", "")?,
        client_cert: text("client_cert", "")?,
        cert_verified: members.flag("cert_verified")?,
        tls: members.flag("tls")?,
        headers,
    };
    members.finish()?;
    Ok(spec)
}

/// A list of pairs; or an object, where no field is repeated and the order does not matter.
fn fields(value: &Value, place: &str, names: &Names) -> Result<Vec<(Text, Text)>, String> {
    if let Value::Object(map) = value {
        let read = |(name, value): (&String, &Value)| {
            Ok((Text::fixed(name), Text::read(value, &format!("{place}.{name}"), names)?))
        };
        return map.iter().map(read).collect();
    }
    let pair = |(i, value): (usize, &Value)| {
        let place = format!("{place}[{i}]");
        match json::list(value, &place)? {
            [name, value] => Ok((Text::read(name, &place, names)?, Text::read(value, &place, names)?)),
            _ => Err(format!("{place}: a pair of name and value is wanted here")),
        }
    };
    json::list(value, place)?.iter().enumerate().map(pair).collect()
}
