//! Wrong ways to treat secrets that the test of constant time must catch, and what shows that it looks at all; in no
//! release and not in the header.

use data_encoding::BASE64URL_NOPAD;

use super::kernel::guard;
use super::os::taint;
use super::types::*;

/// How many bytes were marked secret since the last call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_test_marked() -> u64 {
    // SAFETY: no pointers.
    unsafe { guard(0, |_| Ok(taint::take_marked())) }
}

/// Compares as anybody would: byte by byte until one differs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_test_naive_comparison(one: gatepost_str, other: gatepost_str) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard(0, |c| {
            let mut one = c.bytes(one, "one")?.to_vec();
            taint::secret(&mut one);
            Ok(u32::from(one == c.bytes(other, "other")?))
        })
    }
}

/// Reads base64url as anybody would: by a table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_test_naive_decoding(text: gatepost_str) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard(0, |c| {
            let mut text = c.bytes(text, "text")?.to_vec();
            taint::secret(&mut text);
            Ok(u32::from(BASE64URL_NOPAD.decode(&text).is_ok()))
        })
    }
}
