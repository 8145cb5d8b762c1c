//! The one catalogue: all that a person reads in an answer, in every language. What an operator reads stands in
//! `crate::reason`, in English.
//!
//! A new text takes all languages at once: the macros accept nothing less, and `tests` holds that no text is empty, a
//! copy of the English one, or has other placeholders than it.

mod language;
mod page;
mod reasons;
mod status;
#[cfg(test)]
mod tests;
mod wait;

pub use language::{Language, Text};
pub use page::{Heading, PageText};
pub use reasons::{Sentences, sentences};
pub use status::phrase;
pub use wait::retry;
