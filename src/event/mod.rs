//! What happened, as one line of JSON: which members a line may hold, and how a value gets into it without being able to
//! forge another. Text in, text out; where lines go is the journal's business.

mod line;
mod reference;
mod table;
mod time;

pub use line::Line;
pub use reference::{markdown, schema};
pub use table::{Kind, Member, Shape};
pub use time::rfc3339;

use crate::reason::Reason;

/// How much a line asks for attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Severity {
    /// All is well.
    Info = 0,
    /// Somebody was refused, or something was changed.
    Notice = 1,
    /// Somebody may be trying to get in, or something was given up.
    Warning = 2,
    /// Something does not work.
    Error = 3,
}

impl Severity {
    /// All of them, mildest first.
    pub const ALL: [Severity; 4] = [Severity::Info, Severity::Notice, Severity::Warning, Severity::Error];

    /// The word in the line.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// That of a decision.
    pub fn of(reason: Reason) -> Severity {
        match reason.status() {
            200..=399 => Severity::Info,
            500.. => Severity::Error,
            _ if attempt(reason).is_some() => Severity::Warning,
            _ => Severity::Notice,
        }
    }
}

/// The kinds of attempt to get by that a reason speaks of (ASVS 16.3.3).
pub const ATTEMPTS: [&str; 7] =
    ["path_confusion", "two_credentials", "key_confusion", "forgery", "replay", "cross_site", "guessing"];

/// What a refusal of this reason may have been an attempt at; `None`: nothing that honest clients do not do daily.
pub const fn attempt(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::TargetAmbiguous => "path_confusion",
        Reason::CredentialsAmbiguous => "two_credentials",
        Reason::TokenAlgorithm => "key_confusion",
        Reason::TokenSignature => "forgery",
        Reason::DpopProof | Reason::TokenBinding => "replay",
        Reason::CrossSite => "cross_site",
        Reason::Throttled => "guessing",
        _ => return None,
    })
}
