//! Looks at the octets of all field names and values of a request, sixteen at a time and without a branch for each.
//! Says whether all of them are of the usual kind; what is wrong with one that is not is for others to find.

use crate::ffi::os::plain::ends;
use crate::ffi::os::wide;

/// What was seen so far.
#[derive(Clone, Copy, Default)]
pub struct Octets(wide::Seen);

impl Octets {
    /// Looks at a field's name.
    #[inline]
    pub fn name(&mut self, name: &[u8]) {
        // The last ones may be seen twice.
        if let Some((head, tail)) = ends(name) {
            self.0.name(head, tail);
        } else if let Some(last) = name.last_chunk::<16>() {
            name.as_chunks::<16>().0.iter().chain([last]).for_each(|chunk| {
                let (head, tail) = halves(chunk);
                self.0.name(head, tail);
            });
        } else {
            // No token is empty.
            self.0.name(0, 0);
        }
    }

    /// Looks at a field's value.
    #[inline]
    pub fn value(&mut self, value: &[u8]) {
        if let (Some(first), Some(last)) = (value.first_chunk::<16>(), value.last_chunk::<16>()) {
            let mut look = |chunk| {
                let (head, tail) = halves(chunk);
                self.0.value(head, tail);
            };
            look(first);
            look(last);
            // Of most that was all.
            if value.len() > 32 {
                value.get(16..).unwrap_or_default().as_chunks::<16>().0.iter().for_each(look);
            }
        } else if let Some((head, tail)) = ends(value) {
            self.0.value(head, tail);
        }
    }

    /// All names hold nothing but letters, digits and `-`, and no name is empty; all octets of values are 0x0E or above.
    #[inline]
    pub fn are_usual(&self) -> bool {
        self.0.is_usual()
    }
}

#[inline]
fn halves(chunk: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*chunk);
    (both as u64, (both >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_usual(names: &[&[u8]], values: &[&[u8]]) -> bool {
        let mut octets = Octets::default();
        names.iter().for_each(|name| octets.name(name));
        values.iter().for_each(|value| octets.value(value));
        octets.are_usual()
    }

    #[test]
    fn an_octet_is_noticed_wherever_it_stands() {
        for length in 1..50 {
            let text = vec![b'a'; length];
            assert!(are_usual(&[&text], &[&text]));
            for at in 0..length {
                for octet in 0..=255_u8 {
                    let mut text = text.clone();
                    text[at] = octet;
                    let usual = octet.is_ascii_alphanumeric() || octet == b'-';
                    assert_eq!(are_usual(&[b"Host", &text, b"Accept"], &[]), usual, "{octet} at {at} of {length}");
                    let low = octet < 0x0E;
                    assert_eq!(!are_usual(&[], &[b"a b", &text, b"c"]), low, "{octet} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_value_may_be_empty_and_a_name_may_not() {
        assert!(are_usual(&[], &[b""]) && are_usual(&[b"a"], &[b"", "Gr\u{f6}\u{df}e ~".as_bytes()]));
        assert!(!are_usual(&[b""], &[]) && !are_usual(&[b"a", b"", b"b"], &[]));
    }
}
