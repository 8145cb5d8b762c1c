//! Computation with secrets: no I/O, no policy.

pub mod algorithm;
pub mod json;
pub mod jwks;
pub mod key;
pub mod name;
pub mod password;
pub mod random;
pub mod secret;
