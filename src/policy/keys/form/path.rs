//! Path patterns of routes.

use super::Slip;
use crate::policy::report::quote;

/// What one segment of a pattern is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::policy) enum Segment<'p> {
    Literal(&'p str),
    /// `{name}`
    One(&'p str),
    /// `{*rest}`
    Rest(&'p str),
}

/// The segments of a pattern; a trailing slash is none.
pub(in crate::policy) fn segments(pattern: &str) -> impl Iterator<Item = Segment<'_>> {
    let inside = pattern.strip_prefix('/').unwrap_or(pattern);
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    inside.split('/').filter(|part| !part.is_empty()).map(segment)
}

pub(super) fn check(pattern: &str) -> Result<(), Slip> {
    let slip = |what: &str, help: &str| Err(Slip::new(format!("{} {what}", quote(pattern)), help));
    let Some(inside) = pattern.strip_prefix('/') else {
        return slip("does not start with `/`", "write the path from the root, like \"/orders/{id}\"");
    };
    if let Some(c) =
        pattern.chars().find(|c| matches!(c, ';' | '?' | '#' | '\\') || c.is_control() || c.is_whitespace())
    {
        let help = match c {
            '?' => "the query takes no part in finding a route; leave it out",
            '#' => "a fragment is never sent; leave it out",
            ';' => "parameters of a segment take no part; leave them out",
            '\\' => "write `/` between segments",
            _ => "write a space as `%20`",
        };
        return slip(&format!("holds {}, which no path pattern may", quote(&c.to_string())), help);
    }
    let trimmed = inside.strip_suffix('/').unwrap_or(inside);
    if inside == "/" || (!trimmed.is_empty() && trimmed.split('/').any(str::is_empty)) {
        return slip("has an empty segment", "write one `/` between segments");
    }
    let mut names: Vec<&str> = Vec::new();
    let count = trimmed.split('/').count();
    for (i, part) in trimmed.split('/').enumerate() {
        let name = match segment(part) {
            Segment::Literal(text) => {
                literal(pattern, text)?;
                continue;
            }
            Segment::Rest(name) => {
                if i + 1 < count || inside.ends_with('/') {
                    return slip(
                        "goes on after `{*…}`, which stands for all that is left",
                        "let the pattern end there, or use `{name}` for one segment",
                    );
                }
                name
            }
            Segment::One(name) => name,
        };
        let sound = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !sound {
            return slip(
                &format!("has a parameter named {}", quote(name)),
                "name it with letters, digits and `_`, like `{id}` or `{*rest}`",
            );
        }
        if names.contains(&name) {
            return slip(&format!("has two parameters named `{name}`"), "give each parameter its own name");
        }
        names.push(name);
    }
    Ok(())
}

fn segment(part: &str) -> Segment<'_> {
    match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => name.strip_prefix('*').map_or(Segment::One(name), Segment::Rest),
        None => Segment::Literal(part),
    }
}

fn literal(pattern: &str, part: &str) -> Result<(), Slip> {
    let slip = |what: &str, help: &str| Err(Slip::new(format!("{} {what}", quote(pattern)), help));
    if part.contains(['{', '}']) {
        return slip(
            &format!("mixes text and braces in {}", quote(part)),
            "a parameter is a whole segment, like `/orders/{id}`; write the braces themselves as `%7B` and `%7D`",
        );
    }
    if part.contains('*') {
        return slip(
            &format!("holds a `*` in {}", quote(part)),
            "write `{name}` for one segment, `{*rest}` for all that follows, or the character itself as `%2A`",
        );
    }
    let Some(decoded) = decode(part) else {
        return slip(
            &format!("has a `%` without two hex digits in {}", quote(part)),
            "write the character `%` itself as `%25`",
        );
    };
    if decoded == b"." || decoded == b".." {
        return slip("has a dot segment", "write the path that it resolves to");
    }
    if decoded.iter().any(u8::is_ascii_control) || std::str::from_utf8(&decoded).is_err() {
        return slip(
            &format!("can never match: {} decodes to what no request may carry", quote(part)),
            "write UTF-8 without control characters",
        );
    }
    Ok(())
}

fn decode(part: &str) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(part.len());
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        decoded.push(u8::try_from(high * 16 + low).ok()?);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_patterns_are_taken() {
        for pattern in [
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/orders/{id}",
            "/orders/{id}/",
            "/{*rest}",
            "/a/{*rest}",
            "/{a}/{b}",
            "/a%20b",
            "/caf%C3%A9",
            "/café",
            "/a.b/..c",
            "/:x",
            "/a,b=c@d+e~f",
            "/%7Bx%7D",
        ] {
            assert!(check(pattern).is_ok(), "{pattern}");
        }
    }

    #[test]
    fn slips_are_refused_with_advice() {
        for pattern in [
            "a",
            "*",
            "//",
            "/a//b",
            "//a",
            "/a//",
            "/../a",
            "/a/.",
            "/%2e%2E/a",
            "/a;b",
            "/a?b",
            "/a#b",
            "/a\\b",
            "/a b",
            "/a\tb",
            "/a%",
            "/a%2",
            "/a%zz",
            "/{}",
            "/{*}",
            "/{a-b}",
            "/{1a}",
            "/{a}/{a}",
            "/{a}/{*a}",
            "/{*rest}/a",
            "/{*rest}/",
            "/a{b}",
            "/{a}b",
            "/{a",
            "/a*",
            "/*",
            "/%00",
            "/%0a",
            "/%FF",
            "/{{a}}",
        ] {
            let slip = check(pattern).err();
            assert!(slip.is_some_and(|slip| !slip.help.is_empty()), "{pattern}");
        }
    }

    #[test]
    fn segments_are_told_apart() {
        let list: Vec<_> = segments("/a/{b}/{*c}").collect();
        assert_eq!(list, [Segment::Literal("a"), Segment::One("b"), Segment::Rest("c")]);
        assert_eq!(segments("/").count(), 0);
    }
}
