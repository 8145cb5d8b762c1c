//! Jobs as handles of C. A handle is a number, never an address: whoever comes late (a thread that runs a job which
//! the loop has just cancelled) finds it gone instead of touching freed memory.

use std::collections::{BTreeMap, btree_map};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::decision::gatepost_decision;
use super::kernel::{Failure, guard, guard_status};
use super::types::*;
use crate::engine::{Job, Progress};
use crate::runtime::pool::{OnDone, Outcome, Pool, Ticket, Work};

/// The slow part of one decision, or of housekeeping. Owned by the caller until gatepost_job_finish, _cancel or _free
/// consume it, or gatepost_pool_submit takes it over. A job that is gone is an error, also where another thread has
/// just consumed it; the handle is never used again for another job.
pub struct gatepost_job {
    _opaque: [u8; 0],
}

/// Does the slow part. Once.
///
/// job: borrowed; nothing in it points into the request.
/// On any thread that may block; another thread may cancel it meanwhile.
/// Returns GATEPOST_OK where it ran: the decision, or what went wrong, comes from gatepost_job_finish.
/// GATEPOST_ERR_CANCELLED where it is gone; GATEPOST_ERR_CONFLICT where it runs or ran already, or is in a pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_job_run(job: *mut gatepost_job) -> gatepost_status {
    // SAFETY: the handle is a number and is not followed.
    unsafe {
        guard_status(|_| {
            let mut running = Running::start(key(job)?)?;
            running.run();
            Ok(GATEPOST_OK)
        })
    }
}

/// Turns a job that was run into its decision, or into the next job. Quick.
///
/// job: consumed, unless the answer is GATEPOST_ERR_NOT_RUN or GATEPOST_ERR_INVALID_ARGUMENT.
/// decision: gets the decision, owned by the caller; NULL with GATEPOST_PENDING.
/// next: gets the next job with GATEPOST_PENDING, else NULL. NULL: the caller may block, and all that follows is done
///     inside.
/// On the thread of the event loop, or any other; one thread at a time.
/// Returns GATEPOST_OK with a decision; GATEPOST_PENDING with a next job; GATEPOST_ERR_NOT_RUN where gatepost_job_run has
/// not returned yet; GATEPOST_ERR_CANCELLED where it is gone; or another error, and then the host must refuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_job_finish(
    job: *mut gatepost_job,
    decision: *mut *mut gatepost_decision,
    next: *mut *mut gatepost_job,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let decision = c.out(decision, "decision")?;
            let next = if next.is_null() { None } else { Some(c.out(next, "next")?) };
            let job = take_run(key(job)?)?;
            let Some(next) = next else {
                decision.set(gatepost_decision::give(&mut job.complete()?)?);
                return Ok(GATEPOST_OK);
            };
            match job.finish()? {
                Progress::Done(mut done) => {
                    decision.set(gatepost_decision::give(&mut done)?);
                    next.set(std::ptr::null_mut());
                    Ok(GATEPOST_OK)
                }
                Progress::Pending(slow) => {
                    next.set(gatepost_job::give(slow));
                    decision.set(std::ptr::null_mut());
                    Ok(GATEPOST_PENDING)
                }
            }
        })
    }
}

/// Ends a job whose decision nobody wants any more, because the client has gone: also while another thread runs it, and
/// also one that was submitted to a pool. The pool then calls its callback with GATEPOST_ERR_CANCELLED, once, as ever.
///
/// job: consumed. A run under way goes on to its end or stops earlier; its thread sees no difference.
/// Any thread.
/// Returns GATEPOST_OK, or GATEPOST_ERR_CANCELLED where it is gone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_job_cancel(job: *mut gatepost_job) -> gatepost_status {
    // SAFETY: the handle is a number and is not followed.
    unsafe {
        guard_status(|_| {
            cancel(key(job)?)?;
            Ok(GATEPOST_OK)
        })
    }
}

/// Ends a job: housekeeping after its run, or any other as gatepost_job_cancel does. NULL, and a job that is gone, are
/// a no-op.
///
/// job: consumed.
/// Any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_job_free(job: *mut gatepost_job) {
    // SAFETY: the handle is a number and is not followed.
    unsafe { guard((), |_| cancel(key(job)?)) }
}

impl gatepost_job {
    /// The slow part of a decision as a handle.
    pub(super) fn give(job: Job) -> *mut gatepost_job {
        insert(job, Work::Decision)
    }

    /// The slow part of housekeeping as a handle.
    pub(super) fn give_housekeeping(job: Job) -> *mut gatepost_job {
        insert(job, Work::Housekeeping)
    }
}

