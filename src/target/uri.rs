//! http and https URIs in one spelling, so that comparing them is comparing bytes (RFC 3986 sections 6.2.2 and 6.2.3).

use std::fmt::Write;

use super::{Host, after_scheme};

/// Where a request goes, without query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpUri {
    secure: bool,
    host: String,
    port: u16,
    path: String,
}

impl HttpUri {
    /// Reads an absolute URI; a query and a fragment fall away. `None`: it is none of http or https, its host cannot be
    /// read, or it holds what no URI can.
    pub fn parse(text: &str) -> Option<HttpUri> {
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7F || byte == b'\\') {
            return None;
        }
        let (rest, port) = after_scheme(text.as_bytes())?;
        let end = rest.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(rest.len());
        let rest = rest.get(..end)?;
        let slash = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(slash)?;
        if path.split(|byte| *byte == b'%').skip(1).any(|after| octet(after).is_none()) {
            return None;
        }
        Some(HttpUri::of(port == 443, &Host::parse(authority).ok()?, path))
    }

    /// That of a request for a raw path, as it was sent.
    pub fn of(secure: bool, host: &Host<'_>, path: &[u8]) -> HttpUri {
        let default = if secure { 443 } else { 80 };
        HttpUri {
            secure,
            host: host.name.as_str().to_owned(),
            port: host.port.unwrap_or(default),
            path: without_dot_segments(&spelled(path)),
        }
    }
}

impl std::fmt::Display for HttpUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, default) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(f, "{scheme}://{}", self.host)?;
        if self.port != default {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(&self.path)
    }
}

/// Every octet in its one spelling: unreserved characters as they are, hexadecimal digits in upper case, and what a path
/// cannot hold percent-encoded. Reserved characters stay as they were written, since encoded they may mean another thing.
fn spelled(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'%' => match after.split_at_checked(2).and_then(|(digits, after)| Some((octet(digits)?, after))) {
                Some((octet, after)) if is_unreserved(octet) => {
                    out.push(char::from(octet));
                    rest = after;
                }
                Some((octet, after)) => {
                    encode(&mut out, octet);
                    rest = after;
                }
                // Not a URI; and no request with such a path comes this far. As it is, it could come to stand before
                // digits that were encoded, and mean an octet that nobody wrote.
                None => encode(&mut out, b'%'),
            },
            _ if is_unreserved(byte) || b"/!$&'()*+,;=:@".contains(&byte) => out.push(char::from(byte)),
            _ => encode(&mut out, byte),
        }
    }
    out
}

fn octet(digits: &[u8]) -> Option<u8> {
    let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    u8::try_from(digit(0)? * 16 + digit(1)?).ok()
}

