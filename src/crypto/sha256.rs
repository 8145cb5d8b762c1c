//! SHA-256 of what is short, by the block: the hashers of its crate are made for streams, and for a block or two what
//! they do around it costs as much as the hashing. What was hashed is wiped.

use sha2::block_api::compress256;
use zeroize::{Zeroize, zeroize_bytes};

/// Octets that are hashed at once.
pub const BLOCK: usize = 64;
/// A hash on its way.
pub type State = [u32; 8];

/// Where it begins: the first 32 bits of the fractional parts of the square roots of the first eight primes.
const START: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The digest of these parts as one text.
pub fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut text = Text::new();
    parts.iter().for_each(|part| text.add(part));
    text.end()
}

/// The state behind one whole block.
pub fn after(block: &[u8; BLOCK]) -> State {
    let mut state = START;
    compress256(&mut state, std::slice::from_ref(block));
    state
}

/// A text that is being hashed.
pub struct Text {
    state: State,
    /// Octets that wait for a whole block; behind them zeros.
    block: [u8; BLOCK],
    waiting: usize,
    /// Octets in whole blocks before.
    before: u64,
}

impl Text {
    /// The beginning.
    pub fn new() -> Text {
        Text::from(START, 0)
    }

    /// What goes on behind one whole block.
    pub fn behind(state: &State) -> Text {
        Text::from(*state, BLOCK as u64)
    }

    fn from(state: State, before: u64) -> Text {
        Text { state, block: [0; BLOCK], waiting: 0, before }
    }

    /// More of it.
    #[inline]
    pub fn add(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let free = self.block.get_mut(self.waiting..).unwrap_or_default();
            let (now, later) = text.split_at_checked(free.len()).unwrap_or((text, &[]));
            if let Some(place) = free.get_mut(..now.len()) {
                place.copy_from_slice(now);
            }
            self.waiting += now.len();
            if self.waiting == BLOCK {
                self.compress();
            }
            text = later;
        }
    }

    /// The digest.
    #[inline]
    pub fn end(mut self) -> [u8; 32] {
        let length = (self.before + self.waiting as u64) << 3;
        if let Some(next) = self.block.get_mut(self.waiting) {
            *next = 0x80;
        }
        if self.waiting >= BLOCK - 8 {
            self.compress();
        }
        if let Some(last) = self.block.last_chunk_mut() {
            *last = length.to_be_bytes();
        }
        compress256(&mut self.state, std::slice::from_ref(&self.block));
        let mut digest = [0; 32];
        digest.as_chunks_mut().0.iter_mut().zip(&self.state).for_each(|(octets, word)| *octets = word.to_be_bytes());
        digest
    }

    fn compress(&mut self) {
        compress256(&mut self.state, std::slice::from_ref(&self.block));
        self.block = [0; BLOCK];
        self.waiting = 0;
        self.before += BLOCK as u64;
    }
}

impl Default for Text {
    fn default() -> Text {
        Text::new()
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        zeroize_bytes(&mut self.block);
        self.state.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn every_length_around_a_block_is_what_the_crate_computes() {
        let text: Vec<u8> = (0..300).map(|at| (at % 251) as u8).collect();
        for length in 0..text.len() {
            let text = &text[..length];
            let wanted = <[u8; 32]>::from(Sha256::digest(text));
            assert_eq!(digest(&[text]), wanted, "{length}");
            for cut in [0, 1, 55, 56, 63, 64, 65] {
                let (one, two) = text.split_at(cut.min(length));
                assert_eq!(digest(&[one, &[], two]), wanted, "{length} cut at {cut}");
            }
        }
    }

    #[test]
    fn what_follows_a_whole_block_is_one_text_with_it() {
        let block: [u8; BLOCK] = std::array::from_fn(|at| at as u8);
        let mut text = Text::behind(&after(&block));
        text.add(b"and more");
        assert_eq!(text.end(), digest(&[&block, b"and more"]));
        assert_ne!(digest(&[&block, b"and more"]), digest(&[b"and more"]));
    }

    proptest! {
        #[test]
        fn any_parts_are_hashed_as_one_text(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 0..6)) {
            let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(digest(&slices), <[u8; 32]>::from(Sha256::digest(parts.concat())));
        }
    }
}
