//! `gatepost passwords`: the rules for new passwords, tried on one, and the filter of breached ones made of a list.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use gatepost::passwords::filter::{Build, Built, Form, build};
use serde_json::json;

use crate::open::{self, Held};
use crate::output::{self, Failure, Outcome};
use crate::secret;

/// Try the rules for new passwords, and make a filter of breached ones
#[derive(clap::Args)]
#[command(after_help = "Examples:
  gatepost passwords check --policy orders.toml                       # asks for the password
  gatepost passwords check --user alice --policy orders.toml < password.txt
  gatepost passwords build-filter breached.txt -o breached.filter
  zcat hibp-sha1.txt.gz | gatepost passwords build-filter - --at-least 10 -o breached.filter

Exit codes: 0 done, or the password keeps all rules; 1 an error; 3 it breaks some.")]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Say which rules of a policy a password from a prompt or stdin breaks; changes nothing
    Check {
        /// The policy with the rules
        #[arg(long, value_name = "POLICY")]
        policy: PathBuf,
        /// As the new password of this user: not the own name, none of the last ones
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the file that `[password] breached` names of a list of breached passwords
    #[command(after_help = "\
The list has a password a line, or lines like 0018A45C4D1DEF81644B54AB7F969B88D65B1234:7: a SHA-1 digest in hex and how
often it was seen, as Have I Been Pwned hands them out. The first line decides, unless --form says it.

Every password of the list is found; of others one in 65,536 is taken for one of them. The file has 2.3 bytes an entry.
Making it takes about 44 bytes of memory an entry.")]
    BuildFilter {
        /// The list; `-` for stdin
        list: PathBuf,
        /// The file to write; what it held before stays until the new one is whole
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// What each line is
        #[arg(long, value_enum, default_value_t = Lines::Auto)]
        form: Lines,
        /// Leave out digests that were seen less often
        #[arg(long, value_name = "TIMES", default_value_t = 0)]
        at_least: u64,
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
}

/// What each line of a list is.
#[derive(Clone, Copy, ValueEnum)]
enum Lines {
    /// As the first line looks
    Auto,
    /// A password
    Passwords,
    /// A SHA-1 digest, perhaps with a count
    Sha1,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    match &arguments.command {
        Command::Check { policy, user, json } => check(policy, user.as_deref(), *json),
        Command::BuildFilter { list, output, form, at_least, json } => {
            let form = match form {
                Lines::Auto => None,
                Lines::Passwords => Some(Form::Password),
                Lines::Sha1 => Some(Form::Sha1),
            };
            build_filter(list, output, Build { form, least: *at_least }, *json)
        }
    }
}

fn check(policy: &Path, user: Option<&str>, json: bool) -> Outcome {
    // Without a user there is no state to ask.
    let (engine, _) = open::read_only_quietly(policy, None)?;
    let held = Held::of(&engine)?;
    let typed = secret::read("Password: ")?;
    let broken = held.admin().broken_rules(user, &typed)?;
    if json {
        let rules: Vec<_> = broken.iter().map(|b| json!({ "rule": b.rule.name(), "why": b.why })).collect();
        output::print_json(&json!({ "accepted": broken.is_empty(), "broken": rules }))?;
    } else if broken.is_empty() {
        output::print("The password keeps all rules.\n")?;
    } else {
        let lines: String = broken.iter().map(|b| format!("It {}.\n", output::visible(&b.why))).collect();
        output::print(&lines)?;
    }
    Ok(if broken.is_empty() { output::DONE } else { output::REFUSED })
}

fn build_filter(list: &Path, target: &Path, how: Build, json: bool) -> Outcome {
    let about = |error: String| Failure::new(format!("{}: {error}", list.display()));
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    // Told before the long work, not after it.
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", target.display())))?;
    let mut reader: Box<dyn BufRead> = if list == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = open_list(list).map_err(about)?;
        Box::new(BufReader::with_capacity(1 << 16, opened))
    };
    let built = build(&mut reader, how).map_err(about)?;
    write(&mut file, &built)
        .and_then(|()| file.persist(target).map_err(|error| error.error))
        .map_err(|error| Failure::new(format!("{} cannot be written: {error}", target.display())))?;
    let (entries, bytes) = (built.filter.entries(), built.filter.size());
    let form = match built.form {
        Form::Password => "passwords",
        Form::Sha1 => "sha1",
    };
    if json {
        output::print_json(&json!({
            "file": target.to_string_lossy(), "bytes": bytes, "entries": entries, "form": form, "lines": built.lines,
            "repeated": built.repeated, "unusable": built.unusable, "seldom": built.seldom,
        }))?;
        return Ok(output::DONE);
    }
    let left_out = [
        (built.repeated, "repeat another line"),
        (built.unusable, "can be no password"),
        (built.seldom, "were seen less often"),
    ];
    let left_out = left_out.iter().filter(|(count, _)| *count > 0).map(|(count, why)| format!(", {count} {why}"));
    output::print(&format!(
        "Wrote {}: {entries} passwords in {bytes} bytes, of {} lines read as {form}{}.\n",
        output::visible(&target.display().to_string()),
        built.lines,
        left_out.collect::<String>()
    ))?;
    Ok(output::DONE)
}

/// Opens a list that has an end: a file or a pipe.
fn open_list(list: &Path) -> Result<File, String> {
    use std::os::unix::fs::FileTypeExt;
    let unreadable = |error: std::io::Error| format!("it cannot be read: {error}");
    // Before it is opened, which does things to some devices.
    let kind = std::fs::metadata(list).map_err(unreadable)?.file_type();
    if !(kind.is_file() || kind.is_fifo()) {
        return Err("it is neither a file nor a pipe: name the file with the list, or `-` for stdin".to_owned());
    }
    File::open(list).map_err(unreadable)
}

fn write(file: &mut tempfile::NamedTempFile, built: &Built) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mut out = BufWriter::new(file.as_file_mut());
    built.filter.write(&mut out)?;
    out.flush()?;
    drop(out);
    // The server may run as another user, and there is no secret in it.
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
    file.as_file().sync_all()
}
