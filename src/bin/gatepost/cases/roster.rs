//! The steps `user.import` and `user.export`.

use std::fmt;

use gatepost::admin::{Admin, Format, Import};
use serde_json::Value;

use super::format;
use super::json::{self, Members};
use super::matcher::{self, Names, Saved};
use super::run::Folder;

/// `user.import`.
#[derive(Clone, Debug)]
pub struct ImportStep {
    source: Source,
    format: Option<Format>,
    roles: Vec<String>,
    update: bool,
    force_hash: bool,
    skip: bool,
    dry_run: bool,
}

#[derive(Clone, Debug)]
enum Source {
    /// The lines themselves.
    Text(String),
    /// A file, relative to the case file.
    File(String),
}

/// `user.export`.
#[derive(Clone, Debug)]
pub struct ExportStep {
    format: Format,
    save: Option<String>,
}

impl ImportStep {
    /// Reads its members.
    pub fn read(members: &mut Members<'_>) -> Result<ImportStep, String> {
        let (text, file) = (members.string("text")?, members.string("file")?);
        let source = match (text, file) {
            (Some(text), None) => Source::Text(text.to_owned()),
            (None, Some(file)) => Source::File(file.to_owned()),
            _ => return Err(format!("{}: give \"text\" or \"file\"", members.at("text"))),
        };
        Ok(ImportStep {
            source,
            format: read_format(members)?,
            roles: members.strings("roles")?.unwrap_or_default(),
            update: members.flag("update")?,
            force_hash: members.flag("force_hash")?,
            skip: members.flag("skip")?,
            dry_run: members.flag("dry_run")?,
        })
    }

    /// The same with what was saved put in.
    pub fn filled(&self, saved: &Saved) -> Result<ImportStep, String> {
        let source = match &self.source {
            Source::Text(text) => Source::Text(matcher::fill(text, saved)?),
            Source::File(file) => Source::File(file.clone()),
        };
        let roles = self.roles.iter().map(|role| matcher::fill(role, saved)).collect::<Result<_, _>>()?;
        Ok(ImportStep { source, roles, ..self.clone() })
    }

    /// Does it; it fails where lines are in the way, and says which and why.
    pub fn run(&self, admin: &Admin<'_>, folder: &Folder) -> Result<(), String> {
        let text = match &self.source {
            Source::Text(text) => text.clone().into_bytes(),
            Source::File(file) => {
                std::fs::read(folder.path_of(file)).map_err(|error| format!("{file} cannot be read: {error}"))?
            }
        };
        let import = Import {
            text: &text,
            format: self.format,
            roles: &self.roles,
            update: self.update,
            force_hash: self.force_hash,
            skip: self.skip,
            dry_run: self.dry_run,
        };
        let report = admin.import(&import).map_err(|error| error.message().to_owned())?;
        if report.refused.is_empty() || self.skip {
            return Ok(());
        }
        let lines: Vec<String> =
            report.refused.iter().map(|r| format!("line {} ({}): {}", r.line, r.name, r.text)).collect();
        Err(lines.join("; "))
    }
}

impl ExportStep {
    /// Reads its members.
    pub fn read(members: &mut Members<'_>, names: &mut Names) -> Result<ExportStep, String> {
        let format = read_format(members)?.unwrap_or(Format::Json);
        let save = members.string("save")?.map(str::to_owned);
        if let Some(name) = &save {
            format::check_name(name, &members.at("save"))?;
            names.insert(name.clone());
        }
        Ok(ExportStep { format, save })
    }

    /// Does it, and keeps the file where the step asks for it.
    pub fn run(&self, admin: &Admin<'_>, saved: &mut Saved) -> Result<(), gatepost::error::Error> {
        let exported = admin.export(self.format)?;
        if let Some(name) = &self.save {
            saved.insert(name.clone(), exported.text.into_bytes());
        }
        Ok(())
    }
}

fn read_format(members: &mut Members<'_>) -> Result<Option<Format>, String> {
    let place = members.at("format");
    match members.get("format") {
        None => Ok(None),
        Some(Value::String(name)) if name == "htpasswd" => Ok(Some(Format::Htpasswd)),
        Some(Value::String(name)) if name == "json" => Ok(Some(Format::Json)),
        Some(other) => {
            Err(format!("{place}: \"htpasswd\" or \"json\" is wanted here, and it is {}", json::kind(other)))
        }
    }
}

impl fmt::Display for ImportStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Text(_) => f.write_str("user.import"),
            Source::File(file) => write!(f, "user.import {file}"),
        }
    }
}
