//! API keys: `gp_`, 256 random bits, a checksum.

pub use super::drawn::Fresh;

use super::drawn::Form;
use crate::error::Error;

/// What every key starts with.
pub const PREFIX: &str = "gp_";
/// Length of a key in characters: prefix, 43 characters of 32 random bytes, 6 of checksum.
pub const LENGTH: usize = FORM.length();

const FORM: Form = Form { prefix: PREFIX, domain: b"gatepost api key checksum 1\0" };

/// Makes a key.
pub fn generate() -> Result<Fresh, Error> {
    FORM.generate()
}

/// The digest under which a key is stored, or `None` where form or checksum are wrong.
pub fn digest(key: &str) -> Option<[u8; 32]> {
    FORM.digest::<LENGTH>(key)
}

/// The digest of what has a key's length and beginning; the checksum is not looked at. Good for finding a key that is
/// known to be one: whatever has its digest is that key.
pub fn unchecked_digest(key: &str) -> Option<[u8; 32]> {
    FORM.unchecked_digest::<LENGTH>(key)
}

/// Where a key begins, so that one can be told from another in a list without giving it away: `gp_` and the first
/// four characters (24 of the 256 bits).
pub fn hint(key: &str) -> &str {
    key.get(..PREFIX.len() + 4).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    #[test]
    fn a_fresh_key_has_its_form_and_its_digest() {
        let fresh = generate().unwrap();
        assert_eq!(fresh.secret.len(), LENGTH);
        assert_eq!(LENGTH, 52);
        assert!(fresh.secret.starts_with("gp_"));
        assert!(fresh.secret.bytes().all(|b| LETTERS.contains(&b)));
        assert_eq!(digest(&fresh.secret), Some(fresh.digest));
        assert_eq!(unchecked_digest(&fresh.secret), Some(fresh.digest));
        assert_eq!(fresh.digest, <[u8; 32]>::from(Sha256::digest(fresh.secret.as_bytes())));
        assert_ne!(fresh.digest, generate().unwrap().digest);
    }

    /// The form is stored and printed: it may never change.
    #[test]
    fn the_form_is_pinned() {
        let fresh = FORM.of_random(&[0; 32]);
        assert_eq!(fresh.secret.as_str(), "gp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD7wYzu");
        assert_eq!(hint(&fresh.secret), "gp_AAAA");
        assert_eq!(hint("gp_"), "");
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
                let changed = std::str::from_utf8(&changed).unwrap();
                assert_eq!(digest(changed), None, "{at} {letter}");
                assert_ne!(unchecked_digest(changed), digest(&key), "{at} {letter}");
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
            assert_eq!((digest(&key[..at]), unchecked_digest(&key[..at])), (None, None));
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
            let fresh = FORM.of_random(&random);
            prop_assert_eq!(digest(&fresh.secret), Some(fresh.digest));
        }
    }
}