fn encode(out: &mut String, octet: u8) {
    // Writing to a string cannot fail.
    let _ = write!(out, "%{octet:02X}");
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// RFC 3986 section 5.2.4 for a path that is empty or begins with a slash; an empty one is `/`.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut open = true;
    for segment in path.split('/').skip(1) {
        open = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            _ => kept.push(segment),
        }
    }
    let mut out = String::with_capacity(path.len().max(1));
    for segment in &kept {
        out.push('/');
        out.push_str(segment);
    }
    // A dot segment at the end leaves its slash.
    if open || kept.is_empty() {
        out.push('/');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(text: &str) -> String {
        HttpUri::parse(text).map_or_else(|| "none".into(), |uri| uri.to_string())
    }

    #[test]
    fn spellings_that_rfc_3986_calls_equal_are_one() {
        for (text, wanted) in [
            ("https://example.com", "https://example.com/"),
            ("https://example.com/", "https://example.com/"),
            ("HTTPS://EXAMPLE.com:443/a", "https://example.com/a"),
            ("https://example.com.:/a", "https://example.com/a"),
            ("http://example.com:80/a", "http://example.com/a"),
            ("http://example.com:443/a", "http://example.com:443/a"),
            ("https://example.com:8443/a?b=c#d", "https://example.com:8443/a"),
            ("https://example.com?b=/c", "https://example.com/"),
            ("https://example.com#/c", "https://example.com/"),
            ("https://[2001:DB8:0::1]/a", "https://[2001:db8::1]/a"),
            ("https://m\u{fc}nchen.example/", "https://xn--mnchen-3ya.example/"),
            ("https://e/%7Ea%2d%41", "https://e/~a-A"),
            ("https://e/%c3%a9", "https://e/%C3%A9"),
            ("https://e/\u{e9}", "https://e/%C3%A9"),
            ("https://e/a%2fb", "https://e/a%2Fb"),
            ("https://e/a/./b/../c", "https://e/a/c"),
            ("https://e/a/b/..", "https://e/a/"),
            ("https://e/a/.", "https://e/a/"),
            ("https://e/..", "https://e/"),
            ("https://e/a/%2E%2e/b", "https://e/b"),
            ("https://e/a//b/", "https://e/a//b/"),
            ("https://e/a|{b}", "https://e/a%7C%7Bb%7D"),
            ("https://e/a%7c%7Bb%7d", "https://e/a%7C%7Bb%7D"),
        ] {
            assert_eq!(uri(text), wanted, "{text}");
            assert_eq!(uri(wanted), wanted, "the one spelling stays: {wanted}");
        }
    }

    #[test]
    fn what_rfc_3986_tells_apart_stays_apart() {
        let all = [
            "https://e/a",
            "http://e/a",
            "https://e/A",
            "https://e/a/",
            "https://e/a;b",
            "https://e/a%3Bb",
            "https://e/a%2Fb",
            "https://e/a/b",
            "https://e/a//b",
            "https://e:8443/a",
            "https://e.f/a",
            "https://e/a+b",
            "https://e/a%20b",
            "https://e/a%252Fb",
            "https://e/",
            "https://e/%00",
            "https://e/a%25",
        ];
        let read: std::collections::BTreeSet<_> = all.iter().map(|text| uri(text)).collect();
        assert!(read.len() == all.len() && !read.contains("none"), "{read:?}");
    }

    #[test]
    fn what_is_no_http_uri_is_none() {
        for text in [
            "",
            "/a",
            "//e/a",
            "e/a",
            "https:/e/a",
            "https:e",
            "ftp://e/a",
            "https://",
            "https:///a",
            "https://u@e/a",
            "https://u:p@e/a",
            "https://e:99999/",
            "https://e:x/",
            "https://e /",
            "https://e/a b",
            "https://e/a\n",
            "https://e/%",
            "https://e/%a",
            "https://e/%a%30",
            "https://e/%%41",
            "https://e\\a",
            "https://e/\u{7f}",
            " https://e/",
            "https://[::1/",
            "urn:x",
            "data:,x",
            "https://e,f/",
        ] {
            assert_eq!(uri(text), "none", "{text:?}");
        }
    }

    #[test]
    fn a_request_is_read_as_the_uri_that_names_it() {
        let host = |text: &'static str| Host::parse(text.as_bytes()).unwrap();
        let of = |secure, at, path: &str| HttpUri::of(secure, &host(at), path.as_bytes()).to_string();
        assert_eq!(of(true, "Orders.example.com:443", "/a%2Db"), "https://orders.example.com/a-b");
        assert_eq!(of(false, "orders.example.com", "/"), "http://orders.example.com/");
        assert_eq!(of(true, "orders.example.com:80", "/"), "https://orders.example.com:80/");
    }

    proptest! {
        #[test]
        fn the_one_spelling_is_its_own(path in "(/[a-c.%0-9A-F;:é \\\\~-]{0,6}){0,5}") {
            let host = Host::parse(b"e").unwrap();
            let once = HttpUri::of(true, &host, path.as_bytes());
            prop_assert!(once.path.starts_with('/') && once.path.is_ascii());
            prop_assert!(!once.path.split('/').any(|segment| matches!(segment, "." | "..")));
            prop_assert_eq!(&HttpUri::of(true, &host, once.path.as_bytes()), &once);
            prop_assert_eq!(HttpUri::parse(&once.to_string()), Some(once));
        }
    }
}
