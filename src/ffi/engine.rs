//! Making, starting, reloading and ending an engine.

use std::ffi::{OsStr, c_void};
use std::mem::offset_of;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use super::bytes::{Text, gatepost_bytes};
use super::error::gatepost_error;
use super::event::{Listener, gatepost_on_event};
use super::fetch::{Fetcher, gatepost_on_fetch};
use super::job::gatepost_job;
use super::kernel::{Caller, Failure, Opaque, Plain, give, guard, guard_setup, guard_status};
use super::policy;
use super::request::{self, Headers, gatepost_request};
use super::types::*;
use crate::engine::{Clock, Engine, Options};

/// A loaded policy with its state, shared by all threads. Counted by reference; each reference is ended with
/// gatepost_engine_free. Jobs hold one of their own.
pub struct gatepost_engine {
    _opaque: [u8; 0],
}

impl Opaque for gatepost_engine {
    type Inner = Engine;
    const MARK: u64 = u64::from_le_bytes(*b"gpengine");
    const NAME: &'static str = "gatepost_engine";
}

/// Answers Unix seconds. Called by decide, finish, run and poll, from any thread, also from several at once; it must
/// not call the engine and must not throw.
pub type gatepost_clock = Option<unsafe extern "C" fn(data: *mut c_void) -> i64>;

/// Ends what a callback's data points to. Called exactly once, from the thread that lets go of it last.
pub type gatepost_finalizer = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// gatepost_options.flags: decide without leaving a trace: no counter, no last use. For tools, never for a server.
pub const GATEPOST_OPTION_READ_ONLY: u32 = 1;

/// What the host sets besides the policy. Zero it, set struct_size to sizeof, fill in what is wanted.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_options {
    /// sizeof (gatepost_options).
    pub struct_size: usize,
    /// The clock; NULL: the system's.
    pub clock: gatepost_clock,
    /// Handed to clock.
    pub clock_data: *mut c_void,
    /// Ends clock_data once nothing can call clock any more, also where making the engine fails; NULL: nothing to do.
    /// Not called only where the options themselves cannot be read: NULL, or a struct_size that is too small.
    pub clock_finalizer: gatepost_finalizer,
    /// Most memory for password hashing in this process, in bytes; 0: 256 MiB. Of several engines the most counts.
    pub hashing_memory: u64,
    /// GATEPOST_OPTION_* together.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
    /// Hears events, also where the policy names no file for them; NULL: nobody does.
    pub on_event: gatepost_on_event,
    /// Handed to on_event.
    pub event_data: *mut c_void,
    /// Ends event_data once nothing can call on_event any more, as clock_finalizer does; NULL: nothing to do.
    pub event_finalizer: gatepost_finalizer,
    /// Fetches keys of issuers (`url` and `discovery` in the policy) in place of the engine's own client; NULL: that one
    /// does, where the build has it (gatepost_has_feature "https").
    pub on_fetch: gatepost_on_fetch,
    /// Handed to on_fetch.
    pub fetch_data: *mut c_void,
    /// Ends fetch_data once nothing can call on_fetch any more, as clock_finalizer does; NULL: nothing to do.
    pub fetch_finalizer: gatepost_finalizer,
}

// SAFETY: pointers, optional function pointers and integers.
unsafe impl Plain for gatepost_options {}

const FIRST_RELEASE: usize = offset_of!(gatepost_options, reserved) + size_of::<u32>();

/// Makes an engine of the text of a policy. gatepost_engine_reload then has no file to read and fails.
///
/// text: the policy, in UTF-8; borrowed for the call.
/// folder: where the files that it names are; empty: the working directory. Borrowed for the call.
/// options: borrowed for the call. NULL: none.
/// engine: gets the engine, owned by the caller.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Reads the files that the policy names, at once and never on a request; opens nothing else, starts no thread. Any
/// number of threads at once.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_new(
    text: gatepost_str,
    folder: gatepost_str,
    options: *const gatepost_options,
    engine: *mut *mut gatepost_engine,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let options = read_options(c, options)?;
            let place = c.out(engine, "engine")?;
            let folder = if folder.len == 0 { Path::new(".") } else { path(c, folder, "folder")? };
            let loaded = policy::parse(c.bytes(text, "text")?, folder)?;
            place.set(give(Engine::new(loaded, options)));
            Ok(GATEPOST_OK)
        })
    }
}

