//! Working memory of password hashing: one bounded pool for the process, whose buffers are used again.
//!
//! A buffer that the kernel has already mapped saves 15 to 45 % of a hash. Both the buffers in use and the idle ones
//! count towards one ceiling; what does not fit is refused at once, because the queue in front is where waiting
//! belongs. Nothing here waits for a lock.
//!
//! **Fork.** A child inherits this memory in whatever state other threads left it: a lock may be held for ever, and
//! buffers may be counted that nobody will give back. So each place has its own lock that is only ever tried (one that
//! is held is passed by, in a child for good), and the account carries the fork generation that it belongs to: the
//! first use in a child starts it from nothing, and idle buffers of the parent are dropped when they are met.
//!
//! **Wiping.** Memory that goes back to the system is wiped. Idle buffers are not, which saves up to 9 % of a hash: after
//! two passes or more every block depends on a whole first pass, so that what lies there helps a guesser no more than
//! the stored hash does. After a single pass the first blocks would tell cheaply whether a guess is right; such a
//! buffer is wiped before it is kept.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use argon2::Block;
use zeroize::Zeroize;

use crate::crypto::password::HashError;
use crate::ffi::os::fork::fork_generation;

/// Ceiling where no host has said anything, in blocks of 1 KiB: 256 MiB.
const DEFAULT_CEILING: u32 = 256 * 1024;
/// Idle buffers kept at most.
const PLACES: usize = 32;
/// Looks for room before it is refused.
const TRIES: u32 = 3;
/// The account's low bits count blocks, the high ones carry the fork generation.
const COUNT_BITS: u32 = 32;

static POOL: Pool = Pool::new();

/// The process's pool.
pub(crate) fn pool() -> &'static Pool {
    &POOL
}

/// Buffers under one ceiling.
pub(crate) struct Pool {
    /// Blocks; 0: the default. The highest word counts.
    ceiling: AtomicU32,
    /// Fork generation and blocks held, in use and idle.
    account: AtomicU64,
    /// Counts returns, so that the oldest idle buffer is known.
    clock: AtomicU64,
    places: [Mutex<Option<Idle>>; PLACES],
}

struct Idle {
    blocks: Vec<Block>,
    generation: u32,
    returned: u64,
}

/// A buffer in use; goes back to its pool when dropped.
pub(crate) struct Lease<'p> {
    pool: &'p Pool,
    blocks: Vec<Block>,
    /// Blocks that are counted beside the buffer, for work that takes memory by itself.
    beside: u32,
    generation: u32,
    /// Length of the buffer, where it and other work have room only one after the other.
    in_turn: Option<u32>,
    /// Wipe before the buffer is kept for another hash.
    pub(crate) wipe: bool,
}

impl Pool {
    const fn new() -> Pool {
        Pool {
            ceiling: AtomicU32::new(0),
            account: AtomicU64::new(0),
            clock: AtomicU64::new(0),
            places: [const { Mutex::new(None) }; PLACES],
        }
    }

    /// The ceiling in force, blocks of 1 KiB.
    pub(crate) fn ceiling(&self) -> u32 {
        match self.ceiling.load(Ordering::Relaxed) {
            0 => DEFAULT_CEILING,
            said => said,
        }
    }

    /// A word about the ceiling, blocks of 1 KiB; the highest one counts, 0 is none.
    pub(crate) fn raise_ceiling(&self, blocks: u32) {
        self.ceiling.fetch_max(blocks, Ordering::Relaxed);
    }

