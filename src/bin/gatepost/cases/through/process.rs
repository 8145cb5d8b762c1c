//! The process of the other program and its turns: lines in, lines out, each turn up to `end`. Whoever says nothing for
//! long, or far too much, is ended, so that a broken program fails a run instead of holding it up.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// How long a program that is given up may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);
/// Most octets of one line, its end included.
const LONGEST_LINE: u64 = 16 << 20;
/// Most lines of one turn.
const MOST_LINES: usize = 10_000;

/// A program that was started, and its pipes.
#[derive(Debug)]
pub struct Process {
    command: String,
    patience: Duration,
    child: Child,
    to: Option<BufWriter<ChildStdin>>,
    lines: Receiver<Result<String, String>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Whoever stands before a server takes that down when its input ends.
        drop(self.to.take());
        if self.wait(GRACE.min(self.patience)).is_none() {
            // Both fail only where it has ended by now.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

impl Process {
    /// Starts `command POLICY` by a shell, so that the command may have arguments.
    /// `patience` is for each turn, and for its end.
    pub fn start(command: &str, policy: &Path, patience: Duration) -> Result<Process, String> {
        let failed = |error: std::io::Error| format!("`{command}` could not be started: {error}");
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command} \"$@\""), "sh"])
            .arg(policy)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (to, from) = (child.stdin.take(), child.stdout.take());
        let (Some(to), Some(from)) = (to, from) else {
            return Err(format!("`{command}` could not be started: it has no pipes"));
        };
        let (sender, lines) = sync_channel(64);
        std::thread::Builder::new().spawn(move || read(from, &sender)).map_err(failed)?;
        Ok(Process { command: command.to_owned(), patience, child, to: Some(BufWriter::new(to)), lines })
    }

    /// Sends lines, where there are any, and reads the answer up to its `end`.
    pub fn turn(&mut self, lines: &[String]) -> Result<Vec<String>, String> {
        if !lines.is_empty() {
            let text = format!("{}\nend\n", lines.join("\n"));
            let sent =
                self.to.as_mut().is_some_and(|to| to.write_all(text.as_bytes()).and_then(|()| to.flush()).is_ok());
            if !sent {
                return Err(self.gone());
            }
        }
        let mut answer = Vec::new();
        loop {
            match self.line()? {
                None => return Err(self.gone()),
                Some(line) if line == "end" => return Ok(answer),
                Some(_) if answer.len() == MOST_LINES => {
                    return Err(self.said(&format!("more than {MOST_LINES} lines in one turn")));
                }
                Some(line) => answer.push(line),
            }
        }
    }

    /// Lets it end. The error says that it did not end well.
    pub fn end(mut self) -> Result<(), String> {
        drop(self.to.take());
        if let Some(more) = self.line()? {
            return Err(format!("`{}` said more than it was asked: {more:?}", self.command));
        }
        let seconds = self.patience.as_secs();
        let status = self
            .wait(self.patience)
            .ok_or_else(|| self.said(&format!("it goes on {seconds} seconds after the end of its input")))?;
        if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", self.command)) }
    }

    /// Waits for its end, so long; `None` where it goes on.
    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if begun.elapsed() >= patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// What it said amiss.
    pub fn said(&self, why: &str) -> String {
        format!("`{}`: {why}", self.command)
    }

    /// That it said something else than is asked for here.
    pub fn strange(&self, lines: &[String]) -> String {
        self.said(&format!("an answer is wanted here, and it said {lines:?}"))
    }

    fn gone(&self) -> String {
        format!("`{}` has ended in the middle of an exchange", self.command)
    }

    /// The next line; `None` where its output has ended.
    fn line(&mut self) -> Result<Option<String>, String> {
        match self.lines.recv_timeout(self.patience) {
            Ok(Ok(line)) => Ok(Some(line)),
            Ok(Err(why)) => Err(self.said(&why)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = self.patience.as_secs();
                Err(self
                    .said(&format!("nothing for {seconds} seconds; each turn is to be answered and closed by `end`")))
            }
        }
    }
}

/// Hands on whole lines until the output ends, or what it says is no line.
fn read(from: ChildStdout, to: &SyncSender<Result<String, String>>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = String::new();
        let next = match from.by_ref().take(LONGEST_LINE).read_line(&mut line) {
            Ok(0) => return,
            Ok(_) => match line.strip_suffix('\n') {
                Some(whole) => Ok(whole.to_owned()),
                None if line.len() as u64 == LONGEST_LINE => Err(format!("a line of more than {LONGEST_LINE} octets")),
                // Cut short: the program has ended.
                None => return,
            },
            Err(error) => Err(error.to_string()),
        };
        let last = next.is_err();
        if to.send(next).is_err() || last {
            return;
        }
    }
}