/// Makes an engine of a policy file.
///
/// file: path of the policy; borrowed for the call.
/// options: borrowed for the call. NULL: none.
/// engine: gets the engine, owned by the caller.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Reads the policy and the files that it names, at once and never on a request; opens nothing else, starts no thread.
/// Warnings do not stop it and are not told here: gatepost_policy_check reports them.
/// Any number of threads at once.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_open(
    file: gatepost_str,
    options: *const gatepost_options,
    engine: *mut *mut gatepost_engine,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            let options = read_options(c, options)?;
            let place = c.out(engine, "engine")?;
            let (engine, _warnings) = Engine::open(path(c, file, "file")?, options)?;
            place.set(give(engine));
            Ok(GATEPOST_OK)
        })
    }
}

/// Opens the state and, where the policy names one, the events file. Every process that decides calls it, after fork; a second call in one process does nothing.
///
/// engine: borrowed.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Any number of threads at once.
/// Returns GATEPOST_OK or an error; after an error it may be called again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_start(
    engine: *const gatepost_engine,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            c.look(engine)?.start()?;
            Ok(GATEPOST_OK)
        })
    }
}

/// Reads the policy file again and swaps it in whole: each decision is made by one whole policy. On an error the old
/// one stays in force.
///
/// engine: borrowed.
/// error: gets the reasons of a failure. NULL: not wanted.
/// Reads files; slow enough to belong outside an event loop. Any number of threads at once, also while others decide.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_reload(
    engine: *const gatepost_engine,
    error: *mut *mut gatepost_error,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_setup(error, |c| {
            c.look(engine)?.reload()?;
            Ok(GATEPOST_OK)
        })
    }
}

/// All housekeeping: sweeps failure counters and revocations that are over, once its clock has run on for ten minutes; ends
/// what is over of logins, writes when API keys were last used, fetches keys of issuers by URL, reads files of keys that
/// have changed, writes events that wait, and calls on_event for those that are about no request. Each process calls it at
/// once after gatepost_engine_start, and then every *next_ms milliseconds.
/// Without it keys by URL never come (503, keys_unavailable) and changed files are not noticed. All else is as right;
/// last uses are then written when the engine ends, counters that are over keep their memory until it is needed, and
/// failures that a clock dated ahead by over a minute count until it is that late. A host that never polls gets events
/// written by every gatepost_job_run, by every call that may block, and when the engine ends; an event loop that does none
/// of these loses the newest beyond 1 MiB.
///
/// engine: borrowed.
/// next_ms: gets the milliseconds until the next call is useful. NULL: not wanted.
/// job: gets the slow part, owned by the caller, or NULL where there is none: gatepost_job_run on a thread that may
///     block, then gatepost_job_free; or gatepost_pool_submit. NULL: the caller may block and it is done inside.
/// Any number of threads at once; one is enough.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_poll(
    engine: *const gatepost_engine,
    next_ms: *mut u64,
    job: *mut *mut gatepost_job,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let next_place = if next_ms.is_null() { None } else { Some(c.out(next_ms, "next_ms")?) };
            let job_place = if job.is_null() { None } else { Some(c.out(job, "job")?) };
            let poll = c.look(engine)?.poll()?;
            match (job_place, poll.job) {
                (Some(place), Some(slow)) => place.set(gatepost_job::give_housekeeping(slow)),
                (Some(place), None) => place.set(std::ptr::null_mut()),
                (None, Some(slow)) => slow.run(),
                (None, None) => {}
            }
            if let Some(place) = next_place {
                place.set(poll.next_ms);
            }
            Ok(GATEPOST_OK)
        })
    }
}

/// The counters of this process as OpenMetrics text: decisions by reason, scheme and route, passwords being checked,
/// events, reloads. For a handler of the host's own, sent as "application/openmetrics-text; version=1.0.0;
/// charset=utf-8". Counters only ever grow, also over a reload; routes are named by their patterns, so that no client can
/// make up new ones.
///
/// engine: borrowed; started in this process.
/// text: gets the text, in UTF-8, owned by the caller.
/// Quick, and holds up nobody who decides. Any number of threads at once.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_metrics(
    engine: *const gatepost_engine,
    text: *mut *mut gatepost_bytes,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let place = c.out(text, "text")?;
            let metrics = c.look(engine)?.metrics()?;
            place.set(gatepost_bytes::give(Text::new(metrics.as_bytes())?));
            Ok(GATEPOST_OK)
        })
    }
}

/// Counts the policies that were in force: 1 for the first, one more after each reload that succeeded.
///
/// engine: borrowed.
/// Any number of threads at once.
/// Returns the count; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_generation(engine: *const gatepost_engine) -> u64 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(0, |c| Ok(c.look(engine)?.generation())) }
}

