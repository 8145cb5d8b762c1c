//! Password hashing: new hashes are Argon2id (RFC 9106) in PHC form; those that other programs made are verified in
//! their own forms ([`crate::crypto::stored`]). Memory comes from one bounded pool for the process.
//!
//! Which accounts there are and how often somebody may try is not known here.

use zeroize::Zeroizing;

use crate::crypto::stored::{self, Phc, Stored, Variant};
use crate::crypto::{arena, name, random};

pub use crate::crypto::stored::{Form, Plan, RightEnds, Work};

/// Longest password, octets.
pub const LONGEST_PASSWORD: usize = 1024;

/// Octets of salt of new hashes (RFC 9106 section 3.1).
const SALT: usize = 16;
/// Octets of output of new hashes.
const OUTPUT: usize = 32;

/// Argon2id cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// KiB.
    pub memory_kib: u32,
    /// Passes.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

/// Why a hash could not be made or checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashError {
    /// The memory ceiling for hashing is reached; try again later.
    Overloaded,
    /// The stored hash has a form that is not known, or a cost over the cap.
    Unsupported(String),
    /// The password is over 1,024 bytes or otherwise not acceptable.
    Input(String),
    /// The operating system gave no randomness, or a fault of ours.
    System(String),
}

/// What checking a password came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Right.
    Match,
    /// Wrong.
    Mismatch,
}

/// What checking a password came to, and in which form it was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Wrong.
    Wrong,
    /// Right in the form that new hashes are made from.
    Right,
    /// Right as it was given, which is another form: the hash was made elsewhere.
    RightAsGiven,
}

/// A password as somebody sent it, and as new hashes are made from it (RFC 8265 OpaqueString). Old hashes were made by
/// programs that took what they were given.
pub struct Sent {
    given: Zeroizing<Vec<u8>>,
    prepared: Option<Zeroizing<String>>,
}

impl Sent {
    /// What was sent, of any bytes. Empty and over 1,024 bytes it is no password and never right.
    pub fn new(given: &[u8]) -> Sent {
        let given = Zeroizing::new(if Sent::is_one(given) { given.to_vec() } else { Vec::new() });
        let prepared = std::str::from_utf8(&given).ok().and_then(name::password);
        Sent { given, prepared }
    }

    /// It can be a password.
    pub(crate) fn is_one(given: &[u8]) -> bool {
        !given.is_empty() && given.len() <= LONGEST_PASSWORD
    }

    /// As it was sent; empty where it is no password.
    pub fn given(&self) -> &[u8] {
        &self.given
    }

    /// As a new hash is made from it, where it can be a new password.
    pub fn prepared(&self) -> Option<&[u8]> {
        self.prepared.as_ref().map(|text| text.as_bytes())
    }

    pub(crate) fn is_possible(&self) -> bool {
        !self.given.is_empty()
    }
}

/// Never shows the password.
impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sent")
    }
}

/// Hashes with a fresh random salt into `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. The password comes in the form that is
/// hashed ([`crate::crypto::name::password`]).
pub fn hash(password: &[u8], cost: Cost) -> Result<String, HashError> {
    within_length(password)?;
    stored::check(cost)?;
    let salt = random::bytes::<SALT>().map_err(|error| HashError::System(error.message().to_owned()))?;
    let mut phc = Phc { salt: salt.to_vec(), ..Phc::specimen(Variant::CURRENT, cost) };
    let mut lease = stored::lease_for(Work::of_new(cost))?;
    phc.output = phc.derive(password, lease.as_mut())?.to_vec();
    Ok(phc.to_text())
}

/// Checks a password, in the one form that is handed in, against a stored hash. Constant time in both.
pub fn verify(password: &[u8], stored: &str) -> Result<Verdict, HashError> {
    let stored = Stored::parse(stored)?;
    within_length(password)?;
    let mut lease = stored::lease_for(stored.work())?;
    Ok(if stored.matches(password, lease.as_mut())? { Verdict::Match } else { Verdict::Mismatch })
}

/// Checks what somebody sent against a stored hash, in each form that the hash may have been made from. Constant time in
/// both. An attempt that must not tell whether there is such an account goes through [`Plan::check`] instead.
pub fn verify_sent(sent: &Sent, stored: &str) -> Result<Checked, HashError> {
    stored::verify(sent, stored)
}

/// The stored hash was made with another cost or form than `cost` asks for.
pub fn needs_rehash(stored: &str, cost: Cost) -> bool {
    match Stored::parse(stored) {
        Ok(Stored::Argon2(phc)) => is_not_new(&phc) || phc.cost != cost,
        _ => true,
    }
}

/// The stored hash is of an old form, or helps a guesser more than one of `cost` would.
pub fn is_weaker(stored: &str, cost: Cost) -> bool {
    let work = |cost: Cost| u64::from(cost.memory_kib) * u64::from(cost.iterations);
    match Stored::parse(stored) {
        Ok(Stored::Argon2(phc)) => {
            is_not_new(&phc) || phc.cost.memory_kib < cost.memory_kib || work(phc.cost) < work(cost)
        }
        _ => true,
    }
}

/// The stored hash is one that [`verify`] can check under the ceiling in force.
pub fn check_stored(stored: &str) -> Result<(), HashError> {
    let work = Stored::parse(stored)?.work();
    stored::fits(work)
}

