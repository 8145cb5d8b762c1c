//! `gatepost log`: the events file of a policy, read for people. It changes nothing.

mod files;
mod follow;
mod record;
mod show;
mod tail;
mod verify;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use gatepost::journal::seal::Head;
use gatepost::policy::model::{EventSink, Events};

use crate::open::{self, Common};
use crate::output::{Failure, Outcome};

/// Read the events file of a policy
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost log show 5f3c0a9be2d1c478-42 --policy orders.toml      # what happened, and what to check
  gatepost log tail --refused --follow --policy orders.toml
  gatepost log tail -n 100 --reason credentials_invalid --subject alice --json --policy orders.toml
  gatepost log verify --policy orders.toml                         # where [events] has a chain

The id is in the body of every refusal. docs/EVENTS.md says what is in a line.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Explain a decision: what happened, and what to check
    Show {
        /// The decision's id
        id: String,
        /// Look in this file alone
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Print the last events
    Tail(tail::Arguments),
    /// Check the chain of seals: nothing was changed, taken out or put in
    Verify {
        /// These files, oldest first; without any, the policy's file and those that were moved away from it
        files: Vec<PathBuf>,
    },
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let path = arguments.common.named()?;
    let events = open::policy(path)?.policy.events;
    match &arguments.command {
        Command::Show { id, file } => {
            let file = file.clone().map_or_else(|| named(&events, path), Ok)?;
            show::run(id, &file, path, arguments.common.json)
        }
        Command::Tail(options) => tail::run(options, &named(&events, path)?, arguments.common.json),
        Command::Verify { files } => {
            let Some(key) = &events.chain else {
                let message = "has no `chain` under [events], so that its lines bear no seals; add one, and lines are sealed from then on";
                return Err(Failure::new(format!("{} {message}", path.display())));
            };
            if !files.is_empty() {
                return verify::run(key, files, None, arguments.common.json);
            }
            let file = named(&events, path)?;
            let head = Head::beside(&file).map_err(|error| unreadable(&file, &error))?;
            verify::run(key, &files::all(&file), head, arguments.common.json)
        }
    }
}

fn named(events: &Events, policy: &Path) -> Result<PathBuf, Failure> {
    let advice = match &events.sink {
        EventSink::File(file) => return Ok(file.clone()),
        EventSink::Stderr => "writes its events to stderr: look where the server's output goes",
        EventSink::Callback => "names no events file: add `file = \"gatepost.jsonl\"` under [events]",
    };
    Err(Failure::new(format!("{} {advice}", policy.display())))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let advice = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "; run this as the server's user",
        std::io::ErrorKind::NotFound => "; the server makes it when it starts",
        _ => "",
    };
    Failure::new(format!("{} cannot be read: {error}{advice}", path.display()))
}