    /// A buffer of exactly `length` blocks, with anything in it, and room for `beside` more without a buffer.
    pub(crate) fn lease(&self, length: u32, beside: u32) -> Result<Lease<'_>, HashError> {
        let generation = current_generation();
        let mut lease = Lease { pool: self, blocks: Vec::new(), beside: 0, generation, in_turn: None, wipe: false };
        if length > 0 {
            self.fill(&mut lease, length)?;
        }
        if beside > 0 {
            self.make_room(beside, generation)?;
            lease.beside = beside;
        }
        Ok(lease)
    }

    /// For a buffer of `length` blocks and work of `own` blocks, which are never used at once. Where both together are
    /// more than there can be, only the larger is held, and [`Lease::turn`] makes room in it for one or the other.
    pub(crate) fn lease_either(&self, length: u32, own: u32) -> Result<Lease<'_>, HashError> {
        if u64::from(length) + u64::from(own) <= u64::from(self.ceiling()) {
            return self.lease(length, own);
        }
        let mut lease = self.lease(0, length.max(own))?;
        lease.in_turn = Some(length);
        Ok(lease)
    }

    /// Gives a lease its buffer.
    fn fill(&self, lease: &mut Lease<'_>, length: u32) -> Result<(), HashError> {
        let generation = lease.generation;
        let mut tries = TRIES;
        loop {
            if let Some(blocks) = self.reuse(length, generation) {
                lease.blocks = blocks;
                return Ok(());
            }
            if self.reserve(length, generation) {
                break;
            }
            self.make_way(&mut tries, generation)?;
        }
        lease.blocks = allocate(length).inspect_err(|_| self.release(length as usize, generation))?;
        Ok(())
    }

    /// Counts `length` more blocks, for which idle buffers go.
    fn make_room(&self, length: u32, generation: u32) -> Result<(), HashError> {
        let mut tries = TRIES;
        while !self.reserve(length, generation) {
            self.make_way(&mut tries, generation)?;
        }
        Ok(())
    }

    /// Frees an idle buffer, or looks once more.
    fn make_way(&self, tries: &mut u32, generation: u32) -> Result<(), HashError> {
        if !self.drop_oldest(generation) {
            // A place that another thread holds for these nanoseconds looks empty: ask again before refusing.
            *tries = tries.saturating_sub(1);
            if *tries == 0 {
                return Err(HashError::Overloaded);
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Takes an idle buffer of this length.
    fn reuse(&self, length: u32, generation: u32) -> Option<Vec<Block>> {
        for place in &self.places {
            let Ok(mut place) = place.try_lock() else { continue };
            match place.as_ref() {
                Some(idle) if idle.generation != generation => *place = None,
                Some(idle) if idle.blocks.len() == length as usize => return place.take().map(Idle::into_blocks),
                _ => {}
            }
        }
        None
    }

    /// Counts `length` more blocks, if they fit.
    fn reserve(&self, length: u32, generation: u32) -> bool {
        let ceiling = self.ceiling();
        self.account
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |account| {
                let held = held(account, generation).checked_add(length).filter(|held| *held <= ceiling)?;
                Some(pack(held, generation))
            })
            .is_ok()
    }

    /// Counts `length` blocks less.
    fn release(&self, length: usize, generation: u32) {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let _ = self.account.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |account| {
            // An account of another process has nothing of ours in it.
            (generation_of(account) == generation)
                .then(|| pack(held(account, generation).saturating_sub(length), generation))
        });
    }

    /// Frees the idle buffer that has lain longest; false where there is none.
    fn drop_oldest(&self, generation: u32) -> bool {
        let mut oldest: Option<(u64, &Mutex<Option<Idle>>)> = None;
        for place in &self.places {
            let Ok(guard) = place.try_lock() else { continue };
            let Some(idle) = guard.as_ref() else { continue };
            if oldest.is_none_or(|(returned, _)| idle.returned < returned) {
                oldest = Some((idle.returned, place));
            }
        }
        let Some((_, place)) = oldest else { return false };
        // Another thread may have taken it in between: then there is news, and the caller looks again.
        if let Ok(mut guard) = place.try_lock()
            && let Some(idle) = guard.take()
        {
            drop(guard);
            if idle.generation == generation {
                self.release(idle.blocks.len(), generation);
            }
        }
        true
    }

    /// Keeps a buffer for the next hash, or frees it where there is no place.
    fn keep(&self, blocks: Vec<Block>, generation: u32) {
        let length = blocks.len();
        let mut idle = Some(Idle { blocks, generation, returned: self.clock.fetch_add(1, Ordering::Relaxed) });
        for place in &self.places {
            let Ok(mut place) = place.try_lock() else { continue };
            if place.is_none() {
                *place = idle.take();
                return;
            }
        }
        drop(idle);
        self.release(length, generation);
    }

    /// Blocks held by this process.
    #[cfg(test)]
    fn held(&self) -> u32 {
        held(self.account.load(Ordering::Relaxed), current_generation())
    }
}

