//! `gatepost check`: every error and warning of a policy, with its place and what to write instead.

use std::path::PathBuf;

use gatepost::policy::{self, Diagnostic, Severity};
use serde_json::{Value, json};

use crate::output::{self, Outcome};
use crate::{open, owner};

/// Check a policy: every error and warning with its place and what to write instead
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost check orders.toml
  gatepost check --strict orders.toml     # in a build: warnings count too
  gatepost check --json orders.toml

Exit codes: 0 the policy loads; 1 it does not; 2 it loads with warnings, and --strict was given.")]
pub struct Arguments {
    /// The policy file
    policy: PathBuf,
    /// Exit with 2 where there are warnings
    #[arg(long)]
    strict: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let (loads, diagnostics, summary) = match policy::load(&arguments.policy) {
        Ok(loaded) => {
            let summary = format!("{} loads: {}", arguments.policy.display(), counts(&loaded.policy));
            owner::note(&loaded.policy, true);
            (true, loaded.warnings, summary)
        }
        Err(diagnostics) => (false, diagnostics, String::new()),
    };
    let of = |severity| diagnostics.iter().filter(move |d| d.severity == severity);
    let warnings = of(Severity::Warning).count();
    if arguments.json {
        output::print_json(&json!({
            "file": arguments.policy.display().to_string(),
            "loads": loads,
            "errors": of(Severity::Error).map(to_json).collect::<Vec<_>>(),
            "warnings": of(Severity::Warning).map(to_json).collect::<Vec<_>>(),
        }))?;
    } else {
        if !diagnostics.is_empty() || !loads {
            output::note_raw(open::draw(&diagnostics, &arguments.policy).trim_end());
        }
        if loads {
            output::print(&format!("{summary}, {}\n", number(warnings, "warning")))?;
        } else {
            let errors = of(Severity::Error).count().max(1);
            output::note_raw(&format!("{} does not load: {}", arguments.policy.display(), number(errors, "error")));
        }
    }
    Ok(match (loads, warnings) {
        (false, _) => output::ERROR,
        (true, 1..) if arguments.strict => output::WARNINGS,
        (true, _) => output::DONE,
    })
}

/// One problem as JSON.
pub fn to_json(diagnostic: &Diagnostic) -> Value {
    json!({
        "message": diagnostic.message,
        "help": diagnostic.help,
        "file": diagnostic.file.display().to_string(),
        "line": diagnostic.line,
        "column": diagnostic.column,
    })
}

fn counts(policy: &policy::Policy) -> String {
    let roles = policy.roles.names().count();
    let issuers = policy.issuers.len().saturating_sub(policy.signers.len());
    let mut counts = vec![number(policy.routes.len(), "route"), number(roles, "role"), number(issuers, "issuer")];
    if !policy.signers.is_empty() {
        counts.push(number(policy.signers.len(), "signer"));
    }
    counts.join(", ")
}

fn number(count: usize, thing: &str) -> String {
    match count {
        0 => format!("no {thing}s"),
        1 => format!("1 {thing}"),
        many => format!("{many} {thing}s"),
    }
}
