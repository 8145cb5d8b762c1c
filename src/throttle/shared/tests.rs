use std::net::Ipv4Addr;
use std::sync::atomic::AtomicU32;

use super::super::{Attempt, Full, Lately, Place, Throttle};
use super::*;
use crate::policy::model::ThrottleRules;
use crate::request::Peer;

pub(super) const NOW: i64 = 1_800_000_000;
const LIMIT: Limit = Limit { failures: 100, per: 900 };
pub(super) const MONTH: i64 = 30 * 24 * 60 * 60;

/// A folder in which processes of one state count.
pub(super) struct Ground(tempfile::TempDir);

impl Ground {
    pub(super) fn new() -> Ground {
        Ground(tempfile::tempdir().unwrap())
    }

    fn table(&self) -> Shared {
        let like = self.0.path().join("state.db");
        std::fs::write(&like, "").unwrap();
        Shared::open(&self.0.path().join("state.db-throttle"), &like).unwrap()
    }

    /// What a process has that starts now.
    pub(super) fn process(&self) -> Throttle {
        let throttle = Throttle::with(&[7; 32]);
        throttle.join(self.table());
        throttle
    }
}

pub(super) fn limit(failures: u32, per: i64) -> Option<Limit> {
    Some(Limit { failures, per })
}

pub(super) fn ip(last: u8) -> Peer {
    Peer::Ip(Ipv4Addr::new(192, 0, 2, last).into())
}

pub(super) fn reserve(
    throttle: &Throttle,
    rules: &ThrottleRules,
    name: &str,
    peer: Peer,
    now: i64,
) -> Result<Place, Full> {
    throttle.reserve(rules, Attempt::Account(name), peer, now)
}

pub(super) fn fail(throttle: &Throttle, rules: &ThrottleRules, name: &str, peer: Peer, now: i64) -> Result<(), Full> {
    reserve(throttle, rules, name, peer, now).and_then(|place| throttle.failed(place, now))
}

pub(super) fn full(counter: &'static str, retry_after: u32) -> Result<(), Full> {
    Err(Full { retry_after, counter, under_way: false })
}

#[test]
fn what_failed_in_one_process_counts_in_all_and_after_a_restart() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(4, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    for n in 0..4 {
        let throttle = if n % 2 == 0 { &one } else { &two };
        assert_eq!(fail(throttle, &rules, "alice", ip(n), NOW + i64::from(n)), Ok(()));
    }
    for throttle in [&one, &two, &ground.process()] {
        assert_eq!(fail(throttle, &rules, "alice", ip(9), NOW + 10), full("account", 890));
        assert_eq!(throttle.peek(&rules, Attempt::Account("alice"), ip(9), NOW + 10), full("account", 890));
        assert_eq!(fail(throttle, &rules, "bob", ip(9), NOW + 10), Ok(()));
    }
    drop((one, two));
    let late = ground.process();
    assert_eq!(fail(&late, &rules, "alice", ip(9), NOW + 899), full("account", 1));
    assert_eq!(fail(&late, &rules, "alice", ip(9), NOW + 900), Ok(()));
    assert_eq!(fail(&late, &rules, "alice", ip(9), NOW + 900), full("account", 1));
}

#[test]
fn with_another_key_or_another_table_nothing_is_in_common() {
    let (ground, other) = (Ground::new(), Ground::new());
    let rules = ThrottleRules { account: limit(1, 900), ..ThrottleRules::default() };
    assert_eq!(fail(&ground.process(), &rules, "alice", ip(1), NOW), Ok(()));
    let stranger = Throttle::with(&[8; 32]);
    stranger.join(ground.table());
    for throttle in [&stranger, &other.process(), &Throttle::default()] {
        assert_eq!(throttle.peek(&rules, Attempt::Account("alice"), ip(1), NOW), Ok(()));
    }
    // Who has begun to count by himself joins the others later.
    let (late, rules) = (Throttle::with(&[7; 32]), ThrottleRules { account: limit(2, 900), ..rules });
    assert_eq!(fail(&late, &rules, "alice", ip(1), NOW), Ok(()));
    late.join(ground.table());
    assert!(late.is_shared());
    assert_eq!(fail(&late, &rules, "alice", ip(1), NOW), full("account", 900));
}

