//! The readings that servers make of one raw path: which bytes are slashes, what is dropped, what is resolved.
//! Enumerates them as lists of segments; knows nothing of routes.
//!
//! A path with nothing odd in it has one reading, found by one scan. Otherwise only those choices are tried for which
//! the path has something, at most 120 lists of segments, each made in time linear in the path.

use smallvec::SmallVec;

use super::trie;
use crate::ffi::os::plain;
use crate::policy::model::PathRules;

/// Segments of a path in one reading, without a trailing empty one.
pub(super) type Segments<'a> = SmallVec<[&'a [u8]; 16]>;

/// Is shown a reading, whether the path holds a letter A-Z, and the segments.
pub(super) type Visit<'v, E> = dyn FnMut(Reading, bool, &[&[u8]]) -> Result<(), E> + 'v;

/// What happens to `;…` in a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Parameters {
    /// It is data.
    #[default]
    Kept,
    /// Dropped from each segment, raw or encoded.
    Dropped,
    /// Dropped up to the next raw slash before anything is decoded, so that an encoded semicolon is data and an
    /// encoded slash inside is gone (Tomcat that decodes `%2F`).
    DroppedRaw,
}

/// What happens to `//`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Empty {
    /// An empty segment is a segment.
    #[default]
    Kept,
    /// Merged, before dot segments (nginx, Go).
    Merged,
    /// Merged after dot segments were resolved (Envoy).
    MergedLast,
}

/// One way to read a path; the default is the plain one. The folding of letters is added by the router.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub twice: bool,
    pub slash: bool,
    pub backslash: bool,
    pub parameters: Parameters,
    pub empty: Empty,
    pub resolved: bool,
    pub folded: bool,
}

/// A path that no rule may let in, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused(pub &'static str);

/// Stands for a separator while a path is decoded; cannot be data, because control bytes are refused.
const SEPARATOR: u8 = 0;

const BAD: u8 = 1;
const ODD: u8 = 2;
/// With the bit of a dot, so that one `&` shows what stands behind a slash.
const SLASH: u8 = 4 | DOT;
const DOT: u8 = 8;
const UPPER: u8 = 16;
const HIGH: u8 = 32;
/// `//` was seen.
const EMPTY: u8 = 64;
/// `/.` was seen.
const MAYBE_DOTS: u8 = 128;

const CLASS: [u8; 256] = classes();

/// A path that all servers read in the same way, the folding of letters included: nothing in it is encoded, dropped,
/// merged, resolved, or a letter A-Z. `None` says nothing: [`each`] has the word.
#[inline]
pub(super) fn plain(path: &[u8]) -> Option<Plain<'_>> {
    // Two slashes or dots side by side, in whatever order, are left to others.
    let is_plain = path.first() == Some(&b'/') && plain::is_path(path);
    is_plain.then_some(Plain(path))
}

/// See [`plain`]. Its segments are as [`each`] shows them, without a trailing empty one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain<'p>(&'p [u8]);

impl trie::Segments for Plain<'_> {
    type At = usize;
    /// Behind the first slash.
    const BEGIN: usize = 1;

    #[inline]
    fn segment(&self, at: usize) -> Option<(&[u8], usize)> {
        let rest = self.0.get(at..).filter(|rest| !rest.is_empty())?;
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        Some((rest.get(..end)?, at + end + 1))
    }
}

/// Calls `visit` with each reading that the rules leave, the plain one first. Stops where `visit` says so. What no
/// server should be handed is an error under any rules, also in readings that the rules drop.
pub(super) fn each<E: From<Refused>>(path: &[u8], rules: PathRules, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let seen = scan(path)?;
    let inside = path.get(1..).unwrap_or_default();
    if seen & (ODD | EMPTY) == 0 {
        let mut segments: Segments = inside.split(|b| *b == b'/').collect();
        if seen & MAYBE_DOTS == 0 || !segments.iter().any(|s| is_dots(s)) {
            drop_trailing(&mut segments);
            return visit(Reading::default(), seen & UPPER != 0, &segments);
        }
    }
    each_odd(inside, rules, visit)
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        #[allow(clippy::indexing_slicing)] // evaluated when this is compiled
        {
            table[byte] = match byte as u8 {
                0..=b' ' | 0x7F | b'#' | b'?' | b'\\' => BAD,
                b'%' | b';' => ODD,
                b'/' => SLASH,
                b'.' => DOT,
                b'A'..=b'Z' => UPPER,
                0x80..=0xFF => HIGH,
                _ => 0,
            };
        }
        byte += 1;
    }
    table
}

