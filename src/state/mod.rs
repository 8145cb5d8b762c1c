//! What changes while the engine runs: users, granted roles, API keys, revoked tokens. The only storage I/O. Backends implement
//! [`State`]; SQLite is the first.

mod epoch;
mod proofs;
mod refresh;
mod revocation;
mod sqlite;

use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::crypto::password::Work;
use crate::error::Error;
use crate::policy::model::StateLocation;

pub use proofs::{LONGEST, Proof, Used};
pub use refresh::{Exchange, Exchanged, Login, LoginEnd, Logins, RefreshToken};
pub use revocation::{By, KEPT, Mark, News, Revocation};
pub use sqlite::SqliteState;

/// Opens the state of a policy, in this process and after its last fork.
pub fn open(location: &StateLocation) -> Result<Arc<dyn State>, Error> {
    match location {
        StateLocation::Memory => Ok(Arc::new(SqliteState::memory()?)),
        StateLocation::File(path) => Ok(Arc::new(SqliteState::open(path)?)),
    }
}

/// A local user as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Canonical name (RFC 8265 UsernameCaseMapped).
    pub name: String,
    /// Password hash in PHC or crypt form; `None`: cannot log in with a password.
    pub hash: Option<String>,
    /// Granted roles, as granted, without what they include.
    pub roles: Vec<String>,
    /// May not come in.
    pub disabled: bool,
    /// When the account was made, Unix seconds.
    pub created_at: i64,
    /// When the password was set, Unix seconds.
    pub password_changed_at: Option<i64>,
    /// Tokens of our signers that were issued before this time, Unix seconds, are not this account's any more: it was
    /// made, disabled or given another password then.
    pub tokens_from: i64,
}

/// A user as an import brings it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Canonical name.
    pub name: String,
    /// Password hash; `None` leaves that of a user who is there.
    pub hash: Option<String>,
    /// Granted roles, sorted.
    pub roles: Vec<String>,
    /// These and no others; otherwise beside those that the user has.
    pub exactly: bool,
    /// May not come in; `None` leaves it as it is.
    pub disabled: Option<bool>,
    /// When the account was made, Unix seconds.
    pub created_at: i64,
    /// When the password was set, Unix seconds, where that is known.
    pub password_changed_at: Option<i64>,
}

impl Incoming {
    /// The user, where there is none of that name.
    pub fn fresh(&self) -> User {
        User {
            name: self.name.clone(),
            hash: self.hash.clone(),
            roles: self.roles.clone(),
            disabled: self.disabled.unwrap_or(false),
            created_at: self.created_at,
            password_changed_at: self.password_changed_at,
            tokens_from: self.created_at,
        }
    }

    /// What becomes of a user who is there.
    pub fn over(&self, old: &User) -> User {
        let mut new = old.clone();
        if self.hash.is_some() && self.hash != old.hash {
            new.hash.clone_from(&self.hash);
            // A file that does not say when makes no old password young.
            new.password_changed_at = self.password_changed_at.or(old.password_changed_at);
        }
        if self.exactly {
            new.roles.clear();
        }
        new.roles.extend_from_slice(&self.roles);
        new.roles.sort();
        new.roles.dedup();
        new.disabled = self.disabled.unwrap_or(old.disabled);
        new
    }
}

/// An API key as stored: its digest, never itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Short public id, shown in lists and used to revoke.
    pub id: String,
    /// The operator's name for it.
    pub name: String,
    /// Owner, canonical user name.
    pub user: String,
    /// SHA-256 of the whole key.
    pub digest: [u8; 32],
    /// Scopes; empty: not narrowed by scopes.
    pub scopes: Vec<String>,
    /// Roles that narrow the owner's; `None`: not narrowed.
    pub roles: Option<Vec<String>>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds; `None`: never.
    pub expires_at: Option<i64>,
    /// Unix seconds.
    pub revoked_at: Option<i64>,
    /// Unix seconds, to the minute; written lazily.
    pub last_used_at: Option<i64>,
}

/// A document that was fetched for all processes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The content.
    pub body: Vec<u8>,
    /// Where it was found.
    pub location: String,
    /// Its entity tag.
    pub etag: Option<String>,
    /// When it was last known to be the right one, Unix seconds.
    pub confirmed_at: i64,
    /// Counts the contents that were there; never 0.
    pub revision: i64,
}

