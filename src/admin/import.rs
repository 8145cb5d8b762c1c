//! Taking over users from a file of another program or of our own, and giving them away: all or nothing in one
//! transaction, with an account of every line.

use std::collections::BTreeMap;

use super::roster::{self, Line};
use super::{Admin, canonical, from_hash_error, input};
use crate::crypto::password::{self, Plan};
use crate::error::Error;
use crate::state::Incoming;

pub use super::roster::Format;

/// What to take, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Import<'a> {
    /// The file.
    pub text: &'a [u8],
    /// `None`: told by the first line.
    pub format: Option<Format>,
    /// Roles for everybody in it, beside those that it gives.
    pub roles: &'a [String],
    /// Users that exist already get what the file says, instead of being in the way.
    pub update: bool,
    /// Lines of htpasswd replace an Argon2id hash by another form.
    pub force_hash: bool,
    /// Takes the rest where some lines cannot be taken, instead of nothing.
    pub skip: bool,
    /// Changes nothing and tells what would be.
    pub dry_run: bool,
}

/// What came of it, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Names of new users.
    pub added: Vec<String>,
    /// Names of users that were there and are different now.
    pub updated: Vec<String>,
    /// Names of users that are as the file has them.
    pub unchanged: Vec<String>,
    /// How many hashes have which form.
    pub forms: BTreeMap<String, Counted>,
    /// Lines that cannot be taken.
    pub refused: Vec<Remark>,
    /// What to know of lines that can.
    pub notes: Vec<Remark>,
    /// The work of each failed login afterwards, kind by kind.
    pub failed_login: Vec<String>,
    /// It is in the state now.
    pub taken: bool,
}

/// Hashes of one form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many.
    pub users: usize,
    /// A copy of them is guessed in no time.
    pub weak: bool,
}

/// Something about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// From 1.
    pub line: usize,
    /// As the file has it; empty where it has none.
    pub name: String,
    /// For the operator; never any of a hash.
    pub text: String,
}

/// All users as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub text: String,
    /// Names that it does not hold, and why.
    pub left_out: Vec<(String, &'static str)>,
}

/// What the report says of a hash that is not taken.
const KEPT: &str = "keeps its Argon2id hash; where the file has another password, --force-hash takes the file's";

/// One that a line would put in the place of an Argon2id hash, which the first good login made of it or a new password.
fn is_weaker(brought: Option<&str>, stored: Option<&str>) -> bool {
    let is_argon2id = |hash: &str| password::form(hash).map(|form| form.name.starts_with("Argon2id, "));
    matches!((brought.map(is_argon2id), stored.map(is_argon2id)), (Some(Ok(false)), Some(Ok(true))))
}

