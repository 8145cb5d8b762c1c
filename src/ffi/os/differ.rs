//! What is different in two texts, with every octet of both read whatever stands before it: thirty-two at a time by the
//! processor's own means where it has them.

/// Zero where all octets that stand at one place are equal; for texts of one length. The compiler does not learn that only
/// zero matters, and so cannot stop early.
#[inline]
pub fn difference(one: &[u8], other: &[u8]) -> u8 {
    std::hint::black_box(kind::difference(one, other))
}

#[inline(always)]
fn each(one: &[u8], other: &[u8]) -> u8 {
    one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b))
}

#[cfg(target_arch = "x86_64")]
mod kind {
    use std::arch::x86_64::{__m256i, _mm256_or_si256, _mm256_setzero_si256, _mm256_testz_si256, _mm256_xor_si256};

    #[inline]
    pub fn difference(one: &[u8], other: &[u8]) -> u8 {
        if one.len() >= 64 && std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what is needed.
            return unsafe { wide(one, other) };
        }
        super::each(one, other)
    }

    #[target_feature(enable = "avx2")]
    fn wide(one: &[u8], other: &[u8]) -> u8 {
        let (ones, others) = (one.as_chunks::<32>().0, other.as_chunks::<32>().0);
        let mut seen = ones.iter().zip(others).fold(_mm256_setzero_si256(), |seen, (a, b)| either(seen, a, b));
        // Of the last thirty-two some are looked at once more.
        if let (Some(a), Some(b)) = (one.last_chunk(), other.last_chunk()) {
            seen = either(seen, a, b);
        }
        u8::from(_mm256_testz_si256(seen, seen) == 0)
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn either(seen: __m256i, a: &[u8; 32], b: &[u8; 32]) -> __m256i {
        // SAFETY: any octets make such vectors.
        let [a, b] = unsafe { std::mem::transmute::<[[u8; 32]; 2], [__m256i; 2]>([*a, *b]) };
        _mm256_or_si256(seen, _mm256_xor_si256(a, b))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod kind {
    pub use super::each as difference;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_octet_of_texts_of_any_length_counts_in_both_ways() {
        for length in 0..=200 {
            let one: Vec<u8> = (0..=255).cycle().take(length).collect();
            assert_eq!((difference(&one, &one.clone()), each(&one, &one.clone())), (0, 0), "{length}");
            for at in 0..length {
                let mut other = one.clone();
                other[at] ^= 1 << (at % 8);
                assert!(difference(&one, &other) != 0 && each(&one, &other) != 0, "{at} of {length}");
            }
        }
    }
}