/// One pass over the raw path: what it holds, or why it is refused.
fn scan(path: &[u8]) -> Result<u8, Refused> {
    if path.first() != Some(&b'/') {
        return Err(Refused("the path does not begin with a slash"));
    }
    if path.get(1) == Some(&b'/') {
        return Err(Refused("the path begins with two slashes, which some servers read as a host"));
    }
    let (mut seen, mut previous) = (0, 0);
    for byte in path {
        let class = CLASS.get(usize::from(*byte)).copied().unwrap_or(BAD);
        seen |= class;
        if previous == SLASH && class & (SLASH | DOT) != 0 {
            seen |= if class == SLASH { EMPTY } else { MAYBE_DOTS };
        }
        previous = class;
    }
    if seen & BAD != 0 {
        return Err(Refused("the path holds a raw space, control byte, \"#\", \"?\" or backslash"));
    }
    if seen & HIGH != 0 && std::str::from_utf8(path).is_err() {
        return Err(Refused("the path is not UTF-8"));
    }
    Ok(seen)
}

/// What a decoding came across.
#[derive(Clone, Copy, Debug, Default)]
struct Saw {
    slash: bool,
    backslash: bool,
    anything: bool,
}

fn each_odd<E: From<Refused>>(inside: &[u8], rules: PathRules, visit: &mut Visit<'_, E>) -> Result<(), E> {
    let (mut once, mut again) = (Vec::with_capacity(inside.len()), Vec::new());
    let plain = Reading::default();
    let first = decode_first(inside, plain, &mut once)?;
    require_utf8(&once)?;
    let second = decode_second(&once, plain, &mut again)?;
    require_utf8(&again)?;
    let upper = once.iter().chain(&again).any(u8::is_ascii_uppercase);
    // Without an encoding, dropping before the decoding is the same as after it.
    let raw = first.anything && inside.contains(&b';');

    for twice in options(second.anything) {
        for slash in options(first.slash || twice && second.slash) {
            for backslash in options(first.backslash || twice && second.backslash) {
                for raw in options(raw) {
                    let parameters = if raw { Parameters::DroppedRaw } else { Parameters::Kept };
                    let reading = Reading { twice, slash, backslash, parameters, ..plain };
                    decode_first(inside, reading, &mut once)?;
                    if twice {
                        decode_second(&once, reading, &mut again)?;
                    }
                    each_structure(if twice { &again } else { &once }, reading, rules, upper, visit)?;
                }
            }
        }
    }
    Ok(())
}

/// The choices that work on segments: parameters, empty segments, dot segments.
fn each_structure<E: From<Refused>>(
    decoded: &[u8],
    reading: Reading,
    rules: PathRules,
    upper: bool,
    visit: &mut Visit<'_, E>,
) -> Result<(), E> {
    let segments: Segments = decoded.split(|b| *b == SEPARATOR).collect();
    each_shape(segments.clone(), reading, rules, upper, visit)?;
    if reading.parameters != Parameters::Kept || !decoded.contains(&b';') {
        return Ok(());
    }
    let bare = segments.iter().map(|s| s.split(|b| *b == b';').next().unwrap_or_default()).collect();
    each_shape(bare, Reading { parameters: Parameters::Dropped, ..reading }, rules, upper, visit)
}

fn each_shape<E: From<Refused>>(
    segments: Segments<'_>,
    reading: Reading,
    rules: PathRules,
    upper: bool,
    visit: &mut Visit<'_, E>,
) -> Result<(), E> {
    let mut show = |reading: Reading, mut segments: Segments<'_>| {
        drop_trailing(&mut segments);
        if is_made(reading, rules) { visit(reading, upper, &segments) } else { Ok(()) }
    };
    let dots = segments.iter().any(|s| is_dots(s));
    let gaps = has_gaps(&segments);
    if dots {
        // Where dot segments are always resolved, a path without any reads the same as resolved.
        if !rules.resolve_dot_segments {
            show(reading, segments.clone())?;
        }
        let resolved = resolve(&segments)?;
        let merged_last = (gaps && has_gaps(&resolved)).then(|| merge(&resolved));
        show(Reading { resolved: true, ..reading }, resolved)?;
        if let Some(merged) = merged_last {
            show(Reading { resolved: true, empty: Empty::MergedLast, ..reading }, merged)?;
        }
    } else {
        show(reading, segments.clone())?;
    }
    if gaps {
        let merged = merge(&segments);
        let reading = Reading { empty: Empty::Merged, ..reading };
        if dots {
            let resolved = resolve(&merged)?;
            show(Reading { resolved: true, ..reading }, resolved)?;
        }
        if !(dots && rules.resolve_dot_segments) {
            show(reading, merged)?;
        }
    }
    Ok(())
}

