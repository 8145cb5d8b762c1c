//! The text form of stored password hashes: `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (the PHC string format as the
//! reference implementation of Argon2 writes it), read narrowly.
//!
//! Whatever stands in a state file is only data here: no text panics, allocates beyond its own length or asks for more
//! work than the caps allow.

use data_encoding::BASE64_NOPAD;

use crate::crypto::password::{Cost, HashError};

/// Most memory that a stored hash may ask for, KiB: 1 GiB.
const MEMORY_CAP: u32 = 1 << 20;
/// Most passes.
const ITERATIONS_CAP: u32 = 64;
/// Most lanes.
const PARALLELISM_CAP: u32 = 64;
/// Least memory for each lane, KiB (RFC 9106 section 3.1).
const MEMORY_FOR_A_LANE: u32 = 8;
/// Octets of salt; RFC 9106 section 3.1 recommends 16.
const SALT: std::ops::RangeInclusive<usize> = 8..=64;
/// Octets of output.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=64;
/// Longest text that the above can come to, with room.
const LONGEST: usize = 256;

/// A stored Argon2id hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phc {
    pub(crate) cost: Cost,
    pub(crate) salt: Vec<u8>,
    pub(crate) output: Vec<u8>,
}

impl Phc {
    /// Reads a stored hash; the error says what is wrong and what to do, without any of the text but names.
    pub(crate) fn parse(text: &str) -> Result<Phc, HashError> {
        if text.len() > LONGEST {
            return Err(unsupported("the stored password hash is too long to be one that this version reads"));
        }
        let mut parts = text.split('$');
        if parts.next() != Some("") {
            return Err(not_argon2id());
        }
        match parts.next() {
            Some("argon2id") => {}
            Some(name @ ("argon2i" | "argon2d")) => {
                return Err(unsupported(&format!(
                    "the stored password hash is {name}; only argon2id is accepted, so set a new password"
                )));
            }
            _ => return Err(not_argon2id()),
        }
        match parts.next() {
            Some("v=19") => {}
            Some("v=16") => return Err(old_version()),
            // Before version 19 the field was left out.
            Some(parameters) if parameters.starts_with("m=") => return Err(old_version()),
            _ => return Err(malformed("its version is not v=19")),
        }
        let cost = parts.next().and_then(parameters).ok_or_else(|| malformed("its cost is not m=…,t=…,p=…"))?;
        let salt = parts.next().and_then(base64).ok_or_else(|| malformed("its salt is not base64 without padding"))?;
        let output = parts.next().and_then(base64).ok_or_else(|| malformed("its output is not base64"))?;
        if parts.next().is_some() {
            return Err(malformed("something follows its output"));
        }
        check(cost)?;
        if !SALT.contains(&salt.len()) {
            return Err(malformed("its salt is not of 8 to 64 octets"));
        }
        if !OUTPUT.contains(&output.len()) {
            return Err(malformed("its output is not of 16 to 64 octets"));
        }
        Ok(Phc { cost, salt, output })
    }

    /// The text form.
    pub(crate) fn to_text(&self) -> String {
        let Cost { memory_kib, iterations, parallelism } = self.cost;
        let (salt, output) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.output));
        format!("$argon2id$v=19$m={memory_kib},t={iterations},p={parallelism}${salt}${output}")
    }
}

/// A cost within the caps, whoever asks for it.
pub(crate) fn check(cost: Cost) -> Result<(), HashError> {
    let Cost { memory_kib, iterations, parallelism } = cost;
    if !(1..=PARALLELISM_CAP).contains(&parallelism) {
        return Err(unsupported(&format!("parallelism {parallelism} of a password hash is not within 1 to 64")));
    }
    if !(1..=ITERATIONS_CAP).contains(&iterations) {
        return Err(unsupported(&format!("{iterations} iterations of a password hash are not within 1 to 64")));
    }
    if !(MEMORY_FOR_A_LANE * parallelism..=MEMORY_CAP).contains(&memory_kib) {
        return Err(unsupported(&format!(
            "memory of {memory_kib} KiB for a password hash is not within 8 KiB for each lane and 1 GiB"
        )));
    }
    Ok(())
}

/// `m=…,t=…,p=…`, in this order and nothing else.
fn parameters(text: &str) -> Option<Cost> {
    let mut parts = text.split(',');
    let cost = Cost {
        memory_kib: number(parts.next()?.strip_prefix("m=")?)?,
        iterations: number(parts.next()?.strip_prefix("t=")?)?,
        parallelism: number(parts.next()?.strip_prefix("p=")?)?,
    };
    parts.next().is_none().then_some(cost)
}

