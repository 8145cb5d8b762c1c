//! The state as administrators get it: every change that was made is told of. Whoever changes accounts or keys comes by
//! here, so that no change is left without a line; the engine's own writes do not.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::crypto::password::Work;
use crate::engine::snapshot::Snapshot;
use crate::error::Error;
use crate::event::{Kind, Line, Member};
use crate::state::{
    ApiKey, By, Claim, Ended, Exchange, Exchanged, Fetching, Incoming, Login, Logins, Mark, News, Proof, RefreshToken,
    Revocation, State, Used, User,
};

/// A state that tells.
#[derive(Debug)]
pub(super) struct Audited {
    state: Arc<dyn State>,
    snapshot: Arc<Snapshot>,
    /// Who administers.
    by: Option<String>,
}

impl Audited {
    pub(super) fn new(state: Arc<dyn State>, snapshot: Arc<Snapshot>, by: Option<String>) -> Audited {
        Audited { state, snapshot, by }
    }

    fn tell(&self, kind: Kind, fill: impl FnOnce(&mut Line)) {
        let Some(telling) = &self.snapshot.telling else { return };
        let mut line = telling.teller.line(kind, &self.snapshot.policy);
        fill(&mut line);
        line.maybe(Member::By, self.by.as_deref());
        telling.teller.note(kind, line);
    }

    fn tell_of_user(&self, kind: Kind, name: &str) {
        self.tell(kind, |line| {
            line.text(Member::User, name);
        });
    }

    fn tell_of_role(&self, kind: Kind, name: &str, role: &str) {
        self.tell(kind, |line| {
            line.text(Member::User, name).text(Member::Role, role);
        });
    }

    fn tell_of_user_with(&self, kind: Kind, name: &str, roles: &[String], disabled: bool) {
        self.tell(kind, |line| {
            line.text(Member::User, name)
                .texts(Member::Roles, roles.iter().map(String::as_str))
                .flag(Member::Disabled, disabled);
        });
    }
}

impl State for Audited {
    fn version(&self) -> Option<u64> {
        self.state.version()
    }

    fn user(&self, name: &str) -> Result<Option<User>, Error> {
        self.state.user(name)
    }

    fn api_key(&self, digest: &[u8; 32]) -> Result<Option<ApiKey>, Error> {
        self.state.api_key(digest)
    }

    fn users(&self) -> Result<Vec<User>, Error> {
        self.state.users()
    }

    fn add_user(&self, user: &User) -> Result<(), Error> {
        self.state.add_user(user)?;
        self.tell_of_user_with(Kind::UserAdded, &user.name, &user.roles, user.disabled);
        Ok(())
    }

    fn import_users(&self, users: &[Incoming], update: bool, keep: usize, now: i64) -> Result<(), Error> {
        let known: HashSet<String> = self.state.users()?.into_iter().map(|user| user.name).collect();
        self.state.import_users(users, update, keep, now)?;
        for one in users {
            let kind = if known.contains(&one.name) { Kind::UserUpdated } else { Kind::UserAdded };
            self.tell_of_user_with(kind, &one.name, &one.roles, one.disabled == Some(true));
        }
        Ok(())
    }

    fn set_password(&self, name: &str, hash: &str, now: i64, keep: usize) -> Result<(), Error> {
        self.state.set_password(name, hash, now, keep)?;
        self.tell_of_user(Kind::PasswordSet, name);
        Ok(())
    }

    fn old_passwords(&self, name: &str) -> Result<Vec<String>, Error> {
        self.state.old_passwords(name)
    }

    fn replace_hash(&self, name: &str, old: &str, new: &str) -> Result<bool, Error> {
        let replaced = self.state.replace_hash(name, old, new)?;
        if replaced {
            self.tell_of_user(Kind::PasswordRehashed, name);
        }
        Ok(replaced)
    }

    fn works(&self) -> Result<Vec<Work>, Error> {
        self.state.works()
    }

    fn set_disabled(&self, name: &str, disabled: bool, now: i64) -> Result<(), Error> {
        let before = self.state.user(name)?.map(|user| user.disabled);
        self.state.set_disabled(name, disabled, now)?;
        if before != Some(disabled) {
            self.tell_of_user(if disabled { Kind::UserDisabled } else { Kind::UserEnabled }, name);
        }
        Ok(())
    }

    fn grant(&self, name: &str, role: &str) -> Result<bool, Error> {
        let changed = self.state.grant(name, role)?;
        if changed {
            self.tell_of_role(Kind::RoleGranted, name, role);
        }
        Ok(changed)
    }

    fn revoke(&self, name: &str, role: &str) -> Result<bool, Error> {
        let changed = self.state.revoke(name, role)?;
        if changed {
            self.tell_of_role(Kind::RoleRevoked, name, role);
        }
        Ok(changed)
    }

    fn remove_user(&self, name: &str) -> Result<(), Error> {
        self.state.remove_user(name)?;
        self.tell_of_user(Kind::UserRemoved, name);
        Ok(())
    }

