//! An object as it was sent, with an index of its members; values are read where they lie.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::escape;
use super::number::digits;
use super::scan::{self, Found, Kind, Member, Members, Span};
use super::tag::tag;
use crate::ffi::os::ascii;

/// The text of one object, scanned.
#[derive(Clone, Default)]
pub struct Object {
    text: String,
    members: Members,
}

/// Where in an object's text a value lies; means nothing for another object.
#[derive(Clone, Copy, Debug)]
pub struct Place(Found);

/// A value where it lies in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raw<'t> {
    kind: Kind,
    /// A string with escapes.
    escapes: bool,
    /// As written; of a string what lies between the quotes.
    text: &'t str,
}

impl Object {
    /// Takes over a text that must be one object, read strictly; allocates nothing. The error says what is wrong,
    /// without any value.
    pub fn read(bytes: Vec<u8>) -> Result<Object, String> {
        let text = ascii::text(bytes).ok_or("it is not UTF-8")?;
        let mut object = Object { text, members: Members::new() };
        scan::scan(&object.text, &mut object.members)?;
        Ok(object)
    }

    /// The same for who keeps it beside others; read in its last place, since it is large to move.
    pub fn shared(bytes: Vec<u8>) -> Result<Arc<Object>, String> {
        let text = ascii::text(bytes).ok_or("it is not UTF-8")?;
        let mut object = Arc::new(Object { text, members: Members::new() });
        match Arc::get_mut(&mut object) {
            Some(Object { text, members }) => scan::scan(text, members)?,
            // Nobody else has it yet.
            None => return Err("it is held already".to_owned()),
        }
        Ok(object)
    }

    /// The text as it was sent.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The members in their order.
    pub fn members(&self) -> impl Iterator<Item = (Cow<'_, str>, Raw<'_>)> {
        members(&self.text, &self.members)
    }

    /// The members in their order, each with the tag of its name; for a search of several at once.
    pub fn tagged(&self) -> impl Iterator<Item = (u32, &Member)> {
        self.members.iter().map(|member| (member.tag(&self.text), member))
    }

    /// The member is the one of this name, whose tag is known.
    #[inline]
    pub fn is(&self, member: &Member, name: &str, tag: u32) -> bool {
        member.has(&self.text, name, tag)
    }

    /// The value of one of its members.
    #[inline]
    pub fn value(&self, member: &Member) -> Raw<'_> {
        value(&self.text, member)
    }

    /// The whole number that a member is, where it is one of eight to fifteen digits; `None` says nothing.
    #[inline]
    pub fn whole(&self, member: &Member) -> Option<u64> {
        let Found { kind, span, .. } = member.value();
        if kind == Kind::Number { digits(span.within(self.text.as_bytes())) } else { None }
    }

    /// The member of exactly this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        member(&self.text, &self.members, name)
    }

    /// The value of the member of exactly this name.
    pub fn get(&self, name: &str) -> Option<Raw<'_>> {
        get(&self.text, &self.members, name)
    }

    /// Where a value of this object lies, to come back to it without a search.
    pub fn place(&self, value: Raw<'_>) -> Place {
        let span = Span::locate(&self.text, value.text);
        Place(Found { kind: value.kind, escapes: value.escapes, span })
    }

    /// The value at a place of this object.
    pub fn at(&self, place: Place) -> Raw<'_> {
        Raw::of(&self.text, place.0)
    }

    /// First the member of exactly this name, then a dotted path through objects.
    pub fn find(&self, name: &str) -> Option<Raw<'_>> {
        self.get(name).or_else(|| self.deeper(name))
    }

    /// What a dotted path leads to through objects; `None` for a name without dots.
    pub fn deeper(&self, name: &str) -> Option<Raw<'_>> {
        let (first, path) = name.split_once('.')?;
        path.split('.').try_fold(self.get(first)?, |value, part| value.member(part))
    }
}

/// The members of a scanned text.
pub fn members<'t>(text: &'t str, members: &'t Members) -> impl Iterator<Item = (Cow<'t, str>, Raw<'t>)> {
    members.iter().map(|member| (member.name(text), Raw::of(text, member.value())))
}

