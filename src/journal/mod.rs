//! Where lines go: a bounded queue in memory, and the file or stderr that it is written to.
//!
//! Putting a line in costs a lock that is held for a copy, never a system call, so that a request is never held up by a
//! disk. Writing is for threads that may block. Where it fails, lines wait; where too many wait, the newest are lost,
//! counted, and the count becomes a line itself. A child after fork writes nothing of its parent's: it makes its own.

mod file;
pub mod seal;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use self::file::LogFile;
use crate::error::{Error, ErrorKind};
use crate::event::{Kind, Line, Member};
use crate::ffi::os::fork::fork_generation;
use crate::policy::model::{EventSink, Events};

/// Most bytes that wait to be written.
const MOST_WAITING: usize = 1024 * 1024;
/// The most that goes into a pipe in one piece (PIPE_BUF).
const PIECE: usize = 4096;

/// The queue and what it is written to. One for a process and engine.
#[derive(Debug)]
pub struct Journal {
    queue: Mutex<Queue>,
    output: Mutex<Output>,
    /// There is something to write to.
    on: AtomicBool,
    /// Lines that wait; to look at without a lock.
    waiting: AtomicU64,
    written: AtomicU64,
    lost: AtomicU64,
    pid: u32,
    /// Fork generation in which it was made.
    process: u64,
}

#[derive(Debug, Default)]
struct Queue {
    /// Whole lines, each with its line break.
    text: Vec<u8>,
    lines: u64,
    /// Lost since the last line about that.
    lost: u64,
}

/// Where lines go, and whose they are.
#[derive(Debug)]
pub struct Output {
    events: Events,
    engine: String,
    sink: Sink,
    /// Why the last write failed.
    failure: Option<String>,
}

#[derive(Debug)]
enum Sink {
    None,
    Stderr,
    File(Box<LogFile>),
}

impl Output {
    /// Opens what a policy names. `like`: a file whose owner a new one gets, where root makes it.
    pub fn open(events: &Events, engine: &str, like: Option<PathBuf>) -> Result<Output, Error> {
        let sink = match &events.sink {
            EventSink::Callback => Sink::None,
            EventSink::Stderr => Sink::Stderr,
            EventSink::File(path) => {
                let mut file = LogFile::new(path.clone(), events.group, like, events.chain.as_ref())?;
                file.open().map_err(|error| unusable(path, &error))?;
                Sink::File(Box::new(file))
            }
        };
        Ok(Output { events: events.clone(), engine: engine.to_owned(), sink, failure: None })
    }

    /// Nothing at all, whatever the policy says.
    pub fn none() -> Output {
        Output { events: Events::default(), engine: String::new(), sink: Sink::None, failure: None }
    }

    /// Lines go somewhere.
    pub fn is_some(&self) -> bool {
        !matches!(self.sink, Sink::None)
    }

    /// Writes whole lines: how many went out, and why no more did.
    fn write(&mut self, text: &[u8]) -> (usize, Option<std::io::Error>) {
        match &mut self.sink {
            Sink::None => (text.len(), None),
            Sink::Stderr => file::to_stderr(text, PIECE),
            Sink::File(file) => file.write(text),
        }
    }
}

impl Journal {
    /// An empty queue before an output.
    pub fn new(output: Output) -> Journal {
        Journal {
            queue: Mutex::default(),
            on: AtomicBool::new(output.is_some()),
            output: Mutex::new(output),
            waiting: AtomicU64::new(0),
            written: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            pid: std::process::id(),
            process: fork_generation(),
        }
    }

