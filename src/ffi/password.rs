//! Hashing and checking passwords, for hosts that keep users of their own.

use super::bytes::{Text, gatepost_bytes};
use super::engine::gatepost_engine;
use super::error::gatepost_error;
use super::kernel::{Caller, Failure, guard_setup};
use super::types::*;
use crate::crypto::name;
use crate::crypto::password::{self, Checked, Cost, HashError, Sent};

/// OWASP's first choice, which is a policy's default too.
const DEFAULT_COST: Cost = Cost { memory_kib: 19456, iterations: 2, parallelism: 1 };

/// Hashes a password with Argon2id (RFC 9106) and a fresh salt.
///
/// engine: borrowed; its policy says the cost. NULL: the default cost of policies.
/// password: UTF-8, up to 1,024 bytes, without control characters; prepared as RFC 8265 OpaqueString, so that all ways
///     of typing it are one. Borrowed for the call. How strong it is is not judged here.
/// hash: gets the hash in PHC form, "$argon2id$v=19$...", owned by the caller.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Slow on purpose, and takes memory of the ceiling for hashing: not for an event loop. Any number of threads at once.
/// Returns GATEPOST_OK, GATEPOST_ERR_INVALID_ARGUMENT where it cannot be a password, GATEPOST_ERR_OVERLOADED where the
/// ceiling is reached, or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_password_hash(
    engine: *const gatepost_engine,
    password: gatepost_str,
    hash: *mut *mut gatepost_bytes,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(hash, "hash")?;
            let cost = cost(c, engine)?;
            let Some(prepared) = prepare(c.bytes(password, "password")?) else {
                return Err(Failure::argument(
                    "this cannot be a password: use 1 to 1,024 bytes of UTF-8 without control characters",
                ));
            };
            let hashed = password::hash(prepared.as_bytes(), cost).map_err(failure)?;
            place.set(gatepost_bytes::give(Text::new(hashed.as_bytes())?));
            Ok(GATEPOST_OK)
        })
    }
}

/// Checks a password against a hash, in constant time with respect to both.
///
/// password: up to 1,024 bytes, as it was sent. For a hash that gatepost_password_hash made it is prepared as RFC 8265
///     OpaqueString, for one made elsewhere it is taken as it is. What cannot be a password does not match. Borrowed for
///     the call.
/// hash: Argon2, bcrypt, sha256-crypt, sha512-crypt, scrypt, PBKDF2, apr1, md5-crypt, {SHA} or {SSHA}, as crypt(3),
///     htpasswd, Django, passlib and Werkzeug write them. Borrowed for the call.
/// matches: gets 1 or 0.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Slow on purpose: not for an event loop. Any number of threads at once.
/// Returns GATEPOST_OK, also where it does not match; GATEPOST_ERR_UNSUPPORTED where the form of the hash is not known
/// or its cost is over the cap; GATEPOST_ERR_OVERLOADED where the memory ceiling is reached; or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_password_verify(
    password: gatepost_str,
    hash: gatepost_str,
    matches: *mut u32,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(matches, "matches")?;
            let sent = Sent::new(c.bytes(password, "password")?);
            // What cannot be a password is hashed too, so that a hash of a wrong form is told in either case.
            let checked = password::verify_sent(&sent, stored(c, hash)?).map_err(failure)?;
            place.set(u32::from(checked != Checked::Wrong));
            Ok(GATEPOST_OK)
        })
    }
}

/// Tells whether a hash was made with another cost or form than the policy asks for now, so that it is worth hashing
/// the password again when it is next at hand.
///
/// engine: borrowed; its policy says the cost. NULL: the default cost of policies.
/// hash: borrowed for the call.
/// needs: gets 1 or 0.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Quick. Any number of threads at once.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_password_needs_rehash(
    engine: *const gatepost_engine,
    hash: gatepost_str,
    needs: *mut u32,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(needs, "needs")?;
            let cost = cost(c, engine)?;
            place.set(u32::from(password::needs_rehash(stored(c, hash)?, cost)));
            Ok(GATEPOST_OK)
        })
    }
}

fn cost(c: Caller<'_>, engine: *const gatepost_engine) -> Result<Cost, Failure> {
    if engine.is_null() {
        return Ok(DEFAULT_COST);
    }
    let policy = c.look(engine)?.policy();
    let rules = &policy.password;
    Ok(Cost { memory_kib: rules.memory_kib, iterations: rules.iterations, parallelism: rules.parallelism })
}

fn prepare(raw: &[u8]) -> Option<zeroize::Zeroizing<String>> {
    std::str::from_utf8(raw).ok().and_then(name::password)
}

fn stored<'call>(c: Caller<'call>, hash: gatepost_str) -> Result<&'call str, Failure> {
    std::str::from_utf8(c.bytes(hash, "hash")?).map_err(|_| Failure::argument("hash is no password hash: not UTF-8"))
}

fn failure(error: HashError) -> Failure {
    match error {
        HashError::Overloaded => {
            Failure::new(GATEPOST_ERR_OVERLOADED, "the memory for hashing is in use; try again in a moment")
        }
        HashError::Unsupported(message) => Failure::unsupported(message),
        HashError::Input(message) => Failure::argument(message),
        HashError::System(message) => Failure::new(GATEPOST_ERR_SYSTEM, message),
    }
}
