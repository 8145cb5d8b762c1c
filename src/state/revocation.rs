//! What is revoked: by what a token says once it is verified, never by its bytes, since one token may have many
//! spellings (an ECDSA signature has a second one).

use std::fmt;

/// Which member of a token a revocation goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// `jti`: one token.
    Token,
    /// `sid`: all tokens of one session.
    Session,
    /// The subject: all tokens that were issued before a time.
    Subject,
    /// SHA-256 over all claims as they were signed, base64url: one token that has no `jti`.
    Claims,
}

impl By {
    /// All of them; the place of each is its number in the state.
    pub const ALL: [By; 4] = [By::Token, By::Session, By::Subject, By::Claims];

    /// The word for people and machines.
    pub const fn name(self) -> &'static str {
        match self {
            By::Token => "jti",
            By::Session => "sid",
            By::Subject => "subject",
            By::Claims => "claims",
        }
    }

    /// The number in the state; never changed.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The one with this number.
    pub fn from_number(number: u8) -> Option<By> {
        By::ALL.into_iter().find(|by| by.number() == number)
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One entry: in force for as long as it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// What `name` is.
    pub by: By,
    /// `iss`, exactly.
    pub issuer: String,
    /// The value that a token must have.
    pub name: String,
    /// Hits tokens that were issued before this time, Unix seconds, and those that do not say when; `None`: all. Only of
    /// a subject.
    pub before: Option<i64>,
    /// Unix seconds.
    pub revoked_at: i64,
    /// From when on no token can be alive that it hits, Unix seconds; `None`: not known, so it is never forgotten.
    pub ends_at: Option<i64>,
}

impl Revocation {
    /// It hits a token of this name that was issued at this time, Unix seconds.
    pub fn hits(&self, issued_at: Option<i64>) -> bool {
        match (self.before, issued_at) {
            (Some(before), Some(issued_at)) => issued_at < before,
            _ => true,
        }
    }

    /// All that `self` or `older` hits, which are of one name.
    pub(super) fn over(&self, older: &Revocation) -> Revocation {
        // `None` is the wider one in both.
        let wider = |a: Option<i64>, b: Option<i64>| Some(a?.max(b?));
        Revocation {
            before: wider(self.before, older.before),
            ends_at: wider(self.ends_at, older.ends_at),
            ..self.clone()
        }
    }
}

/// How long an entry is kept beyond its end, so that a clock that was set ahead for a while revives nothing, seconds.
pub const KEPT: i64 = 7 * 86_400;

/// How far a reader of revocations has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The number of the last entry that was read.
    pub(super) number: i64,
    /// Random bits of that entry: a state that was put back from a backup has other ones under the number.
    pub(super) stamp: i64,
}

/// What a reader does not know yet.
#[derive(Clone, Debug)]
pub struct News {
    /// The entries.
    pub entries: Vec<Revocation>,
    /// They are all that there are, and what the reader knew before is void.
    pub whole: bool,
    /// Where to go on next time; `None`: there are none.
    pub mark: Option<Mark>,
    /// There are more than were asked for; then `entries` means nothing.
    pub too_many: bool,
}
