//! Finds the line breaks of a text, sixty-four octets at a time: with the instructions that every x86-64 has, elsewhere
//! octet by octet. To look for each by itself costs more than all of them where they stand as close as in a request.

/// Where the line breaks of a text stand, one after the other.
pub struct Breaks<'t> {
    chunks: std::slice::Iter<'t, [u8; 64]>,
    rest: Option<&'t [u8]>,
    /// Those that are still to be told of the octets that were looked at last, the lowest for the first.
    bits: u64,
    /// Where these octets begin.
    begun: usize,
    next: usize,
}

impl<'t> Breaks<'t> {
    /// All of them.
    #[inline(always)]
    pub fn of(text: &'t [u8]) -> Breaks<'t> {
        let (chunks, rest) = text.as_chunks::<64>();
        Breaks { chunks: chunks.iter(), rest: Some(rest), bits: 0, begun: 0, next: 0 }
    }

    #[inline(always)]
    fn look(&mut self) -> Option<u64> {
        if let Some(chunk) = self.chunks.next() {
            return Some(bits(chunk));
        }
        let mut last = [0; 64];
        last.iter_mut().zip(self.rest.take()?).for_each(|(to, from)| *to = *from);
        Some(bits(&last))
    }
}

impl Iterator for Breaks<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.bits = self.look()?;
            self.begun = self.next;
            self.next = self.next.saturating_add(64);
        }
        let at = self.begun.saturating_add(self.bits.trailing_zeros() as usize);
        self.bits &= self.bits.wrapping_sub(1);
        Some(at)
    }
}

/// A bit for each line break.
#[inline(always)]
fn bits(chunk: &[u8; 64]) -> u64 {
    chunk.as_chunks::<16>().0.iter().rev().fold(0, |bits, part| bits << 16 | u64::from(kind::breaks(part)))
}

#[cfg(target_arch = "x86_64")]
mod kind {
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set1_epi8};

    /// A bit for each line break, the lowest for the first octet.
    #[inline]
    pub fn breaks(octets: &[u8; 16]) -> u32 {
        // SAFETY: all processors of this kind have SSE2; any octets make such a vector.
        unsafe {
            let octets: __m128i = std::mem::transmute(*octets);
            _mm_movemask_epi8(_mm_cmpeq_epi8(octets, _mm_set1_epi8(b'\n'.cast_signed()))).cast_unsigned()
        }
    }
}

#[cfg(any(test, not(target_arch = "x86_64")))]
#[cfg_attr(target_arch = "x86_64", allow(dead_code, reason = "for the test that both kinds are one"))]
mod words {
    /// A bit for each line break, the lowest for the first octet.
    #[inline]
    pub fn breaks(octets: &[u8; 16]) -> u32 {
        octets.iter().rev().fold(0, |bits, octet| bits << 1 | u32::from(*octet == b'\n'))
    }
}

#[cfg(not(target_arch = "x86_64"))]
use words as kind;

#[cfg(test)]
mod tests {
    use super::{Breaks, kind, words};

    #[test]
    fn both_kinds_say_the_same_of_every_octet_in_every_place() {
        for at in 0..16 {
            for octet in 0..=255_u8 {
                let mut text = *b"Accept-Encoding2";
                text[at] = octet;
                assert_eq!(kind::breaks(&text), words::breaks(&text), "{octet} at {at}");
                assert_eq!(kind::breaks(&text) != 0, octet == b'\n');
            }
        }
    }

    #[test]
    fn breaks_are_found_wherever_they_stand() {
        for length in 0..200_usize {
            for step in 1..70 {
                for first in [0, 1, 63, 64, 65] {
                    let mut text = vec![b'a'; length];
                    text.iter_mut().skip(first).step_by(step).for_each(|octet| *octet = b'\n');
                    let wanted: Vec<usize> = (first..length).step_by(step).collect();
                    let mut breaks = Breaks::of(&text);
                    assert_eq!(breaks.by_ref().collect::<Vec<_>>(), wanted, "{length} {step} {first}");
                    assert_eq!(breaks.next(), None);
                }
            }
        }
    }
}