/// The rules leave this reading. Dot segments are the caller's to look at: what counts is whether there are any.
fn is_made(reading: Reading, rules: PathRules) -> bool {
    !(reading.twice && rules.decode_once
        || reading.slash && rules.separate_encoded_slash
        || reading.backslash && rules.separate_encoded_backslash
        || reading.parameters != Parameters::Kept && rules.keep_parameters
        || reading.empty != Empty::Kept && rules.keep_empty_segments)
}

fn decode_first(raw: &[u8], reading: Reading, out: &mut Vec<u8>) -> Result<Saw, Refused> {
    out.clear();
    let mut saw = Saw::default();
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'/' => out.push(SEPARATOR),
            b';' if reading.parameters == Parameters::DroppedRaw => {
                let end = after.iter().position(|b| *b == b'/').unwrap_or(after.len());
                rest = after.get(end..).unwrap_or_default();
            }
            b'%' => {
                let Some(byte) = triplet(after) else {
                    return Err(Refused("the path holds a \"%\" without two hexadecimal digits"));
                };
                rest = after.get(2..).unwrap_or_default();
                put(byte, reading, &mut saw, out)?;
            }
            _ => out.push(*first),
        }
    }
    Ok(saw)
}

fn decode_second(once: &[u8], reading: Reading, out: &mut Vec<u8>) -> Result<Saw, Refused> {
    out.clear();
    let mut saw = Saw::default();
    let mut rest = once;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match triplet(after).filter(|_| *first == b'%') {
            Some(byte) => {
                rest = after.get(2..).unwrap_or_default();
                put(byte, reading, &mut saw, out)?;
            }
            None => out.push(*first),
        }
    }
    Ok(saw)
}

fn put(byte: u8, reading: Reading, saw: &mut Saw, out: &mut Vec<u8>) -> Result<(), Refused> {
    saw.anything = true;
    if byte < b' ' || byte == 0x7F {
        return Err(Refused("the path holds an encoded control byte"));
    }
    saw.slash |= byte == b'/';
    saw.backslash |= byte == b'\\';
    let separates = byte == b'/' && reading.slash || byte == b'\\' && reading.backslash;
    out.push(if separates { SEPARATOR } else { byte });
    Ok(())
}

fn triplet(digits: &[u8]) -> Option<u8> {
    Some(hex(*digits.first()?)? << 4 | hex(*digits.get(1)?)?)
}

fn require_utf8(decoded: &[u8]) -> Result<(), Refused> {
    match std::str::from_utf8(decoded) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refused("the decoded path is not UTF-8")),
    }
}

/// RFC 3986 section 5.2.4, but `..` above the root is refused where the RFC ignores it.
fn resolve<'a>(segments: &[&'a [u8]]) -> Result<Segments<'a>, Refused> {
    let mut out = Segments::new();
    for segment in segments {
        match *segment {
            b"." => {}
            b".." => {
                if out.pop().is_none() {
                    return Err(Refused("\"..\" leads above the root"));
                }
            }
            _ => out.push(segment),
        }
    }
    // "/a/." and "/a/b/.." end in a slash.
    if segments.last().is_some_and(|last| is_dots(last)) {
        out.push(b"");
    }
    Ok(out)
}

/// Drops empty segments but the last, which is a trailing slash.
fn merge<'a>(segments: &[&'a [u8]]) -> Segments<'a> {
    let last = segments.len().saturating_sub(1);
    segments.iter().enumerate().filter(|(i, s)| *i == last || !s.is_empty()).map(|(_, s)| *s).collect()
}

fn has_gaps(segments: &[&[u8]]) -> bool {
    segments.split_last().is_some_and(|(_, others)| others.iter().any(|s| s.is_empty()))
}

fn drop_trailing(segments: &mut Segments<'_>) {
    if segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
}

fn is_dots(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

fn options(second: bool) -> impl Iterator<Item = bool> {
    [Some(false), second.then_some(true)].into_iter().flatten()
}

impl std::fmt::Display for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.twice { "decoded twice" } else { "decoded once" })?;
        let parts = [
            (self.slash, "%2F as a slash"),
            (self.backslash, "%5C as a slash"),
            (self.parameters == Parameters::Dropped, "parameters dropped"),
            (self.parameters == Parameters::DroppedRaw, "parameters dropped before decoding"),
            (self.empty == Empty::Merged, "\"//\" merged"),
            (self.resolved, "dot segments resolved"),
            (self.empty == Empty::MergedLast, "then \"//\" merged"),
            (self.folded, "without case"),
        ];
        parts.iter().filter(|(made, _)| *made).try_for_each(|(_, words)| write!(f, ", {words}"))
    }
}
