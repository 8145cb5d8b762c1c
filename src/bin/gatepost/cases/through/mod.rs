//! Lets another program decide the requests of a case file: one that uses a binding, or that stands before a server.
//! The exchange is described in docs/CASES.md; here are the process and its turns.

mod copy;
mod wire;

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use gatepost::policy::model::StateLocation;

use self::copy::PolicyCopy;
use super::compare::Answer;
use super::format::PolicySource;
use super::here::Asked;
use super::run::Folder;

/// Where a program's engine finds its policy and the state that it shares with this process.
#[derive(Debug)]
pub struct Place {
    copy: PolicyCopy,
}

impl Place {
    /// Lays out a copy of the policy of a case file.
    pub fn new(source: &PolicySource, folder: &Folder) -> Result<Place, String> {
        Ok(Place { copy: PolicyCopy::new(source, folder)? })
    }

    /// The state of both.
    pub fn state(&self) -> StateLocation {
        StateLocation::File(self.copy.state().to_owned())
    }
}

/// What came of a request.
#[derive(Debug)]
pub enum Came {
    /// An answer, as far as it can be seen.
    Answer(Box<Answer>),
    /// The program cannot send such a request, and says why.
    Cannot(String),
}

/// A program that decides.
#[derive(Debug)]
pub struct Program {
    command: String,
    place: Place,
    child: Child,
    to: BufWriter<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Program {
    /// Starts it, and waits until its engine has started.
    pub fn start(command: &str, place: Place) -> Result<Program, String> {
        Program::begin(command, place)?.map_err(|why| format!("`{command}`: {why}"))
    }

    /// The same by a shell, so that the command may have arguments. `Ok(Err(_))`: the program does not take the policy,
    /// and says why.
    fn begin(command: &str, place: Place) -> Result<Result<Program, String>, String> {
        let failed = |error: std::io::Error| format!("`{command}` could not be started: {error}");
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command} \"$@\""), "sh"])
            .arg(place.copy.policy())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(format!("`{command}` could not be started: it has no pipes"));
        };
        let (to, from) = (BufWriter::new(to), BufReader::new(from));
        let mut program = Program { command: command.to_owned(), place, child, to, from };
        match program.turn(&[])?.as_slice() {
            [word] if word == "ready" => Ok(Ok(program)),
            [error] if error.starts_with("error ") => {
                let why = wire::text_of(error);
                let _ = program.child.wait();
                Ok(Err(why))
            }
            other => Err(program.strange(other)),
        }
    }

    /// Asks for a decision. `at` sets its clock.
    pub fn decide(&mut self, asked: &Asked, at: Option<i64>) -> Result<Came, String> {
        let lines = self.turn(&wire::request(asked, at))?;
        if let [line] = lines.as_slice() {
            if line.starts_with("error ") {
                return Err(format!("no decision could be made: {}", wire::text_of(line)));
            }
            if line.starts_with("cannot ") {
                return Ok(Came::Cannot(wire::text_of(line)));
            }
        }
        let answer = wire::answer(&lines, asked).map_err(|why| self.said(&why))?;
        Ok(Came::Answer(Box::new(answer)))
    }

    /// Puts another policy in the place of the first and asks for a reload. `Ok(Err(_))`: it refuses, and says why.
    pub fn reload(&mut self, source: &PolicySource, folder: &Folder) -> Result<Result<(), String>, String> {
        let path = self.place.copy.replace(source, folder)?;
        let lines = self.turn(&[wire::line("reload", &[path.as_os_str().as_encoded_bytes()])])?;
        match lines.as_slice() {
            [word] if word == "ok" => Ok(Ok(())),
            [error] if error.starts_with("error ") => Ok(Err(wire::text_of(error))),
            other => Err(self.strange(other)),
        }
    }

    /// Lets it end. The error says that it did not end well.
    pub fn end(self) -> Result<(), String> {
        let Program { command, place, mut child, to, from } = self;
        drop(to);
        let mut rest = String::new();
        let mut from = from;
        let _ = from.read_line(&mut rest);
        let status = child.wait().map_err(|error| format!("`{command}` cannot be waited for: {error}"))?;
        drop(place);
        if !rest.is_empty() {
            return Err(format!("`{command}` said more than it was asked: {:?}", rest.trim_end()));
        }
        if status.success() { Ok(()) } else { Err(format!("`{command}` ended with {status}")) }
    }

    /// Sends lines, where there are any, and reads the answer up to its `end`.
    fn turn(&mut self, lines: &[String]) -> Result<Vec<String>, String> {
        let gone = |command: &str| format!("`{command}` has ended in the middle of an exchange");
        if !lines.is_empty() {
            let text = format!("{}\nend\n", lines.join("\n"));
            self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush()).map_err(|_| gone(&self.command))?;
        }
        let mut answer = Vec::new();
        loop {
            let mut line = String::new();
            match self.from.read_line(&mut line) {
                Ok(0) => return Err(gone(&self.command)),
                Ok(_) => {}
                Err(error) => return Err(self.said(&error.to_string())),
            }
            match line.strip_suffix('\n') {
                Some("end") => return Ok(answer),
                Some(whole) => answer.push(whole.to_owned()),
                None => return Err(gone(&self.command)),
            }
        }
    }

    fn said(&self, why: &str) -> String {
        format!("`{}`: {why}", self.command)
    }

    fn strange(&self, lines: &[String]) -> String {
        self.said(&format!("an answer is wanted here, and it said {lines:?}"))
    }
}

/// A policy that does not load must not load in the program either.
pub fn refuses(command: &str, source: &PolicySource, folder: &Folder) -> Result<(), String> {
    match Program::begin(command, Place::new(source, folder)?)? {
        Err(_) => Ok(()),
        Ok(program) => {
            program.end()?;
            Err(format!("`{command}` took a policy that does not load"))
        }
    }
}

/// The folder that a file is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
