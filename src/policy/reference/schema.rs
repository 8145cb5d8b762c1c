//! `docs/policy.schema.json`: what an editor can check while a policy is written. The reader checks more.

use serde_json::{Map, Value, json};

use crate::policy::keys::{Built, Default, Key, Kind, REQUIREMENT, SECTIONS};

/// The JSON Schema (draft 2020-12) of the policy file.
pub fn json_schema() -> Value {
    let mut sections = Map::new();
    for section in SECTIONS {
        let mut schema = table(section.keys);
        if section.many {
            schema = json!({ "type": "array", "items": schema });
        }
        describe(&mut schema, section.about, section.built);
        sections.insert(section.name.to_owned(), schema);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gatepost policy",
        "description": "Who is trusted, and what each route requires. Made from the table of keys of the policy reader.",
        "type": "object",
        "properties": sections,
        "additionalProperties": false,
        "$defs": {
            "requirement": {
                "description": "Several keys mean all of them; a list means any of them.",
                "anyOf": [
                    { "const": "authenticated" },
                    requirement(),
                    { "type": "array", "items": { "$ref": "#/$defs/requirement" }, "minItems": 1 },
                ],
            },
        },
    })
}

fn requirement() -> Value {
    let mut schema = table(REQUIREMENT);
    if let Value::Object(map) = &mut schema {
        map.insert("minProperties".into(), 1.into());
    }
    schema
}

fn table(keys: &'static [Key]) -> Value {
    let mut properties = Map::new();
    let mut required: Vec<&str> = Vec::new();
    for key in keys {
        let mut schema = kind(&key.kind);
        describe(&mut schema, key.about, key.built);
        match key.default {
            Default::Required => required.push(key.name),
            Default::Without(_) => {}
            Default::Is(text) => {
                if let (Value::Object(map), Some(value)) = (&mut schema, default(text)) {
                    map.insert("default".into(), value);
                }
            }
        }
        properties.insert(key.name.to_owned(), schema);
    }
    let mut schema = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if let (Value::Object(map), false) = (&mut schema, required.is_empty()) {
        map.insert("required".into(), required.into());
    }
    schema
}

fn kind(of: &'static Kind) -> Value {
    match of {
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Off => json!({ "const": false }),
        Kind::On(_) => json!({ "const": true }),
        Kind::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::Duration(..) => json!({ "type": "string", "pattern": "^[0-9]+[smhd]$" }),
        Kind::OneOf(choices) => json!({ "enum": choices.iter().map(|choice| choice.word).collect::<Vec<_>>() }),
        Kind::Form(form) | Kind::Lines(form) => json!({ "type": "string", "minLength": 1, "examples": [form.example] }),
        Kind::Many(inner, least) => {
            let one = kind(inner);
            json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": least }] })
        }
        Kind::List(inner, least) => json!({ "type": "array", "items": kind(inner), "minItems": least }),
        Kind::Table(keys) => table(keys),
        Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(kind).collect::<Vec<_>>() }),
        Kind::Requirement => json!({ "$ref": "#/$defs/requirement" }),
        Kind::Any => json!({}),
    }
}

fn describe(schema: &mut Value, about: &str, built: Built) {
    let later = if built == Built::Yes { "" } else { " Not built yet." };
    if let Value::Object(map) = schema {
        map.insert("description".into(), format!("{about}{later}").into());
    }
}

/// A default, written in TOML, as JSON.
fn default(text: &str) -> Option<Value> {
    use crate::policy::tree::{Data, Node, parse_value};
    fn convert(node: &Node) -> Option<Value> {
        Some(match &node.data {
            Data::Text(text) => Value::String(text.clone()),
            Data::Integer(number) => Value::from((*number)?),
            Data::Flag(flag) => Value::Bool(*flag),
            Data::List(nodes) => Value::Array(nodes.iter().map(convert).collect::<Option<_>>()?),
            Data::Table(entries) => Value::Object(
                entries.iter().map(|entry| Some((entry.key.clone(), convert(&entry.value)?))).collect::<Option<_>>()?,
            ),
            Data::Float(_) | Data::Date => return None,
        })
    }
    convert(&parse_value(text)?)
}
