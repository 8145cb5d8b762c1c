//! The usual request in one text: its strings, joined by what stands in none of them.

use super::super::kernel::Failure;
use super::super::os::breaks::Breaks;
use super::{GATEPOST_REQUEST_BODY_COMPLETE, GATEPOST_REQUEST_CERT_VERIFIED, GATEPOST_REQUEST_TLS, Headers, known};
use crate::request::{Header, Request};

/// Strings that are taken off the front of a text.
struct Strings<'t> {
    /// Nothing is left where this is `None`.
    text: Option<&'t [u8]>,
    /// Where the next one begins.
    at: usize,
    breaks: Breaks<'t>,
}

impl<'t> Strings<'t> {
    #[inline(always)]
    fn of(text: &'t [u8]) -> Strings<'t> {
        Strings { text: Some(text), at: 0, breaks: Breaks::of(text) }
    }

    /// The next one; `None` where there are not so many.
    #[inline(always)]
    fn next(&mut self) -> Option<&'t [u8]> {
        let text = self.text?;
        let Some(end) = self.breaks.next() else {
            self.text = None;
            return text.get(self.at..);
        };
        let string = text.get(self.at..end);
        self.at = end.saturating_add(1);
        string
    }
}

/// Reads a request; its header fields go into `headers`, which is large and so stays where it is.
#[inline(always)]
pub(in crate::ffi) fn read<'h, 't: 'h>(text: &'t [u8], headers: &'h mut Headers<'t>) -> Result<Request<'h>, Failure> {
    let Some((flags, [method, target, peer])) = split(text, headers) else {
        return Err(Failure::argument(
            "text does not hold flags, number of header fields, method, target, peer, and so many names and values, \
             joined by LF",
        ));
    };
    known(flags, "flags")?;
    Ok(Request {
        method,
        target,
        peer,
        headers,
        tls: flags & GATEPOST_REQUEST_TLS != 0,
        body_complete: flags & GATEPOST_REQUEST_BODY_COMPLETE != 0,
        cert_verified: flags & GATEPOST_REQUEST_CERT_VERIFIED != 0,
        ..Request::default()
    })
}

/// Flags; method, target and peer. `None` where there is another number of strings.
#[inline(always)]
fn split<'t>(text: &'t [u8], headers: &mut Headers<'t>) -> Option<(u32, [&'t [u8]; 3])> {
    let mut strings = Strings::of(text);
    let (flags, fields) = (number(strings.next()?)?, number(strings.next()?)?);
    let first = [strings.next()?, strings.next()?, strings.next()?];
    // Ends with the text, whatever number it is.
    for _ in 0..fields {
        headers.push(Header { name: strings.next()?, value: strings.next()? });
    }
    strings.text.is_none().then_some((flags, first))
}

/// A number in decimal.
#[inline(always)]
fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u32, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u32::from(digit & 0xF))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_back(text: &str, fields: u32) -> Option<Vec<String>> {
        let text = format!("0\n{fields}\n{text}");
        let mut headers = Headers::new();
        let request = read(text.as_bytes(), &mut headers).ok()?;
        let fields = request.headers.iter().flat_map(|field| [field.name, field.value]);
        let all = [request.method, request.target, request.peer].into_iter().chain(fields);
        Some(all.map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect())
    }

    #[test]
    fn a_text_is_split_into_its_strings() {
        let text = "GET\n/a:b\n192.0.2.7\nhost\na.example\nx-empty\n";
        assert_eq!(read_back(text, 2).unwrap(), ["GET", "/a:b", "192.0.2.7", "host", "a.example", "x-empty", ""]);
        assert_eq!(read_back("\n\n", 0).unwrap(), ["", "", ""]);
    }

    #[test]
    fn another_number_of_strings_is_refused() {
        for (text, fields) in [
            ("", 0),
            ("GET\n/", 0),
            ("GET\n/\n\n", 0),
            ("GET\n/\n\na", 1),
            ("GET\n/\n\na\nb", 0),
            ("GET\n/\n\na\nb", 2),
            ("GET\n/\n\na\nb", u32::MAX),
            ("GET\n/\n\na\nb\n", 1),
            ("GET\n/\n\na\nb\nx-auth-subject\nroot", 1),
        ] {
            assert_eq!(read_back(text, fields), None, "{text:?} {fields}");
        }
    }

    #[test]
    fn unknown_flags_are_refused() {
        for (flags, tls) in [("2147483648", None), ("1", Some(true)), ("0", Some(false)), ("07", Some(true))] {
            let text = format!("{flags}\n0\nGET\n/\n");
            assert_eq!(read(text.as_bytes(), &mut Headers::new()).ok().map(|request| request.tls), tls, "{flags}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for head in ["", "1", "1\n", "\n0", "+1\n0", "1\n 0", "1\n0x0", "4294967296\n0", "1\n-1", "1\n0\r"] {
            assert!(read(format!("{head}\nGET\n/\n").as_bytes(), &mut Headers::new()).is_err(), "{head:?}");
        }
        assert!(read(b"", &mut Headers::new()).is_err());
    }

    proptest! {
        #[test]
        fn strings_come_back_as_they_were_or_not_at_all(strings in prop::collection::vec("[a\r\n\0: ]{0,4}", 3..12)) {
            let fields = u32::try_from((strings.len() - 3) / 2).unwrap();
            let whole = strings.len() % 2 == 1 && !strings.iter().any(|string| string.contains('\n'));
            if let Some(back) = read_back(&strings.join("\n"), fields) {
                prop_assert!(!whole || back == strings);
                prop_assert_eq!(back.len(), strings.join("\n").split('\n').count());
            } else {
                prop_assert!(!whole);
            }
        }
    }
}
