//! Whole numbers in decimal digits, eight octets in one step.

const SIXES: u64 = 0x0606_0606_0606_0606;
const TOPS: u64 = 0xF0F0_F0F0_F0F0_F0F0;
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// All eight are digits.
#[inline]
fn are_digits(eight: &[u8; 8]) -> bool {
    let word = u64::from_le_bytes(*eight);
    word & TOPS == ZEROS && word.wrapping_add(SIXES) & TOPS == ZEROS
}

/// Where from `at` on the digits end.
#[inline]
pub(super) fn end_of_digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at..).and_then(|rest| rest.first_chunk()).is_some_and(are_digits) {
        at += 8;
    }
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// The usual NumericDate: eight to fifteen digits and nothing else.
pub(super) fn digits(text: &[u8]) -> Option<u64> {
    let (eight, rest) = text.split_first_chunk::<8>().filter(|(eight, rest)| are_digits(eight) && rest.len() <= 7)?;
    // Two digits in each pair of octets, four in each four, eight.
    let units = u64::from_le_bytes(*eight) & !TOPS;
    let pairs = units.wrapping_mul(10).wrapping_add(units >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    let whole = (fours & 0xFFFF_FFFF).wrapping_mul(10_000).wrapping_add(fours >> 32);
    let digit = |sum: u64, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0'));
    rest.iter().try_fold(whole, digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_by_the_usual_reader() {
        for text in ["12345678", "1790000000", "00000000", "99999999", "123456789012345", "1234567890123456", "1234567"]
        {
            let wanted = (8..=15).contains(&text.len()).then(|| text.parse().unwrap());
            assert_eq!(digits(text.as_bytes()), wanted, "{text}");
            for at in 0..text.len() {
                for octet in 0..=255_u8 {
                    let mut other = text.as_bytes().to_vec();
                    other[at] = octet;
                    let wanted = wanted.and(std::str::from_utf8(&other).ok()).filter(|_| octet != b'+');
                    let wanted: Option<u64> = wanted.and_then(|text| text.parse().ok());
                    assert_eq!(digits(&other), wanted, "{octet} at {at} of {text}");
                }
            }
        }
    }
}
