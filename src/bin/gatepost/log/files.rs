//! The events file and what was moved away from it, and their lines from the end.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// So much is read at once.
const BLOCK: u64 = 64 * 1024;
/// No line of ours is so long; what is, is passed by in pieces.
const LONGEST: usize = 1024 * 1024;
/// Endings of files that were packed, which are not read.
const PACKED: [&str; 5] = [".gz", ".xz", ".bz2", ".zst", ".lz4"];

/// The file and those that were moved away from it (`logrotate` puts a number or a date behind the name), oldest first.
/// Packed ones are left out.
pub fn all(file: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(i64, PathBuf)> = moved_away(file)
        .into_iter()
        .filter(|path| !is_packed(path))
        .filter_map(|path| Some((std::fs::metadata(&path).ok()?.mtime(), path)))
        .collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).chain(file.exists().then(|| file.to_owned())).collect()
}

/// How many were packed since.
pub fn packed(file: &Path) -> usize {
    moved_away(file).iter().filter(|path| is_packed(path)).count()
}

fn moved_away(file: &Path) -> Vec<PathBuf> {
    let (Some(name), Some(folder)) = (file.file_name().and_then(|name| name.to_str()), file.parent()) else {
        return Vec::new();
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let is_ours = |entry: &std::fs::DirEntry| {
        let other = entry.file_name();
        let rest = other.to_str().and_then(|other| other.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['.', '-']) && rest.get(1..2).is_some_and(|c| c.parse::<u8>().is_ok()))
    };
    entries.flatten().filter(is_ours).map(|entry| folder.join(entry.file_name())).collect()
}

fn is_packed(path: &Path) -> bool {
    path.to_str().is_some_and(|path| PACKED.iter().any(|ending| path.ends_with(ending)))
}

/// The lines of a file, the last first, as far as the file reached when it was opened.
pub struct Backwards {
    file: File,
    /// Where what was not read yet ends.
    left: u64,
    /// What was read and not handed out: ends with a whole line, and may begin within one.
    held: Vec<u8>,
}

impl Backwards {
    /// Opens it; how far it reaches comes with it.
    pub fn open(path: &Path) -> io::Result<(Backwards, u64)> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok((Backwards { file, left: length, held: Vec::new() }, length))
    }

    /// The file that is open, whatever becomes of its name.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    fn more(&mut self) -> io::Result<()> {
        let from = self.left.saturating_sub(BLOCK);
        let mut block = vec![0; usize::try_from(self.left.saturating_sub(from)).unwrap_or(0)];
        self.file.read_exact_at(&mut block, from)?;
        block.append(&mut self.held);
        self.held = block;
        self.left = from;
        Ok(())
    }
}

impl Iterator for Backwards {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<io::Result<Vec<u8>>> {
        loop {
            if self.held.last() == Some(&b'\n') {
                self.held.pop();
            }
            let start = self.held.iter().rposition(|byte| *byte == b'\n').map(|at| at.saturating_add(1));
            match start {
                Some(start) => {
                    let line = self.held.split_off(start);
                    if !line.is_empty() {
                        return Some(Ok(line));
                    }
                }
                None if self.left == 0 => {
                    let line = std::mem::take(&mut self.held);
                    return if line.is_empty() { None } else { Some(Ok(line)) };
                }
                None => {
                    if self.held.len() > LONGEST {
                        return Some(Ok(std::mem::take(&mut self.held)));
                    }
                    // A line break that was taken off above is no part of what is held.
                    if let Err(error) = self.more() {
                        self.left = 0;
                        self.held.clear();
                        return Some(Err(error));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backwards(content: &[u8]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, content).unwrap();
        let lines = Backwards::open(&path).unwrap().0.map(|line| String::from_utf8(line.unwrap()).unwrap());
        lines.collect()
    }

    #[test]
    fn lines_come_out_from_the_last_to_the_first() {
        assert_eq!(backwards(b""), Vec::<String>::new());
        assert_eq!(backwards(b"a"), ["a"]);
        assert_eq!(backwards(b"a\nbc\n"), ["bc", "a"]);
        assert_eq!(backwards(b"a\n\n\nbc"), ["bc", "a"]);
        for length in [1, 100, 65_535, 65_536, 65_537, 200_000] {
            let lines: Vec<String> = (0..5).map(|n| n.to_string().repeat(length)).collect();
            let mut found = backwards(format!("{}\n", lines.join("\n")).as_bytes());
            found.reverse();
            assert_eq!(found, lines, "{length}");
        }
    }

    #[test]
    fn what_logrotate_moved_away_is_found_oldest_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("log.jsonl");
        for (age, name) in [(3, "log.jsonl.2"), (2, "log.jsonl-20261123"), (1, "log.jsonl.1"), (0, "log.jsonl")] {
            let path = folder.path().join(name);
            std::fs::write(&path, "x").unwrap();
            let when = std::time::SystemTime::now() - std::time::Duration::from_secs(age * 86_400);
            File::options().write(true).open(&path).unwrap().set_modified(when).unwrap();
        }
        for other in ["log.jsonl.3.gz", "log.jsonl.bak", "log.jsonl.swp", "other.jsonl.1", "log.json"] {
            std::fs::write(folder.path().join(other), "x").unwrap();
        }
        let names: Vec<_> = all(&file).iter().map(|p| p.file_name().unwrap().to_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["log.jsonl.2", "log.jsonl-20261123", "log.jsonl.1", "log.jsonl"]);
        assert_eq!(packed(&file), 1);
    }
}
