//! The keys in force, one place per issuer. Decisions read while others are put in their place: a set is never
//! changed, only swapped whole, and each swap has a number of its own.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::{ArcSwap, Guard};

use crate::crypto::key::{KeyError, KeySet};
use crate::policy::model::Issuer;
use crate::token::wishes::Wishes;

/// Numbers of sets; never used twice in a process, so that what was remembered under one cannot fit another, whatever
/// policy it belongs to.
static EPOCH: AtomicU64 = AtomicU64::new(1);

/// The keys of all issuers of one policy, by the issuer's index.
#[derive(Debug, Default)]
pub struct Keyring {
    places: Vec<Place>,
    /// Held by whoever swaps.
    writing: Mutex<()>,
}

/// Where one issuer's keys are.
#[derive(Debug)]
struct Place {
    held: ArcSwap<Held>,
    /// The number of the set that is there: all that a token needs to know which is remembered.
    epoch: AtomicU64,
    until: Arc<Until>,
}

/// The keys of one issuer at one time.
#[derive(Debug)]
pub struct Held {
    /// Larger than that of all sets before it; equal only for the same set.
    pub epoch: u64,
    /// All keys that are known.
    pub keys: KeySet,
    /// A source has not answered yet, or for too long: a key that is not here may still exist.
    pub incomplete: bool,
    /// By source, in the policy's order; `None`: not known.
    sources: Vec<Option<KeySet>>,
    /// Where somebody can be asked for more: what tokens asked for in vain.
    wishes: Option<Arc<Wishes>>,
    /// Until when they are believed; the same for all sets of this place.
    until: Arc<Until>,
}

/// Until when each source is believed, Unix seconds, and the earliest of these times.
#[derive(Debug)]
struct Until {
    sources: Vec<AtomicI64>,
    earliest: AtomicI64,
}

impl Keyring {
    /// The keys that were read with the policy.
    pub fn new(issuers: &[Issuer]) -> Keyring {
        let held = |issuer: &Issuer| {
            // The policy was held against this when it was loaded.
            let wishes = issuer.is_online().then(Arc::default);
            let until = Arc::new(Until::always(issuer.sources.len()));
            Held::of(issuer.sources.iter().map(|source| source.keys.clone()).collect(), wishes, until)
                .unwrap_or_else(|_| Held::empty())
        };
        Keyring { places: issuers.iter().map(held).map(Place::of).collect(), writing: Mutex::new(()) }
    }

    /// The issuer's keys at this moment; `None` for an index that the policy does not have.
    pub fn held(&self, issuer: usize) -> Option<Guard<Arc<Held>>> {
        self.places.get(issuer).map(|place| place.held.load())
    }

    /// The same without the keys of sources that nobody confirmed for too long at that time, Unix seconds: they hold no
    /// longer, whether or not somebody has come by to take them away.
    pub fn held_at(&self, issuer: usize, now: i64) -> Option<Guard<Arc<Held>>> {
        let held = self.held(issuer)?;
        Some(if held.holds_at(now) { held } else { Guard::from_inner(Arc::new(held.without_outdated(now))) })
    }

    /// The number of the issuer's set; 0 for an index that the policy does not have.
    pub fn epoch(&self, issuer: usize) -> u64 {
        self.places.get(issuer).map_or(0, |place| place.epoch.load(Ordering::Acquire))
    }

    /// The same at a time, Unix seconds; 0 as well where some of the keys are then not believed any more.
    pub fn epoch_at(&self, issuer: usize, now: i64) -> u64 {
        let holds = self.places.get(issuer).is_some_and(|place| place.until.reaches(now));
        if holds { self.epoch(issuer) } else { 0 }
    }

