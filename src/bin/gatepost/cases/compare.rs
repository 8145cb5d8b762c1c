//! What an answer is expected to be, and how it differs. It knows an answer as plain data, so that one that came over
//! HTTP is compared in the same way as one of the engine in this process.

use gatepost::decision::Action;
use gatepost::identity::Scheme;
use gatepost::reason::Reason;
use serde_json::{Map, Value, json};

use super::format::{Expect, FieldRule, Source};
use super::json::{self, Members, kind};
use super::keep;
use super::matcher::{Matcher, Names, Saved, Text, show};

/// An answer as it was seen.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was done.
    pub action: Action,
    /// HTTP status.
    pub status: u16,
    /// Why.
    pub reason: Reason,
    /// Who was recognised.
    pub subject: Option<String>,
    /// The scheme that was used or tried.
    pub scheme: Option<Scheme>,
    /// Fields of the answer.
    pub headers: Vec<(String, String)>,
    /// Fields that the application sees.
    pub upstream: Vec<(String, Vec<u8>)>,
    /// Names that are removed from the request.
    pub strip: Vec<String>,
    /// Body of the answer.
    pub body: Vec<u8>,
    /// Members of `expect` that could not be seen where it was answered.
    pub unseen: Vec<String>,
    /// A server refused the request before it asked anybody: then only that it was refused is known.
    pub by_server: bool,
}

impl Answer {
    fn shows(&self, member: &str) -> bool {
        !self.unseen.iter().any(|unseen| unseen == member)
    }
}

/// Reads `expect`.
pub fn read(value: &Value, place: &str, names: &Names) -> Result<Expect, String> {
    let mut members = Members::of(value, place)?;
    let status = any_of(&mut members, "status", |value| {
        value.as_u64().and_then(|n| u16::try_from(n).ok()).filter(|n| (100..600).contains(n)).ok_or("no HTTP status")
    })?;
    let actions = [Action::Deny, Action::Allow, Action::Respond, Action::Pass];
    let action = any_of(&mut members, "action", |value| {
        actions
            .into_iter()
            .find(|action| Some(action.name()) == value.as_str())
            .ok_or("none of DENY, ALLOW, RESPOND, PASS")
    })?;
    let reason = any_of(&mut members, "reason", |value| {
        value.as_str().and_then(Reason::from_name).ok_or("not in the table of reasons")
    })?;
    let subject = match members.get("subject") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => Some(Some(Text::read(value, &members.at("subject"), names)?)),
    };
    let scheme = match members.get("scheme") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => match value.as_str().and_then(Scheme::from_name) {
            Some(scheme) => Some(Some(scheme)),
            None => return Err(format!("{}: {value} is no scheme", members.at("scheme"))),
        },
    };
    let headers = rules(&mut members, "headers", names)?;
    let upstream = rules(&mut members, "upstream", names)?;
    let strip = members.strings("strip")?.unwrap_or_default();
    let problem = match members.get("problem") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value @ Value::Object(_)) => Some(Some(value.clone())),
        Some(other) => return Err(format!("{}: an object is wanted, not {}", members.at("problem"), kind(other))),
    };
    let body = match members.get("body") {
        None => None,
        Some(Value::Null) => Some(None),
        Some(value) => Some(Some(Matcher::read(value, &members.at("body"), names)?)),
    };
    members.finish()?;
    Ok(Expect { status, action, reason, subject, scheme, headers, upstream, strip, problem, body })
}

