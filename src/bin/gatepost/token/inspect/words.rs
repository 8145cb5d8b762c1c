//! Times and values as people read them.

use gatepost::json::{Kind, Raw};

use crate::output::visible;
use crate::when;

/// Claims whose value is a time.
const TIMES: [&str; 5] = ["exp", "nbf", "iat", "auth_time", "updated_at"];

/// The last second that is a NumericDate here.
const LAST: f64 = 253_402_300_799.0;

/// The time that a claim holds: Unix seconds, rounded down.
pub fn time(name: &str, value: Raw<'_>) -> Option<i64> {
    let seconds = value.number().filter(|seconds| (0.0..=LAST).contains(seconds))?;
    // In range by the line before.
    TIMES.contains(&name).then_some(seconds as i64)
}

/// Like `2026-11-23T12:00:00Z (in 4 minutes)`.
pub fn at(seconds: i64, now: i64) -> String {
    format!("{} ({})", when::write(seconds), relative(seconds, now))
}

/// How far away it is, in the largest unit that fits at least twice, or once exactly.
pub fn relative(seconds: i64, now: i64) -> String {
    let away = seconds.abs_diff(now);
    let units = [(365 * 86_400, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let fits = |(length, _): &&(u64, &str)| away >= 2 * length || away == *length;
    let Some((length, unit)) = units.iter().find(fits) else { return "now".to_owned() };
    let count = away / length;
    let length = format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    if seconds < now { format!("{length} ago") } else { format!("in {length}") }
}

/// A value as it was sent, with what could steer a terminal escaped; what is long and holds objects over several
/// lines, the later ones led by `margin`.
pub fn value(value: Raw<'_>, margin: &str) -> String {
    match value.kind() {
        Kind::String => visible(&format!("\"{}\"", value.written())),
        Kind::Array | Kind::Object if value.written().len() > 80 => indent(value.written(), margin),
        _ => compact(value.written()),
    }
}

/// JSON with each member of an object on a line of its own, two blanks a level; also what is no JSON comes out in some
/// way.
pub fn indent(text: &str, margin: &str) -> String {
    let mut out = String::new();
    // Whether what is open is an object, level by level.
    let mut open: Vec<bool> = Vec::new();
    let line = |out: &mut String, open: &[bool]| {
        out.push('\n');
        out.push_str(margin);
        // Deeper than anything that is read, it stays where it is.
        let level = open.iter().filter(|object| **object).count();
        out.extend(std::iter::repeat_n("  ", level.min(32)));
    };
    let mut pieces = pieces(text).peekable();
    while let Some((piece, quoted)) = pieces.next() {
        match piece.as_str() {
            "{" | "[" if !quoted => {
                out.push_str(&piece);
                open.push(piece == "{");
                if piece == "{" && pieces.peek().is_none_or(|(next, quoted)| *quoted || next != "}") {
                    line(&mut out, &open);
                }
            }
            "}" | "]" if !quoted => {
                if open.pop() == Some(true) && !out.ends_with('{') {
                    line(&mut out, &open);
                }
                out.push_str(&piece);
            }
            "," if !quoted && open.last() == Some(&true) => {
                out.push(',');
                line(&mut out, &open);
            }
            "," if !quoted => out.push_str(", "),
            ":" if !quoted => out.push_str(": "),
            _ => out.push_str(&piece),
        }
    }
    out
}

fn compact(text: &str) -> String {
    let spaced = |(piece, quoted): (String, bool)| match piece.as_str() {
        "," if !quoted => ", ".to_owned(),
        ":" if !quoted => ": ".to_owned(),
        _ => piece,
    };
    pieces(text).map(spaced).collect()
}

/// The characters of a JSON text, made visible, without the white space between values, and whether they stand in a
/// string.
fn pieces(text: &str) -> impl Iterator<Item = (String, bool)> {
    let (mut quoted, mut escaped) = (false, false);
    text.chars().filter_map(move |c| {
        let inside = quoted;
        match c {
            '"' if !escaped => quoted = !quoted,
            ' ' | '\t' | '\r' | '\n' if !quoted => return None,
            _ => {}
        }
        escaped = quoted && !escaped && c == '\\';
        Some((visible(c.encode_utf8(&mut [0; 4])), inside || quoted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_told_in_the_unit_that_one_would_use() {
        for (away, told) in [
            (0, "now"),
            (1, "in 1 second"),
            (-1, "1 second ago"),
            (90, "in 90 seconds"),
            (240, "in 4 minutes"),
            (-3_600, "1 hour ago"),
            (-5_400, "90 minutes ago"),
            (-7_260, "2 hours ago"),
            (86_400, "in 1 day"),
            (40 * 86_400, "in 40 days"),
            (3 * 365 * 86_400, "in 3 years"),
        ] {
            assert_eq!(relative(1_000_000_000 + away, 1_000_000_000), told, "{away}");
        }
    }

    #[test]
    fn json_is_laid_out_as_it_was_sent() {
        let text = r#"{"a":[1,2 ,{}],"b":{"c":"x, {\"}","n":100000000000000000000001}}"#;
        let told = "{\n  \"a\": [1, 2, {}],\n  \"b\": {\n    \"c\": \"x, {\\\"}\",\n    \
                    \"n\": 100000000000000000000001\n  }\n}";
        assert_eq!(indent(text, ""), told);
        assert_eq!(indent(r#"[{"a":1},{"b":2}]"#, ""), "[{\n  \"a\": 1\n}, {\n  \"b\": 2\n}]");
        assert_eq!(indent("}}]{\"\u{1b}", ""), "}}]{\n  \"\\u{1b}");
        assert_eq!(compact("{\"a\" :[1, 2,\n\"a,b:\"]}"), "{\"a\": [1, 2, \"a,b:\"]}");
    }
}
