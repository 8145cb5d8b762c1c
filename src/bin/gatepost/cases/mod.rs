//! Case files: requests with the answers that they should get. Four parts that know little of each other: reading a
//! file (`json`, `format`, `matcher`), comparing an answer with what was expected (`compare`), running a file against
//! an engine in this process (`run`, `step`), and what the command prints (`super::test`). A runner for a server or a
//! binding replaces `run` and keeps the rest.

pub mod compare;
pub mod format;
mod here;
pub mod json;
mod keep;
pub mod matcher;
mod revocation;
mod roster;
pub mod run;
pub mod step;
pub mod through;
mod tokens;
