//! A file of words that several processes map: what one of them stores in an atomic, the others read in nanoseconds.
//!
//! The file must not be truncated while it is mapped: a read would then end the process with SIGBUS, as with the
//! shared-memory file of SQLite beside it. [`MappedWords::is_at`] notices that too, but only where it is asked in time.
//! Replacing or deleting it is fine.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use super::descriptor::above_standard;
use super::quiet::quietly;

/// What kind of file it is.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its first word.
    pub magic: u64,
    /// Its second word: the format of what follows.
    pub format: u64,
    /// What people call it.
    pub what: &'static str,
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

/// Unix seconds as half a word has them, up to the year 2106; never 0, which is a place where nothing is.
pub fn second(time: i64) -> Option<u32> {
    u32::try_from(time).ok().filter(|second| *second != 0)
}

/// A mapped file of `N` words.
#[derive(Debug)]
pub struct MappedWords<const N: usize> {
    base: NonNull<[AtomicU64; N]>,
    id: FileId,
}

// SAFETY: the mapping belongs to this value alone until it is dropped, and everything in it is reached by shared
// reference to atomics.
unsafe impl<const N: usize> Send for MappedWords<N> {}
// SAFETY: as above; atomics may be used from any number of threads.
unsafe impl<const N: usize> Sync for MappedWords<N> {}

impl<const N: usize> MappedWords<N> {
    const SIZE: usize = N * size_of::<AtomicU64>();

    /// Maps the file, which is made with mode 0600 where it is absent. A new file, or one that is all zero after a power
    /// cut, is handed to `begin`, which fills the words behind the first two. The caller keeps other processes from
    /// opening it at the same time. The open file comes too, for whoever has a use for it.
    ///
    /// A file that is something else, or a link, is an error of kind `InvalidData` and stays as it is.
    pub fn open(
        path: &Path,
        kind: Kind,
        begin: impl FnOnce(&[AtomicU64; N]) -> io::Result<()>,
    ) -> io::Result<(MappedWords<N>, File)> {
        let wrong = |what: String| Err(io::Error::new(io::ErrorKind::InvalidData, what));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600).custom_flags(libc::O_NOFOLLOW);
        let file = match options.open(path) {
            Err(error) if error.raw_os_error() == Some(libc::ELOOP) => return wrong("it is a link".to_owned()),
            opened => File::from(above_standard(opened?.into())?),
        };
        let data = file.metadata()?;
        if !data.is_file() {
            return wrong("it is not a regular file".to_owned());
        }
        if data.len() != 0 && data.len() != Self::SIZE as u64 {
            return wrong(format!("it is not a {}", kind.what));
        }
        // Room on the disk now, not a SIGBUS at the first store; and no SIGXFSZ where files may not be so long.
        quietly(|| {
            let had_room = fallocate(&file, FallocateFlags::empty(), 0, Self::SIZE as u64);
            settle_room(&file, (data.len(), Self::SIZE as u64), had_room)
        })?;
        let mapped = MappedWords { base: map(&file, Self::SIZE)?, id: FileId::from(&data) };
        let [magic, format, ..] = mapped.words().as_slice() else { return wrong("it has no room".to_owned()) };
        match (magic.load(Ordering::Acquire), format.load(Ordering::Acquire)) {
            // The magic number comes last: who is killed before it leaves a file that is begun anew.
            (0, of) if of == 0 || of == kind.format => {
                begin(mapped.words())?;
                format.store(kind.format, Ordering::SeqCst);
                magic.store(kind.magic, Ordering::SeqCst);
            }
            (begins, of) if begins == kind.magic && of == kind.format => {}
            (begins, _) if begins == kind.magic => return wrong("it is of another version".to_owned()),
            _ => return wrong(format!("it is not a {}", kind.what)),
        }
        Ok((mapped, file))
    }

    /// As [`MappedWords::open`]; a file that this makes belongs to whom the file at `like` belongs to and has its mode,
    /// as SQLite does with what it makes beside a database. Otherwise an administrator's command run as root would shut
    /// the server out.
    pub fn open_like(
        path: &Path,
        like: &Path,
        kind: Kind,
        begin: impl FnOnce(&[AtomicU64; N]) -> io::Result<()>,
    ) -> io::Result<(MappedWords<N>, File)> {
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
        MappedWords::open(path, kind, begin)
    }

    /// All words, with the two that say what it is.
    #[inline]
    pub fn words(&self) -> &[AtomicU64; N] {
        // SAFETY: `base` points to a mapping of N words, page-aligned, that lives until `self` is dropped; all of them
        // are atomics, so changes by other processes are allowed.
        unsafe { self.base.as_ref() }
    }

    /// The file that is mapped is still the one at this path, and whole.
    pub fn is_at(&self, path: &Path) -> bool {
        std::fs::symlink_metadata(path)
            .is_ok_and(|data| FileId::from(&data) == self.id && data.len() >= Self::SIZE as u64)
    }
}

