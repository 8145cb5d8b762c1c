//! What the host gets back. The zero of everything here is the safe one: deny.

mod parts;
mod text;
mod upstream;

use std::borrow::Cow;
use std::sync::Arc;

pub use parts::{Common, Id, List};
pub use text::Text;
pub use upstream::{Said, Upstream};

use crate::identity::{Identity, Scheme};
use crate::reason::Reason;

/// What the host does with the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Action {
    /// Refuse it with the decision's status, headers and body.
    #[default]
    Deny = 0,
    /// Let it through.
    Allow = 1,
    /// Send the decision's answer: the engine answers this request itself.
    Respond = 2,
    /// Not ours: the host's own default holds.
    Pass = 3,
}

impl Action {
    /// `DENY`, `ALLOW`, `RESPOND` or `PASS`.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Deny => "DENY",
            Action::Allow => "ALLOW",
            Action::Respond => "RESPOND",
            Action::Pass => "PASS",
        }
    }
}

/// How a header entry meets fields of the same name that are already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum HeaderMode {
    /// Replace all of that name.
    Set = 0,
    /// Add one more field line.
    Append = 1,
    /// Only where none of that name is there.
    SetIfAbsent = 2,
}

/// One header for the host to apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderEntry {
    /// Field name.
    pub name: Text,
    /// Field value: visible ASCII and spaces only.
    pub value: Text,
    /// How it meets what is there.
    pub mode: HeaderMode,
}

/// The answer to one request. It owns all that it holds: it outlives reload and end of the engine.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// HTTP status; 200 for ALLOW and PASS.
    pub status: u16,
    /// Why. For logs; the person sees `reason.shown()`.
    pub reason: Reason,
    /// What a user reads to support and what the log is searched by.
    pub id: Id,
    /// Who was recognised, also where the request is then refused.
    pub identity: Option<Arc<Identity>>,
    /// The scheme that was used or tried.
    pub scheme: Option<Scheme>,
    /// Headers for the response to the client.
    pub response: List<HeaderEntry>,
    /// Headers for the application behind; `upstream()` reads them.
    pub upstream: Upstream,
    /// Names of request headers to remove before the application sees the request, on every action.
    pub strip: List<String>,
    /// Body of the answer; empty on ALLOW and PASS.
    pub body: Vec<u8>,
    /// Seconds until another try may succeed (429, 503).
    pub retry_after: Option<u32>,
    /// Index of the route in the policy.
    pub route: Option<usize>,
    /// Generation of the policy that decided.
    pub generation: u64,
}

impl Decision {
    /// All of it, moved out of its place: what stays there is empty.
    #[inline(always)]
    pub fn take(&mut self) -> Decision {
        Decision {
            action: std::mem::take(&mut self.action),
            status: self.status,
            reason: self.reason,
            id: std::mem::take(&mut self.id),
            identity: self.identity.take(),
            scheme: self.scheme.take(),
            response: std::mem::take(&mut self.response),
            upstream: std::mem::take(&mut self.upstream),
            strip: std::mem::take(&mut self.strip),
            body: std::mem::take(&mut self.body),
            retry_after: self.retry_after.take(),
            route: self.route.take(),
            generation: self.generation,
        }
    }

    /// Headers for the application behind.
    pub fn upstream(&self) -> Cow<'_, [HeaderEntry]> {
        self.upstream.entries(self.identity.as_deref())
    }
}

impl Decision {
    /// First value of a response header, by name without case.
    pub fn response_header(&self, name: &str) -> Option<&str> {
        self.response.iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| &*h.value)
    }

    /// The subject, where somebody was recognised.
    pub fn subject(&self) -> Option<&str> {
        self.identity.as_ref().map(|identity| identity.subject.as_str())
    }
}
