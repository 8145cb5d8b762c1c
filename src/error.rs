//! The one error of set-up calls: opaque, with a message that says what to do and, where there is one, a place.

use std::path::PathBuf;

/// What kind of failure, as coarse as a caller needs to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The policy does not load.
    Policy,
    /// The state cannot be opened, read or written.
    State,
    /// A value handed in is not acceptable.
    Input,
    /// Something of that name exists already, or does not.
    Conflict,
    /// Decide before start, or in a child of a started process.
    NotStarted,
    /// The request could not be worked on for want of room.
    Overloaded,
    /// A credential that was handed in is not taken.
    Refused,
    /// The operating system refused something else.
    System,
    /// A fault of ours.
    Internal,
}

/// Why a set-up or administration call failed.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    file: Option<PathBuf>,
    line: u32,
    column: u32,
}

impl Error {
    /// An error without a place.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error { kind, message: message.into(), file: None, line: 0, column: 0 }
    }

    /// The same error at a place; line and column count from 1.
    pub fn at(mut self, file: impl Into<PathBuf>, line: u32, column: u32) -> Error {
        self.file = Some(file.into());
        self.line = line;
        self.column = column;
        self
    }

    /// What kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened and what to do; may have several lines.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The file it is about.
    pub fn file(&self) -> Option<&std::path::Path> {
        self.file.as_deref()
    }

    /// Line from 1; 0 where there is none.
    pub fn line(&self) -> u32 {
        self.line
    }

    /// Column in characters from 1; 0 where there is none.
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
