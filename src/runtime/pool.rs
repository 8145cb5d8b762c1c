//! A small pool of threads for jobs, for hosts that have none of their own. Bounded; its completions wait for the
//! host's loop behind a descriptor. It knows jobs and nothing of how they decide; it calls no host code on its threads.
//!
//! Each submission is answered exactly once, by [`Pool::dispatch`] or [`Pool::close`]: with its decision, as refused
//! where the queue was full, or as cancelled.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, eventfd};
use rustix::process::{Pid, getpid};

use crate::decision::Decision;
use crate::engine::{Job, Progress};
use crate::error::{Error, ErrorKind};
use crate::ffi::os::descriptor::above_standard;
use crate::ffi::os::fault;

/// Most threads of one pool.
pub const MOST_THREADS: u32 = 256;
/// Most jobs that wait in one pool.
pub const MOST_WAITING: u32 = 65_536;

/// What a job is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A decision: run, then finish.
    Decision,
    /// Housekeeping: run, then drop.
    Housekeeping,
}

/// What a submission came to.
#[derive(Debug)]
pub enum Outcome {
    /// The decision, also the 503 where the queue was full.
    Decided(Box<Decision>),
    /// Housekeeping was done.
    Ran,
    /// Cancelled, or the pool was closed.
    Cancelled,
    /// A fault of ours ended the job.
    Panicked,
    /// No decision could be made.
    Failed(Error),
}

/// Gets the outcome, on the thread that dispatches or closes.
pub type OnDone = Box<dyn FnOnce(Outcome) + Send>;

/// Threads, a bounded queue and a descriptor. Belongs to the process that made it.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    owner: Pid,
}

/// Stands for one submission; dropping it changes nothing.
#[derive(Debug)]
pub struct Ticket {
    task: Arc<Task>,
    shared: Weak<Shared>,
}

