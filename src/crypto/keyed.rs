//! Digests under a random key that lives no longer than its owner: they find a thing again without keeping it, and
//! nobody outside can choose things that fall together.

use zeroize::{Zeroize, Zeroizing};

use crate::crypto::random;
use crate::crypto::sha256::{self, BLOCK, State, Text};
use crate::error::Error;
use crate::ffi::os::taint;

/// Two words made one, for finding a place in a table: both halves of their product, so that each bit depends on all of
/// both. No secret is safe behind it.
pub fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    product as u64 ^ (product >> 64) as u64
}

/// HMAC-SHA-256 (RFC 2104) under a key, or half of it ([`Keyed::inward`]), prepared. It is wiped in the end.
pub struct Keyed {
    inner: State,
    outer: State,
}

impl Keyed {
    /// Draws a key.
    pub fn draw() -> Result<Keyed, Error> {
        Ok(Keyed::with(&Zeroizing::new(random::bytes::<32>()?)))
    }

    /// With a key that others have too.
    pub fn with(key: &[u8; 32]) -> Keyed {
        let behind = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK]);
            block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            sha256::after(&block)
        };
        Keyed { inner: behind(0x36), outer: behind(0x5c) }
    }

    /// The digest of a list of parts. Each goes in behind its length, so that no two lists read alike.
    #[inline]
    pub fn digest<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
        let mut inner = Text::behind(&self.inner);
        for part in parts {
            inner.add(&(part.len() as u64).to_le_bytes());
            taint::lend(part);
            inner.add(part);
            taint::take_back(part);
        }
        let mut outer = Text::behind(&self.outer);
        outer.add(&inner.end());
        let mut digest = outer.end();
        // Without the key it says nothing, so that it may be looked for like anything else.
        taint::public(&mut digest);
        digest
    }

    /// The digest of one text, for a key that is used for nothing else and a digest that nobody outside is shown: SHA-256
    /// from behind the key on, in half the work. The length stands before the text, so that no text begins another, and of
    /// such texts this is as good as HMAC (Bellare, Canetti and Krawczyk, "Pseudorandom functions revisited", 1996: the
    /// cascade of a compression function, for prefix-free texts).
    #[inline]
    pub fn inward(&self, text: &[u8]) -> [u8; 32] {
        let mut inner = Text::behind(&self.inner);
        inner.add(&(text.len() as u64).to_le_bytes());
        taint::lend(text);
        inner.add(text);
        taint::take_back(text);
        let mut digest = inner.end();
        taint::public(&mut digest);
        digest
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// Never shows the key.
impl std::fmt::Debug for Keyed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hmac::{Hmac, KeyInit, Mac};
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    fn digest(keyed: &Keyed, parts: &[&str]) -> [u8; 32] {
        keyed.digest(parts.iter().map(|part| part.as_bytes()))
    }

    #[test]
    fn no_two_lists_of_parts_read_alike() {
        let keyed = Keyed::draw().unwrap();
        let lists: [&[&str]; 8] =
            [&[], &[""], &["", ""], &["ab", "c"], &["a", "bc"], &["abc"], &["abc", ""], &["", "abc"]];
        let digests: std::collections::BTreeSet<_> = lists.iter().map(|list| digest(&keyed, list)).collect();
        assert_eq!(digests.len(), lists.len());
        assert_eq!(digest(&keyed, &["ab", "c"]), digest(&keyed, &["ab", "c"]));
    }

    #[test]
    fn each_has_a_key_of_its_own_and_shows_none() {
        let (one, other) = (Keyed::draw().unwrap(), Keyed::draw().unwrap());
        assert_ne!(digest(&one, &["a"]), digest(&other, &["a"]));
        assert_eq!(format!("{one:?}"), "Keyed");
    }

    proptest! {
        #[test]
        fn inward_it_is_sha_256_behind_the_key_and_the_length(key: [u8; 32], text in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut block = [0x36; BLOCK];
            block.iter_mut().zip(key).for_each(|(octet, key)| *octet ^= key);
            let mut whole = Sha256::new_with_prefix(block);
            whole.update((text.len() as u64).to_le_bytes());
            whole.update(&text);
            prop_assert_eq!(Keyed::with(&key).inward(&text), <[u8; 32]>::from(whole.finalize()));
        }

        #[test]
        fn it_is_hmac_as_its_crate_computes_it(
            key: [u8; 32], parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..90), 0..5),
        ) {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            for part in &parts {
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part);
            }
            let wanted = <[u8; 32]>::from(mac.finalize().into_bytes());
            prop_assert_eq!(Keyed::with(&key).digest(parts.iter().map(Vec::as_slice)), wanted);
        }
    }
}
