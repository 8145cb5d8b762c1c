//! The chain of an events file: each line is numbered and sealed with a keyed digest of itself and of the seal before it,
//! so that a line that was changed, taken out, put in or moved is found by whoever holds the key.
//!
//! There is one chain for all writers of a file and for all files that `logrotate` makes of it: its head lies in a small
//! file beside the log, which a writer locks while it appends. A head that is behind the log, after a crash between
//! the two, is mended from the log's last line.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use rustix::fs::{FlockOperation, flock};
use sha2::Sha256;

use super::file::give_away;
use crate::error::{Error, ErrorKind as Kind};
use crate::event::Member;
use crate::ffi::os::words::FileId;
use crate::policy::model::ChainKey;

/// Octets of a seal.
const LENGTH: usize = 16;
/// How often a writer asks for the lock, and how long it waits in between. Whoever holds it needs microseconds.
const TRIES: u32 = 200;
const WAIT: Duration = Duration::from_millis(5);

/// What a seal is called in a line.
pub const ALGORITHM: &str = "hmac-sha256:";

/// The end of the chain, so far: the number of the last line and its seal; number 0 before the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Number.
    pub seq: u64,
    /// Seal.
    pub seal: [u8; LENGTH],
}

impl Head {
    /// Before the first line.
    pub const BEGINNING: Head = Head { seq: 0, seal: [0; LENGTH] };

