//! Two counters in a small file that several processes map: what one of them stores, the others read in nanoseconds.
//!
//! The file must not be truncated while it is mapped: a read would then end the process with SIGBUS, as with the
//! shared-memory file of SQLite beside it. [`MappedPair::is_at`] notices that too, but only where it is asked in time.
//! Replacing or deleting it is fine.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags};

use super::copies::{self, Mark};
use super::descriptor::above_standard;
use super::fork::fork_generation;

/// "GPEPOCH" and a NUL.
const MAGIC: u64 = u64::from_be_bytes(*b"GPEPOCH\0");
/// Format of what follows the magic number.
const FORMAT: u64 = 1;
/// Size of the file: one page of every common architecture's least size.
const SIZE: usize = 4096;

/// What the file begins with. Any bytes are valid values of it.
#[repr(C)]
struct Layout {
    magic: AtomicU64,
    format: AtomicU64,
    first: AtomicU64,
    second: AtomicU64,
}

/// Which file: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// The file at this path now, following links.
    pub fn of(path: &Path) -> io::Result<FileId> {
        std::fs::metadata(path).map(|data| FileId::from(&data))
    }
}

impl From<&std::fs::Metadata> for FileId {
    fn from(data: &std::fs::Metadata) -> FileId {
        FileId { device: data.dev(), inode: data.ino() }
    }
}

/// A mapped file with two counters.
#[derive(Debug)]
pub struct MappedPair {
    base: NonNull<Layout>,
    id: FileId,
    /// Kept open for the mark on it.
    file: File,
    mark: Option<Mark>,
    /// The process that made it.
    process: u64,
}

// SAFETY: the mapping belongs to this value alone until it is dropped, and everything in it is reached by shared
// reference to atomics.
unsafe impl Send for MappedPair {}
// SAFETY: as above; atomics may be used from any number of threads.
unsafe impl Sync for MappedPair {}

impl MappedPair {
    /// Maps the file, which is made with mode 0600 where it is absent. A new file, or one that is all zero after a power
    /// cut, gets `start` in both counters. The caller keeps other processes from opening it at the same time.
    ///
    /// A file that is something else is an error of kind `InvalidData` and stays as it is. One that another copy of the
    /// library in this process has open is an error of kind `ResourceBusy`.
    pub fn open(path: &Path, start: u64) -> io::Result<MappedPair> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let file = File::from(above_standard(file.into())?);
        let data = file.metadata()?;
        if !data.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a regular file"));
        }
        if data.len() != 0 && data.len() != SIZE as u64 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a change counter"));
        }
        // Room on the disk now, not a SIGBUS at the first store.
        if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, SIZE as u64).is_err() {
            file.set_len(SIZE as u64)?;
        }
        let (id, mark) = (FileId::from(&data), copies::mark(&file)?);
        let pair = MappedPair { base: map(&file)?, id, file, mark, process: fork_generation() };
        let layout = pair.layout();
        match (layout.magic.load(Ordering::Acquire), layout.format.load(Ordering::Acquire)) {
            (MAGIC, FORMAT) => {}
            (0, 0) => {
                layout.first.store(start, Ordering::SeqCst);
                layout.second.store(start, Ordering::SeqCst);
                layout.format.store(FORMAT, Ordering::SeqCst);
                layout.magic.store(MAGIC, Ordering::SeqCst);
            }
            (MAGIC, _) => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is of another version")),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a change counter")),
        }
        Ok(pair)
    }

    /// As [`MappedPair::open`]; a file that this makes belongs to whom the file at `like` belongs to and has its mode,
    /// as SQLite does with what it makes beside a database. Otherwise an administrator's command run as root would shut
    /// the server out.
    pub fn open_like(path: &Path, like: &Path, start: u64) -> io::Result<MappedPair> {
        // Never through a link: what is made here is given away.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(made) => {
                let like = std::fs::metadata(like)?;
                // Only root can, and only for root does it matter.
                let _ = fchown(&made, Some(like.uid()), Some(like.gid()));
                made.set_permissions(std::fs::Permissions::from_mode(like.mode() & 0o666))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        MappedPair::open(path, start)
    }

    /// The first counter.
    pub fn first(&self) -> &AtomicU64 {
        &self.layout().first
    }

    /// The second counter.
    pub fn second(&self) -> &AtomicU64 {
        &self.layout().second
    }

    /// The file that is mapped is still the one at this path, and whole.
    pub fn is_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|data| FileId::from(&data) == self.id && data.len() >= SIZE as u64)
    }

    fn layout(&self) -> &Layout {
        // SAFETY: `base` points to a mapping of SIZE bytes, page-aligned and larger than the layout, that lives until
        // `self` is dropped; all fields are atomics, so changes by other processes are allowed.
        unsafe { self.base.as_ref() }
    }
}

impl Drop for MappedPair {
    fn drop(&mut self) {
        // A child has the same open file: what it takes away would be its parent's.
        if let Some(mark) = self.mark.as_ref().filter(|_| self.process == fork_generation()) {
            copies::remove(&self.file, mark);
        }
        // SAFETY: this value made the mapping of SIZE bytes at `base`, and no reference into it outlives the value.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), SIZE) };
    }
}

fn map(file: &File) -> io::Result<NonNull<Layout>> {
    // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of ours.
    let address = unsafe {
        rustix::mm::mmap(std::ptr::null_mut(), SIZE, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, 0)
    }?;
    NonNull::new(address.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_mappings_of_one_file_share_their_counters_and_a_new_file_starts_where_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x-epoch");
        let one = MappedPair::open(&path, 77).unwrap();
        let two = MappedPair::open(&path, 5).unwrap();
        assert_eq!(two.first().load(Ordering::Acquire), 77, "the second start is not taken");
        one.second().store(78, Ordering::SeqCst);
        assert_eq!(two.second().load(Ordering::Acquire), 78);
        let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
        assert_eq!(mode, 0o600);
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

    #[test]
    fn a_deleted_or_replaced_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x-epoch");
        let pair = MappedPair::open(&path, 1).unwrap();
        assert!(pair.is_at(&path));
        std::fs::remove_file(&path).unwrap();
        assert!(!pair.is_at(&path));
        let other = MappedPair::open(&path, 9).unwrap();
        assert!(!pair.is_at(&path) && other.is_at(&path));
        assert_eq!(pair.first().load(Ordering::Acquire), 1, "the old mapping stays readable");
    }

    #[test]
    fn a_file_that_is_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x-epoch");
        let mut newer = vec![0u8; SIZE];
        newer[..8].copy_from_slice(&MAGIC.to_ne_bytes());
        newer[8] = 2;
        for content in [b"somebody's notes".to_vec(), vec![7; SIZE], newer] {
            std::fs::write(&path, &content).unwrap();
            assert_eq!(MappedPair::open(&path, 1).unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        std::fs::write(&path, vec![0; SIZE]).unwrap();
        assert_eq!(MappedPair::open(&path, 3).unwrap().first().load(Ordering::Acquire), 3, "zeros are a new file");
    }
}
