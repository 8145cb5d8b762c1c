//! What SQLite and the file system say, as errors that say what to do.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};

/// Why a statement or what surrounds it failed.
pub(super) enum Fault {
    /// SQLite's own word.
    Sql(rusqlite::Error),
    /// Ours, already with what to do.
    Said(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Fault {
        Fault::Sql(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Said(error)
    }
}

impl Fault {
    /// The error for the caller; `path` is the state file, or `:memory:`.
    pub(super) fn about(self, path: &Path) -> Error {
        match self {
            Fault::Said(error) => error,
            Fault::Sql(error) => Error::new(ErrorKind::State, describe(&error, path)),
        }
    }
}

/// An input or output error on a file.
pub(super) fn file(doing: &str, path: &Path, error: &io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::NotFound => "make its folder, or name another file under `state` in `[engine]`",
        io::ErrorKind::PermissionDenied => "let the user that this runs as write both the file and its folder",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only: name a file elsewhere",
        io::ErrorKind::StorageFull => "the disk is full: make room",
        io::ErrorKind::FileTooLarge => "files may not be so long here: raise the limit of this process (ulimit -f)",
        io::ErrorKind::ResourceBusy => {
            "give each copy a state of its own, or load one and the same libgatepost throughout"
        }
        io::ErrorKind::InvalidData => "stop what uses the state, delete this file and start again",
        _ => "check the folder and the disk",
    };
    Error::new(ErrorKind::State, format!("{} cannot be {doing}: {error}; {advice}", path.display()))
}

fn describe(error: &rusqlite::Error, path: &Path) -> String {
    let path = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => format!(
            "{path} is no state file of Gatepost, nor any SQLite database; move it away, or name another file under \
             `state` in `[engine]`"
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            format!("{path} was locked by another process for 5 seconds; find out which one holds it, and try again")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => format!(
            "{path} cannot be opened for writing; let the user that this runs as write both the file and its folder \
             ({error})"
        ),
        Some(ErrorCode::DiskFull) => format!("{path} could not be written because the disk is full; make room"),
        Some(ErrorCode::DatabaseCorrupt) => {
            format!("{path} is damaged ({error}); stop what uses it and put the last backup back")
        }
        _ => format!("{path} could not be used: {error}; check the disk, then `gatepost state stats`"),
    }
}
