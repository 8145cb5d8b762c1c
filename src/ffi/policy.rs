//! Checking a policy without making an engine of it.

use std::path::Path;

use super::bytes::{Text, gatepost_bytes};
use super::engine::path;
use super::error::gatepost_error;
use super::kernel::{Failure, guard_setup};
use super::types::*;
use crate::error::{Error, ErrorKind};
use crate::policy::{self, Diagnostic, Loaded};

/// Checks a policy as gatepost_engine_open would, without opening its state.
///
/// file: path of the policy; borrowed for the call.
/// text: the policy itself, in UTF-8; borrowed for the call. Empty: file is read. Otherwise file only names it for the
///     messages, and the files that it names are relative to file's folder.
/// report: gets the warnings as text, empty where there are none; owned by the caller. NULL: not wanted.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Reads the policy and the files that it names. Any number of threads at once.
/// Returns GATEPOST_OK where it loads, GATEPOST_ERR_POLICY where it does not, or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_policy_check(
    file: gatepost_str,
    text: gatepost_str,
    report: *mut *mut gatepost_bytes,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let file = path(c, file, "file")?;
            let given = utf8(c.bytes(text, "text")?)?;
            let report = if report.is_null() { None } else { Some(c.out(report, "report")?) };
            let (text, checked) = if given.is_empty() {
                let checked = policy::load(file);
                (std::fs::read_to_string(file).unwrap_or_default(), checked)
            } else {
                (given.to_owned(), policy::parse(given, file, file.parent().unwrap_or(Path::new("."))))
            };
            let loaded = checked.map_err(|problems| failed(file, &problems, &text))?;
            if let Some(report) = report {
                let warnings = policy::diagnostic::render(&loaded.warnings, &text, false);
                report.set(gatepost_bytes::give(Text::lossy(warnings.as_bytes())));
            }
            Ok(GATEPOST_OK)
        })
    }
}

/// Text of a policy, checked; `folder` is where the files that it names are.
pub(super) fn parse(text: &[u8], folder: &Path) -> Result<Loaded, Failure> {
    let text = utf8(text)?;
    let file = folder.join("policy.toml");
    policy::parse(text, &file, folder).map_err(|problems| failed(&file, &problems, text))
}

fn utf8(text: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(text).map_err(|e| {
        let message = format!("the policy is not UTF-8: byte {} is wrong; save it as UTF-8", e.valid_up_to());
        Failure::from(Error::new(ErrorKind::Policy, message))
    })
}

/// One error that says all, at the place of the first.
fn failed(file: &Path, problems: &[Diagnostic], text: &str) -> Failure {
    let rendered = policy::diagnostic::render(problems, text, false);
    let message = if rendered.is_empty() { "the policy does not load".to_owned() } else { rendered };
    let error = Error::new(ErrorKind::Policy, message);
    let first = problems.iter().find(|problem| problem.severity == policy::Severity::Error);
    Failure::from(match first {
        Some(first) => error.at(&first.file, first.line, first.column),
        None => error.at(file, 0, 0),
    })
}
