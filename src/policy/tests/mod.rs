//! Whole policies: what loads, what does not, and what is said about it.

mod errors;
mod example;
mod places;
mod random;
mod secrets;
mod warnings;

use std::path::Path;

use super::{Diagnostic, Loaded, Severity, parse};

/// Parses a policy in a folder that does not exist.
fn check(text: &str) -> Result<Loaded, Vec<Diagnostic>> {
    parse(text, Path::new("orders.toml"), Path::new("/nonexistent"))
}

/// All diagnostics, whether it loads or not.
fn found(text: &str) -> Vec<Diagnostic> {
    match check(text) {
        Ok(loaded) => loaded.warnings,
        Err(list) => list,
    }
}

fn errors(text: &str) -> Vec<Diagnostic> {
    let mut list = check(text).err().unwrap_or_default();
    list.retain(|d| d.severity == Severity::Error);
    list
}

/// The one diagnostic of a severity, as "line:column message | help"; panics with all of them otherwise.
fn only(text: &str, severity: Severity) -> String {
    let list: Vec<_> = found(text).into_iter().filter(|d| d.severity == severity).collect();
    let [d] = list.as_slice() else {
        panic!(
            "wanted one {severity:?} from\n{text}\ngot {:#?}",
            list.iter().map(ToString::to_string).collect::<Vec<_>>()
        )
    };
    assert!(!d.help.is_empty(), "{text}: {}", d.message);
    format!("{}:{} {} | {}", d.line, d.column, d.message, d.help)
}

/// The text that a diagnostic underlines.
fn underlined<'t>(text: &'t str, diagnostic: &Diagnostic) -> &'t str {
    &text[diagnostic.span.clone()]
}

#[test]
fn a_policy_can_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<super::Policy>();
}
