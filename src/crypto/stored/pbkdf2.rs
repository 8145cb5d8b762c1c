//! PBKDF2 (RFC 8018): the forms of passlib, Django, Werkzeug, Atlassian and GRUB.

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};
use zeroize::Zeroizing;

use super::same;
use super::text::{self, LONGEST_SALT};
use crate::crypto::password::HashError;

/// Most iterations over all blocks of output, some two seconds. Django 6 asks for 1,200,000.
const MOST: u64 = 10_000_000;
/// Octets of output.
const OUTPUT: std::ops::RangeInclusive<usize> = 16..=64;

/// The digest under the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Prf {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl Prf {
    pub(super) fn octets(self) -> usize {
        match self {
            Prf::Sha1 => 20,
            Prf::Sha256 => 32,
            Prf::Sha512 => 64,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Prf::Sha1 => "sha1",
            Prf::Sha256 => "sha256",
            Prf::Sha512 => "sha512",
        }
    }

    /// Iterations within the caps, for so many blocks of output.
    pub(super) fn within(self, iterations: u32, blocks: u8) -> Result<u32, HashError> {
        let work = u64::from(iterations) * u64::from(blocks);
        let longest = OUTPUT.end().div_ceil(self.octets());
        if work == 0 || usize::from(blocks) > longest {
            return Err(text::malformed("its iterations are no number"));
        }
        if work > MOST {
            return Err(text::too_dear(&format!("{iterations} iterations of PBKDF2, and the most is 10,000,000")));
        }
        Ok(iterations)
    }

    pub(super) fn of_name(name: &str) -> Option<Prf> {
        [Prf::Sha1, Prf::Sha256, Prf::Sha512].into_iter().find(|prf| prf.name() == name)
    }
}

