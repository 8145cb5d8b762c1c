//! How a decision is told: in short, in full with every step, and as JSON.

use gatepost::catalogue::{Language, sentences};
use gatepost::decision::{Action, Decision, HeaderEntry, HeaderMode};
use gatepost::engine::Step;
use gatepost::policy::model::Route;
use owo_colors::Style;
use serde_json::{Value, json};

use crate::output::{Stream, paint, visible};

/// The answer; of a refusal also what the operator can do.
pub fn in_short(decision: &Decision) -> String {
    let mut out = String::new();
    answer(&mut out, decision);
    if decision.action == Action::Deny {
        let label = paint(Stream::Out, "For the operator:", Style::new().bold());
        out.push_str(&format!("\n{label} {}\nadd --explain for each step\n", decision.reason.operator()));
    }
    out
}

/// The policy, each step, the answer, and what the person and the operator can do.
pub fn in_full(
    policy: &str,
    method: &str,
    url: &str,
    decision: &Decision,
    route: Option<&Route>,
    steps: &[Step],
) -> String {
    let bold = Style::new().bold();
    let mut out = format!("{}: {} {}\n\n", paint(Stream::Out, policy, bold), visible(method), visible(url));
    let width = steps.iter().map(|step| step.name.chars().count()).max().unwrap_or(0);
    for step in steps {
        let (mark, style) =
            if step.refused { ("✗", Style::new().red().bold()) } else { ("✓", Style::new().green()) };
        let name = paint(Stream::Out, &format!("{:<width$}", step.name), bold);
        let mark = paint(Stream::Out, mark, style);
        let concluded = match step.refused {
            true => format!("{} ← refused here", paint(Stream::Out, &step.concluded, style)),
            false => visible(&step.concluded),
        };
        out.push_str(&format!("{mark} {name}  {}\n  {:width$}  → {concluded}\n", visible(&step.saw), ""));
    }
    out.push('\n');
    if let Some(route) = route {
        let host = route.host.as_deref().unwrap_or("any host");
        let place = format!("route: {} on {host} (line {})\n", route.path, route.line);
        out.push_str(&visible(place.trim_end()));
        out.push('\n');
    }
    answer(&mut out, decision);
    out.push_str(&format!(
        "\n{} {}\n{} {}\n",
        paint(Stream::Out, "For the person:", bold),
        sentences(decision.reason).whole(Language::English),
        paint(Stream::Out, "For the operator:", bold),
        decision.reason.operator()
    ));
    out
}

/// The decision as JSON, with its steps where there are some. `issuer` is "" for local users, and null where nobody
/// was recognised; `methods` of the route is null where it grants all.
pub fn to_json(decision: &Decision, route: Option<&Route>, steps: Option<&[Step]>) -> Value {
    let identity = decision.identity.as_ref();
    let mut value = json!({
        "action": decision.action.name(),
        "status": decision.status,
        "reason": decision.reason.name(),
        "id": decision.id.as_str(),
        "subject": decision.subject(),
        "issuer": identity.map(|identity| &identity.issuer),
        "scheme": decision.scheme.map(|scheme| scheme.name()),
        "roles": identity.map(|identity| &identity.roles),
        "scopes": identity.map(|identity| &identity.scopes),
        "route": route.map(
            |route| json!({ "path": route.path, "host": route.host, "line": route.line, "methods": route.methods }),
        ),
        "retry_after": decision.retry_after,
        "headers": entries(&decision.response),
        "upstream": entries(&decision.upstream()),
        "strip": decision.strip.to_vec(),
        "body": String::from_utf8_lossy(&decision.body),
        "person": sentences(decision.reason).whole(Language::English),
        "operator": decision.reason.operator(),
    });
    if let (Some(members), Some(steps)) = (value.as_object_mut(), steps) {
        let steps = steps.iter().map(
            |step| json!({ "name": step.name, "saw": step.saw, "concluded": step.concluded, "refused": step.refused }),
        );
        members.insert("steps".to_owned(), steps.collect());
    }
    value
}

fn answer(out: &mut String, decision: &Decision) {
    let style = match decision.action {
        Action::Allow | Action::Pass => Style::new().green().bold(),
        Action::Respond => Style::new().cyan().bold(),
        Action::Deny => Style::new().red().bold(),
    };
    let head = format!("{} {} {}", decision.action.name(), decision.status, decision.reason.name());
    out.push_str(&format!("{}\n", paint(Stream::Out, &head, style)));
    let mut line = |label: &str, text: &str| out.push_str(&format!("  {label:<9} {}\n", visible(text)));
    line("id", &decision.id);
    if let Some(identity) = &decision.identity {
        let issuer = if identity.issuer.is_empty() { String::new() } else { format!(" of {}", identity.issuer) };
        line("subject", &format!("{}{issuer}", identity.subject));
        line("roles", &none_or(identity.roles.join(", ")));
        line("scopes", &none_or(identity.scopes.join(" ")));
    }
    if let Some(scheme) = decision.scheme {
        line("scheme", scheme.name());
    }
    for entry in &decision.response {
        line("header", &shown(entry));
    }
    for entry in &*decision.upstream() {
        line("upstream", &shown(entry));
    }
    if !decision.strip.is_empty() {
        line("strip", &decision.strip.join(", "));
    }
}

fn none_or(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

fn shown(entry: &HeaderEntry) -> String {
    let mode = match entry.mode {
        HeaderMode::Set => "",
        HeaderMode::Append => " (appended)",
        HeaderMode::SetIfAbsent => " (where there is none)",
    };
    format!("{}: {}{mode}", entry.name, entry.value)
}

fn entries(entries: &[HeaderEntry]) -> Value {
    let mode = |mode| match mode {
        HeaderMode::Set => "set",
        HeaderMode::Append => "append",
        HeaderMode::SetIfAbsent => "set-if-absent",
    };
    entries
        .iter()
        .map(|entry| json!({ "name": &*entry.name, "value": &*entry.value, "mode": mode(entry.mode) }))
        .collect()
}
