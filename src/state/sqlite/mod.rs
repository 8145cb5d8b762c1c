//! State in one SQLite file, which several processes and several engines of one process may have open.
//!
//! One connection writes, another reads, each behind a mutex. Every write is one `BEGIN IMMEDIATE` transaction that is on
//! the disk before it is acknowledged, and moves the change counter (`epoch`) on. No SQL is put together from values.

mod connect;
mod failure;
mod fetched;
mod history;
mod import;
mod keys;
mod proofs;
mod refresh;
mod revocations;
mod schema;
mod secrets;
#[cfg(test)]
mod tests;
mod text;
mod users;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use self::failure::Fault;
use super::epoch::Epoch;
use super::proofs::Proofs;
use super::revocation::{By, Mark, News, Revocation};
use super::{
    ApiKey, Claim, Ended, Exchange, Exchanged, Fetching, Incoming, Login, Logins, Proof, RefreshToken, State, Used,
    User,
};
use crate::crypto::password::Work;
use crate::error::{Error, ErrorKind};
use crate::ffi::os::fork::fork_generation;
use crate::ffi::os::words::FileId;

/// How the name of the change counter ends.
const EPOCH: &str = "-epoch";
/// And that of the used proofs.
const PROOFS: &str = "-proofs";

/// State in a SQLite file, or in the memory of this process.
#[derive(Debug)]
pub struct SqliteState {
    /// The one true path, or `:memory:`.
    path: PathBuf,
    /// Both `None` only while this value is being dropped.
    writer: Mutex<Option<Writer>>,
    /// `None`: the writer reads as well, as nothing else sees a database in memory.
    reader: Option<Mutex<Option<Connection>>>,
    epoch: Epoch,
    /// `None`: nobody shares this state.
    proofs: Option<Proofs>,
    /// The process that opened it.
    process: u64,
}

#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// The file that is open; `None`: memory.
    id: Option<FileId>,
}

impl SqliteState {
    /// Opens the state file, or makes it (mode 0600) where it is absent; its folder must exist. Each process opens it for
    /// itself, after fork. Beside it lie SQLite's `-wal` and `-shm` and our `-epoch`; where proofs are taken, our `-proofs`,
    /// and what [`State::open_beside`] opens.
    pub fn open(path: &Path) -> Result<SqliteState, Error> {
        let process = fork_generation();
        let path = connect::find_or_make(path)?;
        let (writer, epoch, reader) = open_files(&path).map_err(|fault| fault.about(&path))?;
        let proofs = Some(Proofs::at(beside(&path, PROOFS)));
        Ok(SqliteState { path, writer: Mutex::new(Some(writer)), reader: Some(reader), epoch, proofs, process })
    }

    /// State that nobody else sees and that ends with this value.
    pub fn memory() -> Result<SqliteState, Error> {
        let process = fork_generation();
        let path = PathBuf::from(":memory:");
        let (writer, epoch) = open_memory(&path).map_err(|fault| fault.about(&path))?;
        Ok(SqliteState { path, writer: Mutex::new(Some(writer)), reader: None, epoch, proofs: None, process })
    }

    fn read<T>(&self, body: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T, Error> {
        self.in_own_process()?;
        if self.epoch.needs_help() {
            self.help()?;
        }
        let result = match &self.reader {
            Some(reader) => body(lock(reader).as_ref().ok_or_else(closed)?),
            None => body(&lock(&self.writer).as_ref().ok_or_else(closed)?.connection),
        };
        result.map_err(|fault| fault.about(&self.path))
    }

    /// One transaction. `body` says whether anything that a decision reads is different afterwards.
    fn write<T>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<(bool, T), Fault>) -> Result<T, Error> {
        self.in_own_process()?;
        let mut guard = lock(&self.writer);
        self.in_place(&mut guard)?;
        let writer = guard.as_mut().ok_or_else(closed)?;
        self.transact(writer, body).map_err(|fault| fault.about(&self.path))
    }