impl<const N: usize> Drop for MappedWords<N> {
    fn drop(&mut self) {
        // SAFETY: this value made the mapping of SIZE bytes at `base`, and no reference into it outlives the value.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), Self::SIZE) };
    }
}

/// What is left where there was no room, or nobody could say so, and zeros are written instead. A new file may have a
/// part of its length then (ext4), and would be taken for somebody else's once there is room.
fn settle_room(file: &File, (before, size): (u64, u64), had_room: Result<(), Errno>) -> io::Result<()> {
    let made = match had_room {
        Ok(()) => Ok(()),
        Err(full @ (Errno::NOSPC | Errno::DQUOT)) => Err(full.into()),
        Err(_) if before == 0 => {
            let page = [0; 4096];
            (0..size).step_by(page.len()).try_for_each(|at| {
                let left = usize::try_from(size.saturating_sub(at)).unwrap_or(usize::MAX);
                file.write_all_at(page.get(..left).unwrap_or(&page), at)
            })
        }
        // Somebody may have it mapped.
        Err(_) => Ok(()),
    };
    if made.is_err() && before == 0 {
        file.set_len(0)?;
    }
    made
}

fn map<const N: usize>(file: &File, size: usize) -> io::Result<NonNull<[AtomicU64; N]>> {
    // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of ours.
    let address = unsafe {
        rustix::mm::mmap(std::ptr::null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, file, 0)
    }?;
    NonNull::new(address.cast()).ok_or_else(|| io::Error::other("mapped at address zero"))
}

#[cfg(test)]
mod tests {
    use super::super::fork::in_a_child;
    use super::*;

    const KIND: Kind = Kind { magic: u64::from_be_bytes(*b"GPTEST\0\0"), format: 3, what: "heap of words" };
    /// Two pages.
    type Words = MappedWords<1024>;

    fn open(path: &Path, last: u64) -> io::Result<Words> {
        let begin = |words: &[AtomicU64; 1024]| {
            words[1023].store(last, Ordering::SeqCst);
            Ok(())
        };
        Words::open(path, KIND, begin).map(|(words, _)| words)
    }

