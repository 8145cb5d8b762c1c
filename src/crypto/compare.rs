//! Comparing what nobody may learn byte by byte.

use crate::ffi::os::differ::difference;
use crate::ffi::os::taint;

/// The two are equal. How long it takes depends on nothing but the lengths.
pub(crate) fn equal(computed: &mut [u8], expected: &[u8]) -> bool {
    taint::secret(computed);
    let mut differ = [difference(computed, expected)];
    // The verdict is what the caller is told.
    taint::public(&mut differ);
    computed.len() == expected.len() && differ == [0]
}

/// The same for texts that are no secret to whoever asks. It reads all of both, whatever stands in them.
pub(crate) fn equal_text(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && difference(one, other) == 0
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
