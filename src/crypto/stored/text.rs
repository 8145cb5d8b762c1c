//! Parts that the text forms share: numbers and the dialects of base64, each read narrowly.

use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER};

use crate::crypto::password::HashError;

/// Longest salt of any form, octets.
pub(super) const LONGEST_SALT: usize = 128;

/// The alphabet of crypt(3).
const CRYPT64: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The alphabet of bcrypt.
const BCRYPT64: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A form that is known and not taken.
pub(super) fn unsupported(text: impl Into<String>) -> HashError {
    HashError::Unsupported(text.into())
}

/// A form that is known and broken.
pub(super) fn malformed(what: &str) -> HashError {
    HashError::Unsupported(format!("the stored password hash cannot be read: {what}; set a new password"))
}

/// A cost over a cap.
pub(super) fn too_dear(what: &str) -> HashError {
    HashError::Unsupported(format!("the stored password hash asks for too much work: {what}; set a new password"))
}

/// A decimal number without sign or leading zero.
pub(super) fn number(text: &str) -> Option<u32> {
    let canonical = text.bytes().all(|b| b.is_ascii_digit()) && !(text.len() > 1 && text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// Exactly so many parts between `separator`.
pub(super) fn parts<const N: usize>(text: &str, separator: char) -> Option<[&str; N]> {
    text.split(separator).collect::<Vec<_>>().try_into().ok()
}

/// Standard base64 without padding; unused bits are zero.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.as_bytes()).ok()
}

/// Standard base64 with padding.
pub(super) fn base64_padded(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text.as_bytes()).ok()
}

/// The same where two others stand for `+` and `/`.
pub(super) fn base64_with(text: &str, plus: char, slash: char, padded: bool) -> Option<Vec<u8>> {
    let plain = |c: char| match c {
        c if c == plus => Some('+'),
        c if c == slash => Some('/'),
        '+' | '/' => None,
        c => Some(c),
    };
    let plain: String = text.chars().map(plain).collect::<Option<_>>()?;
    if padded { base64_padded(&plain) } else { base64(&plain) }
}

/// Hexadecimal in lower case.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    HEXLOWER.decode(text.as_bytes()).ok()
}

/// A salt that is used as it is written.
pub(super) fn salt(text: &str) -> Option<Vec<u8>> {
    (text.len() <= LONGEST_SALT && text.bytes().all(|b| b.is_ascii_graphic() || b == b' '))
        .then(|| text.as_bytes().to_vec())
}

/// crypt(3)'s base64, whose first character holds the lowest bits, into exactly `length` octets; unused bits are zero.
pub(super) fn crypt64(text: &str, length: usize) -> Option<Vec<u8>> {
    if text.len() != (length * 8).div_ceil(6) {
        return None;
    }
    let (mut octets, mut held, mut bits) = (Vec::with_capacity(length), 0u32, 0u32);
    for byte in text.bytes() {
        held |= digit(CRYPT64, byte)? << bits;
        bits += 6;
        if bits >= 8 {
            octets.push((held & 0xff) as u8);
            held >>= 8;
            bits -= 8;
        }
    }
    (held == 0).then_some(octets)
}

/// A number in crypt(3)'s base64.
pub(super) fn crypt64_number(text: &str) -> Option<u32> {
    let mut value = 0u32;
    for (position, byte) in text.bytes().enumerate() {
        value |= digit(CRYPT64, byte)?.checked_shl(u32::try_from(position).ok()?.checked_mul(6)?)?;
    }
    Some(value)
}

/// bcrypt's base64, whose first character holds the highest bits, into `N` octets. `loose`: unused bits may be set, as
/// some programs wrote them in salts, where they never counted.
pub(super) fn bcrypt64<const N: usize>(text: &str, loose: bool) -> Option<[u8; N]> {
    if text.len() != (N * 8).div_ceil(6) {
        return None;
    }
    let (mut octets, mut held, mut bits) = (Vec::with_capacity(N), 0u32, 0u32);
    for byte in text.bytes() {
        held = held << 6 | digit(BCRYPT64, byte)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            octets.push((held >> bits & 0xff) as u8);
            held &= (1 << bits) - 1;
        }
    }
    if held != 0 && !loose { None } else { octets.try_into().ok() }
}

fn digit(alphabet: &[u8; 64], byte: u8) -> Option<u32> {
    alphabet.iter().position(|known| *known == byte).and_then(|digit| u32::try_from(digit).ok())
}