#[test]
fn who_succeeded_in_one_process_cannot_be_locked_out_in_another_nor_after_a_restart() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(2, 900), pair: limit(2, 900), ..ThrottleRules::default() };
    let one = ground.process();
    let place = reserve(&one, &rules, "alice", ip(1), NOW).unwrap();
    assert_eq!(one.succeeded(place, NOW), Ok(()));
    for n in 2..4 {
        assert_eq!(fail(&one, &rules, "alice", ip(n), NOW), Ok(()));
    }
    let two = ground.process();
    assert_eq!(fail(&two, &rules, "alice", ip(4), NOW), full("account", 900));
    assert_eq!(two.passed(&rules, Attempt::Account("alice"), ip(1), NOW, &Lately::default()), Ok(()));
    drop((one, two));
    let late = ground.process();
    assert_eq!(late.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 1), Ok(()));
    assert_eq!(late.peek(&rules, Attempt::Account("alice"), ip(5), NOW + 1), full("account", 899));
    let later = NOW + MONTH;
    for n in 2..4 {
        assert_eq!(fail(&late, &rules, "alice", ip(n), later), Ok(()));
    }
    assert_eq!(late.peek(&rules, Attempt::Account("alice"), ip(1), later), full("account", 900));
}

#[test]
fn whoever_ends_after_others_have_filled_a_counter_learns_nothing_and_counts_nothing() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(2, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    // Four at once, two in each: more than the limit, since none has failed.
    let mut under_way: Vec<(&Throttle, Place)> = Vec::new();
    for throttle in [&one, &one, &two, &two] {
        under_way.push((throttle, reserve(throttle, &rules, "alice", ip(1), NOW).unwrap()));
    }
    let mut next = || under_way.remove(0);
    let (throttle, place) = next();
    assert_eq!(throttle.failed(place, NOW), Ok(()));
    let (throttle, place) = next();
    assert_eq!(throttle.failed(place, NOW + 1), Ok(()));
    // Right or wrong, it is the same answer.
    let (throttle, place) = next();
    assert_eq!(throttle.succeeded(place, NOW + 2), full("account", 898));
    let (throttle, place) = next();
    assert_eq!(throttle.failed(place, NOW + 2), full("account", 898));
    // And neither counts: once the failures have left, which count from their beginning, there is room for two.
    assert_eq!(fail(&two, &rules, "alice", ip(1), NOW + 899), full("account", 1));
    for throttle in [&one, &two] {
        assert_eq!(fail(throttle, &rules, "alice", ip(1), NOW + 900), Ok(()));
    }
    assert_eq!(fail(&one, &rules, "alice", ip(1), NOW + 900), full("account", 900));
}

#[test]
fn right_ones_in_many_processes_at_once_all_come_in() {
    let ground = Ground::new();
    let rules = ThrottleRules { pair: limit(2, 900), ..ThrottleRules::default() };
    let processes: Vec<Throttle> = (0..8).map(|_| ground.process()).collect();
    let places: Vec<_> =
        processes.iter().map(|throttle| reserve(throttle, &rules, "alice", ip(1), NOW).unwrap()).collect();
    for (throttle, place) in processes.iter().zip(places) {
        assert_eq!(throttle.succeeded(place, NOW), Ok(()));
    }
}

#[test]
fn twins_that_are_wrong_count_for_others_as_they_do_at_home() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(3, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    let twins = one.twins();
    let among = || one.reserve_among(&rules, Attempt::Account("alice"), ip(1), NOW, &twins).unwrap();
    let places = [among(), among(), among(), among()];
    assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(1), NOW), Ok(()), "nobody has failed yet");
    let told: Vec<bool> = places.into_iter().map(|place| one.failed(place, NOW).is_ok()).collect();
    assert_eq!(told, [true, true, true, false]);
    assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(1), NOW), full("account", 900));
}

