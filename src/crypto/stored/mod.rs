//! Stored password hashes in all forms that are taken: recognised strictly, their cost known and capped before any
//! work. What is not Argon2id at the policy's cost is there to be verified until a good login replaces it.
//!
//! A text from a state file is only data: none panics, allocates beyond its own length or asks for more work than the
//! caps allow.

mod argon2;
mod bcrypt;
mod known;
mod md5_crypt;
mod pbkdf2;
mod plan;
mod scrypt;
mod sha1;
mod sha_crypt;
mod text;
mod work;

pub use known::Form;
pub use plan::{Plan, RightEnds};
pub use work::Work;

pub(crate) use argon2::{Phc, Variant, check};
pub(crate) use plan::{fits, lease_for, verify};

use ::argon2::Block;

use self::bcrypt::{Bcrypt, Before};
use self::md5_crypt::Md5Crypt;
use self::pbkdf2::{Pbkdf2, Prf};
use self::scrypt::Scrypt;
use self::sha_crypt::{ShaCrypt, Size};
use self::sha1::PlainSha1;
use self::work::Kind;
use crate::crypto::compare;
use crate::crypto::password::HashError;
use crate::ffi::os::taint;

/// Longest text of any form, with room.
const LONGEST: usize = 512;

/// Longest password that crypt(3) takes, octets. The time of the forms that it made grows with the password, many times
/// over at our own limit, so a longer one, which cannot be right, is not run through them.
const LONGEST_OF_CRYPT: usize = 511;

/// A stored password hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    Argon2(Phc),
    Bcrypt(Bcrypt),
    Md5Crypt(Md5Crypt),
    ShaCrypt(ShaCrypt),
    Sha1(PlainSha1),
    Scrypt(Scrypt),
    Pbkdf2(Pbkdf2),
}

impl Stored {
    /// Reads a stored hash. The error says what is wrong and what to do, without any of the text.
    pub(crate) fn parse(stored: &str) -> Result<Stored, HashError> {
        if stored.len() > LONGEST || !stored.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Err(known::refusal(stored));
        }
        let after = |prefix: &str| stored.strip_prefix(prefix);
        if stored.starts_with("$argon2") {
            return Phc::parse(stored).map(Stored::Argon2);
        }
        if let Some(inner) = after("argon2$") {
            return Phc::parse(&format!("${inner}")).map(Stored::Argon2);
        }
        if let Some(rest) = after("$bcrypt-sha256$") {
            return Bcrypt::parse_passlib(rest).map(Stored::Bcrypt);
        }
        for (prefix, before) in
            [("bcrypt$", Before::Nothing), ("bcrypt_sha256$", Before::HexSha256), ("", Before::Nothing)]
        {
            if let Some(inner) = after(prefix).filter(|inner| inner.starts_with("$2")) {
                return Bcrypt::parse(inner, before).map(Stored::Bcrypt);
            }
        }
        for mark in ["$1$", "$apr1$"] {
            if let Some(rest) = after(mark) {
                return Md5Crypt::parse(mark, rest).map(Stored::Md5Crypt);
            }
        }
        for (mark, size) in [("$5$", Size::Sha256), ("$6$", Size::Sha512)] {
            if let Some(rest) = after(mark) {
                return ShaCrypt::parse(size, rest).map(Stored::ShaCrypt);
            }
        }
        if let Some(rest) = after("{SHA}") {
            return PlainSha1::parse_unsalted(rest).map(Stored::Sha1);
        }
        if let Some(rest) = after("{SSHA}") {
            return PlainSha1::parse_salted(rest).map(Stored::Sha1);
        }
        if let Some(scrypt) = parse_scrypt(stored) {
            return scrypt.map(Stored::Scrypt);
        }
        if let Some(pbkdf2) = parse_pbkdf2(stored) {
            return pbkdf2.map(Stored::Pbkdf2);
        }
        Err(known::refusal(stored))
    }

    /// What checking it costs.
    pub(crate) fn work(&self) -> Work {
        match self {
            Stored::Argon2(phc) => Work::of_argon2(phc.variant, phc.cost),
            Stored::Bcrypt(bcrypt) => Work(Kind::Bcrypt { cost: bcrypt.cost }),
            Stored::Md5Crypt(md5) => Work(Kind::Md5Crypt { salt: md5.salt_length() }),
            Stored::ShaCrypt(sha) => {
                Work(Kind::ShaCrypt { size: sha.size, salt: sha.salt_length(), rounds: sha.rounds })
            }
            Stored::Sha1(_) => Work(Kind::Sha1),
            Stored::Scrypt(scrypt) => Work(Kind::Scrypt(scrypt.cost)),
            Stored::Pbkdf2(pbkdf2) => {
                Work(Kind::Pbkdf2 { prf: pbkdf2.prf, blocks: pbkdf2.blocks(), iterations: pbkdf2.iterations })
            }
        }
    }

    /// Does the work. `memory` holds at least the blocks that [`Stored::work`] tells of, and the caller has reserved what
    /// else it takes. Constant time in password and hash.
    pub(crate) fn matches(&self, password: &[u8], memory: &mut [Block]) -> Result<bool, HashError> {
        let too_long = matches!(self, Stored::Md5Crypt(_) | Stored::ShaCrypt(_)) && password.len() > LONGEST_OF_CRYPT;
        let password = if too_long { b"" } else { password };
        self.count(password);
        let same = match self {
            Stored::Argon2(phc) => return phc.matches(password, memory),
            Stored::Bcrypt(bcrypt) => bcrypt.matches(password),
            Stored::Md5Crypt(md5) => md5.matches(password),
            Stored::ShaCrypt(sha) => sha.matches(password)?,
            Stored::Sha1(sha) => sha.matches(password),
            Stored::Scrypt(scrypt) => scrypt.matches(password)?,
            Stored::Pbkdf2(pbkdf2) => pbkdf2.matches(password),
        };
        // Most of those who made old hashes ended a password at a NUL; bcrypt repeats it behind one, and HMAC fills it up
        // with them. So one with a NUL in it would be the same as others.
        Ok(same && !too_long && !password.contains(&0))
    }

    /// The form that new hashes have, which may hold a password as RFC 8265 prepares it. In the others it is as it was
    /// given to the program that made them.
    pub(crate) fn is_argon2(&self) -> bool {
        matches!(self, Stored::Argon2(_))
    }
}

