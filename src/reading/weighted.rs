//! Lists of what a client prefers, each with a weight (RFC 9110 section 12.4.2). An element that is not well formed
//! says nothing; the others still count.

use memchr::{memchr, memchr2};

use crate::request::field::{is_token, trim};

/// One element of such a list.
#[derive(Clone, Copy, Debug)]
pub struct Weighted<'a> {
    /// What stands before the first semicolon.
    pub value: &'a [u8],
    /// The parameters before the weight, as they are written.
    pub parameters: &'a [u8],
    /// The weight in thousandths; 0: not wanted.
    pub weight: u16,
}

/// The elements of all fields of one name, in order.
pub fn elements<'a>(fields: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Weighted<'a>> {
    fields.flat_map(|field| parts(field, b',')).filter_map(element)
}

/// The parameters of an element, as name and value; values keep their quotes.
pub fn parameters<'a>(element: &Weighted<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    parts(element.parameters, b';').map(trim).filter(|part| !part.is_empty()).map(pair)
}

fn element(text: &[u8]) -> Option<Weighted<'_>> {
    plain_element(text).unwrap_or_else(|| careful_element(text))
}

/// What most elements are: a value, and perhaps a weight behind it. `None` says nothing: [`careful_element`] has the
/// word.
fn plain_element(text: &[u8]) -> Option<Option<Weighted<'_>>> {
    let whole = |value, weight| Weighted { value, parameters: b"", weight };
    let Some(at) = memchr2(b';', b'"', text) else {
        return Some(Some(whole(trim(text), 1000)).filter(|element| !element.value.is_empty()));
    };
    let (value, after) = text.split_at(at);
    let [b';', b'q' | b'Q', b'=', given @ ..] = after else { return None };
    let value = trim(value);
    if value.is_empty() {
        return None;
    }
    // White space stands behind it or nowhere.
    let end = given.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last.saturating_add(1));
    weight(given.get(..end)?).map(|weight| Some(whole(value, weight)))
}

fn careful_element(text: &[u8]) -> Option<Weighted<'_>> {
    let mut rest = parts(text, b';');
    let value = trim(rest.next()?);
    let mut parameters = &b""[..];
    let mut weight = None;
    let after = text.get(text.iter().position(|b| *b == b';').unwrap_or(text.len())..)?;
    let mut length = 0usize;
    for part in rest {
        let (name, given) = pair(trim(part));
        if name.eq_ignore_ascii_case(b"q") {
            // What stands behind the weight is no part of what is weighed.
            weight = Some(self::weight(given)?);
            parameters = after.get(..length)?;
            break;
        }
        if !trim(part).is_empty() && (!is_token(name) || given.is_empty()) {
            return None;
        }
        length = length.saturating_add(part.len()).saturating_add(1);
        parameters = after;
    }
    (!value.is_empty()).then_some(Weighted { value, parameters, weight: weight.unwrap_or(1000) })
}

/// `name=value`; without `=` a value that is empty.
fn pair(text: &[u8]) -> (&[u8], &[u8]) {
    let at = text.iter().position(|b| *b == b'=');
    let (name, rest) = text.split_at(at.unwrap_or(text.len()));
    (name, rest.get(1..).unwrap_or_default())
}

