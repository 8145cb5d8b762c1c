//! From where somebody has just come in: the counters need not hear of it each time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use super::subject::Ends;

/// Seconds for which a success need not be told again: of thirty days a minute is nothing.
const ENOUGH: i64 = 60;

/// When one account last succeeded, and from which address. Read and written without a lock: where two write at once, what
/// is read may be half of each, and then an address that is neither's is not noted for a minute.
#[derive(Debug)]
pub struct Lately {
    at: AtomicI64,
    kind: AtomicU64,
    address: [AtomicU64; 2],
}

impl Default for Lately {
    fn default() -> Lately {
        Lately { at: AtomicI64::new(i64::MIN), kind: AtomicU64::default(), address: Default::default() }
    }
}

impl Lately {
    pub(super) fn is(&self, ends: &Ends, now: i64) -> bool {
        let [high, low] = &self.address;
        let age = now.saturating_sub(self.at.load(Ordering::Relaxed));
        let same = self.kind.load(Ordering::Relaxed) == u64::from(ends.family)
            && high.load(Ordering::Relaxed) == (ends.address >> 64) as u64
            && low.load(Ordering::Relaxed) == ends.address as u64;
        same && (0..ENOUGH).contains(&age)
    }

    pub(super) fn note(&self, ends: &Ends, now: i64) {
        let [high, low] = &self.address;
        self.kind.store(u64::from(ends.family), Ordering::Relaxed);
        high.store((ends.address >> 64) as u64, Ordering::Relaxed);
        low.store(ends.address as u64, Ordering::Relaxed);
        self.at.store(now, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Attempt, Throttle};
    use super::*;
    use crate::policy::model::{Limit, ThrottleRules};
    use crate::request::Peer;

    const NOW: i64 = 1_800_000_000;
    const LIMIT: Option<Limit> = Some(Limit { failures: 2, per: 900 });
    const RULES: ThrottleRules = ThrottleRules { account: LIMIT, address: None, prefix: None, pair: LIMIT };

    fn ip(text: &str) -> Peer {
        Peer::Ip(text.parse().unwrap())
    }

    #[test]
    fn a_success_of_the_last_minute_is_not_told_again_and_any_failure_is_looked_for() {
        let (throttle, lately, home) = (Throttle::default(), Lately::default(), ip("192.0.2.1"));
        let pass = |rules: &ThrottleRules, peer, now| {
            let passed = throttle.passed(rules, Attempt::Account("alice"), peer, now, &lately);
            passed.map_err(|full| full.retry_after)
        };
        let told = |at: i64| throttle.counts().successes.values().filter(|time| **time == at).count();
        for (now, is_told) in [(NOW, true), (NOW + 59, false), (NOW + 60, true), (NOW + 59, true), (NOW + 61, false)] {
            assert_eq!(pass(&RULES, home, now), Ok(()));
            assert_eq!(told(now), usize::from(is_told), "{now}");
        }
        // Another address, or the same one of another kind, is another pair.
        for (n, peer) in [ip("192.0.2.2"), ip("::c000:202"), Peer::Unix, Peer::Unknown, home].into_iter().enumerate() {
            let now = NOW + 70 + n as i64;
            assert_eq!(pass(&RULES, peer, now), Ok(()));
            assert_eq!(told(now), 1, "{peer}");
        }
        // Where a limit refuses everybody, or somebody has failed, all is as ever.
        let none = Some(Limit { failures: 0, per: 60 });
        let none = ThrottleRules { account: none, pair: none, ..ThrottleRules::default() };
        assert_eq!(pass(&none, home, NOW + 75), Err(60));
        for _ in 0..2 {
            let place = throttle.reserve(&RULES, Attempt::Account("alice"), home, NOW + 75).unwrap();
            throttle.failed(place, NOW + 75).unwrap();
        }
        assert_eq!(pass(&RULES, home, NOW + 76), Err(899));
    }
}
