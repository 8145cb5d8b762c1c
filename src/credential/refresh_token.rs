//! Refresh tokens: `gpr_`, 256 random bits, a checksum.

pub use super::drawn::Fresh;

use super::drawn::Form;
use crate::error::Error;

/// What every refresh token starts with. No API key does: those go on with their random bits behind `gp_`.
pub const PREFIX: &str = "gpr_";
/// Length in characters.
pub const LENGTH: usize = FORM.length();

const FORM: Form = Form { prefix: PREFIX, domain: b"gatepost refresh token checksum 1\0" };

/// Makes a refresh token.
pub fn generate() -> Result<Fresh, Error> {
    FORM.generate()
}

/// The digest under which it is stored, or `None` where form or checksum are wrong.
pub fn digest(token: &str) -> Option<[u8; 32]> {
    FORM.digest::<LENGTH>(token)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::api_key;
    use proptest::prelude::*;

    /// The form is stored and sent: it may never change.
    #[test]
    fn the_form_is_pinned_and_is_no_api_key() {
        let fresh = FORM.of_random(&[0; 32]);
        assert_eq!(fresh.secret.as_str(), "gpr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAzVzXNG");
        assert_eq!((fresh.secret.len(), digest(&fresh.secret)), (LENGTH, Some(fresh.digest)));
        assert_eq!(api_key::digest(&fresh.secret), None);
        assert_eq!(api_key::digest(&fresh.secret.replacen("gpr_", "gp_", 1)), None);
        assert_eq!(digest(&api_key::generate().unwrap().secret.replacen("gp_", "gpr_", 1)), None);
    }

    proptest! {
        #[test]
        fn random_text_is_never_one(text in "(gpr_)?[A-Za-z0-9_-]{49}|.{0,80}") {
            prop_assert_eq!(digest(&text), None);
        }
    }
}
