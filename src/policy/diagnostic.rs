//! One problem of a policy file: where, what, and what to write instead.

use std::ops::Range;
use std::path::PathBuf;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Legal but suspicious, or not built yet.
    Warning,
    /// The policy does not load.
    Error,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl std::fmt::Display for Diagnostic {
    /// One line: `orders.toml:3:7: error: … (help)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let Diagnostic { file, line, column, message, help, .. } = self;
        write!(f, "{}:{line}:{column}: {word}: {message}", file.display())?;
        if help.is_empty() { Ok(()) } else { write!(f, " ({help})") }
    }
}

/// Draws them with the source text underlined, in colour where asked for. Control characters of the text are drawn
/// as pictures, so that a file cannot speak to the terminal. A span that does not fit the text (it has changed since)
/// is drawn without it, and where there is no text at all only message and help are.
pub fn render(diagnostics: &[Diagnostic], text: &str, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut drawn = String::new();
    for diagnostic in diagnostics {
        drawn.push_str(&draw(diagnostic, text, &renderer));
        drawn.push_str("\n\n");
    }
    drawn.truncate(drawn.trim_end().len());
    if !drawn.is_empty() {
        drawn.push('\n');
    }
    drawn
}

fn draw(diagnostic: &Diagnostic, text: &str, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let file = diagnostic.file.to_string_lossy();
    let title = level.primary_title(visible(&diagnostic.message));
    if text.is_empty() {
        // Nothing can be shown of a file that is empty or cannot be read: no frame either.
        let help = Level::HELP.primary_title(visible(&diagnostic.help));
        let parts = [Some(title), (!diagnostic.help.is_empty()).then_some(help)];
        let lines = parts.into_iter().flatten().map(|part| renderer.render(&[Group::with_title(part)]));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let group = match line_of(text, &diagnostic.span) {
        Some((line, span)) => title.element(
            Snippet::source(line)
                .path(visible(&file))
                .line_start(usize::try_from(diagnostic.line).unwrap_or(1))
                .annotation(AnnotationKind::Primary.span(span)),
        ),
        None => title.element(
            annotate_snippets::Origin::path(visible(&file))
                .line(usize::try_from(diagnostic.line).unwrap_or(1))
                .char_column(usize::try_from(diagnostic.column).unwrap_or(1)),
        ),
    };
    let group =
        if diagnostic.help.is_empty() { group } else { group.element(Level::HELP.message(visible(&diagnostic.help))) };
    renderer.render(&[group])
}

/// The line in which a span starts, without byte order mark and line break, and the span within it.
fn line_of<'t>(text: &'t str, span: &Range<usize>) -> Option<(&'t str, Range<usize>)> {
    if !text.is_char_boundary(span.start) {
        return None;
    }
    let (before, after) = text.split_at_checked(span.start)?;
    let start = before.rfind('\n').map_or_else(|| if before.starts_with('\u{feff}') { 3 } else { 0 }, |at| at + 1);
    let end = span.start + after.find('\n').unwrap_or(after.len());
    let line = text.get(start..end)?;
    let line = line.strip_suffix('\r').unwrap_or(line);
    let within = (span.start - start).min(line.len());
    let mut until = span.end.saturating_sub(start).clamp(within, line.len());
    while !line.is_char_boundary(until) {
        until -= 1;
    }
    Some((line, within..until.max(within)))
}

/// Messages carry words of the file: nothing in them may move the cursor or turn the text around.
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => '\n',
            c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => '\u{fffd}',
            c => c,
        })
        .collect()
}
