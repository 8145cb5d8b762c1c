//! Gatepost: an embeddable authentication engine. For any HTTP request it answers: let in, 401 or 403, and why.
//!
//! The floor plan and the rules of who may use whom are in `docs/ARCHITECTURE.md`; `tests/architecture.rs` holds them.

pub mod admin;
pub mod answer;
pub mod catalogue;
pub mod certificate;
pub mod credential;
pub mod crypto;
pub mod decision;
pub mod engine;
pub mod error;
pub mod event;
pub mod fetch;
pub mod ffi;
pub mod identity;
pub mod journal;
pub mod json;
pub mod keeper;
pub mod metrics;
pub mod passwords;
pub mod policy;
pub mod reading;
pub mod reason;
pub mod request;
pub mod route;
pub mod runtime;
pub mod state;
pub mod target;
pub mod throttle;
pub mod token;
