//! A strict reader of JSON text that allocates nothing on its way: it checks the grammar of RFC 8259 over the whole
//! text and notes where the members of the outermost object stand. Values are looked at where they lie, when they are
//! asked for.
//!
//! As strict as `object`: bounded nesting, no member twice at any depth in any spelling, no lone surrogate, no number
//! that overflows.

use std::borrow::Cow;

use super::escape::unescape;
pub use super::member::{Found, Kind, Member, Members, Span};
use super::number::end_of_digits;
use super::tag::tag;
use super::{DEPTH, compact, shown};
use crate::ffi::os::quotes::plain_until;

/// Octets of a text that is scanned, at most; positions are kept in 16 bits.
pub const LONGEST: usize = u16::MAX as usize;

/// From so many members on their names are sorted to find two that are equal.
const MANY: usize = 24;

/// Scans a text that must be one object, and notes its members. The error says what is wrong, without any value.
pub fn scan(text: &str, members: &mut Members) -> Result<(), String> {
    members.clear();
    if compact::note(text.as_bytes(), members) { Ok(()) } else { slowly(text, members) }
}

/// The same for any text.
pub(super) fn slowly(text: &str, members: &mut Members) -> Result<(), String> {
    members.clear();
    if text.len() > LONGEST {
        return Err(format!("it has {} octets; at most {LONGEST} are read", text.len()));
    }
    let mut scanner = Scanner { text, bytes: text.as_bytes(), members, fault: Fault::Deep };
    scanner.document().map_err(|Stop| scanner.fault.describe(text))
}

/// Calls back with each item of an array or each member of an object that a scan has accepted; stops at `false`.
/// `name` is empty for items of arrays.
pub fn each<'t>(text: &'t str, visit: &mut dyn FnMut(Cow<'t, str>, Found) -> bool) {
    let mut members = Members::new();
    let mut scanner = Scanner { text, bytes: text.as_bytes(), members: &mut members, fault: Fault::Deep };
    // The text was accepted before as part of a whole; what is wrong with it now ends the walk.
    let _ = scanner.walk(visit);
}

/// What is wrong, and where.
enum Fault {
    /// Something else was wanted at this octet.
    Expected(&'static str, usize),
    /// More levels than are read.
    Deep,
    /// This name stands in one object twice.
    Twice(Span),
}

impl Fault {
    fn describe(&self, text: &str) -> String {
        match self {
            Fault::Expected(what, at) => format!("it is not JSON: {what} is wanted at octet {}", at + 1),
            Fault::Deep => format!("it is more than {DEPTH} levels deep"),
            Fault::Twice(name) => format!("the member {} stands there twice", shown(&unescape(name.of(text)))),
        }
    }
}

/// Something is wrong; what, the scanner has noted. Nothing in itself, so that results stay small.
struct Stop;

type Scanned<T> = Result<T, Stop>;

struct Scanner<'t, 'm> {
    text: &'t str,
    bytes: &'t [u8],
    /// A stack: those of the objects that are open.
    members: &'m mut Members,
    /// What is wrong, once it has stopped.
    fault: Fault,
}

/// Each step takes the place where it begins, and says where it ended: the place stays in a register.
impl<'t> Scanner<'t, '_> {
    fn document(&mut self) -> Scanned<()> {
        let start = self.past_space(0);
        if self.peek(start) != Some(b'{') {
            return Err(self.expected("an object", start));
        }
        let end = self.object(start, DEPTH)?;
        let end = self.past_space(end);
        if end < self.bytes.len() { Err(self.expected("the end", end)) } else { Ok(()) }
    }

