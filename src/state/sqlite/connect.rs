//! Opening the file: what is made, what is set on a connection, and in which order.

use std::fs::OpenOptions;
use std::io::ErrorKind as Io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::failure::{self, Fault};
use super::schema;
use crate::error::{Error, ErrorKind};

/// How long a writer waits for another's transaction to end. In tests whoever has the lock may stand still meanwhile.
pub(super) const BUSY: Duration = Duration::from_secs(if cfg!(test) { 300 } else { 5 });
/// How long whoever opens a file waits for those that read it otherwise.
const SWITCH: Duration = Duration::from_secs(5);
/// How long it sleeps before it asks again.
const STEP: Duration = Duration::from_millis(10);
/// Prepared statements kept for each connection; there are fewer.
const STATEMENTS: usize = 64;

/// Makes the file where it is absent, with mode 0600, and returns its one true path: the change counter lies beside it,
/// so that everybody must call it by the same name.
pub(super) fn find_or_make(path: &Path) -> Result<PathBuf, Error> {
    // An existing file is not opened here: closing it again would drop the locks that another engine of this process
    // holds on it through SQLite (POSIX locks belong to the process, not to the descriptor).
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == Io::AlreadyExists => {}
        Err(error) => return Err(failure::file("made", path, &error)),
    }
    find(path)
}

/// The one true path of an existing file.
pub(super) fn find(path: &Path) -> Result<PathBuf, Error> {
    let path = path.canonicalize().map_err(|error| failure::file("opened", path, &error))?;
    let data = path.metadata().map_err(|error| failure::file("opened", &path, &error))?;
    if !data.is_file() {
        return Err(Error::new(
            ErrorKind::State,
            format!("{} is not a file; name a file under `state` in `[engine]`", path.display()),
        ));
    }
    Ok(path)
}

/// A connection that reads and writes.
pub(super) fn writer(path: &Path) -> Result<Connection, Fault> {
    // Neither made anew nor read as a URI. SQLite's own mutex is not needed: ours is around each connection.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    // Before anything is changed in a file that may be somebody else's; and all of it at one moment, since another process
    // may be making the file.
    let moment = connection.unchecked_transaction()?;
    schema::recognise(&moment, path)?;
    moment.rollback()?;
    write_ahead(&connection, path)?;
    settings(&connection)?;
    Ok(connection)
}

/// A connection that only reads, beside a writer: a commit that waits for the disk does not hold decisions up.
pub(super) fn reader(path: &Path) -> Result<Connection, Fault> {
    let connection = writer(path)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// A database of this connection alone.
pub(super) fn memory() -> Result<Connection, Fault> {
    let connection = Connection::open_in_memory()?;
    settings(&connection)?;
    Ok(connection)
}

/// Write-ahead log: readers and one writer do not wait for each other. While two processes switch a new file over,
/// SQLite answers "busy" without waiting, so the waiting is done here, and by SQLite not at all.
fn write_ahead(connection: &Connection, path: &Path) -> Result<(), Fault> {
    connection.busy_timeout(Duration::ZERO)?;
    // Counted by how often it was asked, as SQLite counts, so that a machine that stands still makes nobody busy.
    let mut waited = Duration::ZERO;
    loop {
        let mode: Result<String, _> = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(connection.busy_timeout(BUSY)?),
            Ok(mode) => {
                return Err(Fault::Said(Error::new(
                    ErrorKind::State,
                    format!(
                        "{} cannot have a write-ahead log (it stays in mode {mode}); put it on a local file system",
                        path.display()
                    ),
                )));
            }
            Err(error)
                if waited < SWITCH
                    && matches!(
                        error.sqlite_error_code(),
                        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
                    ) =>
            {
                std::thread::sleep(STEP);
                waited = waited.saturating_add(STEP);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn settings(connection: &Connection) -> Result<(), Fault> {
    // Each commit is on the disk before it is acknowledged, also through a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What was deleted, a hash above all, is overwritten.
    connection.pragma_update(None, "secure_delete", true)?;
    // A file that somebody prepared must not make SQLite run or rewrite anything.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::time::Instant;

    use super::super::SqliteState;
    use super::*;

    #[test]
    fn whoever_reads_a_restored_file_holds_its_opening_up_for_seconds_and_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        drop(SqliteState::open(&path).unwrap());
        // As a backup may be: without a write-ahead log.
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "journal_mode", "delete").unwrap();
        other.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;").unwrap();
        let begun = Instant::now();
        assert!(SqliteState::open(&path).is_err());
        // Some five; asked five hundred times for five seconds each it would be most of an hour.
        assert!(begun.elapsed() < Duration::from_secs(120));
        other.execute_batch("ROLLBACK").unwrap();
        SqliteState::open(&path).unwrap();
    }

    #[test]
    fn a_new_file_that_several_open_at_once_is_never_taken_for_another_programs() {
        for _ in 0..100 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state.db");
            let together = Barrier::new(4);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        together.wait();
                        SqliteState::open(&path).unwrap();
                    });
                }
            });
        }
    }
}