    /// Notes until when what a source says is believed, Unix seconds; `i64::MAX`: for good.
    pub fn believe(&self, issuer: usize, source: usize, until: i64) {
        let Some(held) = self.held(issuer) else { return };
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = held.until.sources.get(source) {
            own.store(until, Ordering::Relaxed);
        }
        let earliest = held.until.sources.iter().map(|own| own.load(Ordering::Relaxed)).min();
        held.until.earliest.store(earliest.unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// What a source now says can stand beside what the others say: `put` would take it.
    pub fn fits(&self, issuer: usize, source: usize, keys: &KeySet) -> Result<(), KeyError> {
        let held = self.held(issuer);
        let others = held.iter().flat_map(|held| held.sources.iter().enumerate());
        let others = others.filter_map(|(index, keys)| keys.clone().filter(|_| index != source));
        KeySet::join(others.chain([keys.clone()])).map(drop)
    }

    /// Puts what a source now says in the place of what it said before; `None`: it can no longer be believed. Those of
    /// the other sources stay. Returns the new number; on an error nothing changes.
    pub fn put(&self, issuer: usize, source: usize, keys: Option<KeySet>) -> Result<u64, KeyError> {
        let unknown = || KeyError("no such issuer or source of keys".into());
        let place = self.places.get(issuer).ok_or_else(unknown)?;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let before = place.held.load();
        let mut sources = before.sources.clone();
        *sources.get_mut(source).ok_or_else(unknown)? = keys;
        let next = Held::of(sources, before.wishes.clone(), Arc::clone(&before.until))?;
        let epoch = next.epoch;
        place.held.store(Arc::new(next));
        place.epoch.store(epoch, Ordering::Release);
        Ok(epoch)
    }
}

impl Place {
    fn of(held: Held) -> Place {
        let (epoch, until) = (AtomicU64::new(held.epoch), Arc::clone(&held.until));
        Place { held: ArcSwap::from_pointee(held), epoch, until }
    }
}

impl Held {
    fn of(sources: Vec<Option<KeySet>>, wishes: Option<Arc<Wishes>>, until: Arc<Until>) -> Result<Held, KeyError> {
        let keys = KeySet::join(sources.iter().flatten().cloned())?;
        Ok(Held {
            epoch: EPOCH.fetch_add(1, Ordering::Relaxed),
            incomplete: sources.iter().any(Option::is_none),
            keys,
            sources,
            wishes,
            until,
        })
    }

    /// All of it is believed at this time.
    fn holds_at(&self, now: i64) -> bool {
        self.until.reaches(now)
    }

    fn without_outdated(&self, now: i64) -> Held {
        let until = |index: usize| self.until.sources.get(index).map(|until| until.load(Ordering::Relaxed));
        let believed = |index: usize| until(index).is_some_and(|until| now <= until);
        let sources = self.sources.iter().enumerate().map(|(index, keys)| keys.clone().filter(|_| believed(index)));
        // Some of what stood together stands together.
        Held::of(sources.collect(), self.wishes.clone(), Arc::clone(&self.until)).unwrap_or_else(|_| Held::empty())
    }

    fn empty() -> Held {
        Held {
            epoch: EPOCH.fetch_add(1, Ordering::Relaxed),
            incomplete: true,
            keys: KeySet::default(),
            sources: Vec::new(),
            wishes: None,
            until: Arc::new(Until::always(0)),
        }
    }

    /// A token did not pass: where it names a key that is not here, that is noted.
    pub fn wish_for(&self, kid: Option<&str>) {
        if let (Some(kid), Some(wishes)) = (kid, self.wishes())
            && !self.keys.iter().any(|key| key.kid.as_deref() == Some(kid))
        {
            wishes.note(kid);
        }
    }

    /// What tokens asked for in vain; `None` where nobody can be asked for more.
    pub fn wishes(&self) -> Option<&Wishes> {
        self.wishes.as_deref()
    }

    /// What one source says.
    pub fn source(&self, index: usize) -> Option<&KeySet> {
        self.sources.get(index)?.as_ref()
    }
}

impl Until {
    fn reaches(&self, now: i64) -> bool {
        now <= self.earliest.load(Ordering::Relaxed)
    }

    fn always(sources: usize) -> Until {
        let for_good = || AtomicI64::new(i64::MAX);
        Until { sources: std::iter::repeat_with(for_good).take(sources).collect(), earliest: for_good() }
    }
}

#[cfg(test)]
pub(in crate::token) mod tests {
    use super::*;
    use crate::crypto::algorithm::Algorithm::EdDsa;
    use crate::crypto::key::tests::private;
    use crate::crypto::key::{Key, Origin, Rules};
    use crate::policy::model::{Asked, ClaimNames, DpopRules, KeySource, SourcedKeys};

    /// A source that has not been asked yet.
    pub(in crate::token) fn discovery() -> KeySource {
        KeySource::Discovery { asked: Asked { refresh: 600, stale: 86_400, authorities: None } }
    }

    fn key(kid: &str) -> KeySet {
        let rules = Rules { algorithms: &[EdDsa], strict: false, origin: Origin::Remote };
        let key = Key::from_public(Some(kid.into()), private(EdDsa).public().clone(), None, &rules).unwrap();
        KeySet::new(vec![key]).unwrap()
    }

    fn kids(ring: &Keyring) -> Vec<String> {
        ring.held(0).unwrap().keys.iter().filter_map(|key| key.kid.clone()).collect()
    }

    fn issuer(sources: Vec<Option<KeySet>>) -> Issuer {
        let sourced = |keys| SourcedKeys { source: discovery(), keys };
        Issuer {
            name: "a".into(),
            issuer: "https://a".into(),
            audience: vec!["b".into()],
            algorithms: vec![EdDsa],
            sources: sources.into_iter().map(sourced).collect(),
            types: Vec::new(),
            require: Vec::new(),
            claims: ClaimNames { subject: "sub".into(), roles: None, scopes: "scope".into() },
            local_users: false,
            grants: None,
            dpop: DpopRules::default(),
        }
    }

    #[test]
    fn sets_are_swapped_source_by_source_and_each_swap_has_a_number_of_its_own() {
        let ring = Keyring::new(&[issuer(vec![Some(key("a")), None])]);
        assert!(ring.held(0).unwrap().incomplete);
        let before = (ring.epoch(0), ring.held(0).unwrap());
        let second = ring.put(0, 1, Some(key("b"))).unwrap();
        assert_eq!((kids(&ring), ring.held(0).unwrap().incomplete), (vec!["a".to_owned(), "b".into()], false));
        let third = ring.put(0, 0, Some(key("c"))).unwrap();
        assert_eq!(kids(&ring), ["c", "b"]);
        assert!(before.0 < second && second < third && ring.epoch(0) == third);
        // Who reads keeps what they have.
        assert_eq!(before.1.keys.iter().next().unwrap().kid.as_deref(), Some("a"));
        ring.put(0, 1, None).unwrap();
        assert_eq!((kids(&ring), ring.held(0).unwrap().incomplete), (vec!["c".to_owned()], true));
        // A ring of another policy shares no number with this one.
        assert!(Keyring::new(&[issuer(vec![Some(key("a"))])]).epoch(0) > ring.epoch(0));
    }

    #[test]
    fn what_is_believed_no_longer_holds_no_longer_whoever_looks() {
        let ring = Keyring::new(&[issuer(vec![Some(key("a")), Some(key("b"))])]);
        let at = |now: i64| {
            let held = ring.held_at(0, now).unwrap();
            (held.keys.iter().filter_map(|key| key.kid.clone()).collect::<Vec<_>>(), held.incomplete)
        };
        let both = (vec!["a".to_owned(), "b".into()], false);
        assert_eq!(at(i64::MAX), both);
        ring.believe(0, 1, 100);
        assert_eq!((at(100), ring.epoch_at(0, 100)), (both.clone(), ring.epoch(0)));
        assert_eq!((at(101), ring.epoch_at(0, 101)), ((vec!["a".to_owned()], true), 0));
        ring.believe(0, 0, 50);
        assert_eq!(at(60), (vec!["b".to_owned()], true));
        assert_eq!(at(101), (vec![], true));
        assert_eq!(kids(&ring), ["a", "b"], "nothing was taken away");
        ring.believe(0, 0, 200);
        ring.believe(0, 1, 200);
        assert_eq!(at(150), both);
        ring.put(0, 0, Some(key("c"))).unwrap();
        assert_eq!(at(201), (vec![], true), "another set of the same source is believed no longer");
    }

    #[test]
    fn what_cannot_stand_together_changes_nothing() {
        let ring = Keyring::new(&[issuer(vec![Some(key("a")), None])]);
        let before = ring.epoch(0);
        let other = |kid: &str| {
            let rules = Rules {
                algorithms: &[crate::crypto::algorithm::Algorithm::Es256],
                strict: false,
                origin: Origin::Remote,
            };
            let public = private(crate::crypto::algorithm::Algorithm::Es256).public().clone();
            KeySet::new(vec![Key::from_public(Some(kid.into()), public, None, &rules).unwrap()]).unwrap()
        };
        assert!(ring.put(0, 1, Some(other("a"))).unwrap_err().0.contains("\"a\""));
        assert!(ring.fits(0, 1, &other("a")).unwrap_err().0.contains("\"a\""));
        assert!(ring.fits(0, 1, &other("b")).is_ok() && ring.fits(0, 0, &other("a")).is_ok());
        for (issuer, source) in [(0, 2), (1, 0)] {
            assert!(ring.put(issuer, source, Some(key("b"))).is_err());
        }
        assert_eq!((ring.epoch(0), kids(&ring)), (before, vec!["a".to_owned()]));
        assert_eq!(ring.epoch(1), 0);
    }
}
