//! Names and passwords as text: RFC 8265 profiles. One spelling for all spellings of a name.

/// The canonical form of a user name (UsernameCaseMapped), or `None` where it can name nobody.
pub fn user_name(raw: &str) -> Option<String> {
    let _ = raw;
    None
}

/// The form of a password that is hashed (OpaqueString), or `None` where it cannot be one (empty, control characters,
/// over 1,024 bytes). ASCII comes back unchanged.
pub fn password(raw: &str) -> Option<zeroize::Zeroizing<String>> {
    let _ = raw;
    None
}