impl Pool {
    /// Starts `threads` threads, for at most `queue` waiting jobs.
    pub fn new(threads: u32, queue: u32) -> Result<Pool, Error> {
        if !(1..=MOST_THREADS).contains(&threads) || !(1..=MOST_WAITING).contains(&queue) {
            let message = format!("a pool has 1 to {MOST_THREADS} threads and room for 1 to {MOST_WAITING} jobs");
            return Err(Error::new(ErrorKind::Input, message));
        }
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(std::io::Error::from)
            .and_then(above_standard)
            .map_err(|e| Error::new(ErrorKind::System, format!("no descriptor for the pool: {e}")))?;
        let shared = Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            event,
            limit: usize::try_from(queue).unwrap_or(usize::MAX),
            threads: Mutex::default(),
        };
        // Whole before the first thread starts: where one cannot start, dropping it ends those before.
        let pool = Pool { shared: Arc::new(shared), owner: getpid() };
        for _ in 0..threads {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name("gatepost-pool".into()).spawn(move || shared.work());
            match thread {
                Ok(handle) => lock(&pool.shared.threads).push(handle),
                Err(e) => {
                    return Err(Error::new(ErrorKind::System, format!("a thread of the pool did not start: {e}")));
                }
            }
        }
        Ok(pool)
    }

    /// Hands a job over. A full queue is no error: the next dispatch answers it with `overloaded`. On an error the job
    /// comes back and `on_done` is dropped uncalled.
    pub fn submit(&self, job: Job, work: Work, on_done: OnDone) -> Result<Ticket, Box<(Error, Job)>> {
        if let Err(error) = self.check_owner() {
            return Err(Box::new((error, job)));
        }
        let mut state = lock(&self.shared.state);
        if state.closed {
            return Err(Box::new((Error::new(ErrorKind::Input, "the pool is closed"), job)));
        }
        let refused = state.waiting.len() >= self.shared.limit;
        let task = Arc::new(Task {
            job: Mutex::new(Some(Arc::new(job))),
            on_done: Mutex::new(Some(on_done)),
            work,
            refused,
            cancelled: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
        });
        if refused {
            state.done.push_back(Arc::clone(&task));
            self.shared.signal();
        } else {
            state.waiting.push_back(Arc::clone(&task));
            self.shared.wake.notify_one();
        }
        Ok(Ticket { task, shared: Arc::downgrade(&self.shared) })
    }

    /// Readable while completions wait for [`Pool::dispatch`].
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.shared.event.as_fd()
    }

    /// Delivers the completions that wait, on this thread. Those that come in meanwhile wait for the next call, so that
    /// a busy pool does not hold up the loop. A callback may submit, cancel and close.
    pub fn dispatch(&self) -> Result<(), Error> {
        self.check_owner()?;
        let waiting = {
            let state = lock(&self.shared.state);
            self.shared.drain();
            state.done.len()
        };
        for _ in 0..waiting {
            let Some(task) = lock(&self.shared.state).done.pop_front() else { break };
            self.shared.deliver(&task);
        }
        if !lock(&self.shared.state).done.is_empty() {
            self.shared.signal();
        }
        Ok(())
    }

    /// Ends the threads after the job that each has in hand and answers all that is outstanding as cancelled, on this
    /// thread. In a child of the process that made the pool: does nothing, because nothing of it is the child's.
    pub fn close(&self) {
        if self.check_owner().is_err() {
            return;
        }
        let mut outstanding = {
            let mut state = lock(&self.shared.state);
            state.closed = true;
            for task in &state.running {
                task.cancel();
            }
            std::mem::take(&mut state.waiting)
        };
        self.shared.wake.notify_all();
        let threads = std::mem::take(&mut *lock(&self.shared.threads));
        for thread in threads {
            // A worker contains the panics of jobs; there is nothing to learn from its end.
            let _ = thread.join();
        }
        outstanding.append(&mut lock(&self.shared.state).done);
        for task in outstanding {
            task.cancel();
            self.shared.deliver(&task);
        }
    }

    fn check_owner(&self) -> Result<(), Error> {
        if getpid() == self.owner {
            return Ok(());
        }
        Err(Error::new(ErrorKind::NotStarted, "the pool belongs to the parent process; make one after fork"))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.check_owner().is_ok() {
            return self.close();
        }
        // Another thread of the parent may have been changing it at the moment of fork: never touch it again.
        std::mem::forget(Arc::clone(&self.shared));
    }
}

impl Ticket {
    /// It will be answered as cancelled, unless its answer is being delivered at this moment.
    pub fn cancel(&self) {
        self.task.cancel();
        let Some(shared) = self.shared.upgrade() else { return };
        let mut state = lock(&shared.state);
        let Some(index) = state.waiting.iter().position(|task| Arc::ptr_eq(task, &self.task)) else { return };
        if let Some(task) = state.waiting.remove(index) {
            state.done.push_back(task);
            shared.signal();
        }
    }
}

/// What the pool and its threads share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    event: OwnedFd,
    limit: usize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Arc<Task>>,
    running: Vec<Arc<Task>>,
    done: VecDeque<Arc<Task>>,
    closed: bool,
}

/// One submission, with one job after the other where a decision takes several.
struct Task {
    job: Mutex<Option<Arc<Job>>>,
    on_done: Mutex<Option<OnDone>>,
    work: Work,
    refused: bool,
    cancelled: AtomicBool,
    panicked: AtomicBool,
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task").field("work", &self.work).field("refused", &self.refused).finish_non_exhaustive()
    }
}

