//! Digests under a random key that lives no longer than its owner: they find a thing again without keeping it, and
//! nobody outside can choose things that fall together.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crypto::random;
use crate::error::{Error, ErrorKind};
use crate::ffi::os::taint;

/// Two words made one, for finding a place in a table: both halves of their product, so that each bit depends on all of
/// both. No secret is safe behind it.
pub fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a).wrapping_mul(u128::from(b));
    product as u64 ^ (product >> 64) as u64
}

/// HMAC-SHA-256 under a key. The key is wiped in the end.
pub struct Keyed(Hmac<Sha256>);

impl Keyed {
    /// Draws a key.
    pub fn draw() -> Result<Keyed, Error> {
        Keyed::with(&Zeroizing::new(random::bytes::<32>()?))
    }

    /// With a key that others have too.
    pub fn with(key: &[u8; 32]) -> Result<Keyed, Error> {
        let mac = Hmac::new_from_slice(key);
        mac.map(Keyed).map_err(|_| Error::new(ErrorKind::Internal, "HMAC takes keys of every length"))
    }

    /// The digest of a list of parts. Each goes in behind its length, so that no two lists read alike.
    pub fn digest<'p>(&self, parts: impl IntoIterator<Item = &'p [u8]>) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(&(part.len() as u64).to_le_bytes());
            taint::lend(part);
            mac.update(part);
            taint::take_back(part);
        }
        let mut digest: [u8; 32] = mac.finalize().into_bytes().into();
        // Without the key it says nothing, so that it may be looked for like anything else.
        taint::public(&mut digest);
        digest
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
}
