//! A quick way through the texts that issuers write: compact, without an escape or a control character. All quotes are
//! found before anything is read, so that no string has to be walked through. What is no such text, or has anything
//! wrong with it, is for the scan, which reads it from its beginning and says what it is.

use super::DEPTH;
use super::member::{Found, Kind, Member, Members, Span};
use super::number::end_of_digits;
use super::tag::tag_at;
use crate::ffi::os::quotes::quotes;

/// Words of 64 octets that a text may have.
const WORDS: usize = 32;

/// Notes the members of such a text. False: it is for the scan, and what is noted is of no use.
pub(super) fn note(text: &[u8], members: &mut Members) -> bool {
    let mut room = [0; WORDS];
    if text.first() != Some(&b'{') || !quotes(text, &mut room) {
        return false;
    }
    let quotes = Quotes { bits: room.first().copied().unwrap_or(0), room: &room, word: 0 };
    Reader { bytes: text, members }.object(0, DEPTH, quotes).is_some_and(|(end, _)| end == text.len())
}

/// Where the quotes stand, one after the other. Handed on from step to step, so that it stays in registers.
#[derive(Clone, Copy)]
struct Quotes<'r> {
    room: &'r [u64; WORDS],
    word: usize,
    /// Those of the word that are still to come.
    bits: u64,
}

impl Quotes<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.word += 1;
            self.bits = *self.room.get(self.word)?;
        }
        let at = self.word * 64 + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits.wrapping_sub(1);
        Some(at)
    }

    /// A string whose quote stands here: where the other one does.
    #[inline(always)]
    fn string(&mut self, at: usize) -> Option<usize> {
        if self.next()? == at { self.next() } else { None }
    }
}

struct Reader<'t, 'm> {
    bytes: &'t [u8],
    /// A stack: those of the objects that are open.
    members: &'m mut Members,
}