/// Moves a job into a pool. Its handle then stands for the submission, until `on_done` is called. On a failure it stays
/// the caller's and `on_done` is dropped uncalled.
pub(super) fn submit(
    pool: &Pool,
    job: *mut gatepost_job,
    on_done: impl FnOnce(Outcome) + Send + 'static,
) -> Result<(), Failure> {
    let key = key(job)?;
    let on_done: OnDone = Box::new(move |outcome| {
        let entry = table().jobs.remove(&key);
        drop(entry);
        on_done(outcome);
    });
    // Held until the entry is back, so that neither a cancel nor `on_done` finds it missing.
    let mut table = table();
    let entry = table.jobs.remove(&key);
    let (entry, result) = match entry {
        None => return Err(gone()),
        Some(Entry::Mine { job, stage: Stage::Fresh, work }) => match Arc::try_unwrap(job) {
            Ok(job) => match pool.submit(job, work, on_done) {
                Ok(ticket) => (Entry::Pooled(ticket), Ok(())),
                Err(refused) => {
                    let (error, job) = *refused;
                    (Entry::Mine { job: Arc::new(job), stage: Stage::Fresh, work }, Err(error.into()))
                }
            },
            Err(job) => (Entry::Mine { job, stage: Stage::Fresh, work }, Err(busy())),
        },
        Some(other) => (other, Err(busy())),
    };
    table.jobs.insert(key, entry);
    result
}

/// Where a job of the caller's is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Fresh,
    Running,
    Ran,
    Panicked,
}

enum Entry {
    /// The caller's own.
    Mine { job: Arc<Job>, stage: Stage, work: Work },
    /// In a pool.
    Pooled(Ticket),
}

/// All jobs that C holds. Locked for a look-up only: no job is run, cancelled or dropped under the lock.
struct Table {
    last: usize,
    jobs: BTreeMap<usize, Entry>,
}

static TABLE: Mutex<Table> = Mutex::new(Table { last: 0, jobs: BTreeMap::new() });

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn insert(job: Job, work: Work) -> *mut gatepost_job {
    let mut table = table();
    loop {
        table.last = table.last.wrapping_add(1);
        // Odd, so that it is the address of none of our other handles.
        let key = table.last.wrapping_shl(4) | 9;
        if let btree_map::Entry::Vacant(place) = table.jobs.entry(key) {
            place.insert(Entry::Mine { job: Arc::new(job), stage: Stage::Fresh, work });
            return std::ptr::without_provenance_mut(key);
        }
    }
}

fn key(job: *mut gatepost_job) -> Result<usize, Failure> {
    match job.addr() {
        0 => Err(Failure::argument("gatepost_job is NULL")),
        key if key & 15 != 9 => Err(Failure::argument("this is no gatepost_job")),
        key => Ok(key),
    }
}

/// Removes a job that was run.
fn take_run(key: usize) -> Result<Job, Failure> {
    let mut table = table();
    let stage = match table.jobs.get(&key) {
        None => return Err(gone()),
        Some(Entry::Pooled(_)) => return Err(not_run("it is in a pool, which finishes it")),
        Some(Entry::Mine { work: Work::Housekeeping, .. }) => {
            return Err(Failure::argument("housekeeping has no decision: gatepost_job_free ends it"));
        }
        Some(Entry::Mine { stage, .. }) => *stage,
    };
    if matches!(stage, Stage::Fresh | Stage::Running) {
        return Err(not_run("gatepost_job_run has not returned"));
    }
    let entry = table.jobs.remove(&key);
    drop(table);
    match (entry, stage) {
        (_, Stage::Panicked) => Err(Failure::new(GATEPOST_ERR_PANIC, "a fault in the library ended the job")),
        (Some(Entry::Mine { job, .. }), _) => Arc::into_inner(job).ok_or_else(busy),
        _ => Err(gone()),
    }
}

fn cancel(key: usize) -> Result<(), Failure> {
    let entry = table().jobs.remove(&key);
    match entry {
        None => Err(gone()),
        Some(Entry::Mine { job, .. }) => {
            job.cancel();
            Ok(())
        }
        Some(Entry::Pooled(ticket)) => {
            ticket.cancel();
            Ok(())
        }
    }
}

/// A run under way; its end, also by a panic, is noted when this is dropped.
struct Running {
    key: usize,
    job: Option<Arc<Job>>,
    end: Stage,
}

impl Running {
    fn start(key: usize) -> Result<Running, Failure> {
        match table().jobs.get_mut(&key) {
            None => Err(gone()),
            Some(Entry::Mine { job, stage: stage @ Stage::Fresh, .. }) => {
                *stage = Stage::Running;
                Ok(Running { key, job: Some(Arc::clone(job)), end: Stage::Panicked })
            }
            Some(_) => Err(busy()),
        }
    }

    fn run(&mut self) {
        if let Some(job) = &self.job {
            job.run();
        }
        self.end = Stage::Ran;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // First, so that whoever finishes it finds it in no other hand.
        drop(self.job.take());
        if let Some(Entry::Mine { stage, .. }) = table().jobs.get_mut(&self.key) {
            *stage = self.end;
        }
    }
}

fn gone() -> Failure {
    Failure::new(GATEPOST_ERR_CANCELLED, "the job is gone: it was finished, cancelled or freed")
}

fn busy() -> Failure {
    Failure::new(GATEPOST_ERR_CONFLICT, "the job runs or ran already, or is in a pool")
}

fn not_run(why: &str) -> Failure {
    Failure::new(GATEPOST_ERR_NOT_RUN, why)
}
