//! Proofs of possession that were used, known to all processes of a state and after a restart: a table in a mapped file
//! beside the state. The file is made where a policy takes proofs, and costs nobody else anything.
//!
//! **When the file is deleted or replaced**, a look at its inode at most once a second finds out, and the next proof has
//! the new file mapped before it is taken; where that cannot be at this moment it is refused. What the lost file knew is
//! gone, so all proofs that were made until then are refused in the new one, also by a process that comes later: the
//! database remembers that there was a file. Those that were dated ahead may have been used as well, so this holds for as
//! long as the leeway lets them.
//!
//! **After a power cut** the file holds what the system had written of it: as a rule all but the last half minute.

mod spans;
mod table;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use zeroize::Zeroizing;

use self::spans::{Span, Spans};
use self::table::{BUCKET, Table};
use crate::crypto::keyed::Keyed;
use crate::crypto::random;
use crate::ffi::os::clock::coarse_seconds;
use crate::ffi::os::words::{Kind, MappedWords, second};

const KIND: Kind = Kind { magic: u64::from_be_bytes(*b"GPPROOF\0"), format: 1, what: "table of used proofs" };
/// Words before the buckets: one page.
const HEAD: usize = 512;
/// 32,768 buckets with 30 proofs each; 8 MiB.
const WORDS: usize = HEAD + (BUCKET << 15);

/// Seconds for which a proof is good at most, under any policy.
pub const LONGEST: u32 = 400;

/// Seconds for which others may go on noting in a file that is lost, before they see that it is.
const UNSEEN: i64 = 2;

/// A proof that is used.
#[derive(Clone, Copy, Debug)]
pub struct Proof<'a> {
    /// The thumbprint of its key.
    pub key: &'a [u8; 32],
    /// `jti`.
    pub id: &'a str,
    /// `iat`.
    pub issued: i64,
    /// When it was made, by what is believed, Unix seconds.
    pub made_at: i64,
}

/// What is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// It was not used before, and is from now on.
    First,
    /// It was used before.
    Again,
    /// It was made at a time of which not all is remembered.
    Forgotten,
}

/// The table of one state file.
#[derive(Debug)]
pub(super) struct Proofs {
    path: PathBuf,
    /// `None`: no policy of this process has taken proofs yet.
    mapped: ArcSwapOption<Mapped>,
    /// Coarse second of the last look.
    looked: AtomicU64,
    lost: AtomicBool,
    /// The latest time of a proof that this process noted.
    latest: AtomicI64,
    /// Seconds by which a proof may be dated ahead.
    ahead: AtomicI64,
}

#[derive(Debug)]
struct Mapped {
    words: MappedWords<WORDS>,
    key: Keyed,
    /// The first word of the key: a file that was cut to nothing and begun anew has another.
    begins: u64,
}

impl Proofs {
    /// Nothing is opened yet.
    pub(super) fn at(path: PathBuf) -> Proofs {
        Proofs {
            path,
            mapped: ArcSwapOption::empty(),
            looked: AtomicU64::new(coarse_seconds()),
            lost: AtomicBool::new(false),
            latest: AtomicI64::new(0),
            ahead: AtomicI64::new(0),
        }
    }

