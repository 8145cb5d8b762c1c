//! Times of which something was forgotten, in two words that several processes share: two spans of seconds, which cover
//! what had to be covered ever since, and as little else as two spans can.
//!
//! Two, because a clock may go forward and back: what was forgotten while it was ahead lies in a time to come, and one
//! span from before to then would shut everybody out for as long.
//!
//! **Why no time is ever uncovered**, whatever several processes do at once, and wherever one of them is killed: the
//! first span only grows. The second is replaced only by who has the first one cover it, and only where nobody has
//! changed it meanwhile. Whoever looks reads the second before the first.

use std::sync::atomic::{AtomicU64, Ordering};

use super::LONGEST;

/// Seconds before and after the present in which it is dear to cover more than must be.
const AROUND: (u32, u32) = (LONGEST, 3_600);

/// A span of Unix seconds, both ends counted. Empty where the last is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: u32,
    pub(super) last: u32,
}

/// The two words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans<'a> {
    pub(super) one: &'a AtomicU64,
    pub(super) other: &'a AtomicU64,
}

impl Span {
    fn of(word: u64) -> Span {
        Span { first: word as u32, last: (word >> 32) as u32 }
    }

    pub(super) fn word(self) -> u64 {
        u64::from(self.last) << 32 | u64::from(self.first)
    }

    fn is_empty(self) -> bool {
        self.last == 0
    }

    fn holds(self, second: u32) -> bool {
        !self.is_empty() && (self.first..=self.last).contains(&second)
    }

    fn has(self, other: Span) -> bool {
        self.holds(other.first) && self.holds(other.last)
    }

    fn with(self, other: Span) -> Span {
        if self.is_empty() {
            return other;
        }
        Span { first: self.first.min(other.first), last: self.last.max(other.last) }
    }

    /// What the two as one would cover besides: seconds around the present, and all.
    fn gap(self, other: Span, around: Span) -> (u32, u32) {
        if self.is_empty() || other.is_empty() {
            return (0, 0);
        }
        let (from, to) = (self.last.min(other.last), self.first.max(other.first));
        (to.min(around.last).saturating_sub(from.max(around.first)), to.saturating_sub(from))
    }
}

impl Spans<'_> {
    /// Something that was of this time may be forgotten.
    pub(super) fn hold(&self, second: u32) -> bool {
        // In this order, as said above.
        let other = Span::of(self.other.load(Ordering::SeqCst));
        other.holds(second) || Span::of(self.one.load(Ordering::SeqCst)).holds(second)
    }

    /// Covers the span, which is not empty, from now on.
    pub(super) fn cover(&self, span: Span, now: u32) {
        let around = Span { first: now.saturating_sub(AROUND.0), last: now.saturating_add(AROUND.1) };
        loop {
            let other = Span::of(self.other.load(Ordering::SeqCst));
            let one = Span::of(self.one.load(Ordering::SeqCst));
            if other.has(span) || one.has(span) {
                return;
            }
            let swap = |word: &AtomicU64, old: Span, new: Span| {
                word.compare_exchange(old.word(), new.word(), Ordering::SeqCst, Ordering::SeqCst).is_ok()
            };
            let (grow_one, grow_other) = (one.gap(span, around), other.gap(span, around));
            let both = one.gap(other, around);
            // Of three spans the two that lie closest become one.
            let done = if grow_other <= both && grow_other <= grow_one {
                swap(self.other, other, other.with(span))
            } else if grow_one <= both {
                swap(self.one, one, one.with(span))
            } else {
                swap(self.one, one, one.with(other)) && swap(self.other, other, span)
            };
            if done {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u32 = 1_790_000_000;

    fn spans(words: &[AtomicU64; 2]) -> Spans<'_> {
        let [one, other] = words;
        Spans { one, other }
    }

    fn up_to(last: u32) -> Span {
        Span { first: last - 400, last }
    }

    #[test]
    fn what_is_forgotten_as_time_goes_by_never_covers_the_present() {
        for step in [1, 30, 500, 5_000, 90_000] {
            let words = Default::default();
            let spans = spans(&words);
            assert!(!spans.hold(0) && !spans.hold(NOW));
            for n in 0..200 {
                let now = NOW + n * step;
                // What goes is a minute old.
                spans.cover(up_to(now - 60), now);
                assert!(spans.hold(now - 60) && spans.hold(now - 460) && !spans.hold(now - 59), "{step} {n}");
                assert!(n == 0 || spans.hold(NOW - 60), "{step} {n}");
            }
        }
    }

    #[test]
    fn a_clock_that_goes_forward_and_back_leaves_the_time_in_between() {
        for away in [900, 86_400, 20_000_000] {
            let words = Default::default();
            let spans = spans(&words);
            for n in 0..10 {
                spans.cover(up_to(NOW + n * 1_000 - 60), NOW + n * 1_000);
            }
            let now = NOW + 9_060;
            // Forward, for a while.
            for n in 0..20 {
                spans.cover(up_to(now + away + n), now + away + n + 60);
            }
            assert!(spans.hold(now + away) && !spans.hold(now + 1), "{away}");
            // And back: time goes on as before, up to where it was ahead.
            for n in (0..away.min(100_000) - 500).step_by(50) {
                spans.cover(up_to(now + n - 60), now + n);
                assert!(!spans.hold(now + n) && spans.hold(now + n - 60) && spans.hold(now + away), "{away} {n}");
            }
        }
    }

    #[test]
    fn what_lies_far_ahead_and_goes_after_the_clock_was_set_back_shuts_nobody_out() {
        let words = Default::default();
        let spans = spans(&words);
        for at in [NOW - 9_000, NOW - 5_000, NOW + 86_400, NOW + 86_500] {
            spans.cover(up_to(at), NOW);
        }
        assert!(!spans.hold(NOW) && !spans.hold(NOW + 3_600));
        for at in [NOW - 9_000, NOW - 5_000, NOW + 86_400, NOW + 86_500] {
            assert!(spans.hold(at) && spans.hold(at - 400), "{at}");
        }
    }

    #[test]
    fn several_at_once_uncover_nothing() {
        for round in 0..200 {
            let words = Default::default();
            let spans = spans(&words);
            std::thread::scope(|scope| {
                for thread in 0..4u32 {
                    scope.spawn(move || {
                        for n in 0..20u32 {
                            let at = NOW + (n * 7_919 + thread * 104_729 + round) % 100_000;
                            spans.cover(up_to(at), NOW + n);
                            assert!(spans.hold(at) && spans.hold(at - 400));
                        }
                    });
                }
            });
            for (thread, n) in (0..4u32).flat_map(|thread| (0..20u32).map(move |n| (thread, n))) {
                assert!(spans.hold(NOW + (n * 7_919 + thread * 104_729 + round) % 100_000));
            }
        }
    }

    proptest! {
        #[test]
        fn all_that_was_covered_stays_covered(steps in prop::collection::vec((0..200_000u32, 0..500u32, 0..200_000u32), 1..40)) {
            let words = Default::default();
            let spans = spans(&words);
            let mut covered = Vec::new();
            for (at, length, now) in steps {
                let span = Span { first: NOW + at - length, last: NOW + at };
                spans.cover(span, NOW + now);
                covered.push(span);
                for span in &covered {
                    prop_assert!(spans.hold(span.first) && spans.hold(span.last));
                }
            }
        }
    }
}
