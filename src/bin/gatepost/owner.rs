//! Whose the files of a state are. What root makes in the folder of a server's user, that server cannot write: it then
//! refuses every request.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use gatepost::policy::Policy;
use gatepost::policy::model::{EventSink, StateLocation};

use crate::output;

/// Notes the files of a policy's state and events that belong to root in somebody else's folder. SQLite's own two go
/// when the last process lets go of the state, so they count only where `all` are asked for.
pub fn note(policy: &Policy, all: bool) {
    let mut files = Vec::new();
    if let StateLocation::File(state) = &policy.state {
        let ends = ["", "-epoch", "-proofs", "-throttle", "-wal", "-shm"];
        let ends = ends.iter().take(if all { ends.len() } else { 4 });
        files.extend(ends.map(|end| with_end(state, end)));
    }
    if let EventSink::File(log) = &policy.events.sink {
        files.push(log.clone());
    }
    let mut owners: BTreeMap<(u32, u32), Vec<PathBuf>> = BTreeMap::new();
    for file in files {
        if let Some(owner) = owner_of_folder(&file) {
            // The line is run from anywhere.
            owners.entry(owner).or_default().push(std::path::absolute(&file).unwrap_or(file));
        }
    }
    for (owner, files) in owners {
        output::note(&text(owner, &files));
    }
}

/// User and group of the folder, where the file belongs to root and the folder to somebody else.
fn owner_of_folder(file: &Path) -> Option<(u32, u32)> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (file, folder) = (file.metadata().ok()?, folder.metadata().ok()?);
    (file.uid() == 0 && folder.uid() != 0).then(|| (folder.uid(), folder.gid()))
}

fn text((uid, gid): (u32, u32), files: &[PathBuf]) -> String {
    let user = name("/etc/passwd", uid);
    let named: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let quoted: Vec<String> = named.iter().map(|file| quoted(file)).collect();
    format!(
        "{} {} to root, in a folder of {user}: a server that runs as {user} cannot write there and refuses every \
         request; run: chown {user}:{} {}",
        named.join(" and "),
        if files.len() == 1 { "belongs" } else { "belong" },
        name("/etc/group", gid),
        quoted.join(" ")
    )
}

/// By the system's own list, or the number, which `chown` takes as well.
fn name(list: &str, id: u32) -> String {
    let text = std::fs::read_to_string(list).unwrap_or_default();
    let found = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    found.unwrap_or_else(|| id.to_string())
}

/// As a shell takes it for one word.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:@%,".contains(c);
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_to_run_is_one_that_a_shell_takes() {
        let of = |uid, files: &[&str]| text((uid, uid), &files.iter().map(PathBuf::from).collect::<Vec<_>>());
        let one = of(4_000_000_000, &["/srv/it's here/a.db"]);
        assert!(one.contains("belongs to root, in a folder of 4000000000"), "{one}");
        assert!(one.ends_with(r"run: chown 4000000000:4000000000 '/srv/it'\''s here/a.db'"), "{one}");
        let two = of(0, &["a.db", "a.db-epoch"]);
        assert!(two.starts_with("a.db and a.db-epoch belong to root, in a folder of root"), "{two}");
        assert!(two.ends_with("run: chown root:root a.db a.db-epoch"), "{two}");
    }
}
