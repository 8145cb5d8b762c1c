//! JSON read so that no slip passes: a member that occurs twice or that nobody asked for is an error with its place.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a document; a repeated member is an error, because the first would vanish silently.
pub fn read(text: &str) -> Result<Value, String> {
    serde_json::from_str::<Strict>(text).map(|strict| strict.0).map_err(|error| format!("this is not JSON: {error}"))
}

/// The members of an object, each of which must be asked for.
pub struct Members<'a> {
    place: String,
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
}

impl<'a> Members<'a> {
    /// Of a value that must be an object. `place` is for messages, like `cases[2].request`.
    pub fn of(value: &'a Value, place: impl Into<String>) -> Result<Members<'a>, String> {
        let place = place.into();
        match value.as_object() {
            // Notes for readers are welcome everywhere.
            Some(map) => Ok(Members { place, map, known: vec!["comment"] }),
            None => Err(format!("{place}: an object is wanted here, and it is {}", kind(value))),
        }
    }

    /// A member that may be there.
    pub fn get(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.map.get(name)
    }

    /// A member that must be there.
    pub fn need(&mut self, name: &'static str) -> Result<&'a Value, String> {
        self.get(name).ok_or_else(|| format!("{}: the member {name:?} is missing", self.place))
    }

    /// A string that may be there.
    pub fn string(&mut self, name: &'static str) -> Result<Option<&'a str>, String> {
        let place = self.at(name);
        self.get(name).map(|value| string(value, &place)).transpose()
    }

    /// A list of strings that may be there.
    pub fn strings(&mut self, name: &'static str) -> Result<Option<Vec<String>>, String> {
        let place = self.at(name);
        let Some(value) = self.get(name) else { return Ok(None) };
        let items = list(value, &place)?.iter().enumerate();
        items
            .map(|(i, item)| string(item, &format!("{place}[{i}]")).map(str::to_owned))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// True or false; false where it is left out.
    pub fn flag(&mut self, name: &'static str) -> Result<bool, String> {
        let place = self.at(name);
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(format!("{place}: true or false is wanted here, and it is {}", kind(other))),
        }
    }

    /// The place of a member, for messages.
    pub fn at(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    /// All members were asked for; an error names one that was not.
    pub fn finish(self) -> Result<(), String> {
        let Some(stray) = self.map.keys().find(|key| !self.known.contains(&key.as_str())) else { return Ok(()) };
        let known: Vec<&str> = self.known.iter().copied().filter(|name| *name != "comment").collect();
        let place = if self.place.is_empty() { String::new() } else { format!("{}: ", self.place) };
        Err(format!("{place}there is no member {stray:?} here; it knows {}", known.join(", ")))
    }
}

/// The string that a value must be.
pub fn string<'a>(value: &'a Value, place: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("{place}: a string is wanted here, and it is {}", kind(value)))
}

/// The list that a value must be.
pub fn list<'a>(value: &'a Value, place: &str) -> Result<&'a [Value], String> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(format!("{place}: a list is wanted here, and it is {}", kind(other))),
    }
}

/// What a value is, in words.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict, D::Error> {
        deserializer.deserialize_any(StrictVisitor)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Strict;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Strict, E> {
        Ok(Strict(Value::Null))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Strict, E> {
        Ok(Strict(Value::Bool(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Strict, E> {
        Number::from_f64(value).map(|n| Strict(Value::Number(n))).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Strict, E> {
        Ok(Strict(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Strict, A::Error> {
        let mut list = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Strict(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Strict, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, Strict>()? {
            if map.contains_key(&name) {
                return Err(de::Error::custom(format!("the member {name:?} occurs twice")));
            }
            map.insert(name, value);
        }
        Ok(Strict(Value::Object(map)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_occurs_twice_is_an_error() {
        assert_eq!(
            read(r#"{"a": [1, -2, 1.5, null, true, "x"]}"#).unwrap(),
            serde_json::json!({"a": [1, -2, 1.5, null, true, "x"]})
        );
        assert!(read(r#"{"a": 1, "b": {"c": 1, "c": 2}}"#).unwrap_err().contains("\"c\" occurs twice"));
        assert!(read("{").is_err());
    }

    #[test]
    fn a_member_that_nobody_asked_for_is_named() {
        let value = serde_json::json!({"staus": 401, "comment": "fine"});
        let mut members = Members::of(&value, "cases[0].expect").unwrap();
        assert!(members.get("status").is_none());
        let error = members.finish().unwrap_err();
        assert!(
            error.contains("cases[0].expect") && error.contains("\"staus\"") && error.contains("status"),
            "{error}"
        );
    }
}
