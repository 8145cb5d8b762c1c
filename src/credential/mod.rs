//! How a request proves who asks: which credential it carries, and the forms of each.

pub mod api_key;
pub mod basic;
