//! Finds the end of the plain part of a JSON string, sixteen octets at a time: with the instructions that every x86-64
//! has, elsewhere with words.

/// Where the next quote, backslash or control character stands, from `at` on; the length of the text where there is
/// none. Most strings are short.
#[inline(always)]
pub fn plain_until(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..).and_then(|rest| rest.first_chunk()).map(kind::odd) {
        Some(0) => far(bytes, at.saturating_add(16)),
        Some(odd) => at.saturating_add(odd.trailing_zeros() as usize),
        None => rest_until(bytes, at),
    }
}

#[inline(never)]
fn far(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let odd = kind::odd(chunk);
        if odd != 0 {
            return at.saturating_add(odd.trailing_zeros() as usize);
        }
        at = at.saturating_add(16);
    }
    rest_until(bytes, at)
}

/// Notes in bits where the quotes of a text stand, the lowest for the first octet. False: there is a backslash or a
/// control character, or not enough room, and what is noted is of no use.
#[inline]
pub fn quotes(bytes: &[u8], room: &mut [u64]) -> bool {
    bytes.len() / 64 < room.len() && kind::quotes(bytes, room)
}

/// The same, sixty-four octets at a time by `both`; the room is large enough.
#[inline(always)]
fn noted(bytes: &[u8], room: &mut [u64], mut both: impl FnMut(&[u8; 64]) -> (u64, bool)) -> bool {
    let (chunks, rest) = bytes.as_chunks::<64>();
    let mut last = [b' '; 64];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let mut plain = true;
    for (chunk, word) in chunks.iter().chain([&last]).zip(room) {
        let (quotes, others) = both(chunk);
        *word = quotes;
        plain &= !others;
    }
    plain
}

/// Sixty-four of them by sixteen.
#[inline(always)]
fn by_sixteen(chunk: &[u8; 64], both: impl Fn(&[u8; 16]) -> (u32, bool)) -> (u64, bool) {
    chunk.as_chunks::<16>().0.iter().rev().fold((0, false), |(bits, odd), part| {
        let (quotes, others) = both(part);
        (bits << 16 | u64::from(quotes), odd | others)
    })
}

/// The same for fewer than sixteen octets at the end of a text; some before them are looked at once more.
#[inline(never)]
fn rest_until(bytes: &[u8], at: usize) -> usize {
    let at = at.min(bytes.len());
    let Some(last) = bytes.last_chunk::<16>() else { return at.saturating_add(slowly(bytes.get(at..))) };
    let begun = at.saturating_sub(bytes.len().saturating_sub(16));
    match kind::odd(last) >> begun.min(16) {
        0 => bytes.len(),
        odd => at.saturating_add(odd.trailing_zeros() as usize),
    }
}

#[cold]
fn slowly(bytes: Option<&[u8]>) -> usize {
    let is_odd = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    bytes.map_or(0, |bytes| bytes.iter().position(is_odd).unwrap_or(bytes.len()))
}

#[cfg(target_arch = "x86_64")]
mod kind {
    use std::arch::x86_64::{
        __m128i, __m256i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
        _mm256_cmpeq_epi8, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };

    #[inline]
    pub fn quotes(bytes: &[u8], room: &mut [u64]) -> bool {
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what is needed.
            return unsafe { quotes_wide(bytes, room) };
        }
        super::noted(bytes, room, |chunk| super::by_sixteen(chunk, both))
    }

    #[target_feature(enable = "avx2")]
    fn quotes_wide(bytes: &[u8], room: &mut [u64]) -> bool {
        super::noted(bytes, room, |chunk| both_wide(chunk))
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    pub fn both_wide(chunk: &[u8; 64]) -> (u64, bool) {
        // SAFETY: any octets make such vectors.
        let [low, high]: [__m256i; 2] = unsafe { std::mem::transmute(*chunk) };
        let is = |octets, octet: u8| _mm256_cmpeq_epi8(octets, _mm256_set1_epi8(octet.cast_signed()));
        let quotes = |octets| u64::from(_mm256_movemask_epi8(is(octets, b'"')).cast_unsigned());
        let others = |octets| {
            let control = _mm256_cmpeq_epi8(_mm256_min_epu8(octets, _mm256_set1_epi8(0x1F)), octets);
            _mm256_or_si256(is(octets, b'\\'), control)
        };
        let odd = _mm256_movemask_epi8(_mm256_or_si256(others(low), others(high))) != 0;
        (quotes(low) | quotes(high) << 32, odd)
    }

    /// A bit for each quote, and whether there is a backslash or a control character.
    #[inline]
    pub fn both(octets: &[u8; 16]) -> (u32, bool) {
        // SAFETY: as below.
        unsafe {
            let octets: __m128i = std::mem::transmute(*octets);
            let is = |octet: u8| _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet.cast_signed()));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1F)), octets);
            let others = _mm_movemask_epi8(_mm_or_si128(is(b'\\'), control));
            (_mm_movemask_epi8(is(b'"')).cast_unsigned(), others != 0)
        }
    }

    /// A bit for each quote, backslash and control character; the lowest for the first octet.
    #[inline]
    pub fn odd(octets: &[u8; 16]) -> u32 {
        // SAFETY: all processors of this kind have SSE2; any octets make such a vector.
        unsafe {
            let octets: __m128i = std::mem::transmute(*octets);
            let is = |octet: u8| _mm_cmpeq_epi8(octets, _mm_set1_epi8(octet.cast_signed()));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1F)), octets);
            let odd = _mm_or_si128(_mm_or_si128(is(b'"'), is(b'\\')), control);
            _mm_movemask_epi8(odd).cast_unsigned()
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "for the test that both kinds are one"))]
mod words {
    #[inline]
    pub fn quotes(bytes: &[u8], room: &mut [u64]) -> bool {
        super::noted(bytes, room, |chunk| super::by_sixteen(chunk, both))
    }

