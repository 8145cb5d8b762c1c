//! Two counters in a small file that several processes map: what one of them stores, the others read in nanoseconds.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::copies::{self, Mark};
use super::fork::fork_generation;
use super::words::{Kind, MappedWords};

const KIND: Kind = Kind { magic: u64::from_be_bytes(*b"GPEPOCH\0"), format: 1, what: "change counter" };
/// Size of the file in words: one page of every common architecture's least size.
const WORDS: usize = 512;

/// A mapped file with two counters.
#[derive(Debug)]
pub struct MappedPair {
    words: MappedWords<WORDS>,
    /// Kept open for the mark on it.
    file: File,
    mark: Option<Mark>,
    /// The process that made it.
    process: u64,
}

impl MappedPair {
    /// Maps the file, which is made where it is absent; the file at `like` lends a new one its owner and mode. A new
    /// file, or one that is all zero after a power cut, gets `start` in both counters. The caller keeps other processes
    /// from opening it at the same time.
    ///
    /// A file that is something else is an error of kind `InvalidData` and stays as it is. One that another copy of the
    /// library in this process has open is an error of kind `ResourceBusy`.
    pub fn open_like(path: &Path, like: &Path, start: u64) -> io::Result<MappedPair> {
        let (words, file) =
            MappedWords::open_like(path, like, KIND, |[_, _, first, second, ..]: &[AtomicU64; WORDS]| {
                first.store(start, Ordering::SeqCst);
                second.store(start, Ordering::SeqCst);
                Ok(())
            })?;
        let mark = copies::mark(&file)?;
        Ok(MappedPair { words, file, mark, process: fork_generation() })
    }

    /// The first counter.
    pub fn first(&self) -> &AtomicU64 {
        let [_, _, first, ..] = self.words.words();
        first
    }

    /// The second counter.
    pub fn second(&self) -> &AtomicU64 {
        let [_, _, _, second, ..] = self.words.words();
        second
    }

    /// The file that is mapped is still the one at this path, and whole.
    pub fn is_at(&self, path: &Path) -> bool {
        self.words.is_at(path)
    }
}

impl Drop for MappedPair {
    fn drop(&mut self) {
        // A child has the same open file: what it takes away would be its parent's.
        if let Some(mark) = self.mark.as_ref().filter(|_| self.process == fork_generation()) {
            copies::remove(&self.file, mark);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn two_mappings_of_one_file_share_their_counters_and_a_new_file_starts_where_told() {
        let folder = tempfile::tempdir().unwrap();
        let (path, like) = (folder.path().join("x-epoch"), folder.path().join("x"));
        std::fs::write(&like, "").unwrap();
        let one = MappedPair::open_like(&path, &like, 77).unwrap();
        let two = MappedPair::open_like(&path, &like, 5).unwrap();
        assert_eq!(two.first().load(Ordering::Acquire), 77, "the second start is not taken");
        one.second().store(78, Ordering::SeqCst);
        assert_eq!(two.second().load(Ordering::Acquire), 78);
    }

    #[test]
    fn a_new_file_has_owner_and_mode_of_the_one_beside_it_and_an_old_one_keeps_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let (path, like) = (folder.path().join("x-epoch"), folder.path().join("x"));
        std::fs::write(&like, "").unwrap();
        std::fs::set_permissions(&like, std::fs::Permissions::from_mode(0o660)).unwrap();
        let root = rustix::process::geteuid().is_root();
        if root {
            std::os::unix::fs::chown(&like, Some(65_534), Some(65_533)).unwrap();
        }
        let facts = |path: &Path| {
            let data = std::fs::metadata(path).unwrap();
            (data.uid(), data.gid(), data.mode() & 0o777)
        };
        MappedPair::open_like(&path, &like, 1).unwrap();
        assert_eq!(facts(&path), facts(&like));
        assert_eq!(facts(&path).2, 0o660);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        MappedPair::open_like(&path, &like, 1).unwrap();
        assert_eq!(facts(&path).2, 0o600);
        // A link that waits there is not followed to make something elsewhere.
        std::fs::remove_file(&path).unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, "").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let before = facts(&elsewhere);
        let _ = MappedPair::open_like(&path, &like, 1);
        assert_eq!(facts(&elsewhere), before);
    }
}
