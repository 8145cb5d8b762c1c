//! `gatepost user import` and `gatepost user export`: users from and for other programs, with an account of each line.

use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use gatepost::admin::{Format, Import, Imported, Remark};
use serde_json::{Value, json};

use crate::open::{self, Held};
use crate::output::{self, Failure, Outcome};

/// Take over the users of an htpasswd file, or of an export
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost user import .htpasswd --dry-run --policy orders.toml          # what would be taken, and what cannot be
  gatepost user import .htpasswd --role clerk --policy orders.toml
  gatepost user import users.jsonl --update --policy orders.toml         # what `gatepost user export` wrote
  gatepost user import - --policy orders.toml < /etc/shadow

Lines are name:hash, as Apache, nginx and /etc/shadow have them, or JSON objects with name, hash, roles, disabled,
created_at and password_changed_at (Unix seconds). Hashes are taken as they are: Argon2, bcrypt, $5$, $6$, apr1, $1$,
{SHA}, {SSHA}, scrypt and PBKDF2, also as Django, passlib and Werkzeug write them. The first good login replaces one by
Argon2id, and --update then keeps it unless --force-hash or a JSON line says otherwise; a line without
password_changed_at leaves a password as old as it is. DES crypt and plain text are refused. All is taken or, where a line cannot be, nothing, unless --skip.
Exit codes: 0 taken, or could be; 1 something cannot be taken, or an error.")]
pub struct ImportArguments {
    /// The file; `-` for stdin
    file: PathBuf,
    /// Change nothing, and tell what would be
    #[arg(long)]
    dry_run: bool,
    /// Grant this role to everybody in the file; may be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    /// Give users who exist already the hash that the file has (and what else a JSON line says)
    #[arg(long)]
    update: bool,
    /// With --update: let htpasswd lines replace Argon2id hashes too, as where the file has new passwords
    #[arg(long, requires = "update")]
    force_hash: bool,
    /// Take the rest where some lines cannot be taken
    #[arg(long)]
    skip: bool,
    /// The form of the lines; left out: told by the first
    #[arg(long, value_enum)]
    format: Option<Lines>,
}

/// Write all users with their password hashes, for a backup or another program
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost user export --output users.jsonl --policy orders.toml
  gatepost user export --format htpasswd --policy orders.toml > .htpasswd

JSON lines hold all that is known of a user, and `gatepost user import` reads them again; API keys are not in them.
htpasswd lines hold names and hashes alone, without users who are disabled, have no password or a name that starts
with # or {; what this program has
hashed itself is Argon2id, which Apache and nginx do not read. Keep the file safe: hashes can be guessed at.")]
pub struct ExportArguments {
    /// The form of the lines
    #[arg(long, value_enum, default_value = "json")]
    format: Lines,
    /// Write to this new file, which only its owner may read, instead of stdout
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How lines are written.
#[derive(Clone, Copy, ValueEnum)]
enum Lines {
    /// name:hash
    Htpasswd,
    /// JSON objects
    Json,
}

impl Lines {
    fn format(self) -> Format {
        match self {
            Lines::Htpasswd => Format::Htpasswd,
            Lines::Json => Format::Json,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Lines::Htpasswd => "htpasswd",
            Lines::Json => "json",
        }
    }
}

/// Runs `gatepost user import`.
pub fn import(arguments: &ImportArguments, policy: &Path, json: bool) -> Outcome {
    let text = read(&arguments.file)?;
    let engine = if arguments.dry_run { open::read_only(policy, None)? } else { open::writable(policy)? };
    let held = Held::of(&engine)?;
    let report = held.admin().import(&Import {
        text: &text,
        format: arguments.format.map(Lines::format),
        roles: &arguments.roles,
        update: arguments.update,
        force_hash: arguments.force_hash,
        skip: arguments.skip,
        dry_run: arguments.dry_run,
    })?;
    let whole = report.refused.is_empty() || arguments.skip;
    // Of JSON lines each says what its user holds.
    let lines = matches!(arguments.format, Some(Lines::Htpasswd)) || !text.trim_ascii_start().starts_with(b"{");
    let roleless = arguments.roles.is_empty() && lines;
    if json {
        output::print_json(&to_json(&report, arguments.dry_run))?;
    } else {
        output::print(&to_text(&report, arguments.dry_run, whole, roleless))?;
    }
    Ok(if whole { output::DONE } else { output::ERROR })
}

/// Runs `gatepost user export`.
pub fn export(arguments: &ExportArguments, policy: &Path, json: bool) -> Outcome {
    let engine = open::read_only(policy, None)?;
    let exported = Held::of(&engine)?.admin().export(arguments.format.format())?;
    let count = exported.text.lines().count();
    let left_out: Vec<Value> =
        exported.left_out.iter().map(|(name, why)| json!({ "name": name, "reason": why })).collect();
    if let Some(file) = &arguments.output {
        write_new(file, exported.text.as_bytes())?;
        if json {
            output::print_json(&json!({ "written": count, "left_out": left_out }))?;
        } else {
            output::print(&format!("Wrote {count} users to {}.\n", file.display()))?;
        }
    } else if json {
        output::print_json(&json!({ "format": arguments.format.name(), "text": exported.text, "left_out": left_out }))?;
    } else {
        output::print(&exported.text)?;
    }
    for (name, why) in exported.left_out.iter().filter(|_| !json) {
        output::note(&output::visible(&format!("{name} is left out: the account {why}")));
    }
    Ok(output::DONE)
}

fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::new(format!("{} cannot be read: {error}", file.display()));
    if file == Path::new("-") {
        let mut text = Vec::new();
        std::io::stdin().lock().read_to_end(&mut text).map_err(failed)?;
        return Ok(text);
    }
    std::fs::read(file).map_err(failed)
}

