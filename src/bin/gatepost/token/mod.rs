//! `gatepost token`: tokens by hand. A token is never taken from an argument: those are seen by everyone on the
//! machine.

mod inspect;
pub mod issue;
mod read;
mod revoke;

use clap::Subcommand;

use crate::open::Common;
use crate::output::Outcome;

/// Issue, exchange, revoke and look into tokens
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost token inspect < token.txt
  gatepost token issue --user alice --scope orders:read --policy orders.toml
  gatepost token issue --user alice --refresh --json --policy orders.toml
  gatepost token refresh refresh.txt --policy orders.toml
  gatepost token inspect token.txt --policy orders.toml --route /orders/7
  gatepost token revoke --token - --policy orders.toml < token.txt
  gatepost token revoke --issuer accounts --subject u-17 --policy orders.toml

Tokens come from stdin or from a file, never from an argument.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Issue an access token for a user and, with --refresh, a refresh token
    Issue(issue::Issue),
    /// Exchange a refresh token for an access token and the next refresh token; exits 3 where it is not taken
    Refresh(issue::Refresh),
    /// Show what a token says and, with a policy, each check with its outcome
    Inspect(inspect::Arguments),
    /// Revoke a token, the tokens of a session, or those of a person
    Revoke(revoke::RevokeArguments),
    /// List what is revoked
    Revocations(revoke::ListArguments),
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let policy = arguments.common.policy.as_deref();
    match &arguments.command {
        Command::Issue(issue) => issue::issue(issue, policy, arguments.common.json),
        Command::Refresh(refresh) => issue::refresh(refresh, policy, arguments.common.json),
        Command::Inspect(inspect) => inspect::run(inspect, policy, arguments.common.json),
        Command::Revoke(revoke) => revoke::revoke(revoke, policy, arguments.common.json),
        Command::Revocations(list) => revoke::list(list, policy, arguments.common.json),
    }
}
