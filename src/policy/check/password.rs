//! `[password]`: cost and rules.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use super::secret;
use crate::identity::Scheme;
use crate::passwords::filter::Filter;
use crate::passwords::words;
use crate::policy::document::Document;
use crate::policy::model::{Access, PasswordRules, Route};
use crate::policy::read::Fields;
use crate::policy::report::{Report, quote};
use crate::policy::requirement::Requirement;

/// The least cost that OWASP recommends for Argon2id with two passes, KiB.
const ADVISED_MEMORY: i64 = 19_456;
/// A process hashes within 256 MiB unless its host allows more.
const USUAL_CEILING: i64 = 262_144;
/// Least length where a password is the only factor (NIST SP 800-63B-4 section 3.1.1.2).
const ALONE: i64 = 15;
/// Least length where a second factor is always asked for as well.
const WITH_SECOND: i64 = 8;
/// Names of RFC 8176 for what proves something else than a second secret that one knows.
const SECOND_FACTORS: &[&str] =
    &["face", "fpt", "hwk", "iris", "mca", "mfa", "otp", "pop", "retina", "sc", "sms", "swk", "tel", "vbm"];

pub(super) fn rules(
    report: &mut Report<'_>,
    document: &Document,
    routes: &[Route],
    folder: &Path,
) -> Option<PasswordRules> {
    let fields = document.get("password")?;
    let breached = breached(report, fields, folder);
    let own_words = own_words(report, document, fields, routes);
    let memory = fields.number("memory_kib")?;
    let lanes = fields.number("parallelism")?;
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
    Some(PasswordRules {
        memory_kib: u32::try_from(memory).ok()?,
        iterations: u32::try_from(fields.number("iterations")?).ok()?,
        parallelism: u32::try_from(lanes).ok()?,
        min_length: usize::try_from(least_length(report, document, fields, routes)?).ok()?,
        remember: fields.number("remember")?,
        max_age: fields.number("max_age"),
        history: fields.number("history").and_then(|most| usize::try_from(most).ok()).unwrap_or(0),
        words: own_words,
        breached,
    })
}

/// What the policy says, or what fits its routes.
fn least_length(report: &mut Report<'_>, document: &Document, fields: &Fields, routes: &[Route]) -> Option<i64> {
    let alone = alone(document, routes);
    if !fields.is_written("min_length") {
        return Some(if alone.is_some() { ALONE } else { WITH_SECOND });
    }
    let length = fields.number("min_length")?;
    if let Some(why) = alone.filter(|_| length < ALONE) {
        report.warning(
            &fields.span("min_length"),
            format!("passwords of {length} characters are short where they are the only factor: {why}"),
            format!("write {ALONE} or more, or let every route with `basic` or `session` require a `factor`"),
        );
    }
    Some(length)
}

/// Where a password opens something and no second factor is asked for; `None`: one is always asked for. Where no route
/// takes a password at all, nobody can say what it will open. Basic proves no factor and so never opens a route that
/// asks for one.
fn alone(document: &Document, routes: &[Route]) -> Option<String> {
    let by_password = |schemes: &[Scheme]| schemes.iter().any(|s| matches!(s, Scheme::Basic | Scheme::Session));
    let engine = document.get("engine");
    if engine.is_some_and(|engine| {
        let schemes: Vec<Scheme> = engine.texts("schemes").filter_map(|(name, _)| Scheme::from_name(name)).collect();
        engine.text("unmatched") == Some("authenticated") && by_password(&schemes)
    }) {
        return Some("`unmatched` asks for no second one".to_owned());
    }
    let mut opened =
        routes.iter().filter(|route| route.access != Access::Public && by_password(&route.schemes)).peekable();
    if opened.peek().is_none() {
        return Some("no route asks for a second one".to_owned());
    }
    opened
        .find(|route| !asks_for_second(&route.require))
        .map(|route| format!("{} on line {} asks for no second one", quote(&route.path), route.line))
}

/// It cannot be met without a second factor.
fn asks_for_second(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Factor(name) => SECOND_FACTORS.contains(&name.as_str()),
        Requirement::All(parts) => parts.iter().any(asks_for_second),
        Requirement::Any(parts) => parts.iter().all(asks_for_second),
        _ => false,
    }
}

/// What an attacker of this service tries first, in lower case.
fn own_words(report: &mut Report<'_>, document: &Document, fields: &Fields, routes: &[Route]) -> Vec<String> {
    let mut all = document.get("engine").and_then(|engine| engine.text("name")).map(words::of_name).unwrap_or_default();
    all.extend(routes.iter().filter_map(|route| route.host.as_deref()).flat_map(words::of_host));
    for (word, span) in fields.texts("words") {
        let least = if word.is_ascii() { 3 } else { 2 };
        if word.chars().count() < least {
            report.error(
                span,
                format!("{} stands in too many good passwords", quote(word)),
                "leave it out, or write a longer word",
            );
        }
        all.push(word.to_lowercase());
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn breached(report: &mut Report<'_>, fields: &Fields, folder: &Path) -> Option<Arc<Filter>> {
    let name = fields.text("breached")?;
    let span = fields.span("breached");
    let (path, metadata) = secret::open(report, folder, name, &span)?;
    let read = File::open(&path)
        .map_err(|error| format!("it cannot be read: {error}"))
        .and_then(|file| Filter::read(&mut BufReader::new(file), metadata.len()));
    match read {
        Ok(filter) => Some(Arc::new(filter)),
        Err(why) => {
            report.error(
                &span,
                format!("`{}` cannot be used: {why}", path.display()),
                "make one with `gatepost passwords build-filter LIST -o FILE`",
            );
            None
        }
    }
}
