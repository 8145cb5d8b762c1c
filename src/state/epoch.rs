//! The change counter: tells every process at once that something in the state may have changed, without asking the
//! database. It knows nothing of what changed.
//!
//! **How.** Two numbers that all processes share. A writer that holds the database's write lock takes a ticket: it
//! stores `begun = max(begun, done) + 1`, commits, and then raises `done` to its ticket. The version is `Some(v)` when
//! both are `v`; otherwise a change is being written and nothing that is read now may be kept.
//!
//! **Why nothing stale is ever taken for fresh.** Let somebody read `Some(v)`, then the database, and keep the result
//! under `v`. Whatever is committed afterwards has a ticket over `v` that was stored in `begun` before its commit, and
//! `begun` never goes down, so from before that commit on the version is never `Some(v)` again. What was committed
//! before `Some(v)` was read is in what was read. A result that already holds a later change is kept under a number
//! that has ended: useless, not wrong.
//!
//! **When a writer dies** between taking its ticket and raising `done`, the version is `None` for everybody: each
//! decision asks the database. The next writer, or [`Epoch::settle`] by anybody who holds the write lock, takes the next
//! ticket; holding the lock proves that all earlier ticket holders have committed, rolled back or died. A writer that
//! is only slow (it has committed, and so given the lock up, but not yet raised `done`) raises it later with a maximum,
//! which can neither lower `done` nor reach a `begun` that is already higher. No version was ever `Some` of a ticket
//! whose writer died, so nothing can have been kept under it.
//!
//! **When the file is deleted or replaced**, a look at its inode at most once a second finds out, and each writer looks
//! before it takes a ticket. A process that has lost the file says `None` until it has mapped the new one, and moves
//! the numbers on by a random step, because an old copy put back would otherwise repeat numbers that are in use.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};

use arc_swap::ArcSwap;

use crate::crypto::random;
use crate::ffi::os::clock::coarse_seconds;
use crate::ffi::os::mapped::MappedPair;
use crate::ffi::os::words::FileId;

/// The counter of one state.
#[derive(Debug)]
pub(super) struct Epoch {
    /// That of the beginning: most files stay, and it takes no look at who else is looking.
    first: Arc<Pair>,
    /// Another one took its place.
    moved: AtomicBool,
    pair: ArcSwap<Pair>,
    /// `None`: not shared with other processes.
    file: Option<Watch>,
    /// `begun` when a version of `None` was first met, and when; to tell a dead writer from a busy one.
    stuck_at: AtomicU64,
    stuck_since: AtomicU64,
}

/// The two numbers.
#[derive(Debug)]
enum Pair {
    Shared { mapped: MappedPair, database: FileId },
    Private { begun: AtomicU64, done: AtomicU64 },
}

/// Whether the mapped file, and the database that it speaks of, are still those that the others use.
#[derive(Debug)]
struct Watch {
    path: PathBuf,
    database: PathBuf,
    /// Coarse second of the last look.
    looked: AtomicU64,
    lost: AtomicBool,
}

/// Who may commit: raises `done` when dropped, whether the commit came about or not.
#[derive(Debug)]
pub(super) struct Ticket {
    pair: Arc<Pair>,
    number: u64,
}

impl Epoch {
    /// Maps the file at `path` for the database file that is open. The caller holds the database's write lock.
    pub(super) fn open(path: PathBuf, database: PathBuf, open: FileId) -> io::Result<Epoch> {
        let pair = Pair::Shared { mapped: MappedPair::open_like(&path, &database, start()?)?, database: open };
        let looked = AtomicU64::new(coarse_seconds());
        let watch = Watch { path, database, looked, lost: AtomicBool::new(false) };
        let epoch = Epoch::of(pair, Some(watch));
        epoch.settle();
        Ok(epoch)
    }

    /// A counter of this process alone.
    pub(super) fn private() -> io::Result<Epoch> {
        let start = start()?;
        Ok(Epoch::of(Pair::Private { begun: AtomicU64::new(start), done: AtomicU64::new(start) }, None))
    }

    fn of(pair: Pair, file: Option<Watch>) -> Epoch {
        let first = Arc::new(pair);
        Epoch {
            pair: ArcSwap::new(Arc::clone(&first)),
            first,
            moved: AtomicBool::new(false),
            file,
            stuck_at: AtomicU64::new(0),
            stuck_since: AtomicU64::new(0),
        }
    }

    /// The version, or `None` while a change is being written.
    pub(super) fn version(&self) -> Option<u64> {
        if self.moved.load(Ordering::Acquire) {
            self.version_of(&self.pair.load())
        } else {
            self.version_of(&self.first)
        }
    }

    fn version_of(&self, pair: &Pair) -> Option<u64> {
        if let Some(watch) = &self.file {
            watch.look(pair);
            if watch.lost.load(Ordering::Acquire) {
                return None;
            }
        }
        pair.version()
    }