/// Never over a file that is there, and for the owner alone: hashes can be guessed at.
fn write_new(file: &Path, text: &[u8]) -> Result<(), Failure> {
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut opened| opened.write_all(text).and_then(|()| opened.sync_all()))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}; name a new file", file.display())))
}

fn to_json(report: &Imported, dry_run: bool) -> Value {
    let remarks = |remarks: &[Remark]| -> Vec<Value> {
        remarks.iter().map(|r| json!({ "line": r.line, "name": r.name, "text": r.text })).collect()
    };
    let forms: Vec<Value> = report
        .forms
        .iter()
        .map(|(form, counted)| json!({ "form": form, "users": counted.users, "weak": counted.weak }))
        .collect();
    json!({
        "taken": report.taken,
        "dry_run": dry_run,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "forms": forms,
        "refused": remarks(&report.refused),
        "notes": remarks(&report.notes),
        "failed_login": report.failed_login,
    })
}

fn to_text(report: &Imported, dry_run: bool, whole: bool, roleless: bool) -> String {
    let (added, updated, unchanged) = (report.added.len(), report.updated.len(), report.unchanged.len());
    let refused = report.refused.len();
    let mut text = match (dry_run, whole) {
        (true, false) => format!(
            "Nothing would be taken: {refused} lines cannot be. Mend them, or take the rest with --skip: that would add \
             {added}, change {updated} and leave {unchanged} users as they are.\n"
        ),
        (true, true) => format!("Would add {added}, change {updated} and leave {unchanged} users as they are.\n"),
        (false, true) => format!("Added {added}, changed {updated} and left {unchanged} users as they are.\n"),
        (false, false) => {
            format!("Nothing was taken: {refused} lines cannot be. Mend them, or take the rest with --skip.\n")
        }
    };
    if !report.forms.is_empty() {
        let rows = report.forms.iter().map(|(form, counted)| {
            let note = match (form.as_str(), counted.weak) {
                (_, true) => "weak: guessed in no time from a copy; have these people log in or set new passwords soon",
                ("no password", _) => "come in with keys, tokens or certificates only",
                (form, _) if form.starts_with("Argon2id, ") => "",
                _ => "replaced by Argon2id at the first good login",
            };
            vec![form.clone(), counted.users.to_string(), note.to_owned()]
        });
        text.push('\n');
        text.push_str(&output::table(&["STORED AS", "USERS", ""], rows.collect()));
    }
    for (heading, remarks) in [("CANNOT BE TAKEN", &report.refused), ("NOTE", &report.notes)] {
        if !remarks.is_empty() {
            let rows = remarks.iter().map(|r| vec![r.line.to_string(), r.name.clone(), r.text.clone()]);
            text.push('\n');
            text.push_str(&output::table(&["LINE", "USER", heading], rows.collect()));
        }
    }
    if roleless && (!report.added.is_empty() || !report.updated.is_empty()) {
        text.push_str("\nNo roles come with these lines: add --role ROLE, or later `gatepost user grant NAME ROLE`.\n");
    }
    if report.failed_login.len() > 1 {
        let after = if report.taken { "from now on" } else { "then" };
        text.push_str(&format!(
            "\nEach failed login costs the work of all of these {after}, so that its time tells nothing:\n  {}\n",
            report.failed_login.join("\n  ")
        ));
    }
    text
}
