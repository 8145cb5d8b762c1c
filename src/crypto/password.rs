//! Password hashing: Argon2id (RFC 9106) in PHC form, with memory from one bounded pool for the process.
//!
//! Passwords come in as they are to be hashed ([`crate::crypto::name::password`]). Which accounts there are and how
//! often somebody may try is not known here.

use argon2::{Algorithm, Argon2, Params, Version};
use zeroize::Zeroizing;

use crate::crypto::arena;
use crate::crypto::compare;
use crate::crypto::phc::{self, Phc};
use crate::crypto::random;
use crate::ffi::os::taint;

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

/// Hashes with a fresh random salt into `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
pub fn hash(password: &[u8], cost: Cost) -> Result<String, HashError> {
    let salt = random::bytes::<SALT>().map_err(|error| HashError::System(error.message().to_owned()))?;
    let mut output = [0; OUTPUT];
    derive(password, &salt, cost, &mut output)?;
    Ok(Phc { cost, salt: salt.to_vec(), output: output.to_vec() }.to_text())
}

/// Checks a password against a stored hash. Constant time in both.
///
/// A stored hash that cannot be read answers without any work. That tells nobody's name as long as such hashes never
/// get into the state, so whoever writes one there asks [`check_stored`] first.
pub fn verify(password: &[u8], stored: &str) -> Result<Verdict, HashError> {
    let mut stored = Phc::parse(stored)?;
    let mut output = Zeroizing::new(vec![0; stored.output.len()]);
    derive(password, &stored.salt, stored.cost, &mut output)?;
    taint::secret(&mut stored.output);
    Ok(if compare::equal(&mut output, &stored.output) { Verdict::Match } else { Verdict::Mismatch })
}

/// Does the work of a wrong password of this cost, for accounts that do not exist.
pub fn waste(password: &[u8], cost: Cost) -> Result<(), HashError> {
    let mut output = Zeroizing::new([0; OUTPUT]);
    derive(password, &[0; SALT], cost, output.as_mut())?;
    std::hint::black_box(compare::equal(output.as_mut(), &[0; OUTPUT]));
    Ok(())
}

/// The stored hash was made with another cost or form than `cost` asks for.
pub fn needs_rehash(stored: &str, cost: Cost) -> bool {
    match Phc::parse(stored) {
        Ok(phc) => phc.cost != cost || phc.salt.len() < SALT || phc.output.len() != OUTPUT,
        Err(_) => true,
    }
}

/// The stored hash is one that [`verify`] can check under the ceiling in force.
pub fn check_stored(stored: &str) -> Result<(), HashError> {
    Phc::parse(stored).and_then(|phc| within_ceiling(phc.cost))
}

/// Sets the ceiling for hashing memory of this process, bytes; the first engine's word counts up only. 0 says nothing:
/// where nobody has, it is 256 MiB.
pub fn set_memory_ceiling(bytes: usize) {
    // Less than one block is still a word, and a hard one.
    let blocks = if bytes == 0 { 0 } else { (bytes / argon2::Block::SIZE).max(1) };
    arena::pool().raise_ceiling(u32::try_from(blocks).unwrap_or(u32::MAX));
}

/// Argon2id over memory of the pool.
fn derive(password: &[u8], salt: &[u8], cost: Cost, output: &mut [u8]) -> Result<(), HashError> {
    if password.len() > LONGEST_PASSWORD {
        return Err(HashError::Input("the password is longer than 1,024 bytes; choose a shorter one".into()));
    }
    phc::check(cost)?;
    within_ceiling(cost)?;
    let params = Params::new(cost.memory_kib, cost.iterations, cost.parallelism, Some(output.len())).map_err(ours)?;
    let mut memory = arena::pool().lease(u32::try_from(params.block_count()).unwrap_or(u32::MAX))?;
    memory.wipe = cost.iterations == 1;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password, salt, output, &mut memory)
        .map_err(ours)
}

/// The cost fits under the ceiling at all.
fn within_ceiling(cost: Cost) -> Result<(), HashError> {
    let ceiling = arena::pool().ceiling();
    if cost.memory_kib <= ceiling {
        return Ok(());
    }
    Err(HashError::Unsupported(format!(
        "a password hash of {} KiB does not fit under the memory ceiling of {ceiling} KiB; raise the ceiling for hashing, \
         or set the password anew at a lower cost",
        cost.memory_kib
    )))
}

/// Inputs were checked before, so the algorithm had nothing to refuse.
fn ours(error: argon2::Error) -> HashError {
    HashError::System(format!("password hashing failed: {error}"))
}

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
        assert!(matches!(waste(&long, CHEAP), Err(HashError::Input(_))));
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
        let Err(HashError::Unsupported(text)) = waste(b"password", huge) else { panic!("accepted") };
        assert!(text.contains("raise the ceiling"), "{text}");
        let stored = Phc { cost: huge, salt: vec![1; 16], output: vec![2; 32] }.to_text();
        assert!(matches!(verify(b"password", &stored), Err(HashError::Unsupported(_))));
        assert!(check_stored(&stored).is_err());
        assert!(check_stored(&hash(b"password", CHEAP).unwrap()).is_ok());
    }

    #[test]
    fn an_unknown_account_costs_what_a_wrong_password_costs() {
        // Large enough for the clock, small enough for a test; the smallest of several runs is what the work takes.
        let cost = Cost { memory_kib: 4096, iterations: 2, parallelism: 1 };
        let stored = hash(b"password", cost).unwrap();
        let best = |work: &dyn Fn()| {
            (0..15)
                .map(|_| {
                    let start = std::time::Instant::now();
                    work();
                    start.elapsed()
                })
                .min()
                .unwrap()
                .as_secs_f64()
        };
        let wrong = best(&|| assert_eq!(verify(b"wrong", &stored), Ok(Verdict::Mismatch)));
        let unknown = best(&|| assert_eq!(waste(b"wrong", cost), Ok(())));
        let ratio = unknown / wrong;
        assert!((0.6..1.67).contains(&ratio), "unknown account {unknown} s, wrong password {wrong} s");
    }
}
