//! Computation with secrets: no I/O, no policy.

pub mod algorithm;
mod arena;
pub mod key;
pub mod name;
pub mod password;
mod phc;
pub mod random;
