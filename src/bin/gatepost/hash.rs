//! `gatepost hash` and `gatepost verify`: a password from stdin or a prompt, with a hash for storing.

use std::path::PathBuf;

use gatepost::admin::from_hash_error;
use gatepost::crypto::name;
use gatepost::crypto::password::{self, Checked, Cost, Sent};
use serde_json::json;

use crate::output::{self, Failure, Outcome};
use crate::{open, secret};

/// Hash a password for storing
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost hash                        # asks twice
  gatepost hash < password.txt         # one line
  gatepost hash --policy orders.toml   # with the cost that the policy sets

The result is an Argon2id hash in PHC form. Without --policy: 19456 KiB, 2 passes, 1 lane.")]
pub struct HashArguments {
    /// Take the cost from this policy
    #[arg(long, value_name = "POLICY")]
    policy: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Check a password against a stored hash
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost verify '$argon2id$v=19$m=19456,t=2,p=1$…'               # asks for the password
  gatepost verify '$argon2id$v=19$m=19456,t=2,p=1$…' < password.txt
  gatepost verify '$2y$10$…' < password.txt                        # of htpasswd, crypt(3), Django, passlib, Werkzeug

Put the hash in single quotes: the shell would replace what follows each $.
Exit codes: 0 the password is right; 1 it is wrong, or the hash cannot be read.")]
pub struct VerifyArguments {
    /// The stored hash
    hash: String,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// The cost where no policy names one: OWASP's first choice for Argon2id.
const USUAL: Cost = Cost { memory_kib: 19_456, iterations: 2, parallelism: 1 };

/// Runs `gatepost hash`.
pub fn hash(arguments: &HashArguments) -> Outcome {
    let cost = match &arguments.policy {
        Some(path) => {
            let rules = open::policy(path)?.policy.password;
            Cost { memory_kib: rules.memory_kib, iterations: rules.iterations, parallelism: rules.parallelism }
        }
        None => USUAL,
    };
    let typed = secret::read_new("Password: ")?;
    let prepared = name::password(&typed).ok_or_else(unusable)?;
    let hash = password::hash(prepared.as_bytes(), cost).map_err(from_hash_error)?;
    if arguments.json {
        output::print_json(&json!({ "hash": hash }))?;
    } else {
        output::print(&format!("{hash}\n"))?;
    }
    Ok(output::DONE)
}

/// Runs `gatepost verify`.
pub fn verify(arguments: &VerifyArguments) -> Outcome {
    let typed = secret::read("Password: ")?;
    let sent = Sent::new(typed.as_bytes());
    let right = password::verify_sent(&sent, &arguments.hash).map_err(from_hash_error)? != Checked::Wrong;
    if arguments.json {
        output::print_json(&json!({ "matches": right }))?;
    } else {
        output::print(if right { "The password is right.\n" } else { "The password is wrong.\n" })?;
    }
    Ok(if right { output::DONE } else { output::ERROR })
}

fn unusable() -> Failure {
    Failure::new("this cannot be a password: it must not be empty, hold control characters or be over 1,024 bytes")
}
