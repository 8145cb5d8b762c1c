//! `gatepost token inspect`: what a token says, and what the engine makes of it. Changes nothing.

mod layout;
mod print;
mod words;

use std::path::{Path, PathBuf};

use crate::output::{self, Outcome};
use crate::token::read;
use crate::when;

/// Show what a token says and, with a policy, each check with its outcome
///
/// Without a policy nothing is verified: what is shown is what the token says of itself.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost token inspect < token.txt

Exit codes: 0 the token is good, or is well formed where no policy is named; 3 it is refused; 1 an error.")]
pub struct Arguments {
    /// A file with the token; left out or `-`: stdin
    file: Option<PathBuf>,
    /// The time to check at, and from which the others are told
    #[arg(long, value_name = "RFC3339", value_parser = when::read)]
    at: Option<i64>,
}

/// Runs it.
pub fn run(arguments: &Arguments, _policy: Option<&Path>, json: bool) -> Outcome {
    let token = read::token(arguments.file.as_deref())?;
    let now = arguments.at.unwrap_or_else(gatepost::runtime::clock::now);
    let layout = layout::take(&token);
    if json {
        output::print_json(&print::to_json(&layout, now))?;
    } else {
        output::print(&print::in_words(&layout, now))?;
    }
    output::note("nothing was verified: name a policy with --policy to see whether the token would be believed");
    Ok(if layout.fault.is_some() { output::REFUSED } else { output::DONE })
}