/// A decimal number without sign or leading zero.
fn number(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// Standard base64 without padding; unused bits are zero.
fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.as_bytes()).ok()
}

fn unsupported(text: &str) -> HashError {
    HashError::Unsupported(text.into())
}

fn malformed(what: &str) -> HashError {
    HashError::Unsupported(format!("the stored password hash cannot be read: {what}; set a new password"))
}

fn not_argon2id() -> HashError {
    unsupported("the stored password hash is of a form that this version does not read; set a new password")
}

fn old_version() -> HashError {
    unsupported("the stored password hash is of Argon2 version 16, which is weaker; set a new password")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";

    #[test]
    fn a_stored_hash_is_read_and_written_back_the_same() {
        let phc = Phc::parse(GOOD).unwrap();
        assert_eq!(phc.cost, Cost { memory_kib: 256, iterations: 2, parallelism: 1 });
        assert_eq!(phc.salt, b"somesalt");
        assert_eq!(phc.output.len(), 32);
        assert_eq!(phc.to_text(), GOOD);
    }

    #[test]
    fn whatever_departs_from_the_form_is_unsupported() {
        let with = |from: &str, to: &str| {
            assert!(GOOD.contains(from), "{from}");
            GOOD.replacen(from, to, 1)
        };
        for text in [
            String::new(),
            "$".into(),
            "$argon2id".into(),
            "plain".into(),
            "$2y$10$abcdefghijklmnopqrstuv".into(),
            with("argon2id", "argon2i"),
            with("argon2id", "argon2d"),
            with("argon2id", "ARGON2ID"),
            with("v=19", "v=16"),
            with("v=19", "v=42"),
            with("$v=19", ""),
            with("m=256,t=2", "t=2,m=256"),
            with("m=256", "m=0256"),
            with("m=256", "m=+256"),
            with("m=256", "m=-1"),
            with("m=256", "m="),
            with("m=256", "m=4294967296"),
            with("p=1", "p=1,keyid=8PDw8A"),
            with("p=1", "p=1,data=Dw8PDw8P"),
            with(",p=1", ""),
            with("c29tZXNhbHQ", "c29tZXNhbHQ="),
            with("c29tZXNhbHQ", "c29tZXNhbHR"),
            with("c29tZXNhbHQ", "c29t ZXNhbHQ"),
            with("c29tZXNhbHQ", ""),
            with("c29tZXNhbHQ", "c29tZXNh"),
            with("/uIP", "_uIP"),
            format!("{GOOD}$"),
            format!("{GOOD}\n"),
            format!(" {GOOD}"),
            format!("{GOOD}{}", "A".repeat(300)),
        ] {
            assert!(matches!(Phc::parse(&text), Err(HashError::Unsupported(_))), "{text:?}");
        }
    }

    #[test]
    fn a_cost_over_the_caps_is_refused_before_any_memory_is_asked_for() {
        for parameters in [
            "m=1048577,t=2,p=1",
            "m=256,t=65,p=1",
            "m=1024,t=2,p=65",
            "m=7,t=2,p=1",
            "m=15,t=2,p=2",
            "m=256,t=0,p=1",
            "m=256,t=2,p=0",
        ] {
            let text = GOOD.replacen("m=256,t=2,p=1", parameters, 1);
            assert!(matches!(Phc::parse(&text), Err(HashError::Unsupported(_))), "{parameters}");
        }
        for parameters in ["m=1048576,t=64,p=64", "m=8,t=1,p=1"] {
            assert!(Phc::parse(&GOOD.replacen("m=256,t=2,p=1", parameters, 1)).is_ok(), "{parameters}");
        }
    }

    proptest! {
        #[test]
        fn no_stored_text_makes_the_reader_panic(text in any::<String>()) {
            let _ = Phc::parse(&text);
        }

        #[test]
        fn near_misses_do_not_panic_and_what_is_read_is_written_back_the_same(
            text in r"\$argon2(id|i|d|)\$v=(19|16|)\$m=[0-9]{0,11},t=[0-9]{1,2},p=[0-9]{1,2}(,[a-z]=[0-9])?\$[A-Za-z0-9+/=]{0,90}\$[A-Za-z0-9+/é]{0,90}"
        ) {
            if let Ok(phc) = Phc::parse(&text) {
                prop_assert_eq!(phc.to_text(), text);
            }
        }
    }
}
