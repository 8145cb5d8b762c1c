//! scrypt (RFC 7914): `$scrypt$ln=…,r=…,p=…$` of passlib, `scrypt$…` of Django, `scrypt:…` of Werkzeug, `$7$` of
//! crypt(3).

use zeroize::Zeroizing;

use super::same;
use super::text::{self, LONGEST_SALT};
use crate::crypto::password::HashError;

/// Most work, N · r · p: some two seconds. OWASP's first choice is 2^20.
const MOST_WORK: u64 = 1 << 23;
/// Most memory, KiB: 1 GiB.
const MOST_MEMORY: u64 = 1 << 20;
/// Octets of output.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=64;

/// N = 2^`log_n`, r and p.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScryptCost {
    /// Binary logarithm of N.
    pub(crate) log_n: u32,
    /// Size of a block, 128 octets each.
    pub(crate) r: u32,
    /// Lanes, one after the other.
    pub(crate) p: u32,
}

/// A stored hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scrypt {
    pub(super) cost: ScryptCost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl ScryptCost {
    /// A cost within the caps.
    pub(super) fn new(log_n: u32, r: u32, p: u32) -> Result<ScryptCost, HashError> {
        if !(1..=30).contains(&log_n) || !(1..=64).contains(&r) || !(1..=64).contains(&p) {
            return Err(text::too_dear("scrypt with N = 2^1 to 2^30, r and p of 1 to 64 is what is run"));
        }
        let cost = ScryptCost { log_n, r, p };
        if (u64::from(r) * u64::from(p)) << log_n > MOST_WORK {
            return Err(text::too_dear(&format!(
                "scrypt with N = 2^{log_n}, r = {r}, p = {p}, and the most is N·r·p = 2^23"
            )));
        }
        if u64::from(cost.memory_kib()) > MOST_MEMORY {
            return Err(text::too_dear(&format!("scrypt over {} KiB, and the most is 1 GiB", cost.memory_kib())));
        }
        Ok(cost)
    }

    /// What a run holds: N + p + 2 blocks of 128 · r octets.
    pub(super) fn memory_kib(self) -> u32 {
        let blocks = (1u64 << self.log_n) + u64::from(self.p) + 2;
        u32::try_from((blocks * 128 * u64::from(self.r)).div_ceil(1024)).unwrap_or(u32::MAX)
    }
}

impl Scrypt {
    /// Reads what follows `$scrypt$`.
    pub(super) fn parse_passlib(rest: &str) -> Result<Scrypt, HashError> {
        let [settings, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let [ln, r, p] = text::parts(settings, ',').ok_or_else(shape)?;
        let (ln, r, p) = (ln.strip_prefix("ln="), r.strip_prefix("r="), p.strip_prefix("p="));
        let cost = numbers(ln, r, p)?;
        Scrypt::of_parts(cost, text::base64(salt), text::base64(output))
    }

    /// Reads what follows `scrypt$` in Django: `N$salt$r$p$output`.
    pub(super) fn parse_django(rest: &str) -> Result<Scrypt, HashError> {
        let [n, salt, r, p, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let cost = of_n(n, r, p)?;
        Scrypt::of_parts(cost, text::salt(salt), text::base64_padded(output))
    }

    /// Reads what follows `scrypt:` in Werkzeug: `N:r:p$salt$output`.
    pub(super) fn parse_werkzeug(rest: &str) -> Result<Scrypt, HashError> {
        let [settings, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let [n, r, p] = text::parts(settings, ':').ok_or_else(shape)?;
        let cost = of_n(n, r, p)?;
        Scrypt::of_parts(cost, text::salt(salt), text::hex(output))
    }

    /// Reads what follows `$7$`: one digit of log N, five each of r and p, the salt as it is written, the output.
    pub(super) fn parse_crypt(rest: &str) -> Result<Scrypt, HashError> {
        let [front, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let (log_n, front) = front.split_at_checked(1).ok_or_else(shape)?;
        let (r, front) = front.split_at_checked(5).ok_or_else(shape)?;
        let (p, salt) = front.split_at_checked(5).ok_or_else(shape)?;
        let number = |part| text::crypt64_number(part).ok_or_else(shape);
        let cost = ScryptCost::new(number(log_n)?, number(r)?, number(p)?)?;
        Scrypt::of_parts(cost, text::salt(salt), text::crypt64(output, 32))
    }

    fn of_parts(cost: ScryptCost, salt: Option<Vec<u8>>, output: Option<Vec<u8>>) -> Result<Scrypt, HashError> {
        let salt = salt
            .filter(|salt| salt.len() <= LONGEST_SALT)
            .ok_or_else(|| text::malformed("the salt of the scrypt hash is not in its encoding, or too long"))?;
        let output = output.filter(|output| OUTPUT.contains(&output.len())).ok_or_else(|| {
            text::malformed("the output of the scrypt hash is not of 16 to 64 octets in its encoding")
        })?;
        Ok(Scrypt { cost, salt, output })
    }

    /// One that costs the same and matches nothing.
    pub(super) fn specimen(cost: ScryptCost) -> Scrypt {
        Scrypt { cost, salt: vec![0; 16], output: vec![0; 32] }
    }

    /// The caller holds [`ScryptCost::memory_kib`] of the ceiling.
    pub(super) fn matches(&self, password: &[u8]) -> Result<bool, HashError> {
        let ScryptCost { log_n, r, p } = self.cost;
        // The function below ends the process where memory cannot be had; this asks first.
        let wanted = (self.cost.memory_kib() as usize).saturating_mul(1024);
        if Vec::<u8>::new().try_reserve_exact(wanted).is_err() {
            return Err(HashError::Overloaded);
        }
        let log_n = u8::try_from(log_n).map_err(|_| shape())?;
        let params = scrypt::Params::new(log_n, r, p).map_err(|_| text::malformed("its cost is not possible"))?;
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        scrypt::scrypt(password, &self.salt, &params, &mut output)
            .map_err(|error| HashError::System(format!("scrypt failed: {error}")))?;
        Ok(same(&mut output, &self.output))
    }
}

fn numbers(log_n: Option<&str>, r: Option<&str>, p: Option<&str>) -> Result<ScryptCost, HashError> {
    let number = |part: Option<&str>| part.and_then(text::number).ok_or_else(shape);
    ScryptCost::new(number(log_n)?, number(r)?, number(p)?)
}

fn of_n(n: &str, r: &str, p: &str) -> Result<ScryptCost, HashError> {
    let n =
        text::number(n).filter(|n| n.is_power_of_two()).ok_or_else(|| text::malformed("its N is no power of two"))?;
    let number = |part: &str| text::number(part).ok_or_else(shape);
    ScryptCost::new(n.trailing_zeros(), number(r)?, number(p)?)
}

fn shape() -> HashError {
    text::malformed("it is not cost, salt and output as the program that made it writes them for scrypt")
}