/// Every difference between what was expected and what came, as `member: wanted …, got …`.
pub fn differences(expect: &Expect, answer: &Answer, saved: &Saved) -> Vec<String> {
    if answer.by_server {
        return server_difference(expect, answer);
    }
    let mut out = Vec::new();
    let mut differ = |what: &str, wanted: String, got: String| {
        if answer.shows(what.split_once('.').map_or(what, |(member, _)| member)) {
            out.push(format!("{what}: wanted {wanted}, got {got}"));
        }
    };
    if let Some(wanted) = expect.status.as_ref().filter(|wanted| !wanted.contains(&answer.status)) {
        differ("status", either(wanted.iter().map(u16::to_string)), answer.status.to_string());
    }
    if let Some(wanted) = expect.action.as_ref().filter(|wanted| !wanted.contains(&answer.action)) {
        differ("action", either(wanted.iter().map(|a| a.name().to_owned())), answer.action.name().to_owned());
    }
    if let Some(wanted) = expect.reason.as_ref().filter(|wanted| !wanted.contains(&answer.reason)) {
        differ("reason", either(wanted.iter().map(|r| r.name().to_owned())), answer.reason.name().to_owned());
    }
    if let Some(wanted) = &expect.subject {
        let wanted = wanted.as_ref().map(|text| text.fill_string(saved));
        let same = match (&wanted, &answer.subject) {
            (None, None) => true,
            (Some(Ok(wanted)), Some(got)) => wanted == got,
            _ => false,
        };
        if !same {
            let wanted = wanted.map_or_else(none, |text| format!("{:?}", text.unwrap_or_else(|error| error)));
            differ("subject", wanted, answer.subject.as_ref().map_or_else(none, |got| format!("{got:?}")));
        }
    }
    if let Some(wanted) = expect.scheme.filter(|wanted| *wanted != answer.scheme) {
        let name = |scheme: Option<Scheme>| scheme.map_or_else(none, |scheme| scheme.name().to_owned());
        differ("scheme", name(wanted), name(answer.scheme));
    }
    for (name, rule) in &expect.headers {
        let values = answer.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_bytes());
        if let Err((wanted, got)) = check_fields(rule, &values.collect::<Vec<_>>(), saved) {
            differ(&format!("headers.{name}"), wanted, got);
        }
    }
    for (name, rule) in &expect.upstream {
        let values = answer.upstream.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_slice());
        if let Err((wanted, got)) = check_fields(rule, &values.collect::<Vec<_>>(), saved) {
            differ(&format!("upstream.{name}"), wanted, got);
        }
    }
    for name in &expect.strip {
        if !answer.strip.iter().any(|stripped| stripped.eq_ignore_ascii_case(name)) {
            differ("strip", format!("{name:?} among them"), format!("{:?}", answer.strip));
        }
    }
    if let Some(wanted) = &expect.problem
        && let Some((wanted, got)) = problem_difference(wanted.as_ref(), answer)
    {
        differ("problem", wanted, got);
    }
    match &expect.body {
        None => {}
        Some(None) if answer.body.is_empty() => {}
        Some(None) => differ("body", none(), show(&answer.body)),
        Some(Some(matcher)) if matcher.holds(&answer.body, saved).unwrap_or(false) => {}
        Some(Some(matcher)) => differ("body", matcher.describe(saved), show(&answer.body)),
    }
    out
}

/// A server that refuses on its own account answers as well as we do where a refusal is what is expected.
fn server_difference(expect: &Expect, answer: &Answer) -> Vec<String> {
    let refusal = match (&expect.action, &expect.status) {
        (Some(actions), _) => actions.contains(&Action::Deny),
        (None, Some(statuses)) => statuses.iter().any(|status| *status >= 400),
        (None, None) => true,
    };
    if refusal && answer.status >= 400 {
        return Vec::new();
    }
    vec![format!("action: wanted what was decided, got {} of the server itself", answer.status)]
}

/// The part of an answer that a case keeps.
pub fn take(source: &Source, answer: &Answer) -> Option<Vec<u8>> {
    let fields = |name: &str| {
        let name = name.to_owned();
        answer.headers.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(&name)).map(|(_, value)| value)
    };
    match source {
        Source::Header(name) => fields(name).next().map(|value| value.clone().into_bytes()),
        Source::Cookie(name) => fields("Set-Cookie").find_map(|value| {
            let (key, rest) = value.split_once('=')?;
            let value = rest.split(';').next().unwrap_or(rest).trim();
            (key.trim() == name).then(|| value.as_bytes().to_vec())
        }),
        Source::Json(path) => {
            let body: Value = serde_json::from_slice(&answer.body).ok()?;
            keep::text_at(&body, path).map(String::into_bytes)
        }
    }
}

/// An answer in the shape of `expect`.
pub fn to_json(answer: &Answer) -> Value {
    let mut value = json!({
        "status": answer.status,
        "action": answer.action.name(),
        "reason": answer.reason.name(),
        "subject": answer.subject,
        "scheme": answer.scheme.map(Scheme::name),
        "headers": grouped(answer.headers.iter().map(|(name, value)| (name.as_str(), value.clone()))),
        "upstream": grouped(answer.upstream.iter().map(|(name, v)| (name.as_str(), String::from_utf8_lossy(v).into_owned()))),
        "strip": answer.strip,
    });
    if let Some(members) = value.as_object_mut() {
        members.retain(|member, _| answer.shows(member));
        match problem_of(answer) {
            Some(problem) => members.insert("problem".to_owned(), problem),
            None => members.insert("body".to_owned(), json!(String::from_utf8_lossy(&answer.body))),
        };
    }
    value
}

