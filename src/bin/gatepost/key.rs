//! `gatepost key`: API keys. A secret is shown once, when it is issued, and stored nowhere.

use clap::Subcommand;
use gatepost::admin::{Admin, Issued, NewKey};
use gatepost::state::ApiKey;
use serde_json::{Value, json};

use crate::open::{self, Common, Held};
use crate::output::{self, Failure, Outcome};
use crate::when;

/// Issue, list and revoke API keys
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost key issue nightly-export --user alice --scope orders:read --expires 90d --policy orders.toml
  gatepost key list --user alice --policy orders.toml
  gatepost key revoke nightly-export --policy orders.toml

A key acts for its user with the roles that the user has at that moment, narrowed by the key's own roles and scopes.
Clients send it as `X-API-Key: gp_…` or `Authorization: Bearer gp_…`.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Command {
    /// Issue a key; its secret is shown once
    Issue {
        /// Your name for the key
        name: String,
        /// The user that it acts for
        #[arg(long, value_name = "USER")]
        user: String,
        /// A scope that it has; may be repeated; without any, scopes do not narrow it
        #[arg(long = "scope", value_name = "SCOPE")]
        scopes: Vec<String>,
        /// A role that it may use; may be repeated; without any, all roles of its user
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// When it ends: a time like 2027-01-01T00:00:00Z, or a length like 90d; without it, never
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
    },
    /// List the keys; secrets are not stored and cannot be shown
    List {
        /// Only those of this user
        #[arg(long, value_name = "USER")]
        user: Option<String>,
    },
    /// Revoke a key at once
    Revoke {
        /// Its id or, where only one key has it, its name
        #[arg(value_name = "ID_OR_NAME")]
        key: String,
    },
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let path = arguments.common.named()?;
    let engine = match arguments.command {
        Command::List { .. } => open::read_only(path, None)?,
        _ => open::writable(path)?,
    };
    let held = Held::of(&engine)?;
    let admin = held.admin();
    let (value, text) = match &arguments.command {
        Command::Issue { name, user, scopes, roles, expires } => {
            let expires_at = expires.as_deref().map(|text| when::read_expiry(text, admin.now));
            let expires_at = expires_at.transpose().map_err(Failure::new)?;
            let roles = if roles.is_empty() { None } else { Some(roles.as_slice()) };
            let issued = admin.issue_key(&NewKey { name, user, scopes, roles, expires_at })?;
            output::note(&format!(
                "this is the only time that the key is shown; its id is {}, and `gatepost key revoke {}` ends it",
                issued.id(),
                issued.id()
            ));
            for role in admin.idle_roles(&issued.key)? {
                output::note(&output::visible(&format!(
                    "{} does not have the role {role}, so the key does not give it now; `gatepost user grant {} {role}` would change that",
                    issued.key.user, issued.key.user
                )));
            }
            (issued_to_json(&issued, admin.now), format!("{}\n", issued.secret.as_str()))
        }
        Command::List { user } => list(&admin, user.as_deref())?,
        Command::Revoke { key } => {
            let new = admin.revoke_key(key)?;
            let shown = output::visible(key);
            let text = if new { format!("Revoked {shown}.\n") } else { format!("{shown} was revoked already.\n") };
            (json!({ "revoked": key, "already": !new }), text)
        }
    };
    if arguments.common.json {
        output::print_json(&value)?;
    } else {
        output::print(&text)?;
    }
    Ok(output::DONE)
}

fn list(admin: &Admin<'_>, user: Option<&str>) -> Result<(Value, String), gatepost::error::Error> {
    let keys = admin.keys(user)?;
    let value = Value::Array(keys.iter().map(|key| to_json(key, admin.now)).collect());
    if keys.is_empty() {
        return Ok((value, "There are no API keys. `gatepost key issue NAME --user USER` issues one.\n".to_owned()));
    }
    let rows = keys.iter().map(|key| {
        vec![
            key.id.clone(),
            key.name.clone(),
            key.user.clone(),
            key.scopes.join(" "),
            key.roles.as_ref().map_or_else(|| "its user's".to_owned(), |roles| roles.join(", ")),
            status(key, admin.now).to_owned(),
            key.expires_at.map_or_else(|| "never".to_owned(), when::write),
            key.last_used_at.map_or_else(|| "never".to_owned(), when::write),
        ]
    });
    let headings = ["ID", "NAME", "USER", "SCOPES", "ROLES", "STATUS", "EXPIRES", "LAST USED"];
    Ok((value, output::table(&headings, rows.collect())))
}

fn status(key: &ApiKey, now: i64) -> &'static str {
    match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(at)) if at <= now => "expired",
        _ => "active",
    }
}

/// A new key for machines, with its secret.
pub fn issued_to_json(issued: &Issued, now: i64) -> Value {
    let mut value = to_json(&issued.key, now);
    if let Some(members) = value.as_object_mut() {
        members.insert("key".to_owned(), json!(issued.secret.as_str()));
    }
    value
}

/// A key for machines; never the digest.
fn to_json(key: &ApiKey, now: i64) -> Value {
    json!({
        "id": key.id,
        "name": key.name,
        "user": key.user,
        "scopes": key.scopes,
        "roles": key.roles,
        "status": status(key, now),
        "created_at": when::write(key.created_at),
        "expires_at": key.expires_at.map(when::write),
        "revoked_at": key.revoked_at.map(when::write),
        "last_used_at": key.last_used_at.map(when::write),
    })
}