impl Task {
    fn cancel(&self) {
        self.cancelled.store(true, Ordering::Release);
        if let Some(job) = &*lock(&self.job) {
            job.cancel();
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Shared {
    /// A thread's life.
    fn work(&self) {
        step_back();
        while let Some(task) = self.next() {
            let job = lock(&task.job).clone();
            if let Some(job) = job.filter(|_| !task.is_cancelled())
                && catch_unwind(AssertUnwindSafe(|| {
                    fault::point("pool");
                    job.run();
                }))
                .is_err()
            {
                task.panicked.store(true, Ordering::Release);
            }
            let mut state = lock(&self.state);
            state.running.retain(|other| !Arc::ptr_eq(other, &task));
            state.done.push_back(task);
            // Under the lock, so that the descriptor is readable exactly while something waits.
            self.signal();
        }
    }

    fn next(&self) -> Option<Arc<Task>> {
        let mut state = lock(&self.state);
        loop {
            if state.closed {
                return None;
            }
            if let Some(task) = state.waiting.pop_front() {
                state.running.push(Arc::clone(&task));
                return Some(task);
            }
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Answers a task, or queues it again where a next job is left.
    fn deliver(&self, task: &Arc<Task>) {
        let Some(outcome) = self.outcome(task) else { return };
        let on_done = lock(&task.on_done).take();
        if let Some(on_done) = on_done {
            on_done(outcome);
        }
    }

    fn outcome(&self, task: &Arc<Task>) -> Option<Outcome> {
        let job = lock(&task.job).take();
        if task.is_cancelled() {
            return Some(Outcome::Cancelled);
        }
        if task.panicked.load(Ordering::Acquire) {
            return Some(Outcome::Panicked);
        }
        // The threads let go of a job before they report it as done.
        let Some(job) = job.and_then(Arc::into_inner) else {
            return Some(Outcome::Failed(Error::new(ErrorKind::Internal, "a job was still in use when it was done")));
        };
        match (task.work, task.refused) {
            // A fault in here must not take the answer away from whoever waits for it.
            (Work::Decision, true) => {
                Some(catch_unwind(AssertUnwindSafe(|| overloaded(job))).unwrap_or(Outcome::Panicked))
            }
            (Work::Housekeeping, true) => {
                Some(Outcome::Failed(Error::new(ErrorKind::Overloaded, "the queue of the pool is full")))
            }
            (Work::Housekeeping, false) => Some(Outcome::Ran),
            (Work::Decision, false) => match catch_unwind(AssertUnwindSafe(|| job.finish())) {
                Ok(Ok(Progress::Done(decision))) => Some(Outcome::Decided(decision)),
                Ok(Ok(Progress::Pending(next))) => self.queue_again(task, next),
                Ok(Err(error)) => Some(Outcome::Failed(error)),
                Err(_) => Some(Outcome::Panicked),
            },
        }
    }

    fn queue_again(&self, task: &Arc<Task>, next: Job) -> Option<Outcome> {
        {
            let mut state = lock(&self.state);
            if state.waiting.len() >= self.limit {
                drop(state);
                return Some(overloaded(next));
            }
            if !state.closed {
                *lock(&task.job) = Some(Arc::new(next));
                state.waiting.push_back(Arc::clone(task));
                drop(state);
                self.wake.notify_one();
                return None;
            }
        }
        Some(Outcome::Cancelled)
    }

    fn signal(&self) {
        // It fails only where the counter is full, and then it is readable.
        let _ = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
    }

    fn drain(&self) {
        // It fails only where nothing is to be read.
        let _ = rustix::io::read(&self.event, &mut [0_u8; 8]);
    }
}

/// Lets the host's own threads go first where processors are short (Linux has a nice value per thread): logins may
/// wait a little, the loop that serves everybody else may not.
fn step_back() {
    let thread = rustix::thread::gettid();
    if let Ok(nice) = rustix::process::getpriority_process(Some(thread)) {
        // Raising the value is always allowed; without it the pool is as right, only less polite.
        let _ = rustix::process::setpriority_process(Some(thread), nice.saturating_add(10));
    }
}

fn overloaded(job: Job) -> Outcome {
    match job.overloaded() {
        Ok(decision) => Outcome::Decided(Box::new(decision)),
        Err(error) => Outcome::Failed(error),
    }
}

/// What a lock guards here is whole between any two statements, so that a panic elsewhere spoils nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
