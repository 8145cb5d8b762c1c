//! The text of a policy as an owned tree with places. The only file that knows the TOML parser.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Tables and lists nested deeper than this are not read; a policy needs about seventy at most.
const DEEPEST: usize = 160;

/// One value and the bytes of the text that it stands in.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub span: Range<usize>,
    pub data: Data,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Data {
    Text(String),
    /// `None`: outside 64 bits.
    Integer(Option<i64>),
    Float(f64),
    Flag(bool),
    Date,
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// One key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_span: Range<usize>,
    pub value: Node,
}

impl Data {
    /// The kind of value, with its article, for messages.
    pub fn describe(&self) -> &'static str {
        match self {
            Data::Text(_) => "a string",
            Data::Integer(_) => "a whole number",
            Data::Float(_) => "a number with a fraction",
            Data::Flag(_) => "true or false",
            Data::Date => "a date",
            Data::List(_) => "a list",
            Data::Table(_) => "a table",
        }
    }
}

/// A problem that the TOML parser found.
pub(super) struct Fault {
    pub span: Range<usize>,
    pub message: String,
}

/// Reads the text as far as it can be read; entries come in the order of the file.
pub(super) fn parse(text: &str) -> (Vec<Entry>, Vec<Fault>) {
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| Fault {
            span: error.span().unwrap_or(text.len()..text.len()),
            message: error.message().lines().collect::<Vec<_>>().join(", "),
        })
        .collect();
    let entries = table(root.get_ref(), 0, &mut faults);
    (entries, faults)
}

/// Reads one value, as the defaults of the table of keys are written.
pub(super) fn parse_value(text: &str) -> Option<Node> {
    let value = DeValue::parse(text).ok()?;
    let span = value.span();
    Some(node(value.get_ref(), span, 0, &mut Vec::new()))
}

fn table(from: &DeTable<'_>, depth: usize, faults: &mut Vec<Fault>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = from
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_span: key.span(),
            value: node(value.get_ref(), value.span(), depth + 1, faults),
        })
        .collect();
    // The parser's map is sorted by name.
    entries.sort_by_key(|entry| entry.key_span.start);
    entries
}

fn node(value: &DeValue<'_>, span: Range<usize>, depth: usize, faults: &mut Vec<Fault>) -> Node {
    let data = match value {
        DeValue::String(text) => Data::Text(text.to_string()),
        DeValue::Integer(number) => Data::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(number) => Data::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Data::Flag(*flag),
        DeValue::Datetime(_) => Data::Date,
        DeValue::Array(_) | DeValue::Table(_) if depth > DEEPEST => {
            faults.push(Fault { span: span.clone(), message: "nested too deeply".into() });
            Data::Table(Vec::new())
        }
        DeValue::Array(values) => {
            Data::List(values.iter().map(|value| node(value.get_ref(), value.span(), depth + 1, faults)).collect())
        }
        DeValue::Table(entries) => Data::Table(table(entries, depth, faults)),
    };
    Node { span, data }
}