    fn transact<T>(
        &self,
        writer: &mut Writer,
        body: impl FnOnce(&Transaction<'_>) -> Result<(bool, T), Fault>,
    ) -> Result<T, Fault> {
        let transaction = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let (changed, value) = body(&transaction)?;
        // As late as may be, so that others are without a version for the length of the commit only. The ticket ends
        // after the commit, also after one that failed: a number too many harms nobody.
        let ticket = if changed {
            Some(
                self.epoch
                    .begin(writer.id)
                    .map_err(|error| failure::file("used", &beside(&self.path, EPOCH), &error))?,
            )
        } else {
            None
        };
        #[cfg(test)]
        tests::passing("before the commit");
        transaction.commit()?;
        #[cfg(test)]
        tests::passing("after the commit");
        drop(ticket);
        Ok(value)
    }

    /// Looks after a change counter that was lost, a writer that died, or a state file that was replaced. Only the last
    /// can fail: without the others decisions are right, and merely dearer.
    fn help(&self) -> Result<(), Error> {
        let mut guard = match self.writer.try_lock() {
            Ok(guard) => guard,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // Somebody writes, and so helps.
            Err(std::sync::TryLockError::WouldBlock) => return Ok(()),
        };
        self.in_place(&mut guard)?;
        let writer = guard.as_mut().ok_or_else(closed)?;
        // A decision does not wait for another process's write.
        let _ = writer.connection.busy_timeout(std::time::Duration::ZERO);
        if let Ok(transaction) = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate) {
            if self.epoch.find(writer.id).is_ok() {
                self.epoch.settle();
            }
            let _ = transaction.rollback();
        }
        let _ = writer.connection.busy_timeout(connect::BUSY);
        Ok(())
    }

    /// The open file is still the one at its path; otherwise the new one is opened. Writing to a file that was replaced
    /// would lose what was acknowledged, and reading it would never see a change again.
    fn in_place(&self, guard: &mut MutexGuard<'_, Option<Writer>>) -> Result<(), Error> {
        let (Some(writer), Some(reader)) = (guard.as_ref(), &self.reader) else { return Ok(()) };
        if FileId::of(&self.path).is_ok_and(|now| Some(now) == writer.id) {
            return Ok(());
        }
        // Never made anew here: a state file that is gone is not an empty one.
        connect::find(&self.path)?;
        let (new, _, new_reader) = open_files(&self.path).map_err(|fault| fault.about(&self.path))?;
        *lock(reader) = new_reader.into_inner().unwrap_or_else(PoisonError::into_inner);
        **guard = Some(new);
        Ok(())
    }

    /// A connection must not be used in a child of the process that opened it: SQLite's locks stay with the parent.
    fn in_own_process(&self) -> Result<(), Error> {
        if fork_generation() == self.process {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::NotStarted,
            "the state was opened by the parent of this process; call start in each process, after fork",
        ))
    }
}

impl Drop for SqliteState {
    fn drop(&mut self) {
        if fork_generation() == self.process {
            return;
        }
        // Closing a connection in a child would take SQLite to be its last user, move the log into the database and
        // delete it under the parent. It is left as it is until the child ends.
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        std::mem::forget(writer);
        if let Some(reader) = &mut self.reader {
            std::mem::forget(reader.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        }
    }
}

impl State for SqliteState {
    fn version(&self) -> Option<u64> {
        self.epoch.version()
    }

    fn user(&self, name: &str) -> Result<Option<User>, Error> {
        self.read(|connection| users::one(connection, name))
    }

    fn api_key(&self, digest: &[u8; 32]) -> Result<Option<ApiKey>, Error> {
        self.read(|connection| keys::one(connection, digest))
    }

    fn users(&self) -> Result<Vec<User>, Error> {
        self.read(users::all)
    }

    fn add_user(&self, user: &User) -> Result<(), Error> {
        self.write(|transaction| users::add(transaction, user).map(|()| (true, ())))
    }

