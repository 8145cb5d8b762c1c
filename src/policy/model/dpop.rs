//! Proofs of possession with the tokens of an issuer.

/// `[[issuer]] dpop` and `dpop_nonce` (RFC 9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DpopRules {
    /// Whether they are taken or wanted.
    pub mode: Dpop,
    /// A proof must carry a nonce of ours.
    pub nonce: bool,
    /// The policy speaks of them: they are offered to whoever comes without credentials.
    pub offered: bool,
}

/// `[[issuer]] dpop`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dpop {
    /// Tokens that are bound to a key come with a proof; others are taken without.
    #[default]
    Optional,
    /// Tokens that are not bound to a key are refused.
    Required,
    /// Proofs are not looked at; tokens that are bound to a key are refused.
    Off,
}
