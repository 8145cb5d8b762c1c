//! Comparing what nobody may learn byte by byte.

use subtle::ConstantTimeEq;

use crate::ffi::os::taint;

/// The two are equal. How long it takes depends on nothing but the lengths.
pub(crate) fn equal(computed: &mut [u8], expected: &[u8]) -> bool {
    taint::secret(computed);
    let mut equal = [computed.ct_eq(expected).unwrap_u8()];
    // The verdict is what the caller is told.
    taint::public(&mut equal);
    equal == [1]
}

/// The same for long texts, some twenty octets at once. It reads all of both, whatever stands in them.
pub(crate) fn equal_text(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b));
    // The compiler does not learn that only zero matters, and so cannot stop early.
    one.len() == other.len() && std::hint::black_box(differ) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_is_equal() {
        let text: Vec<u8> = (0..=255).cycle().take(700).collect();
        assert!(equal_text(&text, &text.clone()) && equal_text(&[], &[]));
        assert!(!equal_text(&text, &text[..699]) && !equal_text(&text[1..], &text) && !equal_text(&text, &[]));
        for at in 0..700 {
            let mut other = text.clone();
            other[at] ^= 1 << (at % 8);
            assert!(!equal_text(&text, &other), "{at}");
        }
    }

    #[test]
    fn only_the_same_bytes_of_the_same_length_are_equal() {
        let tag = [7u8; 32];
        assert!(equal(&mut tag.clone(), &tag));
        assert!(!equal(&mut tag.clone(), &tag[..31]) && !equal(&mut tag.clone(), &[]));
        for bit in 0..256 {
            let mut other = tag;
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(!equal(&mut tag.clone(), &other), "bit {bit}");
        }
    }
}
