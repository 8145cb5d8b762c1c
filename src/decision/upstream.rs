//! Who it is, as header entries for the application: a list, or what all who have the same rights share, with a subject
//! put in.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Common, HeaderEntry, List};
use crate::identity::Identity;

/// Header entries for the application behind.
#[derive(Clone, Debug)]
pub enum Upstream {
    /// These.
    List(List<HeaderEntry>),
    /// These, with the subject of the decision's identity at its place.
    Of(Arc<Said>),
}

/// What is said of all who have the same rights, but for who they are.
#[derive(Debug)]
pub struct Said {
    /// The entries; that of the subject has no value.
    pub entries: Common<HeaderEntry>,
    /// Which of them it is, where there is one.
    pub subject: Option<usize>,
}

impl Upstream {
    /// The entries of a decision about this identity.
    pub fn entries(&self, who: Option<&Identity>) -> Cow<'_, [HeaderEntry]> {
        match self {
            Upstream::List(list) => Cow::Borrowed(list),
            Upstream::Of(said) => Cow::Owned(said.with(who.map_or("", |who| &who.subject))),
        }
    }
}

impl Said {
    /// The entries, with this value for the subject.
    pub fn with(&self, subject: &str) -> Vec<HeaderEntry> {
        let mut entries = self.entries.to_vec();
        if let Some(entry) = self.subject.and_then(|index| entries.get_mut(index)) {
            entry.value = subject.to_owned().into();
        }
        entries
    }
}

impl Default for Upstream {
    fn default() -> Upstream {
        Upstream::List(List::default())
    }
}

impl From<List<HeaderEntry>> for Upstream {
    fn from(list: List<HeaderEntry>) -> Upstream {
        Upstream::List(list)
    }
}
