//! Compares sixteen octets at a time: with the instructions that every x86-64 has, elsewhere with words.

pub use kind::Seen;

#[cfg(target_arch = "x86_64")]
mod kind {
    use std::arch::x86_64::{
        __m128i, _mm_add_epi8, _mm_and_si128, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set_epi64x, _mm_set1_epi8,
    };

    /// What was seen of names and of values.
    #[derive(Clone, Copy)]
    pub struct Seen {
        /// All bits of an octet are set where all names were usual there.
        names: __m128i,
        /// The lowest octets of values.
        values: __m128i,
    }

    impl Default for Seen {
        /// Nothing yet.
        #[inline]
        fn default() -> Seen {
            // SAFETY: all processors of this kind have SSE2.
            unsafe { Seen { names: _mm_set1_epi8(-1), values: _mm_set1_epi8(-1) } }
        }
    }

    impl Seen {
        /// Sixteen octets of a name.
        #[inline]
        pub fn name(&mut self, head: u64, tail: u64) {
            // SAFETY: as above.
            self.names = unsafe { _mm_and_si128(self.names, usual(both(head, tail))) };
        }

        /// Sixteen octets of a value.
        #[inline]
        pub fn value(&mut self, head: u64, tail: u64) {
            // SAFETY: as above.
            self.values = unsafe { _mm_min_epu8(self.values, both(head, tail)) };
        }

        /// All octets of names were letters, digits and `-`, all of values 0x0E or above.
        #[inline]
        pub fn is_usual(&self) -> bool {
            // SAFETY: as above.
            unsafe {
                let low = _mm_cmpeq_epi8(_mm_min_epu8(self.values, _mm_set1_epi8(0x0D)), self.values);
                _mm_movemask_epi8(self.names) == 0xFFFF && _mm_movemask_epi8(low) == 0
            }
        }
    }

    #[target_feature(enable = "sse2")]
    #[inline]
    fn both(head: u64, tail: u64) -> __m128i {
        _mm_set_epi64x(tail.cast_signed(), head.cast_signed())
    }

    /// All bits of an octet are set where it is a letter, a digit or `-`.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn usual(octets: __m128i) -> __m128i {
        let letter = within(_mm_or_si128(octets, _mm_set1_epi8(0x20)), b'a', 25);
        let digit = within(octets, b'0', 9);
        let dash = _mm_cmpeq_epi8(octets, _mm_set1_epi8(b'-'.cast_signed()));
        _mm_or_si128(_mm_or_si128(letter, digit), dash)
    }

    /// All bits of an octet are set where it is the first of a row or at most so far above it: those below the first
    /// are far above it, since octets wrap around.
    #[target_feature(enable = "sse2")]
    #[inline]
    fn within(octets: __m128i, first: u8, more: i8) -> __m128i {
        let above = _mm_add_epi8(octets, _mm_set1_epi8(first.wrapping_neg().cast_signed()));
        _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(more)), above)
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "for the test that both kinds are one"))]
mod words {
    /// What was seen of names and of values.
    #[derive(Clone, Copy)]
    pub struct Seen {
        names: bool,
        values: bool,
    }

    impl Default for Seen {
        /// Nothing yet.
        fn default() -> Seen {
            Seen { names: true, values: true }
        }
    }

    impl Seen {
        /// Sixteen octets of a name.
        #[inline]
        pub fn name(&mut self, head: u64, tail: u64) {
            self.names &= all(head, tail, |octet| octet.is_ascii_alphanumeric() | (octet == b'-'));
        }

        /// Sixteen octets of a value.
        #[inline]
        pub fn value(&mut self, head: u64, tail: u64) {
            self.values &= all(head, tail, |octet| octet >= 0x0E);
        }

        /// All octets of names were letters, digits and `-`, all of values 0x0E or above.
        pub fn is_usual(&self) -> bool {
            self.names && self.values
        }
    }

    #[inline]
    fn all(head: u64, tail: u64, is: impl Fn(u8) -> bool) -> bool {
        [head, tail].map(u64::to_le_bytes).as_flattened().iter().fold(true, |all, octet| all & is(*octet))
    }
}

#[cfg(not(target_arch = "x86_64"))]
use words as kind;

#[cfg(test)]
mod tests {
    use super::{Seen, words};

    #[test]
    fn both_kinds_say_the_same_of_every_octet_in_every_place() {
        for at in 0..16 {
            for octet in 0..=255_u8 {
                let mut text = *b"Accept-Encoding2";
                text[at] = octet;
                let both = u128::from_le_bytes(text);
                let (head, tail) = (both as u64, (both >> 64) as u64);
                let (mut wide, mut words) = ([Seen::default(); 2], [words::Seen::default(); 2]);
                wide[0].name(head, tail);
                wide[1].value(head, tail);
                words[0].name(head, tail);
                words[1].value(head, tail);
                assert_eq!(wide.map(|seen| seen.is_usual()), words.map(|seen| seen.is_usual()), "{octet} at {at}");
            }
        }
    }
}
