//! Strings of case files: texts with `${name}` in them, and what a text is expected to be.

use std::collections::{HashMap, HashSet};

use data_encoding::BASE64;
use regex::Regex;
use serde_json::Value;

use super::json::{self, Members, kind};

/// What earlier cases saved, by name.
pub type Saved = HashMap<String, Vec<u8>>;

/// Names that may be used at this point of a file: a name that nothing saved before is an error of the file, so that a
/// typing error never sends a literal `${name}`.
pub type Names = HashSet<String>;

/// A string of a case file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Bytes(Vec<u8>),
    Saved(String),
}

impl Text {
    /// A fixed text.
    pub fn fixed(text: &str) -> Text {
        Text(vec![Piece::Bytes(text.as_bytes().to_vec())])
    }

    /// Reads a string, or `{"base64": "…"}` for bytes that are not UTF-8.
    pub fn read(value: &Value, place: &str, names: &Names) -> Result<Text, String> {
        match value {
            Value::String(text) => Text::template(text, place, names),
            Value::Object(_) => {
                let mut members = Members::of(value, place)?;
                let encoded = json::string(members.need("base64")?, place)?;
                members.finish()?;
                let bytes =
                    BASE64.decode(encoded.as_bytes()).map_err(|e| format!("{place}: not padded base64: {e}"))?;
                Ok(Text(vec![Piece::Bytes(bytes)]))
            }
            other => Err(format!("{place}: a string or {{\"base64\": …}} is wanted here, and it is {}", kind(other))),
        }
    }

    fn template(text: &str, place: &str, names: &Names) -> Result<Text, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        let mut literal = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            literal.push_str(before);
            match after.split_once('}') {
                Some((name, behind)) if is_name(name) => {
                    if !names.contains(name) {
                        return Err(format!("{place}: nothing before this was saved as {name:?}"));
                    }
                    pieces.push(Piece::Bytes(std::mem::take(&mut literal).into_bytes()));
                    pieces.push(Piece::Saved(name.to_owned()));
                    rest = behind;
                }
                // Not one of ours: attacks contain such strings too.
                _ => {
                    literal.push_str("${");
                    rest = after;
                }
            }
        }
        literal.push_str(rest);
        pieces.push(Piece::Bytes(literal.into_bytes()));
        Ok(Text(pieces))
    }

    /// The bytes, with what was saved put in. An error where the case that should have saved it did not get it.
    pub fn fill(&self, saved: &Saved) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Bytes(bytes) => out.extend_from_slice(bytes),
                Piece::Saved(name) => out.extend_from_slice(saved.get(name).ok_or_else(|| {
                    format!("nothing was saved as {name:?}: the case before that should have failed")
                })?),
            }
        }
        Ok(out)
    }

    /// As [`Text::fill`], for what must be UTF-8.
    pub fn fill_string(&self, saved: &Saved) -> Result<String, String> {
        String::from_utf8(self.fill(saved)?).map_err(|_| "this must be UTF-8".to_owned())
    }
}

/// Every `${name}` in the strings of a value was saved before.
pub fn check_names(value: &Value, place: &str, names: &Names) -> Result<(), String> {
    match value {
        Value::String(text) => Text::template(text, place, names).map(drop),
        Value::Array(items) => items.iter().try_for_each(|item| check_names(item, place, names)),
        Value::Object(map) => {
            map.iter().try_for_each(|(name, value)| check_names(value, &format!("{place}.{name}"), names))
        }
        _ => Ok(()),
    }
}

/// A string with what was saved put in. Its names were checked when the file was read.
pub fn fill(text: &str, saved: &Saved) -> Result<String, String> {
    Text::template(text, "", &saved.keys().cloned().collect())?.fill_string(saved)
}

/// A name for `save` and `${…}`.
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

/// What a text is expected to be.
#[derive(Clone, Debug)]
pub enum Matcher {
    /// Exactly this.
    Exact(Text),
    /// Holds this, where given, and matches this, where given.
    Pattern {
        /// `{"contains": "…"}`
        contains: Option<Text>,
        /// `{"matches": "…"}`
        matches: Option<Regex>,
    },
}

