//! What checking a stored hash costs, told before it is done: the same for all hashes that cost the same.

use super::argon2::{self, Phc, Variant};
use super::bcrypt::{self, Bcrypt};
use super::md5_crypt::Md5Crypt;
use super::pbkdf2::{Pbkdf2, Prf};
use super::scrypt::{Scrypt, ScryptCost};
use super::sha_crypt::{self, ShaCrypt, Size};
use super::sha1::PlainSha1;
use super::{Stored, text};
use crate::crypto::password::Cost;

/// The work of checking one stored hash.
///
/// Where the time of a check depends on the length of the salt, that is part of it: the length of the password is the
/// sender's and thus the same for all accounts, that of the salt would tell accounts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Work(pub(super) Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Argon2 { variant: Variant, memory_kib: u32, iterations: u32, parallelism: u32 },
    Scrypt(ScryptCost),
    Bcrypt { cost: u32 },
    Pbkdf2 { prf: Prf, blocks: u8, iterations: u32 },
    ShaCrypt { size: Size, salt: u8, rounds: u32 },
    Md5Crypt { salt: u8 },
    Sha1,
}

impl Work {
    /// Of a new hash at this cost.
    pub fn of_new(cost: Cost) -> Work {
        Work::of_argon2(Variant::CURRENT, cost)
    }

    pub(super) fn of_argon2(variant: Variant, cost: Cost) -> Work {
        let Cost { memory_kib, iterations, parallelism } = cost;
        Work(Kind::Argon2 { variant, memory_kib, iterations, parallelism })
    }

    /// A hash that costs just this and matches nothing.
    pub(crate) fn specimen(self) -> Stored {
        match self.0 {
            Kind::Argon2 { variant, memory_kib, iterations, parallelism } => {
                Stored::Argon2(Phc::specimen(variant, Cost { memory_kib, iterations, parallelism }))
            }
            Kind::Scrypt(cost) => Stored::Scrypt(Scrypt::specimen(cost)),
            Kind::Bcrypt { cost } => Stored::Bcrypt(Bcrypt::specimen(cost)),
            Kind::Pbkdf2 { prf, blocks, iterations } => Stored::Pbkdf2(Pbkdf2::specimen(prf, iterations, blocks)),
            Kind::ShaCrypt { size, salt, rounds } => Stored::ShaCrypt(ShaCrypt::specimen(size, rounds, salt)),
            Kind::Md5Crypt { salt } => Stored::Md5Crypt(Md5Crypt::specimen(salt)),
            Kind::Sha1 => Stored::Sha1(PlainSha1::specimen()),
        }
    }

    /// Blocks of 1 KiB that it works in.
    pub(super) fn blocks(self) -> u32 {
        match self.0 {
            Kind::Argon2 { memory_kib, iterations, parallelism, .. } => {
                argon2::blocks(Cost { memory_kib, iterations, parallelism })
            }
            _ => 0,
        }
    }

    /// KiB that it takes from the system by itself.
    pub(super) fn own_kib(self) -> u32 {
        match self.0 {
            Kind::Scrypt(cost) => cost.memory_kib(),
            _ => 0,
        }
    }

    /// A run of it overwrites its memory once only, so that what is left there would help a guesser.
    pub(super) fn is_single_pass(self) -> bool {
        matches!(self.0, Kind::Argon2 { iterations: 1, .. })
    }

    /// What is run again and again, without how often: works that differ in this alone can be made equal.
    pub(super) fn family(self) -> Work {
        Work(match self.0 {
            Kind::Bcrypt { .. } => Kind::Bcrypt { cost: 0 },
            Kind::Pbkdf2 { prf, blocks, .. } => Kind::Pbkdf2 { prf, blocks, iterations: 0 },
            Kind::ShaCrypt { size, salt, .. } => Kind::ShaCrypt { size, salt, rounds: 0 },
            other => other,
        })
    }

    /// How often.
    pub(super) fn amount(self) -> u32 {
        match self.0 {
            Kind::Bcrypt { cost } => 1 << cost.min(31),
            Kind::Pbkdf2 { iterations, .. } => iterations,
            Kind::ShaCrypt { rounds, .. } => rounds,
            _ => 1,
        }
    }

