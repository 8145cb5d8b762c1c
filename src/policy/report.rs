//! Collects the problems of one policy text and knows where they are. Decides nothing about what is a problem.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::policy::diagnostic::{Diagnostic, Severity};

/// The problems found so far.
pub(super) struct Report<'t> {
    text: &'t str,
    file: PathBuf,
    /// Byte at which each line starts.
    lines: Vec<usize>,
    found: Vec<Found>,
}

struct Found {
    diagnostic: Diagnostic,
    /// About something that is absent, or about two places: only to be believed when all of the text could be read.
    needs_whole: bool,
}

impl<'t> Report<'t> {
    pub fn new(text: &'t str, file: &Path) -> Report<'t> {
        let lines = std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1));
        Report { text, file: file.to_owned(), lines: lines.collect(), found: Vec::new() }
    }

    /// The policy does not load.
    pub fn error(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, span, message.into(), help.into(), false);
    }

    /// The policy does not load because something is absent, or because two places do not fit together.
    pub fn mismatch(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Error, span, message.into(), help.into(), true);
    }

    /// Legal but suspicious.
    pub fn warning(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(Severity::Warning, span, message.into(), help.into(), true);
    }

    /// Line and column of a byte, both from 1; columns count characters, and a byte order mark is none.
    pub fn place(&self, at: usize) -> (u32, u32) {
        let line = self.lines.partition_point(|start| *start <= at).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.as_bytes().get(start..at.min(self.text.len())).unwrap_or_default();
        // Bytes that continue a character are not counted.
        let mut column = before.iter().filter(|b| **b & 0xC0 != 0x80).count() + 1;
        if line == 1 && before.starts_with(b"\xEF\xBB\xBF") {
            column -= 1;
        }
        (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    }

    /// An error was found.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.diagnostic.severity == Severity::Error)
    }

    /// What was found, in the order of the file. Where parts of the text could not be read as TOML, what follows
    /// from their absence is left out: mending them may mend it.
    pub fn finish(self, unreadable: &[Range<usize>]) -> Vec<Diagnostic> {
        let faulty: Vec<u32> = unreadable.iter().map(|span| self.place(span.start).0).collect();
        let mut list: Vec<Diagnostic> = self
            .found
            .into_iter()
            .filter(|found| {
                unreadable.is_empty()
                    || unreadable.contains(&found.diagnostic.span)
                    || !(found.needs_whole || faulty.contains(&found.diagnostic.line))
            })
            .map(|found| found.diagnostic)
            .collect();
        list.sort_by(|a, b| (a.span.start, b.severity, a.span.end).cmp(&(b.span.start, a.severity, b.span.end)));
        list.dedup();
        list
    }

    fn add(&mut self, severity: Severity, span: &Range<usize>, message: String, help: String, needs_whole: bool) {
        let span = self.snap(span);
        let (line, column) = self.place(span.start);
        let diagnostic = Diagnostic { severity, message, help, file: self.file.clone(), line, column, span };
        self.found.push(Found { diagnostic, needs_whole });
    }

    /// The span, cut to whole characters of the text.
    fn snap(&self, span: &Range<usize>) -> Range<usize> {
        let floor = |mut at: usize| {
            at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start);
        start..floor(span.end).max(start)
    }
}

/// A word of the file for a message: cut to a length that fits a line, without control characters.
pub(super) fn quote(word: &str) -> String {
    let mut shown: String = word.chars().take(60).flat_map(char::escape_debug).collect();
    if word.chars().nth(60).is_some() {
        shown.push('…');
    }
    format!("`{}`", shown.replace("\\\"", "\"").replace("\\'", "'"))
}

/// The candidate that a word was probably meant to be.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let word: Vec<char> = word.chars().take(64).flat_map(char::to_lowercase).collect();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
            let far = distance(&word, &letters);
            let allowed = (word.len().max(letters.len()) / 3).clamp(1, 4);
            // `a` is not a slip of the pen for `b`.
            (far <= allowed && far < letters.len()).then_some((far, candidate))
        })
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean …?" where something is near, the choices otherwise.
pub(super) fn advise<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if candidates.is_empty() => String::new(),
        None => format!("write one of {}", listed(candidates)),
    }
}

/// `a`, `b`, `c`.
pub(super) fn listed<'c>(words: impl IntoIterator<Item = &'c str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Letters to insert, drop, change or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let at = |row: &[usize], i: usize| row.get(i).copied().unwrap_or(usize::MAX / 2);
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut best = (at(&last, j) + usize::from(x != y)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x) {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_recognised_and_other_words_are_not() {
        let keys = ["schemes", "methods", "path", "host"];
        for (word, wanted) in [
            ("schems", Some("schemes")),
            ("shcemes", Some("schemes")),
            ("METHODS", Some("methods")),
            ("pth", Some("path")),
            ("x", None),
            ("audience", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, keys), wanted, "{word}");
        }
    }

    #[test]
    fn a_quoted_word_stays_on_one_line_and_short() {
        assert_eq!(quote("a\u{1b}[31m\n"), "`a\\u{1b}[31m\\n`");
        assert_eq!(quote("a \"b\" 'c'"), "`a \"b\" 'c'`");
        assert!(quote(&"x".repeat(500)).chars().count() < 70);
    }
}