    /// Takes a ticket. The caller holds the write lock of this database file, and commits before it drops the ticket.
    pub(super) fn begin(&self, open: Option<FileId>) -> io::Result<Ticket> {
        self.find(open)?;
        let pair = self.pair.load_full();
        let number = pair.next();
        pair.begun().store(number, Ordering::SeqCst);
        // Nobody sees anything of the commit who does not also see the ticket.
        fence(Ordering::SeqCst);
        Ok(Ticket { pair, number })
    }

    /// Ends what a writer that died has left open. The caller holds the database's write lock.
    pub(super) fn settle(&self) {
        let pair = self.pair.load();
        if pair.version().is_none() {
            pair.move_to(pair.next());
        }
    }

    /// Maps the file anew where it or the database is no longer the one that was. The caller holds the write lock of the
    /// database file that is `open`; an error where that is not the one in place.
    pub(super) fn find(&self, open: Option<FileId>) -> io::Result<()> {
        let (Some(watch), Some(open)) = (&self.file, open) else { return Ok(()) };
        if !self.pair.load().is_at(watch) {
            watch.lost.store(true, Ordering::Release);
            if FileId::of(&watch.database)? != open {
                return Err(io::Error::other("the state file was replaced at this moment"));
            }
            let pair =
                Pair::Shared { mapped: MappedPair::open_like(&watch.path, &watch.database, start()?)?, database: open };
            pair.move_to(pair.next().wrapping_add(step()?));
            self.pair.store(Arc::new(pair));
            self.moved.store(true, Ordering::Release);
        }
        watch.lost.store(false, Ordering::Release);
        Ok(())
    }

    /// Somebody should take the write lock and call [`Epoch::find`] and [`Epoch::settle`]: the file was lost, or no
    /// version has come for a second while one and the same writer was at work.
    pub(super) fn needs_help(&self) -> bool {
        if self.version().is_some() {
            return false;
        }
        if self.file.as_ref().is_some_and(|watch| watch.lost.load(Ordering::Acquire)) {
            return true;
        }
        let begun = self.pair.load().begun().load(Ordering::Acquire);
        let now = coarse_seconds();
        if self.stuck_at.swap(begun, Ordering::Relaxed) != begun {
            self.stuck_since.store(now, Ordering::Relaxed);
            return false;
        }
        // Two marks of whole seconds, so that at least one second lies between them.
        now.saturating_sub(self.stuck_since.load(Ordering::Relaxed)) >= 2
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.pair.done().fetch_max(self.number, Ordering::SeqCst);
    }
}

impl Pair {
    fn begun(&self) -> &AtomicU64 {
        match self {
            Pair::Shared { mapped, .. } => mapped.first(),
            Pair::Private { begun, .. } => begun,
        }
    }

    fn done(&self) -> &AtomicU64 {
        match self {
            Pair::Shared { mapped, .. } => mapped.second(),
            Pair::Private { done, .. } => done,
        }
    }

    /// `done` is read first: as it never passes `begun`, the two were equal at the moment when `begun` was read.
    fn version(&self) -> Option<u64> {
        let done = self.done().load(Ordering::Acquire);
        (self.begun().load(Ordering::Acquire) == done).then_some(done)
    }

    /// A number that neither has reached.
    fn next(&self) -> u64 {
        self.begun().load(Ordering::Acquire).max(self.done().load(Ordering::Acquire)).wrapping_add(1)
    }

    /// An empty change: both go to `number`, in an order that shows no version in between.
    fn move_to(&self, number: u64) {
        self.begun().store(number, Ordering::SeqCst);
        self.done().fetch_max(number, Ordering::SeqCst);
    }

    fn is_at(&self, watch: &Watch) -> bool {
        match self {
            Pair::Shared { mapped, database } => {
                mapped.is_at(&watch.path) && FileId::of(&watch.database).is_ok_and(|now| now == *database)
            }
            Pair::Private { .. } => true,
        }
    }
}