    /// A bit for each quote, and whether there is a backslash or a control character.
    #[inline]
    pub fn both(octets: &[u8; 16]) -> (u32, bool) {
        let quotes = octets.iter().rev().fold(0, |bits, octet| bits << 1 | u32::from(*octet == b'"'));
        (quotes, odd(octets) != quotes)
    }

    /// A bit for each quote, backslash and control character; the lowest for the first octet.
    #[inline]
    pub fn odd(octets: &[u8; 16]) -> u32 {
        let bit = |octet: &u8| u32::from(*octet < 0x20 || matches!(octet, b'"' | b'\\'));
        octets.iter().rev().fold(0, |bits, octet| bits << 1 | bit(octet))
    }
}

#[cfg(not(target_arch = "x86_64"))]
use words as kind;

#[cfg(test)]
mod tests {
    use super::{by_sixteen, kind, plain_until, quotes, words};

    #[test]
    fn both_kinds_say_the_same_of_every_octet_in_every_place() {
        for at in 0..16 {
            for octet in 0..=255_u8 {
                let mut text = *b"Accept-Encoding2";
                text[at] = octet;
                assert_eq!(kind::odd(&text), words::odd(&text), "{octet} at {at}");
                assert_eq!(kind::both(&text), words::both(&text), "{octet} at {at}");
                let mut wide = [b'a'; 64];
                for place in (at..64).step_by(16) {
                    wide[place] = octet;
                    let (mut ours, mut theirs) = ([0; 2], [0; 2]);
                    assert_eq!(by_sixteen(&wide, kind::both), by_sixteen(&wide, words::both), "{octet} at {place}");
                    let plain = (quotes(&wide, &mut ours), words::quotes(&wide, &mut theirs));
                    assert!(plain.0 == plain.1 && ours == theirs, "{octet} at {place}");
                }
            }
        }
    }

    #[test]
    fn the_end_is_found_wherever_it_stands_and_from_wherever_one_looks() {
        for length in 0..70 {
            for end in 0..=length {
                let mut text = vec![b'a'; length];
                text.iter_mut().skip(end).for_each(|octet| *octet = b'"');
                for at in 0..=length {
                    assert_eq!(plain_until(&text, at), end.max(at), "{length} {end} {at}");
                }
                assert_eq!(plain_until(&text, length + 1), length);
            }
        }
    }
    #[test]
    fn quotes_are_noted_wherever_they_stand_and_nothing_is_noted_of_a_text_that_is_not_plain() {
        for length in [0, 1, 15, 16, 63, 64, 65, 127, 128, 191] {
            for at in 0..length {
                let mut text = vec![b'a'; length];
                let mut room = [7; 3];
                text[at] = b'"';
                assert!(quotes(&text, &mut room), "{length} {at}");
                let noted: Vec<usize> = (0..length).filter(|at| room[at / 64] >> (at % 64) & 1 == 1).collect();
                assert_eq!(noted, [at]);
                for odd in [b'\\', 0, 0x1F] {
                    text[at] = odd;
                    assert!(!quotes(&text, &mut room), "{length} {at}");
                }
            }
        }
        assert!(!quotes(&[b'a'; 192], &mut [0; 3]));
    }
}
