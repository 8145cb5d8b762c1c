//! Passwords from a prompt or from stdin, never from arguments alone: those are seen by everyone on the machine.

use std::io::{IsTerminal, Read};

use zeroize::Zeroizing;

use crate::output::Failure;

/// A password with its line break is never longer.
const LONGEST: u64 = 4_096;

/// Reads an existing password: one line of stdin, or a prompt where stdin is a terminal.
pub fn read(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if std::io::stdin().is_terminal() { ask(prompt) } else { one_line() }
}

/// Reads a new password: asked for twice on a terminal.
pub fn read_new(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    if !std::io::stdin().is_terminal() {
        return one_line();
    }
    let first = ask(prompt)?;
    let again = ask("The same again: ")?;
    if *first != *again {
        return Err(Failure::new("the two passwords differ: nothing was changed, try again"));
    }
    Ok(first)
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|error| Failure::new(format!("no password could be read from the terminal: {error}")))
}

fn one_line() -> Result<Zeroizing<String>, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    std::io::stdin()
        .lock()
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(format!("no password could be read from stdin: {error}")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::new("stdin holds more than 4,096 bytes, and a password has at most 1,024"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Failure::new("the password on stdin is not UTF-8"))?;
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(Failure::new("stdin holds no password: write it there as one line"));
    }
    if line.contains(['\n', '\r']) {
        return Err(Failure::new("stdin holds more than one line: write the password alone, as one line"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}