/// The value of a member of a scanned text.
pub fn value<'t>(text: &'t str, member: &Member) -> Raw<'t> {
    Raw::of(text, member.value())
}

/// The member of exactly this name in a scanned text.
pub fn get<'t>(text: &'t str, members: &Members, name: &str) -> Option<Raw<'t>> {
    member(text, members, name).map(|member| value(text, member))
}

fn member<'m>(text: &str, members: &'m Members, name: &str) -> Option<&'m Member> {
    let tag = tag(name.as_bytes());
    members.iter().find(|member| member.has(text, name, tag))
}

impl<'t> Raw<'t> {
    /// A text that is one object, and was read.
    pub fn object(text: &'t str) -> Raw<'t> {
        Raw { kind: Kind::Object, escapes: false, text: text.trim_matches([' ', '\t', '\n', '\r']) }
    }

    /// What was found in a text.
    #[inline]
    pub fn of(text: &'t str, Found { kind, escapes, span }: Found) -> Raw<'t> {
        Raw { kind, escapes, text: span.of(text) }
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        self.kind
    }

    /// As it is written; of a string what lies between the quotes.
    pub fn written(self) -> &'t str {
        self.text
    }

    /// A string's value; allocates only where it has escapes.
    pub fn string(self) -> Option<Cow<'t, str>> {
        (self.kind == Kind::String).then(|| match self.escapes {
            false => Cow::Borrowed(self.text),
            true => escape::unescape(self.text),
        })
    }

    /// A number's value, rounded to the nearest double.
    pub fn number(self) -> Option<f64> {
        if self.kind != Kind::Number {
            return None;
        }
        digits(self.text.as_bytes()).map(|whole| whole as f64).or_else(|| self.text.parse().ok())
    }

    /// A boolean's value.
    pub fn boolean(self) -> Option<bool> {
        (self.kind == Kind::Bool).then_some(self.text == "true")
    }

    /// It is an array of nothing but strings of visible ASCII and spaces, none of which has an escape. `false` says
    /// nothing.
    pub fn is_plainly_strings(self) -> bool {
        let mut inside = false;
        let plain = |byte: &u8| match byte {
            b'"' => {
                inside = !inside;
                true
            }
            b'\\' => false,
            _ if inside => matches!(byte, 0x20..=0x7E),
            _ => matches!(byte, b',' | b' '),
        };
        let items = self.text.as_bytes().strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
        self.kind == Kind::Array && items.is_some_and(|items| items.iter().all(plain))
    }

    /// Calls back with each item of an array until one is answered with `false`; `false` where it is no array or the
    /// last answer was `false`.
    pub fn all(self, mut holds: impl FnMut(Raw<'t>) -> bool) -> bool {
        let mut all = self.kind == Kind::Array;
        if all {
            scan::each(self.text, &mut |_, found| {
                all = holds(Raw::of(self.text, found));
                all
            });
        }
        all
    }

    /// Calls back with each member of an object; with nothing for any other value.
    pub fn members(self, mut visit: impl FnMut(&str, Raw<'t>)) {
        if self.kind == Kind::Object {
            scan::each(self.text, &mut |name, found| {
                visit(&name, Raw::of(self.text, found));
                true
            });
        }
    }

    /// The member of exactly this name, of an object.
    pub fn member(self, wanted: &str) -> Option<Raw<'t>> {
        let mut found = None;
        if self.kind == Kind::Object {
            scan::each(self.text, &mut |name, value| {
                let hit = name == wanted;
                if hit {
                    found = Some(Raw::of(self.text, value));
                }
                !hit
            });
        }
        found
    }

    /// The value as a tree; for what is not asked on every request.
    pub fn value(self) -> Value {
        match self.kind {
            Kind::String => Value::String(escape::unescape(self.text).into_owned()),
            _ => serde_json::from_str(self.text).unwrap_or_default(),
        }
    }
}

impl std::fmt::Debug for Object {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Object").field("members", &self.members.len()).finish_non_exhaustive()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.text == other.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Object, String> {
        let read = Object::read(text.as_bytes().to_vec());
        assert_eq!(Object::shared(text.as_bytes().to_vec()).map(|shared| (*shared).clone()), read);
        read
    }