    /// Proofs that are dated ahead by so many seconds are taken.
    pub(super) fn allow(&self, leeway: i64) {
        self.ahead.fetch_max(leeway.min(i64::from(LONGEST)), Ordering::AcqRel);
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file is mapped, and is the one in place.
    pub(super) fn is_found(&self) -> bool {
        !self.lost.load(Ordering::Acquire) && self.mapped.load().as_ref().is_some_and(|mapped| mapped.is_at(&self.path))
    }

    /// Maps the file where it is not, or no longer the one that was. The caller holds the write lock of the database at
    /// `like`, so that nobody else makes it at this moment. `known`: there was a file before.
    pub(super) fn find(&self, like: &Path, now: i64, known: bool) -> io::Result<()> {
        let before = self.mapped.load_full();
        if before.as_ref().is_some_and(|mapped| mapped.is_at(&self.path)) {
            self.lost.store(false, Ordering::Release);
            return Ok(());
        }
        let last = now.saturating_add(self.ahead.load(Ordering::Acquire)).saturating_add(UNSEEN);
        let lost = Span {
            first: second(now).unwrap_or(u32::MAX).saturating_sub(LONGEST),
            // Where no clock shows such a time nothing is taken anyway.
            last: second(last).unwrap_or(u32::MAX),
        };
        let mapped = Mapped::open(&self.path, like, (known || before.is_some()).then_some(lost))?;
        if before.is_some() {
            mapped.forget([self.latest.load(Ordering::Acquire), now.saturating_add(1)], now);
        }
        self.mapped.store(Some(Arc::new(mapped)));
        self.lost.store(false, Ordering::Release);
        Ok(())
    }

    /// Notes the use of a proof; `None`: [`Proofs::find`] comes first.
    pub(super) fn note(&self, proof: &Proof<'_>, now: i64) -> Option<Used> {
        let mapped = self.mapped.load_full()?;
        self.look(&mapped);
        if self.lost.load(Ordering::Acquire) || !mapped.is_same() {
            return None;
        }
        self.latest.fetch_max(proof.made_at.max(now), Ordering::AcqRel);
        Some(mapped.table().map_or(Used::Forgotten, |table| table.note(proof, now)))
    }

    /// Looks at the file, at most once a second.
    fn look(&self, mapped: &Mapped) {
        let now = coarse_seconds();
        let looked = self.looked.load(Ordering::Relaxed);
        let mine =
            now != looked && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if mine && !mapped.is_at(&self.path) {
            self.lost.store(true, Ordering::Release);
        }
    }
}

impl Mapped {
    /// `lost`: of which time a new file knows nothing.
    fn open(path: &Path, like: &Path, lost: Option<Span>) -> io::Result<Mapped> {
        // Of all processes one draws the key; it is as secret as the state beside it.
        let begin = |[_, _, a, b, c, d, one, ..]: &[AtomicU64; WORDS]| {
            for word in [a, b, c, d] {
                let drawn = random::bytes::<8>().map_err(io::Error::other)?;
                word.store(u64::from_le_bytes(drawn), Ordering::SeqCst);
            }
            if let Some(lost) = lost {
                one.store(lost.word(), Ordering::SeqCst);
            }
            Ok(())
        };
        let (words, _) = MappedWords::open_like(path, like, KIND, begin)?;
        let [_, _, a, b, c, d, ..] = words.words();
        let mut key = Zeroizing::new([0; 32]);
        for (octets, word) in key.as_chunks_mut().0.iter_mut().zip([a, b, c, d]) {
            *octets = word.load(Ordering::SeqCst).to_le_bytes();
        }
        let begins = a.load(Ordering::SeqCst);
        Ok(Mapped { key: Keyed::with(&key), begins, words })
    }

    /// The mapped file is the one at this path, whole, and holds what is known under this key.
    fn is_at(&self, path: &Path) -> bool {
        self.words.is_at(path) && self.is_same()
    }

    fn is_same(&self) -> bool {
        let [_, _, begins, ..] = self.words.words();
        begins.load(Ordering::SeqCst) == self.begins
    }

    fn table(&self) -> Option<Table<'_>> {
        let [_, _, _, _, _, _, one, other, ..] = self.words.words();
        let buckets = self.words.words().get(HEAD..)?;
        Some(Table { key: &self.key, lost: Spans { one, other }, buckets })
    }

    /// Has proofs refused that were made before these times.
    fn forget(&self, times: [i64; 2], now: i64) {
        let (Some(table), Some(now)) = (self.table(), second(now)) else { return };
        for last in times.into_iter().filter_map(second) {
            table.lost.cover(Span { first: last.saturating_sub(LONGEST), last }, now);
        }
    }
}
