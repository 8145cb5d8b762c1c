//! Passwords that were verified a moment ago, so that a client that sends its password with every request costs one
//! hash in a while.
//!
//! **What is kept** is a digest of the password under a key that is made of the user's name, the stored hash that it was
//! verified against, the roles held then and a key of this process. Nothing can be told from it without that one, which
//! is drawn when the process is started, never crosses a fork and is wiped in the end. The key of a user stays with the
//! user's facts, so that a password that is known again costs one short digest.
//!
//! **Why a hit is never wrong.** It is looked for with the user as the state has it at this very version, so that a
//! change of the hash or of the roles, in whatever process, makes another digest, which nobody has verified. Whether
//! the account may come in and what it may do is not kept at all: a hit only stands for the work of the hash, and the
//! decision goes the same way as after it. A disabled account is never a hit, since its right password counts as a
//! failure.

use quick_cache::UnitWeighter;
use quick_cache::sync::{Cache, DefaultLifecycle};
use zeroize::Zeroizing;

use crate::crypto::keyed::Keyed;
use crate::crypto::sip::Itself;
use crate::engine::facts::Account;
use crate::engine::flight;
use crate::error::Error;

/// Most passwords that are remembered; less than 2 MiB.
const CAPACITY: usize = 10_000;

/// Two threads may read the clock in one order and come here in the other, seconds.
const OUT_OF_STEP: i64 = 2;

/// What one process remembers.
#[derive(Debug)]
pub(super) struct Remembered {
    key: Keyed,
    /// When each was verified, Unix seconds.
    verified: Cache<[u8; 32], i64, UnitWeighter, Itself>,
}

impl Remembered {
    /// Nothing, under a fresh key.
    pub(super) fn new() -> Result<Remembered, Error> {
        let (room, hasher, life) = (CAPACITY as u64, Itself::default(), DefaultLifecycle::default());
        let verified = Cache::with(CAPACITY, room, UnitWeighter, hasher, life);
        Ok(Remembered { key: Keyed::draw()?, verified })
    }

    /// This user's password was verified within the last `seconds`, against the hash that the user has here.
    pub(super) fn holds(&self, user: &Account, password: impl AsRef<[u8]>, seconds: i64, now: i64) -> bool {
        if seconds <= 0 || user.disabled {
            return false;
        }
        let Some(digest) = self.digest(user, password) else { return false };
        match self.verified.get(&digest) {
            Some(verified) if is_fresh(verified, seconds, now) => true,
            Some(_) => {
                self.verified.remove(&digest);
                false
            }
            None => false,
        }
    }

    /// This user's password was just verified against the hash that the user has here.
    pub(super) fn note(&self, user: &Account, password: impl AsRef<[u8]>, now: i64) {
        if let Some(digest) = self.digest(user, password).filter(|_| !user.disabled) {
            self.verified.insert(digest, now);
        }
    }

    /// Names equal attempts that are under way at once. The state's version is in it, so that nobody learns what was
    /// found out before a change that came before the own request.
    pub(super) fn flight(&self, name: &str, password: impl AsRef<[u8]>, version: u64) -> flight::Key {
        self.key.digest([b"flight".as_slice(), name.as_bytes(), password.as_ref(), &version.to_le_bytes()])
    }

    /// Forgets what is over; housekeeping.
    pub(super) fn sweep(&self, seconds: i64, now: i64) {
        self.verified.retain(|_, verified| is_fresh(*verified, seconds, now));
    }

    fn digest(&self, user: &Account, password: impl AsRef<[u8]>) -> Option<[u8; 32]> {
        let make = || {
            let parts = [b"verified".as_slice(), user.name.as_bytes(), user.hash.as_ref()?.as_bytes()];
            let made = self.key.digest(parts.into_iter().chain(user.roles.iter().map(String::as_bytes)));
            Some(Keyed::with(&Zeroizing::new(made)))
        };
        Some(user.password_key.get_or_init(make).as_ref()?.inward(password.as_ref()))
    }
}

