//! What is added to a file, as it comes: also after it was moved away and made anew, or truncated.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Reads on behind a place in a file.
pub struct Follower {
    path: PathBuf,
    open: Option<(File, u64)>,
    /// Where the next byte is.
    at: u64,
    /// A line that is not whole yet.
    begun: Vec<u8>,
}

impl Follower {
    /// Reads on behind `at` in this file, which was at this path when it was opened. Without one it is waited for.
    pub fn new(path: &Path, file: Option<File>, at: u64) -> Follower {
        let open = file.and_then(|file| Some((file.metadata().ok()?.ino(), file))).map(|(inode, file)| (file, inode));
        Follower { path: path.to_owned(), open, at, begun: Vec::new() }
    }

    /// The whole lines that came since the last call.
    pub fn lines(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut lines = Vec::new();
        loop {
            self.read(&mut lines)?;
            // What was written before it was moved away was read above; now the new one, from its beginning.
            let now = std::fs::metadata(&self.path).ok().map(|data| data.ino());
            let is_same = match (&self.open, now) {
                (Some((_, inode)), Some(now)) => *inode == now,
                (_, None) => true,
                (None, Some(_)) => false,
            };
            if is_same {
                return Ok(lines);
            }
            self.read(&mut lines)?;
            (self.open, self.at) = (open(&self.path), 0);
            self.begun.clear();
        }
    }

    fn read(&mut self, lines: &mut Vec<Vec<u8>>) -> io::Result<()> {
        let Some((file, _)) = &self.open else { return Ok(()) };
        if file.metadata()?.len() < self.at {
            self.at = 0;
            self.begun.clear();
        }
        let mut block = vec![0; 64 * 1024];
        loop {
            let read = file.read_at(&mut block, self.at)?;
            if read == 0 {
                return Ok(());
            }
            self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(0));
            for piece in block.get(..read).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
                self.begun.extend_from_slice(piece);
                if self.begun.pop_if(|last| *last == b'\n').is_some() {
                    lines.push(std::mem::take(&mut self.begun));
                }
            }
        }
    }
}

fn open(path: &Path) -> Option<(File, u64)> {
    let file = File::open(path).ok()?;
    let inode = file.metadata().ok()?.ino();
    Some((file, inode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_read_on_over_a_move_and_a_truncation_and_only_when_they_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, "old\n").unwrap();
        let mut follower = Follower::new(&path, File::open(&path).ok(), 4);
        let mut next = || -> Vec<String> {
            follower.lines().unwrap().into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
        };
        let append = |text: &str| {
            File::options().append(true).create(true).open(&path).unwrap().write_all(text.as_bytes()).unwrap();
        };
        // It may be moved before anybody looks.
        std::fs::rename(&path, folder.path().join("log.0")).unwrap();
        append("first\n");
        assert_eq!(next(), ["first"]);
        append("a\nb");
        assert_eq!(next(), ["a"]);
        append("c\n");
        assert_eq!(next(), ["bc"]);
        append("before\n");
        std::fs::rename(&path, folder.path().join("log.1")).unwrap();
        assert_eq!(next(), ["before"]);
        append("after\n");
        assert_eq!(next(), ["after"]);
        File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        append("x\n");
        assert_eq!(next(), ["x"]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(next(), Vec::<String>::new());
        append("new\n");
        assert_eq!(next(), ["new"]);
    }
}