    #[test]
    fn two_mappings_of_one_file_share_their_words_and_only_a_new_file_is_begun() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let (one, two) = (open(&path, 77).unwrap(), open(&path, 5).unwrap());
        assert_eq!(two.words()[1023].load(Ordering::Acquire), 77);
        one.words()[1000].store(78, Ordering::SeqCst);
        assert_eq!(two.words()[1000].load(Ordering::Acquire), 78);
        let data = std::fs::metadata(&path).unwrap();
        assert_eq!((data.mode() & 0o777, data.len()), (0o600, 8192));
        drop((one, two));
        assert_eq!(open(&path, 5).unwrap().words()[1000].load(Ordering::Acquire), 78, "also after the last has let go");
    }

    #[test]
    fn a_file_whose_beginning_failed_is_begun_by_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        Words::open(&path, KIND, |_| Err(io::Error::other("no randomness"))).unwrap_err();
        assert_eq!(open(&path, 9).unwrap().words()[1023].load(Ordering::Acquire), 9);
        // Killed between the two words that say what it is.
        let mut begun = vec![0u8; 8192];
        begun[8..16].copy_from_slice(&KIND.format.to_ne_bytes());
        std::fs::write(&path, &begun).unwrap();
        assert_eq!(open(&path, 7).unwrap().words()[1023].load(Ordering::Acquire), 7);
    }

    #[test]
    fn a_file_for_which_there_was_no_room_is_made_once_there_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let file = File::create(&path).unwrap();
        for full in [Errno::NOSPC, Errno::DQUOT] {
            // As ext4 leaves it: with as much of it as there was room for.
            file.set_len(4096).unwrap();
            assert_eq!(settle_room(&file, (0, 8192), Err(full)).unwrap_err().raw_os_error(), Some(full.raw_os_error()));
        }
        let whole = open(&path, 7).unwrap();
        settle_room(&file, (8192, 8192), Err(Errno::NOSPC)).unwrap_err();
        assert!(whole.is_at(&path), "one that others have mapped is never cut");
        assert_eq!(whole.words()[1023].load(Ordering::Acquire), 7);
    }

    #[test]
    fn a_limit_of_files_is_an_error_and_ends_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let code = in_a_child(|| {
            let limit = libc::rlimit { rlim_cur: 4096, rlim_max: libc::RLIM_INFINITY };
            // SAFETY: the child's own disposition and limit.
            unsafe {
                libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
                assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
            }
            if open(&path, 1).unwrap_err().raw_os_error() == Some(libc::EFBIG) { 7 } else { 8 }
        });
        assert_eq!((code, std::fs::metadata(&path).unwrap().len()), (7, 0));
        assert_eq!(open(&path, 3).unwrap().words()[1023].load(Ordering::Acquire), 3, "without it all is well");
    }

    #[test]
    fn room_is_there_also_where_the_file_system_cannot_set_it_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        for size in [8192, 5000] {
            let file = File::create(&path).unwrap();
            settle_room(&file, (0, size), Err(Errno::OPNOTSUPP)).unwrap();
            let data = file.metadata().unwrap();
            assert!(data.len() == size && data.blocks() * 512 >= size, "{data:?}");
        }
        let full = File::options().write(true).open("/dev/full").unwrap();
        let error = settle_room(&full, (0, 8192), Err(Errno::OPNOTSUPP)).unwrap_err();
        assert!(matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EINVAL)), "{error}");
    }

    #[test]
    fn a_file_that_is_something_else_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut newer = vec![0u8; 8192];
        newer[..8].copy_from_slice(&KIND.magic.to_ne_bytes());
        newer[8] = 4;
        let whole = {
            open(&path, 1).unwrap();
            std::fs::read(&path).unwrap()
        };
        for content in [b"somebody's notes".to_vec(), vec![7; 8192], newer, whole[..4096].to_vec(), vec![0; 4096]] {
            std::fs::write(&path, &content).unwrap();
            assert_eq!(open(&path, 1).unwrap_err().kind(), io::ErrorKind::InvalidData);
            assert_eq!(std::fs::read(&path).unwrap(), content);
        }
        std::fs::write(&path, vec![0; 8192]).unwrap();
        assert_eq!(open(&path, 3).unwrap().words()[1023].load(Ordering::Acquire), 3, "zeros are a new file");
        // Nor is anything made or grown behind a link.
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, "").unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let refused = open(&path, 1).unwrap_err();
        assert_eq!((refused.kind(), refused.to_string()), (io::ErrorKind::InvalidData, "it is a link".to_owned()));
        assert_eq!(std::fs::metadata(&elsewhere).unwrap().len(), 0);
    }

    #[test]
    fn a_deleted_replaced_or_shortened_file_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let words = open(&path, 1).unwrap();
        assert!(words.is_at(&path));
        std::fs::remove_file(&path).unwrap();
        assert!(!words.is_at(&path));
        let other = open(&path, 9).unwrap();
        assert!(!words.is_at(&path) && other.is_at(&path));
        assert_eq!(words.words()[1023].load(Ordering::Acquire), 1, "the old mapping stays readable");
        File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
        assert!(!other.is_at(&path));
    }
}
