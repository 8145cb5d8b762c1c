//! Bytes that the library made and the caller owns.

use super::kernel::{Failure, Opaque, give, guard};
use super::types::*;
use zeroize::Zeroizing;

/// Bytes that the library made: a report, a password hash. Owned by the caller, ended with gatepost_bytes_free, which
/// also overwrites them.
pub struct gatepost_bytes {
    _opaque: [u8; 0],
}

impl Opaque for gatepost_bytes {
    type Inner = Text;
    const MARK: u64 = u64::from_le_bytes(*b"gp-bytes");
    const NAME: &'static str = "gatepost_bytes";
}

impl gatepost_bytes {
    pub(super) fn give(text: Text) -> *mut gatepost_bytes {
        give(text)
    }
}

/// The bytes themselves, with a NUL behind them.
///
/// bytes: borrowed.
/// The string lives as long as the object. Any number of threads at once.
/// Returns the bytes; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_bytes_view(bytes: *const gatepost_bytes) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(gatepost_str::EMPTY, |c| Ok(c.look(bytes)?.view())) }
}

/// Overwrites and ends the bytes. NULL is a no-op.
///
/// bytes: taken.
/// One thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_bytes_free(bytes: *mut gatepost_bytes) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.take(bytes).map(drop)) }
}

/// A string as C gets it: a NUL behind it, none inside.
pub(super) struct Text(Zeroizing<Vec<u8>>);

impl Text {
    /// An error where there is a NUL inside.
    pub fn new(text: &[u8]) -> Result<Text, Failure> {
        if text.contains(&0) {
            return Err(Failure::new(GATEPOST_ERR_INTERNAL, "a string for the caller has a NUL inside"));
        }
        Ok(Text::lossy(text))
    }

    /// A NUL inside becomes a `?`: for messages, which must arrive.
    pub fn lossy(text: &[u8]) -> Text {
        let mut bytes = Zeroizing::new(Vec::with_capacity(text.len().saturating_add(1)));
        bytes.extend(text.iter().map(|byte| if *byte == 0 { b'?' } else { *byte }));
        bytes.push(0);
        Text(bytes)
    }

    pub fn view(&self) -> gatepost_str {
        gatepost_str { ptr: self.0.as_ptr().cast(), len: self.0.len().saturating_sub(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_for_c_has_one_nul_and_that_is_behind_it() {
        assert!(Text::new(b"a\0b").is_err());
        let text = Text::new(b"ab").unwrap();
        assert_eq!((text.view().len, text.0.as_slice()), (2, b"ab\0".as_slice()));
        assert_eq!(Text::lossy(b"a\0b").0.as_slice(), b"a?b\0");
        assert!(!Text::lossy(b"").view().ptr.is_null());
    }
}
