//! Users as text: the lines of htpasswd, and JSON Lines with all that is known of a user. Text in, text out; who may be
//! taken is decided elsewhere.

use serde::{Deserialize, Serialize};

use crate::crypto::password;
use crate::state::User;

/// Unix seconds up to the end of the year 9999.
const TIMES: std::ops::RangeInclusive<i64> = 0..=253_402_300_799;

/// How users are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `name:hash`, as Apache and nginx read it.
    Htpasswd,
    /// One JSON object a line, with roles and all else.
    Json,
}

/// A user as a line has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) name: String,
    #[serde(default)]
    pub(super) hash: Option<String>,
    /// Left out: the line says nothing of roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) roles: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) disabled: Option<bool>,
    /// Unix seconds, as below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) created_at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password_changed_at: Option<i64>,
    /// Another program's line, not one of our own.
    #[serde(skip)]
    pub(super) foreign: bool,
}

/// The lines that hold a user, with their numbers; an error says why a line cannot be read.
pub(super) fn read(text: &[u8], format: Option<Format>) -> Vec<(usize, Result<Line, String>)> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let held = lines.enumerate().map(|(index, line)| (index.saturating_add(1), line.trim_ascii()));
    let mut format = format;
    let mut read = Vec::new();
    for (number, line) in held.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#")) {
        let format = *format.get_or_insert(if line.starts_with(b"{") { Format::Json } else { Format::Htpasswd });
        let line = std::str::from_utf8(line)
            .map_err(|_| "is not UTF-8: convert the file, for example with `iconv -f latin1 -t utf-8`".to_owned())
            .and_then(|line| match format {
                Format::Htpasswd => read_htpasswd(line),
                Format::Json => read_json(line),
            });
        read.push((number, line));
    }
    read
}

/// `name:hash`. What follows a second colon is a comment, or the rest of a line of /etc/shadow; but some hashes have
/// colons in them.
fn read_htpasswd(line: &str) -> Result<Line, String> {
    let (name, rest) = line.split_once(':').ok_or("has no colon between a name and a password hash")?;
    let hash = match rest.split_once(':') {
        Some((front, _)) if password::work(rest).is_none() => front,
        _ => rest,
    };
    Ok(Line { name: name.to_owned(), hash: Some(hash.to_owned()), foreign: true, ..Line::default() })
}

fn read_json(line: &str) -> Result<Line, String> {
    let read: Line = serde_json::from_str(line).map_err(|error| {
        // Its words may hold what a member holds; the place is enough to find it.
        let what = match error.classify() {
            serde_json::error::Category::Data => {
                "is not a user: it knows name, hash, roles, disabled, created_at and password_changed_at (Unix seconds), each once"
            }
            _ => "is not JSON",
        };
        format!("{what} (column {})", error.column())
    })?;
    match [read.created_at, read.password_changed_at].into_iter().flatten().all(|at| TIMES.contains(&at)) {
        true => Ok(read),
        false => Err("has a time that lies outside the years 1970 to 9999".to_owned()),
    }
}

/// A user as one line with its end. The reason where this format cannot hold it.
pub(super) fn write(user: &User, format: Format) -> Result<String, &'static str> {
    match format {
        Format::Htpasswd => match &user.hash {
            // A comment for who reads the file; and a first line like this makes ours take it for JSON.
            Some(_) if user.name.starts_with(['#', '{']) => {
                Err("has a name that starts with # or {, which readers of htpasswd take for something else")
            }
            None => Err("has no password, which htpasswd cannot say"),
            Some(_) if user.disabled => Err("is disabled, which htpasswd cannot say: it could log in again"),
            Some(hash) => Ok(format!("{}:{hash}\n", user.name)),
        },
        Format::Json => {
            let line = Line {
                name: user.name.clone(),
                hash: user.hash.clone(),
                roles: Some(user.roles.clone()),
                disabled: Some(user.disabled),
                created_at: Some(user.created_at),
                password_changed_at: user.password_changed_at,
                foreign: false,
            };
            serde_json::to_string(&line).map(|line| format!("{line}\n")).map_err(|_| "cannot be written as JSON")
        }
    }
}
