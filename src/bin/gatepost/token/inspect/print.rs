//! How a token is shown.

use gatepost::json::shown;
use owo_colors::Style;
use serde_json::{Map, Value, json};

use super::checks::{Outcome, Verdict};
use super::layout::{Layout, Part};
use super::route::Answer;
use super::words;
use crate::explain;
use crate::output::{Stream, paint, visible};
use crate::when;

/// All that is known of a token.
pub struct Shown<'a> {
    /// Its parts.
    pub layout: &'a Layout,
    /// The checks, where there is a policy.
    pub verdict: Option<&'a Verdict>,
    /// The answer on a route, where one was named.
    pub answer: Option<&'a Answer>,
    /// When, Unix seconds.
    pub now: i64,
}

impl Shown<'_> {
    /// For people.
    pub fn in_words(&self) -> String {
        let mut out = String::new();
        part(&mut out, "header", &self.layout.header, self.now);
        if let Some(claims) = &self.layout.claims {
            part(&mut out, "claims", claims, self.now);
        }
        if let Some(signature) = &self.layout.signature {
            heading(&mut out, "signature");
            fault(&mut out, signature.fault.as_deref());
            let begins = match signature.begins.as_str() {
                "" => String::new(),
                begins => format!(", begins {}…", visible(begins)),
            };
            out.push_str(&format!("  {} octets{begins}\n", signature.octets));
        }
        match (self.verdict, &self.layout.fault) {
            (Some(verdict), _) => checks(&mut out, verdict),
            (None, Some(fault)) => {
                let label = paint(Stream::Out, "malformed:", Style::new().red().bold());
                out.push_str(&format!("\n{label} {}\n", visible(fault)));
            }
            (None, None) => {}
        }
        if let Some(Answer { policy, method, url, decision, route, steps }) = self.answer {
            out.push_str(&format!(
                "\nA request with it:\n{}",
                explain::in_full(policy, method, url, decision, route.as_ref(), steps)
            ));
        }
        out
    }

    /// For machines. `header` and `claims` are null where they are no objects that are read; numbers are as JSON
    /// readers take them. `verified` says that a key of the policy proved it, `good` that every check passed; null
    /// without a policy.
    pub fn to_json(&self) -> Value {
        let mut value = layout_to_json(self.layout, self.now);
        let Some(members) = value.as_object_mut() else { return value };
        let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
        add("verified", json!(self.verdict.map(|verdict| verdict.key.is_some())));
        if let Some(verdict) = self.verdict {
            let refused = verdict.refused.as_ref();
            add("good", json!(refused.is_none()));
            add("reason", json!(refused.map(|refused| refused.reason.name())));
            add("detail", json!(refused.map(|refused| &refused.detail)));
            add("operator", json!(refused.map(|refused| refused.reason.operator())));
            let issuer = verdict.issuer.as_ref();
            add("issuer", json!(issuer.map(|(name, issuer)| json!({ "name": name, "issuer": issuer }))));
            let key = verdict.key.as_ref();
            add("key", json!(key.map(|key| json!({ "kid": key.kid, "algorithm": key.algorithm }))));
            let checks = verdict
                .checks
                .iter()
                .map(|check| json!({ "name": check.name, "outcome": check.outcome.name(), "saw": check.saw }));
            add("checks", checks.collect());
        }
        if let Some(answer) = self.answer {
            add("decision", explain::to_json(&answer.decision, answer.route.as_ref(), Some(&answer.steps)));
        }
        value
    }
}

fn checks(out: &mut String, verdict: &Verdict) {
    heading(out, "checks");
    let width = verdict.checks.iter().map(|check| check.name.len()).max().unwrap_or_default();
    for check in &verdict.checks {
        let (mark, style) = match check.outcome {
            Outcome::Passed => ("✓", Style::new().green()),
            Outcome::Failed => ("✗", Style::new().red().bold()),
            Outcome::NotJudged | Outcome::NotReached => ("·", Style::new().dimmed()),
        };
        let saw = match check.outcome {
            Outcome::NotReached => "not reached".to_owned(),
            Outcome::NotJudged => format!("not judged: {}", check.saw),
            _ => check.saw.clone(),
        };
        let name = format!("{:<width$}", check.name);
        out.push_str(&format!("  {} {name}  {}\n", paint(Stream::Out, mark, style), visible(&saw)));
    }
    out.push('\n');
    if let Some((issuer, key)) = verdict.issuer.as_ref().zip(verdict.key.as_ref()) {
        let kid = key.kid.as_ref().map_or("a key without kid".to_owned(), |kid| format!("key {}", shown(kid)));
        let told = format!("proved by {kid} of issuer {} with {}", issuer.0, key.algorithm);
        out.push_str(&format!("{}\n", visible(&told)));
    }
    match &verdict.refused {
        None => out.push_str(&format!("{}\n", paint(Stream::Out, "good", Style::new().green().bold()))),
        Some(refused) => {
            let told = format!("refused: {}", refused.reason.name());
            let label = paint(Stream::Out, "For the operator:", Style::new().bold());
            let told = paint(Stream::Out, &told, Style::new().red().bold());
            out.push_str(&format!("{told}\n{label} {}\n", refused.reason.operator()));
        }
    }
}

fn heading(out: &mut String, name: &str) {
    out.push_str(&format!("{}\n", paint(Stream::Out, name, Style::new().bold())));
}

fn fault(out: &mut String, fault: Option<&str>) {
    if let Some(fault) = fault {
        let mark = paint(Stream::Out, "✗", Style::new().red().bold());
        out.push_str(&format!("  {mark} {}\n", visible(fault)));
    }
}

fn part(out: &mut String, name: &str, part: &Part, now: i64) {
    heading(out, name);
    fault(out, part.fault.as_deref());
    if let Some(object) = &part.object {
        let members: Vec<_> = object.members().map(|(name, value)| (visible(&name), name, value)).collect();
        let width = members.iter().map(|(shown, ..)| shown.chars().count()).max().unwrap_or(0).min(24);
        for (shown, name, value) in &members {
            let time = words::time(name, *value).map(|time| format!("   {}", words::at(time, now)));
            let value = words::value(*value, "  ");
            out.push_str(&format!("  {shown:<width$}  {value}{}\n", time.unwrap_or_default()));
        }
    } else if let Some(text) = &part.text {
        out.push_str(&format!("  {}\n", words::indent(text, "  ")));
    }
}

/// The parts of a token.
fn layout_to_json(layout: &Layout, now: i64) -> Value {
    let object = |part: Option<&Part>| {
        part.and_then(|part| part.object.as_ref()).map(|object| {
            object.members().map(|(name, value)| (name.into_owned(), value.value())).collect::<Map<_, _>>()
        })
    };
    let fault = |part: Option<&Part>| part.and_then(|part| part.fault.clone());
    let signature = layout.signature.as_ref();
    let claims = layout.claims.as_ref();
    let times: Map<String, Value> = claims
        .and_then(|part| part.object.as_ref())
        .into_iter()
        .flat_map(|object| object.members())
        .filter_map(|(name, value)| {
            let time = words::time(&name, value)?;
            Some((name.into_owned(), json!({ "at": when::write(time), "seconds": time.saturating_sub(now) })))
        })
        .collect();
    json!({
        "malformed": layout.fault,
        "parts": layout.count,
        "header": object(Some(&layout.header)),
        "claims": object(claims),
        "faults": { "header": fault(Some(&layout.header)), "claims": fault(claims), "signature": signature.and_then(|signature| signature.fault.clone()) },
        "times": times,
        "signature": signature.map(|signature| json!({ "octets": signature.octets, "begins": signature.begins })),
    })
}
