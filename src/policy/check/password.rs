//! `[password]`: cost and rules.

use std::path::Path;

use super::secret;
use crate::policy::model::PasswordRules;
use crate::policy::read::Fields;
use crate::policy::report::Report;

/// The least cost that OWASP recommends for Argon2id with two passes, KiB.
const ADVISED_MEMORY: i64 = 19_456;
/// A process hashes within 256 MiB unless its host allows more.
const USUAL_CEILING: i64 = 262_144;
/// Least length that needs no second factor (NIST SP 800-63B-4).
const ADVISED_LENGTH: i64 = 15;

pub(super) fn rules(report: &mut Report<'_>, fields: &Fields, folder: &Path) -> Option<PasswordRules> {
    if fields.is_written("breached")
        && let Some(name) = fields.text("breached")
    {
        secret::is_there(report, folder, name, &fields.span("breached"));
    }
    let memory = fields.number("memory_kib")?;
    let lanes = fields.number("parallelism")?;
    let least_length = fields.number("min_length")?;
    // RFC 9106 section 3.1: at least 8 KiB for each lane.
    if memory < 8 * lanes {
        report.mismatch(
            &fields.span("memory_kib"),
            format!("`memory_kib` is too small for {lanes} lanes"),
            format!("write at least {}, or a smaller `parallelism`", 8 * lanes),
        );
    } else if memory < ADVISED_MEMORY {
        report.warning(
            &fields.span("memory_kib"),
            format!("{memory} KiB make stolen password hashes cheap to guess"),
            format!("write {ADVISED_MEMORY} or more"),
        );
    } else if memory > USUAL_CEILING {
        report.warning(
            &fields.span("memory_kib"),
            "one hash needs more than the 256 MiB that a process may usually spend on hashing: every login would fail",
            format!("write {USUAL_CEILING} or less, or raise the ceiling of the host"),
        );
    }
    if least_length < ADVISED_LENGTH {
        report.warning(
            &fields.span("min_length"),
            format!("passwords of {least_length} characters are short where they are the only factor"),
            format!("write {ADVISED_LENGTH} or more"),
        );
    }
    Some(PasswordRules {
        memory_kib: u32::try_from(memory).ok()?,
        iterations: u32::try_from(fields.number("iterations")?).ok()?,
        parallelism: u32::try_from(lanes).ok()?,
        min_length: usize::try_from(least_length).ok()?,
        remember: fields.number("remember")?,
        max_age: fields.number("max_age"),
        history: fields.number("history").and_then(|most| usize::try_from(most).ok()).unwrap_or(0),
    })
}
