//! Computation with secrets: no I/O, no policy.

pub mod algorithm;
mod arena;
pub(crate) mod compare;
pub mod json;
pub mod jwks;
pub mod key;
pub mod keyed;
pub mod name;
pub mod password;
mod phc;
pub mod random;
pub mod secret;
