//! Runs a case file against an engine in this process, with a fresh state in memory and a clock that the file sets.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use gatepost::certificate::carried;
use gatepost::decision::{Decision, HeaderEntry, HeaderMode};
use gatepost::engine::{Clock, Engine, Options};
use gatepost::policy::diagnostic::render;
use gatepost::policy::model::StateLocation;
use gatepost::policy::{self, Diagnostic, Loaded, Severity};
use gatepost::request::{Header, Request};
use serde_json::{Value, json};

use super::compare::{self, Answer};
use super::format::{self, Case, CaseFile, Content, Exchange, PolicySource, RequestSpec, What};
use super::matcher::Saved;
use super::step;
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

/// Runs a file. The error says why it could not be run at all: it, its policy or its seeds do not load.
pub fn file(path: &Path) -> Result<Vec<Report>, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?;
    let file = format::read(&text)?;
    let folder = Folder { file: path.to_owned(), folder: path.parent().unwrap_or(Path::new("")).to_owned() };
    match &file.content {
        Content::PolicyErrors(wanted) => Ok(vec![policy_errors(&file, wanted, &folder)]),
        Content::Cases(cases) => run_cases(&file, cases, &folder),
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
    Report { name: "the policy does not load".to_owned(), got: json!({ "policy_errors": said }), differs }
}

/// A problem as one line, without the drawing.
fn one_line(d: &Diagnostic) -> String {
    format!("{}:{}:{}: {}; {}", d.file.display(), d.line, d.column, d.message, d.help)
}

fn run_cases(file: &CaseFile, cases: &[Case], folder: &Folder) -> Result<Vec<Report>, String> {
    let loaded = load(&file.policy, folder).map_err(|failed| format!("its policy does not load\n{}", failed.drawn))?;
    let clock = FileClock::new();
    // Seeds are made at the first time that the file names, so that they are never younger than a request.
    clock.set(cases.iter().find_map(|case| case.at));
    let options = Options {
        clock: Some(clock.as_clock()),
        state: Some(StateLocation::Memory),
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
    let report = |case: &Case| {
        clock.set(case.at);
        let (got, differs) = match &case.what {
            What::Request(exchange) => exchange_one(exchange, &engine, &mut saved),
            What::Step(step) => (json!({}), step.run(&engine, &file.policy, folder, &mut saved)),
        };
        Report { name: case.name.clone(), got, differs }
    };
    Ok(cases.iter().map(report).collect())
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
        step::keep(seed, &issued, saved);
    }
    Ok(())
}

fn exchange_one(exchange: &Exchange, engine: &Engine, saved: &mut Saved) -> (Value, Vec<String>) {
    let answer = match send(&exchange.request, engine, saved) {
        Ok(answer) => answer,
        Err(error) => return (json!({}), vec![format!("request: {error}")]),
    };
    let mut differs = compare::differences(&exchange.expect, &answer, saved);
    for (name, source) in &exchange.save {
        match compare::take(source, &answer) {
            Some(value) => {
                saved.insert(name.clone(), value);
            }
            None => differs.push(format!("save: wanted something to keep as {name:?}, got none ({source:?})")),
        }
    }
    (compare::to_json(&answer), differs)
}

fn send(spec: &RequestSpec, engine: &Engine, saved: &Saved) -> Result<Answer, String> {
    let [method, target, host, peer, body, request_id] =
        [&spec.method, &spec.target, &spec.host, &spec.peer, &spec.body, &spec.request_id].map(|text| text.fill(saved));
    let (method, target, host, peer, body, request_id) = (method?, target?, host?, peer?, body?, request_id?);
    let fields = spec.headers.iter().map(|(name, value)| Ok((name.fill(saved)?, value.fill(saved)?)));
    let fields: Vec<(Vec<u8>, Vec<u8>)> = fields.collect::<Result<_, String>>()?;
    let headers: Vec<Header<'_>> = fields.iter().map(|(name, value)| Header { name, value }).collect();
    let certificate = certificate(spec.client_cert.fill(saved)?)?;
    let request = Request {
        method: &method,
        target: &target,
        host: &host,
        peer: &peer,
        request_id: &request_id,
        client_cert_der: &certificate,
        cert_verified: spec.cert_verified,
        body: &body,
        headers: &headers,
        tls: spec.tls,
        body_complete: true,
        ..Request::default()
    };
    let decision = engine.decide(&request).map_err(|error| format!("no decision could be made: {error}"))?;
    Ok(answer_of(decision, &fields))
}

/// A certificate as a host hands it in. What is no PEM goes in as it is: an attack may hold anything.
fn certificate(given: Vec<u8>) -> Result<Vec<u8>, String> {
    if !given.starts_with(b"-----BEGIN") {
        return Ok(given);
    }
    carried::of_file(&given).map(Cow::into_owned).map_err(|why| format!("client_cert: {why}"))
}

/// The decision as a host carries it out: the entries applied to an empty answer, and to the request without what is
/// stripped.
fn answer_of(decision: Decision, received: &[(Vec<u8>, Vec<u8>)]) -> Answer {
    let mut headers = Vec::new();
    decision.response.iter().for_each(|entry| apply(entry, &mut headers, str::to_owned));
    let kept = received.iter().filter_map(|(name, value)| {
        let name = String::from_utf8_lossy(name).into_owned();
        let stripped = decision.strip.iter().any(|strip| strip.eq_ignore_ascii_case(&name));
        (!stripped).then(|| (name, value.clone()))
    });
    let mut upstream = kept.collect();
    decision.upstream.iter().for_each(|entry| apply(entry, &mut upstream, |value| value.as_bytes().to_vec()));
    Answer {
        action: decision.action,
        status: decision.status,
        reason: decision.reason,
        subject: decision.subject().map(str::to_owned),
        scheme: decision.scheme,
        headers,
        upstream,
        strip: decision.strip.to_vec(),
        body: decision.body,
    }
}

fn apply<T>(entry: &HeaderEntry, fields: &mut Vec<(String, T)>, value: impl Fn(&str) -> T) {
    let same = |name: &str| name.eq_ignore_ascii_case(&entry.name);
    match entry.mode {
        HeaderMode::Set => fields.retain(|(name, _)| !same(name)),
        HeaderMode::SetIfAbsent if fields.iter().any(|(name, _)| same(name)) => return,
        HeaderMode::SetIfAbsent | HeaderMode::Append => {}
    }
    fields.push((entry.name.to_string(), value(&entry.value)));
}
