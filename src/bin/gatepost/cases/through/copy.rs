//! A copy of a policy whose state is a temporary file, in a folder of its own where the files beside the policy are too:
//! the program's engine opens it as any other, and the policy in use is never touched.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use toml::de::{DeTable, DeValue};

use super::super::format::PolicySource;
use super::super::run::Folder;

const POLICY: &str = "gatepost-case.toml";

/// The copy; it is gone with this.
#[derive(Debug)]
pub struct PolicyCopy {
    folder: TempDir,
    state: PathBuf,
    _kept: TempDir,
}

impl PolicyCopy {
    /// Of the policy that a case file names or holds.
    pub fn new(source: &PolicySource, folder: &Folder) -> Result<PolicyCopy, String> {
        let made = || tempfile::Builder::new().prefix("gatepost-cases-").tempdir();
        let failed = |error: std::io::Error| format!("no temporary folder could be made: {error}");
        let (here, kept) = (made().map_err(failed)?, made().map_err(failed)?);
        let copy = PolicyCopy { state: kept.path().join("gatepost.db"), folder: here, _kept: kept };
        copy.replace(source, folder)?;
        Ok(copy)
    }

    /// The state.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The policy.
    pub fn policy(&self) -> PathBuf {
        self.folder.path().join(POLICY)
    }

    /// Writes another policy in its place; one that cannot be read cannot be read there either.
    pub fn replace(&self, source: &PolicySource, folder: &Folder) -> Result<PathBuf, String> {
        let path = self.policy();
        let (text, beside) = match source {
            PolicySource::Path(name) => {
                let original = folder.path_of(name);
                let Ok(text) = std::fs::read(&original) else {
                    let _ = std::fs::remove_file(&path);
                    return Ok(path);
                };
                (String::from_utf8_lossy(&text).into_owned(), super::folder_of(&original).to_owned())
            }
            PolicySource::Text(text) => (text.clone(), super::folder_of(&folder.path_of("policy")).to_owned()),
        };
        self.link(&beside)?;
        std::fs::write(&path, with_state(&text, &self.state))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }

    /// Links to what is beside the policy, for the files that it names.
    fn link(&self, beside: &Path) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{}: {error}", beside.display());
        let beside = beside.canonicalize().map_err(failed)?;
        for entry in std::fs::read_dir(&beside).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let link = self.folder.path().join(entry.file_name());
            if !link.exists() && entry.file_name() != POLICY {
                let _ = std::fs::remove_file(&link);
                symlink(entry.path(), &link).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// The text of a policy with `[engine] state` naming `state`. A text that is no TOML stays as it is: it does not load.
fn with_state(text: &str, state: &Path) -> String {
    let value = toml::Value::String(state.display().to_string()).to_string();
    let Ok(document) = DeTable::parse(text) else { return text.to_owned() };
    let engine = document.get_ref().iter().find(|(name, _)| name.get_ref() == "engine").map(|(_, value)| value);
    let at = |place: usize| (text.get(..place).unwrap_or_default(), text.get(place..).unwrap_or_default());
    let Some(engine) = engine else { return format!("{}\n[engine]\nstate = {value}\n", text.trim_end()) };
    let DeValue::Table(members) = engine.get_ref() else { return text.to_owned() };
    if let Some((_, old)) = members.iter().find(|(name, _)| name.get_ref() == "state") {
        let (span, (before, _)) = (old.span(), at(old.span().start));
        return format!("{before}{value}{}", at(span.end).1);
    }
    let span = engine.span();
    match at(span.start).1.chars().next() {
        Some('[') => format!("{}\nstate = {value}{}", at(span.end).0, at(span.end).1),
        Some('{') => format!("{}state = {value}, {}", at(span.start + 1).0, at(span.start + 1).1),
        _ => format!("engine.state = {value}\n{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_written_into_every_form_of_a_policy() {
        let forms = [
            "[[route]]\npath = \"/\"\n",
            "[engine]\nname = \"x\"\n[[route]]\npath = \"/\"\n",
            "[engine] # words\n[[route]]\npath = \"/\"\n",
            "[engine]\nstate = \":memory:\"\nname = \"x\"\n",
            "engine = { name = \"x\" }\n",
            "engine = { state = 'a' }\n",
            "engine.name = \"x\"\n[[route]]\npath = \"/\"\n",
            "# words\n[[route]]\npath = \"/\"\n[engine]\n",
            "[engine]",
        ];
        for form in forms {
            let text = with_state(form, Path::new("/tmp/a \"b\"/s.db"));
            let read: toml::Table = text.parse().unwrap_or_else(|error| panic!("{form}: {error}\n{text}"));
            assert_eq!(read["engine"]["state"].as_str(), Some("/tmp/a \"b\"/s.db"), "{form}");
            let mut before: toml::Table = form.parse().unwrap();
            let engine = before.entry("engine").or_insert(toml::Value::Table(toml::Table::new()));
            engine.as_table_mut().unwrap().insert("state".to_owned(), "/tmp/a \"b\"/s.db".into());
            assert_eq!(read, before, "{form}");
        }
        assert_eq!(with_state("[engine", Path::new("/s")), "[engine");
    }
}
