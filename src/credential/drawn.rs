//! Secrets that the engine draws itself: a prefix, 256 random bits in base64url, a checksum that tells a typing error
//! from a stranger's secret.
//!
//! The checksum is no secret and proves nothing. It saves a look-up, and lets scanners of source code recognise a
//! leaked secret. What is stored is the SHA-256 of the whole text: 256 random bits need no slow hash.

use data_encoding::{BASE64URL_NOPAD, Encoding};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::{random, sha256};
use crate::error::Error;
use crate::ffi::os::taint;

/// Characters of 32 random bytes.
const BODY: usize = 43;
/// 36 bits: one typing error in 69 thousand million goes unnoticed (and is then an unknown secret).
const CHECK: usize = 6;
const ALPHABET: Encoding = BASE64URL_NOPAD;

/// A fresh secret: what is shown once, and the digest that is stored.
pub struct Fresh {
    /// Prefix, random bits, checksum; only visible ASCII.
    pub secret: Zeroizing<String>,
    /// SHA-256 of the whole secret.
    pub digest: [u8; 32],
}

/// What secrets of one kind begin with, and what keeps their checksum apart from every other use of SHA-256 over them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    pub prefix: &'static str,
    pub domain: &'static [u8],
}

impl Form {
    /// Characters of a secret.
    pub const fn length(&self) -> usize {
        self.prefix.len() + BODY + CHECK
    }

    /// Makes a secret.
    pub fn generate(&self) -> Result<Fresh, Error> {
        let random = Zeroizing::new(random::bytes::<32>()?);
        Ok(self.of_random(&random))
    }

    pub fn of_random(&self, random: &[u8; 32]) -> Fresh {
        // All room at once: growing would leave copies behind in freed memory.
        let mut secret = Zeroizing::new(String::with_capacity(self.length()));
        secret.push_str(self.prefix);
        ALPHABET.encode_append(random, &mut secret);
        let mut check = ALPHABET.encode(&checksum(self.domain, secret.as_bytes()));
        check.truncate(CHECK);
        secret.push_str(&check);
        let digest = sha256::digest(&[secret.as_bytes()]);
        Fresh { secret, digest }
    }

    /// The text, where it has the length and the beginning of a secret of `N` characters.
    fn text<const N: usize>(&self, text: &str) -> Option<Zeroizing<[u8; N]>> {
        let text: &[u8; N] = text.as_bytes().try_into().ok()?;
        if N != self.length() || !text.starts_with(self.prefix.as_bytes()) {
            return None;
        }
        let mut text = Zeroizing::new(*text);
        taint::secret(text.as_mut());
        Some(text)
    }

    /// The digest under which such a text would be stored.
    pub fn unchecked_digest<const N: usize>(&self, text: &str) -> Option<[u8; 32]> {
        let mut digest = sha256::digest(&[self.text::<N>(text)?.as_slice()]);
        taint::public(&mut digest);
        Some(digest)
    }

    /// The digest under which a secret of `N` characters is stored, or `None` where form or checksum are wrong. Until there
    /// is a digest, which gives no secret away, nothing takes a time or an address that depends on its letters.
    pub fn digest<const N: usize>(&self, text: &str) -> Option<[u8; 32]> {
        let text = self.text::<N>(text)?;
        let (front, check) = text.split_at_checked(N.checked_sub(CHECK)?)?;
        let mut fault = 0;
        let mut last = 0;
        for letter in front.iter().skip(self.prefix.len()) {
            last = sextet(*letter);
            fault |= last;
        }
        // The last letter holds four bits of the secret; three others would stand for the same ones.
        fault = (fault >> 31) | (last & 3);
        let hash = checksum(self.domain, front);
        let [a, b, c, d, e, ..] = hash;
        let wanted = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]) >> 4;
        let mut found = 0;
        for letter in check {
            let value = sextet(*letter);
            fault |= value >> 31;
            found = (found << 6) | u64::from(value.cast_unsigned() & 63);
        }
        let differs = wanted ^ found;
        let mut well_formed = [(u64::from(fault.cast_unsigned()) | differs).ct_eq(&0).unwrap_u8()];
        let mut digest = sha256::digest(&[text.as_slice()]);
        taint::public(&mut well_formed);
        taint::public(&mut digest);
        (well_formed == [1]).then_some(digest)
    }
}

/// The six bits that a letter of base64url stands for, or -1: in arithmetic, since a table would be asked at an address
/// that tells the letter.
fn sextet(letter: u8) -> i32 {
    // As a number of which the compiler knows nothing: from one that it knows to be small it makes comparisons, and of
    // these branches.
    let letter = std::hint::black_box(i32::from(letter));
    let from = |value: i32| letter.wrapping_sub(value);
    // All ones where the letter is strictly between the two.
    let between = |low: u8, high: u8| (from(i32::from(low)).wrapping_neg() & from(i32::from(high))) >> 8;
    let upper = between(b'A' - 1, b'Z' + 1) & from(i32::from(b'A') - 1);
    let lower = between(b'a' - 1, b'z' + 1) & from(i32::from(b'a') - 27);
    let digit = between(b'0' - 1, b'9' + 1) & from(i32::from(b'0') - 53);
    let minus = between(b'-' - 1, b'-' + 1) & 63;
    let line = between(b'_' - 1, b'_' + 1) & 64;
    (upper | lower | digit | minus | line).wrapping_sub(1)
}

fn checksum(domain: &[u8], front: &[u8]) -> [u8; 32] {
    sha256::digest(&[domain, front])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    #[test]
    fn letters_are_read_as_base64url_has_them() {
        let mut good = 0;
        for letter in 0..=255u8 {
            let known = LETTERS.iter().position(|other| *other == letter);
            assert_eq!(sextet(letter), known.map_or(-1, |at| i32::try_from(at).unwrap()), "{letter}");
            good += usize::from(known.is_some());
        }
        assert_eq!(good, 64);
    }
}