/// What all processes know of a document that one of them fetches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetching {
    /// The last good one.
    pub good: Option<Fetched>,
    /// When it is to be asked for next, Unix seconds.
    pub due_at: i64,
    /// When it was last asked for before it was due, Unix seconds.
    pub early_at: i64,
    /// Attempts that failed since the last good one.
    pub failures: u32,
}

impl Fetching {
    /// It is time to ask for it; also where a clock that was ahead left its times behind.
    pub fn is_due(&self, now: i64) -> bool {
        let is_ahead = |good: &Fetched| good.confirmed_at > now.saturating_add(60);
        self.due_at <= now || self.good.as_ref().is_some_and(is_ahead)
    }
}

/// Who wants to fetch a document.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The issuer and what is asked, for people who look into the state.
    pub about: &'a str,
    /// Unix seconds.
    pub now: i64,
    /// For so many seconds nobody else may.
    pub seconds: i64,
    /// Marks this attempt: random.
    pub holder: i64,
    /// Also before it is due, where that was last done at least so many seconds ago.
    pub early: Option<i64>,
}

/// How an attempt ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// A document came, perhaps the one that was there.
    Good {
        /// The content; `None`: what was there is still right.
        body: Option<Vec<u8>>,
        /// Where it was found.
        location: String,
        /// Its entity tag.
        etag: Option<String>,
    },
    /// Nothing of use came.
    Failed,
}

/// Where users and keys live. All names handed in are canonical. Errors never mean "not there".
pub trait State: Send + Sync + std::fmt::Debug {
    /// Changes whenever anything that a decision reads may have changed, in this process or another. `None`: a change
    /// is being written at this moment, so that nothing read may be kept. Costs nanoseconds, does no I/O that blocks.
    fn version(&self) -> Option<u64>;

    /// The user of this name.
    fn user(&self, name: &str) -> Result<Option<User>, Error>;
    /// The API key with this digest.
    fn api_key(&self, digest: &[u8; 32]) -> Result<Option<ApiKey>, Error>;

    /// All users by name.
    fn users(&self) -> Result<Vec<User>, Error>;
    /// Adds a user; a conflict where the name exists.
    fn add_user(&self, user: &User) -> Result<(), Error>;
    /// Adds all of these or, where anything is in the way, none. Users of these names are an obstacle, or with `update`
    /// become what is brought; a hash that is replaced becomes the first of the old ones, of which the newest `keep`
    /// stay. `now`: Unix seconds.
    fn import_users(&self, users: &[Incoming], update: bool, keep: usize, now: i64) -> Result<(), Error>;
    /// Sets the password hash; a conflict where the user does not exist, like all below. The hash that it replaces
    /// becomes the first of the old ones, of which the newest `keep` stay.
    fn set_password(&self, name: &str, hash: &str, now: i64, keep: usize) -> Result<(), Error>;
    /// The hashes that the user's present one replaced, as far as they were kept, newest first.
    fn old_passwords(&self, name: &str) -> Result<Vec<String>, Error>;
    /// Replaces a hash by another of the same password, which is no change of the password; false where the hash is not
    /// `old` any more, and then nothing changes.
    fn replace_hash(&self, name: &str, old: &str, new: &str) -> Result<bool, Error>;
    /// What checking the stored hashes costs: each kind once.
    fn works(&self) -> Result<Vec<Work>, Error>;
    /// Disables or enables. Who is disabled has no tokens any more, also once they are enabled again. `now`: Unix seconds.
    fn set_disabled(&self, name: &str, disabled: bool, now: i64) -> Result<(), Error>;
    /// Grants a role; true where it was not granted before.
    fn grant(&self, name: &str, role: &str) -> Result<bool, Error>;
    /// Revokes a role; true where it was granted before.
    fn revoke(&self, name: &str, role: &str) -> Result<bool, Error>;
    /// Removes the user with its roles and keys.
    fn remove_user(&self, name: &str) -> Result<(), Error>;

    /// The random secret of this name, drawn when it is first asked for: one for all processes, for good. Not for
    /// anything that whoever reads the state must not be able to do.
    fn secret(&self, name: &str) -> Result<[u8; 32], Error>;
    /// The same, where it was drawn before.
    fn known_secret(&self, name: &str) -> Result<Option<[u8; 32]>, Error>;