    fn import_users(&self, users: &[Incoming], update: bool, keep: usize, now: i64) -> Result<(), Error> {
        self.write(|transaction| import::all(transaction, users, update, keep, now).map(|changed| (changed, ())))
    }

    fn set_password(&self, name: &str, hash: &str, now: i64, keep: usize) -> Result<(), Error> {
        self.write(|transaction| {
            history::keep(transaction, name, keep)?;
            users::set_password(transaction, name, hash, now).map(|()| (true, ()))
        })
    }

    fn old_passwords(&self, name: &str) -> Result<Vec<String>, Error> {
        self.read(|connection| history::all(connection, name))
    }

    fn replace_hash(&self, name: &str, old: &str, new: &str) -> Result<bool, Error> {
        self.write(|transaction| users::replace_hash(transaction, name, old, new).map(|changed| (changed, changed)))
    }

    fn works(&self) -> Result<Vec<Work>, Error> {
        self.read(users::works)
    }

    fn set_disabled(&self, name: &str, disabled: bool, now: i64) -> Result<(), Error> {
        self.write(|transaction| users::set_disabled(transaction, name, disabled, now).map(|changed| (changed, ())))
    }

    fn grant(&self, name: &str, role: &str) -> Result<bool, Error> {
        self.write(|transaction| users::grant(transaction, name, role).map(|changed| (changed, changed)))
    }

    fn revoke(&self, name: &str, role: &str) -> Result<bool, Error> {
        self.write(|transaction| users::revoke(transaction, name, role).map(|changed| (changed, changed)))
    }

    fn remove_user(&self, name: &str) -> Result<(), Error> {
        self.write(|transaction| users::remove(transaction, name).map(|()| (true, ())))
    }

    fn known_secret(&self, name: &str) -> Result<Option<[u8; 32]>, Error> {
        self.read(|connection| secrets::one(connection, name))
    }

    fn secret(&self, name: &str) -> Result<[u8; 32], Error> {
        match self.known_secret(name)? {
            Some(secret) => Ok(secret),
            None => self.write(|transaction| secrets::one_or_fresh(transaction, name).map(|secret| (false, secret))),
        }
    }

    fn open_beside(
        &self,
        end: &str,
        make: bool,
        open: &mut dyn FnMut(&Path, &Path) -> io::Result<()>,
    ) -> Result<bool, Error> {
        let path = beside(&self.path, end);
        if self.reader.is_none() || !make && !path.exists() {
            return Ok(false);
        }
        // Whoever writes keeps all others from writing.
        self.write(|_| {
            open(&path, &self.path).map_err(|error| failure::file("used", &path, &error))?;
            Ok((false, true))
        })
    }

    fn open_proofs(&self, now: i64, leeway: i64) -> Result<(), Error> {
        self.allow_proofs(now, leeway)
    }

    fn use_proof(&self, proof: &Proof<'_>, now: i64) -> Result<Used, Error> {
        self.note_proof(proof, now)
    }

    fn api_keys(&self, user: Option<&str>) -> Result<Vec<ApiKey>, Error> {
        self.read(|connection| keys::all(connection, user))
    }

    fn add_api_key(&self, key: &ApiKey) -> Result<(), Error> {
        self.write(|transaction| keys::add(transaction, key).map(|()| (true, ())))
    }

    fn revoke_api_key(&self, id_or_name: &str, now: i64) -> Result<(), Error> {
        self.write(|transaction| keys::revoke(transaction, id_or_name, now).map(|changed| (changed, ())))
    }

    fn fetching(&self, source: &str) -> Result<Option<Fetching>, Error> {
        self.read(|connection| fetched::one(connection, source))
    }

    fn claim_fetch(&self, source: &str, claim: &Claim<'_>) -> Result<(bool, Fetching), Error> {
        self.write(|transaction| fetched::claim(transaction, source, claim).map(|claimed| (false, claimed)))
    }

    fn end_fetch(&self, source: &str, holder: i64, now: i64, due_at: i64, ended: &Ended) -> Result<Fetching, Error> {
        self.write(|transaction| fetched::end(transaction, source, holder, now, due_at, ended))
    }

