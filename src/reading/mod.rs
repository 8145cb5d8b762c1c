//! What a request says, before anything of it is believed: its fields, the client behind trusted proxies, the
//! credential that it presents, the headers that must not reach the application. Nothing here reads state.

pub mod certificate;
pub mod client;
pub mod fields;
pub mod origin;
pub mod presented;
pub mod strip;
