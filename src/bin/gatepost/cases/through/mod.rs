//! Lets another program decide the requests of a case file: one that uses a binding, or that stands before a server.
//! The exchange is described in docs/CASES.md; here are the process and its turns.

mod copy;
mod process;
mod wire;

use std::path::Path;
use std::time::Duration;

use gatepost::policy::model::StateLocation;

use self::copy::PolicyCopy;
use self::process::Process;
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

/// The program that a user names, and how long it may take for a turn.
#[derive(Clone, Copy, Debug)]
pub struct Other<'a> {
    /// One program with its arguments.
    pub command: &'a str,
    /// For each of its turns.
    pub patience: Duration,
}

/// A program that decides.
#[derive(Debug)]
pub struct Program {
    place: Place,
    process: Process,
}

impl Program {
    /// Starts it, and waits until its engine has started.
    pub fn start(other: Other<'_>, place: Place) -> Result<Program, String> {
        Program::begin(other, place)?.map_err(|why| format!("`{}`: {why}", other.command))
    }

    /// `Ok(Err(_))`: the program does not take the policy, and says why.
    fn begin(other: Other<'_>, place: Place) -> Result<Result<Program, String>, String> {
        let process = Process::start(other.command, &place.copy.policy(), other.patience)?;
        let mut program = Program { place, process };
        match program.process.turn(&[])?.as_slice() {
            [word] if word == "ready" => Ok(Ok(program)),
            [error] if error.starts_with("error ") => {
                let why = wire::text_of(error);
                Ok(Err(why))
            }
            other => Err(program.process.strange(other)),
        }
    }

    /// Asks for a decision. `at` sets its clock.
    pub fn decide(&mut self, asked: &Asked, at: Option<i64>) -> Result<Came, String> {
        let lines = self.process.turn(&wire::request(asked, at))?;
        if let [line] = lines.as_slice() {
            if line.starts_with("error ") {
                return Err(format!("no decision could be made: {}", wire::text_of(line)));
            }
            if line.starts_with("cannot ") {
                return Ok(Came::Cannot(wire::text_of(line)));
            }
        }
        let answer = wire::answer(&lines, asked).map_err(|why| self.process.said(&why))?;
        Ok(Came::Answer(Box::new(answer)))
    }

    /// Puts another policy in the place of the first and asks for a reload. `Ok(Err(_))`: it refuses, and says why.
    pub fn reload(&mut self, source: &PolicySource, folder: &Folder) -> Result<Result<(), String>, String> {
        let path = self.place.copy.replace(source, folder)?;
        let lines = self.process.turn(&[wire::line("reload", &[path.as_os_str().as_encoded_bytes()])])?;
        match lines.as_slice() {
            [word] if word == "ok" => Ok(Ok(())),
            [error] if error.starts_with("error ") => Ok(Err(wire::text_of(error))),
            other => Err(self.process.strange(other)),
        }
    }

    /// Lets it end. The error says that it did not end well.
    pub fn end(self) -> Result<(), String> {
        let Program { place, process } = self;
        let ended = process.end();
        drop(place);
        ended
    }
}

/// A policy that does not load must not load in the program either.
pub fn refuses(other: Other<'_>, source: &PolicySource, folder: &Folder) -> Result<(), String> {
    match Program::begin(other, Place::new(source, folder)?)? {
        Err(_) => Ok(()),
        Ok(program) => {
            program.end()?;
            Err(format!("`{}` took a policy that does not load", other.command))
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
