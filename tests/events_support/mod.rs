//! Reads events files, and holds their lines against the published schema: as much of JSON Schema as that one uses.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::Path;

use serde_json::Value;

/// `docs/events.schema.json`.
pub fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/events.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// All lines of a file; each must be one object that fits the schema.
#[track_caller]
pub fn lines(path: &Path) -> Vec<Value> {
    let schema = schema();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the file ends within a line");
    let read = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        if let Err(why) = check(&schema, &schema, &value) {
            panic!("{why}: {line}");
        }
        value
    };
    text.lines().map(read).collect()
}

/// The decisions among them.
#[track_caller]
pub fn decisions(path: &Path) -> Vec<Value> {
    lines(path).into_iter().filter(|line| line["event"] == "decision").collect()
}

/// The names of all events.
#[track_caller]
pub fn names(path: &Path) -> Vec<String> {
    lines(path).iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
}

/// Whether a value fits a schema; an error says where it does not. Keywords that it does not know are an error.
pub fn check(root: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (keyword, wanted) in schema.as_object().unwrap() {
        let good = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => true,
            "$ref" => {
                let name = wanted.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                check(root, &root["$defs"][name], value)?;
                true
            }
            "type" => match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "string" => value.is_string(),
                "integer" => value.is_u64() || value.is_i64(),
                "array" => value.is_array(),
                other => return Err(format!("unknown type {other}")),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                value.as_str().is_none_or(|text| pattern.is_match(text))
            }
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() <= number(wanted)),
            "minimum" => value.as_i64().is_none_or(|found| found >= wanted.as_i64().unwrap()),
            "minItems" => value.as_array().is_none_or(|items| items.len() >= number(wanted)),
            "maxItems" => value.as_array().is_none_or(|items| items.len() <= number(wanted)),
            "items" => {
                value.as_array().into_iter().flatten().try_for_each(|item| check(root, wanted, item))?;
                true
            }
            "required" => wanted.as_array().unwrap().iter().all(|name| value.get(name.as_str().unwrap()).is_some()),
            "properties" => {
                for (name, member) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = wanted.get(name) {
                        check(root, schema, member).map_err(|why| format!("{name}: {why}"))?;
                    }
                }
                true
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                wanted != false
                    || value.as_object().is_none_or(|members| members.keys().all(|name| known.contains_key(name)))
            }
            "oneOf" => {
                let all = wanted.as_array().unwrap();
                let fitting = all.iter().filter(|schema| check(root, schema, value).is_ok()).count();
                if fitting != 1 {
                    let meant = all.iter().find(|schema| schema["title"] == value["event"]);
                    let why = meant.and_then(|schema| check(root, schema, value).err());
                    return Err(format!("{fitting} of the alternatives fit: {}", why.unwrap_or_default()));
                }
                true
            }
            other => return Err(format!("this checker does not know {other}")),
        };
        if !good {
            return Err(format!("{value} is not {keyword} {wanted}"));
        }
    }
    Ok(())
}

fn number(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}
