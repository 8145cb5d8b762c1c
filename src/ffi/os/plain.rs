//! Whether a text is of the kind that needs no second look, sixteen octets at a time: with the instructions that every
//! x86-64 has, elsewhere octet by octet. A no says nothing: who asks looks closer then.

/// A host's name in its one spelling: lower-case letters, digits, `-`, `_`, `~` and `.`, of which no two are neighbours.
#[inline]
pub fn is_host(text: &[u8]) -> bool {
    kind::all(text, kind::host)
}

/// A path that all servers read in one way: no encoding, no parameter, no letter A-Z, nothing but ASCII without spaces
/// and control characters, and of `/` and `.` no two neighbours.
#[inline]
pub fn is_path(text: &[u8]) -> bool {
    kind::all(text, kind::path)
}

/// A request-target, or a part of one, without a query, `%`, backslash, `#`, space or control character.
#[inline]
pub fn is_target(text: &[u8]) -> bool {
    kind::all(text, kind::target)
}

/// A request-target's query: no `#`, space or control character.
#[inline]
pub fn is_query(text: &[u8]) -> bool {
    kind::all(text, kind::query)
}

/// Visible ASCII and spaces.
#[inline]
pub fn is_printable(text: &[u8]) -> bool {
    kind::all(text, kind::printable)
}

/// Visible ASCII without `%` and `,`.
#[inline]
pub fn is_item(text: &[u8]) -> bool {
    kind::all(text, kind::item)
}

/// All of a text of one to sixteen octets, some of them twice; where there are very few, with the letter `a` behind.
#[inline]
pub fn ends(text: &[u8]) -> Option<(u64, u64)> {
    if text.len() > 16 {
        return None;
    }
    if let (Some(head), Some(tail)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        return Some((u64::from_le_bytes(*head), u64::from_le_bytes(*tail)));
    }
    if let (Some(head), Some(tail)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        let both = u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << 32;
        return Some((both, both));
    }
    let (first, second, third) = (*text.first()?, text.get(1).copied(), text.get(2).copied());
    let few = [first, second.unwrap_or(b'a'), third.unwrap_or(b'a'), b'a', b'a', b'a', b'a', b'a'];
    Some((u64::from_le_bytes(few), u64::from_le_bytes([b'a'; 8])))
}

#[cfg(target_arch = "x86_64")]
mod kind {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi8, _mm_and_si128, _mm_cmpeq_epi8, _mm_cmpgt_epi8, _mm_min_epu8, _mm_movemask_epi8,
        _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8, _mm_setzero_si128, _mm_slli_si128,
    };

    /// Nothing in a text is odd, and it is not empty. `odd` sets all bits of those octets that are.
    #[inline(always)]
    pub(super) fn all(text: &[u8], odd: impl Fn(__m128i) -> __m128i) -> bool {
        // SAFETY: all processors of this kind have SSE2.
        let both = |head: u64, tail: u64| unsafe { _mm_set_epi64x(tail.cast_signed(), head.cast_signed()) };
        let wide = |chunk: &[u8; 16]| {
            let text = u128::from_le_bytes(*chunk);
            both(text as u64, (text >> 64) as u64)
        };
        if let Some((head, tail)) = super::ends(text) {
            // SAFETY: as above.
            return unsafe { _mm_movemask_epi8(odd(both(head, tail))) == 0 };
        }
        let Some(last) = text.last_chunk::<16>() else { return false };
        let mut seen = odd(wide(last));
        let mut rest = text;
        // Each begins with the last octet of the one before, so that neighbours meet in one of them.
        while let (Some(chunk), true) = (rest.first_chunk::<16>(), rest.len() > 16) {
            // SAFETY: as above.
            seen = unsafe { _mm_or_si128(seen, odd(wide(chunk))) };
            rest = rest.get(15..).unwrap_or_default();
        }
        // SAFETY: as above.
        unsafe { _mm_movemask_epi8(seen) == 0 }
    }

    #[inline(always)]
    pub(super) fn host(octets: __m128i) -> __m128i {
        // SAFETY: all processors of this kind have SSE2.
        unsafe {
            let dot = is(octets, b'.');
            let letter = within(octets, b'a', 25);
            let digit = within(octets, b'0', 9);
            let sign = _mm_or_si128(is(octets, b'-'), _mm_or_si128(is(octets, b'_'), is(octets, b'~')));
            let usual = _mm_or_si128(_mm_or_si128(letter, digit), _mm_or_si128(sign, dot));
            _mm_or_si128(_mm_cmpeq_epi8(usual, _mm_setzero_si128()), neighbours(dot))
        }
    }

    #[inline(always)]
    pub(super) fn path(octets: __m128i) -> __m128i {
        // SAFETY: all processors of this kind have SSE2.
        unsafe {
            let odd = _mm_or_si128(_mm_or_si128(is(octets, b';'), within(octets, b'A', 25)), target(octets));
            // Octets from 0x80 on are below all others when they are signed.
            let high = _mm_cmpgt_epi8(_mm_setzero_si128(), octets);
            _mm_or_si128(_mm_or_si128(odd, high), neighbours(within(octets, b'.', 1)))
        }
    }

    #[inline(always)]
    pub(super) fn target(octets: __m128i) -> __m128i {
        // SAFETY: all processors of this kind have SSE2.
        unsafe {
            let odd = _mm_or_si128(_mm_or_si128(is(octets, b'%'), is(octets, b'\\')), is(octets, b'?'));
            _mm_or_si128(query(octets), odd)
        }
    }

    #[inline(always)]
    pub(super) fn query(octets: __m128i) -> __m128i {
        // SAFETY: all processors of this kind have SSE2.
        unsafe {
            let low = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(b' '.cast_signed())), octets);
            _mm_or_si128(low, _mm_or_si128(is(octets, b'#'), is(octets, 0x7F)))
        }
    }

    #[inline(always)]
    pub(super) fn printable(octets: __m128i) -> __m128i {
        // SAFETY: all processors of this kind have SSE2. Octets from 0x80 on are below all others when they are signed.
        unsafe { _mm_or_si128(_mm_cmpgt_epi8(_mm_set1_epi8(b' '.cast_signed()), octets), is(octets, 0x7F)) }
    }

    #[inline(always)]
    pub(super) fn item(octets: __m128i) -> __m128i {
        // SAFETY: as above.
        unsafe {
            let low = _mm_cmpgt_epi8(_mm_set1_epi8(b'!'.cast_signed()), octets);
            let sign = _mm_or_si128(is(octets, b'%'), is(octets, b','));
            _mm_or_si128(_mm_or_si128(low, is(octets, 0x7F)), sign)
        }
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn is(octets: __m128i, octet: u8) -> __m128i {
        _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet.cast_signed()))
    }

    /// Those that are the first of a row or at most so far above it: those below the first are far above it, since octets
    /// wrap around.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn within(octets: __m128i, first: u8, more: i8) -> __m128i {
        let above = _mm_add_epi8(octets, _mm_set1_epi8(first.wrapping_neg().cast_signed()));
        _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(more)), above)
    }

    /// Those whose neighbour is one of them as well.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn neighbours(octets: __m128i) -> __m128i {
        _mm_and_si128(octets, _mm_slli_si128::<1>(octets))
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "for the test that both kinds are one"))]
mod octets {
    /// An octet is odd, or has to stand alone.
    type Class = fn(u8) -> (bool, bool);

