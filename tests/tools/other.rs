//! A test that plays a second process: the test program runs itself again, and both speak in lines.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Another process that runs one test of this program, and its lines.
pub struct Other {
    pub child: Child,
    lines: BufReader<ChildStdout>,
}

impl Other {
    /// Starts it with these in its environment, by which the test knows that it is the other one.
    pub fn start(test: &str, environment: &[(&str, &OsStr)]) -> Other {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Other { child, lines }
    }

    /// The rest of the next line that holds `word`; `None` at the end. The harness begins the first line itself. A line
    /// that a kill cut off is none.
    pub fn next(&mut self, word: &str) -> Option<String> {
        let mut line = String::new();
        while self.lines.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once(word)
                && let Some(rest) = rest.strip_suffix('\n')
            {
                return Some(rest.to_owned());
            }
            line.clear();
        }
        None
    }

    /// Sends it a line.
    pub fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// It ends well once nothing more is said.
    pub fn end(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.lines.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
    }
}

/// Says a line at once, whatever buffers there are.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}
