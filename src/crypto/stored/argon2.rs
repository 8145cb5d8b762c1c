//! `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (the PHC string format as the reference implementation of Argon2 writes it),
//! read narrowly. Argon2i, Argon2d and version 16 are read to verify what others made; new hashes are Argon2id.
//!
//! Whatever stands in a state file is only data here: no text panics, allocates beyond its own length or asks for more
//! work than the caps allow.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::BASE64_NOPAD;
use zeroize::Zeroizing;

use super::same;
use super::text::{base64, malformed, number, parts, unsupported};
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

/// Which Argon2 a hash was made with. New ones are [`Variant::CURRENT`]; the others are only verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Variant {
    algorithm: Algorithm,
    version: Version,
}

impl Variant {
    /// Argon2id of version 19.
    pub(crate) const CURRENT: Variant = Variant { algorithm: Algorithm::Argon2id, version: Version::V0x13 };

    /// For people.
    pub(super) fn name(self) -> &'static str {
        match (self.algorithm, self.version) {
            (Algorithm::Argon2id, Version::V0x13) => "Argon2id",
            (Algorithm::Argon2id, Version::V0x10) => "Argon2id version 16",
            (Algorithm::Argon2i, Version::V0x13) => "Argon2i",
            (Algorithm::Argon2i, Version::V0x10) => "Argon2i version 16",
            (Algorithm::Argon2d, Version::V0x13) => "Argon2d",
            (Algorithm::Argon2d, Version::V0x10) => "Argon2d version 16",
        }
    }
}

/// A stored Argon2 hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phc {
    pub(crate) variant: Variant,
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
        let (front, salt_and_output) = front_of(text)?;
        let (variant, cost) = kind(front)?;
        let [salt, output] = parts(salt_and_output, '$').ok_or_else(|| malformed("it is not salt and output"))?;
        let salt = base64(salt).ok_or_else(|| malformed("its salt is not base64 without padding"))?;
        let output = base64(output).ok_or_else(|| malformed("its output is not base64"))?;
        if !SALT.contains(&salt.len()) {
            return Err(malformed("its salt is not of 8 to 64 octets"));
        }
        if !OUTPUT.contains(&output.len()) {
            return Err(malformed("its output is not of 16 to 64 octets"));
        }
        Ok(Phc { variant, cost, salt, output })
    }

    /// One that costs the same and matches nothing.
    pub(crate) fn specimen(variant: Variant, cost: Cost) -> Phc {
        Phc { variant, cost, salt: vec![0; 16], output: vec![0; 32] }
    }

    /// The text form.
    pub(crate) fn to_text(&self) -> String {
        let (salt, output) = (BASE64_NOPAD.encode(&self.salt), BASE64_NOPAD.encode(&self.output));
        format!("${}${salt}${output}", kind_text(self.variant, self.cost))
    }

    /// Derives from a password what a right one gives, over `memory`, which may be larger than needed.
    pub(crate) fn derive(&self, password: &[u8], memory: &mut [Block]) -> Result<Zeroizing<Vec<u8>>, HashError> {
        let Cost { memory_kib, iterations, parallelism } = self.cost;
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        let params = Params::new(memory_kib, iterations, parallelism, Some(output.len())).map_err(ours)?;
        let memory = memory.get_mut(..params.block_count()).ok_or_else(|| ours(argon2::Error::MemoryTooLittle))?;
        Argon2::new(self.variant.algorithm, self.variant.version, params)
            .hash_password_into_with_memory(password, &self.salt, &mut output, memory)
            .map_err(ours)?;
        Ok(output)
    }

    pub(super) fn matches(&self, password: &[u8], memory: &mut [Block]) -> Result<bool, HashError> {
        Ok(same(&mut self.derive(password, memory)?, &self.output))
    }
}

/// `argon2id$v=19$m=…,t=…,p=…`: all of a stored hash that says what it costs.
pub(crate) fn kind_text(variant: Variant, cost: Cost) -> String {
    let Cost { memory_kib, iterations, parallelism } = cost;
    let name = variant.algorithm.as_str();
    let version = u32::from(variant.version);
    format!("{name}$v={version}$m={memory_kib},t={iterations},p={parallelism}")
}

