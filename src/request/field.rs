//! The syntax that all header fields share (RFC 9110 section 5.6).

/// Without optional white space at both ends (RFC 9110 section 5.6.3).
#[inline]
pub fn trim(value: &[u8]) -> &[u8] {
    match (value.first(), value.last()) {
        // Most have none.
        (Some(b'!'..), Some(b'!'..)) => value,
        _ => trimmed(value),
    }
}

fn trimmed(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

/// A token (RFC 9110 section 5.6.2). All octets are looked at, without a branch for each.
#[inline]
pub fn is_token(text: &[u8]) -> bool {
    // The last ones may be looked at twice.
    let odd = match (text.as_chunks::<8>().0, text.last_chunk::<8>(), text.first_chunk::<4>(), text.last_chunk::<4>()) {
        ([first], Some(last), ..) => odd_among(first) | odd_among(last),
        (eights, Some(last), ..) => eights.iter().fold(odd_among(last), |odd, eight| odd | odd_among(eight)),
        (_, None, Some(first), Some(last)) => odd_among(first) | odd_among(last),
        _ => text.iter().fold(u8::from(text.is_empty()), |odd, byte| odd | is_odd(*byte)),
    };
    odd == 0
}

#[inline]
fn odd_among<const N: usize>(bytes: &[u8; N]) -> u8 {
    bytes.iter().fold(0, |odd, byte| odd | is_odd(*byte))
}

/// 1 for what is no `tchar` of RFC 9110 section 5.6.2, else 0.
#[inline]
fn is_odd(byte: u8) -> u8 {
    const TABLE: [u8; 256] = {
        let mut table = [1; 256];
        let mut byte = 0usize;
        while byte < 256 {
            let b = byte as u8;
            if b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
            {
                #[allow(clippy::indexing_slicing, reason = "the loop ends at the table's length")]
                {
                    table[byte] = 0;
                }
            }
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or(1)
}

/// A field name is this one, which is written in lower case. A few instructions where `lower` is a literal.
#[inline(always)]
pub fn is_named<const N: usize>(name: &[u8], lower: &[u8; N]) -> bool {
    let Ok(name) = <&[u8; N]>::try_from(name) else { return false };
    match (name.as_chunks::<8>().0, name.last_chunk::<8>(), name.first_chunk::<4>(), name.last_chunk::<4>()) {
        ([first], Some(last), ..) => {
            let (lower_first, lower_last) = (lower.first_chunk::<8>(), lower.last_chunk::<8>());
            lower_first.is_some_and(|lower| differ(first, lower) == 0)
                && lower_last.is_some_and(|lower| differ(last, lower) == 0)
        }
        ([], None, Some(first), Some(last)) => {
            let (lower_first, lower_last) = (lower.first_chunk::<4>(), lower.last_chunk::<4>());
            lower_first.is_some_and(|lower| differ(&wide(first), &wide(lower)) == 0)
                && lower_last.is_some_and(|lower| differ(&wide(last), &wide(lower)) == 0)
        }
        _ => name.eq_ignore_ascii_case(lower),
    }
}

/// What differs from a text in lower case, but for the case of its letters.
#[inline(always)]
fn differ(text: &[u8; 8], lower: &[u8; 8]) -> u64 {
    let matters = lower.map(|byte| if byte.is_ascii_lowercase() { !0x20 } else { 0xFF });
    (u64::from_ne_bytes(*text) ^ u64::from_ne_bytes(*lower)) & u64::from_ne_bytes(matters)
}

#[inline(always)]
fn wide(four: &[u8; 4]) -> [u8; 8] {
    let [a, b, c, d] = *four;
    [a, b, c, d, 0, 0, 0, 0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_is_trimmed_at_the_ends_only() {
        assert_eq!(trim(b" \ta b\t "), b"a b");
        assert_eq!(trim(b" \t "), b"");
        assert_eq!(trim(b""), b"");
        assert_eq!(trim(b"x"), b"x");
    }

    #[test]
    fn tokens_are_those_of_rfc_9110() {
        let wanted = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for byte in 0..=255u8 {
            assert_eq!(is_token(&[byte]), wanted.contains(&byte), "{byte}");
            for length in 1..40 {
                for at in 0..length {
                    let mut name = vec![b'a'; length];
                    name[at] = byte;
                    assert_eq!(is_token(&name), wanted.contains(&byte), "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_name_is_compared_without_case_and_otherwise_exactly() {
        fn check<const N: usize>(lower: &[u8; N]) {
            for at in 0..N {
                for byte in 0..=255u8 {
                    let mut name = *lower;
                    name[at] = byte;
                    assert_eq!(is_named(&name, lower), name.eq_ignore_ascii_case(lower), "{byte} at {at}");
                    let mut name = lower.map(|byte| byte.to_ascii_uppercase());
                    name[at] = byte;
                    assert_eq!(is_named(&name, lower), name.eq_ignore_ascii_case(lower), "{byte} at {at}");
                }
            }
        }
        check(b"x-y");
        check(b"host");
        check(b"x-key0");
        check(b"x[key{]");
        check(b"x-key123");
        check(b"sec-fetch-site");
        check(b"sec-fetch-sites");
        check(b"access-control-request-method");
        assert!(!is_named(b"x-key", b"x-key0") && !is_named(b"x-key00", b"x-key0") && is_named(b"", b""));
    }

    #[test]
    fn an_empty_text_and_one_with_a_space_are_no_tokens() {
        assert!(is_token(b"X-A") && !is_token(b"") && !is_token(b"X A") && !is_token("X-\u{e9}".as_bytes()));
    }
}
