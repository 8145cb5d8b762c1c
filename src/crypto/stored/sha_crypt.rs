//! `$5$` and `$6$`: sha256-crypt and sha512-crypt, as crypt(3) of GNU systems has them.

use super::same;
use super::text;
use crate::crypto::password::HashError;

/// Rounds where a hash names none.
const USUAL: u32 = 5000;
/// Fewest rounds.
pub(super) const FEWEST: u32 = 1000;
/// Most rounds that are run, about a second: the algorithm allows 999,999,999.
const MOST: u32 = 1_000_000;
/// Longest salt, octets.
const SALT: usize = 16;
/// In which order the digests are written.
const ORDER_256: [usize; 32] = [
    20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28, 18, 29, 19, 9, 30,
    31,
];
const ORDER_512: [usize; 64] = [
    42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8, 50, 51, 30, 9, 10,
    52, 31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58, 37, 38, 17, 59, 60, 39, 18, 19, 61, 40,
    41, 20, 62, 63,
];

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Size {
    /// `$5$`.
    Sha256,
    /// `$6$`.
    Sha512,
}

/// A stored hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ShaCrypt {
    pub(super) size: Size,
    pub(super) rounds: u32,
    salt: Vec<u8>,
    /// As written, out of order.
    output: Vec<u8>,
}

impl Size {
    fn octets(self) -> usize {
        match self {
            Size::Sha256 => 32,
            Size::Sha512 => 64,
        }
    }

    fn order(self) -> &'static [usize] {
        match self {
            Size::Sha256 => &ORDER_256,
            Size::Sha512 => &ORDER_512,
        }
    }
}

impl ShaCrypt {
    /// Reads what follows `$5$` or `$6$`.
    pub(super) fn parse(size: Size, rest: &str) -> Result<ShaCrypt, HashError> {
        let (rounds, rest) = match rest.strip_prefix("rounds=") {
            Some(rest) => rest
                .split_once('$')
                .and_then(|(rounds, rest)| Some((text::number(rounds)?, rest)))
                .ok_or_else(|| text::malformed("its rounds are no number"))?,
            None => (USUAL, rest),
        };
        let rounds = within(rounds)?;
        let [salt, output] = text::parts(rest, '$').ok_or_else(|| text::malformed("it is not salt and output"))?;
        let salt = text::salt(salt)
            .filter(|salt| salt.len() <= SALT && !salt.contains(&b':'))
            .ok_or_else(|| text::malformed("its salt is not of up to 16 characters"))?;
        let output = text::crypt64(output, size.octets())
            .ok_or_else(|| text::malformed("its output is not of its length in crypt's base64"))?;
        Ok(ShaCrypt { size, rounds, salt, output })
    }

    /// One that costs the same and matches nothing.
    pub(super) fn specimen(size: Size, rounds: u32, salt: u8) -> ShaCrypt {
        ShaCrypt { size, rounds, salt: vec![b'.'; usize::from(salt)], output: vec![0; size.octets()] }
    }

    pub(super) fn salt_length(&self) -> u8 {
        u8::try_from(self.salt.len()).unwrap_or(u8::MAX)
    }

    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        let params = sha_crypt::Params::new(self.rounds).map_err(|_| text::malformed("its rounds are not possible"))?;
        let digest = match self.size {
            Size::Sha256 => sha_crypt::sha256_crypt(password, &self.salt, params).to_vec(),
            Size::Sha512 => sha_crypt::sha512_crypt(password, &self.salt, params).to_vec(),
        };
        let mut written: Vec<u8> =
            self.size.order().iter().map(|from| digest.get(*from).copied().unwrap_or_default()).collect();
        Ok(same(&mut written, &self.output))
    }
}

/// Rounds within the caps.
pub(super) fn within(rounds: u32) -> Result<u32, HashError> {
    match rounds {
        FEWEST..=MOST => Ok(rounds),
        0..FEWEST => Err(text::malformed("it has fewer than 1,000 rounds, which no program makes")),
        _ => Err(text::too_dear(&format!("{rounds} rounds, and the most is 1,000,000"))),
    }
}
