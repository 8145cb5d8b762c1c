//! How a token is shown.

use owo_colors::Style;
use serde_json::{Map, Value, json};

use super::layout::{Layout, Part};
use super::words;
use crate::output::{Stream, paint, visible};
use crate::when;

/// For people.
pub fn in_words(layout: &Layout, now: i64) -> String {
    let mut out = String::new();
    part(&mut out, "header", &layout.header, now);
    if let Some(claims) = &layout.claims {
        part(&mut out, "claims", claims, now);
    }
    if let Some(signature) = &layout.signature {
        heading(&mut out, "signature");
        fault(&mut out, signature.fault.as_deref());
        let begins = match signature.begins.as_str() {
            "" => String::new(),
            begins => format!(", begins {}…", visible(begins)),
        };
        out.push_str(&format!("  {} octets{begins}\n", signature.octets));
    }
    if let Some(fault) = &layout.fault {
        let label = paint(Stream::Out, "malformed:", Style::new().red().bold());
        out.push_str(&format!("\n{label} {}\n", visible(fault)));
    }
    out
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

/// For machines. `header` and `claims` are null where they are no objects that are read; numbers are as JSON readers
/// take them.
pub fn to_json(layout: &Layout, now: i64) -> Value {
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
        "verified": false,
    })
}
