use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_800_000_000;

fn limit(failures: u32, per: i64) -> Option<Limit> {
    Some(Limit { failures, per })
}

fn rules() -> ThrottleRules {
    ThrottleRules { account: limit(4, 900), address: limit(6, 900), prefix: limit(8, 900), pair: limit(2, 900) }
}

fn only_pair() -> ThrottleRules {
    ThrottleRules { pair: limit(2, 900), ..ThrottleRules::default() }
}

fn ip(text: &str) -> Peer {
    Peer::Ip(text.parse().unwrap())
}

fn fail(throttle: &Throttle, rules: &ThrottleRules, name: &str, peer: Peer, now: i64) -> Result<(), Full> {
    throttle.reserve(rules, Attempt::Account(name), peer, now).map(|place| throttle.failed(place, now).unwrap())
}

fn full(counter: &'static str, retry_after: u32) -> Result<(), Full> {
    Err(Full { retry_after, counter, under_way: false })
}

#[test]
fn with_n_failures_the_next_is_refused_until_the_oldest_leaves_its_window() {
    let throttle = Throttle::default();
    let (rules, peer) = (only_pair(), ip("192.0.2.1"));
    assert_eq!(fail(&throttle, &rules, "alice", peer, NOW), Ok(()));
    assert_eq!(fail(&throttle, &rules, "alice", peer, NOW + 100), Ok(()));
    assert_eq!(fail(&throttle, &rules, "alice", peer, NOW + 100), full("pair", 800));
    assert_eq!(fail(&throttle, &rules, "alice", peer, NOW + 899), full("pair", 1));
    assert_eq!(fail(&throttle, &rules, "alice", peer, NOW + 900), Ok(()));
    assert_eq!(fail(&throttle, &rules, "alice", peer, NOW + 900), full("pair", 100));
    assert_eq!(fail(&throttle, &rules, "bob", peer, NOW + 900), Ok(()), "another account");
    assert_eq!(fail(&throttle, &rules, "alice", ip("192.0.2.2"), NOW + 900), Ok(()), "another address");
}

