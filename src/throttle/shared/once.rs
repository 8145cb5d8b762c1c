//! A process has its own failures twice, at home and in the table that it shares; each counts once.

use super::tests::NOW;
use super::tests::{Ground, fail, full, ip, limit, reserve};
use crate::policy::model::ThrottleRules;
use crate::throttle::Attempt;

#[test]
fn housekeeping_that_had_to_wait_doubles_nothing() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(5, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    for after in [3, 5, 7] {
        assert_eq!(fail(&one, &rules, "alice", ip(1), NOW + after), Ok(()));
    }
    one.sweep(NOW);
    for _ in 0..2 {
        assert_eq!(fail(&one, &rules, "alice", ip(1), NOW + 8), Ok(()));
    }
    for throttle in [&one, &two] {
        assert_eq!(throttle.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 8), full("account", 895));
    }
}

#[test]
fn a_request_that_had_to_wait_doubles_nothing() {
    let ground = Ground::new();
    let rules = ThrottleRules { address: limit(4, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    for (name, after) in [("alice", 10), ("bob", 8), ("carol", 10), ("dora", 9)] {
        assert_eq!(fail(&one, &rules, name, ip(1), NOW + after), Ok(()), "{name}");
    }
    for throttle in [&one, &two] {
        assert_eq!(fail(throttle, &rules, "eve", ip(1), NOW + 11), full("address", 897));
    }
}

#[test]
fn twins_that_come_one_after_the_other_are_not_doubled() {
    let ground = Ground::new();
    let rules = ThrottleRules { address: limit(4, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    let twins = one.twins();
    let among = |now| one.reserve_among(&rules, Attempt::Account("alice"), ip(1), now, &twins).unwrap();
    let first = among(NOW);
    let other = reserve(&one, &rules, "bob", ip(1), NOW + 3).unwrap();
    let second = among(NOW + 5);
    assert_eq!(one.failed(first, NOW), Ok(()));
    assert_eq!(one.failed(other, NOW + 3), Ok(()));
    assert_eq!(one.failed(second, NOW + 5), Ok(()));
    assert_eq!(fail(&one, &rules, "carol", ip(1), NOW + 6), Ok(()), "the fourth");
    for throttle in [&one, &two] {
        assert_eq!(fail(throttle, &rules, "dora", ip(1), NOW + 6), full("address", 894));
    }
}

#[test]
fn a_clock_that_was_set_back_doubles_nothing_whoever_notices_first() {
    for first in 0..2 {
        for back in [30, 5_000] {
            let ground = Ground::new();
            let rules = ThrottleRules { account: limit(4, 900), ..ThrottleRules::default() };
            let processes = [ground.process(), ground.process()];
            for _ in 0..2 {
                assert_eq!(fail(&processes[0], &rules, "alice", ip(1), NOW + back), Ok(()));
            }
            for (throttle, after) in [(&processes[first], 0), (&processes[1 - first], 20), (&processes[first], 40)] {
                throttle.sweep(NOW + after);
                for throttle in &processes {
                    assert_eq!(throttle.peek(&rules, Attempt::Account("alice"), ip(1), NOW + after), Ok(()));
                }
            }
            for _ in 0..2 {
                assert_eq!(fail(&processes[0], &rules, "alice", ip(1), NOW + 50), Ok(()), "{first} {back}");
            }
            for throttle in &processes {
                assert!(fail(throttle, &rules, "alice", ip(1), NOW + 50).is_err(), "{first} {back}");
            }
        }
    }
}

#[test]
fn whoever_was_right_in_time_is_not_refused_for_what_comes_after() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(2, 900), pair: limit(9, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    let place = reserve(&one, &rules, "alice", ip(1), NOW).unwrap();
    let late = reserve(&one, &rules, "alice", ip(2), NOW).unwrap();
    assert!(one.is_in_time(&place, NOW));
    // Its place is free, and taken back once.
    for n in 3..5 {
        assert_eq!(fail(&two, &rules, "alice", ip(n), NOW + 1), Ok(()));
    }
    assert!(!one.is_in_time(&late, NOW + 2));
    assert_eq!(one.succeeded(place, NOW + 2), Ok(()));
    assert_eq!(one.succeeded(late, NOW + 2), full("account", 899));
    assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 2), Ok(()), "the pair is known");
    assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(2), NOW + 2), full("account", 899));
}

#[test]
fn a_right_one_whose_account_is_disabled_meanwhile_counts_or_leaves_nothing() {
    for filled in [false, true] {
        let ground = Ground::new();
        let rules = ThrottleRules { account: limit(2, 900), address: limit(9, 900), ..ThrottleRules::default() };
        let (one, two) = (ground.process(), ground.process());
        let place = reserve(&one, &rules, "alice", ip(1), NOW).unwrap();
        assert!(one.is_in_time(&place, NOW));
        for n in 2..4 {
            assert!(!filled || fail(&two, &rules, "alice", ip(n), NOW).is_ok());
        }
        assert_eq!(one.failed(place, NOW), if filled { full("account", 900) } else { Ok(()) });
        assert_eq!(one.counts().failures.size(), if filled { (0, 0) } else { (2, 2) });
    }
}

#[test]
fn a_failure_whose_place_had_to_go_counts_all_the_same() {
    let ground = Ground::new();
    let rules = ThrottleRules { account: limit(1, 900), ..ThrottleRules::default() };
    let (one, two) = (ground.process(), ground.process());
    let place = reserve(&one, &rules, "alice", ip(1), NOW).unwrap();
    // By a clock that was ahead, say; a full table of others does it too.
    one.counts().failures.sweep(NOW + 901);
    assert_eq!(one.failed(place, NOW + 890), Ok(()));
    assert_eq!(one.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 899), full("account", 1));
    assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 899), full("account", 1));
    assert_eq!(two.peek(&rules, Attempt::Account("alice"), ip(1), NOW + 900), Ok(()));
}
