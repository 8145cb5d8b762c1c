//! Equal work that is under way at once is done once. Whoever comes to run it first does it; the others wait for what
//! comes of it, without a processor.
//!
//! Nobody waits for work that does not run: who leads is settled when work begins, not when it is ordered, so that a
//! pool of one thread, a job that is never run and one that is cancelled hold up nobody. A leader that fails or panics
//! leaves the work to the next. One that is lost with its thread is given up after a while.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// Names what is equal: a keyed digest.
pub(super) type Key = [u8; 32];

/// How long work may take before those who wait take its thread to be lost. Then it is done again, which costs time
/// and never truth.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fewer entries than this are not looked through for those that are over.
const FEW: usize = 64;

/// One piece of work, held by everybody who wants it. `N` goes with it, `T` is what comes of it.
#[derive(Debug)]
pub(super) struct Flight<N, T> {
    /// Goes with this work, as it was made when it was begun.
    pub(super) tag: N,
    stage: Mutex<Stage<T>>,
    changed: Condvar,
}

#[derive(Debug)]
enum Stage<T> {
    Idle,
    Running,
    Done(T),
}

/// All work that is under way in a process.
#[derive(Debug)]
pub(super) struct Flights<N, T>(Mutex<Entries<N, T>>);

#[derive(Debug)]
struct Entries<N, T> {
    by_key: HashMap<Key, Weak<Flight<N, T>>>,
    /// With so many, those that are over are taken out.
    many: usize,
}

impl<N, T> Flights<N, T> {
    pub(super) fn new() -> Flights<N, T> {
        Flights(Mutex::new(Entries { by_key: HashMap::new(), many: FEW }))
    }

    /// The work of this key that somebody wants already and that is not done, where there is some.
    pub(super) fn find(&self, key: &Key) -> Option<Arc<Flight<N, T>>> {
        lock(&self.0).find(key)
    }

    /// As [`Flights::find`], or new work.
    pub(super) fn join(&self, key: Key, tag: impl FnOnce() -> N) -> Arc<Flight<N, T>> {
        let mut entries = lock(&self.0);
        if let Some(flight) = entries.find(&key) {
            return flight;
        }
        if entries.by_key.len() >= entries.many {
            entries.by_key.retain(|_, flight| flight.strong_count() > 0);
            entries.many = FEW.max(entries.by_key.len().saturating_mul(2));
        }
        let flight = Arc::new(Flight { tag: tag(), stage: Mutex::new(Stage::Idle), changed: Condvar::new() });
        entries.by_key.insert(key, Arc::downgrade(&flight));
        flight
    }
}

impl<N, T> Entries<N, T> {
    fn find(&self, key: &Key) -> Option<Arc<Flight<N, T>>> {
        let flight = self.by_key.get(key)?.upgrade()?;
        // Done is for those who were there before it was; whoever comes now must not be told of an older state.
        let done = matches!(*lock(&flight.stage), Stage::Done(_));
        (!done).then_some(flight)
    }
}

impl<N, T: Clone> Flight<N, T> {
    /// What comes of the work: does it, waits for the one who does, or takes what is there. An error is the caller's
    /// alone; the next one tries again.
    pub(super) fn share<E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        match self.lead_or_wait() {
            Some(done) => Ok(done),
            None => {
                let mut leader = Leader { flight: self, next: Stage::Idle };
                let done = work()?;
                leader.next = Stage::Done(done.clone());
                Ok(done)
            }
        }
    }

    /// `None`: the caller leads.
    fn lead_or_wait(&self) -> Option<T> {
        let stage = lock(&self.stage);
        let waited = self.changed.wait_timeout_while(stage, PATIENCE, |stage| matches!(stage, Stage::Running));
        let (mut stage, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Stage::Done(done) = &*stage {
            return Some(done.clone());
        }
        *stage = Stage::Running;
        None
    }
}

/// Ends the lead when dropped, also by a panic.
struct Leader<'f, N, T> {
    flight: &'f Flight<N, T>,
    next: Stage<T>,
}

impl<N, T> Drop for Leader<'_, N, T> {
    fn drop(&mut self) {
        let next = std::mem::replace(&mut self.next, Stage::Idle);
        let mut stage = lock(&self.flight.stage);
        // One that was given up and comes after all changes nothing that another has found.
        if !matches!(*stage, Stage::Done(_)) {
            *stage = next;
        }
        drop(stage);
        self.flight.changed.notify_all();
    }
}

/// What a lock guards here is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    type Work = Flights<u32, u32>;

    #[test]
    fn a_hundred_at_once_do_it_once_and_all_learn_the_same() {
        let (flights, done) = (Work::new(), AtomicU32::new(0));
        let flight = flights.join([1; 32], || 7);
        let together = std::sync::Barrier::new(100);
        std::thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    together.wait();
                    let result = flight.share(|| {
                        std::thread::sleep(Duration::from_millis(20));
                        Ok::<_, ()>(done.fetch_add(1, Ordering::SeqCst))
                    });
                    assert_eq!(result, Ok(0));
                });
            }
        });
        assert_eq!((done.into_inner(), flight.tag), (1, 7));
    }

    #[test]
    fn whoever_comes_after_the_end_begins_anew() {
        let flights = Work::new();
        let first = flights.join([1; 32], || 1);
        assert!(Arc::ptr_eq(&first, &flights.join([1; 32], || 2)));
        assert!(Arc::ptr_eq(&first, &flights.find(&[1; 32]).unwrap()));
        assert!(flights.find(&[2; 32]).is_none());
        first.share(|| Ok::<_, ()>(5)).unwrap();
        assert!(flights.find(&[1; 32]).is_none());
        let second = flights.join([1; 32], || 3);
        assert_eq!(second.tag, 3);
        // Who was there before still learns it, however late it comes to run.
        assert_eq!(first.share(|| Err("done again")), Ok(5));
        assert_eq!(second.share(|| Ok::<_, ()>(6)), Ok(6));
    }

    #[test]
    fn a_leader_that_fails_or_panics_leaves_the_work_to_the_next() {
        let flights = Work::new();
        let flight = flights.join([1; 32], || 0);
        assert_eq!(flight.share(|| Err("no memory")), Err("no memory"));
        std::thread::scope(|scope| {
            let (begun, begins) = std::sync::mpsc::channel();
            let flight = &flight;
            let leader = scope.spawn(move || {
                flight.share(|| -> Result<u32, ()> {
                    begun.send(()).unwrap();
                    std::thread::sleep(Duration::from_millis(20));
                    panic!("on purpose")
                })
            });
            begins.recv().unwrap();
            assert_eq!(flight.share(|| Ok::<_, ()>(9)), Ok(9), "it waits for the leader and then takes over");
            assert!(leader.join().is_err());
        });
    }

    #[test]
    fn work_that_nobody_wants_any_more_takes_no_room() {
        let flights = Work::new();
        let kept = flights.join([255; 32], || 0);
        for n in 0..10_000_u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&n.to_le_bytes());
            drop(flights.join(key, || n));
        }
        assert!(lock(&flights.0).by_key.len() <= 2 * FEW);
        assert!(Arc::ptr_eq(&kept, &flights.join([255; 32], || 1)));
    }
}