    /// Has a file opened that lies beside the state, with its name and `end` behind it, while no other process does so:
    /// `open` gets its path and that of the state. Not for a state that no other process shares, nor, unless it may be
    /// made (`make`), for one that is not there: false.
    fn open_beside(
        &self,
        end: &str,
        make: bool,
        open: &mut dyn FnMut(&Path, &Path) -> io::Result<()>,
    ) -> Result<bool, Error>;

    /// Makes ready for proofs that are used: once before the first of them, by whoever may wait. `now`: Unix seconds;
    /// `leeway`: by how many a proof may be dated ahead.
    fn open_proofs(&self, now: i64, leeway: i64) -> Result<(), Error>;
    /// Notes the use of a proof for all processes that share the state; a state that none shares knows of none. Waits for
    /// nobody: an error where what is known of proofs was lost and cannot be found at this moment.
    fn use_proof(&self, proof: &Proof<'_>, now: i64) -> Result<Used, Error>;

    /// All API keys, oldest first, or those of one user.
    fn api_keys(&self, user: Option<&str>) -> Result<Vec<ApiKey>, Error>;
    /// Adds an API key.
    fn add_api_key(&self, key: &ApiKey) -> Result<(), Error>;
    /// Revokes the key with this id or, where it is unique, this name.
    fn revoke_api_key(&self, id_or_name: &str, now: i64) -> Result<(), Error>;
    /// What is known of a document; `None`: nobody has asked for it yet.
    fn fetching(&self, source: &str) -> Result<Option<Fetching>, Error>;
    /// Takes the fetching of a document upon this process, where it is due and nobody else is at it: true. What is known
    /// of it either way.
    fn claim_fetch(&self, source: &str, claim: &Claim<'_>) -> Result<(bool, Fetching), Error>;
    /// Ends an attempt: a good document counts whoever brings it, a failure only where nobody has taken over meanwhile.
    /// Changes the version where the content is another one.
    fn end_fetch(&self, source: &str, holder: i64, now: i64, due_at: i64, ended: &Ended) -> Result<Fetching, Error>;
    /// Notes when keys were last used: (digest, Unix seconds). Does not change the version.
    fn touch_api_keys(&self, uses: &[([u8; 32], i64)]) -> Result<(), Error>;

    /// Revokes; false where all of that was revoked already. What is said again about one name adds to what was said.
    fn revoke_token(&self, revocation: &Revocation) -> Result<bool, Error>;
    /// The first of these names that is revoked for a token of this issuer, issued at this time (Unix seconds).
    fn revocation(
        &self,
        issuer: &str,
        names: &[(By, &str)],
        issued_at: Option<i64>,
    ) -> Result<Option<Revocation>, Error>;
    /// The newest revocations, newest first.
    fn revocations(&self, most: usize) -> Result<Vec<Revocation>, Error>;
    /// What was revoked since the mark; all of it where there is none. No more than `most`.
    fn revocations_since(&self, mark: Option<Mark>, most: usize) -> Result<News, Error>;
    /// Forgets what has been over for a week at `now`; how many. Does not change the version.
    fn sweep_revocations(&self, now: i64) -> Result<usize, Error>;

    /// A login that refresh tokens go on from, with its first token. A conflict where the user does not exist or is disabled.
    fn add_login(&self, login: &Login, digest: &[u8; 32]) -> Result<(), Error>;
    /// The refresh token with this digest.
    fn refresh_token(&self, digest: &[u8; 32]) -> Result<Option<RefreshToken>, Error>;
    /// Exchanges a refresh token for the next one, which is on the disk before this returns. One that was exchanged before
    /// its time of grace ends its login, and revokes the access tokens of its session.
    fn exchange_refresh_token(&self, exchange: &Exchange<'_>) -> Result<Exchanged, Error>;
    /// Ends logins of this issuer that are not over yet; how many. Revoking the tokens of a session or of a subject does so
    /// too.
    fn end_logins(&self, issuer: &str, which: Logins<'_>) -> Result<usize, Error>;
    /// Wipes sealed answers that nobody asks for any more, and forgets logins that have been over for a week at `now`. Does
    /// not change the version.
    fn sweep_logins(&self, now: i64) -> Result<(), Error>;
}
