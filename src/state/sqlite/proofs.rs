//! Finds the table of used proofs, which lies beside the state file, under the database's write lock.

use std::sync::TryLockError;

use rusqlite::TransactionBehavior;

use super::failure::{self, Fault};
use super::{SqliteState, closed, connect, lock};
use crate::error::{Error, ErrorKind};
use crate::state::{Proof, Used};

impl SqliteState {
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
    pub(super) fn find_proofs(&self, now: i64, wait: bool) -> Result<(), Error> {
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
        let found = writer.connection.transaction_with_behavior(TransactionBehavior::Immediate).map(|transaction| {
            let found = proofs.find(&self.path, now);
            // Nothing was written.
            let _ = transaction.rollback();
            found
        });
        let _ = writer.connection.busy_timeout(connect::BUSY);
        match found {
            Ok(found) => found.map_err(|error| failure::file("used", proofs.path(), &error)),
            Err(_) if !wait => Err(self.busy()),
            Err(error) => Err(Fault::from(error).about(&self.path)),
        }
    }

    fn busy(&self) -> Error {
        let what = "what is known of used proofs was lost, and cannot be found while another writes; try again";
        Error::new(ErrorKind::State, format!("{}: {what}", self.path.display()))
    }
}
