//! `gatepost token revoke` and `gatepost token revocations`.

use std::path::{Path, PathBuf};

use gatepost::engine::{Engine, Revoke, Revoked, Span};
use gatepost::state::{By, Revocation};
use serde_json::{Value, json};

use super::read;
use crate::open::{self, Held};
use crate::output::{self, Failure, Outcome};
use crate::when;

/// What is revoked: a token; or what an issuer's tokens say; or the tokens of a local user
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost token revoke --token - --policy orders.toml < token.txt
  gatepost token revoke --issuer accounts --sid 08a5019c --until 2027-01-01T00:00:00Z --policy orders.toml
  gatepost token revoke --issuer accounts --subject u-17 --policy orders.toml
  gatepost token revoke --user alice --before 2026-11-23T12:00:00Z --policy orders.toml

It holds from the next decision on, in every process that shares the state. Tokens that are issued later are good.")]
pub struct RevokeArguments {
    #[command(flatten)]
    what: What,
    /// The issuer of that jti, sid or subject: its name in the policy, or its URL
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
    /// Of a subject or user: tokens that were issued before this time; without it, all that were issued until now
    #[arg(long, value_name = "TIME")]
    before: Option<String>,
    /// When all these tokens have expired, so that the entry may be forgotten: a time, or a length like 30d; without it,
    /// it is kept for good
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct What {
    /// The token in this file, or `-` for stdin; it must be signed right, and may have expired. Or a refresh token: with
    /// it end its login and the access tokens of its session
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// One token, by its `jti`
    #[arg(long, value_name = "JTI", requires = "issuer")]
    jti: Option<String>,
    /// The tokens of a session, by their `sid`
    #[arg(long, value_name = "SID", requires = "issuer")]
    sid: Option<String>,
    /// The tokens of a person
    #[arg(long, value_name = "SUBJECT", requires = "issuer")]
    subject: Option<String>,
    /// The tokens of a local user, of every issuer whose subjects are local users
    #[arg(long, value_name = "USER", conflicts_with = "issuer")]
    user: Option<String>,
}

/// The newest revocations in force
#[derive(clap::Args)]
#[command(after_help = "Example:
  gatepost token revocations --policy orders.toml --json")]
pub struct ListArguments {
    /// So many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    limit: usize,
}

/// Runs `gatepost token revoke`.
pub fn revoke(arguments: &RevokeArguments, policy: Option<&Path>, as_json: bool) -> Outcome {
    let engine = open::writable(open::named(policy)?)?;
    // Its end says where what was done is not in the log.
    let _held = Held::of(&engine)?;
    let now = engine.now();
    let before = arguments.before.as_deref().map(when::read).transpose().map_err(Failure::new)?;
    let until =
        arguments.until.as_deref().map(|text| when::read_expiry(text, now)).transpose().map_err(Failure::new)?;
    let span = Span { before, until };
    let What { token, jti, sid, subject, user } = &arguments.what;
    let issuer = arguments.issuer.as_deref().unwrap_or_default();
    let named = |by, name| engine.revoke(&Revoke::Named { issuer, by, name, span });
    let revoked = match (token, jti, sid, subject, user) {
        (Some(file), ..) => {
            if before.is_some() || until.is_some() || arguments.issuer.is_some() {
                return Err(Failure::new(
                    "a token says itself whose it is and when it ends: leave out --issuer, --before and --until",
                ));
            }
            of_token(&engine, file)?
        }
        (_, Some(jti), ..) => named(By::Token, jti)?,
        (_, _, Some(sid), ..) => named(By::Session, sid)?,
        (_, _, _, Some(subject), _) => named(By::Subject, subject)?,
        (_, _, _, _, Some(name)) => engine.revoke(&Revoke::User { name, span })?,
        _ => return Err(Failure::new("say what to revoke: --token, --jti, --sid, --subject or --user")),
    };
    if as_json {
        let entries = revoked.iter().map(|Revoked { entry, new }| {
            let mut value = to_json(entry);
            value.as_object_mut().map(|members| members.insert("new".to_owned(), json!(new)));
            value
        });
        output::print_json(&json!({ "revoked": entries.collect::<Vec<_>>() }))?;
    } else {
        output::print(&revoked.iter().map(sentence).collect::<String>())?;
    }
    Ok(output::DONE)
}

/// Runs `gatepost token revocations`.
pub fn list(arguments: &ListArguments, policy: Option<&Path>, as_json: bool) -> Outcome {
    let engine = open::read_only(open::named(policy)?, None)?;
    let mut entries = engine.state()?.revocations(arguments.limit.saturating_add(1))?;
    if entries.len() > arguments.limit {
        entries.truncate(arguments.limit);
        output::note(&format!("these are the newest {}; --limit shows more", arguments.limit));
    }
    if as_json {
        output::print_json(&Value::Array(entries.iter().map(to_json).collect()))?;
    } else if entries.is_empty() {
        output::print("No tokens are revoked.\n")?;
    } else {
        let rows = entries.iter().map(|entry| {
            vec![
                entry.by.to_string(),
                entry.name.clone(),
                entry.issuer.clone(),
                entry.before.map_or_else(|| "all".to_owned(), |before| format!("before {}", when::write(before))),
                when::write(entry.revoked_at),
                entry.ends_at.map_or_else(|| "for good".to_owned(), when::write),
            ]
        });
        let headings = ["BY", "VALUE", "ISSUER", "ISSUED", "REVOKED", "KEPT UNTIL"];
        output::print(&output::table(&headings, rows.collect()))?;
    }
    Ok(output::DONE)
}

fn of_token(engine: &Engine, file: &Path) -> Result<Vec<Revoked>, Failure> {
    let token = read::token(Some(file))?;
    let token = std::str::from_utf8(&token).map_err(|_| Failure::new("this is no token: it is not UTF-8"))?;
    // No server may have left them in the state yet.
    open::fetch_keys(engine)?;
    Ok(engine.revoke(&Revoke::Token(token))?)
}

fn sentence(Revoked { entry, new }: &Revoked) -> String {
    let name = output::visible(&entry.name);
    let what = match (entry.by, entry.before) {
        (By::Token, _) => format!("The token with jti {name}"),
        (By::Claims, _) => "The token".to_owned(),
        (By::Session, _) => format!("The tokens of session {name}"),
        (By::Subject, Some(before)) => format!("The tokens of {name} that were issued before {}", when::write(before)),
        (By::Subject, None) => format!("The tokens of {name}"),
    };
    let (of, done) = (output::visible(&entry.issuer), if *new { "revoked" } else { "revoked already" });
    let are = if matches!(entry.by, By::Token | By::Claims) { "is" } else { "are" };
    format!("{what} of {of} {are} {done}.\n")
}

fn to_json(entry: &Revocation) -> Value {
    json!({
        "by": entry.by.name(),
        "issuer": entry.issuer,
        "value": entry.name,
        "before": entry.before.map(when::write),
        "revoked_at": when::write(entry.revoked_at),
        "kept_until": entry.ends_at.map(when::write),
    })
}