#[test]
fn twins_that_have_no_place_are_told_the_same_as_all_others_who_come_too_late() {
    let rules = ThrottleRules { account: limit(3, 900), ..ThrottleRules::default() };
    for right in [false, true] {
        let ground = Ground::new();
        let (one, two) = (ground.process(), ground.process());
        let twins = one.twins();
        let among = || one.reserve_among(&rules, Attempt::Account("alice"), ip(1), NOW, &twins).unwrap();
        let places = [among(), among(), among(), among()];
        for n in 2..5 {
            assert_eq!(fail(&two, &rules, "alice", ip(n), NOW), Ok(()));
        }
        for (n, place) in places.into_iter().enumerate() {
            assert!(!one.is_in_time(&place, NOW + 1), "{n}");
            let told = if right { one.succeeded(place, NOW + 1) } else { one.failed(place, NOW + 1) };
            assert_eq!(told, full("account", 899), "{n}");
        }
        assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 900), Ok(()), "they count nothing");
    }
}

#[test]
fn a_counter_that_is_full_in_its_last_second_is_not_hidden_by_one_that_is_full_of_what_is_under_way() {
    let ground = Ground::new();
    let (one, two) = (ground.process(), ground.process());
    let rules = ThrottleRules { account: limit(1, 900), address: limit(2, 900), ..ThrottleRules::default() };
    let place = reserve(&one, &rules, "alice", ip(1), NOW).unwrap();
    let beside = reserve(&one, &rules, "bob", ip(1), NOW).unwrap();
    assert_eq!(fail(&two, &rules, "alice", ip(2), NOW), Ok(()));
    assert_eq!(one.succeeded(place, NOW + 899), full("account", 1));
    one.abandoned(beside);
}

#[test]
fn nobody_is_looked_for_where_nobody_has_failed_and_sweeping_leads_back_there() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(2, 60), address: limit(9, 600), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    let table = ground.table();
    let place = reserve(&one, &rules, "alice", ip(1), NOW).unwrap();
    assert!(table.is_empty(NOW), "what is under way is nobody else's business");
    one.failed(place, NOW).unwrap();
    assert!(!table.is_empty(NOW + 599), "the longest window counts");
    assert!(table.is_empty(NOW + 600));
    // A power cut may leave the word behind that says so: whoever opens the table looks over it.
    table.0.words()[2].store(0, Ordering::SeqCst);
    assert!(table.is_empty(NOW));
    one.prepare(&rules);
    assert!(!table.is_empty(NOW + 599) && table.is_empty(NOW + 600));
    // Limits that look further back see what had long been over.
    two.prepare(&ThrottleRules { account: limit(2, 3_600), ..rules });
    assert!(!table.is_empty(NOW + 3_599) && table.is_empty(NOW + 3_600));
    // Whoever sweeps sweeps for all, and not twice within seconds.
    let held = || table.failures().unwrap().buckets.iter().filter(|word| word.load(Ordering::SeqCst) != 0).count();
    for (now, left) in [(NOW + 599, 2), (NOW + 601, 2), (NOW + 614, 1), (NOW + 3_599, 1), (NOW + 3_614, 0)] {
        two.sweep(now);
        assert_eq!(held(), left, "{}", now - NOW);
    }
}

#[test]
fn a_clock_that_was_ahead_locks_nobody_out_for_as_long() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(2, 900), ..ThrottleRules::default() };
    let year = 365 * 24 * 60 * 60;
    let counted = ground.process();
    for n in 0..2 {
        assert_eq!(fail(&counted, &rules, "alice", ip(n), NOW + year), Ok(()));
    }
    assert_eq!(counted.peek(&rules, Attempt::Account("alice"), ip(1), NOW), full("account", 900));
    counted.sweep(NOW);
    assert_eq!(counted.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 900), Ok(()));
    // That was its housekeeping for all.
    let throttle = ground.process();
    assert_eq!(fail(&throttle, &rules, "alice", ip(1), NOW), full("account", 900));
    assert_eq!(fail(&throttle, &rules, "alice", ip(1), NOW + 899), full("account", 1));
    assert_eq!(fail(&throttle, &rules, "alice", ip(1), NOW + 900), Ok(()));
    // Times that the table cannot hold are counted at home.
    for now in [i64::MIN, -1, 0, i64::from(u32::MAX) + 1, i64::MAX] {
        let throttle = ground.process();
        for _ in 0..2 {
            let _ = fail(&throttle, &rules, "carol", ip(1), now);
        }
        assert!(now == i64::MAX || fail(&throttle, &rules, "carol", ip(1), now).is_err(), "{now}");
        throttle.sweep(now);
    }
}

