//! Whether 32 octets are a point of edwards25519 (RFC 8032 section 5.1.3): a key that is none verifies nothing, and whoever
//! loads it should hear of that at once. Public numbers alone; nothing here is secret.

#![allow(
    clippy::indexing_slicing,
    clippy::needless_range_loop,
    reason = "every list has a fixed length, every index is below it, and carries go from one word to the next"
)]

/// A number below 2^256, least significant word first. It stands for its remainder modulo p = 2^255 - 19.
type Number = [u64; 4];

/// d of the curve: -121665 / 121666.
const D: Number = [0x75eb_4dca_1359_78a3, 0x0070_0a4d_4141_d8ab, 0x8cc7_4079_7779_e898, 0x5203_6cee_2b6f_fe73];
const ONE: Number = [1, 0, 0, 0];
/// p - 1.
const MINUS_ONE: Number = [u64::MAX - 19, u64::MAX, u64::MAX, u64::MAX >> 1];

/// The y that is written there has an x: x^2 = (y^2 - 1) / (d y^2 + 1) has a root. That of the sign is not looked at.
pub(super) fn is_point(key: &[u8; 32]) -> bool {
    let mut y: Number = [0; 4];
    for (word, octets) in y.iter_mut().zip(key.as_chunks::<8>().0) {
        *word = u64::from_le_bytes(*octets);
    }
    y[3] &= u64::MAX >> 1;
    let square = times(y, y);
    // u / v has a root exactly where u v has one: v is never 0, as -1 has a root and d has none.
    let product = times(plus(square, MINUS_ONE), plus(times(D, square), ONE));
    is_zero(product) || is_zero(plus(euler(product), MINUS_ONE))
}

/// To the power of (p - 1) / 2 = 2^254 - 10: 1 for what has a root.
fn euler(number: Number) -> Number {
    (0..254).rev().fold(ONE, |power, bit| {
        let square = times(power, power);
        if bit == 0 || bit == 3 { square } else { times(square, number) }
    })
}

fn plus(a: Number, b: Number) -> Number {
    let mut wide = [0; 8];
    let mut carry = 0;
    for at in 0..4 {
        let sum = u128::from(a[at]) + u128::from(b[at]) + carry;
        (wide[at], carry) = (sum as u64, sum >> 64);
    }
    wide[4] = carry as u64;
    folded(wide)
}

fn times(a: Number, b: Number) -> Number {
    let mut wide = [0; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            // At most (2^64 - 1)^2 + 2 (2^64 - 1), which is below 2^128.
            let sum = u128::from(a[i]) * u128::from(b[j]) + u128::from(wide[i + j]) + carry;
            (wide[i + j], carry) = (sum as u64, sum >> 64);
        }
        wide[i + 4] = carry as u64;
    }
    folded(wide)
}

/// Below 2^256 again: 2^256 is 38 modulo p.
fn folded(wide: [u64; 8]) -> Number {
    let mut number = [wide[0], wide[1], wide[2], wide[3]];
    let mut carry = 0;
    for at in 0..4 {
        let sum = u128::from(number[at]) + 38 * u128::from(wide[at + 4]) + carry;
        (number[at], carry) = (sum as u64, sum >> 64);
    }
    // What is left over shrinks to nothing in two rounds.
    while carry > 0 {
        carry *= 38;
        for word in &mut number {
            let sum = u128::from(*word) + carry;
            (*word, carry) = (sum as u64, sum >> 64);
        }
    }
    number
}

/// It is 0, p or 2p.
fn is_zero(number: Number) -> bool {
    let [first, second, third, last] = number;
    number == [0; 4]
        || (first, second, third, last) == (u64::MAX - 18, u64::MAX, u64::MAX, u64::MAX >> 1)
        || (first, second, third, last) == (u64::MAX - 37, u64::MAX, u64::MAX, u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What another implementation says.
    fn theirs(key: &[u8; 32]) -> bool {
        ed25519_dalek::VerifyingKey::from_bytes(key).is_ok()
    }

    fn small(y: u8) -> [u8; 32] {
        let mut key = [0; 32];
        key[0] = y;
        key
    }

    #[test]
    fn small_numbers_are_points_or_none_as_others_say() {
        // 0 and 1 are of small order; that is another check's.
        let seen: Vec<bool> = (2..=255).map(|y| is_point(&small(y))).collect();
        let theirs: Vec<bool> = (2..=255).map(|y| theirs(&small(y))).collect();
        assert_eq!(seen, theirs);
        assert!(!is_point(&small(2)) && !is_point(&small(7)) && is_point(&small(3)));
        assert!(is_point(&small(0)) && is_point(&small(1)));
    }

    #[test]
    fn numbers_are_folded_at_their_ends() {
        let all = [u64::MAX; 4];
        assert_eq!(times(all, ONE), all);
        assert!(is_zero(plus(MINUS_ONE, ONE)) && is_zero(plus(plus(MINUS_ONE, MINUS_ONE), plus(ONE, ONE))));
        // 2^256 - 1 is 37, and its square 1369.
        assert!(is_zero(plus(times(all, all), times(MINUS_ONE, [1369, 0, 0, 0]))));
        assert_eq!(plus(all, all), [74, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn any_numbers_are_points_or_none_as_others_say(key: [u8; 32]) {
            prop_assert_eq!(is_point(&key), theirs(&key));
        }
    }
}
