//! A second router, written as naively as can be: every reading of every server as plain text, every route tried.
//! It shares no code with the first.

use std::collections::BTreeSet;

use crate::policy::model::{PathRules, Route};

/// Separates segments in a reading; data holds no control characters.
const SEP: char = '\0';

/// What a reading leads to: the rule as text, never the route, because equal rules are equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    None,
    NotGranted(Vec<String>),
    Route(String),
}

/// The rule of a route, as text.
pub(super) fn rule(route: &Route) -> String {
    let methods = route.methods.as_ref().map(|list| list.iter().collect::<BTreeSet<_>>());
    let schemes: BTreeSet<_> = route.schemes.iter().collect();
    format!("{:?} {methods:?} {schemes:?} {:?} {}", route.access, route.require, route.preflight)
}

/// All rules that some reading leads to; `None`: the path is refused on any route.
pub(super) fn rules_of(
    routes: &[Route],
    rules: PathRules,
    host: Option<&str>,
    path: &[u8],
    method: &str,
) -> Option<BTreeSet<Rule>> {
    let mut all = BTreeSet::new();
    for (reading, folded) in readings(path, rules)? {
        all.extend(lookup(routes, host, &reading, folded, method));
    }
    Some(all)
}

/// Every reading as text, and whether it is without case.
fn readings(path: &[u8], rules: PathRules) -> Option<Vec<(String, bool)>> {
    let text = std::str::from_utf8(path).ok()?;
    if !text.starts_with('/') || text.starts_with("//") || text.contains(|c: char| c <= ' ' || "\x7f#?\\".contains(c)) {
        return None;
    }
    let mut all = Vec::new();
    for bits in 0..16u8 {
        let [twice, slash, backslash, folded] = [0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1);
        for parameters in ["kept", "dropped", "dropped raw"] {
            let raw = if parameters == "dropped raw" { drop_parameters(text, '/') } else { text.to_owned() };
            let mut read = decode(&raw.replace('/', "\0"), slash, backslash, true)?;
            if twice {
                read = decode(&read, slash, backslash, false)?;
            } else {
                decode(&read, slash, backslash, false)?;
            }
            if parameters == "dropped" {
                read = drop_parameters(&read, SEP);
            }
            if folded {
                read = read.to_ascii_lowercase();
            }
            let dropped = twice && rules.decode_once
                || slash && rules.separate_encoded_slash
                || backslash && rules.separate_encoded_backslash
                || parameters != "kept" && rules.keep_parameters
                || folded && rules.case_sensitive;
            let resolved = resolve(&read)?;
            let merged_resolved = resolve(&merge(&read))?;
            if dropped {
                continue;
            }
            all.push((resolved.clone(), folded));
            if !rules.resolve_dot_segments {
                all.push((read.clone(), folded));
            }
            if !rules.keep_empty_segments {
                all.push((merged_resolved, folded));
                all.push((merge(&resolved), folded));
                if !rules.resolve_dot_segments {
                    all.push((merge(&read), folded));
                }
            }
        }
    }
    Some(all)
}

fn drop_parameters(text: &str, separator: char) -> String {
    let bare = |segment: &str| segment.split(';').next().unwrap().to_owned();
    text.split(separator).map(bare).collect::<Vec<_>>().join(&separator.to_string())
}

/// One pass. `strict`: a percent sign without two digits refuses the path, else it stays.
fn decode(text: &str, slash: bool, backslash: bool, strict: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        match (bytes[at], digits) {
            (b'%', Some(digits)) => {
                let byte = u8::from_str_radix(digits, 16).unwrap();
                if byte < 0x20 || byte == 0x7F {
                    return None;
                }
                let separates = byte == b'/' && slash || byte == b'\\' && backslash;
                out.push(if separates { SEP as u8 } else { byte });
                at += 3;
                continue;
            }
            (b'%', None) if strict => return None,
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).ok()
}

fn merge(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("\0\0") {
        text = text.replace("\0\0", "\0");
    }
    text
}

/// RFC 3986 section 5.2.4, step by step; `None`: above the root.
fn resolve(text: &str) -> Option<String> {
    let (mut input, mut output) = (text.to_owned(), String::new());
    while !input.is_empty() {
        if input.starts_with("\0.\0") || input == "\0." {
            input = format!("\0{}", input.get(3..).unwrap_or_default());
        } else if input.starts_with("\0..\0") || input == "\0.." {
            input = format!("\0{}", input.get(4..).unwrap_or_default());
            output.truncate(output.rfind(SEP)?);
        } else {
            let end = input[1..].find(SEP).map_or(input.len(), |at| at + 1);
            output.push_str(&input[..end]);
            input = input[end..].to_owned();
        }
    }
    Some(output)
}

/// The rules of the most specific patterns that match: several only where patterns differ in case alone.
fn lookup(routes: &[Route], host: Option<&str>, reading: &str, folded: bool, method: &str) -> BTreeSet<Rule> {
    let mut segments: Vec<&str> = reading.split(SEP).skip(1).collect();
    if segments.last() == Some(&"") {
        segments.pop();
    }
    for group in [host, None] {
        let matching: Vec<(Vec<u8>, Vec<String>, &Route)> = routes
            .iter()
            .filter(|route| route.host.as_deref() == group)
            .filter_map(|route| {
                let (rank, shape) = matches(&route.path, &segments, folded)?;
                Some((rank, shape, route))
            })
            .collect();
        let Some(best) = matching.iter().map(|(rank, _, _)| rank).min() else { continue };
        let best: Vec<_> = matching.iter().filter(|(rank, _, _)| rank == best).collect();
        let shapes: BTreeSet<_> = best.iter().map(|(_, shape, _)| shape).collect();
        return shapes
            .into_iter()
            .map(|shape| {
                let same: Vec<&Route> =
                    best.iter().filter(|(_, other, _)| other == shape).map(|(_, _, r)| *r).collect();
                select(&same, method)
            })
            .collect();
    }
    BTreeSet::from([Rule::None])
}

/// How specific the match is, the least first, and the pattern's shape in its own case.
fn matches(pattern: &str, segments: &[&str], folded: bool) -> Option<(Vec<u8>, Vec<String>)> {
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let (mut rank, mut shape) = (Vec::new(), Vec::new());
    for (at, part) in parts.iter().enumerate() {
        if part.starts_with("{*") {
            rank.push(2);
            shape.push("{*}".to_owned());
            return Some((rank, shape));
        }
        let segment = segments.get(at)?;
        if part.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            rank.push(1);
            shape.push("{}".to_owned());
            continue;
        }
        let literal = decode(part, false, false, true).unwrap();
        let equal = if folded { literal.to_ascii_lowercase() == *segment } else { literal == *segment };
        if !equal {
            return None;
        }
        rank.push(0);
        shape.push(format!("={literal}"));
    }
    (parts.len() == segments.len()).then_some((rank, shape))
}

fn select(same: &[&Route], method: &str) -> Rule {
    let lists = |route: &Route, method: &str| route.methods.as_ref().is_none_or(|l| l.iter().any(|m| m == method));
    let by = |method: &str| same.iter().find(|route| lists(route, method)).map(|route| Rule::Route(rule(route)));
    let granted = by(method).or_else(|| if method == "HEAD" { by("GET") } else { None });
    granted.unwrap_or_else(|| {
        let mut rules: Vec<String> = same.iter().map(|route| rule(route)).collect();
        rules.sort();
        Rule::NotGranted(rules)
    })
}