impl Watch {
    /// Looks at the file, at most once a second.
    fn look(&self, pair: &Pair) {
        let now = coarse_seconds();
        let looked = self.looked.load(Ordering::Relaxed);
        let mine =
            now != looked && self.looked.compare_exchange(looked, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if mine && !pair.is_at(self) {
            self.lost.store(true, Ordering::Release);
        }
    }
}

/// Where a new counter starts: a number that no earlier file of this name is likely to have reached, with room above.
fn start() -> io::Result<u64> {
    Ok(u64::from_le_bytes(random::bytes::<8>().map_err(io::Error::other)?) >> 2)
}

/// A random step past numbers that may have been in use before an old file was put back.
fn step() -> io::Result<u64> {
    Ok(u64::from(u32::from_le_bytes(random::bytes::<4>().map_err(io::Error::other)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _folder: tempfile::TempDir,
        path: PathBuf,
        database: PathBuf,
    }

    impl Place {
        fn new() -> Place {
            let folder = tempfile::tempdir().unwrap();
            let database = folder.path().join("state.db");
            std::fs::write(&database, "").unwrap();
            Place { path: folder.path().join("state.db-epoch"), database, _folder: folder }
        }

        fn id(&self) -> Option<FileId> {
            FileId::of(&self.database).ok()
        }

        fn open(&self) -> Epoch {
            Epoch::open(self.path.clone(), self.database.clone(), self.id().unwrap()).unwrap()
        }
    }

    fn begin(epoch: &Epoch, place: &Place) -> Ticket {
        epoch.begin(place.id()).unwrap()
    }

    #[test]
    fn a_change_in_one_is_seen_by_the_other_at_once_and_there_is_no_version_in_between() {
        let place = Place::new();
        let (writer, reader) = (place.open(), place.open());
        let before = reader.version().unwrap();
        let ticket = begin(&writer, &place);
        assert_eq!(reader.version(), None);
        drop(ticket);
        let after = reader.version().unwrap();
        assert!(after > before);
        assert_eq!(writer.version(), Some(after));
    }

    #[test]
    fn a_writer_that_died_leaves_no_version_until_the_next_and_its_number_never_is_one() {
        let place = Place::new();
        let reader = place.open();
        let before = reader.version().unwrap();
        let dead = begin(&reader, &place);
        let number = dead.number;
        std::mem::forget(dead);
        assert_eq!(reader.version(), None);
        // Opening settles it, and so does the next writer.
        let other = place.open();
        let settled = reader.version().unwrap();
        assert!(settled > number && number > before);
        std::mem::forget(begin(&other, &place));
        drop(begin(&other, &place));
        assert_eq!(reader.version(), Some(settled + 2));
    }

    #[test]
    fn a_writer_that_raises_its_number_late_neither_lowers_nor_ends_the_next_change() {
        let place = Place::new();
        let (one, two) = (place.open(), place.open());
        let slow = begin(&one, &place);
        let next = begin(&two, &place);
        drop(slow);
        assert_eq!(one.version(), None, "the next change is still being written");
        drop(next);
        let after = one.version().unwrap();
        // The other order: the late one comes last.
        let slow = begin(&one, &place);
        drop(begin(&two, &place));
        assert_eq!(one.version(), Some(after + 2));
        drop(slow);
        assert_eq!(one.version(), Some(after + 2));
    }

    #[test]
    fn a_deleted_file_ends_the_version_within_a_second_and_a_new_one_never_repeats_it() {
        let place = Place::new();
        let epoch = place.open();
        let before = epoch.version().unwrap();
        let copy = std::fs::read(&place.path).unwrap();
        std::fs::remove_file(&place.path).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        assert_eq!(epoch.version(), None);
        assert!(epoch.needs_help());
        // An old copy put back has the old numbers in it.
        std::fs::write(&place.path, copy).unwrap();
        epoch.find(place.id()).unwrap();
        assert!(!epoch.needs_help());
        assert_ne!(epoch.version(), None);
        assert_ne!(epoch.version(), Some(before));
    }

    #[test]
    fn a_file_that_was_cut_to_nothing_is_not_read_once_that_is_noticed_and_mended_by_who_has_the_lock() {
        let place = Place::new();
        let epoch = place.open();
        let before = epoch.version().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        std::fs::File::create(&place.path).unwrap();
        // The look of this second is still to come, so that nothing is read.
        assert_eq!(epoch.version(), None);
        assert!(epoch.needs_help());
        epoch.find(place.id()).unwrap();
        assert!(!epoch.needs_help());
        assert!(epoch.version().is_some_and(|version| version != before));
    }

    #[test]
    fn a_writer_finds_the_new_file_before_it_takes_a_ticket() {
        let place = Place::new();
        let old = place.open();
        std::fs::remove_file(&place.path).unwrap();
        let new = place.open();
        let before = new.version().unwrap();
        drop(begin(&old, &place));
        assert_ne!(new.version(), Some(before), "who has the new file sees the change");
        assert_eq!(new.version(), old.version());
    }

    #[test]
    fn a_replaced_database_ends_the_version_and_nothing_is_written_to_the_old_one() {
        let place = Place::new();
        let epoch = place.open();
        let (before, old) = (epoch.version().unwrap(), place.id());
        // Both exist for a moment, so that the inode is not given out again.
        let other = place.database.with_extension("new");
        std::fs::write(&other, "").unwrap();
        std::fs::rename(&other, &place.database).unwrap();
        assert!(epoch.begin(old).is_err());
        assert_eq!(epoch.version(), None);
        epoch.find(place.id()).unwrap();
        assert!(epoch.version().is_some_and(|version| version > before));
    }

    #[test]
    fn help_is_asked_for_only_after_the_same_writer_was_silent_for_a_second() {
        let place = Place::new();
        let epoch = Epoch::private().unwrap();
        assert!(!epoch.needs_help());
        std::mem::forget(begin(&epoch, &place));
        assert!(!epoch.needs_help());
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        assert!(epoch.needs_help());
        epoch.settle();
        assert!(!epoch.needs_help() && epoch.version().is_some());
    }

    #[test]
    fn reading_the_version_is_cheap() {
        let place = Place::new();
        let epoch = place.open();
        let rounds = 1_000_000u32;
        let start = std::time::Instant::now();
        let seen = (0..rounds).filter(|_| std::hint::black_box(&epoch).version().is_some()).count();
        println!("version: {:.1} ns", start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds));
        assert_eq!(seen, rounds as usize);
    }
}