impl<'m> Reader<'_, 'm> {
    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The object that begins here, up to behind its end; its members are left on the stack.
    fn object(&mut self, start: usize, levels: usize, mut quotes: Quotes<'m>) -> Option<(usize, Quotes<'m>)> {
        let inner = levels.checked_sub(1)?;
        let base = self.members.len();
        let mut at = start + 1;
        if self.byte(at) == Some(b'}') {
            return Some((at + 1, quotes));
        }
        let mut seen = 0_u64;
        loop {
            let name_end = quotes.string(at)?;
            if self.byte(name_end + 1) != Some(b':') {
                return None;
            }
            let name = Span::new(at + 1, name_end);
            let (Found { kind, escapes, span: value }, end) = self.value(name_end + 2, inner, &mut quotes)?;
            let tag = tag_at(self.bytes, at + 1, name_end);
            let bit = 1_u64 << (tag.wrapping_mul(0x9E37_79B1) >> 26);
            if seen & bit != 0 && self.members.get(base..)?.iter().any(|member| member.tag == tag) {
                return None;
            }
            seen |= bit;
            self.members.push(Member { name, value, tag, kind, escaped: false, escapes });
            match self.byte(end)? {
                b',' => at = end + 1,
                b'}' => return Some((end + 1, quotes)),
                _ => return None,
            }
        }
    }

    #[inline(always)]
    fn value(&mut self, start: usize, levels: usize, quotes: &mut Quotes<'m>) -> Option<(Found, usize)> {
        let found = |kind, start, end| Found { kind, escapes: false, span: Span::new(start, end) };
        match self.byte(start)? {
            b'"' => {
                let end = quotes.string(start)?;
                Some((found(Kind::String, start + 1, end), end + 1))
            }
            b'1'..=b'9' => {
                let end = end_of_digits(self.bytes, start);
                // Another end of it, or too long, shows no further on.
                let plain = end - start < 300 && matches!(self.byte(end)?, b',' | b'}' | b']');
                plain.then(|| (found(Kind::Number, start, end), end))
            }
            first => {
                let (kind, end, rest) = self.other_value(first, start, levels, *quotes)?;
                *quotes = rest;
                Some((found(kind, start, end), end))
            }
        }
    }

    #[inline(never)]
    fn other_value(
        &mut self,
        first: u8,
        start: usize,
        levels: usize,
        quotes: Quotes<'m>,
    ) -> Option<(Kind, usize, Quotes<'m>)> {
        let word = |kind: Kind, word: &[u8]| {
            self.bytes.get(start..)?.starts_with(word).then_some((kind, start + word.len(), quotes))
        };
        match first {
            b'{' => {
                let base = self.members.len();
                let (end, quotes) = self.object(start, levels, quotes)?;
                self.members.truncate(base);
                Some((Kind::Object, end, quotes))
            }
            b'[' => self.array(start, levels, quotes).map(|(end, quotes)| (Kind::Array, end, quotes)),
            b't' => word(Kind::Bool, b"true"),
            b'f' => word(Kind::Bool, b"false"),
            b'n' => word(Kind::Null, b"null"),
            _ => None,
        }
    }

    fn array(&mut self, start: usize, levels: usize, mut quotes: Quotes<'m>) -> Option<(usize, Quotes<'m>)> {
        let inner = levels.checked_sub(1)?;
        let mut at = start + 1;
        if self.byte(at) == Some(b']') {
            return Some((at + 1, quotes));
        }
        loop {
            let (_, end) = self.value(at, inner, &mut quotes)?;
            match self.byte(end)? {
                b',' => at = end + 1,
                b']' => return Some((end + 1, quotes)),
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::slowly;
    use super::*;
    use proptest::prelude::*;

    fn noted(text: &str) -> Option<Members> {
        let mut members = Members::new();
        note(text.as_bytes(), &mut members).then_some(members)
    }

    #[test]
    fn what_issuers_write_is_read_and_what_is_odd_is_left() {
        for text in [
            r#"{}"#,
            r#"{"a":"b","c":1790000000,"d":["x","y"],"e":true,"f":null,"g":{"h":[1,{"i":false}],"":""}}"#,
            r#"{"é":"ü"}"#,
        ] {
            assert!(noted(text).is_some(), "{text}");
        }
        for text in [
            "",
            "{",
            "}",
            "[]",
            "\"a\"",
            r#"{"a":1}x"#,
            r#"{"a":1"#,
            r#"{"a":1 }"#,
            r#"{ "a":1}"#,
            r#"{"a": 1}"#,
            r#"{"a":1,}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":"\u0061"}"#,
            r#"{"a":01}"#,
            r#"{"a":1.5}"#,
            r#"{"a":-1}"#,
            r#"{"a"}"#,
            r#"{"a":"b"#,
            r#"{"a":["x""y"]}"#,
            r#"{"a":[1,]}"#,
            "{\"a\":\"\t\"}",
            r#"{a:1}"#,
            r#"{"a""b"}"#,
        ] {
            assert!(noted(text).is_none(), "{text}");
        }
        let deep = |levels: usize| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(noted(&deep(DEPTH)).is_some() && noted(&deep(DEPTH + 1)).is_none());
        let long = |octets: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(octets));
        assert!(noted(&long(1_900)).is_some() && noted(&long(2_048)).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn what_is_read_is_what_the_scan_reads(text in r#"\{("[a-c]{0,3}":("[x,:\[{]{0,9}"|[0-9]{1,12}|true|null|\[("z"(,"z"){0,2})?\]|\{("k":1)?\}),?){0,6}\}?[}\]" ]?"#) {
            let mut members = Members::new();
            let slow = slowly(&text, &mut members);
            if let Some(noted) = noted(&text) {
                prop_assert!(slow.is_ok(), "{}", text);
                prop_assert_eq!(format!("{noted:?}"), format!("{members:?}"));
            }
        }
    }
}
