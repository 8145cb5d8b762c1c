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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_faulty_generator_are_told_from_others() {
        // 65537 itself and its powers leave such remainders.
        assert!(is_roca(&[1, 0, 1]));
        assert!(is_roca(&(65_537u64 * 65_537).to_be_bytes()));
        let mut others = 0;
        for number in 1..2000u64 {
            let number = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            others += usize::from(is_roca(&number.to_be_bytes()));
        }
        assert_eq!(others, 0);
    }

    #[test]
    fn sizes_and_exponents_have_bounds() {
        let number = |bits: usize| {
            let mut number = vec![0xa5; bits / 8];
            *number.first_mut().unwrap() |= 0x80;
            // Odd, and with no small factor: looked for upwards.
            while PRIMES.iter().any(|prime| remainder(&number, *prime) == 0) || number.last().unwrap().is_multiple_of(2)
            {
                let last = number.last_mut().unwrap();
                *last = last.wrapping_add(1);
            }
            number
        };
        let checked = |bits, exponent: &[u8], strict| check(&number(bits), exponent, strict);
        for (bits, strict, good) in [
            (1024, false, false),
            (2040, false, false),
            (2048, false, true),
            (8192, false, true),
            (8200, false, false),
            (16384, false, false),
            (2048, true, false),
            (3064, true, false),
            (3072, true, true),
        ] {
            assert_eq!(checked(bits, &[1, 0, 1], strict).is_ok(), good, "{bits} {strict}");
        }
        for exponent in
            [&[][..], &[0], &[1], &[3], &[17], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &[1, 0, 0, 0, 1], &[0xff; 9]]
        {
            assert!(checked(2048, exponent, false).unwrap_err().contains("exponent"), "{exponent:?}");
        }
        assert!(checked(2048, &[1, 0, 3], false).is_ok());
        let mut even = number(2048);
        *even.last_mut().unwrap() ^= 1;
        assert!(check(&even, &[1, 0, 1], false).unwrap_err().contains("factor"));
    }
}