/// The form of a stored hash for people.
pub fn form(stored: &str) -> Result<Form, HashError> {
    Stored::parse(stored).map(|stored| stored.form())
}

/// What checking a stored hash costs; `None` where it cannot be read.
pub fn work(stored: &str) -> Option<Work> {
    Stored::parse(stored).ok().map(|stored| stored.work())
}

/// Sets the ceiling for hashing memory of this process, bytes; the first engine's word counts up only. 0 says nothing:
/// where nobody has, it is 256 MiB.
pub fn set_memory_ceiling(bytes: usize) {
    // Less than one block is still a word, and a hard one.
    let blocks = if bytes == 0 { 0 } else { (bytes / argon2::Block::SIZE).max(1) };
    arena::pool().raise_ceiling(u32::try_from(blocks).unwrap_or(u32::MAX));
}

fn is_not_new(phc: &Phc) -> bool {
    phc.variant != Variant::CURRENT || phc.salt.len() < SALT || phc.output.len() != OUTPUT
}

fn within_length(password: &[u8]) -> Result<(), HashError> {
    if password.len() <= LONGEST_PASSWORD {
        return Ok(());
    }
    Err(HashError::Input("the password is longer than 1,024 bytes; choose a shorter one".into()))
}

#[cfg(test)]
pub(crate) use crate::crypto::stored::meter;

#[cfg(test)]
mod tests {
    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 32, iterations: 2, parallelism: 2 };

    #[test]
    fn the_right_password_matches_its_hash_and_others_do_not() {
        let stored = hash(b"correct horse battery staple", CHEAP).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=32,t=2,p=2$"), "{stored}");
        assert_eq!(verify(b"correct horse battery staple", &stored), Ok(Verdict::Match));
        for wrong in [
            &b""[..],
            b"correct horse battery stapl",
            b"correct horse battery staple\0",
            b"Correct horse battery staple",
        ] {
            assert_eq!(verify(wrong, &stored), Ok(Verdict::Mismatch), "{wrong:?}");
        }
    }

    #[test]
    fn nothing_is_cut_off_at_72_bytes_or_at_a_nul() {
        let mut long = vec![b'a'; LONGEST_PASSWORD];
        let stored = hash(&long, CHEAP).unwrap();
        assert_eq!(verify(&long, &stored), Ok(Verdict::Match));
        assert_eq!(verify(&long[..72], &stored), Ok(Verdict::Mismatch));
        long[LONGEST_PASSWORD - 1] = b'b';
        assert_eq!(verify(&long, &stored), Ok(Verdict::Mismatch));
        let stored = hash(b"one\0two", CHEAP).unwrap();
        assert_eq!(verify(b"one\0two", &stored), Ok(Verdict::Match));
        assert_eq!(verify(b"one", &stored), Ok(Verdict::Mismatch));
    }

    #[test]
    fn a_password_over_1024_bytes_is_refused_everywhere() {
        let long = [b'a'; LONGEST_PASSWORD + 1];
        let stored = hash(b"short", CHEAP).unwrap();
        assert!(matches!(hash(&long, CHEAP), Err(HashError::Input(_))));
        assert!(matches!(verify(&long, &stored), Err(HashError::Input(_))));
    }

    #[test]
    fn two_hashes_of_one_password_have_two_salts() {
        let (one, two) = (hash(b"same", CHEAP).unwrap(), hash(b"same", CHEAP).unwrap());
        assert_ne!(one, two);
        assert_ne!(Phc::parse(&one).unwrap().salt, Phc::parse(&two).unwrap().salt);
    }

    #[test]
    fn every_changed_octet_of_the_stored_output_is_a_mismatch() {
        let stored = Phc::parse(&hash(b"password", CHEAP).unwrap()).unwrap();
        for position in 0..stored.output.len() {
            let mut changed = stored.clone();
            changed.output[position] ^= 1;
            assert_eq!(verify(b"password", &changed.to_text()), Ok(Verdict::Mismatch), "octet {position}");
        }
    }

    #[test]
    fn a_hash_of_another_cost_or_shape_wants_to_be_made_anew() {
        let stored = hash(b"password", CHEAP).unwrap();
        assert!(!needs_rehash(&stored, CHEAP));
        assert!(needs_rehash(&stored, Cost { iterations: 3, ..CHEAP }));
        assert!(needs_rehash(&stored, Cost { memory_kib: 64, ..CHEAP }));
        assert!(needs_rehash("$2y$10$whatever", CHEAP));
        let mut short = Phc::parse(&stored).unwrap();
        short.salt.truncate(8);
        assert!(needs_rehash(&short.to_text(), CHEAP));
    }

    #[test]
    fn a_cost_that_can_never_fit_says_so_and_is_not_overload() {
        let huge = Cost { memory_kib: 1 << 20, iterations: 1, parallelism: 1 };
        let Err(HashError::Unsupported(text)) = hash(b"password", huge) else { panic!("accepted") };
        assert!(text.contains("raise the ceiling"), "{text}");
        let stored = Phc::specimen(Variant::CURRENT, huge).to_text();
        assert!(matches!(verify(b"password", &stored), Err(HashError::Unsupported(_))));
        assert!(check_stored(&stored).is_err());
        assert!(check_stored(&hash(b"password", CHEAP).unwrap()).is_ok());
    }
}
