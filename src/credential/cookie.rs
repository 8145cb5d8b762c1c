//! Cookie fields as a server reads them (RFC 6265bis section 4.2.1): the values of one named cookie.
//!
//! Quotes have no meaning here and `$Version` is a name like any other. A reader that lets `"` hide a `;` can be led
//! to swallow the cookie after it.

use crate::request::field::trim;

/// What the Cookie fields of one request hold of one name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found<'a> {
    /// The first value, without surrounding spaces.
    pub first: Option<&'a [u8]>,
    /// How often the name occurs; over one is a sign that somebody planted a cookie.
    pub count: usize,
}

/// Searches the given field values, in order (HTTP/2 may split one field into several, RFC 9113 section 8.2.3), for
/// a cookie. Names are compared byte by byte. One pass, nothing allocated.
pub fn find<'a>(fields: impl IntoIterator<Item = &'a [u8]>, name: &str) -> Found<'a> {
    let mut found = Found::default();
    for field in fields {
        for pair in field.split(|&byte| byte == b';') {
            let Some(at) = pair.iter().position(|&byte| byte == b'=') else { continue };
            let (Some(left), Some(right)) = (pair.get(..at), pair.get(at + 1..)) else { continue };
            if trim(left) != name.as_bytes() {
                continue;
            }
            found.count += 1;
            if found.first.is_none() {
                found.first = Some(trim(right));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one<'a>(field: &'a str, name: &str) -> (Option<&'a str>, usize) {
        let found = find([field.as_bytes()], name);
        (found.first.map(|v| std::str::from_utf8(v).unwrap()), found.count)
    }

    #[test]
    fn the_named_cookie_is_found_among_others() {
        assert_eq!(one("a=1; __Host-session=abc; b=2", "__Host-session"), (Some("abc"), 1));
        assert_eq!(one("__Host-session=abc", "__Host-session"), (Some("abc"), 1));
        assert_eq!(one("a=1;s=x=y==;b", "s"), (Some("x=y=="), 1));
        assert_eq!(one("s=", "s"), (Some(""), 1));
        assert_eq!(one(" s = x \t;", "s"), (Some("x"), 1));
    }

    #[test]
    fn other_spellings_and_parts_of_names_are_other_cookies() {
        for field in
            ["__host-session=x", "__Host-session2=x", "x__Host-session=x", "__Host-session", "=__Host-session=x", ""]
        {
            assert_eq!(one(field, "__Host-session"), (None, 0), "{field}");
        }
    }

    #[test]
    fn two_of_one_name_are_counted_also_across_fields() {
        assert_eq!(one("s=1; s=2", "s"), (Some("1"), 2));
        assert_eq!(one("s=1; s=1", "s"), (Some("1"), 2));
        let found = find([&b"s=1"[..], b"a=3; s=2"], "s");
        assert_eq!((found.first, found.count), (Some(&b"1"[..]), 2));
    }

    #[test]
    fn a_quote_hides_no_cookie() {
        assert_eq!(one("a=\"x; s=1; b=y\"", "s"), (Some("1"), 1));
        assert_eq!(one("$Version=1; a=\"; s=1", "s"), (Some("1"), 1));
        assert_eq!(one("s=\"1\"", "s"), (Some("\"1\""), 1));
    }

    proptest! {
        #[test]
        fn any_bytes_are_searched_without_harm(fields: Vec<Vec<u8>>, name in "[a-c]{1,2}") {
            let found = find(fields.iter().map(Vec::as_slice), &name);
            prop_assert_eq!(found.first.is_some(), found.count > 0);
        }

        #[test]
        fn every_occurrence_is_counted(values in prop::collection::vec("[a-z=]{0,5}", 0..6), other in "[a-z]{2,4}=[a-z\"]{0,4}") {
            let field = values.iter().map(|v| format!("s={v}; {other}")).collect::<Vec<_>>().join("; ");
            let found = find([field.as_bytes()], "s");
            prop_assert_eq!(found.count, values.len());
            prop_assert_eq!(found.first, values.first().map(|v| v.as_bytes()));
        }
    }
}
