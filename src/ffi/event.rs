//! Events as C hears them.

use std::ffi::c_void;
use std::sync::Arc;

use super::engine::gatepost_finalizer;
use super::types::*;
use crate::engine::{OnEvent, Told};

/// How much an event asks for attention: one of GATEPOST_INFO, GATEPOST_NOTICE, GATEPOST_WARNING, GATEPOST_ERROR.
pub type gatepost_severity = u32;

/// All is well.
pub const GATEPOST_INFO: gatepost_severity = 0;
/// Somebody was refused, or something was changed.
pub const GATEPOST_NOTICE: gatepost_severity = 1;
/// Somebody may be trying to get in, or something was given up.
pub const GATEPOST_WARNING: gatepost_severity = 2;
/// Something does not work.
pub const GATEPOST_ERROR: gatepost_severity = 3;

/// Something that happened. All of it lives for the call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_event {
    /// The library's sizeof (gatepost_event): fields behind it are not there.
    pub struct_size: usize,
    /// The user pointer of the request that it is about; NULL where it is about none.
    pub user: *mut c_void,
    /// One JSON object without line breaks, as docs/EVENTS.md and docs/events.schema.json have it. Never a secret.
    pub line: gatepost_str,
    /// What happened: "decision", "policy_reloaded" and so on.
    pub name: gatepost_str,
    /// The decision's id; empty where it is about none.
    pub id: gatepost_str,
    /// One of GATEPOST_INFO, GATEPOST_NOTICE, GATEPOST_WARNING, GATEPOST_ERROR.
    pub severity: gatepost_severity,
    /// The decision's HTTP status; 0 where it is about none.
    pub status: u32,
    /// The decision's action; GATEPOST_DENY where it is about none.
    pub action: gatepost_action,
    /// The decision's reason; 0 where it is about none.
    pub reason: gatepost_reason,
}

/// Hears events. Those of a request come from the call that hands out its decision (gatepost_decide,
/// gatepost_decide_into, gatepost_job_finish, gatepost_pool_dispatch), before it returns, on its thread; all others from
/// gatepost_engine_poll. Never from gatepost_job_run. Several threads may be in it at once where several decide. It must
/// not call the engine, and must not throw.
///
/// data: event_data of the options.
/// event: borrowed for the call.
pub type gatepost_on_event = Option<unsafe extern "C" fn(data: *mut c_void, event: *const gatepost_event)>;

/// The host's callback with its data, which is ended when this is dropped.
pub(super) struct Listener {
    pub call: gatepost_on_event,
    pub data: *mut c_void,
    pub finalizer: gatepost_finalizer,
}

// SAFETY: the header says that the callback may come from any thread, and the finalizer likewise.
unsafe impl Send for Listener {}
// SAFETY: as above, also from several at once.
unsafe impl Sync for Listener {}

impl Listener {
    /// `None`, and the data ended at once, where the host wants no events.
    pub fn into_listener(self) -> Option<OnEvent> {
        let call = self.call?;
        let host = self;
        Some(Arc::new(move |told: &Told<'_>| {
            let host = &host;
            // Strings of the library have a NUL behind them.
            let line = with_nul(told.line);
            let name = with_nul(told.kind.name());
            let id = with_nul(told.decision.map_or("", |decision| decision.id.as_str()));
            let event = gatepost_event {
                struct_size: size_of::<gatepost_event>(),
                user: std::ptr::with_exposed_provenance_mut(told.user),
                line: view(&line),
                name: view(&name),
                id: view(&id),
                severity: told.severity as u32,
                status: told.decision.map_or(0, |decision| u32::from(decision.status)),
                action: told.decision.map_or(GATEPOST_DENY, |decision| decision.action as u32),
                reason: told.decision.map_or(0, |decision| decision.reason.number()),
            };
            // SAFETY: the host's own function with the host's own data, which lives until `host` is dropped; the event and
            // what it points to live until the call returns.
            unsafe { call(host.data, &raw const event) }
        }))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the host's own function with the host's own data; nothing can call the callback any more.
            unsafe { finalizer(self.data) }
        }
    }
}

fn with_nul(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len().saturating_add(1));
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(0);
    bytes
}

fn view(bytes: &[u8]) -> gatepost_str {
    gatepost_str { ptr: bytes.as_ptr().cast(), len: bytes.len().saturating_sub(1) }
}
