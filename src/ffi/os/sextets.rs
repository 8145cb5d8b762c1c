//! Reads base64url thirty-two characters at a time, where the processor has AVX2.

pub use kind::decode;

#[cfg(target_arch = "x86_64")]
mod kind {
    use std::arch::x86_64::{
        __m256i, _mm256_add_epi8, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_madd_epi16, _mm256_maddubs_epi16,
        _mm256_or_si256, _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
        _mm256_setr_epi8, _mm256_setr_epi32, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi32,
        _mm256_testz_si256,
    };

    /// Reads whole groups of four characters into a room of three octets for each. False: one of them is foreign to the
    /// alphabet, and the room holds nothing of use. `None`: this processor cannot, or there are fewer than thirty-two.
    #[inline]
    pub fn decode(fours: &[u8], room: &mut [u8]) -> Option<bool> {
        let fits = fours.len() >= 32 && fours.len().is_multiple_of(4) && fours.len() / 4 * 3 == room.len();
        // SAFETY: the processor has what is needed.
        (fits && std::arch::is_x86_feature_detected!("avx2")).then(|| unsafe { decode_wide(fours, room) })
    }

    #[target_feature(enable = "avx2")]
    fn decode_wide(fours: &[u8], room: &mut [u8]) -> bool {
        let mut foreign = _mm256_setzero_si256();
        for (block, place) in fours.as_chunks::<32>().0.iter().zip(room.as_chunks_mut::<24>().0) {
            let (octets, also) = read(block);
            foreign = _mm256_or_si256(foreign, also);
            *place = octets;
        }
        // What is left with some of what was read.
        if let (Some(block), Some(place)) = (fours.last_chunk::<32>(), room.last_chunk_mut::<24>()) {
            let (octets, also) = read(block);
            foreign = _mm256_or_si256(foreign, also);
            *place = octets;
        }
        _mm256_testz_si256(foreign, foreign) == 1
    }

    /// The twenty-four octets that as many characters stand for, and where one is foreign a bit of it.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn read(block: &[u8; 32]) -> ([u8; 24], __m256i) {
        // SAFETY: any octets make such a vector.
        let characters: __m256i = unsafe { std::mem::transmute(*block) };
        let low = _mm256_and_si256(characters, _mm256_set1_epi8(15));
        let high = _mm256_and_si256(_mm256_srli_epi32::<4>(characters), _mm256_set1_epi8(15));
        // The alphabet is a few rows of the code table: what of a row is foreign has the row's bit.
        let row = twice([32, 32, 1, 2, 4, 8, 4, 16, 32, 32, 32, 32, 32, 32, 32, 32]);
        let foreign = twice([37, 33, 33, 33, 33, 33, 33, 33, 33, 33, 35, 59, 59, 58, 59, 51]);
        let foreign = _mm256_and_si256(_mm256_shuffle_epi8(row, high), _mm256_shuffle_epi8(foreign, low));
        // What a character is worth is so much more than its code, by its row; but for the underscore.
        let more = _mm256_shuffle_epi8(twice([0, 0, 17, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0]), high);
        let underscore = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8(b'_'.cast_signed()));
        let more = _mm256_add_epi8(more, _mm256_and_si256(underscore, _mm256_set1_epi8(33)));
        let sextets = _mm256_add_epi8(characters, more);
        // Twelve bits of two, twenty-four of four; then the octets in their order, and both halves side by side.
        let pairs = _mm256_maddubs_epi16(sextets, _mm256_set1_epi16(0x0140));
        let fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x0001_1000));
        let order = twice([2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1]);
        let halves = _mm256_shuffle_epi8(fours, order);
        let octets = _mm256_permutevar8x32_epi32(halves, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7));
        // SAFETY: and such a vector is octets.
        let octets: [u8; 32] = unsafe { std::mem::transmute(octets) };
        (octets.first_chunk().copied().unwrap_or_default(), foreign)
    }

    /// The same sixteen in both halves.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn twice([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]: [i8; 16]) -> __m256i {
        _mm256_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod kind {
    /// `None`: this processor cannot.
    #[inline]
    pub fn decode(_fours: &[u8], _room: &mut [u8]) -> Option<bool> {
        None
    }
}
