//! `gatepost log verify`: the chain of seals, over all files.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use gatepost::journal::seal::{Checker, Head};
use gatepost::policy::model::ChainKey;
use serde_json::{Value, json};

use super::record::Record;
use crate::output::{self, Outcome};

#[derive(Default)]
struct Findings {
    /// The first line with a seal, and the last.
    first: Option<u64>,
    last: Option<Head>,
    sealed: u64,
    /// Before the first seal: from before there was a chain.
    unsealed: u64,
    /// Lines that a full disk or a crash cut short: no proof of anything.
    torn: u64,
    problems: Vec<String>,
}

/// Checks all files, oldest first; exit code 3 where something is wrong. `head`: of the log whose chain it is.
pub fn run(key: &ChainKey, files: &[PathBuf], head: Option<Head>, json: bool) -> Outcome {
    let checker = Checker::new(key)?;
    let mut findings = Findings::default();
    for path in files {
        let file = File::open(path).map_err(|error| super::unreadable(path, &error))?;
        for (number, line) in (1_u64..).zip(BufReader::new(file).split(b'\n')) {
            let line = line.map_err(|error| super::unreadable(path, &error))?;
            if !line.is_empty() {
                findings.look_at(&checker, path, number, &line);
            }
        }
    }
    findings.end_at(head);
    let sound = findings.problems.is_empty();
    if json {
        output::print_json(&findings.to_json())?;
    } else {
        output::print(&findings.to_text())?;
    }
    Ok(if sound { output::DONE } else { output::REFUSED })
}

impl Findings {
    fn look_at(&mut self, checker: &Checker, path: &Path, number: u64, line: &[u8]) {
        let mut problem = |what: String| self.problems.push(format!("{}:{number}: {what}", path.display()));
        let Some(record) = Record::read(line) else {
            self.torn = self.torn.saturating_add(1);
            return;
        };
        let Some(found) = Head::of_line(&record.line) else {
            match self.last {
                None => self.unsealed = self.unsealed.saturating_add(1),
                Some(_) => problem("the line bears no seal: it was put in".to_owned()),
            }
            return;
        };
        self.sealed = self.sealed.saturating_add(1);
        match self.last {
            // What was before lies in files that are gone; the first line proves itself only where it is number 1.
            None if found.seq > 1 => {}
            None if checker.fits(&Head::BEGINNING, &record.line) => {}
            Some(last) if found.seq == last.seq.saturating_add(1) && checker.fits(&last, &record.line) => {}
            Some(last) if found.seq > last.seq.saturating_add(1) => {
                problem(format!(
                    "lines {} to {} are missing before it",
                    last.seq.saturating_add(1),
                    found.seq.saturating_sub(1)
                ));
            }
            Some(last) if found.seq <= last.seq => {
                return problem(format!("line {} stands behind line {}: it was moved or put in", found.seq, last.seq));
            }
            _ => problem("the line was changed, or sealed with another key".to_owned()),
        }
        self.first.get_or_insert(found.seq);
        self.last = Some(found);
    }

    /// The head that lies beside the log knows how far it must reach.
    fn end_at(&mut self, head: Option<Head>) {
        let Some(head) = head else { return };
        let reached = self.last.map_or(0, |last| last.seq);
        if head.seq > reached {
            let from = reached.saturating_add(1);
            self.problems.push(format!("lines {from} to {} are missing at the end", head.seq));
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "sound": self.problems.is_empty(),
            "first": self.first,
            "last": self.last.map(|last| last.seq),
            "lines": self.sealed,
            "unsealed": self.unsealed,
            "torn": self.torn,
            "problems": self.problems,
        })
    }

    fn to_text(&self) -> String {
        let mut text: String = self.problems.iter().map(|problem| format!("{}\n", output::visible(problem))).collect();
        let range = match (self.first, self.last) {
            (Some(first), Some(last)) => format!("lines {first} to {}", last.seq),
            _ => "no sealed lines".to_owned(),
        };
        text.push_str(&match self.problems.len() {
            0 => format!("{range}: nothing was changed, taken out or put in.\n"),
            1 => format!("{range}: 1 problem.\n"),
            count => format!("{range}: {count} problems.\n"),
        });
        if self.first.is_some_and(|first| first > 1) {
            text.push_str("What was before lies in files that were not looked at.\n");
        }
        if self.unsealed > 0 {
            text.push_str(&format!("{} lines before them are from before there was a chain.\n", self.unsealed));
        }
        if self.torn > 0 {
            text.push_str(&format!("{} lines are cut short, as a full disk or a crash leaves them.\n", self.torn));
        }
        text
    }
}