fn any_of<T>(
    members: &mut Members<'_>,
    name: &'static str,
    read: impl Fn(&Value) -> Result<T, &'static str>,
) -> Result<Option<Vec<T>>, String> {
    let place = members.at(name);
    let one = |value: &Value| read(value).map_err(|why| format!("{place}: {value} is {why}"));
    match members.get(name) {
        None => Ok(None),
        Some(Value::Array(items)) if items.is_empty() => Err(format!("{place}: an empty list can never hold")),
        Some(Value::Array(items)) => items.iter().map(one).collect::<Result<_, _>>().map(Some),
        Some(value) => one(value).map(|value| Some(vec![value])),
    }
}

fn rules(members: &mut Members<'_>, name: &'static str, names: &Names) -> Result<Vec<(String, FieldRule)>, String> {
    let place = members.at(name);
    let Some(value) = members.get(name) else { return Ok(Vec::new()) };
    let map =
        value.as_object().ok_or_else(|| format!("{place}: an object is wanted here, and it is {}", kind(value)))?;
    let rule = |(name, value): (&String, &Value)| {
        let place = format!("{place}.{name}");
        let rule = match value {
            Value::Null => FieldRule::Absent,
            Value::Array(_) => {
                let items = json::list(value, &place)?.iter();
                FieldRule::Exactly(items.map(|item| Matcher::read(item, &place, names)).collect::<Result<_, _>>()?)
            }
            other => FieldRule::Any(Matcher::read(other, &place, names)?),
        };
        Ok((name.clone(), rule))
    };
    map.iter().map(rule).collect()
}

fn check_fields(rule: &FieldRule, values: &[&[u8]], saved: &Saved) -> Result<(), (String, String)> {
    let holds = |matcher: &Matcher, value: &[u8]| matcher.holds(value, saved).unwrap_or(false);
    let (good, wanted) = match rule {
        FieldRule::Absent => (values.is_empty(), none()),
        FieldRule::Any(matcher) => (values.iter().any(|value| holds(matcher, value)), matcher.describe(saved)),
        FieldRule::Exactly(matchers) => {
            let same = matchers.len() == values.len() && matchers.iter().zip(values).all(|(m, value)| holds(m, value));
            let described: Vec<String> = matchers.iter().map(|matcher| matcher.describe(saved)).collect();
            (same, format!("exactly [{}]", described.join(", ")))
        }
    };
    if good {
        return Ok(());
    }
    let got: Vec<String> = values.iter().map(|value| show(value)).collect();
    Err((wanted, if got.is_empty() { none() } else { got.join(", ") }))
}

fn problem_difference(wanted: Option<&Value>, answer: &Answer) -> Option<(String, String)> {
    match (wanted, problem_of(answer)) {
        (None, None) => None,
        (None, Some(got)) => Some((none(), got.to_string())),
        (Some(wanted), None) => Some((wanted.to_string(), "no problem document".to_owned())),
        (Some(wanted), Some(got)) if is_subset(wanted, &got) => None,
        (Some(wanted), Some(got)) => Some((wanted.to_string(), got.to_string())),
    }
}

/// The body as problem details (RFC 9457), where its type says so.
fn problem_of(answer: &Answer) -> Option<Value> {
    let is_type = |(name, value): &(String, String)| {
        let essence = value.split(';').next().unwrap_or(value).trim();
        name.eq_ignore_ascii_case("content-type") && essence.eq_ignore_ascii_case("application/problem+json")
    };
    answer.headers.iter().find(|field| is_type(field))?;
    serde_json::from_slice(&answer.body).ok()
}

/// Every member that is wanted is there, at every depth; lists are equal item by item.
fn is_subset(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            wanted.iter().all(|(name, value)| got.get(name).is_some_and(|got| is_subset(value, got)))
        }
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(wanted, got)| is_subset(wanted, got))
        }
        _ => wanted == got,
    }
}

/// Fields by name: a string, or a list where the name is repeated.
fn grouped<'a>(fields: impl Iterator<Item = (&'a str, String)>) -> Value {
    let mut map: Map<String, Value> = Map::new();
    for (name, value) in fields {
        match map.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, Value::Array(list))) => list.push(value.into()),
            Some((_, first)) => *first = json!([first.take(), value]),
            None => {
                map.insert(name.to_owned(), value.into());
            }
        }
    }
    Value::Object(map)
}

fn either(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(" or ")
}

fn none() -> String {
    "none".to_owned()
}
