//! Computation with secrets: no I/O, no policy.

pub mod algorithm;
mod arena;
pub(crate) mod compare;
pub mod jwk;
pub mod key;
pub mod keyed;
pub mod name;
pub mod password;
pub mod pem;
pub mod private;
pub mod random;
pub mod seal;
pub mod secret;
pub mod sha256;
pub mod signing;
pub mod sip;
mod stored;
