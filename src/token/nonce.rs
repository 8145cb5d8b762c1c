//! Nonces of DPoP (RFC 9449 section 9) that nobody has to store: a time, sealed under a secret that all processes of a
//! state share. One is good for the minute in which it was made and the one after it.

use data_encoding::BASE64URL_NOPAD;

use crate::crypto::compare;
use crate::crypto::keyed::Keyed;

/// Seconds for which all nonces are the same.
pub const SLOT: i64 = 60;

/// Octets of the time and of its seal.
const TIME: usize = 8;
const SEAL: usize = 16;

/// Makes nonces and knows them again.
#[derive(Debug)]
pub struct Nonces(Keyed);

/// A nonce that is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// When the first like it was made, Unix seconds.
    pub made_at: i64,
    /// There is a newer one.
    pub outdated: bool,
}

impl Nonces {
    /// Under this secret.
    pub fn new(secret: &[u8; 32]) -> Nonces {
        Nonces(Keyed::with(secret))
    }

    /// The nonce of this time, Unix seconds.
    pub fn at(&self, now: i64) -> String {
        let slot = now.div_euclid(SLOT);
        let mut octets = [0; TIME + SEAL];
        let parts = slot.to_be_bytes().into_iter().chain(self.seal(slot));
        octets.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        BASE64URL_NOPAD.encode(&octets)
    }

    /// A nonce that somebody here made, and not too long ago. A process whose clock is ahead may have made one of the
    /// minute that begins next.
    pub fn read(&self, nonce: &str, now: i64) -> Option<Known> {
        let octets = BASE64URL_NOPAD.decode(nonce.as_bytes()).ok().filter(|octets| octets.len() == TIME + SEAL)?;
        let (time, seal) = octets.split_first_chunk::<TIME>()?;
        let (slot, present) = (i64::from_be_bytes(*time), now.div_euclid(SLOT));
        let good = compare::equal(&mut self.seal(slot), seal) && slot.abs_diff(present) <= 1;
        good.then(|| Known { made_at: slot.saturating_mul(SLOT), outdated: slot < present })
    }

    fn seal(&self, slot: i64) -> [u8; SEAL] {
        let whole = self.0.digest([b"dpop nonce".as_slice(), &slot.to_be_bytes()]);
        whole.first_chunk().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The first second of a slot.
    const NOW: i64 = 1_790_000_040;

    fn nonces(byte: u8) -> Nonces {
        Nonces::new(&[byte; 32])
    }

    #[test]
    fn a_nonce_is_good_for_its_minute_and_the_next_one() {
        let own = nonces(1);
        let nonce = own.at(NOW);
        assert_eq!(nonce, own.at(NOW + SLOT - 1));
        assert_ne!(nonce, own.at(NOW + SLOT));
        for (later, outdated) in [
            (0, Some(false)),
            (59, Some(false)),
            (60, Some(true)),
            (119, Some(true)),
            (120, None),
            (-1, Some(false)),
            (-61, None),
        ] {
            let wanted = outdated.map(|outdated| Known { made_at: NOW, outdated });
            assert_eq!(own.read(&nonce, NOW + later), wanted, "{later}");
        }
        // RFC 9449 section 8.1: NQCHAR.
        assert!(nonce.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)), "{nonce}");
    }

    #[test]
    fn every_process_with_the_secret_knows_it_and_no_other() {
        let nonce = nonces(1).at(NOW);
        assert!(nonces(1).read(&nonce, NOW).is_some());
        assert_eq!(nonces(2).read(&nonce, NOW), None);
    }

    proptest! {
        #[test]
        fn a_nonce_that_was_changed_is_none(at in 0..32usize, to in "[A-Za-z0-9_=+./ -]") {
            let own = nonces(1);
            let mut nonce = own.at(NOW);
            prop_assume!(nonce[at..=at] != to);
            nonce.replace_range(at..=at, &to);
            prop_assert_eq!(own.read(&nonce, NOW), None);
        }

        #[test]
        fn any_text_is_read(nonce: String, now: i64) {
            prop_assert_eq!(nonces(1).read(&nonce, now), None);
            let own = nonces(1).at(now);
            prop_assert!(nonces(1).read(&own, now).is_some());
        }
    }
}
