//! Text of octets: where all are ASCII, as they nearly always are, to see that is all there is to do.

/// The octets as text; `None` where they are not UTF-8.
#[inline]
pub fn text(octets: Vec<u8>) -> Option<String> {
    if octets.is_ascii() {
        // SAFETY: ASCII is UTF-8.
        return Some(unsafe { String::from_utf8_unchecked(octets) });
    }
    String::from_utf8(octets).ok()
}

/// The same, borrowed.
#[inline]
pub fn borrowed(octets: &[u8]) -> Option<&str> {
    if octets.is_ascii() {
        // SAFETY: as above.
        return Some(unsafe { std::str::from_utf8_unchecked(octets) });
    }
    std::str::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_text_where_they_are_utf_8() {
        for length in 0..70 {
            for at in 0..length.max(1) {
                for other in [&b"\x7f"[..], "é".as_bytes(), b"\x80", b"\xc3", b"\xff", "😀".as_bytes()] {
                    let mut octets = vec![b'a'; length];
                    octets.splice(at.min(length)..at.min(length), other.iter().copied());
                    let theirs = String::from_utf8(octets.clone()).ok();
                    assert_eq!(borrowed(&octets), theirs.as_deref());
                    assert_eq!(text(octets), theirs);
                }
            }
        }
        assert_eq!((text(Vec::new()), borrowed(b"")), (Some(String::new()), Some("")));
    }
}