#[test]
fn each_kind_of_counter_refuses_by_itself() {
    let throttle = Throttle::default();
    // One account from everywhere.
    for n in 0..4 {
        assert_eq!(fail(&throttle, &rules(), "alice", ip(&format!("10.{n}.0.1")), NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules(), "alice", ip("10.9.0.1"), NOW), full("account", 900));
    // One address with many accounts.
    for n in 0..6 {
        assert_eq!(fail(&throttle, &rules(), &format!("user{n}"), ip("192.0.2.1"), NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules(), "somebody", ip("192.0.2.1"), NOW), full("address", 900));
    // The rest of its /24, and the first address outside.
    for n in 6..8 {
        assert_eq!(fail(&throttle, &rules(), &format!("user{n}"), ip(&format!("192.0.2.{n}")), NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules(), "somebody", ip("192.0.2.99"), NOW), full("prefix", 900));
    assert_eq!(fail(&throttle, &rules(), "somebody", ip("192.0.3.1"), NOW), Ok(()));
}

#[test]
fn a_prefix_of_ipv6_is_a_64_and_a_mapped_address_is_the_ipv4_one() {
    let throttle = Throttle::default();
    let rules = ThrottleRules { prefix: limit(1, 900), ..ThrottleRules::default() };
    assert_eq!(fail(&throttle, &rules, "a", ip("2001:db8:1:2::1"), NOW), Ok(()));
    assert_eq!(fail(&throttle, &rules, "b", ip("2001:db8:1:2:ffff::1"), NOW), full("prefix", 900));
    assert_eq!(fail(&throttle, &rules, "b", ip("2001:db8:1:3::1"), NOW), Ok(()));
    assert_eq!(fail(&throttle, &rules, "a", ip("192.0.2.1"), NOW), Ok(()));
    assert_eq!(fail(&throttle, &rules, "a", ip("::ffff:192.0.2.2"), NOW), full("prefix", 900));
}

#[test]
fn a_refusal_takes_no_place_in_any_counter() {
    let throttle = Throttle::default();
    let peer = ip("192.0.2.1");
    for _ in 0..2 {
        assert_eq!(fail(&throttle, &rules(), "alice", peer, NOW), Ok(()));
    }
    for _ in 0..50 {
        assert_eq!(fail(&throttle, &rules(), "alice", peer, NOW), full("pair", 900));
    }
    // The address has counted 2 of 6, the account 2 of 4.
    for n in 0..4 {
        assert_eq!(fail(&throttle, &rules(), &format!("user{n}"), peer, NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules(), "user9", peer, NOW), full("address", 900));
}

#[test]
fn the_longest_wait_is_told() {
    let throttle = Throttle::default();
    let rules = ThrottleRules { account: limit(1, 60), pair: limit(1, 600), ..ThrottleRules::default() };
    assert_eq!(fail(&throttle, &rules, "alice", Peer::Unix, NOW), Ok(()));
    assert_eq!(fail(&throttle, &rules, "alice", Peer::Unix, NOW), full("pair", 600));
}

#[test]
fn a_success_or_a_cancelled_attempt_gives_its_place_back() {
    let throttle = Throttle::default();
    let (rules, peer) = (rules(), ip("192.0.2.1"));
    for _ in 0..20 {
        let place = throttle.reserve(&rules, Attempt::Account("alice"), peer, NOW).unwrap();
        throttle.abandoned(place);
        let place = throttle.reserve(&rules, Attempt::Account("bob"), peer, NOW).unwrap();
        throttle.succeeded(place, NOW).unwrap();
    }
    assert_eq!(throttle.counts().failures.size(), (0, 0));
    let kept = throttle.reserve(&rules, Attempt::Account("alice"), peer, NOW).unwrap();
    drop(kept);
    assert_eq!(throttle.counts().failures.size(), (4, 4), "a place that is only dropped stays taken");
}

#[test]
fn an_attacker_cannot_lock_out_a_pair_that_has_succeeded() {
    let throttle = Throttle::default();
    let (rules, home) = (rules(), ip("192.0.2.1"));
    let place = throttle.reserve(&rules, Attempt::Account("alice"), home, NOW).unwrap();
    throttle.succeeded(place, NOW).unwrap();
    // Strangers fill the account's counter, and that of the owner's own network.
    for n in 0..4 {
        assert_eq!(fail(&throttle, &rules, "alice", ip(&format!("10.{n}.0.1")), NOW), Ok(()));
        assert_eq!(fail(&throttle, &rules, &format!("u{n}"), home, NOW), Ok(()));
        assert_eq!(fail(&throttle, &rules, &format!("v{n}"), ip("192.0.2.7"), NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules, "alice", ip("10.9.0.1"), NOW), full("account", 900));
    assert!(throttle.peek(&rules, Attempt::Account("alice"), home, NOW).is_ok());
    // It answers to the pair's own limit, and its failures count there alone.
    for _ in 0..2 {
        assert_eq!(fail(&throttle, &rules, "alice", home, NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules, "alice", home, NOW), full("pair", 900));
    // 30 days later it is a stranger again.
    let month = 30 * 24 * 60 * 60;
    let later = NOW + month - 1;
    for n in 0..4 {
        assert_eq!(fail(&throttle, &rules, "alice", ip(&format!("10.{n}.0.1")), later), Ok(()));
    }
    assert!(throttle.peek(&rules, Attempt::Account("alice"), home, later).is_ok());
    assert_eq!(throttle.peek(&rules, Attempt::Account("alice"), home, NOW + month), full("account", 899));
}

#[test]
fn a_known_pair_is_not_free_of_all_limits_where_pairs_have_none() {
    let throttle = Throttle::default();
    let rules = ThrottleRules { account: limit(1, 900), ..ThrottleRules::default() };
    let place = throttle.reserve(&rules, Attempt::Account("alice"), Peer::Unix, NOW).unwrap();
    throttle.succeeded(place, NOW).unwrap();
    assert_eq!(fail(&throttle, &rules, "alice", Peer::Unix, NOW), Ok(()));
    assert_eq!(fail(&throttle, &rules, "alice", Peer::Unix, NOW), full("account", 900));
}

#[test]
fn a_look_up_counts_for_address_and_prefix_only() {
    let throttle = Throttle::default();
    let peer = ip("192.0.2.1");
    for _ in 0..6 {
        let place = throttle.reserve(&rules(), Attempt::Lookup, peer, NOW).unwrap();
        throttle.failed(place, NOW).unwrap();
    }
    let refused = throttle.reserve(&rules(), Attempt::Lookup, peer, NOW).map(drop);
    assert_eq!(refused, full("address", 900));
    assert_eq!(throttle.counts().failures.size(), (2, 12));
}

#[test]
fn a_unix_peer_has_no_address_and_unknown_peers_share_one() {
    let throttle = Throttle::default();
    for n in 0..50 {
        assert_eq!(fail(&throttle, &rules(), &format!("user{n}"), Peer::Unix, NOW), Ok(()));
        assert!(throttle.reserve(&rules(), Attempt::Lookup, Peer::Unix, NOW).is_ok());
    }
    for n in 0..6 {
        assert_eq!(fail(&throttle, &rules(), &format!("other{n}"), Peer::Unknown, NOW), Ok(()));
    }
    assert_eq!(fail(&throttle, &rules(), "more", Peer::Unknown, NOW), full("address", 900));
}

#[test]
fn without_limits_nothing_is_counted_and_a_limit_of_none_at_all_refuses_everything() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        assert_eq!(fail(&throttle, &ThrottleRules::default(), "alice", Peer::Unknown, NOW), Ok(()));
    }
    assert_eq!(throttle.counts().failures.size(), (0, 0));
    let none = ThrottleRules { account: limit(0, 60), ..ThrottleRules::default() };
    assert_eq!(fail(&throttle, &none, "alice", Peer::Unknown, NOW), full("account", 60));
    let passed = |throttle: &Throttle, rules: &ThrottleRules, attempt: Attempt<'_>, peer: Peer, now: i64| {
        throttle.passed(rules, attempt, peer, now, &Lately::default())
    };
    for looked in [Throttle::peek, passed] {
        assert_eq!(looked(&throttle, &none, Attempt::Account("alice"), Peer::Unknown, NOW), full("account", 60));
        assert_eq!(looked(&throttle, &none, Attempt::Lookup, Peer::Unknown, NOW), Ok(()));
    }
}

#[test]
fn peeking_leaves_no_trace() {
    let throttle = Throttle::default();
    for _ in 0..100 {
        assert!(throttle.peek(&rules(), Attempt::Account("alice"), ip("192.0.2.1"), NOW).is_ok());
    }
    assert_eq!(throttle.counts().failures.size(), (0, 0));
}

#[test]
fn a_clock_that_is_set_back_neither_frees_nor_locks_for_longer_than_a_window() {
    let throttle = Throttle::default();
    let (rules, peer) = (only_pair(), ip("192.0.2.1"));
    for _ in 0..2 {
        assert_eq!(fail(&throttle, &rules, "alice", peer, NOW), Ok(()));
    }
    let before = NOW - 100_000;
    assert_eq!(fail(&throttle, &rules, "alice", peer, before), full("pair", 900));
    // A place taken before and given back after the change is the right one.
    let place = throttle.reserve(&rules, Attempt::Account("bob"), peer, NOW).unwrap();
    assert_eq!(fail(&throttle, &rules, "bob", peer, before), Ok(()));
    throttle.succeeded(place, before).unwrap();
    throttle.sweep(NOW + 900);
    assert_eq!(throttle.counts().failures.size(), (0, 0));
    for now in [i64::MIN, i64::MAX] {
        let _ = fail(&throttle, &rules, "alice", peer, now);
        throttle.sweep(now);
    }
}

#[test]
fn a_limit_that_a_reload_lowers_counts_what_was_counted_before() {
    let throttle = Throttle::default();
    let high = ThrottleRules { account: limit(10, 900), ..ThrottleRules::default() };
    for n in 0..5 {
        assert_eq!(fail(&throttle, &high, "alice", Peer::Unix, NOW + n), Ok(()));
    }
    let low = ThrottleRules { account: limit(2, 900), ..ThrottleRules::default() };
    // Only once the fourth has left is there one left, and room for another.
    assert_eq!(fail(&throttle, &low, "alice", Peer::Unix, NOW + 4), full("account", 899));
}

#[test]
fn a_flood_of_strangers_cannot_make_a_full_counter_be_forgotten() {
    let throttle = Throttle::default();
    throttle.counts().failures = Table::new(1_000, 10_000);
    let rules = only_pair();
    for _ in 0..2 {
        assert_eq!(fail(&throttle, &rules, "alice", Peer::Unix, NOW), Ok(()));
    }
    for n in 0..20_000 {
        assert_eq!(fail(&throttle, &rules, &format!("stranger{n}"), Peer::Unix, NOW + 1), Ok(()));
        assert!(throttle.counts().failures.size().0 <= 1_000);
    }
    assert_eq!(fail(&throttle, &rules, "alice", Peer::Unix, NOW + 1), full("pair", 899));
    // The youngest of the strangers are still known too.
    assert_eq!(fail(&throttle, &rules, "stranger19999", Peer::Unix, NOW + 1), Ok(()));
    assert_eq!(fail(&throttle, &rules, "stranger19999", Peer::Unix, NOW + 1), full("pair", 900));
}

#[test]
fn memory_stays_bounded_by_times_as_well_as_by_counters() {
    let throttle = Throttle::default();
    throttle.counts().failures = Table::new(1_000, 500);
    let rules = ThrottleRules { address: limit(100, 900), ..ThrottleRules::default() };
    for n in 0..5_000u32 {
        let peer = Peer::Ip(std::net::Ipv4Addr::from(n % 50).into());
        let _ = fail(&throttle, &rules, "alice", peer, NOW);
        assert!(throttle.counts().failures.size().1 <= 500);
    }
}

#[test]
fn successes_are_bounded_and_the_oldest_are_forgotten_first() {
    let mut counts = Counts::default();
    for n in 0..SUCCESSES as i64 + 10 {
        counts.remember(n as Key, NOW + n / 1_000);
    }
    assert!(counts.successes.len() <= SUCCESSES);
    assert!(!counts.successes.contains_key(&0));
    assert!(counts.successes.contains_key(&(SUCCESSES as Key)));
    // All of one second: still bounded.
    let mut counts = Counts::default();
    for n in 0..SUCCESSES + 10 {
        counts.remember(n as Key, NOW);
    }
    assert!(counts.successes.len() <= SUCCESSES && counts.successes.len() > SUCCESSES / 2);
}

#[test]
fn keys_of_parts_that_read_alike_when_joined_differ() {
    let throttle = Throttle::default();
    let peers = ["192.0.2.1", "192.0.2.2", "::192.0.2.1", "2001:db8::1", "2001:db8:0:1::1", "0.0.0.0", "::", "0.0.0.1"];
    let peers = peers.map(ip).into_iter().chain([Peer::Unix, Peer::Unknown]);
    let mut pairs = HashSet::new();
    for peer in peers {
        let mut all = HashSet::new();
        for name in ["", "a", "b", "ab", "ab\0", "p", "abcdefgh", "abcdefgh\0"] {
            let keys = throttle.subject(Attempt::Account(name), peer).unwrap().keys();
            assert_eq!(keys.others, throttle.subject(Attempt::Account(name), peer).unwrap().others());
            assert!(pairs.insert(keys.pair), "{peer} {name:?}");
            assert!(all.insert(keys.pair) && all.insert(keys.others[0]), "{peer} {name:?}");
        }
        let [account, address, prefix] = throttle.subject(Attempt::Lookup, peer).unwrap().others();
        assert_eq!(account, None);
        assert_eq!((address, prefix) == (None, None), peer == Peer::Unix);
        assert!(address.is_none() || (all.insert(address) && all.insert(prefix)), "{peer}");
        let other = Throttle::default();
        let pair = |throttle: &Throttle| throttle.subject(Attempt::Account("a"), peer).unwrap().pair();
        assert_ne!(pair(&throttle), pair(&other), "each process its own");
    }
}

#[test]
fn a_failure_under_way_is_seen_by_those_who_only_look_and_its_end_too() {
    let throttle = Throttle::default();
    let rules = ThrottleRules { address: limit(1, 60), ..ThrottleRules::default() };
    let look = |address: &str| throttle.peek(&rules, Attempt::Lookup, ip(address), NOW);
    assert_eq!(throttle.counters.load(Ordering::SeqCst), 0);
    let place = throttle.reserve(&rules, Attempt::Lookup, ip("192.0.2.1"), NOW).unwrap();
    assert_eq!(throttle.counters.load(Ordering::SeqCst), 1);
    // It may turn out right, and soon.
    let soon = Err(Full { retry_after: 1, counter: "address", under_way: true });
    assert_eq!(look("192.0.2.1"), soon);
    assert_eq!(throttle.passed(&rules, Attempt::Lookup, ip("192.0.2.1"), NOW, &Lately::default()), soon);
    assert_eq!(look("192.0.2.2"), Ok(()));
    throttle.abandoned(place);
    assert_eq!(throttle.counters.load(Ordering::SeqCst), 0);
    assert_eq!(look("192.0.2.1"), Ok(()));
    throttle.failed(throttle.reserve(&rules, Attempt::Lookup, ip("192.0.2.1"), NOW).unwrap(), NOW).unwrap();
    assert_eq!(look("192.0.2.1"), full("address", 60));
    throttle.sweep(NOW + 60);
    assert_eq!(throttle.counters.load(Ordering::SeqCst), 0);
}

#[test]
fn ten_thousand_codes_in_parallel_are_never_tried_beyond_the_limit() {
    let throttle = Throttle::default();
    let rules = ThrottleRules { account: limit(10, 900), ..ThrottleRules::default() };
    let (under_way, most, tried) = (AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8u8 {
            let (throttle, rules, under_way, most, tried) = (&throttle, &rules, &under_way, &most, &tried);
            scope.spawn(move || {
                for n in 0..1_250u32 {
                    let peer = Peer::Ip(std::net::Ipv4Addr::new(10, thread, (n >> 8) as u8, n as u8).into());
                    let Ok(place) = throttle.reserve(rules, Attempt::Account("alice"), peer, NOW) else { continue };
                    most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::yield_now();
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    if n % 3 == 0 {
                        throttle.abandoned(place);
                    } else {
                        tried.fetch_add(1, Ordering::SeqCst);
                        throttle.failed(place, NOW).unwrap();
                    }
                }
            });
        }
    });
    assert_eq!(tried.into_inner(), 10);
    assert!(most.into_inner() <= 10);
}

/// The naive model: all that ever happened, counted anew for each question.
#[derive(Default)]
struct Model {
    events: Vec<Event>,
    successes: Vec<(String, i64)>,
}

/// Where it is counted, when it began, and that it failed.
type Event = (String, i64, bool);

impl Model {
    fn keys(
        &self,
        rules: &ThrottleRules,
        name: Option<&str>,
        address: u8,
        now: i64,
    ) -> Vec<(&'static str, String, Limit)> {
        let pair = name.map(|name| format!("pair {name} {address}"));
        let known = pair.as_ref().is_some_and(|pair| {
            rules.pair.is_some() && self.successes.iter().any(|(key, at)| key == pair && now - at < REMEMBERED)
        });
        let mut keys = vec![("pair", pair, rules.pair)];
        if !known {
            keys.push(("account", name.map(|name| format!("account {name}")), rules.account));
            keys.push(("address", Some(format!("address {address}")), rules.address));
            keys.push(("prefix", Some(format!("prefix {}", address / 4)), rules.prefix));
        }
        keys.into_iter().filter_map(|(kind, key, limit)| Some((kind, key?, limit?))).collect()
    }

    fn is_full(&self, key: &str, limit: Limit, now: i64) -> bool {
        let count = self.events.iter().filter(|(other, at, _)| other == key && at + limit.per > now).count();
        count >= limit.failures as usize
    }

    /// The same, whatever becomes of those that are under way.
    fn is_full_of_failures(&self, key: &str, limit: Limit, now: i64) -> bool {
        let failed = self.events.iter().filter(|(other, at, failed)| *failed && other == key && at + limit.per > now);
        failed.count() >= limit.failures as usize
    }
}

#[derive(Clone, Debug)]
struct Step {
    name: Option<u8>,
    address: u8,
    wait: i64,
    outcome: u8,
}

fn step() -> impl Strategy<Value = Step> {
    (proptest::option::weighted(0.8, 0..4u8), 0..8u8, 0..40i64, 0..6u8)
        .prop_map(|(name, address, wait, outcome)| Step { name, address, wait, outcome })
}

proptest! {
    #[test]
    fn any_history_is_answered_as_the_naive_model_answers_it(
        steps in proptest::collection::vec(step(), 1..200),
        limits in proptest::collection::vec(proptest::option::weighted(0.8, (1..8u32, 1..300i64)), 4),
    ) {
        let limit = |n: usize| limits[n].map(|(failures, per)| Limit { failures, per });
        let rules = ThrottleRules { account: limit(0), address: limit(1), prefix: limit(2), pair: limit(3) };
        let (throttle, mut model) = (Throttle::default(), Model::default());
        let mut under_way: Vec<(Place, Vec<Event>)> = Vec::new();
        let mut now = NOW;
        for step in steps {
            now += step.wait;
            let name = step.name.map(|name| format!("user{name}"));
            let attempt = name.as_deref().map_or(Attempt::Lookup, Attempt::Account);
            // Four addresses to a /24.
            let peer = Peer::Ip(std::net::Ipv4Addr::new(10, 0, step.address / 4, step.address).into());
            let keys = model.keys(&rules, name.as_deref(), step.address, now);
            let wanted_full = keys.iter().any(|(_, key, limit)| model.is_full(key, *limit, now));
            prop_assert_eq!(throttle.peek(&rules, attempt.clone(), peer, now).is_err(), wanted_full);
            match throttle.reserve(&rules, attempt.clone(), peer, now) {
                Err(refused) => {
                    prop_assert!(wanted_full);
                    // After the wait that was told there is room, and a second earlier there is not.
                    let at = |later: i64| throttle.peek(&rules, attempt.clone(), peer, later).is_ok();
                    prop_assert!(refused.retry_after >= 1);
                    prop_assert!(!at(now + i64::from(refused.retry_after) - 1));
                    let full = keys.iter().filter(|(_, key, limit)| model.is_full(key, *limit, now));
                    let of_failures = full.clone().filter(|(_, key, limit)| model.is_full_of_failures(key, *limit, now));
                    match (of_failures.clone().count(), full.count()) {
                        // How long others take that are under way nobody knows.
                        (0, _) => prop_assert!(refused.under_way && refused.retry_after == 1),
                        (failed, all) if failed == all => prop_assert!(at(now + i64::from(refused.retry_after))),
                        _ => {}
                    }
                }
                Ok(place) => {
                    prop_assert!(!wanted_full);
                    let ends_badly = !matches!(step.outcome, 0..=2);
                    let events: Vec<Event> = keys.into_iter().map(|(_, key, _)| (key, now, ends_badly)).collect();
                    model.events.extend(events.iter().cloned());
                    match step.outcome {
                        0 => under_way.push((place, events)),
                        1 => {
                            throttle.succeeded(place, now).unwrap();
                            give_back(&mut model, &events);
                            if let Some(name) = &name {
                                model.successes.push((format!("pair {name} {}", step.address), now));
                            }
                        }
                        2 => {
                            throttle.abandoned(place);
                            give_back(&mut model, &events);
                        }
                        _ => throttle.failed(place, now).unwrap(),
                    }
                }
            }
            if step.outcome == 5 && let Some((place, events)) = under_way.pop() {
                throttle.abandoned(place);
                give_back(&mut model, &events);
            }
            if step.outcome == 4 {
                throttle.sweep(now);
            }
        }
    }
}

fn give_back(model: &mut Model, events: &[Event]) {
    for event in events {
        let position = model.events.iter().position(|other| other == event).unwrap();
        model.events.remove(position);
    }
}