    #[inline(always)]
    fn peek(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    #[cold]
    #[inline(never)]
    fn stop(&mut self, fault: Fault) -> Stop {
        self.fault = fault;
        Stop
    }

    #[cold]
    #[inline(never)]
    fn expected(&mut self, what: &'static str, at: usize) -> Stop {
        self.stop(Fault::Expected(what, at))
    }

    /// Most texts have no space at all.
    #[inline(always)]
    fn past_space(&self, at: usize) -> usize {
        if self.peek(at).is_some_and(|byte| byte <= b' ') { self.past_more_space(at) } else { at }
    }

    #[inline(never)]
    fn past_more_space(&self, mut at: usize) -> usize {
        while matches!(self.peek(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    /// Leaves the members of the object on the stack; the caller takes off those that it does not want.
    fn object(&mut self, start: usize, levels: usize) -> Scanned<usize> {
        let inner = levels.checked_sub(1).ok_or_else(|| self.stop(Fault::Deep))?;
        let base = self.members.len();
        let mut at = self.past_space(start + 1);
        if self.peek(at) == Some(b'}') {
            return Ok(at + 1);
        }
        // One bit for each name; only where two share a bit are names compared.
        let (mut seen, mut doubtful) = (0_u64, false);
        loop {
            let (name, escaped, begun) = self.member_name(at)?;
            let (Found { kind, escapes, span: value }, end) = self.value(begun, inner)?;
            let tag = if escaped { 0 } else { tag(name.within(self.bytes)) };
            let bit = 1_u64 << (tag.wrapping_mul(0x9E37_79B1) >> 26);
            doubtful |= escaped || (seen & bit != 0 && self.is_doubtful(base, tag));
            seen |= bit;
            self.members.push(Member { name, value, tag, kind, escaped, escapes });
            at = self.past_space(end);
            match self.peek(at) {
                Some(b',') => at = self.past_space(at + 1),
                Some(b'}') => break,
                _ => return Err(self.expected("a comma or a closing brace", at)),
            }
        }
        match self.members.get(base..).filter(|_| doubtful).and_then(|own| twice(self.text, own)) {
            Some(name) => Err(self.stop(Fault::Twice(name))),
            None => Ok(at + 1),
        }
    }

    /// A member of the object that begins at `base` may have the name with this tag. Of many members nothing is known.
    #[inline(never)]
    fn is_doubtful(&self, base: usize, tag: u32) -> bool {
        let own = self.members.get(base..).unwrap_or_default();
        own.len() >= MANY || own.iter().any(|member| member.tag == tag)
    }

    /// A name, whether it has escapes, and where behind its colon the value begins.
    #[inline(always)]
    fn member_name(&mut self, at: usize) -> Scanned<(Span, bool, usize)> {
        if self.peek(at) != Some(b'"') {
            return Err(self.expected("the name of a member", at));
        }
        let (end, escaped) = self.string(at + 1)?;
        let name = Span::new(at + 1, end);
        let at = self.past_space(end + 1);
        if self.peek(at) != Some(b':') {
            return Err(self.expected("a colon", at));
        }
        Ok((name, escaped, self.past_space(at + 1)))
    }

    fn array(&mut self, start: usize, levels: usize) -> Scanned<usize> {
        let inner = levels.checked_sub(1).ok_or_else(|| self.stop(Fault::Deep))?;
        let mut at = self.past_space(start + 1);
        if self.peek(at) == Some(b']') {
            return Ok(at + 1);
        }
        loop {
            let (_, end) = self.value(at, inner)?;
            at = self.past_space(end);
            match self.peek(at) {
                Some(b',') => at = self.past_space(at + 1),
                Some(b']') => return Ok(at + 1),
                _ => return Err(self.expected("a comma or a closing bracket", at)),
            }
        }
    }

    /// One value of at most so many levels, and where it ends; members of an object inside are taken off the stack.
    #[inline(always)]
    fn value(&mut self, start: usize, levels: usize) -> Scanned<(Found, usize)> {
        match self.peek(start) {
            Some(b'"') => {
                let (end, escapes) = self.string(start + 1)?;
                Ok((Found { kind: Kind::String, escapes, span: Span::new(start + 1, end) }, end + 1))
            }
            Some(b'-' | b'0'..=b'9') => {
                let end = self.number(start)?;
                Ok((Found { kind: Kind::Number, escapes: false, span: Span::new(start, end) }, end))
            }
            _ => self.other_value(start, levels),
        }
    }

    #[inline(never)]
    fn other_value(&mut self, start: usize, levels: usize) -> Scanned<(Found, usize)> {
        let (kind, end) = match self.peek(start) {
            Some(b'{') => {
                let base = self.members.len();
                let end = self.object(start, levels)?;
                self.members.truncate(base);
                (Kind::Object, end)
            }
            Some(b'[') => (Kind::Array, self.array(start, levels)?),
            Some(b't') => (Kind::Bool, self.word(start, b"true")?),
            Some(b'f') => (Kind::Bool, self.word(start, b"false")?),
            Some(b'n') => (Kind::Null, self.word(start, b"null")?),
            _ => return Err(self.expected("a value", start)),
        };
        Ok((Found { kind, escapes: false, span: Span::new(start, end) }, end))
    }

    fn word(&mut self, start: usize, word: &[u8]) -> Scanned<usize> {
        if !self.bytes.get(start..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.expected("a value", start));
        }
        Ok(start + word.len())
    }

    #[inline]
    fn digits(&mut self, start: usize) -> Scanned<usize> {
        let at = end_of_digits(self.bytes, start);
        if at == start { Err(self.expected("a digit", at)) } else { Ok(at) }
    }

    #[inline]
    fn number(&mut self, start: usize) -> Scanned<usize> {
        let first = if self.peek(start) == Some(b'-') { start + 1 } else { start };
        let end = if self.peek(first) == Some(b'0') { first + 1 } else { self.digits(first)? };
        // As they are with most.
        if !matches!(self.peek(end), Some(b'.' | b'e' | b'E')) && end - first <= 300 {
            return Ok(end);
        }
        self.rest_of_number(start, end, end - first > 300)
    }

    #[inline(never)]
    fn rest_of_number(&mut self, start: usize, mut at: usize, mut long: bool) -> Scanned<usize> {
        if self.peek(at) == Some(b'.') {
            at = self.digits(at + 1)?;
        }
        if matches!(self.peek(at), Some(b'e' | b'E')) {
            at += 1;
            if matches!(self.peek(at), Some(b'+' | b'-')) {
                at += 1;
            }
            at = self.digits(at)?;
            long = true;
        }
        // What is too large for a double reads as infinite by some and is refused by others.
        let finite = || Span::new(start, at).of(self.text).parse::<f64>().is_ok_and(f64::is_finite);
        if long && !finite() { Err(self.expected("a smaller number", start)) } else { Ok(at) }
    }

    /// From behind the quote of a string on: where the other one stands, and whether there are escapes between them.
    #[inline(always)]
    fn string(&mut self, start: usize) -> Scanned<(usize, bool)> {
        let end = plain_until(self.bytes, start);
        if self.peek(end) == Some(b'"') { Ok((end, false)) } else { Ok((self.rest_of_string(end)?, true)) }
    }

    /// The rest of a string that is not plain, up to its end.
    #[cold]
    #[inline(never)]
    fn rest_of_string(&mut self, mut at: usize) -> Scanned<usize> {
        loop {
            at = match self.peek(at) {
                Some(b'"') => return Ok(at),
                Some(b'\\') => self.escape(at + 1)?,
                Some(_) => return Err(self.expected("an escape in place of a control character", at)),
                None => return Err(self.expected("the end of a string", at)),
            };
            at = plain_until(self.bytes, at);
        }
    }

    fn escape(&mut self, at: usize) -> Scanned<usize> {
        match self.peek(at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 1),
            Some(b'u') => {
                let (unit, end) = self.unit(at + 1)?;
                match unit {
                    0xdc00..0xe000 => Err(self.expected("no lone surrogate", end)),
                    0xd800..0xdc00 => self.second_half(end),
                    _ => Ok(end),
                }
            }
            _ => Err(self.expected("an escape", at)),
        }
    }

    fn second_half(&mut self, at: usize) -> Scanned<usize> {
        if self.bytes.get(at..at + 2) == Some(b"\\u")
            && let (0xdc00..0xe000, end) = self.unit(at + 2)?
        {
            return Ok(end);
        }
        Err(self.expected("the second half of a surrogate pair", at))
    }

    /// `XXXX`
    fn unit(&mut self, at: usize) -> Scanned<(u32, usize)> {
        let digits = self.bytes.get(at..at + 4).filter(|four| four.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.expected("four hexadecimal digits", at)) };
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0);
        Ok((digits.iter().fold(0, |sum, digit| (sum << 4) | value(*digit)), at + 4))
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Cow<'t, str>, Found) -> bool) -> Scanned<()> {
        let (is_object, close) = match self.peek(0) {
            Some(b'{') => (true, b'}'),
            Some(b'[') => (false, b']'),
            _ => return Ok(()),
        };
        let mut at = self.past_space(1);
        while self.peek(at) != Some(close) {
            let mut name = Cow::Borrowed("");
            if is_object {
                let (span, _, begun) = self.member_name(at)?;
                (name, at) = (unescape(span.of(self.text)), begun);
            }
            let (found, end) = self.value(at, DEPTH)?;
            if !visit(name, found) {
                return Ok(());
            }
            at = self.past_space(end);
            if self.peek(at) == Some(b',') {
                at = self.past_space(at + 1);
            }
        }
        Ok(())
    }
}

/// A name that two of the members share.
fn twice(text: &str, members: &[Member]) -> Option<Span> {
    if members.len() >= MANY {
        return twice_of_many(text, members);
    }
    members.iter().enumerate().find_map(|(index, member)| {
        let same = |other: &&Member| match (member.escaped, other.escaped) {
            (false, false) => other.tag == member.tag && other.name.of(text) == member.name.of(text),
            _ => other.name(text) == member.name(text),
        };
        members.get(..index)?.iter().find(same).map(|_| member.name)
    })
}

fn twice_of_many(text: &str, members: &[Member]) -> Option<Span> {
    let mut names: Vec<(u32, Cow<'_, str>, Span)> = members
        .iter()
        .map(|member| {
            let name = member.name(text);
            (tag(name.as_bytes()), name, member.name)
        })
        .collect();
    names.sort_unstable_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    names.windows(2).find_map(|pair| match pair {
        [a, b] if a.0 == b.0 && a.1 == b.1 => Some(b.2),
        _ => None,
    })
}
