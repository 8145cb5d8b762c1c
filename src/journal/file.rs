//! The events file: opened for appending only, found again after it was moved away, written in whole lines.
//!
//! Several processes may write to one file: each batch is one append of whole lines, which the kernel does not mix with
//! another's. `logrotate` may move the file away and make another (noticed within a second) or copy and truncate it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{OFlags, Timespec};

use super::seal::{Head, Seal};
use crate::error::Error;
use crate::ffi::os::words::FileId;
use crate::ffi::os::{clock, quiet};
use crate::policy::model::ChainKey;

/// Mode of files that are made here: for their owner, or also for the group to read.
const OWN: u32 = 0o600;
const SHARED: u32 = 0o640;
/// So much of the end of a file holds its last line.
const TAIL: u64 = 8 * 1024;

/// A file to append to.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    /// The group may read a file that is made here.
    group: bool,
    like: Option<PathBuf>,
    open: Option<Open>,
    seal: Option<Seal>,
}

#[derive(Debug)]
struct Open {
    file: File,
    id: FileId,
    /// When it was last looked whether it is still the one at its path, coarse seconds.
    looked: u64,
    /// It ends within a line: of a process that died, or where the disk was full.
    torn: bool,
}

impl LogFile {
    pub fn new(path: PathBuf, group: bool, like: Option<PathBuf>, chain: Option<&ChainKey>) -> Result<LogFile, Error> {
        let mode = if group { SHARED } else { OWN };
        let seal = chain.map(|key| Seal::new(key, &path, mode, like.clone())).transpose()?;
        Ok(LogFile { path, group, like, open: None, seal })
    }

    /// Opens it, or makes it where it is absent.
    pub fn open(&mut self) -> io::Result<()> {
        let file = self.find_or_make()?;
        let data = file.metadata()?;
        let kind = data.file_type();
        if !(kind.is_file() || kind.is_char_device() || kind.is_fifo()) {
            return Err(io::Error::other("it is neither a file nor a device nor a pipe"));
        }
        let torn = kind.is_file() && ends_within_a_line(&file, data.len());
        let id = FileId::from(&data);
        self.open = Some(Open { file, id, looked: clock::coarse_seconds(), torn });
        Ok(())
    }

    /// Appends whole lines: how many bytes of them are in the file, and why no more are.
    pub fn write(&mut self, text: &[u8]) -> (usize, Option<io::Error>) {
        if let Err(error) = self.look() {
            return (0, Some(error));
        }
        let Some(open) = &mut self.open else { return (0, Some(io::Error::other("it is not open"))) };
        match &mut self.seal {
            None => open.append(text),
            Some(seal) => {
                let head = match seal.lock(|| open.last_line()) {
                    Ok(head) => head,
                    Err(error) => return (0, Some(error)),
                };
                let sealed = seal.lines(text, head);
                let (bytes, failure) = open.append(&sealed.text);
                let (done, head) = sealed.written(bytes);
                seal.unlock(head);
                (done, failure)
            }
        }
    }

    /// Opens the file at the path anew where that is another one by now; looked at once a second.
    fn look(&mut self) -> io::Result<()> {
        let now = clock::coarse_seconds();
        match &mut self.open {
            Some(open) if open.looked == now => return Ok(()),
            Some(open) if FileId::of(&self.path).is_ok_and(|id| id == open.id) => {
                open.looked = now;
                // Another process may have been cut short meanwhile.
                open.torn |= open.file.metadata().is_ok_and(|data| ends_within_a_line(&open.file, data.len()));
                return Ok(());
            }
            _ => {}
        }
        self.open()
    }