/// Tells whether deciding this request takes its body, so that the host reads it first. Only the engine's own
/// endpoints ever do; this release has none that does, so that the answer is 0.
///
/// engine, request: borrowed for the call; the request's body may be missing.
/// Any number of threads at once.
/// Returns the most bytes of body that it takes; 0: none, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_wants_body(
    engine: *const gatepost_engine,
    request: *const gatepost_request,
) -> u64 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard(0, |c| {
            c.look(engine)?;
            request::read(c, request, &mut Headers::new())?;
            Ok(0)
        })
    }
}

/// One more reference to the same engine, for a part of the host that may outlive the others.
///
/// engine: borrowed.
/// Any number of threads at once.
/// Returns the reference, owned by the caller and ended with gatepost_engine_free; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_ref(engine: *const gatepost_engine) -> *mut gatepost_engine {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(std::ptr::null_mut(), |c| Ok(give(c.look(engine)?.clone()))) }
}

/// Ends one reference to an engine; the engine ends with the last one and the last job, and then writes the events that
/// wait. Decisions stay. NULL is a no-op.
///
/// engine: taken.
/// One thread; no call with this reference may be under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_engine_free(engine: *mut gatepost_engine) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.take(engine).map(drop)) }
}

/// A path as the operating system takes it.
pub(super) fn path<'call>(c: Caller<'call>, text: gatepost_str, name: &str) -> Result<&'call Path, Failure> {
    let bytes = c.bytes(text, name)?;
    if bytes.is_empty() || bytes.contains(&0) {
        return Err(Failure::argument(format!("{name} is no path: it is empty or has a NUL inside")));
    }
    Ok(Path::new(OsStr::from_bytes(bytes)))
}

fn read_options(c: Caller<'_>, options: *const gatepost_options) -> Result<Options, Failure> {
    if options.is_null() {
        return Ok(Options::default());
    }
    // The clock's data is ours from the moment that its fields can be read, also where the rest is refused.
    let whole = c.sized(options, FIRST_RELEASE, "options");
    let raw = match &whole {
        Ok(raw) => *raw,
        Err(failure) if failure.status == GATEPOST_ERR_UNSUPPORTED => {
            *c.slice(options, 1, "options")?.first().ok_or_else(|| Failure::argument("options is NULL"))?
        }
        Err(_) => return Err(whole.err().unwrap_or_else(|| Failure::argument("options cannot be read"))),
    };
    let host = HostClock { call: raw.clock, data: raw.clock_data, finalizer: raw.clock_finalizer };
    let listener = Listener { call: raw.on_event, data: raw.event_data, finalizer: raw.event_finalizer };
    let fetcher = Fetcher { call: raw.on_fetch, data: raw.fetch_data, finalizer: raw.fetch_finalizer };
    whole?;
    if raw.flags & !GATEPOST_OPTION_READ_ONLY != 0 || raw.reserved != 0 {
        return Err(Failure::unsupported("options.flags or options.reserved has bits that this release does not know"));
    }
    let clock: Option<Clock> = host.into_clock();
    let hashing_memory = match raw.hashing_memory {
        0 => None,
        bytes => Some(usize::try_from(bytes).unwrap_or(usize::MAX)),
    };
    Ok(Options {
        clock,
        hashing_memory,
        read_only: raw.flags & GATEPOST_OPTION_READ_ONLY != 0,
        on_event: listener.into_listener(),
        fetch: fetcher.into_fetch(),
        ..Options::default()
    })
}

/// The host's clock with its data, which is ended when this is dropped.
struct HostClock {
    call: gatepost_clock,
    data: *mut c_void,
    finalizer: gatepost_finalizer,
}

// SAFETY: the header asks for a clock that may be called from any thread, and a finalizer likewise.
unsafe impl Send for HostClock {}
// SAFETY: as above, also from several at once.
unsafe impl Sync for HostClock {}

impl HostClock {
    /// `None`, and the data ended at once, where the host gave no clock.
    fn into_clock(self) -> Option<Clock> {
        let call = self.call?;
        let host = self;
        Some(Arc::new(move || {
            let host = &host;
            // SAFETY: the host's own function with the host's own data, which lives until `host` is dropped.
            unsafe { call(host.data) }
        }))
    }
}

impl Drop for HostClock {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the host's own function with the host's own data; nothing can call the clock any more.
            unsafe { finalizer(self.data) }
        }
    }
}
