//! A policy and its state, opened as a command needs them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gatepost::admin::Admin;
use gatepost::engine::{Clock, Engine, Options};
use gatepost::error::Error;
use gatepost::policy::model::StateLocation;
use gatepost::policy::{self, Diagnostic, Loaded, Policy};
use gatepost::state::State;

use crate::output::{self, Failure, Stream};
use crate::owner;

/// What all commands on a policy and its state share.
#[derive(clap::Args)]
pub struct Common {
    /// The policy file
    #[arg(long, global = true, value_name = "POLICY")]
    pub policy: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Common {
    /// The policy, where one must be named.
    pub fn named(&self) -> Result<&Path, Failure> {
        named(self.policy.as_deref())
    }
}

/// Loads a policy; the failure holds every error, drawn with its place.
pub fn policy(path: &Path) -> Result<Loaded, Failure> {
    policy::load(path).map_err(|diagnostics| Failure::new(draw(&diagnostics, path)))
}

/// Draws diagnostics for stderr with the text of the file underlined.
pub fn draw(diagnostics: &[Diagnostic], path: &Path) -> String {
    if diagnostics.is_empty() {
        return format!("{} does not load", path.display());
    }
    let text = std::fs::read(path).unwrap_or_default();
    policy::diagnostic::render(diagnostics, &String::from_utf8_lossy(&text), output::colour(Stream::Err))
}

/// Opens an engine that leaves no trace: where the state file is not there yet, one in memory takes its place.
pub fn read_only(path: &Path, clock: Option<Clock>) -> Result<Engine, Failure> {
    let (engine, missing) = read_only_quietly(path, clock)?;
    if let Some(file) = missing {
        note_missing(&file);
    }
    Ok(engine)
}

/// The same without a note: the state file that is not there yet comes with the engine.
pub fn read_only_quietly(path: &Path, clock: Option<Clock>) -> Result<(Engine, Option<PathBuf>), Failure> {
    let loaded = policy(path)?;
    let missing = match &loaded.policy.state {
        StateLocation::File(file) if !file.try_exists().unwrap_or(true) => Some(file.clone()),
        _ => None,
    };
    let state = missing.is_some().then_some(StateLocation::Memory);
    let engine = start(Engine::new(loaded, Options { clock, read_only: true, state, ..Options::default() }))?;
    Ok((engine, missing))
}

/// Fetches keys of issuers that no server has left in the state; says what cannot be had.
pub fn fetch_keys(engine: &Engine) -> Result<(), Failure> {
    for why in engine.fetch_keys()? {
        output::note(&format!("keys could not be fetched: {why}"));
    }
    Ok(())
}

/// Says that the state file is not there yet.
pub fn note_missing(file: &Path) {
    output::note(&format!(
        "the state file {} is not there yet, so there are no users and no keys; `gatepost user add` makes it",
        file.display()
    ));
}

/// Opens an engine to change its state, which must outlive this command.
pub fn writable(path: &Path) -> Result<Engine, Failure> {
    let loaded = policy(path)?;
    if loaded.policy.state == StateLocation::Memory {
        return Err(Failure::new(format!(
            "{} keeps its state in memory, so a change made here would be gone at once: set `state` under [engine] to a file",
            path.display()
        )));
    }
    let engine = start(Engine::new(loaded, Options { by: Some(who()), ..Options::default() }))?;
    owner::note(&engine.policy(), false);
    Ok(engine)
}

/// Who runs this, for the log. What sudo says is not proved, but is what is known.
fn who() -> String {
    let uid = rustix::process::getuid();
    match std::env::var("SUDO_USER") {
        Ok(user) if uid.is_root() => format!("uid 0, sudo by {user}"),
        _ => format!("uid {}", uid.as_raw()),
    }
}

/// The policy that `--policy` names. The flag stands anywhere on the line, so the parser cannot ask for it.
pub fn named(policy: Option<&Path>) -> Result<&Path, Failure> {
    policy.ok_or_else(|| Failure::new("no policy is named: add `--policy POLICY`"))
}

/// An engine's policy, state and clock, held for administration.
pub struct Held {
    engine: Engine,
    policy: Arc<Policy>,
    state: Arc<dyn State>,
    now: i64,
}

impl Held {
    /// Of an engine that was started.
    pub fn of(engine: &Engine) -> Result<Held, Error> {
        Ok(Held { engine: engine.clone(), policy: engine.policy(), state: engine.state()?, now: engine.now() })
    }

    /// The rules and operations over them.
    pub fn admin(&self) -> Admin<'_> {
        Admin { policy: &self.policy, state: &*self.state, now: self.now }
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        write_events(&self.engine);
    }
}

/// A change that was made and is not in the log must not go unnoticed.
pub fn write_events(engine: &Engine) {
    if let Err(error) = engine.write_events() {
        output::note(&format!("what was done is not in the events file: {}", error.message()));
    }
}

fn start(engine: Engine) -> Result<Engine, Failure> {
    engine.start()?;
    Ok(engine)
}
