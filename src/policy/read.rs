//! Reads a table of the policy by its table of keys: unknown keys, missing ones, wrong types and wrong forms are all
//! reported; what is sound comes back typed, with defaults where a key is left out.

use std::ops::Range;

use crate::policy::keys::{Built, Default, Key, Kind};
use crate::policy::report::{Report, advise, listed, quote};
use crate::policy::tree::{self, Data, Entry, Node};

/// A value and the bytes that it stands in; a default has the place of its table.
#[derive(Clone, Debug)]
pub(super) struct Spot<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// A checked value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    /// A whole number, or a duration in seconds.
    Number(i64),
    List(Vec<Spot<Value>>),
    Table(Fields),
    /// A requirement or a free value, for its own reader.
    Node(Node),
}

/// The checked values of a table.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    /// The table, or its header.
    pub span: Range<usize>,
    keys: &'static [Key],
    values: Vec<(&'static str, Spot<Value>)>,
    written: Vec<&'static str>,
    unknown: bool,
}

impl Fields {
    /// The file has this key, sound or not.
    pub fn is_written(&self, name: &str) -> bool {
        self.written.contains(&name)
    }

    /// The file has a key here that does not exist; what seems to be missing may be what it was meant to be.
    pub fn has_unknown(&self) -> bool {
        self.unknown
    }

    /// The value, written or by default; `None` where there is neither, or what is written is not sound.
    pub fn get(&self, name: &str) -> Option<&Spot<Value>> {
        debug_assert!(self.keys.iter().any(|key| key.name == name), "no key {name}");
        self.values.iter().find(|(key, _)| *key == name).map(|(_, spot)| spot)
    }

    /// Where the value stands, or the table.
    pub fn span(&self, name: &str) -> Range<usize> {
        self.get(name).map_or_else(|| self.span.clone(), |spot| spot.span.clone())
    }

    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|spot| spot.value.text())
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Spot { value: Value::Flag(true), .. }))
    }

    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)?.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub fn table(&self, name: &str) -> Option<&Fields> {
        match &self.get(name)?.value {
            Value::Table(fields) => Some(fields),
            _ => None,
        }
    }

    pub fn node(&self, name: &str) -> Option<&Node> {
        match &self.get(name)?.value {
            Value::Node(node) => Some(node),
            _ => None,
        }
    }

    pub fn list(&self, name: &str) -> &[Spot<Value>] {
        match self.get(name) {
            Some(Spot { value: Value::List(list), .. }) => list,
            _ => &[],
        }
    }

    /// The strings of a list with their places.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = (&str, &Range<usize>)> {
        self.list(name).iter().filter_map(|spot| Some((spot.value.text()?, &spot.span)))
    }

    /// The strings of a list.
    pub fn strings(&self, name: &str) -> Vec<String> {
        self.texts(name).map(|(text, _)| text.to_owned()).collect()
    }
}