impl Lease<'_> {
    /// The buffer, for work that needs `blocks` of it or takes `own` by itself.
    pub(crate) fn turn(&mut self, blocks: u32, own: u32) -> Result<&mut [Block], HashError> {
        if let Some(length) = self.in_turn {
            if blocks > 0 && self.blocks.is_empty() {
                self.blocks = allocate(length)?;
            } else if own > 0 {
                self.free();
            }
        }
        Ok(&mut self.blocks)
    }

    fn free(&mut self) {
        let mut blocks = std::mem::take(&mut self.blocks);
        wipe(&mut blocks);
    }
}

impl AsMut<[Block]> for Lease<'_> {
    fn as_mut(&mut self) -> &mut [Block] {
        &mut self.blocks
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.in_turn.is_some() {
            self.free();
        }
        if self.beside > 0 {
            self.pool.release(self.beside as usize, self.generation);
        }
        let mut blocks = std::mem::take(&mut self.blocks);
        if blocks.is_empty() {
            return;
        }
        if self.wipe {
            wipe(&mut blocks);
        }
        if self.generation == current_generation() {
            self.pool.keep(blocks, self.generation);
        } else {
            drop(Idle { blocks, generation: self.generation, returned: 0 });
        }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        wipe(&mut self.blocks);
    }
}

impl Idle {
    fn into_blocks(mut self) -> Vec<Block> {
        std::mem::take(&mut self.blocks)
    }
}

fn allocate(length: u32) -> Result<Vec<Block>, HashError> {
    let mut blocks = Vec::new();
    blocks.try_reserve_exact(length as usize).map_err(|_| HashError::Overloaded)?;
    blocks.resize(length as usize, Block::new());
    Ok(blocks)
}

fn wipe(blocks: &mut [Block]) {
    blocks.iter_mut().for_each(Zeroize::zeroize);
}

/// The low half of the counter is enough to tell a process from its parent.
fn current_generation() -> u32 {
    (fork_generation() & u64::from(u32::MAX)) as u32
}

fn pack(held: u32, generation: u32) -> u64 {
    u64::from(generation) << COUNT_BITS | u64::from(held)
}

fn generation_of(account: u64) -> u32 {
    (account >> COUNT_BITS) as u32
}

