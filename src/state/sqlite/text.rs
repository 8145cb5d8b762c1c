//! Strings on their way into a column.

use super::failure::Fault;
use crate::error::{Error, ErrorKind};

/// Longest name, role, scope or hash, octets.
const LONGEST: usize = 1024;

/// Refuses what could break a header, a log line or a terminal later: empty, too long, control characters.
pub(super) fn check(what: &str, text: &str) -> Result<(), Fault> {
    let wrong = if text.is_empty() {
        "is empty"
    } else if text.len() > LONGEST {
        "is longer than 1,024 bytes"
    } else if text.chars().any(char::is_control) {
        "has control characters in it"
    } else {
        return Ok(());
    };
    let message = format!("the {what} {wrong}; write it with visible characters only");
    Err(Fault::Said(Error::new(ErrorKind::Input, message)))
}

/// A list as JSON.
pub(super) fn list(items: &[String]) -> Result<String, Fault> {
    serde_json::to_string(items).map_err(|error| Fault::Said(Error::new(ErrorKind::Internal, error.to_string())))
}

/// A list from JSON; anything else in the column is damage.
pub(super) fn unlist(json: &str) -> Result<Vec<String>, Fault> {
    serde_json::from_str(json).map_err(|_| {
        Fault::Said(Error::new(
            ErrorKind::State,
            "the state has an API key whose scopes or roles are not a list of strings; put the last backup back",
        ))
    })
}

/// A name from outside inside a message.
pub(super) fn shown(name: &str) -> String {
    name.escape_debug().take(80).collect()
}
