//! The published form of the table: `docs/events.schema.json` and `docs/EVENTS.md`.

use serde_json::{Map, Value, json};

use super::table::{ALWAYS, CHAIN, Kind, Member, Shape};

/// The JSON Schema (draft 2020-12) of one line.
pub fn schema() -> Value {
    let members: Map<String, Value> = Member::ALL
        .iter()
        .map(|member| {
            let mut value = shape(member.shape());
            if let Value::Object(map) = &mut value {
                map.insert("description".into(), member.about().into());
            }
            (member.name().to_owned(), value)
        })
        .collect();
    let kinds: Vec<Value> = Kind::ALL.iter().map(|kind| of(*kind)).collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Gatepost event",
        "description": "One line of the events file. A later release may add events and members; it changes none.",
        "type": "object",
        "oneOf": kinds,
        "$defs": members,
    })
}

fn of(kind: Kind) -> Value {
    let reference = |member: &Member| {
        let value = match member {
            Member::Event => json!({ "const": kind.name() }),
            other => json!({ "$ref": format!("#/$defs/{}", other.name()) }),
        };
        (member.name().to_owned(), value)
    };
    let all = [ALWAYS, kind.required(), kind.optional(), CHAIN];
    let properties: Map<String, Value> = all.iter().flat_map(|list| list.iter().map(reference)).collect();
    let required: Vec<&str> = ALWAYS.iter().chain(kind.required()).map(|member| member.name()).collect();
    json!({
        "title": kind.name(),
        "description": kind.about(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn shape(shape: Shape) -> Value {
    match shape {
        Shape::Time => json!({
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        }),
        Shape::Word(words) => json!({ "enum": words() }),
        Shape::Text(most) => json!({ "type": "string", "maxLength": most }),
        Shape::Texts(count, most) => json!({
            "type": "array", "minItems": 1, "maxItems": count, "items": { "type": "string", "maxLength": most },
        }),
        Shape::Digest => json!({ "type": "string", "pattern": "^hmac-sha256:[0-9a-f]{32}$" }),
        Shape::Number => json!({ "type": "integer", "minimum": 0 }),
        Shape::Flag => json!({ "const": true }),
    }
}

/// The same for people.
pub fn markdown() -> String {
    let mut text = String::from(HEAD);
    let list =
        |members: &[Member]| members.iter().map(|member| format!("`{}`", member.name())).collect::<Vec<_>>().join(", ");
    text.push_str(&format!("\nEvery line holds {}.\n\n## Events\n\n", list(ALWAYS)));
    text.push_str(
        "| event | severity | what it means | always | where it applies |\n| --- | --- | --- | --- | --- |\n",
    );
    for kind in Kind::ALL {
        let severity = if *kind == Kind::Decision { "by its reason" } else { kind.severity().name() };
        text.push_str(&format!(
            "| `{}` | {severity} | {} | {} | {} |\n",
            kind.name(),
            kind.about(),
            list(kind.required()),
            list(kind.optional())
        ));
    }
    text.push_str("\n## Members\n\n| member | value | what it means |\n| --- | --- | --- |\n");
    for member in Member::ALL {
        text.push_str(&format!("| `{}` | {} | {} |\n", member.name(), described(*member), member.about()));
    }
    text
}

fn described(member: Member) -> String {
    match member.shape() {
        Shape::Time => "time, RFC 3339 in UTC with milliseconds".into(),
        Shape::Word(_) if matches!(member, Member::Reason | Member::Event) => "word".into(),
        Shape::Word(words) => words().iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::Text(most) => format!("text, up to {most}"),
        Shape::Texts(count, most) => format!("up to {count} texts, each up to {most}"),
        Shape::Digest => "`hmac-sha256:` and 32 hexadecimal digits".into(),
        Shape::Number => "number".into(),
        Shape::Flag => "`true`, or left out".into(),
    }
}

const HEAD: &str = include_str!("head.md");

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Compares with the committed file; `UPDATE=1` rewrites it.
    fn committed(name: &str, wanted: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
        if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
            std::fs::write(&path, wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "docs/{name} is not what the table of events says; run the tests with UPDATE=1");
    }

    #[test]
    fn the_published_schema_is_what_the_table_says() {
        committed("events.schema.json", &format!("{:#}\n", super::schema()));
    }

    #[test]
    fn the_documentation_is_what_the_table_says() {
        committed("EVENTS.md", &super::markdown());
    }
}
