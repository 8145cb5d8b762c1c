//! Where in a scanned text the members of an object stand.

use std::borrow::Cow;

use smallvec::SmallVec;

use super::escape::unescape;
use super::tag::{is_exact, tag};

/// What a value is.
#[allow(missing_docs, reason = "the names are those of JSON")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Null,
    Bool,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    /// For messages.
    pub const fn article(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Bool => "a boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// A part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    start: u16,
    end: u16,
}

impl Span {
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Span {
        // No position lies beyond LONGEST.
        Span { start: start as u16, end: end as u16 }
    }

    /// Where a part of the text lies in it.
    pub(super) fn locate(text: &str, part: &str) -> Span {
        let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        Span::new(start, start + part.len())
    }

    /// The octets of the part.
    #[inline]
    pub(super) fn within(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start.into()..self.end.into()).unwrap_or_default()
    }

    /// The part itself; empty where the text is another one.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start.into()..self.end.into()).unwrap_or_default()
    }
}

/// One member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name between its quotes, as it is written.
    pub(super) name: Span,
    /// The value; of a string what lies between the quotes.
    pub(super) value: Span,
    /// Equal for equal names; 0 for those with escapes.
    pub(super) tag: u32,
    pub(super) kind: Kind,
    /// The name is written with escapes.
    pub(super) escaped: bool,
    /// The value is a string with escapes.
    pub(super) escapes: bool,
}

/// What a value is, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: Kind,
    /// A string with escapes.
    pub escapes: bool,
    /// Of a string what lies between the quotes.
    pub span: Span,
}

impl Member {
    /// The name is this one, once its escapes are read.
    #[inline]
    pub fn is(&self, text: &str, name: &str) -> bool {
        self.has(text, name, tag(name.as_bytes()))
    }

    /// The same, where the name's tag is known.
    #[inline]
    pub(super) fn has(&self, text: &str, name: &str, tag: u32) -> bool {
        if self.escaped {
            return unescape(self.name.of(text)) == name;
        }
        self.tag == tag && (is_exact(tag) || self.name.within(text.as_bytes()) == name.as_bytes())
    }

    /// The tag of the name, its escapes read.
    #[inline]
    pub fn tag(&self, text: &str) -> u32 {
        if self.escaped { tag(self.name(text).as_bytes()) } else { self.tag }
    }

    /// The name, its escapes read.
    pub fn name<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let written = self.name.of(text);
        if self.escaped { unescape(written) } else { Cow::Borrowed(written) }
    }

    /// What the value is, and where.
    #[inline]
    pub fn value(&self) -> Found {
        Found { kind: self.kind, escapes: self.escapes, span: self.value }
    }
}

/// Members in their order; those of usual tokens fit without allocation.
pub type Members = SmallVec<[Member; 20]>;