    pub(super) fn all(text: &[u8], class: Class) -> bool {
        let mut alone = false;
        text.iter().fold(!text.is_empty(), |all, octet| {
            let (odd, lone) = class(*octet);
            let pair = alone & lone;
            alone = lone;
            all & !odd & !pair
        })
    }

    pub(super) fn host(octet: u8) -> (bool, bool) {
        (!matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' | b'.'), octet == b'.')
    }

    pub(super) fn path(octet: u8) -> (bool, bool) {
        let odd = target(octet).0 || matches!(octet, b';' | b'A'..=b'Z' | 0x80..=0xFF);
        (odd, matches!(octet, b'/' | b'.'))
    }

    pub(super) fn target(octet: u8) -> (bool, bool) {
        (query(octet).0 || matches!(octet, b'?' | b'%' | b'\\'), false)
    }

    pub(super) fn query(octet: u8) -> (bool, bool) {
        (matches!(octet, 0..=b' ' | 0x7F | b'#'), false)
    }

    pub(super) fn printable(octet: u8) -> (bool, bool) {
        (!matches!(octet, b' '..=b'~'), false)
    }

    pub(super) fn item(octet: u8) -> (bool, bool) {
        (!matches!(octet, b'!'..=b'~') || matches!(octet, b'%' | b','), false)
    }
}

#[cfg(not(target_arch = "x86_64"))]
use octets as kind;

#[cfg(test)]
mod tests {
    use super::*;

    /// One that says yes never errs; one that says no may, where a text is so short that its octets are seen twice.
    fn agree(text: &[u8]) {
        let pairs = [
            (is_host(text), octets::all(text, octets::host), "host"),
            (is_path(text), octets::all(text, octets::path), "path"),
            (is_target(text), octets::all(text, octets::target), "target"),
            (is_query(text), octets::all(text, octets::query), "query"),
            (is_printable(text), octets::all(text, octets::printable), "printable"),
            (is_item(text), octets::all(text, octets::item), "item"),
        ];
        for (wide, plain, name) in pairs {
            assert!(wide == plain || (plain && text.len() < 16), "{name} {text:?}: {wide} and {plain}");
        }
    }

    #[test]
    fn both_kinds_say_the_same_of_every_octet_in_every_place() {
        for length in 0..50 {
            let text = vec![b'a'; length];
            assert!(length == 0 || (is_host(&text) && is_path(&text) && is_target(&text) && is_query(&text)));
            for at in 0..length {
                for octet in 0..=255_u8 {
                    let mut text = text.clone();
                    text[at] = octet;
                    agree(&text);
                }
            }
        }
    }

    #[test]
    fn neighbours_are_found_wherever_they_stand() {
        for length in 2..60 {
            for at in 1..length {
                for pair in [b"..", b"//", b"./", b"/.", b"a.", b"/a"] {
                    let mut text = vec![b'a'; length];
                    text[at - 1..=at].copy_from_slice(pair);
                    agree(&text);
                }
            }
        }
        assert!(is_host(b"orders.example.com") && is_path(b"/orders/7") && is_path(b"/"));
        assert!(is_printable(b"a b") && is_item(b"a/b") && !is_item(b"a b") && !is_item(b"a,b") && !is_printable(b""));
        assert!(is_target(b"/Orders//7") && is_query(b"a=/?%20") && !is_query(b"") && !is_query(b"a#b"));
        assert!(!is_host(b"orders..example.com") && !is_path(b"/orders/../7") && !is_target(b"/orders?7"));
    }
}