/// A stored hash, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pbkdf2 {
    pub(super) prf: Prf,
    pub(super) iterations: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Pbkdf2 {
    /// Reads what follows `$pbkdf2$`, `$pbkdf2-sha256$` or `$pbkdf2-sha512$`: `iterations$salt$output`.
    pub(super) fn parse_passlib(prf: Prf, rest: &str) -> Result<Pbkdf2, HashError> {
        let [iterations, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let decode = |part| text::base64_with(part, '.', '/', false);
        Pbkdf2::whole(prf, text::number(iterations), decode(salt), decode(output))
    }

    /// Reads what follows `pbkdf2_sha256$` or `pbkdf2_sha1$` in Django: `iterations$salt$output`.
    pub(super) fn parse_django(prf: Prf, rest: &str) -> Result<Pbkdf2, HashError> {
        let [iterations, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        Pbkdf2::whole(prf, text::number(iterations), text::salt(salt), text::base64_padded(output))
    }

    /// Reads what follows `pbkdf2:` in Werkzeug: `sha256:iterations$salt$output`.
    pub(super) fn parse_werkzeug(rest: &str) -> Result<Pbkdf2, HashError> {
        let [settings, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let [prf, iterations] = text::parts(settings, ':').ok_or_else(shape)?;
        let prf = Prf::of_name(prf).ok_or_else(shape)?;
        Pbkdf2::whole(prf, text::number(iterations), text::salt(salt), text::hex(output))
    }

    /// Reads what follows `{PKCS5S2}` of Atlassian: base64 of 16 octets of salt and 32 of output.
    pub(super) fn parse_atlassian(rest: &str) -> Result<Pbkdf2, HashError> {
        let octets = text::base64_padded(rest).filter(|octets| octets.len() == 48).ok_or_else(shape)?;
        let (salt, output) = octets.split_at_checked(16).ok_or_else(shape)?;
        Pbkdf2::new(Prf::Sha1, Some(10_000), Some(salt.to_vec()), Some(output.to_vec()))
    }

    /// Reads what follows `$p5k2$`: Cryptacular's form, in which all is base64, or Dwayne Litzenberger's, in which the
    /// salt is part of what is hashed and 400 iterations are not written.
    pub(super) fn parse_p5k2(rest: &str) -> Result<Pbkdf2, HashError> {
        let [iterations, salt, output] = text::parts(rest, '$').ok_or_else(shape)?;
        let hexadecimal = |part: &str| {
            let lower = part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            (lower && !part.starts_with('0')).then(|| u32::from_str_radix(part, 16).ok()).flatten()
        };
        if output.len() == 28 {
            let decode = |part| text::base64_with(part, '-', '_', true);
            return Pbkdf2::whole(Prf::Sha1, hexadecimal(iterations), decode(salt), decode(output));
        }
        let count = if iterations.is_empty() { Some(400) } else { hexadecimal(iterations) };
        let whole_salt = text::salt(&format!("$p5k2${iterations}${salt}"));
        let output = text::base64_with(output, '.', '/', false).filter(|output| output.len() == 24);
        Pbkdf2::new(Prf::Sha1, count, whole_salt, output)
    }

    /// Reads what follows `grub.pbkdf2.sha512.`: `iterations.salt.output` in hexadecimal.
    pub(super) fn parse_grub(rest: &str) -> Result<Pbkdf2, HashError> {
        let [iterations, salt, output] = text::parts(rest, '.').ok_or_else(shape)?;
        let decode = |part: &str| text::hex(&part.to_ascii_lowercase());
        Pbkdf2::whole(Prf::Sha512, text::number(iterations), decode(salt), decode(output))
    }

    /// With an output as long as the digest.
    fn whole(
        prf: Prf,
        iterations: Option<u32>,
        salt: Option<Vec<u8>>,
        output: Option<Vec<u8>>,
    ) -> Result<Pbkdf2, HashError> {
        Pbkdf2::new(prf, iterations, salt, output.filter(|output| output.len() == prf.octets()))
    }

    fn new(
        prf: Prf,
        iterations: Option<u32>,
        salt: Option<Vec<u8>>,
        output: Option<Vec<u8>>,
    ) -> Result<Pbkdf2, HashError> {
        let iterations = iterations.ok_or_else(|| text::malformed("its iterations are no number"))?;
        let salt = salt
            .filter(|salt| salt.len() <= LONGEST_SALT)
            .ok_or_else(|| text::malformed("the salt of the PBKDF2 hash is not in its encoding, or too long"))?;
        let output = output
            .filter(|output| OUTPUT.contains(&output.len()))
            .ok_or_else(|| text::malformed("the output of the PBKDF2 hash is not of its length in its encoding"))?;
        let read = Pbkdf2 { prf, iterations, salt, output };
        prf.within(iterations, read.blocks())?;
        Ok(read)
    }

    /// Blocks of output, each of which costs all iterations.
    pub(super) fn blocks(&self) -> u8 {
        u8::try_from(self.output.len().div_ceil(self.prf.octets())).unwrap_or(u8::MAX)
    }

    /// One that costs the same and matches nothing.
    pub(super) fn specimen(prf: Prf, iterations: u32, blocks: u8) -> Pbkdf2 {
        Pbkdf2 { prf, iterations, salt: vec![0; 16], output: vec![0; prf.octets() * usize::from(blocks)] }
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        let mut output = Zeroizing::new(vec![0; self.output.len()]);
        match self.prf {
            Prf::Sha1 => pbkdf2_hmac::<Sha1>(password, &self.salt, self.iterations, &mut output),
            Prf::Sha256 => pbkdf2_hmac::<Sha256>(password, &self.salt, self.iterations, &mut output),
            Prf::Sha512 => pbkdf2_hmac::<Sha512>(password, &self.salt, self.iterations, &mut output),
        }
        same(&mut output, &self.output)
    }
}

fn shape() -> HashError {
    text::malformed("it is not iterations, salt and output as the program that made it writes them for PBKDF2")
}
