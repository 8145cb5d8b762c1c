//! Texts that are kept sealed under a key that somebody else has: whoever reads the store reads nothing.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crypto::random;
use crate::error::{Error, ErrorKind};

/// AES-256-GCM under a key that is made of a secret.
pub struct Seal(LessSafeKey);

impl Seal {
    /// Of a secret of at least 128 random bits, for one purpose: other purposes make other keys.
    pub fn of(secret: &[u8], purpose: &[u8]) -> Result<Seal, Error> {
        let failed = || Error::new(ErrorKind::Internal, "no key could be made of a secret");
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).map_err(|_| failed())?;
        let key = Zeroizing::new(<[u8; 32]>::from(mac.chain_update(purpose).finalize().into_bytes()));
        Ok(Seal(LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| failed())?)))
    }

    /// The text, readable for this key together with `bound` alone.
    pub fn close(&self, bound: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
        let nonce = random::bytes::<NONCE_LEN>()?;
        let mut sealed = nonce.to_vec();
        let mut body = text.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound), &mut body)
            .map_err(|_| Error::new(ErrorKind::Internal, "a text could not be sealed"))?;
        sealed.append(&mut body);
        Ok(sealed)
    }

    /// The text again; `None` where it was sealed otherwise or changed.
    pub fn open(&self, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.0.open_in_place(nonce, Aad::from(bound), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

/// Never shows the key.
impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_secret_purpose_and_surroundings_open_a_seal() {
        let seal = Seal::of(b"a secret", b"purpose").unwrap();
        let sealed = seal.close(b"here", b"text").unwrap();
        assert!(!sealed.windows(4).any(|window| window == b"text"));
        assert_eq!(seal.open(b"here", &sealed).unwrap().as_slice(), b"text");
        assert_eq!(Seal::of(b"a secret", b"purpose").unwrap().open(b"here", &sealed).unwrap().as_slice(), b"text");
        assert_ne!(seal.close(b"here", b"text").unwrap(), sealed, "a nonce of its own each time");
        assert!(seal.open(b"there", &sealed).is_none());
        assert!(Seal::of(b"another", b"purpose").unwrap().open(b"here", &sealed).is_none());
        assert!(Seal::of(b"a secret", b"other").unwrap().open(b"here", &sealed).is_none());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(seal.open(b"here", &changed).is_none(), "{at}");
            assert!(seal.open(b"here", &sealed[..at]).is_none(), "{at}");
        }
        assert_eq!(format!("{seal:?}"), "Seal");
    }
}
