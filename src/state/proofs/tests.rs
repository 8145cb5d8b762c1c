use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::rc::Rc;

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_790_000_000;
const KEY: [u8; 32] = [7; 32];
/// Proofs that a bucket holds.
const SLOTS: i64 = BUCKET as i64 - 2;

thread_local! {
    /// What happens on this thread, as if elsewhere, between the choice of a slot and its being taken.
    static MEANWHILE: Cell<Option<Box<dyn FnOnce()>>> = const { Cell::new(None) };
}

pub(super) fn passing() {
    if let Some(meanwhile) = MEANWHILE.take() {
        meanwhile();
    }
}

/// By the client's clock.
fn proof(id: &str, made_at: i64) -> Proof<'_> {
    Proof { key: &KEY, id, issued: made_at, made_at }
}

/// A table in memory.
struct Bench {
    key: Keyed,
    lost: [AtomicU64; 2],
    words: Vec<AtomicU64>,
}

impl Bench {
    fn new(buckets: usize) -> Bench {
        let words = (0..buckets * BUCKET).map(|_| AtomicU64::new(0)).collect();
        Bench { key: Keyed::with(&[1; 32]), lost: Default::default(), words }
    }

    fn note(&self, id: &str, made_at: i64, now: i64) -> Used {
        let [one, other] = &self.lost;
        let table = Table { key: &self.key, lost: Spans { one, other }, buckets: &self.words };
        table.note(&proof(id, made_at), now)
    }

    fn numbered(&self, id: i64, made_at: i64, now: i64) -> Used {
        self.note(&id.to_string(), made_at, now)
    }
}

#[test]
fn a_proof_is_good_once_for_its_key_and_its_time() {
    let bench = Bench::new(64);
    assert_eq!(bench.note("a", NOW, NOW), Used::First);
    assert_eq!(bench.note("a", NOW, NOW), Used::Again);
    assert_eq!(bench.note("a", NOW, NOW + 90), Used::Again);
    assert_eq!(bench.note("a", NOW, NOW - 90), Used::Again, "also for a clock that was set back");
    assert_eq!(bench.note("b", NOW, NOW), Used::First);
    assert_eq!(bench.note("a", NOW + 1, NOW), Used::First, "another iat");
    let of = |key: &[u8; 32], issued, made_at| {
        let [one, other] = &bench.lost;
        let table = Table { key: &bench.key, lost: Spans { one, other }, buckets: &bench.words };
        table.note(&Proof { key, id: "a", issued, made_at }, NOW)
    };
    assert_eq!(of(&[8; 32], NOW, NOW), Used::First, "of another key");
    assert_eq!(of(&KEY, NOW, NOW - 60), Used::Again, "by its nonce as by its own time");
}

#[test]
fn times_that_no_clock_shows_are_refused() {
    let bench = Bench::new(1);
    for (made_at, now) in [(0, 0), (-1, NOW), (NOW, -1), (NOW, 1 << 32), (1 << 32, NOW), (i64::MIN, i64::MAX)] {
        assert_eq!(bench.note("a", made_at, now), Used::Forgotten, "{made_at} {now}");
    }
    assert_eq!(Bench::new(0).note("a", NOW, NOW), Used::Forgotten, "nor is anything kept in no room");
}

#[test]
fn a_full_bucket_takes_younger_proofs_and_no_used_one() {
    let bench = Bench::new(1);
    for n in 0..SLOTS {
        assert_eq!(bench.numbered(n, NOW + n, NOW + n), Used::First);
    }
    let now = NOW + SLOTS;
    assert_eq!(bench.numbered(3, NOW + 3, now), Used::Again, "a full one still knows what it holds");
    assert_eq!(bench.numbered(SLOTS, now, now), Used::First, "the oldest makes room");
    assert_eq!(bench.numbered(0, NOW, now), Used::Forgotten);
    assert_eq!(bench.numbered(-1, NOW, now), Used::Forgotten, "nobody knows whether it was used");
    assert_eq!(bench.numbered(3, NOW + 3, now), Used::Again);
    assert_eq!(bench.numbered(-1, NOW + 1, now), Used::Forgotten, "it is as old as what makes room");
    for n in SLOTS + 1..1_000 {
        assert_eq!(bench.numbered(n, NOW + n, NOW + n), Used::First, "whoever is in time notices nothing");
    }
    for n in 0..1_000 {
        assert_ne!(bench.numbered(n, NOW + n, NOW + 1_000), Used::First);
    }
    // All in one second: the rest of it is refused.
    let bench = Bench::new(1);
    let uses: Vec<Used> = (0..2 * SLOTS).map(|n| bench.numbered(n, NOW, NOW)).collect();
    let (kept, rest) = uses.split_at(SLOTS as usize);
    assert!(kept.iter().all(|one| *one == Used::First) && rest.iter().all(|one| *one == Used::Forgotten), "{uses:?}");
    assert_eq!(bench.note("x", NOW + 1, NOW + 1), Used::First);
}

