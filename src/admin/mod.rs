//! What an administrator does to users and API keys: the one set of rules behind the command line, the case runner and
//! the C interface. It checks and prepares; the state stores. It decides no request and reads no files.

use crate::crypto::password::{self, Checked, Cost, HashError, Sent};
use crate::crypto::{name, random};
use crate::error::{Error, ErrorKind};
use crate::passwords::{self, Broken, Rule};
use crate::policy::{self, Policy};
use crate::state::{ApiKey, State, User};

mod import;
mod key;
mod roster;

pub use import::{Counted, Exported, Format, Import, Imported, Remark};
pub use key::{Issued, NewKey};

/// Administration of one state under the rules of one policy, at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Admin<'a> {
    /// Gives the rules: cost and length of passwords, defined roles.
    pub policy: &'a Policy,
    /// Where users and keys live.
    pub state: &'a dyn State,
    /// Unix seconds.
    pub now: i64,
}

/// A user to be added.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewUser<'a> {
    /// The name in any spelling.
    pub name: &'a str,
    /// The password; `None` with no hash: cannot log in with one.
    pub password: Option<&'a str>,
    /// A hash made elsewhere, as it is to be stored; not together with a password.
    pub hash: Option<&'a str>,
    /// Roles to grant.
    pub roles: &'a [String],
    /// May not come in for now.
    pub disabled: bool,
}

impl Admin<'_> {
    /// Adds a user. The password must follow the policy's rules, the roles must be defined.
    pub fn add_user(&self, new: &NewUser<'_>) -> Result<User, Error> {
        new.roles.iter().try_for_each(|role| self.check_role(role))?;
        if let Some(password) = new.password {
            refuse(passwords::check(password, Some(&canonical(new.name)?), &self.policy.password))?;
        }
        if let Some(hash) = new.hash {
            password::check_stored(hash).map_err(from_hash_error)?;
        }
        self.seed_user(new)
    }

    /// Adds a user as a test or a migration finds it: without the rules for passwords, and with roles that the policy
    /// does not define (a state may hold such after the policy changed).
    pub fn seed_user(&self, new: &NewUser<'_>) -> Result<User, Error> {
        let name = canonical(new.name)?;
        if new.password.is_some() && new.hash.is_some() {
            return Err(input(format!("{name} has both a password and a hash: give one of them")));
        }
        let hash = match new.password {
            Some(password) => Some(self.hash(password)?),
            None => new.hash.map(str::to_owned),
        };
        let mut roles = new.roles.to_vec();
        roles.sort();
        roles.dedup();
        let user = User {
            password_changed_at: hash.as_ref().map(|_| self.now),
            name,
            hash,
            roles,
            disabled: new.disabled,
            created_at: self.now,
            tokens_from: self.now,
        };
        self.state.add_user(&user)?;
        Ok(user)
    }

    /// The user of this name, in any spelling.
    pub fn user(&self, raw: &str) -> Result<User, Error> {
        let name = canonical(raw)?;
        self.state.user(&name)?.ok_or_else(|| no_user(&name))
    }

    /// All users by name.
    pub fn users(&self) -> Result<Vec<User>, Error> {
        self.state.users()
    }

    /// Sets a new password, which must follow the policy's rules. Returns the canonical name, like all below.
    pub fn set_password(&self, raw: &str, password: &str) -> Result<String, Error> {
        let user = self.user(raw)?;
        refuse(self.broken_rules(Some(&user.name), password)?)?;
        let keep = self.policy.password.history.saturating_sub(1);
        self.state.set_password(&user.name, &self.hash(password)?, self.now, keep)?;
        Ok(user.name)
    }

    /// Disables or enables an account. It holds from the next decision on.
    pub fn set_disabled(&self, raw: &str, disabled: bool) -> Result<String, Error> {
        let name = self.user(raw)?.name;
        self.state.set_disabled(&name, disabled, self.now)?;
        Ok(name)
    }

    /// Grants a role that the policy defines; true where the user did not have it.
    pub fn grant(&self, raw: &str, role: &str) -> Result<(String, bool), Error> {
        let name = self.user(raw)?.name;
        self.check_role(role)?;
        let changed = self.state.grant(&name, role)?;
        Ok((name, changed))
    }

    /// Revokes a role; true where the user had it. One that neither the user has nor the policy defines is taken for
    /// a slip, because a revocation that hits nothing must not look like a success.
    pub fn revoke(&self, raw: &str, role: &str) -> Result<(String, bool), Error> {
        let name = self.user(raw)?.name;
        let changed = self.state.revoke(&name, role)?;
        if !changed {
            self.check_role(role)?;
        }
        Ok((name, changed))
    }

    /// Removes a user with its roles and API keys.
    pub fn remove_user(&self, raw: &str) -> Result<String, Error> {
        let name = self.user(raw)?.name;
        self.state.remove_user(&name)?;
        Ok(name)
    }

    /// The policy's cost of hashing.
    pub fn cost(&self) -> Cost {
        let rules = &self.policy.password;
        Cost { memory_kib: rules.memory_kib, iterations: rules.iterations, parallelism: rules.parallelism }
    }

    fn hash(&self, raw: &str) -> Result<String, Error> {
        let prepared = passwords::prepare(raw).map_err(|broken| input(format!("the password {}", broken.why)))?;
        password::hash(prepared.as_bytes(), self.cost()).map_err(from_hash_error)
    }

    /// All rules that a new password breaks, for this user where there is one already, or for one of this name.
    pub fn broken_rules(&self, raw_name: Option<&str>, password: &str) -> Result<Vec<Broken>, Error> {
        let name = raw_name.map(canonical).transpose()?;
        let mut broken = passwords::check(password, name.as_deref(), &self.policy.password);
        let known = name.map(|name| self.state.user(&name)).transpose()?.flatten();
        if let (Some(user), false) = (&known, broken.iter().any(|broken| broken.rule == Rule::Form)) {
            broken.extend(self.reused(user, password)?);
        }
        Ok(broken)
    }

    /// The password is one of the last ones of this user. A hash that cannot be checked under the present ceiling is
    /// passed over: nobody could log in with it either.
    fn reused(&self, user: &User, raw: &str) -> Result<Option<Broken>, Error> {
        let most = self.policy.password.history;
        if most == 0 {
            return Ok(None);
        }
        let sent = Sent::new(raw.as_bytes());
        let old = self.state.old_passwords(&user.name)?;
        for hash in user.hash.iter().chain(&old).take(most) {
            match password::verify_sent(&sent, hash) {
                Ok(Checked::Right | Checked::RightAsGiven) => {
                    let last = if most == 1 { "the present one".to_owned() } else { format!("one of the last {most}") };
                    let why = format!("is {last} of this user and [password] history asks for a new one: take another");
                    return Ok(Some(Broken::new(Rule::History, why)));
                }
                Ok(Checked::Wrong) | Err(HashError::Unsupported(_)) => {}
                Err(error) => return Err(from_hash_error(error)),
            }
        }
        Ok(None)
    }

    fn check_role(&self, role: &str) -> Result<(), Error> {
        if self.policy.roles.is_defined(role) {
            return Ok(());
        }
        let defined: Vec<&str> = self.policy.roles.names().collect();
        let hint = match (defined.as_slice(), policy::nearest(role, defined.iter().copied())) {
            ([], _) => "it defines none: add a [[role]] to it".to_owned(),
            (names, Some(near)) => format!("did you mean {near:?}? It defines {}", names.join(", ")),
            (names, None) => format!("it defines {}", names.join(", ")),
        };
        Err(input(format!("the policy defines no role named {role:?}; {hint}")))
    }
}