    fn find_or_make(&self) -> io::Result<File> {
        let mode = if self.group { SHARED } else { OWN };
        let mut options = OpenOptions::new();
        // Opening a pipe that nobody reads must not wait, nor make a terminal ours.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        options.append(true).mode(mode).custom_flags(i32::try_from(flags.bits()).unwrap_or(0));
        // Reading is for looking how the file ends; one that may only be written is as good.
        let open = |options: &OpenOptions| match options.clone().read(true).open(&self.path) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => options.open(&self.path),
            other => other,
        };
        match open(&options) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            other => return other,
        }
        match options.clone().read(true).create_new(true).open(&self.path) {
            Ok(made) => {
                give_away(&made, self.like.as_deref());
                Ok(made)
            }
            // Another process was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => open(&options),
            Err(error) => Err(error),
        }
    }
}

impl Open {
    /// The seal of the last line, where that bears one.
    fn last_line(&self) -> Option<Head> {
        let length = self.file.metadata().ok()?.len();
        let from = length.saturating_sub(TAIL);
        let mut tail = vec![0; usize::try_from(length.saturating_sub(from)).ok()?];
        self.file.read_exact_at(&mut tail, from).ok()?;
        let whole = tail.get(..whole_lines(&tail))?.strip_suffix(b"\n")?;
        let line = whole.rsplit(|byte| *byte == b'\n').find(|line| line.ends_with(b"}"))?;
        Head::of_line(std::str::from_utf8(line).ok()?)
    }

    fn append(&mut self, text: &[u8]) -> (usize, Option<io::Error>) {
        let mut done = 0;
        while let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
            if self.torn {
                match append_once(self.file.as_fd(), b"\n") {
                    Ok(_) => self.torn = false,
                    Err(error) => return (done, Some(error)),
                }
            }
            match append_once(self.file.as_fd(), rest) {
                Ok(written) if written == rest.len() => return (text.len(), None),
                Ok(0) => return (done, Some(io::Error::from(ErrorKind::WriteZero))),
                // Cut short: the lines that are whole stand; the one that is not is written again, on a line of its own.
                Ok(written) => {
                    let whole = rest.get(..written).map_or(0, whole_lines);
                    self.torn = whole < written;
                    done = done.saturating_add(whole);
                }
                Err(error) => return (done, Some(error)),
            }
        }
        (done, None)
    }
}

/// Writes to stderr in pieces that a pipe takes whole, for as long as it does not have to wait: a reader that stands
/// still must not hold up requests.
pub(super) fn to_stderr(text: &[u8], piece: usize) -> (usize, Option<io::Error>) {
    let stderr = io::stderr();
    let to = stderr.as_fd();
    let mut done = 0;
    while let Some(rest) = text.get(done..).filter(|rest| !rest.is_empty()) {
        let end = rest.get(..piece).map_or(rest.len(), |head| match whole_lines(head) {
            // No line is so long; what it is goes out all the same.
            0 => piece,
            whole => whole,
        });
        if !takes_more(to) {
            return (done, Some(io::Error::from(ErrorKind::WouldBlock)));
        }
        match append_once(to, rest.get(..end).unwrap_or_default()) {
            Ok(written) if written == end => done = done.saturating_add(end),
            // A torn line on a terminal or a pipe cannot be mended; the rest of it follows.
            Ok(written) => done = done.saturating_add(written),
            Err(error) => return (done, Some(error)),
        }
    }
    (done, None)
}

fn takes_more(to: BorrowedFd<'_>) -> bool {
    let mut asked = [PollFd::new(&to, PollFlags::OUT)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut asked, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

fn append_once(to: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match quiet::write(to, bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// A new file belongs to whom the file `like` belongs to: a command run as root must not lock the server out. Only root
/// can, and only for root does it matter.
pub(super) fn give_away(made: &File, like: Option<&Path>) {
    if let Some(like) = like.and_then(|like| std::fs::metadata(like).ok()) {
        let _ = fchown(made, Some(like.uid()), Some(like.gid()));
    }
}

/// Length of the lines that are whole.
fn whole_lines(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last.saturating_add(1))
}

fn ends_within_a_line(file: &File, length: u64) -> bool {
    let mut last = [b'\n'];
    match length.checked_sub(1) {
        Some(at) => file.read_at(&mut last, at).is_ok_and(|read| read == 1 && last != [b'\n']),
        None => false,
    }
}
