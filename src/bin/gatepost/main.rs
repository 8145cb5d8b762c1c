//! The command line: each command in a file of its own, on top of the library's public parts. It decides nothing
//! itself. Results go to stdout, everything else to stderr; a password is never taken from an argument alone.
//!
//! Exit codes: 0 done, allowed or passed; 1 an error, also of usage; 2 warnings under `check --strict`; 3 refused, or
//! a case failed, or a password breaks a rule; 4 the engine answered the request itself.

mod cases;
mod check;
mod decide;
mod explain;
mod generate;
mod hash;
mod key;
mod log;
mod open;
mod output;
mod owner;
mod passwords;
mod roster;
mod secret;
mod signer;
mod test;
mod token;
mod user;
mod when;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::output::Failure;

/// An authentication engine for HTTP servers: let in, 401 or 403, and why.
#[derive(Parser)]
#[command(
    name = "gatepost",
    version,
    after_help = "Examples:
  gatepost check orders.toml
  gatepost user add alice --role clerk --policy orders.toml
  gatepost decide orders.toml GET https://orders.example.com/orders/7 --user alice --explain
  gatepost test tests/*.json

Exit codes: 0 done; 1 an error; `check --strict`: 2 warnings; `decide`: 3 refused, 4 answered by the engine; `test`: 3 a case failed; `passwords check`: 3 a rule is broken; `token inspect` and `token refresh`: 3 the token is not good.
`gatepost COMMAND --help` has examples of each command."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a policy: every error and warning with its place and what to write instead
    Check(check::Arguments),
    /// Show what the engine would answer to a request, and why; changes nothing
    Decide(decide::Arguments),
    /// Run case files: requests with the answers that they should get
    Test(test::Arguments),
    /// Add, list, change and remove users
    User(user::Arguments),
    /// Issue, list and revoke API keys
    Key(key::Arguments),
    /// Issue, exchange, revoke and look into tokens
    Token(token::Arguments),
    /// Print the public keys by which others verify the tokens that are issued here
    Signer(signer::Arguments),
    /// Try the rules for new passwords, and make a filter of breached ones
    Passwords(passwords::Arguments),
    /// Read the events file: explain a decision, list, follow
    Log(log::Arguments),
    /// Hash a password for storing
    Hash(hash::HashArguments),
    /// Check a password against a stored hash
    Verify(hash::VerifyArguments),
    /// Write man pages and shell completions into a folder
    #[command(hide = true)]
    Generate(generate::Arguments),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe is the reader's choice, not an error.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { output::ERROR } else { output::DONE });
        }
    };
    let outcome = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Decide(arguments) => decide::run(&arguments),
        Command::Test(arguments) => test::run(&arguments),
        Command::User(arguments) => user::run(&arguments),
        Command::Key(arguments) => key::run(&arguments),
        Command::Token(arguments) => token::run(&arguments),
        Command::Signer(arguments) => signer::run(&arguments),
        Command::Passwords(arguments) => passwords::run(&arguments),
        Command::Log(arguments) => log::run(&arguments),
        Command::Hash(arguments) => hash::hash(&arguments),
        Command::Verify(arguments) => hash::verify(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
    };
    ExitCode::from(outcome.unwrap_or_else(|failure: Failure| failure.report()))
}
