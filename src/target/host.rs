//! The host of a request in one spelling, so that comparing it is comparing bytes.

use std::borrow::Cow;
use std::net::Ipv6Addr;

use crate::ffi::os::plain;
use crate::request::is_port;

/// A host as `Host` or `:authority` names it (RFC 9110 section 7.2, RFC 3986 section 3.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host<'a> {
    /// In lower case, without a trailing dot, U-labels as A-labels; an IPv6 address in its RFC 5952 spelling within
    /// brackets.
    pub name: Name<'a>,
    /// The port where one is named; an empty one counts as none.
    pub port: Option<u16>,
}

/// The name of a host. ASCII: kept as octets, since few need it as text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name<'a>(Cow<'a, [u8]>);

impl Name<'_> {
    /// It as octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// It as text.
    pub fn as_str(&self) -> &str {
        // All of them are made of ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl AsRef<str> for Name<'_> {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl<'a> From<Cow<'a, str>> for Name<'a> {
    fn from(name: Cow<'a, str>) -> Name<'a> {
        Name(match name {
            Cow::Borrowed(name) => Cow::Borrowed(name.as_bytes()),
            Cow::Owned(name) => Cow::Owned(name.into_bytes()),
        })
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(name: &'a str) -> Name<'a> {
        Name(Cow::Borrowed(name.as_bytes()))
    }
}

/// A host that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError {
    /// For the operator.
    pub explanation: &'static str,
}

impl<'a> Host<'a> {
    /// Reads `name`, `name:port`, `192.0.2.1`, `[2001:db8::1]` and the like. Stricter than RFC 3986: a name holds
    /// letters, digits, `-`, `.`, `_` and `~`, or UTF-8 that IDNA (UTS 46) maps to such; no percent-encoding and none
    /// of the sub-delimiters, which no name in use has and which proxies read in different ways.
    pub fn parse(text: &'a [u8]) -> Result<Host<'a>, HostError> {
        if is_in_one_spelling(text) {
            return Ok(Host { name: Name(Cow::Borrowed(text)), port: None });
        }
        if let Some((name, port)) = in_one_spelling_with_port(text) {
            return Ok(Host { name: Name(Cow::Borrowed(name)), port: Some(port) });
        }
        Host::parse_any(text)
    }

    fn parse_any(text: &'a [u8]) -> Result<Host<'a>, HostError> {
        if text.first() == Some(&b'[') {
            return parse_ipv6(text);
        }
        let mut parts = text.splitn(2, |b| *b == b':');
        let name = parts.next().unwrap_or_default();
        let port = parts.next().map_or(Ok(None), parse_port)?;
        Ok(Host { name: parse_name(name)?.into(), port })
    }

    /// The same, pointing nowhere.
    pub fn into_owned(self) -> Host<'static> {
        Host { name: Name(Cow::Owned(self.name.0.into_owned())), port: self.port }
    }
}

impl std::fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name.as_str())?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// What most requests carry: a name in its one spelling already.
#[inline]
fn is_in_one_spelling(text: &[u8]) -> bool {
    plain::is_host(text) && text.first() != Some(&b'.') && text.last() != Some(&b'.')
}

/// The same with a port behind it, as it is written: two to five digits, the first no zero.
#[inline]
fn in_one_spelling_with_port(text: &[u8]) -> Option<(&[u8], u16)> {
    let colon = text.len().saturating_sub(6);
    let colon = colon + text.get(colon..)?.iter().position(|octet| *octet == b':')?;
    let (name, port) = text.split_at_checked(colon)?;
    let digits = port.get(1..).filter(|digits| digits.len() > 1 && digits.first() != Some(&b'0'))?;
    let number = digits
        .iter()
        .try_fold(0_u32, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))?;
    is_in_one_spelling(name).then_some((name, u16::try_from(number).ok()?))
}

/// Borrowed where only a port stood behind it.
fn parse_name(text: &[u8]) -> Result<Cow<'_, str>, HostError> {
    let mut name = if text.is_ascii() {
        let name = std::str::from_utf8(text).map_err(|_| error("the host is not UTF-8"))?;
        match name.bytes().any(|b| b.is_ascii_uppercase()) {
            true => Cow::Owned(name.to_ascii_lowercase()),
            false => Cow::Borrowed(name),
        }
    } else {
        let mapped = idna::domain_to_ascii_cow(text, idna::AsciiDenyList::URL);
        Cow::Owned(mapped.map_err(|_| error("the host is no valid internationalised name"))?.into_owned())
    };
    match &mut name {
        Cow::Borrowed(name) => *name = name.strip_suffix('.').unwrap_or(name),
        Cow::Owned(name) if name.ends_with('.') => _ = name.pop(),
        Cow::Owned(_) => {}
    }
    if name.is_empty() {
        return Err(error("the host is empty"));
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~')) {
        return Err(error("the host holds a character that no name has"));
    }
    if name.split('.').any(str::is_empty) {
        return Err(error("the host holds an empty label"));
    }
    Ok(name)
}

fn parse_ipv6(text: &[u8]) -> Result<Host<'static>, HostError> {
    let bad = || error("the host is no IPv6 address in brackets");
    let text = std::str::from_utf8(text).map_err(|_| bad())?;
    let (address, after) = text.strip_prefix('[').and_then(|t| t.split_once(']')).ok_or_else(bad)?;
    let address: Ipv6Addr = address.parse().map_err(|_| bad())?;
    let port = match after.strip_prefix(':') {
        Some(port) => parse_port(port.as_bytes())?,
        None if after.is_empty() => None,
        None => return Err(bad()),
    };
    Ok(Host { name: Cow::<str>::Owned(format!("[{address}]")).into(), port })
}

fn parse_port(text: &[u8]) -> Result<Option<u16>, HostError> {
    match std::str::from_utf8(text) {
        Ok("") => Ok(None),
        Ok(digits) if is_port(digits) => Ok(digits.parse().ok()),
        _ => Err(error("the port of the host is no port")),
    }
}

fn error(explanation: &'static str) -> HostError {
    HostError { explanation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hosts_with_a_port_are_usual_too() {
        for (text, name, port) in
            [("localhost:8080", "localhost", 8080), ("127.0.0.1:80", "127.0.0.1", 80), ("a:65535", "a", 65535)]
        {
            assert_eq!(in_one_spelling_with_port(text.as_bytes()), Some((name.as_bytes(), port)), "{text}");
        }
        for odd in
            ["a:65536", "a:080", "a:8", "a:", "a", ":80", "a.:80", ".a:80", "A:80", "a:8a", "[::1]:80", "a:1:22", ""]
        {
            assert_eq!(in_one_spelling_with_port(odd.as_bytes()), None, "{odd}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn the_usual_is_read_as_any_other(text in r"[a-zA-B0-9.:_\[\]-]{0,20}", port in "(:[0-9]{0,6}){0,2}") {
            for text in [&text, &format!("{text}{port}")] {
                prop_assert_eq!(Host::parse(text.as_bytes()), Host::parse_any(text.as_bytes()));
            }
        }
    }
}