    /// The head that lies beside a log; `None` where there is none.
    pub fn beside(log: &Path) -> io::Result<Option<Head>> {
        match std::fs::read(beside(log)) {
            Ok(bytes) => Ok(Head::parse(&bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// That of a sealed line; `None` where it bears no seal.
    pub fn of_line(line: &str) -> Option<Head> {
        let line = line.trim_end().strip_suffix("\"}")?;
        let (rest, seal) = line.rsplit_once(&format!(",\"{}\":\"{ALGORITHM}", Member::Mac.name()))?;
        let (_, seq) = rest.rsplit_once(&format!(",\"{}\":", Member::Seq.name()))?;
        Some(Head { seq: seq.parse().ok()?, seal: HEXLOWER.decode(seal.as_bytes()).ok()?.try_into().ok()? })
    }

    fn parse(bytes: &[u8]) -> Option<Head> {
        let (seq, seal) = std::str::from_utf8(bytes).ok()?.trim_end().split_once(' ')?;
        Some(Head { seq: seq.parse().ok()?, seal: HEXLOWER.decode(seal.as_bytes()).ok()?.try_into().ok()? })
    }
}

/// Seals the lines of a log.
pub(super) struct Seal {
    key: Hmac<Sha256>,
    path: PathBuf,
    mode: u32,
    like: Option<PathBuf>,
    file: Option<(File, FileId)>,
}

/// Lines with their seals, not known to be written yet.
pub(super) struct Sealed {
    pub text: Vec<u8>,
    /// For each line: where it ends with and without its seal, and the head behind it.
    ends: Vec<(usize, usize, Head)>,
    before: Head,
}

impl Seal {
    pub fn new(key: &ChainKey, log: &Path, mode: u32, like: Option<PathBuf>) -> Result<Seal, Error> {
        Ok(Seal { key: keyed(key)?, path: beside(log), mode, like, file: None })
    }

    /// Takes the lock; the head of the chain, which is the log's own last line where that is further.
    pub fn lock(&mut self, last_line: impl FnOnce() -> Option<Head>) -> io::Result<Head> {
        for _ in 0..TRIES {
            let file = self.open()?;
            match flock(file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    std::thread::sleep(WAIT);
                    continue;
                }
                Err(error) => return Err(error.into()),
            }
            let mut bytes = [0; 128];
            let length = file.read_at(&mut bytes, 0)?;
            let known = Head::parse(bytes.get(..length).unwrap_or_default()).unwrap_or(Head::BEGINNING);
            return Ok(last_line().filter(|last| last.seq > known.seq).unwrap_or(known));
        }
        Err(io::Error::new(ErrorKind::WouldBlock, format!("{} stays locked by another process", self.path.display())))
    }

    /// Lets go of the lock, with the chain at `head`.
    pub fn unlock(&mut self, head: Head) {
        let Some((file, _)) = &self.file else { return };
        // Where this fails, the log's last line says it.
        let text = format!("{:020} {}\n", head.seq, HEXLOWER.encode(&head.seal));
        let _ = file.write_all_at(text.as_bytes(), 0);
        let _ = flock(file, FlockOperation::Unlock);
    }

    /// Seals whole lines, each an object, behind `before`.
    pub fn lines(&self, text: &[u8], before: Head) -> Sealed {
        let mut sealed = Sealed { text: Vec::with_capacity(text.len().saturating_mul(2)), ends: Vec::new(), before };
        let (mut head, mut plain) = (before, 0_usize);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            plain = plain.saturating_add(line.len());
            let start = sealed.text.len();
            head.seq = head.seq.saturating_add(1);
            sealed.text.extend_from_slice(line.strip_suffix(b"}\n").unwrap_or(line));
            sealed.text.extend_from_slice(format!(",\"{}\":{}", Member::Seq.name(), head.seq).as_bytes());
            head.seal = digest(&self.key, &head.seal, sealed.text.get(start..).unwrap_or_default());
            let seal = format!(",\"{}\":\"{ALGORITHM}{}\"}}\n", Member::Mac.name(), HEXLOWER.encode(&head.seal));
            sealed.text.extend_from_slice(seal.as_bytes());
            sealed.ends.push((sealed.text.len(), plain, head));
        }
        sealed
    }

    /// The file of the head, opened or made; it may have been replaced.
    fn open(&mut self) -> io::Result<&File> {
        let now = FileId::of(&self.path).ok();
        if self.file.as_ref().is_none_or(|(_, id)| Some(*id) != now) {
            let mut options = OpenOptions::new();
            options.read(true).write(true).mode(self.mode);
            let file = match options.open(&self.path) {
                Err(error) if error.kind() == ErrorKind::NotFound => match options.create_new(true).open(&self.path) {
                    Ok(made) => {
                        give_away(&made, self.like.as_deref());
                        made
                    }
                    // Another process was faster.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        options.create_new(false).open(&self.path)?
                    }
                    Err(error) => return Err(error),
                },
                other => other?,
            };
            let id = FileId::from(&file.metadata()?);
            self.file = Some((file, id));
        }
        self.file.as_ref().map(|(file, _)| file).ok_or_else(|| io::Error::other("the head of the chain is not open"))
    }
}

impl Sealed {
    /// What stands where so many bytes were written: the length of the lines without their seals, and the head.
    pub fn written(&self, bytes: usize) -> (usize, Head) {
        let whole = self.ends.iter().take_while(|(end, ..)| *end <= bytes).last();
        whole.map_or((0, self.before), |(_, plain, head)| (*plain, *head))
    }
}

/// Checks lines of a chain, one after the other.
pub struct Checker {
    key: Hmac<Sha256>,
}

impl Checker {
    /// Under this key.
    pub fn new(key: &ChainKey) -> Result<Checker, Error> {
        Ok(Checker { key: keyed(key)? })
    }

    /// The line bears the seal that it should bear behind one with the seal `before`.
    pub fn fits(&self, before: &Head, line: &str) -> bool {
        let sealed = line.rsplit_once(&format!(",\"{}\":\"{ALGORITHM}", Member::Mac.name()));
        let (Some((open, _)), Some(found)) = (sealed, Head::of_line(line)) else { return false };
        digest(&self.key, &before.seal, open.as_bytes()) == found.seal
    }
}

/// Where the head of a log's chain lies.
fn beside(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push(".chain");
    PathBuf::from(name)
}

fn keyed(key: &ChainKey) -> Result<Hmac<Sha256>, Error> {
    Hmac::new_from_slice(key.as_bytes()).map_err(|_| Error::new(Kind::Internal, "HMAC did not take its key"))
}

fn digest(key: &Hmac<Sha256>, before: &[u8; LENGTH], line: &[u8]) -> [u8; LENGTH] {
    let whole = key.clone().chain_update(before).chain_update(line).finalize().into_bytes();
    whole.first_chunk::<LENGTH>().copied().unwrap_or([0; LENGTH])
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("path", &self.path).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
