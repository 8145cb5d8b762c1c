//! `gatepost user`: the accounts of a policy's state. A change holds from the next decision of every running server.

use clap::Subcommand;
use gatepost::admin::{Admin, NewUser};
use gatepost::crypto::password::{self, Form};
use gatepost::policy::Policy;
use gatepost::state::User;
use serde_json::{Value, json};

use crate::open::{self, Common, Held};
use crate::output::{self, Outcome};
use crate::{roster, secret, when};

/// Add, list, change and remove users
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost user add alice --role clerk --policy orders.toml      # asks for the password twice
  gatepost user add ci --no-password --policy orders.toml        # comes in with API keys, tokens or certificates only
  gatepost user passwd alice --policy orders.toml < password.txt
  gatepost user grant alice admin --policy orders.toml
  gatepost user show alice --json --policy orders.toml
  gatepost user import .htpasswd --dry-run --policy orders.toml

A change holds from the next request on, also in servers that are running.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Add a user; the password comes from a prompt or stdin
    Add {
        /// The name; all spellings of a name are one account
        name: String,
        /// Grant this role; may be repeated
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// No password: the account comes in with API keys or tokens only
        #[arg(long)]
        no_password: bool,
        /// Disabled until `gatepost user enable`
        #[arg(long)]
        disabled: bool,
    },
    /// List all users
    List,
    /// Show a user with the roles and permissions that it has now
    Show {
        /// The name
        name: String,
    },
    /// Set a new password, from a prompt or stdin
    Passwd {
        /// The name
        name: String,
    },
    /// Let an account come in no more, until it is enabled
    Disable {
        /// The name
        name: String,
    },
    /// Let a disabled account come in again
    Enable {
        /// The name
        name: String,
    },
    /// Grant a role that the policy defines
    Grant {
        /// The name
        name: String,
        /// The role
        role: String,
    },
    /// Revoke a granted role
    Revoke {
        /// The name
        name: String,
        /// The role
        role: String,
    },
    /// Remove a user with its roles and API keys
    Remove {
        /// The name
        name: String,
    },
    Import(roster::ImportArguments),
    Export(roster::ExportArguments),
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let path = arguments.common.named()?;
    match &arguments.command {
        Command::Import(import) => return roster::import(import, path, arguments.common.json),
        Command::Export(export) => return roster::export(export, path, arguments.common.json),
        _ => {}
    }
    let engine = match arguments.command {
        Command::List | Command::Show { .. } => open::read_only(path, None)?,
        _ => open::writable(path)?,
    };
    let held = Held::of(&engine)?;
    let admin = held.admin();
    let (value, text) = match &arguments.command {
        Command::Add { name, roles, no_password, disabled } => {
            let password = if *no_password { None } else { Some(secret::read_new("Password: ")?) };
            let password = password.as_ref().map(|password| password.as_str());
            let user = admin.add_user(&NewUser { name, password, hash: None, roles, disabled: *disabled })?;
            changed(&user.name, format!("Added {}.", user.name), &admin)?
        }
        Command::List => list(&admin)?,
        Command::Show { name } => show(&admin.user(name)?, held.policy()),
        Command::Passwd { name } => {
            // An unknown name is told before anybody types a password.
            let name = admin.user(name)?.name;
            let name = admin.set_password(&name, &secret::read_new("New password: ")?)?;
            changed(&name, format!("Set the password of {name}."), &admin)?
        }
        Command::Disable { name } => {
            let name = admin.set_disabled(name, true)?;
            changed(&name, format!("Disabled {name}."), &admin)?
        }
        Command::Enable { name } => {
            let name = admin.set_disabled(name, false)?;
            changed(&name, format!("Enabled {name}."), &admin)?
        }
        Command::Grant { name, role } => {
            let (name, new) = admin.grant(name, role)?;
            let text = if new { format!("Granted {role} to {name}.") } else { format!("{name} has {role} already.") };
            changed(&name, text, &admin)?
        }
        Command::Revoke { name, role } => {
            let (name, had) = admin.revoke(name, role)?;
            let text =
                if had { format!("Revoked {role} from {name}.") } else { format!("{name} did not have {role}.") };
            changed(&name, text, &admin)?
        }
        Command::Remove { name } => {
            let name = admin.remove_user(name)?;
            (json!({ "removed": name }), format!("Removed {name} with its roles and API keys.\n"))
        }
        // Done above.
        Command::Import(_) | Command::Export(_) => (Value::Null, String::new()),
    };
    if arguments.common.json {
        output::print_json(&value)?;
    } else {
        output::print(&text)?;
    }
    Ok(output::DONE)
}