    fn known_secret(&self, name: &str) -> Result<Option<[u8; 32]>, Error> {
        self.state.known_secret(name)
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], Error> {
        self.state.secret(name)
    }

    fn open_beside(
        &self,
        end: &str,
        make: bool,
        open: &mut dyn FnMut(&Path, &Path) -> io::Result<()>,
    ) -> Result<bool, Error> {
        self.state.open_beside(end, make, open)
    }

    fn open_proofs(&self, now: i64, leeway: i64) -> Result<(), Error> {
        self.state.open_proofs(now, leeway)
    }

    fn use_proof(&self, proof: &Proof<'_>, now: i64) -> Result<Used, Error> {
        self.state.use_proof(proof, now)
    }

    fn api_keys(&self, user: Option<&str>) -> Result<Vec<ApiKey>, Error> {
        self.state.api_keys(user)
    }

    fn add_api_key(&self, key: &ApiKey) -> Result<(), Error> {
        self.state.add_api_key(key)?;
        self.tell(Kind::KeyIssued, |line| {
            line.text(Member::User, &key.user)
                .text(Member::Key, &key.id)
                .text(Member::Name, &key.name)
                .texts(Member::Roles, key.roles.iter().flatten().map(String::as_str))
                .texts(Member::Scopes, key.scopes.iter().map(String::as_str));
            if let Some(at) = key.expires_at {
                line.time(Member::Expires, at.saturating_mul(1000));
            }
        });
        Ok(())
    }

    fn revoke_api_key(&self, id_or_name: &str, now: i64) -> Result<(), Error> {
        let keys = self.state.api_keys(None)?;
        self.state.revoke_api_key(id_or_name, now)?;
        let named = |key: &&ApiKey| key.name == id_or_name && key.revoked_at.is_none();
        let key = keys.iter().find(|key| key.id == id_or_name).or_else(|| keys.iter().find(named));
        if let Some(key) = key.filter(|key| key.revoked_at.is_none()) {
            self.tell(Kind::KeyRevoked, |line| {
                line.text(Member::Key, &key.id).text(Member::User, &key.user).text(Member::Name, &key.name);
            });
        }
        Ok(())
    }

    fn fetching(&self, source: &str) -> Result<Option<Fetching>, Error> {
        self.state.fetching(source)
    }

    fn claim_fetch(&self, source: &str, claim: &Claim<'_>) -> Result<(bool, Fetching), Error> {
        self.state.claim_fetch(source, claim)
    }

    fn end_fetch(&self, source: &str, holder: i64, now: i64, due_at: i64, ended: &Ended) -> Result<Fetching, Error> {
        self.state.end_fetch(source, holder, now, due_at, ended)
    }

    fn touch_api_keys(&self, uses: &[([u8; 32], i64)]) -> Result<(), Error> {
        self.state.touch_api_keys(uses)
    }

    fn revoke_token(&self, revocation: &Revocation) -> Result<bool, Error> {
        let changed = self.state.revoke_token(revocation)?;
        if changed {
            self.tell(Kind::TokenRevoked, |line| {
                line.text(Member::Issuer, &revocation.issuer).text(Member::RevokedBy, revocation.by.name());
                let member = match revocation.by {
                    By::Token | By::Claims => Member::Token,
                    By::Session => Member::Session,
                    By::Subject => Member::Subject,
                };
                line.text(member, &revocation.name);
                if let Some(before) = revocation.before {
                    line.time(Member::Before, before.saturating_mul(1000));
                }
                if let Some(ends) = revocation.ends_at {
                    line.time(Member::Expires, ends.saturating_mul(1000));
                }
            });
        }
        Ok(changed)
    }

    fn revocation(
        &self,
        issuer: &str,
        names: &[(By, &str)],
        issued_at: Option<i64>,
    ) -> Result<Option<Revocation>, Error> {
        self.state.revocation(issuer, names, issued_at)
    }

    fn revocations(&self, most: usize) -> Result<Vec<Revocation>, Error> {
        self.state.revocations(most)
    }

    fn revocations_since(&self, mark: Option<Mark>, most: usize) -> Result<News, Error> {
        self.state.revocations_since(mark, most)
    }

    fn sweep_revocations(&self, now: i64) -> Result<usize, Error> {
        self.state.sweep_revocations(now)
    }

    fn add_login(&self, login: &Login, digest: &[u8; 32]) -> Result<(), Error> {
        self.state.add_login(login, digest)
    }

    fn refresh_token(&self, digest: &[u8; 32]) -> Result<Option<RefreshToken>, Error> {
        self.state.refresh_token(digest)
    }

    fn exchange_refresh_token(&self, exchange: &Exchange<'_>) -> Result<Exchanged, Error> {
        self.state.exchange_refresh_token(exchange)
    }

    fn end_logins(&self, issuer: &str, which: Logins<'_>) -> Result<usize, Error> {
        self.state.end_logins(issuer, which)
    }

    fn sweep_logins(&self, now: i64) -> Result<(), Error> {
        self.state.sweep_logins(now)
    }
}