/// A failed hash as an error that says what to do.
pub fn from_hash_error(error: HashError) -> Error {
    match error {
        HashError::Overloaded => Error::new(
            ErrorKind::Overloaded,
            "no memory is left for hashing: try again in a moment, or lower [password] memory_kib",
        ),
        HashError::Unsupported(what) => {
            Error::new(ErrorKind::Input, format!("this password hash cannot be used: {what}"))
        }
        HashError::Input(what) => Error::new(ErrorKind::Input, format!("this password cannot be used: {what}")),
        HashError::System(what) => Error::new(ErrorKind::System, format!("the password could not be hashed: {what}")),
    }
}

fn canonical(raw: &str) -> Result<String, Error> {
    name::user_name(raw).ok_or_else(|| {
        input(format!(
            "{raw:?} cannot be a user name: write it without spaces and control characters, and not empty (RFC 8265)"
        ))
    })
}

fn refuse(broken: Vec<Broken>) -> Result<(), Error> {
    if broken.is_empty() {
        return Ok(());
    }
    let why: Vec<_> = broken.into_iter().map(|broken| broken.why).collect();
    Err(input(format!("the password {}", why.join("; it "))))
}

fn no_user(name: &str) -> Error {
    Error::new(ErrorKind::Conflict, format!("there is no user named {name}: `gatepost user list` shows who there is"))
}

fn input(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Input, message)
}

#[cfg(test)]
mod tests;