/// A clock that was set back by more than a moment ends it as well.
fn is_fresh(verified: i64, seconds: i64, now: i64) -> bool {
    let age = now.saturating_sub(verified);
    (-OUT_OF_STEP..seconds).contains(&age)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::User;

    const NOW: i64 = 1_790_000_000;

    fn user(name: &str, hash: &str, roles: &[&str]) -> Account {
        Account::new(named(name, hash, roles))
    }

    fn named(name: &str, hash: &str, roles: &[&str]) -> User {
        User {
            name: name.into(),
            hash: Some(hash.into()),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            disabled: false,
            created_at: NOW,
            password_changed_at: None,
            tokens_from: NOW,
        }
    }

    #[test]
    fn a_password_is_remembered_for_its_user_hash_and_roles_alone() {
        let remembered = Remembered::new().unwrap();
        let alice = user("alice", "$hash", &["clerk"]);
        remembered.note(&alice, "secret", NOW);
        let holds = |user: &Account, password: &str| remembered.holds(user, password, 60, NOW);
        assert!(holds(&alice, "secret"));
        for other in [
            user("alicia", "$hash", &["clerk"]),
            user("alice", "$hash2", &["clerk"]),
            user("alice", "$hash", &["clerk", "admin"]),
            user("alice", "$hash", &[]),
            Account::new(User { disabled: true, ..(*alice).clone() }),
            Account::new(User { hash: None, ..(*alice).clone() }),
        ] {
            assert!(!holds(&other, "secret"), "{other:?}");
        }
        assert!(holds(&user("alice", "$hash", &["clerk"]), "secret"), "also when it is read once more");
        for password in ["", "Secret", "secret\0", "secre", "secret$hash"] {
            assert!(!holds(&alice, password), "{password:?}");
        }
        assert!(!Remembered::new().unwrap().holds(&alice, "secret", 60, NOW), "each has its own");
    }

    #[test]
    fn cve_2026_71326_where_a_name_ends_and_a_password_begins_is_part_of_the_digest() {
        let remembered = Remembered::new().unwrap();
        remembered.note(&user("ab", "c", &[]), "de", NOW);
        for (name, password, hash) in [("a", "bde", "c"), ("abd", "e", "c"), ("ab", "dec", ""), ("ab", "d", "ec")] {
            assert!(!remembered.holds(&user(name, hash, &[]), password, 60, NOW), "{name} {password} {hash}");
        }
        assert!(!remembered.holds(&user("ab", "c", &["de"]), "de", 60, NOW));
        let flight = |name, password| remembered.flight(name, password, 1);
        assert_ne!(flight("ab", "c"), flight("a", "bc"));
        assert_ne!(flight("ab", "c"), flight("abc", ""));
        assert_ne!(flight("ab", "c"), remembered.flight("ab", "c", 2));
    }

    #[test]
    fn it_ends_after_its_time_and_with_a_clock_that_was_set_back() {
        let alice = user("alice", "$hash", &[]);
        for (later, held) in [(0, true), (59, true), (60, false), (-2, true), (-3, false), (i64::MAX, false)] {
            let remembered = Remembered::new().unwrap();
            remembered.note(&alice, "secret", NOW);
            assert_eq!(remembered.holds(&alice, "secret", 60, NOW.saturating_add(later)), held, "{later}");
            assert_eq!(remembered.holds(&alice, "secret", 60, NOW), held, "what is over is forgotten: {later}");
        }
        let remembered = Remembered::new().unwrap();
        remembered.note(&alice, "secret", NOW);
        assert!(!remembered.holds(&alice, "secret", 0, NOW), "never");
        remembered.sweep(60, NOW + 60);
        assert!(!remembered.holds(&alice, "secret", 3600, NOW));
    }

    #[test]
    fn what_it_keeps_is_bounded() {
        let remembered = Remembered::new().unwrap();
        for n in 0..2 * CAPACITY {
            remembered.note(&user("alice", "$hash", &[]), n.to_string(), NOW);
        }
        assert!(remembered.verified.len() <= CAPACITY);
    }
}
