//! `$1$` (FreeBSD's md5-crypt) and `$apr1$` (Apache's): one algorithm with two marks. Weak: only to verify what others
//! made, until the first good login replaces it.

use md5::{Digest, Md5};

use super::same;
use super::text;
use crate::crypto::password::HashError;

/// How often the digest is run through again.
const ROUNDS: u32 = 1000;
/// Longest salt, octets.
const SALT: usize = 8;
/// In which order the digest is written.
const ORDER: [usize; 16] = [12, 6, 0, 13, 7, 1, 14, 8, 2, 15, 9, 3, 5, 10, 4, 11];

/// A stored hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Md5Crypt {
    mark: &'static str,
    salt: Vec<u8>,
    /// As written, out of order.
    output: [u8; 16],
}

impl Md5Crypt {
    /// Reads what follows the mark, `$1$` or `$apr1$`.
    pub(super) fn parse(mark: &'static str, rest: &str) -> Result<Md5Crypt, HashError> {
        let [salt, output] = text::parts(rest, '$').ok_or_else(|| text::malformed("it is not salt and output"))?;
        let salt = text::salt(salt)
            .filter(|salt| salt.len() <= SALT)
            .ok_or_else(|| text::malformed("its salt is longer than 8 characters"))?;
        let output = text::crypt64(output, 16)
            .and_then(|output| output.try_into().ok())
            .ok_or_else(|| text::malformed("its output is not 22 characters of crypt's base64"))?;
        Ok(Md5Crypt { mark, salt, output })
    }

    /// One that costs the same and matches nothing.
    pub(super) fn specimen(salt: u8) -> Md5Crypt {
        Md5Crypt { mark: "$apr1$", salt: vec![b'.'; usize::from(salt)], output: [0; 16] }
    }

    pub(super) fn salt_length(&self) -> u8 {
        u8::try_from(self.salt.len()).unwrap_or(u8::MAX)
    }

    pub(super) fn is_apache(&self) -> bool {
        self.mark == "$apr1$"
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let digest = self.digest(password);
        let mut written = [0; 16];
        for (to, from) in written.iter_mut().zip(ORDER) {
            *to = digest.get(from).copied().unwrap_or_default();
        }
        same(&mut written, &self.output)
    }

    fn digest(&self, password: &[u8]) -> [u8; 16] {
        let between = Md5::new().chain_update(password).chain_update(&self.salt).chain_update(password).finalize();
        let mut hasher = Md5::new();
        hasher.update(password);
        hasher.update(self.mark.as_bytes());
        hasher.update(&self.salt);
        for chunk in password.chunks(16) {
            hasher.update(between.get(..chunk.len()).unwrap_or_default());
        }
        // The bits of the length: a zero octet where set, else the password's first octet.
        let mut length = password.len();
        while length > 0 {
            let first = password.get(..1).unwrap_or_default();
            hasher.update(if length & 1 == 1 { &[0] } else { first });
            length >>= 1;
        }
        let mut digest = hasher.finalize();
        for round in 0..ROUNDS {
            let mut hasher = Md5::new();
            let odd = round & 1 == 1;
            hasher.update(if odd { password } else { &digest });
            if round % 3 != 0 {
                hasher.update(&self.salt);
            }
            if round % 7 != 0 {
                hasher.update(password);
            }
            hasher.update(if odd { &digest } else { password });
            digest = hasher.finalize();
        }
        digest.into()
    }
}
