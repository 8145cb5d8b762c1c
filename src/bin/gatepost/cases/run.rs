//! Runs a case file, with a fresh state and a clock that the file sets: against an engine in this process, or against
//! another program's that shares the state.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use gatepost::engine::{Clock, Engine, Options};
use gatepost::policy::diagnostic::render;
use gatepost::policy::model::StateLocation;
use gatepost::policy::{self, Diagnostic, Loaded, Severity};
use serde_json::{Value, json};

use super::compare;
use super::format::{self, Case, CaseFile, Content, Exchange, PolicySource, What};
use super::here::{self, Asked};
use super::matcher::Saved;
use super::step::{self, Step};
use super::through::{self, Came, Other, Place, Program};
use crate::open::Held;

/// How one case went.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub name: String,
    /// What came, in the shape of `expect`.
    pub got: Value,
    /// How it differs from what was expected; empty: passed.
    pub differs: Vec<String>,
    /// Why it could not be tried through the program.
    pub cannot: Option<String>,
}

/// Where a case file is: what it names is relative to its folder.
#[derive(Debug)]
pub struct Folder {
    file: PathBuf,
    folder: PathBuf,
}

impl Folder {
    /// A file that the case file names.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A policy that does not load.
#[derive(Debug)]
pub struct Failed {
    /// All problems.
    pub diagnostics: Vec<Diagnostic>,
    /// The same, drawn.
    pub drawn: String,
}

/// Runs a file, through a program where one is given. The error says why it could not be run at all: it, its policy or
/// its seeds do not load.
pub fn file(path: &Path, through: Option<Other<'_>>) -> Result<Vec<Report>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let file = format::read(&text)?;
    let folder = Folder { file: path.to_owned(), folder: path.parent().unwrap_or(Path::new("")).to_owned() };
    match &file.content {
        Content::PolicyErrors(wanted) => {
            let mut report = policy_errors(&file, wanted, &folder);
            let refused = through.map_or(Ok(()), |other| through::refuses(other, &file.policy, &folder));
            report.differs.extend(refused.err());
            Ok(vec![report])
        }
        Content::Cases(cases) => run_cases(&file, cases, &folder, through),
    }
}

/// Loads a policy that a case file names or holds.
pub fn load(source: &PolicySource, folder: &Folder) -> Result<Loaded, Failed> {
    let (result, text) = match source {
        PolicySource::Path(path) => {
            let path = folder.folder.join(path);
            let text = std::fs::read(&path).unwrap_or_default();
            (policy::load(&path), String::from_utf8_lossy(&text).into_owned())
        }
        PolicySource::Text(text) => {
            let here = if folder.folder.as_os_str().is_empty() { Path::new(".") } else { &folder.folder };
            (policy::parse(text, &folder.file, here), text.clone())
        }
    };
    result.map_err(|diagnostics| {
        let errors: Vec<Diagnostic> = diagnostics.into_iter().filter(|d| d.severity == Severity::Error).collect();
        Failed { drawn: render(&errors, &text, false), diagnostics: errors }
    })
}

/// The clock of a file: the real one until a case sets it.
#[derive(Clone, Debug)]
struct FileClock(Arc<AtomicI64>);

const REAL: i64 = i64::MIN;

impl FileClock {
    fn new() -> FileClock {
        FileClock(Arc::new(AtomicI64::new(REAL)))
    }

    fn set(&self, at: Option<i64>) {
        if let Some(at) = at {
            self.0.store(at, Ordering::SeqCst);
        }
    }

    /// What it was set to, if it was.
    fn get(&self) -> Option<i64> {
        Some(self.0.load(Ordering::SeqCst)).filter(|at| *at != REAL)
    }

    fn as_clock(&self) -> Clock {
        let shared = Arc::clone(&self.0);
        Arc::new(move || match shared.load(Ordering::SeqCst) {
            REAL => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(0)),
            at => at,
        })
    }
}

fn policy_errors(file: &CaseFile, wanted: &[regex::Regex], folder: &Folder) -> Report {
    let (said, differs) = match load(&file.policy, folder) {
        Ok(_) => (Vec::new(), vec!["policy_errors: wanted a policy that does not load, got one that does".to_owned()]),
        Err(failed) => {
            let lines: Vec<String> = failed.diagnostics.iter().map(one_line).collect();
            let holds = |regex: &&regex::Regex| {
                !(regex.is_match(&failed.drawn) || lines.iter().any(|line| regex.is_match(line)))
            };
            let missing = wanted.iter().filter(holds);
            let differs = missing.map(|regex| {
                format!("policy_errors: wanted an error that matches {:?}, got {lines:?}", regex.as_str())
            });
            (lines.clone(), differs.collect())
        }
    };
    Report { name: "the policy does not load".to_owned(), got: json!({ "policy_errors": said }), differs, cannot: None }
}