#[test]
fn counters_longer_than_a_bucket_are_counted_whole() {
    let ground = Ground::new();
    let rules = ThrottleRules { prefix: limit(1_000, 900), ..ThrottleRules::default() };
    let processes = [ground.process(), ground.process(), ground.process()];
    for n in 0..1_000u32 {
        let throttle = &processes[n as usize % 3];
        assert_eq!(fail(throttle, &rules, &format!("user{n}"), ip(n as u8), NOW + i64::from(n / 10)), Ok(()), "{n}");
    }
    for throttle in &processes {
        assert_eq!(fail(throttle, &rules, "any", ip(1), NOW + 100), full("prefix", 800));
    }
    assert_eq!(fail(&ground.process(), &rules, "any", ip(1), NOW + 900), Ok(()));
}

#[test]
fn a_flood_of_strangers_cannot_make_a_full_counter_be_forgotten() {
    let words: Vec<AtomicU64> = (0..32 << 4).map(|_| AtomicU64::new(0)).collect();
    let (until, longest) = (AtomicU64::new(0), Default::default());
    let table = Failures { until: &until, longest: &longest, buckets: &words };
    let key = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let now = u32::try_from(NOW).unwrap();
    for _ in 0..5 {
        assert!(table.note(key(1), LIMIT, now));
    }
    // Forty times what it holds.
    for n in 2..20_000 {
        assert!(table.note(key(n), LIMIT, now + 1));
    }
    assert_eq!(table.times(key(1), now + 1).len(), 5);
    // The last of them is there, and grows: what goes for it is somebody else's.
    let last = key(19_999);
    for n in 1..10 {
        assert_eq!(table.times(last, now + 1).len(), n);
        assert!(table.note(last, LIMIT, now + 1));
    }
    table.sweep(now + 901);
    assert!(words.iter().step_by(32).all(|overflowed| overflowed.load(Ordering::SeqCst) != 0));
    assert!(table.times(key(1), now + 901).is_empty() && table.is_empty(i64::from(now) + 901));
    // Strangers with many each are no harder on one who is new.
    for each in [2, 20] {
        for n in 0..2_000 {
            assert!((0..each).all(|_| table.note(key(100_000 * each + n), LIMIT, now + 902)));
        }
        for n in 0..5 {
            assert_eq!(table.times(key(each), now + 903).len(), n);
            assert!(table.note(key(each), LIMIT, now + 903));
        }
    }
}

#[test]
fn of_pairs_that_do_not_fit_the_oldest_are_strangers_again() {
    let words: Vec<AtomicU64> = (0..32 << 2).map(|_| AtomicU64::new(0)).collect();
    let table = Successes { buckets: &words };
    let key = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for n in 0..1_000u32 {
        table.note(key(n.into()), 1_000 + n);
        assert_eq!(table.find(key(n.into()), 1_000 + n), Some(i64::from(1_000 + n)));
        // It is not one more each time.
        table.note(key(n.into()), 1_001 + n);
    }
    let kept = (0..1_000).filter(|n| table.find(key(*n), 9_000).is_some()).count();
    assert_eq!(kept, 4 * 32);
    assert!((0..500).all(|n| table.find(key(n), 9_000).is_none()));
}

#[test]
fn many_processes_with_many_threads_never_tell_more_than_the_limit() {
    for _ in 0..20 {
        let ground = Ground::new();
        let rules = ThrottleRules { account: limit(10, 900), ..ThrottleRules::default() };
        let told = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for process in 0..4u8 {
                let throttle = ground.process();
                let (rules, told) = (&rules, &told);
                scope.spawn(move || {
                    for n in 0..200u8 {
                        let peer = Peer::Ip(Ipv4Addr::new(10, process, 0, n).into());
                        let Ok(place) = reserve(&throttle, rules, "alice", peer, NOW) else { continue };
                        std::thread::yield_now();
                        told.fetch_add(u32::from(throttle.failed(place, NOW).is_ok()), Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(told.into_inner(), 10);
    }
}
