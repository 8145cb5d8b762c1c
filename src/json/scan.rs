//! A strict reader of JSON text that allocates nothing on its way: it checks the grammar of RFC 8259 over the whole
//! text and notes where the members of the outermost object stand. Values are looked at where they lie, when they are
//! asked for.
//!
//! As strict as `object`: bounded nesting, no member twice at any depth in any spelling, no lone surrogate, no number
//! that overflows.

use std::borrow::Cow;

use super::escape::unescape;
pub use super::member::{Found, Kind, Member, Members, Span};
use super::{DEPTH, shown};

/// Octets of a text that is scanned, at most; positions are kept in 16 bits.
pub const LONGEST: usize = u16::MAX as usize;

/// From so many members on their names are sorted to find two that are equal.
const MANY: usize = 24;

/// Scans a text that must be one object, and notes its members. The error says what is wrong, without any value.
pub fn scan(text: &str, members: &mut Members) -> Result<(), String> {
    members.clear();
    if text.len() > LONGEST {
        return Err(format!("it has {} octets; at most {LONGEST} are read", text.len()));
    }
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, members, fault: Fault::Deep };
    scanner.document().map_err(|Stop| scanner.fault.describe(text))
}

/// Calls back with each item of an array or each member of an object that a scan has accepted; stops at `false`.
/// `name` is empty for items of arrays.
pub fn each<'t>(text: &'t str, visit: &mut dyn FnMut(Cow<'t, str>, Found) -> bool) {
    let mut members = Members::new();
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, members: &mut members, fault: Fault::Deep };
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
    at: usize,
    /// A stack: those of the objects that are open.
    members: &'m mut Members,
    /// What is wrong, once it has stopped.
    fault: Fault,
}