/// A problem as one line, without the drawing.
fn one_line(d: &Diagnostic) -> String {
    format!("{}:{}:{}: {}; {}", d.file.display(), d.line, d.column, d.message, d.help)
}

fn run_cases(
    file: &CaseFile,
    cases: &[Case],
    folder: &Folder,
    through: Option<Other<'_>>,
) -> Result<Vec<Report>, String> {
    let loaded = load(&file.policy, folder).map_err(|failed| format!("its policy does not load\n{}", failed.drawn))?;
    let place = through.map(|_| Place::new(&file.policy, folder)).transpose()?;
    let clock = FileClock::new();
    // Seeds are made at the first time that the file names, so that they are never younger than a request.
    clock.set(cases.iter().find_map(|case| case.at));
    let options = Options {
        clock: Some(clock.as_clock()),
        state: Some(place.as_ref().map_or(StateLocation::Memory, Place::state)),
        quiet: true,
        ..Options::default()
    };
    let engine = Engine::new(loaded, options);
    engine.start().map_err(|error| error.to_string())?;
    let mut saved = file.saved.clone();
    seed(file, &engine, &mut saved)?;
    if cases.first().is_none_or(|case| case.at.is_none()) {
        clock.0.store(REAL, Ordering::SeqCst);
    }
    let program = through.zip(place).map(|(other, place)| Program::start(other, place)).transpose()?;
    let mut running = Running { engine, program, saved, source: &file.policy, folder };
    let mut reports = Vec::with_capacity(cases.len());
    for case in cases {
        clock.set(case.at);
        reports.push(running.case(case, clock.get())?);
    }
    running.program.map_or(Ok(()), Program::end)?;
    Ok(reports)
}

/// A file while it runs.
struct Running<'a> {
    /// Does the steps, and decides where no program does.
    engine: Engine,
    program: Option<Program>,
    saved: Saved,
    source: &'a PolicySource,
    folder: &'a Folder,
}

impl Running<'_> {
    fn case(&mut self, case: &Case, now: Option<i64>) -> Result<Report, String> {
        let mut report = Report { name: case.name.clone(), got: json!({}), differs: Vec::new(), cannot: None };
        match &case.what {
            What::Request(exchange) => self.exchange(exchange, now, &mut report)?,
            What::Step(step) => report.differs = self.step(step)?,
        }
        Ok(report)
    }

    fn step(&mut self, step: &Step) -> Result<Vec<String>, String> {
        let mut differs = step.run(&self.engine, self.source, self.folder, &mut self.saved);
        if let (Some(program), Some(source)) = (&mut self.program, step.reloads(self.source)) {
            let outcome = program.reload(source, self.folder)?;
            if outcome.is_err() != step.may_fail() {
                let got = outcome.map_or_else(|error| error, |()| "success".to_owned());
                differs.push(format!("{step}: through the program, got: {got}"));
            }
        }
        Ok(differs)
    }

    fn exchange(&mut self, exchange: &Exchange, now: Option<i64>, report: &mut Report) -> Result<(), String> {
        let asked = match Asked::of(&exchange.request, &self.saved) {
            Ok(asked) => asked,
            Err(error) => {
                report.differs.push(format!("request: {error}"));
                return Ok(());
            }
        };
        let came = match &mut self.program {
            None => here::decide(&self.engine, &asked).map(|answer| Came::Answer(Box::new(answer))),
            Some(program) => program.decide(&asked, now),
        };
        match came {
            Ok(Came::Answer(answer)) => {
                report.differs = compare::differences(&exchange.expect, &answer, &self.saved);
                for (name, source) in &exchange.save {
                    match compare::take(source, &answer) {
                        Some(value) => {
                            self.saved.insert(name.clone(), value);
                        }
                        None => report
                            .differs
                            .push(format!("save: wanted something to keep as {name:?}, got none ({source:?})")),
                    }
                }
                report.got = compare::to_json(&answer);
            }
            Ok(Came::Cannot(why)) => report.cannot = Some(why),
            Err(error) => report.differs.push(format!("request: {error}")),
        }
        Ok(())
    }
}

fn seed(file: &CaseFile, engine: &Engine, saved: &mut Saved) -> Result<(), String> {
    let held = Held::of(engine).map_err(|error| error.to_string())?;
    let admin = held.admin();
    for seed in &file.users {
        admin.seed_user(&step::new_user(seed)).map_err(|error| format!("the user {}: {error}", seed.name))?;
    }
    for seed in &file.api_keys {
        let key = step::new_key(seed, admin.now);
        let issued = admin.seed_key(&key).map_err(|error| format!("the API key {}: {error}", seed.name))?;
        step::keep(seed, &issued, admin.now, saved);
    }
    Ok(())
}
