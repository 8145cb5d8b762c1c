//! The request-target and the host as received, read once and strictly. What only the readings of a path can show
//! is `route`'s work; no word here about rules or routes.

mod host;
mod uri;

use memchr::memchr;

use crate::ffi::os::plain;

pub use host::{Host, HostError, Name};
pub use uri::HttpUri;

/// A request-target that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target<'a> {
    /// The raw path without the query; `/` where an absolute-form has none, `*` for `OPTIONS *`.
    pub path: &'a [u8],
    /// `OPTIONS *` (RFC 9112 section 3.2.4): about the server, no path and so no route.
    pub asterisk: bool,
}

/// A request-target that servers read in different ways; always 400 `target_ambiguous`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// For the operator.
    pub explanation: &'static str,
}

/// Reads a raw request-target (RFC 9112 section 3.2). `host` is the request's own; an absolute-form must name it. The
/// query never takes part, save that no part of a target may hold `#`, a space or a control byte. Its length is not
/// looked at.
pub fn parse<'a>(method: &str, target: &'a [u8], host: Option<&Host<'_>>) -> Result<Target<'a>, TargetError> {
    // What most requests have.
    let end = memchr(b'?', target).unwrap_or(target.len());
    let (path, query) = target.split_at(end);
    if path.first() == Some(&b'/')
        && path.get(1) != Some(&b'/')
        && plain::is_target(path)
        && (query.is_empty() || plain::is_query(query))
    {
        return Ok(Target { path, asterisk: false });
    }
    examine(method, target, host)
}

fn examine<'a>(method: &str, target: &'a [u8], host: Option<&Host<'_>>) -> Result<Target<'a>, TargetError> {
    if target.is_empty() {
        return refuse("the request-target is empty");
    }
    // What it holds at all, in one pass: most targets hold nothing that is worth another.
    let seen = target.iter().fold(0, |seen, byte| seen | class(*byte));
    if seen & BAD != 0 {
        return refuse("the request-target holds a raw \"#\", space or control byte");
    }
    if target == b"*" {
        return match method {
            "OPTIONS" => Ok(Target { path: target, asterisk: true }),
            _ => refuse("the request-target \"*\" is for OPTIONS only"),
        };
    }
    let path = match target.first() {
        Some(b'/') if seen & QUERY == 0 => target,
        Some(b'/') => without_query(target),
        _ => path_of_absolute(target, host)?,
    };
    if path.starts_with(b"//") {
        return refuse("the path begins with two slashes, which some servers read as a host");
    }
    if seen & BACKSLASH != 0 && path.contains(&b'\\') {
        return refuse("the path holds a raw backslash");
    }
    if seen & PERCENT != 0 && has_bare_percent(path) {
        return refuse("the path holds a \"%\" without two hexadecimal digits");
    }
    Ok(Target { path, asterisk: false })
}

const BAD: u8 = 1;
const QUERY: u8 = 2;
const BACKSLASH: u8 = 4;
const PERCENT: u8 = 8;

fn class(byte: u8) -> u8 {
    const TABLE: [u8; 256] = {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            #[allow(clippy::indexing_slicing, reason = "the loop ends at the table's length")]
            {
                table[byte] = match byte as u8 {
                    0..=b' ' | 0x7F | b'#' => BAD,
                    b'?' => QUERY,
                    b'\\' => BACKSLASH,
                    b'%' => PERCENT,
                    _ => 0,
                };
            }
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or(BAD)
}

/// `http://host/path`: the host must be the request's.
fn path_of_absolute<'a>(target: &'a [u8], host: Option<&Host<'_>>) -> Result<&'a [u8], TargetError> {
    let Some((rest, default_port)) = after_scheme(target) else {
        return refuse("the request-target does not begin with \"/\" and is no http or https URL either");
    };
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(end).unwrap_or((rest, b""));
    if authority.contains(&b'@') {
        return refuse("the request-target holds user information");
    }
    let Ok(named) = Host::parse(authority) else {
        return refuse("the host in the request-target cannot be read");
    };
    let Some(host) = host else {
        return refuse("the request-target names a host and the request has none");
    };
    let port = |host: &Host<'_>| host.port.filter(|port| *port != default_port);
    if named.name != host.name || port(&named) != port(host) {
        return refuse("the request-target names another host than the request");
    }
    let path = without_query(after);
    Ok(if path.is_empty() { b"/" } else { path })
}

/// What follows `http://` or `https://` in any case, and the scheme's port.
fn after_scheme(target: &[u8]) -> Option<(&[u8], u16)> {
    let strip = |prefix: &[u8]| {
        let (scheme, rest) = target.split_at_checked(prefix.len())?;
        scheme.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    strip(b"http://").map(|rest| (rest, 80)).or_else(|| strip(b"https://").map(|rest| (rest, 443)))
}

fn without_query(target: &[u8]) -> &[u8] {
    target.split(|b| *b == b'?').next().unwrap_or_default()
}

fn has_bare_percent(path: &[u8]) -> bool {
    let is_hex = |b: Option<&u8>| b.is_some_and(u8::is_ascii_hexdigit);
    path.split(|b| *b == b'%').skip(1).any(|after| !is_hex(after.first()) || !is_hex(after.get(1)))
}

fn refuse<T>(explanation: &'static str) -> Result<T, TargetError> {
    Err(TargetError { explanation })
}

#[cfg(test)]
mod tests;
