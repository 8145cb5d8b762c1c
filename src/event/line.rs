//! Puts one line together. A value cannot end the line, the string or the member that it stands in: letters and digits
//! and visible ASCII stand for themselves, everything else is escaped, bytes that are no UTF-8 are shown as `\xNN`, and
//! what is too long is cut, with a mark that says how much is missing.

use std::fmt::Write;

use super::table::{Kind, Member, Shape};
use super::time::rfc3339;
use super::{Severity, table};

/// Room for the mark behind what was cut: `…(+18446744073709551615)`.
const MARK: usize = 30;

/// A line that is being written.
#[derive(Clone, Debug)]
pub struct Line {
    text: String,
    kind: Kind,
}

impl Line {
    /// Begins a line: the time in Unix milliseconds, the policy's name, and the process.
    pub fn new(kind: Kind, severity: Severity, at: i64, engine: &str, pid: u32) -> Line {
        let mut line = Line { text: String::with_capacity(512), kind };
        line.text.push('{');
        line.time(Member::Time, at);
        line.text(Member::Event, kind.name());
        line.text(Member::Severity, severity.name());
        line.text(Member::Engine, engine);
        line.number(Member::Pid, u64::from(pid));
        line
    }

    /// A text, cut to the member's length.
    pub fn text(&mut self, member: Member, value: &str) -> &mut Line {
        self.bytes(member, value.as_bytes())
    }

    /// The same where it is there.
    pub fn maybe(&mut self, member: Member, value: Option<&str>) -> &mut Line {
        match value {
            Some(value) => self.text(member, value),
            None => self,
        }
    }

    /// Bytes from outside, which may be no text.
    pub fn bytes(&mut self, member: Member, value: &[u8]) -> &mut Line {
        if self.begins(member) {
            let most = match member.shape() {
                Shape::Text(most) => most,
                _ => usize::MAX,
            };
            quote(&mut self.text, value, most);
        }
        self
    }

    /// Several texts; nothing where there are none.
    pub fn texts<'t>(&mut self, member: Member, values: impl IntoIterator<Item = &'t str>) -> &mut Line {
        let mut values = values.into_iter().peekable();
        if values.peek().is_none() || !self.begins(member) {
            return self;
        }
        let (count, most) = match member.shape() {
            Shape::Texts(count, most) => (count, most),
            _ => (usize::MAX, usize::MAX),
        };
        self.text.push('[');
        for (index, value) in values.take(count).enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            quote(&mut self.text, value.as_bytes(), most);
        }
        self.text.push(']');
        self
    }

    /// A number.
    pub fn number(&mut self, member: Member, value: u64) -> &mut Line {
        if self.begins(member) {
            let _ = write!(self.text, "{value}");
        }
        self
    }

    /// `true`, or nothing.
    pub fn flag(&mut self, member: Member, value: bool) -> &mut Line {
        if value && self.begins(member) {
            self.text.push_str("true");
        }
        self
    }

    /// A time in Unix milliseconds.
    pub fn time(&mut self, member: Member, at: i64) -> &mut Line {
        if self.begins(member) {
            let _ = write!(self.text, "\"{}\"", rfc3339(at));
        }
        self
    }

    /// The finished line, without a line break.
    pub fn finish(mut self) -> String {
        self.text.push('}');
        self.text
    }

    /// Writes a member's name. What the table does not allow in this kind of line is left out: in tests it is a fault.
    fn begins(&mut self, member: Member) -> bool {
        let allowed = self.kind.holds(member) && !table::CHAIN.contains(&member);
        debug_assert!(allowed, "{} has no member {}", self.kind.name(), member.name());
        if allowed {
            if self.text.len() > 1 {
                self.text.push(',');
            }
            let _ = write!(self.text, "\"{}\":", member.name());
        }
        allowed
    }
}

/// A JSON string of at most `most` characters between its quotes.
fn quote(out: &mut String, value: &[u8], most: usize) {
    out.push('"');
    let mut limit = Limit { start: out.len(), most, cut: out.len(), before: 0, done: 0 };
    'all: for chunk in value.utf8_chunks() {
        for c in chunk.valid().chars() {
            letter(out, c);
            if limit.is_passed(out, c.len_utf8(), value) {
                break 'all;
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\\\x{byte:02x}");
            if limit.is_passed(out, 1, value) {
                break 'all;
            }
        }
    }
    out.push('"');
}