impl Value {
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a table. `what` names it in messages; `quiet`: it is not built as a whole, so its keys need not say so.
pub(super) fn table(
    report: &mut Report<'_>,
    entries: &[Entry],
    span: &Range<usize>,
    keys: &'static [Key],
    what: &str,
    quiet: bool,
) -> Fields {
    let mut fields = Fields { span: span.clone(), keys, values: Vec::new(), written: Vec::new(), unknown: false };
    for entry in entries {
        let Some(key) = keys.iter().find(|key| key.name == entry.key) else {
            unknown(report, entry, keys, what);
            fields.unknown = true;
            continue;
        };
        fields.written.push(key.name);
        let Some(sound) = value(report, &entry.value, &key.kind, key.name, quiet) else { continue };
        if key.built == Built::Later && !quiet && !is_off(&sound) {
            not_built(report, &entry.key_span, &format!("`{}`", key.name));
        }
        fields.values.push((key.name, Spot { value: sound, span: entry.value.span.clone() }));
    }
    for key in keys.iter().filter(|key| !entries.iter().any(|entry| entry.key == key.name)) {
        match key.default {
            Default::Required if fields.unknown => {}
            Default::Required => report.mismatch(
                span,
                format!("{what} has no `{}`", key.name),
                format!(
                    "add `{} = {}`: {}",
                    key.name,
                    key.kind.example(),
                    lower_first(key.about.trim_end_matches('.'))
                ),
            ),
            Default::Without(_) => {}
            Default::Is(text) => {
                let read = tree::parse_value(text).and_then(|node| {
                    // A default is sound (a test holds that); its places would be those of another text.
                    value(report, &place_at(node, span), &key.kind, key.name, true)
                });
                fields.values.extend(read.map(|value| (key.name, Spot { value, span: span.clone() })));
            }
        }
    }
    fields
}

/// Reads one value of a kind; what is wrong with it is reported.
pub(super) fn value(
    report: &mut Report<'_>,
    node: &Node,
    kind: &'static Kind,
    name: &str,
    quiet: bool,
) -> Option<Value> {
    match (kind, &node.data) {
        (Kind::Text | Kind::OneOf(_) | Kind::Form(_) | Kind::Lines(_), Data::Text(text)) => {
            string(report, node, text, kind, name).then(|| Value::Text(text.clone()))
        }
        (Kind::Flag, Data::Flag(flag)) => Some(Value::Flag(*flag)),
        (Kind::Off, Data::Flag(false)) => Some(Value::Flag(false)),
        (Kind::On(_), Data::Flag(true)) => Some(Value::Flag(true)),
        (Kind::On(instead), Data::Flag(false)) => {
            report.error(&node.span, format!("`{name}` is only ever `true`"), *instead);
            None
        }
        (Kind::Integer(least, most), Data::Integer(number)) => match number.filter(|n| (*least..=*most).contains(n)) {
            Some(number) => Some(Value::Number(number)),
            None => {
                let help = if name == "failures" && *number == Some(0) {
                    "write `false` in place of the table to switch this limit off".into()
                } else {
                    format!("write {}", kind.wanted())
                };
                report.error(&node.span, format!("`{name}` is out of range"), help);
                None
            }
        },
        (Kind::Duration(least, most), Data::Text(text)) => duration(report, node, text, (*least, *most), kind, name),
        (Kind::Many(inner, least) | Kind::List(inner, least), Data::List(nodes)) => {
            list(report, node, nodes, inner, *least, name, quiet)
        }
        (Kind::Many(inner, _), _) if !matches!(node.data, Data::List(_)) => {
            let value = value(report, node, inner, name, quiet)?;
            Some(Value::List(vec![Spot { value, span: node.span.clone() }]))
        }
        (Kind::Table(keys), Data::Table(entries)) => {
            Some(Value::Table(table(report, entries, &node.span, keys, &format!("`{name}`"), quiet)))
        }
        (Kind::Either(kinds), data) => match kinds.iter().find(|kind| fits(kind, data)) {
            Some(kind) => value(report, node, kind, name, quiet),
            None => wrong_type(report, node, kind, name),
        },
        (Kind::Requirement | Kind::Any, _) => Some(Value::Node(node.clone())),
        _ => wrong_type(report, node, kind, name),
    }
}

/// A warning that something does nothing yet.
pub(super) fn not_built(report: &mut Report<'_>, span: &Range<usize>, what: &str) {
    report.warning(
        span,
        format!("{what} is not built yet: it is checked, and then has no effect"),
        "leave it out for now",
    );
}

fn unknown(report: &mut Report<'_>, entry: &Entry, keys: &'static [Key], what: &str) {
    let names = || keys.iter().map(|key| key.name);
    let secret = names().any(|name| name == "secret_file") && entry.key.starts_with("secret");
    let help = if secret {
        "a secret does not stand in the policy; write `secret_file = \"…\"` or `secret_env = \"…\"`".into()
    } else {
        match advise(&entry.key, names()) {
            near if near.starts_with("did you mean") => near,
            _ => format!("its keys are {}", listed(names())),
        }
    };
    report.error(&entry.key_span, format!("{what} has no key {}", quote(&entry.key)), help);
}

fn wrong_type(report: &mut Report<'_>, node: &Node, kind: &Kind, name: &str) -> Option<Value> {
    let help = match kind {
        Kind::Duration(..) => format!("write a number and a unit in quotes, like {}", kind.example()),
        _ => format!("write {}, like `{name} = {}`", kind.wanted(), kind.example()),
    };
    report.error(&node.span, format!("`{name}` cannot be {}", node.data.describe()), help);
    None
}

fn string(report: &mut Report<'_>, node: &Node, text: &str, kind: &Kind, name: &str) -> bool {
    if text.is_empty() {
        report.error(
            &node.span,
            format!("`{name}` is empty"),
            format!("write {}, like {}", kind.wanted(), kind.example()),
        );
        return false;
    }
    let breaks = |c: char| matches!(kind, Kind::Lines(_)) && matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| c.is_control() && !breaks(c)) {
        report.error(&node.span, format!("`{name}` holds a control character"), "leave it out");
        return false;
    }
    match kind {
        Kind::Form(form) | Kind::Lines(form) => match (form.check)(text) {
            Ok(()) => true,
            Err(slip) => {
                report.error(&node.span, slip.message, slip.help);
                false
            }
        },
        Kind::OneOf(choices) => match choices.iter().find(|choice| choice.word == text) {
            Some(_) => true,
            None => {
                let help = advise(text, choices.iter().map(|choice| choice.word));
                report.error(&node.span, format!("`{name}` cannot be {}", quote(text)), help);
                false
            }
        },
        _ => true,
    }
}