/// Reads what [`kind_text`] writes. Before version 19 the version was left out.
pub(crate) fn kind(text: &str) -> Result<(Variant, Cost), HashError> {
    let (name, rest) = text.split_once('$').ok_or_else(|| malformed("it ends after its name"))?;
    let algorithm = match name {
        "argon2id" => Algorithm::Argon2id,
        "argon2i" => Algorithm::Argon2i,
        "argon2d" => Algorithm::Argon2d,
        _ => return Err(malformed("there is no such Argon2")),
    };
    let (version, cost) = match rest.split_once('$') {
        Some(("v=19", cost)) => (Version::V0x13, cost),
        Some(("v=16", cost)) => (Version::V0x10, cost),
        None if rest.starts_with("m=") => (Version::V0x10, rest),
        _ => return Err(malformed("its version is neither v=19 nor v=16")),
    };
    let cost = parameters(cost).ok_or_else(|| malformed("its cost is not m=…,t=…,p=…"))?;
    check(cost)?;
    Ok((Variant { algorithm, version }, cost))
}

/// Splits `$kind$salt$output` before the salt.
fn front_of(text: &str) -> Result<(&str, &str), HashError> {
    let text = text.strip_prefix('$').ok_or_else(|| malformed("it does not begin with $"))?;
    let (front, _) = text
        .rsplit_once('$')
        .and_then(|(front, _)| front.rsplit_once('$'))
        .ok_or_else(|| malformed("it ends too early"))?;
    let rest = text.get(front.len().saturating_add(1)..).unwrap_or_default();
    Ok((front, rest))
}

/// Memory that a run needs, blocks of 1 KiB.
pub(crate) fn blocks(cost: Cost) -> u32 {
    Params::new(cost.memory_kib, cost.iterations, cost.parallelism, None)
        .map_or(u32::MAX, |params| u32::try_from(params.block_count()).unwrap_or(u32::MAX))
}

/// Inputs were checked before, so the algorithm had nothing to refuse.
fn ours(error: argon2::Error) -> HashError {
    HashError::System(format!("password hashing failed: {error}"))
}

/// A cost within the caps, whoever asks for it.
pub(crate) fn check(cost: Cost) -> Result<(), HashError> {
    let Cost { memory_kib, iterations, parallelism } = cost;
    if !(1..=PARALLELISM_CAP).contains(&parallelism) {
        return Err(unsupported(format!("parallelism {parallelism} of a password hash is not within 1 to 64")));
    }
    if !(1..=ITERATIONS_CAP).contains(&iterations) {
        return Err(unsupported(format!("{iterations} iterations of a password hash are not within 1 to 64")));
    }
    if !(MEMORY_FOR_A_LANE * parallelism..=MEMORY_CAP).contains(&memory_kib) {
        return Err(unsupported(format!(
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
    fn other_argon2s_are_read_as_what_they_are() {
        for (from, to) in [("argon2id", "argon2i"), ("argon2id", "argon2d"), ("v=19", "v=16"), ("argon2id", "argon2id")]
        {
            let text = GOOD.replacen(from, to, 1);
            let phc = Phc::parse(&text).unwrap();
            assert_eq!(phc.to_text(), text);
            assert_eq!(phc.variant == Variant::CURRENT, from == to, "{text}");
        }
        assert_eq!(Phc::parse(&GOOD.replacen("$v=19", "", 1)), Phc::parse(&GOOD.replacen("v=19", "v=16", 1)));
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
            with("argon2id", "argon2"),
            with("argon2id", "ARGON2ID"),
            with("v=19", "v=42"),
            with("v=19", "v=019"),
            with("$v=19", "$v=19$v=19"),
            with("$v=19", "$"),
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
            text in r"\$argon2(id|i|d|)(\$v=(19|16|))?\$m=[0-9]{0,11},t=[0-9]{1,2},p=[0-9]{1,2}(,[a-z]=[0-9])?\$[A-Za-z0-9+/=]{0,90}\$[A-Za-z0-9+/é]{0,90}"
        ) {
            if let Ok(phc) = Phc::parse(&text) {
                let written = phc.to_text();
                prop_assert!(written == text || written.replacen("$v=16", "", 1) == text, "{} {}", written, text);
            }
        }
    }
}
