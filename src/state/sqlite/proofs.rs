//! Finds the table of used proofs, which lies beside the state file, under the database's write lock.

use std::sync::TryLockError;

use rusqlite::TransactionBehavior;

use super::failure::{self, Fault};
use super::{SqliteState, Writer, closed, connect, lock, secrets};
use crate::error::{Error, ErrorKind};
use crate::state::proofs::Proofs;
use crate::state::{Proof, Used};

/// Kept among the secrets from when the file is first made: where it is there and the file is not, that was lost.
const MADE: &str = "dpop-proofs";

impl SqliteState {
    pub(super) fn allow_proofs(&self, now: i64, leeway: i64) -> Result<(), Error> {
        if let Some(proofs) = &self.proofs {
            proofs.allow(leeway);
        }
        self.find_proofs(now, true)
    }

    pub(super) fn note_proof(&self, proof: &Proof<'_>, now: i64) -> Result<Used, Error> {
        let Some(proofs) = &self.proofs else { return Ok(Used::First) };
        self.in_own_process()?;
        if let Some(used) = proofs.note(proof, now) {
            return Ok(used);
        }
        self.find_proofs(now, false)?;
        proofs.note(proof, now).ok_or_else(|| self.busy())
    }

    /// Finds the table where it is not at hand; makes it where there is none. `wait`: for whoever holds the lock;
    /// otherwise that is an error.
    fn find_proofs(&self, now: i64, wait: bool) -> Result<(), Error> {
        let Some(proofs) = &self.proofs else { return Ok(()) };
        self.in_own_process()?;
        if proofs.is_found() {
            return Ok(());
        }
        let mut guard = match self.writer.try_lock() {
            Ok(guard) => guard,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) if wait => lock(&self.writer),
            Err(TryLockError::WouldBlock) => return Err(self.busy()),
        };
        self.in_place(&mut guard)?;
        let writer = guard.as_mut().ok_or_else(closed)?;
        if !wait {
            let _ = writer.connection.busy_timeout(std::time::Duration::ZERO);
        }
        let found = self.find_locked(proofs, writer, now);
        let _ = writer.connection.busy_timeout(connect::BUSY);
        found.map_err(|fault| match fault {
            Fault::Sql(_) if !wait => self.busy(),
            fault => fault.about(&self.path),
        })
    }

    fn find_locked(&self, proofs: &Proofs, writer: &mut Writer, now: i64) -> Result<(), Fault> {
        let transaction = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let known = secrets::one(&transaction, MADE)?.is_some();
        secrets::one_or_fresh(&transaction, MADE)?;
        proofs.find(&self.path, now, known).map_err(|error| failure::file("used", proofs.path(), &error))?;
        transaction.commit()?;
        Ok(())
    }

    fn busy(&self) -> Error {
        let what = "what is known of used proofs was lost, and cannot be found while another writes; try again";
        Error::new(ErrorKind::State, format!("{}: {what}", self.path.display()))
    }
}
