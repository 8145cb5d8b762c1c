//! `{SHA}` and `{SSHA}`: SHA-1 of the password, without and with a salt (RFC 2307, htpasswd -s, nginx). They cost a
//! guesser nothing: only to verify what others made, until the first good login replaces it.

use sha1::{Digest, Sha1};

use super::same;
use super::text::{self, LONGEST_SALT};
use crate::crypto::password::HashError;

const OUTPUT: usize = 20;

/// A stored hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlainSha1 {
    output: [u8; OUTPUT],
    salt: Vec<u8>,
}

impl PlainSha1 {
    /// Reads what follows `{SHA}`.
    pub(super) fn parse_unsalted(rest: &str) -> Result<PlainSha1, HashError> {
        let output = text::base64_padded(rest)
            .and_then(|octets| octets.try_into().ok())
            .ok_or_else(|| text::malformed("what follows {SHA} is not base64 of 20 octets"))?;
        Ok(PlainSha1 { output, salt: Vec::new() })
    }

    /// Reads what follows `{SSHA}`.
    pub(super) fn parse_salted(rest: &str) -> Result<PlainSha1, HashError> {
        let wrong = || text::malformed("what follows {SSHA} is not base64 of 20 octets and a salt");
        let octets = text::base64_padded(rest).ok_or_else(wrong)?;
        let (output, salt) = octets.split_first_chunk::<OUTPUT>().ok_or_else(wrong)?;
        if salt.is_empty() || salt.len() > LONGEST_SALT {
            return Err(wrong());
        }
        Ok(PlainSha1 { output: *output, salt: salt.to_vec() })
    }

    /// One that costs the same and matches nothing.
    pub(super) fn specimen() -> PlainSha1 {
        PlainSha1 { output: [0; OUTPUT], salt: Vec::new() }
    }

    pub(super) fn is_salted(&self) -> bool {
        !self.salt.is_empty()
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut digest = Sha1::new().chain_update(password).chain_update(&self.salt).finalize();
        same(&mut digest, &self.output)
    }
}
