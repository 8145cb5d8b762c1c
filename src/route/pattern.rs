//! Reads the path pattern of a route, as `/orders/{id}` or `/admin/{*rest}`, into segments. Says why one cannot be
//! read; knows nothing of requests.

/// One segment of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// Exactly these bytes, percent-decoded once.
    Literal(Vec<u8>),
    /// `{name}`: one segment that is not empty.
    Name,
    /// `{*rest}`: zero or more segments; only at the end.
    Rest,
}

/// A pattern that cannot be read: what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// One sentence for the operator.
    pub explanation: String,
}

/// Reads a pattern. One trailing slash makes no difference.
pub fn parse(pattern: &str) -> Result<Vec<Segment>, PatternError> {
    let Some(inside) = pattern.strip_prefix('/') else {
        return Err(error("a path begins with a slash: write \"/", pattern, "\""));
    };
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    let mut segments = Vec::new();
    if inside.is_empty() {
        return if pattern.len() > 1 {
            Err(error("leave out the empty segment in \"", pattern, "\""))
        } else {
            Ok(segments)
        };
    }
    let mut rest = false;
    for text in inside.split('/') {
        if rest {
            return Err(error("\"{*…}\" stands for the rest of the path: nothing may follow it in \"", pattern, "\""));
        }
        let segment = segment(text)?;
        rest = segment == Segment::Rest;
        segments.push(segment);
    }
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment, PatternError> {
    if let Some(name) = text.strip_prefix("{*").and_then(|t| t.strip_suffix('}')) {
        return parameter(name, text).map(|()| Segment::Rest);
    }
    if let Some(name) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        return parameter(name, text).map(|()| Segment::Name);
    }
    if text.contains(['{', '}', '*']) {
        return Err(error(
            "a parameter is a whole segment, as {name} or {*rest}; write other braces and stars percent-encoded: \"",
            text,
            "\"",
        ));
    }
    if text.is_empty() {
        return Err(error("leave out the empty segment", "", ""));
    }
    if text.bytes().any(|b| b <= b' ' || b == 0x7F || matches!(b, b'?' | b'#' | b'\\')) {
        return Err(error(
            "a path holds no space, control character, \"?\", \"#\" or backslash; percent-encode them in \"",
            text,
            "\"",
        ));
    }
    let Some(literal) = decode(text.as_bytes()) else {
        return Err(error(
            "\"%\" stands before two hexadecimal digits; write %25 for a percent sign in \"",
            text,
            "\"",
        ));
    };
    if std::str::from_utf8(&literal).is_err() || literal.iter().any(|b| *b < b' ' || *b == 0x7F) {
        return Err(error(
            "a path decodes to UTF-8 without control characters, or no request can match: \"",
            text,
            "\"",
        ));
    }
    if literal == b"." || literal == b".." {
        return Err(error("leave out the dot segment \"", text, "\": write the path that it leads to"));
    }
    Ok(Segment::Literal(literal))
}

fn parameter(name: &str, text: &str) -> Result<(), PatternError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if !name.is_empty() && name.bytes().all(good) {
        return Ok(());
    }
    Err(error("a parameter's name is made of letters, digits, \"_\" and \"-\": \"", text, "\""))
}

/// Percent-decodes; `None` where a `%` lacks its two digits.
fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            out.push(*first);
            continue;
        }
        let (high, low) = (*after.first()?, *after.get(1)?);
        out.push(super::reading::hex(high)? << 4 | super::reading::hex(low)?);
        rest = after.get(2..)?;
    }
    Some(out)
}

fn error(before: &str, text: &str, after: &str) -> PatternError {
    PatternError { explanation: format!("{before}{text}{after}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.as_bytes().to_vec())
    }

    #[test]
    fn patterns_are_read() {
        for (pattern, wanted) in [
            ("/", vec![]),
            ("/a", vec![literal("a")]),
            ("/a/", vec![literal("a")]),
            ("/orders/{id}", vec![literal("orders"), Segment::Name]),
            ("/admin/{*rest}", vec![literal("admin"), Segment::Rest]),
            ("/admin/{*rest}/", vec![literal("admin"), Segment::Rest]),
            ("/{*all}", vec![Segment::Rest]),
            ("/a%2Fb/%7b/100%25", vec![literal("a/b"), literal("{"), literal("100%")]),
            ("/ä/%C3%A4", vec![literal("ä"), literal("ä")]),
            ("/.well-known/...", vec![literal(".well-known"), literal("...")]),
        ] {
            assert_eq!(parse(pattern).unwrap(), wanted, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_no_request_can_match_or_that_mean_two_things_are_refused() {
        for pattern in [
            "",
            "a",
            "*",
            "//",
            "/a//b",
            "/a//",
            "/{*rest}/b",
            "/{}",
            "/{*}",
            "/a{b}",
            "/{a}b",
            "/{a b}",
            "/a*",
            "/}",
            "/%",
            "/%2",
            "/%zz",
            "/%ff",
            "/%00",
            "/a b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/.",
            "/../a",
            "/%2e%2E",
            "/a\n",
            "/{a/b}",
        ] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
    }
}