/// How much of a value is written, and where it would have to be cut, should it turn out to be too long.
struct Limit {
    start: usize,
    most: usize,
    cut: usize,
    /// Bytes of the value before the cut, and written so far.
    before: usize,
    done: usize,
}

impl Limit {
    /// Counts a piece of the value that was written; one too many is taken back, and the rest of the value counted.
    fn is_passed(&mut self, out: &mut String, length: usize, value: &[u8]) -> bool {
        self.done = self.done.saturating_add(length);
        let written = out.len().saturating_sub(self.start);
        if written <= self.most.saturating_sub(MARK) {
            (self.cut, self.before) = (out.len(), self.done);
        }
        if written > self.most {
            out.truncate(self.cut);
            let _ = write!(out, "…(+{})", value.len().saturating_sub(self.before));
        }
        written > self.most
    }
}

fn letter(out: &mut String, c: char) {
    match c {
        '"' | '\\' => {
            out.push('\\');
            out.push(c);
        }
        _ if c == ' ' || c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric()) || c == '…' => out.push(c),
        _ => {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn quoted(value: &[u8], most: usize) -> String {
        let mut out = String::new();
        quote(&mut out, value, most);
        out
    }

    #[test]
    fn what_could_forge_a_line_is_escaped() {
        for (value, wanted) in [
            ("a\nb", r#""a\u000ab""#),
            ("a\r\n{\"event\":\"decision\"}", r#""a\u000d\u000a{\"event\":\"decision\"}""#),
            ("\u{2028}\u{2029}\u{85}\u{7f}\u{0}", r#""\u2028\u2029\u0085\u007f\u0000""#),
            ("\u{202e}\u{200f}\u{2066}\u{feff}", r#""\u202e\u200f\u2066\ufeff""#),
            ("\u{1b}[2Jx", r#""\u001b[2Jx""#),
            ("Zoë 名 \u{1f600}", r#""Zoë 名 \ud83d\ude00""#),
            (r"\u0022", r#""\\u0022""#),
        ] {
            assert_eq!(quoted(value.as_bytes(), 1000), wanted);
            let read: Value = serde_json::from_str(wanted).unwrap();
            assert_eq!(read.as_str().unwrap(), value);
        }
        assert_eq!(quoted(b"\xff\xc3(", 1000), r#""\\xff\\xc3(""#);
    }

    #[test]
    fn what_is_too_long_is_cut_between_characters_with_a_mark() {
        assert_eq!(quoted(&[b'a'; 40], 40), format!("\"{}\"", "a".repeat(40)));
        assert_eq!(quoted(&[b'a'; 41], 40), format!("\"{}…(+31)\"", "a".repeat(10)));
        assert_eq!(quoted("\n".repeat(20).as_bytes(), 48), format!("\"{}…(+17)\"", r"\u000a".repeat(3)));
    }

    proptest! {
        #[test]
        fn any_bytes_make_one_member_of_one_line_within_its_length(
            value in proptest::collection::vec(any::<u8>(), 0..400),
            subject in "\\PC{0,300}|[\\x00-\\x20\"\\\\\u{2028}\u{85}]{0,300}",
        ) {
            let mut line = Line::new(Kind::Decision, Severity::Notice, 0, "Orders", 7);
            line.bytes(Member::Method, &value).text(Member::Subject, &subject).number(Member::Status, 401);
            let text = line.finish();
            let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
            prop_assert!(!text.contains(breaks), "{}", text);
            let read: Value = serde_json::from_str(&text).unwrap();
            let members = read.as_object().unwrap();
            prop_assert_eq!(members.len(), 8);
            prop_assert_eq!(&members["status"], 401);
            let method = text.split("\"method\":\"").nth(1).unwrap().split("\",\"subject\"").next().unwrap();
            prop_assert!(method.len() <= 32, "{}", method);
            let kept = members["subject"].as_str().unwrap();
            prop_assert!(kept == subject || kept.contains("…(+"));
        }
    }
}