impl Stored {
    /// Lets tests see what work was done.
    #[inline(always)]
    fn count(&self, _password: &[u8]) {
        #[cfg(test)]
        meter::count(self.work(), _password);
    }
}

fn parse_scrypt(stored: &str) -> Option<Result<Scrypt, HashError>> {
    let after = |prefix: &str| stored.strip_prefix(prefix);
    None.or_else(|| after("$scrypt$").map(Scrypt::parse_passlib))
        .or_else(|| after("scrypt$").map(Scrypt::parse_django))
        .or_else(|| after("scrypt:").map(Scrypt::parse_werkzeug))
        .or_else(|| after("$7$").map(Scrypt::parse_crypt))
}

fn parse_pbkdf2(stored: &str) -> Option<Result<Pbkdf2, HashError>> {
    let after = |prefix: &str| stored.strip_prefix(prefix);
    None.or_else(|| after("$pbkdf2$").map(|rest| Pbkdf2::parse_passlib(Prf::Sha1, rest)))
        .or_else(|| after("$pbkdf2-sha256$").map(|rest| Pbkdf2::parse_passlib(Prf::Sha256, rest)))
        .or_else(|| after("$pbkdf2-sha512$").map(|rest| Pbkdf2::parse_passlib(Prf::Sha512, rest)))
        .or_else(|| after("pbkdf2_sha256$").map(|rest| Pbkdf2::parse_django(Prf::Sha256, rest)))
        .or_else(|| after("pbkdf2_sha1$").map(|rest| Pbkdf2::parse_django(Prf::Sha1, rest)))
        .or_else(|| after("pbkdf2:").map(Pbkdf2::parse_werkzeug))
        .or_else(|| after("{PKCS5S2}").map(Pbkdf2::parse_atlassian))
        .or_else(|| after("$p5k2$").map(Pbkdf2::parse_p5k2))
        .or_else(|| after("grub.pbkdf2.sha512.").map(Pbkdf2::parse_grub))
}

/// What was computed is what is stored. Constant time.
fn same(computed: &mut [u8], stored: &[u8]) -> bool {
    let mut stored = stored.to_vec();
    taint::secret(&mut stored);
    compare::equal(computed, &stored)
}

#[cfg(test)]
pub(crate) use tests::meter;

#[cfg(test)]
mod tests;