/// 0 to 1 with at most three decimals, in thousandths.
fn weight(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = text.split_first()?;
    let decimals = match decimals.split_first() {
        None => &[][..],
        Some((b'.', digits)) if digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit) => digits,
        Some(_) => return None,
    };
    let digit = |at: usize| decimals.get(at).map_or(0, |digit| u16::from(digit.saturating_sub(b'0')));
    let thousandths = digit(0).saturating_mul(100).saturating_add(digit(1).saturating_mul(10)).saturating_add(digit(2));
    match whole {
        b'0' => Some(thousandths),
        b'1' if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The parts between separators that stand outside quoted strings.
fn parts(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let is_quoting = memchr(b'"', text).is_some();
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        if !is_quoting {
            let end = memchr(separator, text);
            rest = end.and_then(|end| text.get(end.saturating_add(1)..));
            return text.get(..end.unwrap_or(text.len()));
        }
        let (mut quoted, mut escaped) = (false, false);
        let end = text.iter().position(|&byte| {
            let ends = byte == separator && !quoted;
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                _ => {}
            }
            ends
        });
        rest = end.and_then(|end| text.get(end.saturating_add(1)..));
        text.get(..end.unwrap_or(text.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(field: &str) -> Vec<(String, String, u16)> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        elements([field.as_bytes()].into_iter()).map(|e| (text(e.value), text(e.parameters), e.weight)).collect()
    }

    #[test]
    fn weights_are_those_of_rfc_9110() {
        for (text, wanted) in [
            ("1", Some(1000)),
            ("1.", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.", Some(0)),
            ("0.5", Some(500)),
            ("0.05", Some(50)),
            ("0.001", Some(1)),
            ("1.001", None),
            ("0.0001", None),
            (".5", None),
            ("2", None),
            ("-1", None),
            ("+1", None),
            ("0,5", None),
            ("0.5x", None),
            ("", None),
            ("1e0", None),
            ("NaN", None),
        ] {
            assert_eq!(weight(text.as_bytes()), wanted, "{text}");
        }
    }

    #[test]
    fn elements_are_cut_outside_quotes_only() {
        let one = |value: &str, parameters: &str, weight| (value.to_owned(), parameters.to_owned(), weight);
        assert_eq!(read("a, b;q=0.5 ,,c ; Q=0"), [one("a", "", 1000), one("b", "", 500), one("c", "", 0)]);
        assert_eq!(read(r#"a;x="p,\"q;r";q=0.3, b"#), [one("a", r#";x="p,\"q;r""#, 300), one("b", "", 1000)]);
        assert_eq!(read("a;x=1;q=0.2;y=2"), [one("a", ";x=1", 200)], "what follows the weight is dropped");
        assert_eq!(read("a;;x=1;"), [one("a", ";;x=1;", 1000)]);
        assert_eq!(read(""), []);
        assert_eq!(read(" , ,"), []);
    }

    #[test]
    fn what_is_malformed_says_nothing_and_the_rest_counts() {
        let one = [("b".to_owned(), String::new(), 1000)];
        for bad in ["a;q=x, b", "a;q=1.5,b", "a;q =0.5, b", "a;q, b", ";q=1, b", "a;=1, b", "a;x, b", "a;q=\"1\", b"] {
            assert_eq!(read(bad), one, "{bad}");
        }
        assert_eq!(read("b, a;x=\"open, c"), [one[0].clone(), ("a".into(), ";x=\"open, c".into(), 1000)]);
    }

    #[test]
    fn parameters_come_in_pairs() {
        let element = element(b"text/html; charset=utf-8 ;; x=\"a;b\";q=1").unwrap();
        let found: Vec<_> = parameters(&element).collect();
        assert_eq!(found, [(&b"charset"[..], &b"utf-8"[..]), (&b"x"[..], &b"\"a;b\""[..])]);
    }

    fn same(a: Option<Weighted<'_>>, b: Option<Weighted<'_>>) -> bool {
        let parts = |w: Weighted<'_>| (w.value.to_vec(), w.parameters.to_vec(), w.weight);
        a.map(parts) == b.map(parts)
    }

    proptest! {
        #[test]
        fn the_quick_way_says_what_the_careful_one_does(text in "[a*/ ]{0,4}( ?; ?[qQx]=[01.5 ]{0,5}){0,2}[;\"]?") {
            prop_assert!(same(element(text.as_bytes()), careful_element(text.as_bytes())));
        }

        #[test]
        fn any_bytes_are_read_or_passed_over(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for element in elements([bytes.as_slice()].into_iter()) {
                prop_assert!(element.weight <= 1000 && !element.value.is_empty());
                prop_assert!(parameters(&element).count() <= 200);
            }
        }

        #[test]
        fn what_is_near_a_list_is_read_or_passed_over(text in "[ab/*;,=q01.\" \\\\]{0,60}") {
            for element in elements([text.as_bytes()].into_iter()) {
                prop_assert!(element.weight <= 1000 && !element.value.is_empty());
            }
        }
    }
}