#[test]
fn proofs_that_are_dated_ahead_shut_nobody_out() {
    let bench = Bench::new(1);
    let uses: Vec<Used> = (0..100).map(|n| bench.numbered(n, NOW + 30, NOW)).collect();
    let (kept, rest) = uses.split_at(SLOTS as usize / 2);
    assert!(kept.iter().all(|one| *one == Used::First) && rest.iter().all(|one| *one == Used::Forgotten), "{uses:?}");
    for n in 0..30 {
        for clock in -1..=1 {
            assert_eq!(bench.numbered(1_000 + 10 * n + clock, NOW + n + clock, NOW + n), Used::First, "{n} {clock}");
        }
        assert_eq!(bench.numbered(n % 15, NOW + 30, NOW + n), Used::Again, "{n}");
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_shut_everybody_out() {
    for away in [3_700, 86_400] {
        let bench = Bench::new(1);
        for n in 0..2 * SLOTS {
            assert_eq!(bench.numbered(n, NOW + away + n, NOW + away + n), Used::First);
        }
        for n in 0..9_000 {
            let now = NOW + n / 3;
            assert_eq!(bench.numbered(1_000 + n, now, now), Used::First, "{away} {n}");
        }
        for n in 0..2 * SLOTS {
            assert_ne!(bench.numbered(n, NOW + away + n, NOW + away + n), Used::First, "{away} {n}");
        }
    }
}

#[test]
fn a_clock_that_goes_forward_and_back_lets_no_used_proof_in() {
    for (away, at) in [(500, NOW), (500, NOW - 60), (86_400, NOW), (191, NOW - 89)] {
        let bench = Bench::new(1);
        for n in 0..SLOTS {
            assert_eq!(bench.numbered(n, at - SLOTS + n, NOW - SLOTS + n), Used::First);
        }
        for n in 0..50 {
            assert_eq!(bench.numbered(n, NOW + away + n, NOW + away + n), Used::First);
        }
        for n in 0..SLOTS {
            assert_ne!(bench.numbered(n, at - SLOTS + n, NOW), Used::First, "{away} {at} {n}");
        }
        if away > 600 {
            assert_eq!(bench.note("x", NOW + 1, NOW + 1), Used::First, "and nobody waits for the clock");
        }
    }
}

/// A bucket that is full, and one that is far ahead for a clock that shows the time it is, but not for a later one.
fn full_with_one_ahead() -> Rc<Bench> {
    let bench = Bench::new(1);
    assert_eq!(bench.note("far", NOW + 3_700, NOW + 3_700), Used::First);
    for n in 1..SLOTS {
        assert_eq!(bench.numbered(n, NOW - 100 + n, NOW - 100 + n), Used::First);
    }
    Rc::new(bench)
}

fn meanwhile(bench: &Rc<Bench>, what: impl FnOnce(&Bench) + 'static) {
    let bench = Rc::clone(bench);
    MEANWHILE.set(Some(Box::new(move || what(&bench))));
}

#[test]
fn a_slot_that_somebody_else_took_meanwhile_is_not_written_over() {
    for empty in [true, false] {
        let bench = if empty { Rc::new(Bench::new(1)) } else { full_with_one_ahead() };
        meanwhile(&bench, |bench| assert_eq!(bench.note("a", NOW, NOW), Used::First));
        assert_eq!(bench.note("a", NOW, NOW), Used::Again);
        meanwhile(&bench, |bench| assert_eq!(bench.note("b", NOW, NOW), Used::First));
        assert_eq!(bench.note("c", NOW, NOW), Used::First);
        assert_eq!((bench.note("b", NOW, NOW), bench.note("c", NOW, NOW)), (Used::Again, Used::Again));
    }
}

#[test]
fn the_same_proof_in_another_slot_is_seen() {
    let bench = full_with_one_ahead();
    // By its clock it takes the oldest, and we take what is far ahead by ours.
    meanwhile(&bench, |bench| assert_eq!(bench.note("a", NOW, NOW + 300), Used::First));
    assert_eq!(bench.note("a", NOW, NOW), Used::Again);
    assert_eq!(bench.note("far", NOW + 3_700, NOW + 300), Used::Forgotten, "ours was taken");
}

#[test]
fn the_same_proof_that_was_used_and_forgotten_meanwhile_is_refused() {
    let bench = full_with_one_ahead();
    meanwhile(&bench, |bench| {
        assert_eq!(bench.note("a", NOW, NOW + 300), Used::First);
        for n in 0..SLOTS - 1 {
            assert_eq!(bench.numbered(100 + n, NOW + 301 + n, NOW + 301 + n), Used::First);
        }
        assert_eq!(bench.note("a", NOW, NOW + 330), Used::Forgotten);
    });
    assert_eq!(bench.note("a", NOW, NOW), Used::Forgotten);
    assert_eq!(bench.note("far", NOW + 3_700, NOW + 300), Used::Forgotten, "its slot was taken");
}

/// Few slots and many threads, each with a clock of its own, so that entries are written over all the time.
#[test]
fn of_racing_threads_never_two_are_the_first() {
    for round in 0..300i64 {
        let bench = Bench::new(1 + usize::from(round % 3 == 0));
        let firsts: Vec<(i64, i64)> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4i64)
                .map(|thread| {
                    let bench = &bench;
                    scope.spawn(move || {
                        let mut firsts = Vec::new();
                        for n in 0..120 {
                            let (id, made_at) = ((n * 7 + thread * round) % 50, NOW + n / 40);
                            if bench.numbered(id, made_at, made_at + (n + thread) % 3) == Used::First {
                                firsts.push((id, made_at));
                            }
                        }
                        firsts
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let each: HashSet<_> = firsts.iter().collect();
        assert_eq!(each.len(), firsts.len(), "{firsts:?}");
        assert!(firsts.len() > 10);
    }
}

proptest! {
    /// Held against a memory without bounds, with a clock that goes forward and back.
    #[test]
    fn nothing_is_taken_twice(
        buckets in 1..4usize,
        steps in prop::collection::vec((0..40u8, -100..40i64, -200..300i64, any::<prop::sample::Index>()), 1..300),
        jumps in prop::collection::vec(prop::sample::select(vec![0, 0, 0, 4_000, -4_000, 86_400, -86_400]), 300),
    ) {
        let bench = Bench::new(buckets);
        let mut taken = HashSet::new();
        let mut seen: Vec<(u8, i64)> = Vec::new();
        let mut now = NOW;
        for (n, (id, offset, later, old)) in steps.into_iter().enumerate() {
            now += later / 20 + if n % 10 == 0 { jumps[n] } else { 0 };
            // Every other one was there before, as long as it could be taken.
            let before = (n % 2 == 1 && !seen.is_empty()).then(|| seen[old.index(seen.len())]);
            let (id, made_at) = before.filter(|(_, at)| (-400..=60).contains(&(at - now))).unwrap_or((id, now + offset));
            seen.push((id, made_at));
            match bench.note(&id.to_string(), made_at, now) {
                Used::First => prop_assert!(taken.insert((id, made_at))),
                Used::Again => prop_assert!(taken.contains(&(id, made_at))),
                Used::Forgotten => {}
            }
        }
    }
}

/// A state file, and the table beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.db"), "").unwrap();
        Place { folder }
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("a.db")
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("a.db-proofs")
    }

    fn try_open(&self) -> io::Result<Proofs> {
        let proofs = Proofs::at(self.path());
        proofs.find(&self.state(), NOW, false).map(|()| proofs)
    }

    fn open(&self) -> Proofs {
        self.try_open().unwrap()
    }
}

fn a_second_later() {
    std::thread::sleep(std::time::Duration::from_millis(1_100));
}

#[test]
fn what_is_used_in_one_is_used_in_the_other_and_after_a_restart() {
    use std::os::unix::fs::MetadataExt;
    let place = Place::new();
    let (one, two) = (place.open(), place.open());
    for n in 0..2_000 {
        let id = n.to_string();
        let (first, second) = if n % 2 == 0 { (&one, &two) } else { (&two, &one) };
        assert_eq!(first.note(&proof(&id, NOW), NOW), Some(Used::First), "{n}");
        assert_eq!(second.note(&proof(&id, NOW), NOW), Some(Used::Again), "{n}");
    }
    drop((one, two));
    let later = place.open();
    for n in 0..2_000 {
        assert_eq!(later.note(&proof(&n.to_string(), NOW), NOW + 30), Some(Used::Again), "{n}");
    }
    assert_eq!(later.note(&proof("x", NOW), NOW), Some(Used::First));
    let (data, state) = (std::fs::metadata(place.path()).unwrap(), std::fs::metadata(place.state()).unwrap());
    assert_eq!((data.uid(), data.gid(), data.mode()), (state.uid(), state.gid(), state.mode()));
    assert_eq!(data.len(), (1 << 23) + 4096);
    assert!(data.blocks() * 512 >= data.len(), "there is room on the disk for all of it");
}

#[test]
fn nothing_is_made_before_it_is_asked_for() {
    let place = Place::new();
    let proofs = Proofs::at(place.path());
    assert_eq!(proofs.note(&proof("a", NOW), NOW), None);
    assert!(!proofs.is_found() && !place.path().exists());
}

#[test]
fn each_file_has_a_key_of_its_own() {
    let keys: HashSet<Vec<u8>> = (0..4)
        .map(|_| {
            let place = Place::new();
            place.open();
            std::fs::read(place.path()).unwrap()[16..48].to_vec()
        })
        .collect();
    assert_eq!(keys.len(), 4);
    assert!(keys.iter().all(|key| key.chunks(8).all(|word| word != [0; 8])));
}

#[test]
fn a_file_that_is_something_else_or_was_cut_is_refused_and_left_alone() {
    let place = Place::new();
    drop(place.open());
    let whole = std::fs::read(place.path()).unwrap();
    let mut newer = whole.clone();
    newer[8] = 2;
    for content in [b"notes".to_vec(), vec![7; whole.len()], newer, whole[..4096].to_vec()] {
        std::fs::write(place.path(), &content).unwrap();
        assert_eq!(place.try_open().unwrap_err().kind(), io::ErrorKind::InvalidData);
        assert!(std::fs::read(place.path()).unwrap() == content);
    }
    std::fs::write(place.path(), vec![0; whole.len()]).unwrap();
    assert_eq!(place.open().note(&proof("a", NOW), NOW), Some(Used::First), "zeros are a new file");
}

#[test]
fn a_lost_file_is_noticed_within_a_second_and_what_it_knew_is_refused_from_then_on() {
    for cut in [false, true] {
        let place = Place::new();
        let (old, idle) = (place.open(), place.open());
        assert_eq!(old.note(&proof("a", NOW), NOW), Some(Used::First));
        assert_eq!(old.note(&proof("ahead", NOW + 20), NOW), Some(Used::First));
        assert_eq!(idle.note(&proof("b", NOW - 1), NOW), Some(Used::First));
        a_second_later();
        if cut {
            File::create(place.path()).unwrap();
        } else {
            std::fs::remove_file(place.path()).unwrap();
        }
        assert_eq!(old.note(&proof("c", NOW + 2), NOW + 2), None);
        old.find(&place.state(), NOW + 2, true).unwrap();
        let new = place.open();
        for (id, made_at) in [("a", NOW), ("b", NOW - 1), ("ahead", NOW + 20), ("c", NOW + 2)] {
            for one in [&old, &new] {
                assert_eq!(one.note(&proof(id, made_at), NOW + 2), Some(Used::Forgotten), "{cut} {id}");
            }
        }
        // Once that time is over all goes on, for the one that was idle as well.
        let now = NOW + 30;
        assert_eq!(old.note(&proof("d", now), now), Some(Used::First));
        assert_eq!(new.note(&proof("d", now), now), Some(Used::Again));
        // It has looked this second, or looks now.
        if cut {
            idle.looked.store(coarse_seconds(), Ordering::Relaxed);
        }
        assert_eq!(idle.note(&proof("d", now), now), None);
        idle.find(&place.state(), now, true).unwrap();
        assert_eq!(idle.note(&proof("d", now), now), Some(Used::Forgotten));
        assert_eq!(idle.note(&proof("e", now + 2), now + 2), Some(Used::First));
        assert_eq!(old.note(&proof("e", now + 2), now + 2), Some(Used::Again));
    }
}

#[test]
fn whoever_begins_a_lost_file_anew_takes_none_of_its_proofs_nor_what_was_dated_ahead() {
    let place = Place::new();
    let old = place.open();
    for (id, made_at) in [("a", NOW), ("ahead", NOW + 30), ("late", NOW - 60)] {
        assert_eq!(old.note(&proof(id, made_at), NOW), Some(Used::First));
    }
    std::fs::remove_file(place.path()).unwrap();
    // The one that knows them is not asked meanwhile.
    let new = Proofs::at(place.path());
    new.allow(30);
    new.find(&place.state(), NOW, true).unwrap();
    let later = place.open();
    for one in [&new, &later] {
        for (id, made_at) in [("a", NOW), ("ahead", NOW + 30), ("unseen", NOW + 32), ("late", NOW - 60)] {
            assert_eq!(one.note(&proof(id, made_at), NOW + 1), Some(Used::Forgotten), "{id}");
        }
    }
    assert_eq!(new.note(&proof("b", NOW + 33), NOW + 33), Some(Used::First));
    assert_eq!(later.note(&proof("b", NOW + 33), NOW + 33), Some(Used::Again));
}

#[test]
fn nearly_all_of_a_flood_within_one_second_have_room() {
    let place = Place::new();
    let proofs = place.open();
    let rounds = 200_000u32;
    let firsts = (0..rounds).filter(|n| proofs.note(&proof(&n.to_string(), NOW), NOW) == Some(Used::First)).count();
    // Those of one second are few enough for all but a bucket in a million.
    assert!(firsts as u32 + 5 > rounds, "{firsts}");
}
