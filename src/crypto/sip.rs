//! SipHash-2-4 (Aumasson and Bernstein, 2012) under a random key: a fifth of the work of HMAC, for finding things again
//! in a table of this process. Without the key nobody can choose, or tell, what falls together. It has 64 bits, so it may
//! stand for a thing only where two that fall together by chance do no harm, and never for a secret.

use std::hash::{BuildHasher, Hasher};

use zeroize::Zeroizing;

use crate::crypto::random;
use crate::error::Error;

/// A key, which is wiped in the end.
pub struct Sip(Zeroizing<[u64; 2]>);

impl Sip {
    /// Draws a key.
    pub fn draw() -> Result<Sip, Error> {
        let half = || random::bytes::<8>().map(u64::from_le_bytes);
        Ok(Sip(Zeroizing::new([half()?, half()?])))
    }

    /// With a key that others have too, of which it takes half.
    pub fn with(key: &[u8; 32]) -> Sip {
        let (words, _) = key.as_chunks::<8>();
        let word = |at: usize| words.get(at).map_or(0, |octets| u64::from_le_bytes(*octets));
        Sip(Zeroizing::new([word(0), word(1)]))
    }

    /// The hash of these words and of the octets behind them.
    #[inline]
    pub fn hash(&self, words: &[u64], octets: &[u8]) -> u64 {
        let [k0, k1] = *self.0;
        let start = [0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573_u64];
        let [a, b, c, d] = start;
        let mut state = [a ^ k0, b ^ k1, c ^ k0, d ^ k1];
        let (chunks, rest) = octets.as_chunks::<8>();
        for word in words.iter().copied().chain(chunks.iter().map(|chunk| u64::from_le_bytes(*chunk))) {
            state = absorb(state, word);
        }
        // The length stands in the last octet, so that no text is another one with zeros behind it.
        let length = (words.len() * 8 + octets.len()) as u64;
        let rest = rest.iter().rev().fold(0, |rest, octet| rest << 8 | u64::from(*octet));
        let [a, b, c, d] = absorb(state, length << 56 | rest);
        let [a, b, c, d] = round(round(round(round([a, b, c ^ 0xff, d]))));
        a ^ b ^ c ^ d
    }
}

#[inline(always)]
fn absorb([a, b, c, d]: [u64; 4], word: u64) -> [u64; 4] {
    let [a, b, c, d] = round(round([a, b, c, d ^ word]));
    [a ^ word, b, c, d]
}

#[inline(always)]
fn round([a, b, c, d]: [u64; 4]) -> [u64; 4] {
    let (a, c) = (a.wrapping_add(b), c.wrapping_add(d));
    let (b, d) = (b.rotate_left(13) ^ a, d.rotate_left(16) ^ c);
    let (a, c) = (a.rotate_left(32).wrapping_add(d), c.wrapping_add(b));
    let (b, d) = (b.rotate_left(17) ^ c, d.rotate_left(21) ^ a);
    [a, b, c.rotate_left(32), d]
}

/// Never shows the key.
impl std::fmt::Debug for Sip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sip")
    }
}

/// Finds digests in a table by their own first octets: for what is a hash already, of which nobody chooses enough that
/// get into the table to make them fall together.
#[derive(Clone, Copy, Debug, Default)]
pub struct Itself(u64);

impl BuildHasher for Itself {
    type Hasher = Itself;

    fn build_hasher(&self) -> Itself {
        Itself(0)
    }
}

impl Hasher for Itself {
    fn write(&mut self, octets: &[u8]) {
        self.0 ^= octets.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    }

    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }

    /// The length of a digest, which all have in common.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The key of the paper's own example.
    fn example() -> Sip {
        Sip(Zeroizing::new([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]))
    }

    #[test]
    fn the_paper_s_own_example_comes_out() {
        let text: Vec<u8> = (0..15).collect();
        assert_eq!(example().hash(&[], &text), 0xa129_ca61_49be_45e5);
        assert_eq!(example().hash(&[0x0706_0504_0302_0100], &text[8..]), 0xa129_ca61_49be_45e5);
        assert_ne!(example().hash(&[], &text[..14]), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn each_has_a_key_of_its_own_and_shows_none() {
        let (one, other) = (Sip::draw().unwrap(), Sip::draw().unwrap());
        assert_eq!(one.hash(&[1], b"a"), one.hash(&[1], b"a"));
        assert_ne!(one.hash(&[1], b"a"), other.hash(&[1], b"a"));
        assert_ne!(one.hash(&[1], b"a"), one.hash(&[2], b"a"));
        assert_ne!(one.hash(&[1], b"a"), one.hash(&[1], b"a\0"));
        assert_eq!(format!("{one:?}"), "Sip");
    }

    #[test]
    fn a_digest_is_found_by_itself() {
        let digest: [u8; 32] = std::array::from_fn(|at| at as u8);
        assert_eq!(Itself::default().hash_one(digest), 0x0706_0504_0302_0100);
        assert_eq!(Itself::default().hash_one(77u64), 77);
        let mut other = digest;
        other[0] ^= 1;
        assert_ne!(Itself::default().hash_one(other), Itself::default().hash_one(digest));
    }

    proptest! {
        #[test]
        #[allow(deprecated, reason = "the standard library's own SipHash-2-4, by which ours is judged")]
        fn it_is_what_the_standard_library_computes(
            keys: [u64; 2], words in prop::collection::vec(any::<u64>(), 0..5), text in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut whole: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            whole.extend(&text);
            let mut reference = std::hash::SipHasher::new_with_keys(keys[0], keys[1]);
            reference.write(&whole);
            prop_assert_eq!(Sip(Zeroizing::new(keys)).hash(&words, &text), reference.finish());
        }
    }
}
