//! Escapes in strings (RFC 8259 section 7), read once the scan has seen that they are sound.

use std::borrow::Cow;

/// The text between the quotes of a string with its escapes read; borrowed where it has none.
pub fn unescape(written: &str) -> Cow<'_, str> {
    if !written.as_bytes().contains(&b'\\') {
        return Cow::Borrowed(written);
    }
    let mut out = String::with_capacity(written.len());
    let mut rest = written;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let (read, after) = one_escape(escape);
        out.push(read);
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Reads what stands behind a backslash. The scan has seen that it is one; anything else reads as U+FFFD.
fn one_escape(escape: &str) -> (char, &str) {
    let (&first, rest) = match escape.as_bytes().split_first() {
        Some((first, _)) => (first, escape.get(1..).unwrap_or_default()),
        None => return (char::REPLACEMENT_CHARACTER, ""),
    };
    let read = match first {
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let (unit, rest) = unit(rest);
            if !(0xd800..0xdc00).contains(&unit) {
                return (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), rest);
            }
            let (low, rest) = unit_behind(rest);
            let code = 0x10000 + ((unit - 0xd800) << 10) + low.saturating_sub(0xdc00);
            return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), rest);
        }
        other => char::from(other),
    };
    (read, rest)
}

fn unit(text: &str) -> (u32, &str) {
    let (digits, rest) = text.split_at_checked(4).unwrap_or_default();
    (u32::from_str_radix(digits, 16).unwrap_or(0xfffd), rest)
}

fn unit_behind(text: &str) -> (u32, &str) {
    unit(text.strip_prefix("\\u").unwrap_or_default())
}