    fn touch_api_keys(&self, uses: &[([u8; 32], i64)]) -> Result<(), Error> {
        if uses.is_empty() {
            return Ok(());
        }
        self.write(|transaction| keys::touch(transaction, uses).map(|()| (false, ())))
    }

    fn revoke_token(&self, revocation: &Revocation) -> Result<bool, Error> {
        self.write(|transaction| {
            refresh::revoke_as(transaction, revocation)?;
            revocations::add(transaction, revocation).map(|changed| (changed, changed))
        })
    }

    fn revocation(
        &self,
        issuer: &str,
        names: &[(By, &str)],
        issued_at: Option<i64>,
    ) -> Result<Option<Revocation>, Error> {
        self.read(|connection| revocations::first(connection, issuer, names, issued_at))
    }

    fn revocations(&self, most: usize) -> Result<Vec<Revocation>, Error> {
        self.read(|connection| revocations::newest(connection, most))
    }

    fn revocations_since(&self, mark: Option<Mark>, most: usize) -> Result<News, Error> {
        self.read(|connection| revocations::news(connection, mark, most))
    }

    fn sweep_revocations(&self, now: i64) -> Result<usize, Error> {
        if !self.read(|connection| revocations::any_over(connection, now))? {
            return Ok(0);
        }
        // What is forgotten hits no token that is alive, so that nothing changes for a decision.
        self.write(|transaction| revocations::sweep(transaction, now).map(|forgotten| (false, forgotten)))
    }

    fn add_login(&self, login: &Login, digest: &[u8; 32]) -> Result<(), Error> {
        self.write(|transaction| refresh::add(transaction, login, digest).map(|()| (false, ())))
    }

    fn refresh_token(&self, digest: &[u8; 32]) -> Result<Option<RefreshToken>, Error> {
        self.read(|connection| refresh::one(connection, digest))
    }

    fn exchange_refresh_token(&self, exchange: &Exchange<'_>) -> Result<Exchanged, Error> {
        self.write(|transaction| refresh::exchange(transaction, exchange))
    }

    fn end_logins(&self, issuer: &str, which: Logins<'_>) -> Result<usize, Error> {
        self.write(|transaction| refresh::revoke(transaction, issuer, which).map(|count| (false, count)))
    }

    fn sweep_logins(&self, now: i64) -> Result<(), Error> {
        if !self.read(|connection| refresh::is_stale(connection, now))? {
            return Ok(());
        }
        self.write(|transaction| refresh::sweep(transaction, now).map(|()| (false, ())))
    }
}

type Files = (Writer, Epoch, Mutex<Option<Connection>>);

/// Opens an existing file with its change counter, brings it to the current version and settles what a dead writer left.
fn open_files(path: &Path) -> Result<Files, Fault> {
    let mut connection = connect::writer(path)?;
    let id = FileId::of(path).map_err(|error| failure::file("opened", path, &error))?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::migrate(&transaction, path)?;
    let epoch_path = beside(path, EPOCH);
    let epoch = Epoch::open(epoch_path.clone(), path.to_owned(), id)
        .map_err(|error| failure::file("used", &epoch_path, &error))?;
    transaction.commit()?;
    let reader = connect::reader(path)?;
    Ok((Writer { connection, id: Some(id) }, epoch, Mutex::new(Some(reader))))
}

fn open_memory(path: &Path) -> Result<(Writer, Epoch), Fault> {
    let mut connection = connect::memory()?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    schema::migrate(&transaction, path)?;
    transaction.commit()?;
    let epoch = Epoch::private().map_err(|error| failure::file("used", path, &error))?;
    Ok((Writer { connection, id: None }, epoch))
}

/// What lies beside the state file, by what its name ends with.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// A thread that panicked with the lock held has left no half-done work: its transaction was rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> Error {
    Error::new(ErrorKind::Internal, "the state is closed; this is a fault of Gatepost, please report it")
}