impl<'t> Scanner<'t, '_> {
    fn document(&mut self) -> Scanned<()> {
        self.space();
        if self.peek() != Some(b'{') {
            return Err(self.expected("an object"));
        }
        self.object(DEPTH)?;
        self.space();
        if self.at < self.bytes.len() { Err(self.expected("the end")) } else { Ok(()) }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[cold]
    fn stop(&mut self, fault: Fault) -> Stop {
        self.fault = fault;
        Stop
    }

    #[cold]
    fn expected(&mut self, what: &'static str) -> Stop {
        self.stop(Fault::Expected(what, self.at))
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn eat(&mut self, byte: u8, what: &'static str) -> Scanned<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.expected(what))
    }

    /// Leaves the members of the object on the stack; the caller takes off those that it does not want.
    fn object(&mut self, levels: usize) -> Scanned<()> {
        let inner = levels.checked_sub(1).ok_or_else(|| self.stop(Fault::Deep))?;
        let base = self.members.len();
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        // One bit for each name; only where two share a bit are names compared.
        let (mut seen, mut doubtful) = (0_u64, false);
        loop {
            let (name, escaped) = self.member_name()?;
            let Found { kind, escapes, span: value } = self.value(inner)?;
            let tag = if escaped { 0 } else { tag(name.within(self.bytes)) };
            let bit = 1_u64 << (tag.wrapping_mul(0x9E37_79B1) >> 26);
            doubtful |= escaped || (seen & bit != 0 && self.is_doubtful(base, tag));
            seen |= bit;
            self.members.push(Member { name, value, tag, kind, escaped, escapes });
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.expected("a comma or a closing brace")),
            }
            self.space();
        }
        self.at += 1;
        match self.members.get(base..).filter(|_| doubtful).and_then(|own| twice(self.text, own)) {
            Some(name) => Err(self.stop(Fault::Twice(name))),
            None => Ok(()),
        }
    }

    /// A member of the object that begins at `base` may have the name with this tag. Of many members nothing is known.
    fn is_doubtful(&self, base: usize, tag: u32) -> bool {
        let own = self.members.get(base..).unwrap_or_default();
        own.len() >= MANY || own.iter().any(|member| member.tag == tag)
    }

    /// A name and its colon, up to the value.
    fn member_name(&mut self) -> Scanned<(Span, bool)> {
        if self.peek() != Some(b'"') {
            return Err(self.expected("the name of a member"));
        }
        let name = self.string()?;
        self.space();
        self.eat(b':', "a colon")?;
        self.space();
        Ok(name)
    }

    fn array(&mut self, levels: usize) -> Scanned<()> {
        let inner = levels.checked_sub(1).ok_or_else(|| self.stop(Fault::Deep))?;
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(inner)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.expected("a comma or a closing bracket")),
            }
            self.space();
        }
        self.at += 1;
        Ok(())
    }

    /// One value of at most so many levels; members of an object inside are taken off the stack.
    fn value(&mut self, levels: usize) -> Scanned<Found> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => {
                let (span, escapes) = self.string()?;
                return Ok(Found { kind: Kind::String, escapes, span });
            }
            Some(b'{') => {
                let base = self.members.len();
                self.object(levels)?;
                self.members.truncate(base);
                Kind::Object
            }
            Some(b'[') => {
                self.array(levels)?;
                Kind::Array
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Kind::Number
            }
            Some(b't') => self.word(b"true", Kind::Bool)?,
            Some(b'f') => self.word(b"false", Kind::Bool)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => return Err(self.expected("a value")),
        };
        Ok(Found { kind, escapes: false, span: Span::new(start, self.at) })
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Scanned<Kind> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(self.expected("a value"));
        }
        self.at += word.len();
        Ok(kind)
    }

    fn digits(&mut self) -> Scanned<usize> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(self.at - start) }
    }

    fn number(&mut self) -> Scanned<()> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let mut long = false;
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            long = self.digits()? > 300;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
            long = true;
        }
        // What is too large for a double reads as infinite by some and is refused by others.
        let finite = || Span::new(start, self.at).of(self.text).parse::<f64>().is_ok_and(f64::is_finite);
        if long && !finite() { Err(self.stop(Fault::Expected("a smaller number", start))) } else { Ok(()) }
    }

    /// A string with its quotes; what lies between them, and whether there are escapes in it.
    #[inline]
    fn string(&mut self) -> Scanned<(Span, bool)> {
        let start = self.at + 1;
        self.at = plain_until(self.bytes, start);
        let escaped = self.peek() != Some(b'"');
        if escaped {
            self.rest_of_string()?;
        }
        let span = Span::new(start, self.at);
        self.at += 1;
        Ok((span, escaped))
    }

    /// The rest of a string that is not plain, up to its end.
    #[cold]
    fn rest_of_string(&mut self) -> Scanned<()> {
        loop {
            match self.peek() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(self.expected("an escape in place of a control character")),
                None => return Err(self.expected("the end of a string")),
            }
            self.at = plain_until(self.bytes, self.at);
        }
    }

    fn escape(&mut self) -> Scanned<()> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let unit = self.unit()?;
                if (0xdc00..0xe000).contains(&unit) {
                    return Err(self.expected("no lone surrogate"));
                }
                if (0xd800..0xdc00).contains(&unit) {
                    self.eat(b'\\', "the second half of a surrogate pair")?;
                    if self.peek() != Some(b'u') || !(0xdc00..0xe000).contains(&self.unit()?) {
                        return Err(self.expected("the second half of a surrogate pair"));
                    }
                }
            }
            _ => return Err(self.expected("an escape")),
        }
        Ok(())
    }

    /// `uXXXX`
    fn unit(&mut self) -> Scanned<u32> {
        self.at += 1;
        let digits = self.bytes.get(self.at..self.at + 4).filter(|four| four.iter().all(u8::is_ascii_hexdigit));
        let Some(digits) = digits else { return Err(self.expected("four hexadecimal digits")) };
        self.at += 4;
        let value = |digit: u8| char::from(digit).to_digit(16).unwrap_or(0);
        Ok(digits.iter().fold(0, |sum, digit| (sum << 4) | value(*digit)))
    }

    fn walk(&mut self, visit: &mut dyn FnMut(Cow<'t, str>, Found) -> bool) -> Scanned<()> {
        let (is_object, end) = match self.peek() {
            Some(b'{') => (true, b'}'),
            Some(b'[') => (false, b']'),
            _ => return Ok(()),
        };
        self.at += 1;
        self.space();
        while self.peek() != Some(end) {
            let name = if is_object { unescape(self.member_name()?.0.of(self.text)) } else { Cow::Borrowed("") };
            if !visit(name, self.value(DEPTH)?) {
                return Ok(());
            }
            self.space();
            if self.peek() == Some(b',') {
                self.at += 1;
                self.space();
            }
        }
        Ok(())
    }
}

/// Where the next quote, backslash or control character stands, from `at` on; eight octets at a time.
#[inline]
fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    // Less than the octet that is looked for, seen from it: the lowest top bit that is set is right, those above it may
    // be set by a borrow.
    let below = |word: u64, octet: u8| word.wrapping_sub(ONES * u64::from(octet));
    let (chunks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for chunk in chunks {
        let word = u64::from_le_bytes(*chunk);
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        // Neither quote nor backslash has a top bit, so that one look at those of the word is enough.
        let found = (quote | backslash | below(word, 0x20)) & !word & TOPS;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        at += 1;
    }
    at
}

/// A number that differs for most names that differ.
#[inline]
fn tag(bytes: &[u8]) -> u32 {
    let word = |chunk: Option<&[u8; 4]>| chunk.map(|chunk| u32::from_le_bytes(*chunk));
    let ends = match (word(bytes.first_chunk()), word(bytes.last_chunk())) {
        (Some(first), Some(last)) => first ^ last.rotate_left(13),
        _ => bytes.iter().fold(0u32, |sum, byte| (sum << 8) | u32::from(*byte)),
    };
    (ends ^ ((bytes.len() as u32) << 24)) | 1
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
