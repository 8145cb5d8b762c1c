//! How a request proves who asks: which credential it carries, and the forms of each.
//!
//! Forms only: what a value means and whether it is right is decided elsewhere, and so is which of several counts.

pub mod api_key;
pub mod authorization;
mod base64;
pub mod basic;
pub mod cookie;
mod drawn;
pub mod refresh_token;
pub mod scope;
