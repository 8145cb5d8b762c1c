//! Scopes as OAuth has them.

/// `scope-token` of RFC 6749 section 3.3.
pub fn is_scope(text: &str) -> bool {
    let good = |b: u8| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b);
    !text.is_empty() && text.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::is_scope;

    #[test]
    fn a_scope_is_visible_ascii_without_quotes_and_backslashes() {
        for good in ["a", "orders:read", "!#$%&'()*+,-./0:;<=>?@A[]^_`a{|}~"] {
            assert!(is_scope(good), "{good}");
        }
        for bad in ["", " ", "a b", "a\"", "a\\", "ä", "a\n", "\u{7f}"] {
            assert!(!is_scope(bad), "{bad:?}");
        }
    }
}
