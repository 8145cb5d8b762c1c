//! bcrypt: `$2a$`, `$2b$` and `$2y$`, alone or as Django and passlib wrap them. A password over 72 octets is verified
//! as the hash was made, by its first 72; the first good login replaces the hash by one of the whole password.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::same;
use super::text;
use crate::crypto::password::HashError;

/// Highest cost that is run, about two seconds.
const HIGHEST: u32 = 15;
/// Lowest cost of the algorithm.
const LOWEST: u32 = 4;
/// What bcrypt looks at, octets.
const LOOKED_AT: usize = 72;
/// Octets of the output.
const OUTPUT: usize = 23;

/// What is done to the password first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing.
    Nothing,
    /// SHA-256 in hexadecimal: Django's bcrypt_sha256.
    HexSha256,
    /// SHA-256 in base64: passlib's bcrypt_sha256, version 1.
    Base64Sha256,
    /// HMAC-SHA-256 under the text of the salt, in base64: passlib's bcrypt_sha256, version 2.
    Base64Hmac(String),
}

/// A stored hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bcrypt {
    pub(super) cost: u32,
    pub(super) before: Before,
    salt: [u8; 16],
    output: [u8; OUTPUT],
}

impl Bcrypt {
    /// Reads `$2b$10$…`.
    pub(super) fn parse(stored: &str, before: Before) -> Result<Bcrypt, HashError> {
        let ["", mark, cost, rest] = text::parts(stored, '$').ok_or_else(shape)? else { return Err(shape()) };
        match mark {
            "2a" | "2b" | "2y" => {}
            "2x" => {
                return Err(text::unsupported(
                    "the stored password hash is $2x$, made by a bcrypt that took different passwords for the same; set a new password",
                ));
            }
            "2" => {
                return Err(text::unsupported(
                    "the stored password hash is of the first bcrypt, $2$; set a new password",
                ));
            }
            _ => return Err(shape()),
        }
        let (salt, output) = rest.split_at_checked(22).ok_or_else(shape)?;
        let two_digits = cost.len() == 2 && cost.bytes().all(|b| b.is_ascii_digit());
        let cost = two_digits.then(|| cost.parse().ok()).flatten();
        Bcrypt::of_parts(cost, salt, output, before)
    }

    /// Reads what follows `$bcrypt-sha256$`: `2b,12$salt$output` or `v=2,t=2b,r=12$salt$output`.
    pub(super) fn parse_passlib(rest: &str) -> Result<Bcrypt, HashError> {
        let [settings, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let (cost, before) = match settings.strip_prefix("v=2,t=2b,r=") {
            Some(cost) => (cost, Before::Base64Hmac(salt.to_owned())),
            None => {
                let cost = settings.strip_prefix("2b,").or_else(|| settings.strip_prefix("2a,"));
                (cost.ok_or_else(shape)?, Before::Base64Sha256)
            }
        };
        Bcrypt::of_parts(text::number(cost), salt, output, before)
    }

    fn of_parts(cost: Option<u32>, salt: &str, output: &str, before: Before) -> Result<Bcrypt, HashError> {
        let cost = within(cost.ok_or_else(shape)?)?;
        let salt = text::bcrypt64(salt, true).ok_or_else(shape)?;
        let output = text::bcrypt64(output, false).ok_or_else(shape)?;
        Ok(Bcrypt { cost, before, salt, output })
    }

    /// One that costs the same and matches nothing.
    pub(super) fn specimen(cost: u32) -> Bcrypt {
        Bcrypt { cost, before: Before::Nothing, salt: [0; 16], output: [0; OUTPUT] }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut key = Zeroizing::new([0u8; LOOKED_AT]);
        let prepared = self.prepare(password);
        for (to, from) in key.iter_mut().zip(prepared.iter()) {
            *to = *from;
        }
        let used = prepared.len().saturating_add(1).min(LOOKED_AT);
        let mut digest = bcrypt::bcrypt(self.cost, self.salt, key.get(..used).unwrap_or(&[0]));
        same(digest.get_mut(..OUTPUT).unwrap_or_default(), &self.output)
    }

    fn prepare(&self, password: &[u8]) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match &self.before {
            Before::Nothing => password.to_vec(),
            Before::HexSha256 => HEXLOWER.encode(&Sha256::digest(password)).into_bytes(),
            Before::Base64Sha256 => BASE64.encode(&Sha256::digest(password)).into_bytes(),
            Before::Base64Hmac(salt) => {
                // A key of any length is one; the empty answer matches nothing.
                Hmac::<Sha256>::new_from_slice(salt.as_bytes())
                    .map(|mac| BASE64.encode(&mac.chain_update(password).finalize().into_bytes()).into_bytes())
                    .unwrap_or_default()
            }
        })
    }
}

/// A cost within the caps.
pub(super) fn within(cost: u32) -> Result<u32, HashError> {
    match cost {
        LOWEST..=HIGHEST => Ok(cost),
        0..LOWEST | 32.. => Err(text::malformed("its cost is not within 4 to 31")),
        _ => Err(text::too_dear(&format!("bcrypt of cost {cost}, and the highest is {HIGHEST}"))),
    }
}

fn shape() -> HashError {
    text::malformed(
        "it is not a mark, two digits of cost, 22 characters of salt and 31 of output, as bcrypt writes them",
    )
}
