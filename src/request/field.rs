//! The syntax that all header fields share (RFC 9110 section 5.6).

/// Without optional white space at both ends (RFC 9110 section 5.6.3).
pub fn trim(value: &[u8]) -> &[u8] {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = value.iter().position(|b| !blank(b)).unwrap_or(value.len());
    let end = value.iter().rposition(|b| !blank(b)).map_or(start, |last| last.saturating_add(1));
    value.get(start..end).unwrap_or_default()
}

/// A token (RFC 9110 section 5.6.2). All octets are looked at, without a branch for each.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().fold(true, |all, byte| all & is_token_byte(*byte))
}

/// `tchar` of RFC 9110 section 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0usize;
        while byte < 256 {
            let b = byte as u8;
            #[allow(clippy::indexing_slicing, reason = "the loop ends at the table's length")]
            {
                table[byte] = b.is_ascii_alphanumeric()
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
                    );
            }
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or(false)
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
            assert_eq!(is_token_byte(byte), wanted.contains(&byte), "{byte}");
        }
    }

    #[test]
    fn an_empty_text_and_one_with_a_space_are_no_tokens() {
        assert!(is_token(b"X-A") && !is_token(b"") && !is_token(b"X A") && !is_token("X-\u{e9}".as_bytes()));
    }
}