    /// The tree of what was scanned, put together member by member.
    fn tree(object: &Object) -> Value {
        Value::Object(object.members().map(|(name, value)| (name.into_owned(), value.value())).collect())
    }

    #[test]
    fn values_are_read_where_they_lie() {
        let object = read(r#" {"a": "x\u00e9\n\ud83d\ude00\"" , "n":-1.5e2,"t":true,"f":false,"z":null,"l":[1,"b",{"c":[]}],"o":{"p":{"q":"r"}},"":0} "#)
            .unwrap();
        assert_eq!(object.get("a").unwrap().string().unwrap(), "xé\n😀\"");
        assert_eq!(object.get("n").unwrap().number(), Some(-150.0));
        assert_eq!((object.get("t").unwrap().boolean(), object.get("f").unwrap().boolean()), (Some(true), Some(false)));
        assert_eq!(object.get("z").unwrap().kind(), Kind::Null);
        assert_eq!(object.get("").unwrap().number(), Some(0.0));
        for (text, plainly) in [
            (r#"[]"#, true),
            (r#"["a"]"#, true),
            (r#"["a b", "c,d", "[]"]"#, true),
            (r#"[1]"#, false),
            (r#"["a",true]"#, false),
            (r#"["a",["b"]]"#, false),
            (r#"["a",{}]"#, false),
            (r#"["\u0061"]"#, false),
            ("[\"\u{7f}\"]", false),
            (r#"["é"]"#, false),
            (r#""a""#, false),
        ] {
            let object = read(&format!("{{\"a\":{text}}}")).unwrap();
            assert_eq!(object.get("a").unwrap().is_plainly_strings(), plainly, "{text}");
        }
        let mut kinds = Vec::new();
        assert!(object.get("l").unwrap().all(|item| {
            kinds.push(item.kind());
            true
        }));
        assert_eq!(kinds, [Kind::Number, Kind::String, Kind::Object]);
        assert!(!object.get("l").unwrap().all(|item| item.kind() == Kind::Number));
        assert!(!object.get("o").unwrap().all(|_| true), "an object is no array");
        assert_eq!(object.find("o.p.q").unwrap().string().unwrap(), "r");
        assert!(object.find("o.p.q.r").is_none() && object.find("l.0").is_none() && object.get("b").is_none());
        assert!(object.get("n").unwrap().string().is_none() && object.get("a").unwrap().number().is_none());
    }

    #[test]
    fn names_with_escapes_are_found_by_what_they_mean() {
        let object = read(r#"{"\u0065xp":1,"a\/b":2}"#).unwrap();
        assert_eq!(object.get("exp").unwrap().number(), Some(1.0));
        assert_eq!(object.get("a/b").unwrap().number(), Some(2.0));
    }

    #[test]
    fn members_that_stand_twice_are_refused_among_few_and_many() {
        for count in [0, 1, 20, 23, 24, 60, 600] {
            let many: String = (0..count).map(|index| format!("\"name{index}\":{index},")).collect();
            assert!(read(&format!("{{{many}\"a\":1}}")).is_ok());
            for pair in [r#""a":1,"a":2"#, r#""a":1,"\u0061":2"#, r#""\u0061":1,"a":2"#, r#""\u0061":1,"\u0061":1"#] {
                assert!(read(&format!("{{{many}{pair}}}")).unwrap_err().contains("twice"), "{count} {pair}");
                assert!(read(&format!("{{\"x\":[{{{many}{pair}}}]}}")).unwrap_err().contains("twice"));
            }
        }
    }

    #[test]
    fn a_text_that_positions_cannot_reach_is_refused() {
        let text = format!("{{\"a\":\"{}\"}}", "x".repeat(scan::LONGEST));
        assert!(read(&text).unwrap_err().contains("octets"));
    }

    /// The corpus of hard cases that the tree reader is tested with, and more.
    const HARD: &[&str] = &[
        "",
        "null",
        "[]",
        "1",
        "\"a\"",
        "{} {}",
        "{}x",
        "{",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "{\"a\":1e999}",
        "{\"a\":-1e999}",
        "{\"a\":1e-999}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"\\ud83d\":1}",
        "\u{feff}{}",
        "{\"a\":\"\u{1}\"}",
        "{}\0",
        "{/**/}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":-}",
        "{\"a\":+1}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":0x1}",
        "{\"a\":tru}",
        "{\"a\":nulll}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":[1,]}",
        "{\"a\":[1 2]}",
        "{\"a\":[}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12g4\"}",
        "{\"a\":\"\\u123\"}",
        "{\"a\":\"\\\"}",
        "{a:1}",
        "{\"a\":\"\\ud83d\\ude00\"}",
        "{\"a\":\"\\ud83dx\"}",
        "{\"a\":\"\\ud83d\\n\"}",
        "{\"a\":-0}",
        "{\"a\":0.0e-0}",
        "\t\r\n {\t}\r\n",
        "{\"a\":\u{a0}1}",
        "{\"a\":\"\u{7f}\u{80}\u{2028}\"}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{1:2}",
    ];

    #[test]
    fn hard_cases_are_judged_as_by_the_tree_reader() {
        for text in HARD {
            let (ours, theirs) = (read(text), json::object(text.as_bytes()));
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}: {ours:?} {theirs:?}");
            if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                assert_eq!(tree(&ours), Value::Object(theirs), "{text:?}");
            }
        }
        for digits in [299, 300, 301, 308, 309, 310, 400] {
            let text = format!("{{\"a\":{}}}", "9".repeat(digits));
            assert_eq!(read(&text).is_ok(), json::object(text.as_bytes()).is_ok(), "{digits} digits");
        }
        for levels in [15, 16, 17, 5000] {
            let objects = format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
            let arrays = format!("{{\"a\":{}{}}}", "[".repeat(levels - 1), "]".repeat(levels - 1));
            for text in [objects, arrays] {
                assert_eq!(read(&text).is_ok(), json::object(text.as_bytes()).is_ok(), "{levels} levels");
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn text_like_json_is_judged_and_read_as_by_the_tree_reader(text in r#"[{}\[\]":,a-c0-9 \\ut.eE+\-]{0,40}"#) {
            let text = format!("{{{text}");
            for text in [&text, &format!("{text}}}"), &format!("{{\"a\":{text}}}}}"), &format!("{{\"a\":\"{text}\"}}")] {
                let (ours, theirs) = (read(text), json::object(text.as_bytes()));
                prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} {:?}", text, ours, theirs);
                if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
                    prop_assert_eq!(tree(&ours), Value::Object(theirs));
                }
            }
        }

        #[test]
        fn any_bytes_are_judged_as_by_the_tree_reader(bytes: Vec<u8>) {
            let inside = [b"{\"a\":\"", &bytes[..], b"\"}"].concat();
            for bytes in [bytes, inside] {
                prop_assert_eq!(Object::read(bytes.clone()).is_ok(), json::object(&bytes).is_ok());
            }
        }

        #[test]
        fn any_tree_comes_back(value in any_object()) {
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                // As serde_json reads it back, which may change the last bit of a number.
                prop_assert_eq!(tree(&read(&text).unwrap()), serde_json::from_str::<Value>(&text).unwrap());
            }
        }

        #[test]
        fn strings_come_back(text in any::<String>(), plain in "[ -~]{0,40}") {
            for text in [text, plain] {
                let object = read(&serde_json::json!({ "a": text, &*text: 1, "b": [text] }).to_string());
                let Ok(object) = object else { continue };
                prop_assert_eq!(object.get("b").unwrap().value(), serde_json::json!([text]));
                if text != "a" {
                    prop_assert_eq!(object.get("a").unwrap().string().unwrap(), text.as_str());
                }
            }
        }
    }

    fn any_object() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((".{0,6}", inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        prop::collection::vec((".{0,6}", value), 0..30).prop_map(|members| Value::Object(members.into_iter().collect()))
    }
}
