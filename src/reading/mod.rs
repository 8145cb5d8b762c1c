//! What a request says, before anything of it is believed: its fields, the client behind trusted proxies, the
//! credential that it presents, the headers that must not reach the application, the form and language of a refusal.
//! Nothing here reads state.

pub mod certificate;
pub mod client;
pub mod fields;
pub mod media;
pub mod names;
pub mod octets;
pub mod origin;
pub mod presented;
pub mod range;
pub mod strip;
pub mod wanted;
pub mod weighted;
