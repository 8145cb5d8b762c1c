//! Issuing, listing and revoking API keys. The secret leaves this module once, in [`Issued`]; only its digest is
//! stored.

use super::{Admin, ApiKey, input, random};
use crate::credential::api_key;
use crate::credential::scope::is_scope;
use crate::error::{Error, ErrorKind};

/// An API key to be issued.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewKey<'a> {
    /// The operator's name for it.
    pub name: &'a str,
    /// Owner, in any spelling.
    pub user: &'a str,
    /// Scopes (RFC 6749 section 3.3); empty: not narrowed by scopes.
    pub scopes: &'a [String],
    /// Roles that narrow the owner's; `None`: not narrowed.
    pub roles: Option<&'a [String]>,
    /// Unix seconds; `None`: never expires.
    pub expires_at: Option<i64>,
}

/// A key just issued.
pub struct Issued {
    /// `gp_…`: shown once, stored nowhere.
    pub secret: zeroize::Zeroizing<String>,
    /// As stored.
    pub key: ApiKey,
}

/// How often a clash of two short ids is answered with another try.
const TRIES: usize = 4;

impl Admin<'_> {
    /// Issues a key. The owner must exist, the roles must be defined, the expiry must lie ahead.
    pub fn issue_key(&self, new: &NewKey<'_>) -> Result<Issued, Error> {
        new.roles.unwrap_or_default().iter().try_for_each(|role| self.check_role(role))?;
        if new.expires_at.is_some_and(|at| at <= self.now) {
            return Err(input("the expiry has passed already: give one that lies ahead"));
        }
        self.seed_key(new)
    }

    /// Issues a key as a test needs it: expired ones and roles that are not defined included.
    pub fn seed_key(&self, new: &NewKey<'_>) -> Result<Issued, Error> {
        let owner = self.user(new.user)?.name;
        check_label(new.name)?;
        new.scopes.iter().try_for_each(|scope| check_scope(scope))?;
        let mut left = TRIES;
        loop {
            let fresh = api_key::generate()?;
            let key = ApiKey {
                id: short_id()?,
                name: new.name.to_owned(),
                user: owner.clone(),
                digest: fresh.digest,
                scopes: new.scopes.to_vec(),
                roles: new.roles.map(<[String]>::to_vec),
                created_at: self.now,
                expires_at: new.expires_at,
                revoked_at: None,
                last_used_at: None,
            };
            left = left.saturating_sub(1);
            match self.state.add_api_key(&key) {
                Ok(()) => return Ok(Issued { secret: fresh.secret, key }),
                Err(error) if error.kind() == ErrorKind::Conflict && left > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// All keys, oldest first, or those of one user.
    pub fn keys(&self, user: Option<&str>) -> Result<Vec<ApiKey>, Error> {
        let owner = user.map(|raw| self.user(raw)).transpose()?;
        self.state.api_keys(owner.as_ref().map(|user| user.name.as_str()))
    }

    /// Revokes the key of this id or, where only one key has it, this name; false where that was done before. It holds
    /// from the next decision on.
    pub fn revoke_key(&self, id_or_name: &str) -> Result<bool, Error> {
        let keys = self.state.api_keys(None)?;
        let by_id = keys.iter().find(|key| key.id == id_or_name);
        let live = match by_id {
            Some(key) => key.revoked_at.is_none(),
            None => keys.iter().any(|key| key.name == id_or_name && key.revoked_at.is_none()),
        };
        // Done in any case: another process may have changed it since, and a revocation must never be left out.
        self.state.revoke_api_key(id_or_name, self.now)?;
        Ok(live)
    }

    /// Those of a key's roles that its owner does not have now, not by inclusion either: they give nothing.
    pub fn idle_roles(&self, key: &ApiKey) -> Result<Vec<String>, Error> {
        let owner = self.user(&key.user)?;
        let held = self.policy.roles.closure(owner.roles.iter().map(String::as_str));
        Ok(key.roles.iter().flatten().filter(|role| !held.contains(*role)).cloned().collect())
    }
}

impl Issued {
    /// The id by which it is listed and revoked.
    pub fn id(&self) -> &str {
        &self.key.id
    }
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("id", &self.key.id).finish_non_exhaustive()
    }
}

/// Eight letters and digits: enough to tell keys apart, short enough to read out.
fn short_id() -> Result<String, Error> {
    Ok(data_encoding::BASE32_NOPAD.encode(&random::bytes::<5>()?).to_ascii_lowercase())
}

fn check_label(label: &str) -> Result<(), Error> {
    if label.trim().is_empty() || label.chars().count() > 200 || label.chars().any(char::is_control) {
        return Err(input(format!(
            "{label:?} cannot name a key: take 1 to 200 characters, none of them control characters"
        )));
    }
    Ok(())
}

fn check_scope(scope: &str) -> Result<(), Error> {
    if !is_scope(scope) {
        return Err(input(format!(
            "{scope:?} cannot be a scope: take visible ASCII without spaces, quotes and backslashes, one scope a time"
        )));
    }
    Ok(())
}
