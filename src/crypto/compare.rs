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

#[cfg(test)]
mod tests {
    use super::*;

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
