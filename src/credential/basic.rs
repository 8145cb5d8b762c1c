//! Basic (RFC 7617) with charset UTF-8: bytes of a header field in, name and password out.
//!
//! Only the form is checked here; which names and passwords are possible is a matter of RFC 8265 (`crypto::name`).

use zeroize::{Zeroizing, zeroize_bytes};

use super::base64;

/// Name and password as sent, in a [`Room`].
pub struct Basic<'r> {
    /// As sent, not empty.
    pub name: &'r str,
    /// As sent, UTF-8; may be empty.
    pub password: &'r [u8],
}

/// Octets of name and password that need no memory of their own.
const SHORT: usize = 96;

/// Where what was sent is decoded. Wiped in the end.
pub struct Room {
    short: [u8; SHORT],
    /// None where the short one is enough: wiping an empty one is dearer than it looks, since the C library's `memset` may
    /// touch where it points to, which is nowhere.
    long: Option<Zeroizing<Vec<u8>>>,
}

impl Room {
    /// Empty.
    pub fn new() -> Room {
        Room { short: [0; SHORT], long: None }
    }

    fn take(&mut self, length: usize) -> &mut [u8] {
        if length > SHORT {
            return self.long.insert(Zeroizing::new(vec![0; length]));
        }
        self.short.get_mut(..length).unwrap_or_default()
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        zeroize_bytes(&mut self.short);
    }
}

impl Default for Room {
    fn default() -> Room {
        Room::new()
    }
}

/// Reads what follows `Basic `: canonical padded base64 of `name:password` in UTF-8 without control characters; the
/// first colon separates. The error says what is wrong, for the operator, without any of the value.
///
/// Stricter than some readers on purpose. Two spellings of one base64 value (missing padding, stray trailing bits)
/// would pass a filter in front that reads them otherwise. A name that is empty can name nobody.
pub fn parse<'r>(value: &[u8], room: &'r mut Room) -> Result<Basic<'r>, &'static str> {
    if value.is_empty() {
        return Err("nothing follows the word Basic");
    }
    const FORM: &str =
        "what follows Basic is not base64 in its canonical form (RFC 4648 section 4, with padding and no line breaks)";
    const CODING: &str = "the user name or the password is not UTF-8; the challenge asks for charset=\"UTF-8\"";
    let place = room.take(base64::most(value.len()));
    let decoded = base64::decode(value, place).ok_or(FORM)?;
    // RFC 7617 section 2: no control characters; `is_control` is Unicode's Cc: C0, DEL and C1. Plain ASCII has none, and is
    // UTF-8, which all of its octets say at once.
    let plain = decoded.iter().fold(true, |plain, octet| plain & matches!(octet, b' '..=b'~'));
    if !plain {
        let text = std::str::from_utf8(decoded).map_err(|_| CODING)?;
        if text.chars().any(char::is_control) {
            return Err("the user name or the password holds a control character");
        }
    }
    let colon = memchr::memchr(b':', decoded).ok_or("there is no colon between user name and password")?;
    let (name, rest) = decoded.split_at_checked(colon).unwrap_or_default();
    let name = std::str::from_utf8(name).map_err(|_| CODING)?;
    let password = rest.get(1..).unwrap_or_default();
    if name.is_empty() {
        return Err("the user name is empty");
    }
    Ok(Basic { name, password })
}

/// Never shows the password.
impl std::fmt::Debug for Basic<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Basic").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;
    use proptest::prelude::*;

    fn sent(bytes: &[u8]) -> Result<(String, String), &'static str> {
        let password = |basic: &Basic<'_>| std::str::from_utf8(basic.password).unwrap().to_owned();
        parse(BASE64.encode(bytes).as_bytes(), &mut Room::new()).map(|basic| (basic.name.to_owned(), password(&basic)))
    }

    #[test]
    fn the_first_colon_separates_and_nothing_is_trimmed() {
        assert_eq!(sent(b"alice:a:b:").unwrap(), ("alice".into(), "a:b:".into()));
        assert_eq!(sent(b" alice : secret ").unwrap(), (" alice ".into(), " secret ".into()));
        assert_eq!(sent("test:123\u{a3}".as_bytes()).unwrap(), ("test".into(), "123\u{a3}".into()));
        assert_eq!(sent(b"alice:").unwrap(), ("alice".into(), String::new()));
    }

    #[test]
    fn a_missing_colon_and_an_empty_name_are_refused() {
        assert_eq!(sent(b"alice").unwrap_err(), "there is no colon between user name and password");
        assert_eq!(sent(b":secret").unwrap_err(), "the user name is empty");
        assert_eq!(sent(b":").unwrap_err(), "the user name is empty");
        assert_eq!(parse(b"", &mut Room::new()).unwrap_err(), "nothing follows the word Basic");
    }

    #[test]
    fn control_characters_are_refused_in_name_and_password() {
        for control in (0u32..0x20).chain(0x7f..=0x9f).filter_map(char::from_u32) {
            for text in
                [format!("al{control}ice:secret"), format!("alice:sec{control}ret"), format!("alice:x{control}")]
            {
                assert!(sent(text.as_bytes()).unwrap_err().contains("control"), "{control:?}");
            }
        }
        assert!(sent("al\u{a0}ice:x".as_bytes()).is_ok(), "U+00A0 is no control character");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_refused() {
        for bytes in [&b"al\xe9ce:x"[..], b"alice:\xff", b"a\xc0\x80:x", b"a\xed\xa0\x80:x", b"alice:\xf4\x90\x80\x80"]
        {
            assert!(sent(bytes).unwrap_err().contains("UTF-8"), "{bytes:?}");
        }
    }

    #[test]
    fn only_the_canonical_base64_is_accepted() {
        assert!(parse(b"YWxpY2U6eA==", &mut Room::new()).is_ok());
        for other in [
            "YWxpY2U6eA",
            "YWxpY2U6eA=",
            "YWxpY2U6eB==",
            "YWxpY2U6eA===",
            " YWxpY2U6eA==",
            "YWxpY2U6eA== ",
            "YWxp\nY2U6eA==",
        ] {
            assert!(parse(other.as_bytes(), &mut Room::new()).unwrap_err().contains("canonical"), "{other:?}");
        }
        assert!(parse(b"w7w6w78=", &mut Room::new()).is_ok());
        assert!(parse(b"YWxpY2U6-_8=", &mut Room::new()).is_err(), "the URL alphabet is another one");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(value in ".{0,200}") {
            let mut room = Room::new();
            if let Ok(basic) = parse(value.as_bytes(), &mut room) {
                prop_assert!(!basic.name.is_empty() && !basic.name.contains(':'));
                let joined = format!("{}:{}", basic.name, std::str::from_utf8(basic.password).unwrap());
                prop_assert!(!joined.chars().any(char::is_control));
                prop_assert_eq!(BASE64.encode(joined.as_bytes()), value);
            }
        }

        #[test]
        fn any_name_and_password_without_controls_come_back(name in "[^:\\p{Cc}]{1,40}", password in "\\P{Cc}{0,40}") {
            let (n, p) = sent(format!("{name}:{password}").as_bytes()).unwrap();
            prop_assert_eq!((n, p), (name, password));
        }
    }
}
