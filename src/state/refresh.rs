//! Refresh tokens as they are stored: digests, and what belongs to all that came of one login.

/// A login that goes on by refresh tokens: one after the other, each used once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// `sid` of its access tokens.
    pub session: String,
    /// `iss` of the signer.
    pub issuer: String,
    /// Canonical user name.
    pub user: String,
    /// Who asked for it (OAuth `client_id`); `None`: nobody in particular.
    pub client: Option<String>,
    /// `aud` of its access tokens.
    pub audience: Vec<String>,
    /// The widest scope of its access tokens.
    pub scopes: Vec<String>,
    /// Further claims, as a JSON object.
    pub claims: Option<String>,
    /// `amr`.
    pub factors: Vec<String>,
    /// `auth_time`, Unix seconds.
    pub authenticated_at: Option<i64>,
    /// How long its access tokens last, seconds.
    pub token_lifetime: i64,
    /// Unix seconds.
    pub created_at: i64,
    /// When the last of its refresh tokens ends, Unix seconds.
    pub expires_at: i64,
}

/// Why a login is over before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginEnd {
    /// Somebody revoked it.
    Revoked,
    /// A used refresh token came again.
    Reused,
    /// The user was disabled.
    Disabled,
    /// The user's password was set anew.
    Password,
}

impl LoginEnd {
    /// All of them.
    pub const ALL: [LoginEnd; 4] = [LoginEnd::Revoked, LoginEnd::Reused, LoginEnd::Disabled, LoginEnd::Password];

    /// The word in the store.
    pub const fn name(self) -> &'static str {
        match self {
            LoginEnd::Revoked => "revoked",
            LoginEnd::Reused => "reused",
            LoginEnd::Disabled => "disabled",
            LoginEnd::Password => "password",
        }
    }
}

/// A refresh token as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// What it goes on from.
    pub login: Login,
    /// Unix seconds.
    pub issued_at: i64,
    /// When it was exchanged, Unix seconds; `None`: it is the one to be used next.
    pub spent_at: Option<i64>,
    /// The login is over.
    pub ended: Option<LoginEnd>,
}

/// An exchange of one refresh token for the next.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'e> {
    /// Digest of the token that is handed in.
    pub digest: &'e [u8; 32],
    /// Digest of the one that follows.
    pub next: &'e [u8; 32],
    /// The answer, sealed so that the token that is handed in opens it and nothing else does.
    pub sealed: &'e [u8],
    /// Unix seconds.
    pub now: i64,
    /// So many seconds after its exchange a token gets the same answer once more.
    pub grace: i64,
}

/// What became of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchanged {
    /// The next one is in force, on the disk.
    Done,
    /// It was exchanged a moment ago: the answer of that time, still sealed.
    Again(Vec<u8>),
    /// It was exchanged before: from now on the login is over.
    Reused,
    /// The login is over.
    Over(LoginEnd),
    /// There is no such token.
    Unknown,
}

/// Which logins are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logins<'l> {
    /// Those with this `sid`.
    Session(&'l str),
    /// Those of this user, by the canonical name; `before`: only those made before this time, Unix seconds.
    #[allow(missing_docs, reason = "said above")]
    User { name: &'l str, before: Option<i64> },
}
