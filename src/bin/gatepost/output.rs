//! Where output goes: results to stdout, notes and errors to stderr, colour only on a terminal. A reader that has
//! gone away (a closed pipe) is no error.

use std::io::{ErrorKind as Io, IsTerminal, Write};

use gatepost::error::Error;
use owo_colors::{OwoColorize, Style};

/// Exit code: done, allowed, passed.
pub const DONE: u8 = 0;
/// Exit code: an error.
pub const ERROR: u8 = 1;
/// Exit code of `check --strict`: warnings and no error.
pub const WARNINGS: u8 = 2;
/// Exit code: refused, or a case failed.
pub const REFUSED: u8 = 3;
/// Exit code: the engine answers the request itself.
pub const RESPONDED: u8 = 4;

/// Why a command could not do its work.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// What happened and what to do.
    pub fn new(message: impl Into<String>) -> Failure {
        Failure(message.into())
    }

    /// Writes it to stderr and gives the exit code.
    pub fn report(&self) -> u8 {
        let label = paint(Stream::Err, "error:", Style::new().red().bold());
        let text = self.0.trim_end();
        // Rendered diagnostics carry their own labels and places.
        note_raw(&if text.contains('\n') { text.to_owned() } else { format!("{label} {text}") });
        ERROR
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        let place = match error.file() {
            Some(file) if error.line() > 0 && !error.message().contains('\n') => {
                format!("{}:{}:{}: ", file.display(), error.line(), error.column())
            }
            Some(file) if !error.message().contains('\n') => format!("{}: ", file.display()),
            _ => String::new(),
        };
        Failure(format!("{place}{}", error.message()))
    }
}

/// What a command comes to: an exit code.
pub type Outcome = Result<u8, Failure>;

/// The two streams that output goes to.
#[derive(Clone, Copy)]
pub enum Stream {
    /// Results.
    Out,
    /// Everything else.
    Err,
}

/// Colour is wanted: a terminal that understands it, and `NO_COLOR` (no-color.org) is not set.
pub fn colour(stream: Stream) -> bool {
    let terminal = match stream {
        Stream::Out => std::io::stdout().is_terminal(),
        Stream::Err => std::io::stderr().is_terminal(),
    };
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// The text in this style where the stream shows colour. Control characters are made visible first: what is painted
/// comes from requests and must not speak to the terminal.
pub fn paint(stream: Stream, text: &str, style: Style) -> String {
    let text = visible(text);
    if colour(stream) { text.style(style).to_string() } else { text }
}

/// The text with control characters escaped, so that nothing from outside can steer a terminal.
pub fn visible(text: &str) -> String {
    if !text.chars().any(is_steering) {
        return text.to_owned();
    }
    text.chars().flat_map(|c| if is_steering(c) { c.escape_default().collect() } else { vec![c] }).collect()
}

/// Control characters, and the invisible ones that end a line or turn the direction of writing.
fn is_steering(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Writes a result to stdout.
pub fn print(text: &str) -> Result<(), Failure> {
    print_on(text).map(drop)
}

/// The same; false where nobody reads any more.
pub fn print_on(text: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == Io::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(format!("cannot write to stdout: {error}"))),
    }
}

/// Writes a value as JSON to stdout, with a line break at the end. What could steer a terminal is escaped as JSON has
/// it, so that readers get the same value.
pub fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    let escape = |c: char| match c {
        '\n' => "\n".to_owned(),
        c if is_steering(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    print(&format!("{value:#}\n").chars().map(escape).collect::<String>())
}

/// Writes one line for the person at the terminal to stderr.
pub fn note(text: &str) {
    note_raw(&format!("{} {text}", paint(Stream::Err, "note:", Style::new().cyan())));
}

/// Writes lines to stderr as they are.
pub fn note_raw(text: &str) {
    // Nobody is left to tell where stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Rows under headings, aligned, without a frame.
pub fn table(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(headings.iter().copied());
    for row in rows {
        table.add_row(row.iter().map(|cell| visible(cell)));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.iter().map(|line| format!("{}\n", line.strip_prefix(' ').unwrap_or(line))).collect()
}
