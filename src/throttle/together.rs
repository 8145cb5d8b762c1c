//! Joins the counters of one process with those of all others.

use std::sync::Arc;

use super::shared::Shared;
use super::subject::Kind;
use super::{Place, Throttle};
use crate::crypto::sip::Sip;
use crate::policy::model::ThrottleRules;

impl Throttle {
    /// Finds its counters as all others do that have this key.
    pub fn with(key: &[u8; 32]) -> Throttle {
        let throttle = Throttle { is_keyed: true, ..Throttle::default() };
        // There is none in it yet.
        let _ = throttle.hasher.set(Box::new(Sip::with(key)));
        throttle
    }

    /// Others have its key.
    pub fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// Counts together with all others that have this table, and the same key, from now on.
    pub fn join(&self, shared: Shared) {
        let shared = self.shared.get_or_init(|| Arc::new(shared));
        self.counts().failures.share(shared);
    }

    /// These limits will be asked for, and in the table nothing that they count is to be over before.
    pub fn prepare(&self, rules: &ThrottleRules) {
        let all = [
            (Kind::Account, rules.account),
            (Kind::Address, rules.address),
            (Kind::Prefix, rules.prefix),
            (Kind::Pair, rules.pair),
        ];
        if let Some(shared) = self.shared.get() {
            shared.prepare(all.into_iter().filter_map(|(kind, limit)| Some((kind.of(0), limit?))));
        }
    }

    /// Others count with it.
    pub fn is_shared(&self) -> bool {
        self.shared.get().is_some()
    }

    /// The secret is found right, and work is left that only a right one costs (a new hash, say). False: others have filled
    /// a counter since the place was taken, for which right or wrong will be refused alike, and must cost alike. Otherwise
    /// it has succeeded by this, whatever others do until [`Throttle::succeeded`] says so.
    pub fn is_in_time(&self, place: &Place, now: i64) -> bool {
        if !self.is_shared() {
            return true;
        }
        let mut counts = self.counts();
        if counts.succeed(place, now).is_err() {
            return false;
        }
        counts.give_back(place);
        place.ended.set(true);
        true
    }
}
