//! What an answer looks like on the wire: challenges, problem details, pages, identity headers. Text in, text out;
//! nothing here decides.

pub mod challenge;
pub mod identity;
pub mod page;
pub mod problem;
pub mod refusal;