    /// What is missing after `done`, so that each of this family comes to the same amount wherever it began: that of
    /// the dearest, which is `self`, and what the fewest possible rounds are.
    pub(super) fn missing_after(self, done: Option<Work>) -> Vec<Work> {
        match (self.0, done.map(|done| done.0)) {
            // 2^c rounds are done; those of c, c + 1 … make up the difference to 2^C.
            (Kind::Bcrypt { cost }, Some(Kind::Bcrypt { cost: done })) => {
                (done..cost).map(|cost| Work(Kind::Bcrypt { cost })).collect()
            }
            (Kind::Bcrypt { .. }, _) => vec![self],
            (_, None) => vec![self, self.with_amount(self.fewest())],
            (_, Some(_)) => {
                let done = done.map_or(0, Work::amount);
                vec![self.with_amount(self.amount().saturating_add(self.fewest()).saturating_sub(done))]
            }
        }
    }

    fn fewest(self) -> u32 {
        match self.0 {
            Kind::ShaCrypt { .. } => sha_crypt::FEWEST,
            _ => 1,
        }
    }

    fn with_amount(self, amount: u32) -> Work {
        Work(match self.0 {
            Kind::Pbkdf2 { prf, blocks, .. } => Kind::Pbkdf2 { prf, blocks, iterations: amount },
            Kind::ShaCrypt { size, salt, .. } => Kind::ShaCrypt { size, salt, rounds: amount },
            other => other,
        })
    }

    /// The text under which a state keeps it.
    pub fn to_text(self) -> String {
        match self.0 {
            Kind::Argon2 { variant, memory_kib, iterations, parallelism } => {
                argon2::kind_text(variant, Cost { memory_kib, iterations, parallelism })
            }
            Kind::Scrypt(ScryptCost { log_n, r, p }) => format!("scrypt {log_n} {r} {p}"),
            Kind::Bcrypt { cost } => format!("bcrypt {cost}"),
            Kind::Pbkdf2 { prf, blocks, iterations } => format!("pbkdf2-{} {blocks} {iterations}", prf.name()),
            Kind::ShaCrypt { size: Size::Sha256, salt, rounds } => format!("sha256-crypt {salt} {rounds}"),
            Kind::ShaCrypt { size: Size::Sha512, salt, rounds } => format!("sha512-crypt {salt} {rounds}"),
            Kind::Md5Crypt { salt } => format!("md5-crypt {salt}"),
            Kind::Sha1 => "sha1".to_owned(),
        }
    }

    /// Reads what [`Work::to_text`] writes; `None` for anything else. The caps hold here too.
    pub fn parse(text: &str) -> Option<Work> {
        if text.contains('$') {
            return argon2::kind(text).ok().map(|(variant, cost)| Work::of_argon2(variant, cost));
        }
        let mut parts = text.split(' ');
        let name = parts.next()?;
        let numbers: Vec<u32> = parts.map(text::number).collect::<Option<_>>()?;
        let octet = |number: u32| u8::try_from(number).ok();
        let kind = match (name, numbers.as_slice()) {
            ("scrypt", [log_n, r, p]) => Kind::Scrypt(ScryptCost::new(*log_n, *r, *p).ok()?),
            ("bcrypt", [cost]) => Kind::Bcrypt { cost: bcrypt::within(*cost).ok()? },
            ("sha256-crypt", [salt, rounds]) => {
                Kind::ShaCrypt { size: Size::Sha256, salt: octet(*salt)?, rounds: sha_crypt::within(*rounds).ok()? }
            }
            ("sha512-crypt", [salt, rounds]) => {
                Kind::ShaCrypt { size: Size::Sha512, salt: octet(*salt)?, rounds: sha_crypt::within(*rounds).ok()? }
            }
            ("md5-crypt", [salt]) => Kind::Md5Crypt { salt: octet(*salt)? },
            ("sha1", []) => Kind::Sha1,
            (name, [blocks, iterations]) => {
                let prf = Prf::of_name(name.strip_prefix("pbkdf2-")?)?;
                let blocks = octet(*blocks)?;
                Kind::Pbkdf2 { prf, blocks, iterations: prf.within(*iterations, blocks).ok()? }
            }
            _ => return None,
        };
        Some(Work(kind))
    }
}