impl Admin<'_> {
    /// Takes over users with the hashes that they have. Where a line cannot be taken, nothing is, unless `skip` says so;
    /// the report tells each of them.
    pub fn import(&self, import: &Import<'_>) -> Result<Imported, Error> {
        import.roles.iter().try_for_each(|role| self.check_role(role))?;
        let lines = roster::read(import.text, import.format);
        if lines.is_empty() {
            return Err(input("the file holds no user: it wants lines like name:hash, or JSON objects, one a line"));
        }
        let mut report = Imported::default();
        let mut plan = Plan::new(self.cost(), &self.state.works()?);
        let mut seen: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let mut incoming = Vec::new();
        for (number, line) in lines {
            let name = line.as_ref().map(|line| line.name.clone()).unwrap_or_default();
            let remark = |text: String| Remark { line: number, name: name.clone(), text };
            match line.and_then(|line| self.prepare(number, line, import, &mut plan, &mut seen)) {
                Ok((user, kept)) => {
                    if kept {
                        report.notes.push(remark(KEPT.to_owned()));
                    }
                    if user.name != name {
                        report.notes.push(remark(format!("becomes {}", user.name)));
                    }
                    let undefined: Vec<&str> =
                        user.roles.iter().map(String::as_str).filter(|r| !self.policy.roles.is_defined(r)).collect();
                    if !undefined.is_empty() {
                        let text = format!("the policy defines no role {}: it gives nothing", undefined.join(", "));
                        report.notes.push(remark(text));
                    }
                    incoming.push(user);
                }
                Err(why) => report.refused.push(remark(why)),
            }
        }
        self.account(&incoming, &mut report)?;
        report.failed_login = plan.describe();
        if import.dry_run || (!report.refused.is_empty() && !import.skip) || incoming.is_empty() {
            return Ok(report);
        }
        let keep = self.policy.password.history.saturating_sub(1);
        self.state.import_users(&incoming, import.update, keep, self.now)?;
        report.taken = true;
        Ok(report)
    }

    /// A line as it goes into the state, and whether the hash that is there stays in its place; or why it cannot.
    fn prepare(
        &self,
        number: usize,
        line: Line,
        import: &Import<'_>,
        plan: &mut Plan,
        seen: &mut BTreeMap<String, (usize, String)>,
    ) -> Result<(Incoming, bool), String> {
        let name = canonical(&line.name).map_err(|error| error.message().to_owned())?;
        if let Some((first, raw)) = seen.get(&name) {
            return Err(match *raw == line.name {
                true => format!("is there already in line {first}, which is the one that counts for Apache and nginx"),
                false => format!("is the same account as {raw} in line {first}: names have no case here"),
            });
        }
        seen.insert(name.clone(), (number, line.name));
        let old = self.state.user(&name).map_err(|error| error.message().to_owned())?;
        let stored = old.as_ref().and_then(|old| old.hash.as_deref());
        let kept = import.update && !import.force_hash && line.foreign && is_weaker(line.hash.as_deref(), stored);
        let hash = line.hash.filter(|_| !kept);
        if let Some(hash) = &hash {
            plan.take(hash).map_err(|error| match error {
                password::HashError::Unsupported(what) => what,
                other => from_hash_error(other).message().to_owned(),
            })?;
        }
        if !import.update && old.is_some() {
            return Err(format!("there is a user {name} already; --update gives it what the file says"));
        }
        let mut roles = line.roles.clone().unwrap_or_default();
        if roles.iter().any(|role| role.is_empty() || role.len() > 255 || role.chars().any(char::is_control)) {
            return Err("has a role that is empty, longer than 255 bytes or holds control characters".to_owned());
        }
        roles.extend_from_slice(import.roles);
        roles.sort();
        roles.dedup();
        let incoming = Incoming {
            name,
            hash,
            exactly: line.roles.is_some(),
            roles,
            disabled: line.disabled,
            created_at: line.created_at.unwrap_or(self.now),
            password_changed_at: line.password_changed_at,
        };
        Ok((incoming, kept))
    }

    /// Who is new, who changes, and which forms their hashes have.
    fn account(&self, incoming: &[Incoming], report: &mut Imported) -> Result<(), Error> {
        for user in incoming {
            let old = self.state.user(&user.name)?;
            let names = match &old {
                None => &mut report.added,
                Some(old) if user.over(old) == *old => &mut report.unchanged,
                Some(_) => &mut report.updated,
            };
            names.push(user.name.clone());
            let (name, weak) = match user.hash.as_ref().or(old.as_ref().and_then(|old| old.hash.as_ref())) {
                None => ("no password".to_owned(), false),
                Some(hash) => password::form(hash).map(|form| (form.name, form.weak)).map_err(from_hash_error)?,
            };
            let counted = report.forms.entry(name).or_default();
            counted.users = counted.users.saturating_add(1);
            counted.weak = weak;
        }
        Ok(())
    }

    /// All users as a file that [`Admin::import`] reads. It holds their password hashes.
    pub fn export(&self, format: Format) -> Result<Exported, Error> {
        let mut exported = Exported { text: String::new(), left_out: Vec::new() };
        for user in self.state.users()? {
            match roster::write(&user, format) {
                Ok(line) => exported.text.push_str(&line),
                Err(why) => exported.left_out.push((user.name, why)),
            }
        }
        Ok(exported)
    }
}