fn changed(name: &str, text: String, admin: &Admin<'_>) -> Result<(Value, String), gatepost::error::Error> {
    let user = admin.user(name)?;
    Ok((to_json(&user, admin.policy), format!("{}\n", output::visible(&text))))
}

fn list(admin: &Admin<'_>) -> Result<(Value, String), gatepost::error::Error> {
    let users = admin.users()?;
    let value = Value::Array(users.iter().map(|user| to_json(user, admin.policy)).collect());
    if users.is_empty() {
        return Ok((value, "There are no users. `gatepost user add NAME` adds one.\n".to_owned()));
    }
    let rows = users.iter().map(|user| {
        vec![user.name.clone(), granted(user, admin.policy), status(user).to_owned(), when::write(user.created_at)]
    });
    Ok((value, output::table(&["NAME", "ROLES", "STATUS", "ADDED"], rows.collect())))
}

fn show(user: &User, policy: &Policy) -> (Value, String) {
    let effective = policy.roles.closure(user.roles.iter().map(String::as_str));
    let permissions = policy.roles.permissions(effective.iter().map(String::as_str));
    let mut value = to_json(user, policy);
    if let Some(members) = value.as_object_mut() {
        members.insert("effective_roles".to_owned(), json!(effective));
        members.insert("permissions".to_owned(), json!(permissions));
    }
    let joined = |set: &std::collections::BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
    let rows = [
        ("name", user.name.clone()),
        ("status", status(user).to_owned()),
        ("granted roles", granted(user, policy)),
        ("with included", joined(&effective)),
        ("permissions", joined(&permissions)),
        ("added", when::write(user.created_at)),
        ("password set", password_set(user)),
        ("stored as", form(user).map_or_else(String::new, |form| form.name)),
    ];
    let text = rows.iter().map(|(label, cell)| {
        let cell = if cell.is_empty() { "none" } else { cell };
        format!("{label:<14} {}\n", output::visible(cell))
    });
    (value, text.collect())
}

fn password_set(user: &User) -> String {
    match (user.password_changed_at, &user.hash) {
        (Some(at), _) => when::write(at),
        (None, None) => "never".to_owned(),
        (None, Some(_)) => "before it was imported".to_owned(),
    }
}

/// How the password is stored.
fn form(user: &User) -> Option<Form> {
    password::form(user.hash.as_deref()?).ok()
}

fn status(user: &User) -> &'static str {
    match (user.disabled, &user.hash) {
        (true, _) => "disabled",
        (false, None) => "active, no password",
        (false, Some(_)) => "active",
    }
}

/// The granted roles. One that the policy does not define, because it was renamed or left out there, gives nothing.
fn granted(user: &User, policy: &Policy) -> String {
    let roles = user.roles.iter().map(|role| match policy.roles.is_defined(role) {
        true => role.clone(),
        false => format!("{role} (not in the policy)"),
    });
    roles.collect::<Vec<_>>().join(", ")
}

/// A user for machines; never the hash.
fn to_json(user: &User, policy: &Policy) -> Value {
    let undefined: Vec<_> = user.roles.iter().filter(|role| !policy.roles.is_defined(role)).collect();
    json!({
        "name": user.name,
        "roles": user.roles,
        "undefined_roles": undefined,
        "disabled": user.disabled,
        "has_password": user.hash.is_some(),
        "created_at": when::write(user.created_at),
        "password_changed_at": user.password_changed_at.map(when::write),
        "password_form": form(user).map(|form| form.name),
    })
}
