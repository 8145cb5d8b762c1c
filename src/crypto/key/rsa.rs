//! Which RSA keys are too weak to be believed.

/// Bits of a modulus, at most: what the verification itself takes.
const LARGEST: usize = 8192;

/// The primes up to 167 but 2: keys of Infineon's faulty library (ROCA, CVE-2017-15361) leave a remainder that is a
/// power of 65537 for each of them; others do so once in about 2^27.
const PRIMES: [u32; 38] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107, 109,
    113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/// Both numbers as unsigned octets without leading zeros.
pub(super) fn check(modulus: &[u8], exponent: &[u8], strict: bool) -> Result<(), String> {
    let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
    let least = if strict { 3072 } else { 2048 };
    if bits < least {
        let why = if strict && bits >= 2048 { " under `profile = \"strict\"`" } else { " (RFC 7518 section 3.3)" };
        return Err(format!("an RSA key of {bits} bits is too short: {least} are the least{why}"));
    }
    if bits > LARGEST {
        return Err(format!("an RSA key of {bits} bits is longer than {LARGEST}, the most that is taken"));
    }
    // FIPS 186-5 section A.1.1: odd and over 2^16; what does not fit into 32 bits only costs time.
    let value = exponent.iter().fold(0u64, |sum, byte| sum.saturating_mul(256).saturating_add(u64::from(*byte)));
    if value % 2 == 0 || value <= 65_536 || value > u64::from(u32::MAX) {
        return Err("its public exponent is not an odd number from 65537 to 2^32".into());
    }
    if modulus.last().is_none_or(|last| last % 2 == 0) || PRIMES.iter().any(|prime| remainder(modulus, *prime) == 0) {
        return Err("its modulus has a small factor: this is no RSA key".into());
    }
    if is_roca(modulus) {
        return Err(
            "it was made by a faulty generator (ROCA, CVE-2017-15361) and can be factored; make a new key".into()
        );
    }
    Ok(())
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    number.iter().fold(0, |rest, byte| ((rest << 8) | u32::from(*byte)) % divisor)
}

fn is_roca(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|&prime| {
        let (wanted, step) = (remainder(modulus, prime), 65_537 % prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * step % prime;
            power == wanted
        })
    })
}