/// Blocks held by this generation; another's account counts nothing.
fn held(account: u64, generation: u32) -> u32 {
    if generation_of(account) == generation { (account & u64::from(u32::MAX)) as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(ceiling: u32) -> Pool {
        let pool = Pool::new();
        pool.raise_ceiling(ceiling);
        pool
    }

    #[test]
    fn what_does_not_fit_under_the_ceiling_is_refused_at_once_and_fits_again_later() {
        let pool = pool(100);
        let first = pool.lease(60, 0).unwrap();
        assert!(matches!(pool.lease(41, 0), Err(HashError::Overloaded)));
        let second = pool.lease(40, 0).unwrap();
        assert_eq!(pool.held(), 100);
        drop(first);
        assert!(pool.lease(41, 0).is_ok());
        drop(second);
        assert!(matches!(pool.lease(101, 0), Err(HashError::Overloaded)));
    }

    #[test]
    fn room_without_a_buffer_counts_like_one_and_sends_idle_buffers_away() {
        let pool = pool(100);
        drop(pool.lease(60, 0).unwrap());
        let both = pool.lease(30, 50).unwrap();
        assert_eq!(pool.held(), 80, "the idle buffer of 60 went");
        assert!(matches!(pool.lease(10, 11), Err(HashError::Overloaded)));
        assert_eq!(pool.held(), 90, "a buffer that was had first is kept idle, the rest is given back");
        drop(both);
        assert_eq!(pool.held(), 40, "two idle buffers");
        drop(pool.lease(0, 100).unwrap());
        assert_eq!(pool.held(), 0);
    }

    #[test]
    fn a_buffer_and_other_work_that_fit_one_after_the_other_hold_the_larger_of_both() {
        let pool = pool(100);
        drop(pool.lease(50, 0).unwrap());
        for (length, own) in [(60, 90), (90, 60), (100, 100)] {
            let mut lease = pool.lease_either(length, own).unwrap();
            for _ in 0..2 {
                assert_eq!(lease.turn(1, 0).unwrap().len(), length as usize);
                assert_eq!(lease.turn(0, 0).unwrap().len(), length as usize, "work without memory leaves it");
                assert_eq!(lease.turn(0, 1).unwrap().len(), 0, "freed before the other work takes its own");
                assert_eq!(pool.held(), length.max(own));
            }
            lease.turn(1, 0).unwrap();
            drop(lease);
            assert_eq!(pool.held(), 0, "nothing is kept idle");
        }
        assert!(matches!(pool.lease_either(101, 1), Err(HashError::Overloaded)));
        assert!(matches!(pool.lease_either(1, 101), Err(HashError::Overloaded)));
        let mut both = pool.lease_either(40, 60).unwrap();
        assert_eq!((both.turn(0, 1).unwrap().len(), pool.held()), (40, 100), "with room for both, both are held");
    }

    #[test]
    fn a_buffer_is_used_again_for_the_same_length() {
        let pool = pool(100);
        let mut lease = pool.lease(50, 0).unwrap();
        let address = lease.as_mut().as_ptr();
        drop(lease);
        let mut again = pool.lease(50, 0).unwrap();
        assert_eq!(again.as_mut().as_ptr(), address);
        assert_eq!(pool.held(), 50);
    }

    #[test]
    fn idle_buffers_make_room_oldest_first() {
        let pool = pool(100);
        let (old, young) = (pool.lease(40, 0).unwrap(), pool.lease(50, 0).unwrap());
        drop(old);
        drop(young);
        assert_eq!(pool.held(), 90, "both are kept");
        let _wanted = pool.lease(45, 0).unwrap();
        assert_eq!(pool.held(), 95, "only the older one, of 40, went");
    }

    #[test]
    fn the_highest_word_about_the_ceiling_counts_and_silence_leaves_the_default() {
        let pool = Pool::new();
        pool.raise_ceiling(0);
        assert_eq!(pool.ceiling(), 256 * 1024);
        pool.raise_ceiling(64);
        pool.raise_ceiling(32);
        assert_eq!(pool.ceiling(), 64);
    }

    #[test]
    fn a_buffer_to_be_wiped_is_zero_when_it_is_used_again() {
        let pool = pool(100);
        let wiped = |wipe: bool| {
            let mut lease = pool.lease(8, 0).unwrap();
            fill(lease.as_mut());
            lease.wipe = wipe;
            drop(lease);
            let mut lease = pool.lease(8, 0).unwrap();
            lease.as_mut().iter().all(|block| block.as_ref().iter().all(|word| *word == 0))
        };
        assert!(wiped(true));
        assert!(!wiped(false), "the check sees what is not wiped");
    }

    #[test]
    fn a_child_starts_with_an_empty_account_and_drops_what_it_inherited() {
        let pool = pool(100);
        drop(pool.lease(60, 0).unwrap());
        // As a child sees it: the same memory under another generation, with a buffer of another thread counted.
        let child = current_generation().wrapping_add(1);
        assert_eq!(held(pool.account.load(Ordering::Relaxed), child), 0);
        assert!(pool.reserve(100, child));
        assert!(pool.reuse(60, child).is_none(), "the parent's buffer is not taken over");
        assert!(!pool.reserve(1, child));
        pool.release(60, current_generation());
        assert!(!pool.reserve(1, child), "a late return of the parent's counts nothing here");
    }

    #[test]
    fn a_lock_that_is_held_for_ever_stops_nobody() {
        let pool = pool(100);
        let held: Vec<_> = pool.places.iter().map(|place| place.lock().unwrap()).collect();
        drop(pool.lease(60, 0).unwrap());
        assert_eq!(pool.held(), 0, "freed, as there is no place for it");
        assert!(pool.lease(100, 0).is_ok());
        drop(held);
    }

    #[test]
    fn many_threads_never_hold_more_than_the_ceiling() {
        let pool = pool(100);
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                let pool = &pool;
                scope.spawn(move || {
                    for round in 0..500u32 {
                        let wanted = 1 + (thread * 7 + round * 13) % 60;
                        let lease = pool.lease(wanted, 0);
                        assert!(pool.held() <= 100);
                        drop(lease);
                    }
                });
            }
        });
        assert!(pool.held() <= 100);
        let idle: usize = pool.places.iter().map(|p| p.lock().unwrap().as_ref().map_or(0, |i| i.blocks.len())).sum();
        assert_eq!(pool.held() as usize, idle, "nothing is counted that nobody holds");
    }

    fn fill(blocks: &mut [Block]) {
        let params = argon2::Params::new(8, 1, 1, None).unwrap();
        argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
            .fill_memory(b"password", b"somesalt", blocks)
            .unwrap();
    }
}