fn list(
    report: &mut Report<'_>,
    node: &Node,
    nodes: &[Node],
    inner: &'static Kind,
    least: usize,
    name: &str,
    quiet: bool,
) -> Option<Value> {
    if nodes.len() < least {
        report.error(
            &node.span,
            format!("`{name}` is an empty list"),
            format!("write at least one, like `{name} = [{}]`", inner.example()),
        );
        return None;
    }
    let mut values: Vec<Spot<Value>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for node in nodes {
        let Some(value) = value(report, node, inner, name, quiet) else { continue };
        if let Some(text) = value.text().filter(|text| !seen.insert((*text).to_owned())) {
            report.error(&node.span, format!("`{name}` lists {} twice", quote(text)), "leave one of them out");
        }
        values.push(Spot { value, span: node.span.clone() });
    }
    // Some of it is worth checking further even where all of it is not sound.
    (values.len() == nodes.len() || !values.is_empty()).then_some(Value::List(values))
}

fn duration(
    report: &mut Report<'_>,
    node: &Node,
    text: &str,
    (least, most): (i64, i64),
    kind: &Kind,
    name: &str,
) -> Option<Value> {
    let Some(seconds) = seconds(text) else {
        report.error(
            &node.span,
            format!("{} is not a duration", quote(text)),
            "write a whole number and a unit (`s`, `m`, `h` or `d`), like \"30s\", \"15m\", \"12h\" or \"30d\"",
        );
        return None;
    };
    if !(least..=most).contains(&seconds) {
        report.error(&node.span, format!("`{name}` is out of range"), format!("write {}", kind.wanted()));
        return None;
    }
    Some(Value::Number(seconds))
}

/// `15m` in seconds; `None` where it is no duration or does not fit.
fn seconds(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let length = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(length)
}

fn fits(kind: &Kind, data: &Data) -> bool {
    match kind {
        Kind::Text | Kind::OneOf(_) | Kind::Form(_) | Kind::Lines(_) | Kind::Duration(..) => {
            matches!(data, Data::Text(_))
        }
        Kind::Off => matches!(data, Data::Flag(false)),
        Kind::Flag | Kind::On(_) => matches!(data, Data::Flag(_)),
        Kind::Integer(..) => matches!(data, Data::Integer(_)),
        Kind::List(..) => matches!(data, Data::List(_)),
        Kind::Table(_) => matches!(data, Data::Table(_)),
        Kind::Many(..) | Kind::Either(_) | Kind::Requirement | Kind::Any => true,
    }
}

/// A duration of nothing asks for nothing.
fn is_off(value: &Value) -> bool {
    matches!(value, Value::Number(0))
}

fn place_at(node: Node, span: &Range<usize>) -> Node {
    let data = match node.data {
        Data::List(nodes) => Data::List(nodes.into_iter().map(|node| place_at(node, span)).collect()),
        Data::Table(entries) => Data::Table(
            entries
                .into_iter()
                .map(|entry| Entry { key: entry.key, key_span: span.clone(), value: place_at(entry.value, span) })
                .collect(),
        ),
        other => other,
    };
    Node { span: span.clone(), data }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    let first: String = chars.next().map(|c| c.to_lowercase().collect()).unwrap_or_default();
    let second_is_upper = chars.clone().next().is_some_and(char::is_uppercase);
    if second_is_upper { text.to_owned() } else { format!("{first}{}", chars.as_str()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_a_unit_that_fit() {
        for (text, wanted) in [("0s", 0), ("30s", 30), ("15m", 900), ("12h", 43_200), ("30d", 2_592_000), ("007s", 7)] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in [
            "",
            "s",
            "15",
            "15 m",
            "1.5h",
            "-1s",
            "+1s",
            "1w",
            "1M",
            "１s",
            "9223372036854775807d",
            "99999999999999999999s",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
