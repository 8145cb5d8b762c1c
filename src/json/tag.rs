//! Names as numbers, so that most are told apart without a look at the text.

/// The number of a name: never 0, and of names that differ almost always another one. That of three octets or fewer is
/// that name's alone.
#[inline]
pub const fn tag(name: &[u8]) -> u32 {
    match *name {
        [] => 1 << 24,
        [a] => 2 << 24 | a as u32,
        [a, b] => 3 << 24 | (b as u32) << 8 | a as u32,
        [a, b, c] => 4 << 24 | (c as u32) << 16 | (b as u32) << 8 | a as u32,
        [a, b, c, d, ..] => {
            let last = match *name {
                [.., w, x, y, z] => u32::from_le_bytes([w, x, y, z]),
                _ => 0,
            };
            LONG | (u32::from_le_bytes([a, b, c, d]) ^ last.rotate_left(13) ^ ((name.len() as u32) << 23))
        }
    }
}

/// The number of the name that stands there in a text.
#[inline(always)]
pub(super) fn tag_at(text: &[u8], start: usize, end: usize) -> u32 {
    let length = end.wrapping_sub(start);
    // What stands behind a short name is there to be read with it.
    match text.get(start..).and_then(|rest| rest.first_chunk()) {
        Some(four) if length <= 3 => {
            let behind = 32_u32.wrapping_sub(8_u32.wrapping_mul(length as u32));
            let name = if length == 0 { 0 } else { u32::from_le_bytes(*four) << behind >> behind };
            (length as u32).wrapping_add(1) << 24 | name
        }
        _ => tag(text.get(start..end).unwrap_or_default()),
    }
}

/// Set where a name is longer than three octets.
const LONG: u32 = 1 << 31;

/// No other name has this number.
pub(super) const fn is_exact(tag: u32) -> bool {
    tag & LONG == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_have_numbers_of_their_own() {
        let octets = || (0..=255_u8).step_by(5);
        let mut seen = std::collections::HashSet::from([tag(b"")]);
        for a in octets() {
            assert!(seen.insert(tag(&[a])));
            for b in octets() {
                assert!(seen.insert(tag(&[a, b])));
                for c in octets() {
                    assert!(seen.insert(tag(&[a, b, c])));
                }
            }
        }
        assert!(seen.iter().all(|tag| is_exact(*tag) && *tag != 0));
        for (start, end) in (0..12).flat_map(|start| (start..=12).map(move |end| (start, end))) {
            let text = &b"\xFFb\xFF\xFFe\":fghij"[..];
            assert_eq!(tag_at(text, start, end), tag(&text[start..end]), "{start} {end}");
        }
        for long in [&b"auth"[..], b"auth_time", &[0; 4], &[255; 300]] {
            assert!(!is_exact(tag(long)) && tag(long) != 0);
        }
    }
}
