//! `gatepost signer`: the keys of the `[[signer]]` sections. Never a private member.

use clap::Subcommand;
use gatepost::policy::model::Signer;
use gatepost::token::published;

use crate::open::{self, Common};
use crate::output::{self, Failure, Outcome};

/// Print the public keys by which others verify the tokens that are issued here
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost signer keys --policy orders.toml
  gatepost signer keys --signer access --policy orders.toml > jwks.json

The result is a JWK Set (RFC 7517): the key that signs and those under `previous`, each with `kid` and `alg`. A signer with
a shared secret (HS256, HS384, HS512) has no public key: whoever can verify its tokens can make them.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Print the public keys as a JWK Set
    Keys {
        /// Only those of this signer
        #[arg(long, value_name = "SIGNER")]
        signer: Option<String>,
    },
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let Command::Keys { signer: name } = &arguments.command;
    let policy = open::policy(arguments.common.named()?)?.policy;
    if policy.signers.is_empty() {
        return Err(Failure::new("the policy has no [[signer]]: add one to issue tokens"));
    }
    let wanted: Vec<&Signer> = match name {
        None => policy.signers.iter().collect(),
        Some(name) => vec![policy.signer(Some(name)).ok_or_else(|| {
            let names: Vec<&str> = policy.signers.iter().map(|signer| signer.name.as_str()).collect();
            Failure::new(output::visible(&format!("there is no signer {name:?}; there are {}", names.join(", "))))
        })?],
    };
    for signer in wanted.iter().filter(|signer| signer.key.algorithm().is_symmetric()) {
        output::note(&output::visible(&format!(
            "{} signs with a shared secret ({}) and has no public keys",
            signer.name,
            signer.key.algorithm().name()
        )));
    }
    output::print_json(&published::key_set(&policy, wanted))?;
    Ok(output::DONE)
}