    /// Lets a line wait for the next [`Journal::write`]. Never blocks for longer than a copy.
    pub fn push(&self, line: &str) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let mut queue = lock(&self.queue);
        if queue.text.len().saturating_add(line.len()) >= MOST_WAITING {
            queue.lost = queue.lost.saturating_add(1);
            self.lost.fetch_add(1, Ordering::Relaxed);
        } else {
            queue.text.extend_from_slice(line.as_bytes());
            queue.text.push(b'\n');
            queue.lines = queue.lines.saturating_add(1);
        }
        self.waiting.store(queue.lines.max(1), Ordering::Release);
    }

    /// Writes what waits, unless another thread is at it: that one looks again when it is done. May block for as long as
    /// the file does. The line about lines that were lost, where there were some. `now`: Unix milliseconds.
    pub fn write(&self, now: i64) -> Option<String> {
        let mut about_loss = None;
        while self.waiting() > 0 && self.process == fork_generation() {
            let mut output = match self.output.try_lock() {
                Ok(output) => output,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return about_loss,
            };
            if !self.write_to(&mut output, now, &mut about_loss) {
                break;
            }
        }
        about_loss
    }

    /// Puts another output in the place of the old one, which first gets what waits.
    pub fn turn_to(&self, next: Output, now: i64) {
        let mut output = lock(&self.output);
        self.write_to(&mut output, now, &mut None);
        self.on.store(next.is_some(), Ordering::Relaxed);
        *output = next;
    }

    /// The settings and the name that lines are written under at present.
    pub fn is_for(&self, events: &Events, engine: &str) -> bool {
        let output = lock(&self.output);
        output.events == *events && output.engine == engine
    }

    /// Why nothing can be written at the moment.
    pub fn failure(&self) -> Option<String> {
        lock(&self.output).failure.clone()
    }

    /// There is something to write to.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// The process that writes.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Lines that wait.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Acquire)
    }

    /// Lines that were written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Lines that were lost.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// True where all that waited went out.
    fn write_to(&self, output: &mut Output, now: i64, about_loss: &mut Option<String>) -> bool {
        let batch = {
            let mut queue = lock(&self.queue);
            self.waiting.store(0, Ordering::Release);
            std::mem::take(&mut *queue)
        };
        let why = output.failure.take();
        let mut left = self.put_out(output, &batch.text, batch.lines);
        if batch.lost > 0 && left > 0 {
            let mut queue = lock(&self.queue);
            queue.lost = queue.lost.saturating_add(batch.lost);
        } else if batch.lost > 0 {
            // It stands where the lost ones would.
            let mut line = Line::new(Kind::EventsLost, Kind::EventsLost.severity(), now, &output.engine, self.pid);
            line.number(Member::Count, batch.lost).maybe(Member::Message, why.as_deref());
            let line = line.finish();
            left = self.put_out(output, format!("{line}\n").as_bytes(), 1);
            *about_loss = Some(line);
        }
        left == 0
    }

    /// Writes whole lines; those that do not go out wait again: how many.
    fn put_out(&self, output: &mut Output, text: &[u8], lines: u64) -> u64 {
        let (done, failure) = output.write(text);
        let rest = text.get(done..).unwrap_or_default();
        let left = u64::try_from(rest.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u64::MAX);
        if output.is_some() {
            self.written.fetch_add(lines.saturating_sub(left), Ordering::Relaxed);
        }
        output.failure = failure.map(|error| error.to_string());
        if left > 0 {
            self.put_back(rest, left);
        }
        left
    }

    /// What could not be written goes before what came in meanwhile; of that, the newest are lost where there is no room.
    fn put_back(&self, rest: &[u8], left: u64) {
        let mut queue = lock(&self.queue);
        let newer = std::mem::replace(&mut queue.text, rest.to_vec());
        queue.lines = left;
        for line in newer.split_inclusive(|byte| *byte == b'\n') {
            if queue.text.len().saturating_add(line.len()) > MOST_WAITING {
                queue.lost = queue.lost.saturating_add(1);
                self.lost.fetch_add(1, Ordering::Relaxed);
            } else {
                queue.text.extend_from_slice(line);
                queue.lines = queue.lines.saturating_add(1);
            }
        }
        self.waiting.store(queue.lines.max(1), Ordering::Release);
    }
}

/// An error of start that says what to do.
fn unusable(path: &std::path::Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind as Io;
    let advice = match error.kind() {
        Io::NotFound => "make its folder, or name another file under `file` in `[events]`",
        Io::PermissionDenied => "let the user that this runs as write the file and its folder",
        Io::IsADirectory => "name a file in that folder",
        Io::ReadOnlyFilesystem => "the file system is read-only: name a file elsewhere",
        Io::StorageFull => "the disk is full: make room",
        _ => "name a plain file, or \"stderr\"",
    };
    let message = format!("the events file {} cannot be opened: {error}; {advice}", path.display());
    Error::new(ErrorKind::System, message)
}

/// What a lock guards here is whole between any two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
