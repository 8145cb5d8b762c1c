//! API keys: `gp_`, 256 random bits in base64url, a checksum that tells a typing error from a stranger's key.

/// A fresh key: the secret that is shown once, and the digest that is stored.
pub struct Fresh {
    /// `gp_…`; only visible ASCII.
    pub secret: zeroize::Zeroizing<String>,
    /// SHA-256 of the whole secret.
    pub digest: [u8; 32],
}

/// Makes a key.
pub fn generate() -> Result<Fresh, crate::error::Error> {
    Err(crate::error::Error::new(crate::error::ErrorKind::System, "not built"))
}

/// The digest under which a key is stored, or `None` where form or checksum are wrong.
pub fn digest(key: &str) -> Option<[u8; 32]> {
    let _ = key;
    None
}
