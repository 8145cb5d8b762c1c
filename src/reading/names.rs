//! A filter over names of header fields: whether one can be among those that somebody looks for at all. Two loads and a
//! test for a name; most names of most requests go no further.

/// Lets through all names that were put in, in any case, and few others.
#[derive(Clone, Debug)]
pub struct NameFilter {
    /// By length, the last for all that are longer. Bit `n`: some name of this length begins with an octet whose low
    /// five bits are `n`, which no case changes.
    beginnings: [u32; 64],
}

impl Default for NameFilter {
    fn default() -> NameFilter {
        NameFilter { beginnings: [0; 64] }
    }
}

impl NameFilter {
    /// Puts in a name, in any case.
    pub fn insert(&mut self, name: &[u8]) {
        self.add(name, bit(name));
    }

    /// Puts in a name and all that differ from it in nothing but case and signs: any sign stands for any other.
    pub fn insert_spellings(&mut self, name: &[u8]) {
        self.add(name, if name.first().is_some_and(u8::is_ascii_alphanumeric) { bit(name) } else { u32::MAX });
    }

    /// It may have been put in.
    #[inline]
    pub fn may_hold(&self, name: &[u8]) -> bool {
        let first = name.first().copied().unwrap_or(0);
        self.beginnings.get(name.len().min(63)).is_some_and(|beginnings| beginnings >> (first & 31) & 1 != 0)
    }

    fn add(&mut self, name: &[u8], bits: u32) {
        if let Some(beginnings) = self.beginnings.get_mut(name.len().min(63)) {
            *beginnings |= bits;
        }
    }
}

#[inline]
fn bit(name: &[u8]) -> u32 {
    name.first().map_or(0, |first| 1 << (first & 31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_passes_in_every_case_and_little_else_does() {
        let mut filter = NameFilter::default();
        let long = [b'q'; 80];
        for name in [&b"Host"[..], b"x-api-key", &long] {
            filter.insert(name);
            assert!(filter.may_hold(name));
            assert!(filter.may_hold(&name.to_ascii_uppercase()) && filter.may_hold(&name.to_ascii_lowercase()));
        }
        for name in [&b""[..], b"Hos", b"Hostx", b"Date", b"User-Agent", b"y-api-key", &[b'q'; 62]] {
            assert!(!filter.may_hold(name), "{name:?}");
        }
    }

    #[test]
    fn a_name_that_begins_with_a_sign_passes_under_every_other() {
        let mut filter = NameFilter::default();
        filter.insert_spellings(b"_subject");
        filter.insert_spellings(b"X-Roles");
        for name in [&b"-subject"[..], b"~Subject", b".SUBJECT", b"x_roles"] {
            assert!(filter.may_hold(name), "{name:?}");
        }
        assert!(!filter.may_hold(b"-Roles") && !filter.may_hold(b"Y-Roles"));
    }
}
