//! Our pool of threads, as C sees it.

use std::ffi::{c_int, c_void};
use std::os::fd::AsRawFd;
use std::sync::Arc;

use super::decision::gatepost_decision;
use super::error::gatepost_error;
use super::job::{self, gatepost_job};
use super::kernel::{Failure, Opaque, Panicked, contain, give, guard, guard_setup, guard_status};
use super::types::*;
use crate::error::Error;
use crate::runtime::pool::{Outcome, Pool};

/// Threads that run jobs for a host that has none of its own; the host's event loop watches its descriptor. It may
/// serve several engines; each job in it holds its engine. Owned by the caller, ended with gatepost_pool_free.
pub struct gatepost_pool {
    _opaque: [u8; 0],
}

impl Opaque for gatepost_pool {
    type Inner = Arc<Pool>;
    const MARK: u64 = u64::from_le_bytes(*b"gat-pool");
    const NAME: &'static str = "gatepost_pool";
}

/// Gets what a submission came to: exactly once, from gatepost_pool_dispatch or gatepost_pool_free, on the thread that
/// calls them. It must not throw; it may submit, cancel and free.
///
/// data: as submitted.
/// status: GATEPOST_OK; GATEPOST_ERR_CANCELLED; or another error, and then the host must refuse.
/// decision: with GATEPOST_OK the decision, owned by the callback: gatepost_decision_free. Also the refusal
///     "overloaded", 503, where the queue was full. NULL with an error, and for housekeeping.
pub type gatepost_done =
    Option<unsafe extern "C" fn(data: *mut c_void, status: gatepost_status, decision: *mut gatepost_decision)>;

/// Makes a pool and starts its threads. Each process makes its own, after fork. All signals are blocked in the threads.
///
/// threads: 1 to 256; as many as there are processors is a good start.
/// queue: how many jobs may wait, 1 to 65,536. One more is answered with the refusal "overloaded".
/// pool: gets the pool, owned by the caller.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Any number of threads at once.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_pool_new(
    threads: u32,
    queue: u32,
    pool: *mut *mut gatepost_pool,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let place = c.out(pool, "pool")?;
            let made = without_signals(|| Pool::new(threads, queue))?;
            place.set(give(Arc::new(made)));
            Ok(GATEPOST_OK)
        })
    }
}

/// Hands a job to the pool, which runs it, finishes it (and what follows it) and then calls done.
///
/// pool: borrowed.
/// job: taken over on GATEPOST_OK; the handle then stands for the submission: gatepost_job_cancel still works, until
///     done is called. On an error it stays the caller's.
/// done: called exactly once where this returns GATEPOST_OK, never where it does not; not before this returns, unless
///     another thread dispatches meanwhile.
/// data: handed to done; never followed.
/// Any number of threads at once.
/// Returns GATEPOST_OK, also where the queue is full; GATEPOST_ERR_CANCELLED where the job is gone;
/// GATEPOST_ERR_CONFLICT where it runs or ran already, or is in a pool; GATEPOST_ERR_NOT_STARTED in a child of the
/// process that made the pool; or another error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_pool_submit(
    pool: *const gatepost_pool,
    job: *mut gatepost_job,
    done: gatepost_done,
    data: *mut c_void,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let pool = c.look(pool)?;
            let call = done.ok_or_else(|| Failure::argument("done is NULL"))?;
            let callback = Callback { call, data };
            job::submit(pool, job, move |outcome| callback.deliver(outcome))?;
            Ok(GATEPOST_OK)
        })
    }
}

/// The descriptor that is readable while completions wait for gatepost_pool_dispatch: for poll, epoll and their like.
/// Never read, write or close it.
///
/// pool: borrowed; the descriptor lives as long as the pool.
/// Any number of threads at once.
/// Returns the descriptor; -1 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_pool_fd(pool: *const gatepost_pool) -> c_int {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(-1, |c| Ok(c.look(pool)?.fd().as_raw_fd())) }
}

/// Calls done for each completion that waits. Returns without waiting where there is none.
///
/// pool: borrowed.
/// One thread at a time: that of the event loop.
/// Returns GATEPOST_OK, or GATEPOST_ERR_NOT_STARTED in a child of the process that made the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_pool_dispatch(pool: *mut gatepost_pool) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            // A reference of its own: a callback may free the pool.
            let pool = Arc::clone(c.look(pool)?);
            pool.dispatch()?;
            Ok(GATEPOST_OK)
        })
    }
}

/// Ends a pool: waits until each thread is done with the job that it has in hand, then calls done with
/// GATEPOST_ERR_CANCELLED for all that is outstanding. In a child of the process that made the pool nothing is called.
/// NULL is a no-op.
///
/// pool: taken.
/// One thread; no other call with this pool may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_pool_free(pool: *mut gatepost_pool) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard((), |c| {
            if let Some(pool) = c.take(pool)? {
                pool.close();
            }
            Ok(())
        })
    }
}

/// The host's callback with its data.
struct Callback {
    call: unsafe extern "C" fn(*mut c_void, gatepost_status, *mut gatepost_decision),
    data: *mut c_void,
}

// SAFETY: the data is only handed back, by the thread that dispatches; the header says so.
unsafe impl Send for Callback {}

impl Callback {
    fn deliver(self, outcome: Outcome) {
        let none = std::ptr::null_mut();
        let (status, decision) = match outcome {
            Outcome::Decided(mut decision) => match contain(|| gatepost_decision::give(&mut decision)) {
                Ok(Ok(decision)) => (GATEPOST_OK, decision),
                Ok(Err(failure)) => (failure.status, none),
                Err(Panicked) => (GATEPOST_ERR_PANIC, none),
            },
            Outcome::Ran => (GATEPOST_OK, none),
            Outcome::Cancelled => (GATEPOST_ERR_CANCELLED, none),
            Outcome::Panicked => (GATEPOST_ERR_PANIC, none),
            Outcome::Failed(error) => (Failure::from(error).status, none),
        };
        // SAFETY: the host's own function with the host's own data.
        unsafe { (self.call)(self.data, status, decision) }
    }
}

/// Threads inherit the mask of the thread that makes them: the host's signal handlers stay on the host's threads.
fn without_signals(make: impl FnOnce() -> Result<Pool, Error>) -> Result<Pool, Error> {
    let mut before = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    let mut all = std::mem::MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: both sets are ours; the calls only write to them.
    let blocked = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) == 0
    };
    let made = make();
    if blocked {
        // SAFETY: `before` was filled in by the call that blocked.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    }
    made
}