impl Matcher {
    /// Reads a string, `{"base64"}`, `{"contains"}` or `{"matches"}`.
    pub fn read(value: &Value, place: &str, names: &Names) -> Result<Matcher, String> {
        let Value::Object(map) = value else { return Text::read(value, place, names).map(Matcher::Exact) };
        if map.contains_key("base64") {
            return Text::read(value, place, names).map(Matcher::Exact);
        }
        let mut members = Members::of(value, place)?;
        let contains =
            members.get("contains").map(|v| Text::read(v, &format!("{place}.contains"), names)).transpose()?;
        let matches = members.string("matches")?.map(|pattern| regex(pattern, place)).transpose()?;
        members.get("base64");
        members.finish()?;
        if contains.is_none() && matches.is_none() {
            return Err(format!("{place}: nothing is expected here: give \"contains\" or \"matches\""));
        }
        Ok(Matcher::Pattern { contains, matches })
    }

    /// It holds for this value.
    pub fn holds(&self, value: &[u8], saved: &Saved) -> Result<bool, String> {
        match self {
            Matcher::Exact(text) => Ok(text.fill(saved)? == value),
            Matcher::Pattern { contains, matches } => {
                let inside = match contains {
                    Some(text) => holds_within(value, &text.fill(saved)?),
                    None => true,
                };
                Ok(inside && matches.as_ref().is_none_or(|regex| regex.is_match(&String::from_utf8_lossy(value))))
            }
        }
    }

    /// In words, for messages.
    pub fn describe(&self, saved: &Saved) -> String {
        let shown = |text: &Text| match text.fill(saved) {
            Ok(bytes) => show(&bytes),
            Err(_) => "(nothing was saved)".to_owned(),
        };
        match self {
            Matcher::Exact(text) => shown(text),
            Matcher::Pattern { contains, matches } => {
                let parts = [
                    contains.as_ref().map(|text| format!("one that contains {}", shown(text))),
                    matches.as_ref().map(|regex| format!("one that matches {:?}", regex.as_str())),
                ];
                parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
            }
        }
    }
}

/// Compiles a regular expression.
pub fn regex(pattern: &str, place: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|error| format!("{place}: {pattern:?} is no regular expression: {error}"))
}

/// Bytes for messages: quoted, escaped.
pub fn show(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}

fn holds_within(value: &[u8], part: &[u8]) -> bool {
    part.is_empty() || value.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        ["token".to_owned()].into()
    }

    #[test]
    fn what_was_saved_is_put_in_and_nothing_else_is_touched() {
        let saved: Saved = [("token".to_owned(), b"abc".to_vec())].into();
        let fill = |text: &str| Text::read(&json!(text), "x", &names()).and_then(|t| t.fill_string(&saved));
        assert_eq!(fill("Bearer ${token}!").unwrap(), "Bearer abc!");
        assert_eq!(fill("${token}${token}").unwrap(), "abcabc");
        assert_eq!(fill("${jndi:ldap} ${ $x ${").unwrap(), "${jndi:ldap} ${ $x ${");
        assert!(fill("${tokn}").unwrap_err().contains("tokn"));
        assert_eq!(Text::read(&json!({"base64": "/w=="}), "x", &names()).unwrap().fill(&saved).unwrap(), [0xff]);
        assert!(Text::read(&json!({"base64": "/w"}), "x", &names()).is_err());
        assert!(Text::read(&json!({"bse64": "/w=="}), "x", &names()).is_err());
        assert!(Text::read(&json!(7), "x", &names()).is_err());
    }

    #[test]
    fn each_kind_of_matcher_holds_for_its_values_only() {
        let saved = Saved::new();
        for (matcher, value, wanted) in [
            (json!("abc"), "abc", true),
            (json!("abc"), "abcd", false),
            (json!({"contains": "b"}), "abc", true),
            (json!({"contains": "x"}), "abc", false),
            (json!({"matches": "^a.c$"}), "abc", true),
            (json!({"matches": "^b"}), "abc", false),
            (json!({"contains": "a", "matches": "^b"}), "abc", false),
        ] {
            let read = Matcher::read(&matcher, "x", &names()).unwrap();
            assert_eq!(read.holds(value.as_bytes(), &saved).unwrap(), wanted, "{matcher} {value}");
        }
        for bad in [json!({}), json!({"contain": "a"}), json!({"matches": "("}), json!(null), json!(["a"])] {
            assert!(Matcher::read(&bad, "x", &names()).is_err(), "{bad}");
        }
    }
}
