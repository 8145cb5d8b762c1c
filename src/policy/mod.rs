//! The policy file: text in, checked policy out. All problems at once, each with its place.

use std::ops::Range;
use std::path::{Path, PathBuf};

mod check;
pub mod diagnostic;
mod document;
mod keys;
pub mod model;
pub mod network;
mod read;
pub mod reference;
mod report;
pub mod requirement;
pub mod role;
pub mod stamp;
#[cfg(test)]
mod tests;
mod tree;

pub use diagnostic::{Diagnostic, Severity};
pub use model::Policy;

use document::Document;
use report::Report;
pub(crate) use report::nearest;

/// A larger file is no policy that somebody wrote.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A policy that loads, with what is suspicious about it.
#[derive(Debug)]
pub struct Loaded {
    /// The policy.
    pub policy: Policy,
    /// Warnings, in the order of the file.
    pub warnings: Vec<Diagnostic>,
}

/// Reads and checks a policy file. Files that it names are relative to its folder.
pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let alone = |message: String, help: &str, before: &str| {
        let mut report = Report::new(before, path);
        report.error(&(before.len()..before.len()), message, help);
        Err(report.finish(&[]))
    };
    let bytes = match read_bounded(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let message = format!("the policy `{}` cannot be read: {error}", path.display());
            return alone(message, "name a policy file that this process may read", "");
        }
    };
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(text, path, path.parent().unwrap_or(Path::new(""))),
        Err(error) => {
            let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let before = std::str::from_utf8(sound).unwrap_or_default();
            alone("the policy is not UTF-8 from here on".into(), "save the file as UTF-8", before)
        }
    }
}

/// Checks the text of a policy. `file` is the name for messages; files that it names are relative to `folder`. The
/// error holds all problems, warnings too, in the order of the file.
pub fn parse(text: &str, file: &Path, folder: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let mut report = Report::new(text, file);
    let (entries, faults) = tree::parse(text);
    let unreadable: Vec<Range<usize>> = faults.iter().map(|fault| fault.span.clone()).collect();
    for fault in &faults {
        report.error(&fault.span, format!("this is not TOML: {}", fault.message), advice(&fault.message));
    }
    let document = Document::read(&mut report, &entries);
    let policy = check::policy(&mut report, &document, file, folder);
    let failed = report.has_errors();
    let found = report.finish(&unreadable);
    match policy {
        Some(policy) if !failed => Ok(Loaded { policy, warnings: found }),
        _ => Err(found),
    }
}

fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::{Error, ErrorKind, Read};
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Error::new(ErrorKind::FileTooLarge, "it is larger than 16 MiB"));
    }
    Ok(bytes)
}

/// What to do about a message of the TOML parser.
fn advice(message: &str) -> &'static str {
    if message.contains("duplicate key") {
        "leave one of the two out; a table is written once, `[[…]]` for each further one"
    } else if message.contains("unclosed") || message.contains("missing") {
        "close what was opened"
    } else if message.contains("nested") || message.contains("recursion") {
        "write it flatter"
    } else {
        "values are written `\"text\"`, `15`, `true`, `[\"a\", \"b\"]` or `{ key = \"value\" }`"
    }
}

/// Where a path of the policy leads.
fn beside(folder: &Path, name: &str) -> PathBuf {
    folder.join(name)
}
