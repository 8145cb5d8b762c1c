//! `gatepost test`: runs case files and says which cases fail, and how.

use std::path::PathBuf;
use std::time::Duration;

use owo_colors::Style;
use serde_json::{Value, json};

use crate::cases::run::{self, Report};
use crate::cases::through::Other;
use crate::output::{self, Outcome, Stream, paint};

/// Run case files: requests with the answers that they should get
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost test orders-cases.json
  gatepost test --json tests/*.json

A case file names a policy and requests with what is expected of each answer:
  { \"policy\": \"orders.toml\",
    \"state\": { \"users\": [ { \"name\": \"alice\", \"password\": \"correct horse battery staple\", \"roles\": [\"clerk\"] } ] },
    \"cases\": [ { \"name\": \"no credentials\", \"request\": { \"target\": \"/orders/7\" },
                 \"expect\": { \"status\": 401, \"reason\": \"credentials_missing\" } } ] }

The state is fresh for each file, and in memory; with --through in a temporary file. Exit codes: 0 all pass; 3 a case fails; 1 a file or its policy does not load.")]
pub struct Arguments {
    /// The case files
    #[arg(required = true, value_name = "CASES.json")]
    files: Vec<PathBuf>,
    /// Let this program decide the requests, through a binding or a server; docs/CASES.md says how it is talked to
    #[arg(long, value_name = "COMMAND")]
    through: Option<String>,
    /// How long that program may take for each of its turns
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "through", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    patience: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let (mut cases, mut lines) = (Vec::new(), String::new());
    let (mut passed, mut failed, mut untried, mut broken) = (0usize, 0usize, 0usize, false);
    let patience = Duration::from_secs(arguments.patience);
    let through = arguments.through.as_deref().map(|command| Other { command, patience });
    for file in &arguments.files {
        let reports = match run::file(file, through) {
            Ok(reports) => reports,
            Err(error) => {
                broken = true;
                let label = paint(Stream::Err, "error:", Style::new().red().bold());
                output::note_raw(&format!("{label} {}: {}", file.display(), error.trim_end()));
                continue;
            }
        };
        for report in &reports {
            let good = report.differs.is_empty();
            if report.cannot.is_some() {
                untried += 1
            } else if good {
                passed += 1
            } else {
                failed += 1
            }
            if arguments.json {
                let mut case = json!({
                    "file": file.display().to_string(),
                    "name": report.name,
                    "passed": good && report.cannot.is_none(),
                    "got": report.got,
                    "differs": report.differs,
                });
                if let (Some(members), Some(why)) = (case.as_object_mut(), &report.cannot) {
                    members.insert("cannot".to_owned(), json!(why));
                }
                cases.push(case);
            } else if let Some(why) = &report.cannot {
                let name = output::visible(&format!("{}: {}: {why}", file.display(), report.name));
                lines.push_str(&format!("not tried {name}\n"));
            } else if !good {
                lines.push_str(&failing(&file.display().to_string(), report));
            }
        }
    }
    if arguments.json {
        let mut result = json!({ "cases": cases, "passed": passed, "failed": failed });
        if let (Some(members), true) = (result.as_object_mut(), arguments.through.is_some()) {
            members.insert("not_tried".to_owned(), json!(untried));
        }
        output::print_json(&result)?;
    } else {
        let rest = if untried == 0 { String::new() } else { format!(", {untried} not tried") };
        output::print(&format!("{lines}{passed} passed, {failed} failed{rest}\n"))?;
    }
    Ok(match (broken, failed) {
        (true, _) => output::ERROR,
        (false, 0) => output::DONE,
        (false, _) => output::REFUSED,
    })
}

/// One line for a case that fails, with every difference and the answer that came.
fn failing(file: &str, report: &Report) -> String {
    let mark = paint(Stream::Out, "FAIL", Style::new().red().bold());
    let got = |member: &str| report.got.get(member);
    let came = match (got("action"), got("status"), got("reason")) {
        (Some(Value::String(action)), Some(Value::Number(status)), Some(Value::String(reason))) => {
            format!(" (came: {action} {status} {reason})")
        }
        // A step, or a request that was never decided.
        _ => String::new(),
    };
    format!(
        "{mark} {}: {}{}\n",
        output::visible(&format!("{file}: {}", report.name)),
        output::visible(&report.differs.join("; ")),
        output::visible(&came)
    )
}
