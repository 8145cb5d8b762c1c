//! JSON read strictly: the form in which keys and tokens arrive.
//!
//! One object, valid UTF-8, nothing behind it, bounded nesting, and no member twice. Two readers that keep different
//! ones of two equal names disagree about what was signed (RFC 8725 section 2.4, RFC 7515 section 4); names are
//! compared after their escapes are read. `object` makes a tree, for keys and settings; `Object` leaves the values
//! where they lie, for tokens. Both accept the same texts.

mod compact;
mod escape;
mod member;
mod number;
mod object;
pub mod scan;
mod tag;

pub use object::{Object, Place, Raw, get, members, value};
pub use scan::{Kind, Member};
pub use tag::tag;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Nesting that is read at most; the outermost object is the first level.
pub const DEPTH: usize = 16;

/// Reads one object. The error says what is wrong, without any value.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { left: DEPTH }.deserialize(&mut reader).map_err(|e| e.to_string())?;
    reader.end().map_err(|e| e.to_string())?;
    match value {
        Value::Object(map) => Ok(map),
        other => Err(format!("it is {} where an object belongs", kind(&other))),
    }
}

/// A stranger's text for messages: cut to 64 characters, quoted, everything but plain ASCII escaped.
pub fn shown(text: &str) -> String {
    let mut out = String::from("\"");
    out.extend(text.chars().take(64).flat_map(char::escape_default));
    out.push_str(if text.chars().nth(64).is_some() { "…\"" } else { "\"" });
    out
}

/// What a value is, for messages.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Reads any value with so many levels left.
#[derive(Clone, Copy)]
struct Strict {
    left: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Strict, E> {
        let left = self.left.checked_sub(1).ok_or_else(|| E::custom(format_args!("more than {DEPTH} levels deep")))?;
        Ok(Strict { left })
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut out = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            out.push(item);
        }
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut out = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if out.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member {} stands there twice", shown(&name))));
            }
            let value = members.next_value_seed(inner)?;
            out.insert(name, value);
        }
        Ok(Value::Object(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nested(levels: usize) -> String {
        format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels))
    }

    #[test]
    fn an_object_is_read_as_it_stands() {
        let text = r#" {"a": [1, -2, 1.5, 1e300, true, null, "\u00e9\n"], "b": {"a": {}}} "#;
        assert_eq!(Value::Object(object(text.as_bytes()).unwrap()), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn members_that_stand_twice_are_refused_at_any_depth_and_in_any_spelling() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"\u0061":1,"b":0,"\u0061":2}"#,
            r#"{"x":{"a":1,"a":2}}"#,
            r#"{"x":[[{"a":1,"a":2}]]}"#,
            r#"{"":1,"":2}"#,
            r#"{"\u00e9":1,"é":2}"#,
        ] {
            assert!(object(text.as_bytes()).unwrap_err().contains("twice"), "{text}");
        }
        assert!(object(r#"{"a":1,"A":2,"b":{"a":1}}"#.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_not_one_object_of_valid_utf8_is_refused() {
        for bytes in [
            &b""[..],
            b"null",
            b"[]",
            b"1",
            b"\"a\"",
            b"{} {}",
            b"{}x",
            b"{",
            b"{\"a\":1,}",
            b"{'a':1}",
            b"{\"a\":01}",
            b"{\"a\":NaN}",
            b"{\"a\":1e999}",
            b"{\"a\":\"\xff\"}",
            b"{\"\xc0\x80\":1}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\\udc00\\ud800\"}",
            b"{\"\\ud83d\":1}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\x01\"}",
            b"{}\0",
            b"{/**/}",
        ] {
            assert!(object(bytes).is_err(), "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn nesting_is_bounded() {
        assert!(object(nested(DEPTH).as_bytes()).is_ok());
        assert!(object(nested(DEPTH + 1).as_bytes()).unwrap_err().contains("deep"));
        assert!(object(nested(100_000).as_bytes()).is_err());
        let arrays = format!("{{\"a\":{}{}}}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        assert!(object(arrays.as_bytes()).is_err());
    }

    #[test]
    fn a_strangers_text_is_cut_and_escaped() {
        assert_eq!(shown("a\"\u{1b}[31m\u{202e}é\n"), "\"a\\\"\\u{1b}[31m\\u{202e}\\u{e9}\\n\"");
        assert_eq!(shown(&"x".repeat(64)).len(), 66);
        assert_eq!(shown(&"é".repeat(65)), format!("\"{}…\"", "\\u{e9}".repeat(64)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = object(&bytes);
        }

        #[test]
        fn what_is_accepted_reads_as_the_usual_reader_reads_it(text in r#"[{}\[\]":,a-c0-9 \\u.-]{0,40}"#) {
            if let Ok(map) = object(text.as_bytes()) {
                prop_assert_eq!(Value::Object(map), serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
