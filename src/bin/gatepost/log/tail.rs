//! `gatepost log tail`: the last events, and those to come.

use std::path::Path;
use std::time::Duration;

use gatepost::event::{Kind, Member};
use gatepost::reason::Reason;

use super::files::Backwards;
use super::follow::Follower;
use super::record::Record;
use crate::output::{self, Failure, Outcome};

/// Milliseconds between two looks at the file.
const LOOK_MS: u64 = 250;

/// Print the last events
#[derive(clap::Args)]
pub struct Arguments {
    /// How many
    #[arg(short = 'n', long, default_value_t = 10, value_name = "COUNT")]
    lines: usize,
    /// Go on with those to come, also when the file is moved away
    #[arg(short, long)]
    follow: bool,
    /// Refused requests only
    #[arg(long)]
    refused: bool,
    /// Decisions of this reason only; may be repeated
    #[arg(long = "reason", value_name = "REASON")]
    reasons: Vec<String>,
    /// Only what is about this person or local user
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// Only this client's
    #[arg(long, value_name = "ADDRESS")]
    client: Option<String>,
    /// Events of this name only; may be repeated
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
}

/// Prints them.
pub fn run(arguments: &Arguments, file: &Path, json: bool) -> Outcome {
    arguments.check()?;
    let mut unreadable = 0_usize;
    let mut opened = None;
    let mut at = 0;
    match Backwards::open(file) {
        Ok((lines, length)) => {
            at = length;
            opened = lines.file().ok();
            let mut last = Vec::new();
            for line in lines {
                if last.len() >= arguments.lines {
                    break;
                }
                match Record::read(&line.map_err(|error| super::unreadable(file, &error))?) {
                    Some(record) if arguments.wants(&record) => last.push(record),
                    Some(_) => {}
                    None => unreadable = unreadable.saturating_add(1),
                }
            }
            last.reverse();
            print(&last, json)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && arguments.follow => {
            output::note(&format!("{} is not there yet; waiting for it", file.display()));
        }
        Err(error) => return Err(super::unreadable(file, &error)),
    }
    if unreadable > 0 {
        output::note(&format!("{unreadable} lines could not be read: cut short, or not Gatepost's"));
    }
    if arguments.follow {
        follow(arguments, Follower::new(file, opened, at), file, json)?;
    }
    Ok(output::DONE)
}

fn follow(arguments: &Arguments, mut follower: Follower, file: &Path, json: bool) -> Result<(), Failure> {
    loop {
        let lines = follower.lines().map_err(|error| super::unreadable(file, &error))?;
        let records = lines.iter().filter_map(|line| Record::read(line)).filter(|record| arguments.wants(record));
        let records: Vec<Record> = records.collect();
        if !print(&records, json)? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(LOOK_MS));
    }
}

/// False where nobody reads any more.
fn print(records: &[Record], json: bool) -> Result<bool, Failure> {
    let text: String = records
        .iter()
        .map(|record| if json { format!("{}\n", record.line) } else { format!("{}\n", record.in_short()) })
        .collect();
    output::print_on(&text)
}

impl Arguments {
    fn check(&self) -> Result<(), Failure> {
        if let Some(unknown) = self.reasons.iter().find(|name| Reason::from_name(name).is_none()) {
            let near: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
            return Err(Failure::new(format!("there is no reason {unknown:?}; there are {}", near.join(", "))));
        }
        if let Some(unknown) = self.events.iter().find(|name| Kind::ALL.iter().all(|kind| kind.name() != *name)) {
            let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
            return Err(Failure::new(format!("there is no event {unknown:?}; there are {}", names.join(", "))));
        }
        Ok(())
    }

    fn wants(&self, record: &Record) -> bool {
        let is = |member: Member, wanted: &str| record.text(member) == Some(wanted);
        (!self.refused || is(Member::Action, "DENY"))
            && (self.reasons.is_empty() || self.reasons.iter().any(|reason| is(Member::Reason, reason)))
            && (self.events.is_empty() || self.events.iter().any(|event| is(Member::Event, event)))
            && self.subject.as_ref().is_none_or(|name| is(Member::Subject, name) || is(Member::User, name))
            && self.client.as_ref().is_none_or(|client| is(Member::Client, client))
    }
}
