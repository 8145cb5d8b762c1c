//! The chain of an events file: each line is sealed with a keyed digest of itself and of the seal before it, so that a
//! line that was changed, taken out, put in or moved is found by whoever holds the key.
//!
//! Each process that writes has a chain of its own, told apart by `run`: several may write to one file without waiting for
//! one another, and a chain goes on in the next file when `logrotate` moves the old one away.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::crypto::random;
use crate::error::{Error, ErrorKind};
use crate::event::Member;
use crate::policy::model::ChainKey;

/// Octets of a seal.
const LENGTH: usize = 16;

/// What a seal is called in a line.
pub const ALGORITHM: &str = "hmac-sha256:";

/// The next line of a chain.
#[derive(Clone)]
pub struct Seal {
    key: Hmac<Sha256>,
    run: String,
    place: Place,
}

#[derive(Clone, Copy)]
struct Place {
    seq: u64,
    last: [u8; LENGTH],
}

/// Lines with their seals, not known to be written yet.
pub(super) struct Sealed {
    pub text: Vec<u8>,
    /// For each line: where it ends with and without its seal, and how the chain goes on behind it.
    ends: Vec<(usize, usize, Place)>,
}

impl Seal {
    /// A chain of its own.
    pub fn begin(key: &ChainKey) -> Result<Seal, Error> {
        let run = HEXLOWER.encode(&random::bytes::<8>()?);
        Ok(Seal { key: keyed(key)?, run, place: Place { seq: 0, last: [0; LENGTH] } })
    }

    /// Seals whole lines, each an object.
    pub(super) fn lines(&self, text: &[u8]) -> Sealed {
        let mut sealed = Sealed { text: Vec::with_capacity(text.len().saturating_mul(2)), ends: Vec::new() };
        let (mut place, mut plain) = (self.place, 0_usize);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            plain = plain.saturating_add(line.len());
            let start = sealed.text.len();
            place.seq = place.seq.saturating_add(1);
            let open = line.strip_suffix(b"}\n").unwrap_or(line);
            sealed.text.extend_from_slice(open);
            let more = format!(",\"{}\":\"{}\",\"{}\":{}", Member::Run.name(), self.run, Member::Seq.name(), place.seq);
            sealed.text.extend_from_slice(more.as_bytes());
            place.last = digest(&self.key, &place.last, sealed.text.get(start..).unwrap_or_default());
            let seal = format!(",\"{}\":\"{ALGORITHM}{}\"}}\n", Member::Mac.name(), HEXLOWER.encode(&place.last));
            sealed.text.extend_from_slice(seal.as_bytes());
            sealed.ends.push((sealed.text.len(), plain, place));
        }
        sealed
    }

    /// Goes on behind the last line that was written whole; the length of the lines without their seals up to there.
    pub(super) fn keep(&mut self, sealed: &Sealed, written: usize) -> usize {
        let whole = sealed.ends.iter().take_while(|(end, ..)| *end <= written).last();
        match whole {
            Some((_, plain, place)) => {
                self.place = *place;
                *plain
            }
            None => 0,
        }
    }
}

/// Checks the lines of one chain, in order.
pub struct Checker {
    key: Hmac<Sha256>,
}

impl Checker {
    /// Under this key.
    pub fn new(key: &ChainKey) -> Result<Checker, Error> {
        Ok(Checker { key: keyed(key)? })
    }

    /// The seal that this line should bear behind one with the seal `before`; `None` where it bears none. In hexadecimal,
    /// as in the line.
    pub fn expected(&self, before: &str, line: &str) -> Option<String> {
        let (open, _) = line.rsplit_once(&format!(",\"{}\":\"{ALGORITHM}", Member::Mac.name()))?;
        let mut last = [0; LENGTH];
        if !before.is_empty() {
            last = HEXLOWER.decode(before.as_bytes()).ok()?.try_into().ok()?;
        }
        Some(HEXLOWER.encode(&digest(&self.key, &last, open.as_bytes())))
    }
}

fn keyed(key: &ChainKey) -> Result<Hmac<Sha256>, Error> {
    Hmac::new_from_slice(key.as_bytes()).map_err(|_| Error::new(ErrorKind::Internal, "HMAC did not take its key"))
}

fn digest(key: &Hmac<Sha256>, before: &[u8; LENGTH], line: &[u8]) -> [u8; LENGTH] {
    let whole = key.clone().chain_update(before).chain_update(line).finalize().into_bytes();
    whole.first_chunk::<LENGTH>().copied().unwrap_or([0; LENGTH])
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seal").field("run", &self.run).field("seq", &self.place.seq).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Checker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checker").finish_non_exhaustive()
    }
}
