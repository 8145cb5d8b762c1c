//! Names and passwords as text: RFC 8265 profiles. One spelling for all spellings of a name.

use std::borrow::Cow;

use precis_profiles::precis_core::profile::Profile;
use precis_profiles::{OpaqueString, UsernameCaseMapped};
use zeroize::Zeroizing;

use crate::crypto::password::LONGEST_PASSWORD;

/// Longest user name, octets, before and after mapping.
pub const LONGEST_NAME: usize = 255;

/// The canonical form of a user name (UsernameCaseMapped), or `None` where it can name nobody.
pub fn user_name(raw: &str) -> Option<String> {
    canonical(raw).map(Cow::into_owned)
}

/// As [`user_name`]; borrowed where it is in that form already.
pub fn canonical(raw: &str) -> Option<Cow<'_, str>> {
    // A colon ends the name in Basic (RFC 7617 section 2), so such a name could never log in.
    if raw.is_empty() || raw.len() > LONGEST_NAME {
        return None;
    }
    // Most names are this plain, which one look at each octet tells.
    if raw.bytes().fold(true, |plain, b| plain & b.is_ascii_graphic() & !b.is_ascii_uppercase() & (b != b':')) {
        return Some(Cow::Borrowed(raw));
    }
    if raw.contains(':') {
        return None;
    }
    if raw.is_ascii() {
        return raw.bytes().all(|b| b.is_ascii_graphic()).then(|| Cow::Owned(raw.to_ascii_lowercase()));
    }
    let mut name = enforce(raw)?;
    // One pass is not always enough: a letter may only come out in lower case once it is composed. A name that does
    // not settle has no canonical form.
    for _ in 0..4 {
        let again = enforce(&name)?;
        if again == name {
            // A full-width colon has become a plain one only now.
            return (name.len() <= LONGEST_NAME && !name.contains(':')).then_some(Cow::Owned(name));
        }
        name = again;
    }
    None
}

/// The form of a password that is hashed (OpaqueString), or `None` where it cannot be one (empty, control characters,
/// over 1,024 bytes). ASCII comes back unchanged.
pub fn password(raw: &str) -> Option<Zeroizing<String>> {
    if raw.is_empty() || raw.len() > LONGEST_PASSWORD {
        return None;
    }
    if raw.is_ascii() {
        return raw.bytes().all(|b| b == b' ' || b.is_ascii_graphic()).then(|| Zeroizing::new(raw.to_owned()));
    }
    let enforced = OpaqueString::new().enforce(raw).ok()?;
    let password = match enforced {
        std::borrow::Cow::Borrowed(same) => Zeroizing::new(same.to_owned()),
        std::borrow::Cow::Owned(mapped) => Zeroizing::new(mapped),
    };
    (password.len() <= LONGEST_PASSWORD).then_some(password)
}

fn enforce(raw: &str) -> Option<String> {
    UsernameCaseMapped::new().enforce(raw).ok().map(|name| name.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_account_under_all_its_spellings_has_one_name() {
        for (spellings, name) in [
            (&["alice", "ALICE", "Alice", "\u{ff21}lice", "\u{ff41}\u{ff4c}\u{ff49}\u{ff43}\u{ff45}"][..], "alice"),
            // Composed, decomposed, upper case, upper case decomposed.
            (&["jos\u{e9}", "jose\u{301}", "JOS\u{c9}", "JOSE\u{301}"][..], "jos\u{e9}"),
            (&["\u{e5}sa", "\u{c5}SA", "A\u{30a}sa", "a\u{30a}S\u{ff21}"][..], "\u{e5}sa"),
            (&["ΑΛΦΑ", "αλφα"][..], "αλφα"),
            (&["rita@example.com", "Rita@Example.COM"][..], "rita@example.com"),
        ] {
            for spelling in spellings {
                assert_eq!(user_name(spelling).as_deref(), Some(name), "{spelling:?}");
            }
        }
    }

    #[test]
    fn what_cannot_name_anybody_is_refused() {
        for raw in [
            "",
            "two words",
            " alice",
            "alice\t",
            "alice\0",
            "alice\u{7f}",
            "alice\n",
            "al:ice",
            "al\u{ff1a}ice",
            "al\u{200b}ice",
            "al\u{202e}ice",
            "\u{feff}alice",
            "al\u{a0}ice",
            "\u{1f600}",
            "\u{2163}",
            // The Angstrom sign, which the identifier class leaves out (RFC 8264 section 9.17).
            "\u{212b}sa",
            "a\u{5d0}",
            "\u{e000}",
            "\u{200d}",
        ] {
            assert_eq!(user_name(raw), None, "{raw:?}");
        }
        assert_eq!(user_name(&"a".repeat(LONGEST_NAME)).unwrap().len(), LONGEST_NAME);
        assert_eq!(user_name(&"a".repeat(LONGEST_NAME + 1)), None);
        // Long only before or only after mapping: refused as well.
        assert_eq!(user_name(&"\u{ff21}".repeat(86)), None);
    }

    #[test]
    fn passwords_keep_their_case_and_differ_only_where_the_profile_says() {
        for (raw, form) in [
            ("Correct Horse", "Correct Horse"),
            (" lead and trail ", " lead and trail "),
            ("\u{3c0}\u{df}\u{e5}", "\u{3c0}\u{df}\u{e5}"),
            ("pass\u{a0}word\u{3000}x", "pass word x"),
            ("e\u{301}te\u{301}", "\u{e9}t\u{e9}"),
            ("\u{ff21}", "\u{ff21}"),
            ("\u{1f412}", "\u{1f412}"),
            ("a:b", "a:b"),
        ] {
            assert_eq!(password(raw).as_deref().map(String::as_str), Some(form), "{raw:?}");
        }
    }

    #[test]
    fn what_cannot_be_a_password_is_refused() {
        for raw in ["", "tab\there", "nul\0", "line\n", "\u{7f}", "\u{85}", "c\u{1}", "\u{200b}x", "\u{e000}"] {
            assert!(password(raw).is_none(), "{raw:?}");
        }
        assert!(password(&"a".repeat(LONGEST_PASSWORD)).is_some());
        assert!(password(&"a".repeat(LONGEST_PASSWORD + 1)).is_none());
    }

    #[test]
    fn the_short_way_of_ascii_is_the_profile() {
        for byte in 0..=127u8 {
            let text = format!("x{}Y", char::from(byte));
            let profile = enforce(&text).filter(|name| !name.contains(':'));
            assert_eq!(user_name(&text), profile, "{text:?}");
            let profile = OpaqueString::new().enforce(text.as_str()).ok();
            assert_eq!(password(&text).as_deref().map(String::as_str), profile.as_deref(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn canonical_names_are_their_own_canonical_form(raw in "\\PC{0,40}|[a-zÀ-ɏͰ-Ͽא-ת０-ｚ]{0,12}") {
            if let Some(name) = user_name(&raw) {
                prop_assert_eq!(user_name(&name), Some(name.clone()));
                prop_assert!(!name.contains(':') && !name.contains(char::is_control) && !name.contains(' '));
            }
        }

        #[test]
        fn no_text_makes_a_password_panic_or_end_longer_than_allowed(raw in any::<String>()) {
            if let Some(form) = password(&raw) {
                prop_assert!(!form.is_empty() && form.len() <= LONGEST_PASSWORD);
            }
        }
    }
}
