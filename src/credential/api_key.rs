//! API keys: `gp_`, 256 random bits in base64url, a checksum that tells a typing error from a stranger's key.
//!
//! The checksum is no secret and proves nothing. It saves a look-up, and lets scanners of source code recognise a
//! leaked key. What is stored is the SHA-256 of the whole key: 256 random bits need no slow hash.

use data_encoding::{BASE64URL_NOPAD, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::random;
use crate::error::Error;
use crate::ffi::os::taint;

/// What every key starts with.
pub const PREFIX: &str = "gp_";
/// Length of a key in characters: prefix, 43 characters of 32 random bytes, 6 of checksum.
pub const LENGTH: usize = PREFIX.len() + BODY + CHECK;

const BODY: usize = 43;
/// 36 bits: one typing error in 69 thousand million goes unnoticed (and is then an unknown key).
const CHECK: usize = 6;
/// Separates the checksum from every other use of SHA-256 over a key.
const DOMAIN: &[u8] = b"gatepost api key checksum 1\0";
const ALPHABET: Encoding = BASE64URL_NOPAD;

/// A fresh key: the secret that is shown once, and the digest that is stored.
pub struct Fresh {
    /// `gp_…`; only visible ASCII.
    pub secret: Zeroizing<String>,
    /// SHA-256 of the whole secret.
    pub digest: [u8; 32],
}

/// Makes a key.
pub fn generate() -> Result<Fresh, Error> {
    let random = Zeroizing::new(random::bytes::<32>()?);
    Ok(from_random(&random))
}

/// The digest under which a key is stored, or `None` where form or checksum are wrong. Until there is a digest, which
/// gives no key away, nothing takes a time or an address that depends on the key's letters.
pub fn digest(key: &str) -> Option<[u8; 32]> {
    let key: &[u8; LENGTH] = key.as_bytes().try_into().ok()?;
    if !key.starts_with(PREFIX.as_bytes()) {
        return None;
    }
    let mut key = Zeroizing::new(*key);
    taint::secret(key.as_mut());
    let (front, check) = key.split_at(LENGTH - CHECK);
    let mut fault = 0;
    let mut last = 0;
    for letter in front.iter().skip(PREFIX.len()) {
        last = sextet(*letter);
        fault |= last;
    }
    // The last letter holds four bits of the key; three others would stand for the same ones.
    fault = (fault >> 31) | (last & 3);
    let hash = checksum_hash(front);
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
    let mut digest: [u8; 32] = Sha256::digest(key.as_slice()).into();
    taint::public(&mut well_formed);
    taint::public(&mut digest);
    (well_formed == [1]).then_some(digest)
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

/// Where a key begins, so that one can be told from another in a list without giving it away: `gp_` and the first
/// four characters (24 of the 256 bits).
pub fn hint(key: &str) -> &str {
    key.get(..PREFIX.len() + 4).unwrap_or("")
}

fn from_random(random: &[u8; 32]) -> Fresh {
    // All room at once: growing would leave copies behind in freed memory.
    let mut secret = Zeroizing::new(String::with_capacity(LENGTH));
    secret.push_str(PREFIX);
    ALPHABET.encode_append(random, &mut secret);
    let check = checksum(&secret);
    secret.push_str(&check);
    let digest = Sha256::digest(secret.as_bytes()).into();
    Fresh { secret, digest }
}

fn checksum(front: &str) -> String {
    let mut text = ALPHABET.encode(&checksum_hash(front.as_bytes()));
    text.truncate(CHECK);
    text
}

fn checksum_hash(front: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(DOMAIN).chain_update(front).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    #[test]
    fn a_fresh_key_has_its_form_and_its_digest() {
        let fresh = generate().unwrap();
        assert_eq!(fresh.secret.len(), LENGTH);
        assert_eq!(LENGTH, 52);
        assert!(fresh.secret.starts_with("gp_"));
        assert!(fresh.secret.bytes().all(|b| LETTERS.contains(&b)));
        assert_eq!(digest(&fresh.secret), Some(fresh.digest));
        assert_eq!(fresh.digest, <[u8; 32]>::from(Sha256::digest(fresh.secret.as_bytes())));
        assert_ne!(fresh.digest, generate().unwrap().digest);
    }

    /// The form is stored and printed: it may never change.
    #[test]
    fn the_form_is_pinned() {
        let fresh = from_random(&[0; 32]);
        assert_eq!(fresh.secret.as_str(), "gp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD7wYzu");
        assert_eq!(hint(&fresh.secret), "gp_AAAA");
        assert_eq!(hint("gp_"), "");
    }

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

    #[test]
    fn any_one_changed_character_is_caught() {
        let key = generate().unwrap().secret;
        for at in 0..key.len() {
            for letter in 0..=127u8 {
                let mut changed = key.as_bytes().to_vec();
                if changed[at] == letter {
                    continue;
                }
                changed[at] = letter;
                assert_eq!(digest(std::str::from_utf8(&changed).unwrap()), None, "{at} {letter}");
            }
        }
    }

    #[test]
    fn any_two_swapped_characters_are_caught() {
        let key = generate().unwrap().secret;
        for a in 0..key.len() {
            for b in a + 1..key.len() {
                let mut changed = key.as_bytes().to_vec();
                changed.swap(a, b);
                if changed != key.as_bytes() {
                    assert_eq!(digest(std::str::from_utf8(&changed).unwrap()), None, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn other_lengths_and_surroundings_are_refused() {
        let key = generate().unwrap().secret;
        for at in 0..key.len() {
            assert_eq!(digest(&key[..at]), None);
            let mut shorter = key.to_string();
            shorter.remove(at);
            assert_eq!(digest(&shorter), None);
            let mut longer = key.to_string();
            longer.insert(at, 'A');
            assert_eq!(digest(&longer), None);
        }
        for text in [format!(" {}", *key), format!("{}\n", *key), key.to_uppercase(), format!("{}é", &key[..50])] {
            assert_eq!(digest(&text), None);
        }
    }

    proptest! {
        #[test]
        fn random_text_is_never_a_key(text in "(gp_)?[A-Za-z0-9_-]{49}|.{0,80}") {
            prop_assert_eq!(digest(&text), None);
        }

        #[test]
        fn every_random_value_gives_a_key_that_is_read_again(random: [u8; 32]) {
            let fresh = from_random(&random);
            prop_assert_eq!(digest(&fresh.secret), Some(fresh.digest));
        }
    }
}
