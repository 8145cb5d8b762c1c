//! Documents that the host fetches with its own HTTP.

use std::ffi::c_void;
use std::mem::offset_of;
use std::sync::{Arc, Mutex, PoisonError};

use super::bytes::Text;
use super::engine::gatepost_finalizer;
use super::kernel::{Caller, Failure, Opaque, Plain, give, guard, guard_status};
use super::types::*;
use crate::fetch::{Answer, Ask, Fetch, LARGEST, WHOLE};

/// A document that is wanted. All of it lives for the call only.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_fetch {
    /// The library's sizeof (gatepost_fetch): fields behind it are not there.
    pub struct_size: usize,
    /// The https address.
    pub url: gatepost_str,
    /// Sent as If-None-Match, where it is not empty: what is known already.
    pub etag: gatepost_str,
    /// Sent as Accept.
    pub accept: gatepost_str,
    /// Certificates in PEM of the authorities that may vouch for the server, and no others; empty: the host's own.
    pub ca: gatepost_str,
    /// Most octets of content that are taken.
    pub largest: u64,
    /// Milliseconds after which the answer comes too late.
    pub timeout_ms: u64,
    /// Takes the answer: gatepost_fetch_reply_set.
    pub reply: *mut gatepost_fetch_reply,
}

/// Takes the answer to one gatepost_fetch. The library's own; it ends with the call.
pub struct gatepost_fetch_reply {
    _opaque: [u8; 0],
}

impl Opaque for gatepost_fetch_reply {
    type Inner = Mutex<Option<Result<Answer, String>>>;
    const MARK: u64 = u64::from_le_bytes(*b"gp-reply");
    const NAME: &'static str = "gatepost_fetch_reply";
}

/// What a server said. Zero it, set struct_size to sizeof, fill in what there is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_fetched {
    /// sizeof (gatepost_fetched).
    pub struct_size: usize,
    /// The HTTP status; 0 where there is none, and then error says why.
    pub status: u32,
    /// 0.
    pub reserved: u32,
    /// The content.
    pub body: gatepost_str,
    /// The field ETag.
    pub etag: gatepost_str,
    /// The field Cache-Control.
    pub cache_control: gatepost_str,
    /// The field Content-Type.
    pub content_type: gatepost_str,
    /// Why no answer came, in words for the operator.
    pub error: gatepost_str,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_fetched {}

const FIRST_RELEASE: usize = offset_of!(gatepost_fetched, error) + size_of::<gatepost_str>();

/// Fetches a document with the host's own HTTP: sends one GET, waits for the answer, and hands it to
/// gatepost_fetch_reply_set before it returns; one that hands nothing over has failed. Called by gatepost_job_run of
/// housekeeping, by gatepost_engine_poll without a job, and by a pool's threads: on any thread, also on several at once.
/// It verifies the server's certificate and name, and follows no redirect. It must not call the engine, and must not throw.
///
/// data: fetch_data of the options.
/// fetch: borrowed for the call.
pub type gatepost_on_fetch = Option<unsafe extern "C" fn(data: *mut c_void, fetch: *const gatepost_fetch)>;

/// Hands over what a server said; the last one counts.
///
/// reply: of the gatepost_fetch that is being answered, before on_fetch returns; borrowed.
/// fetched: borrowed for the call; its strings are copied.
/// Any thread.
/// Returns GATEPOST_OK or an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_fetch_reply_set(
    reply: *mut gatepost_fetch_reply,
    fetched: *const gatepost_fetched,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let place = c.look(reply)?;
            let fetched = c.sized(fetched, FIRST_RELEASE, "fetched")?;
            let answer = read(c, &fetched)?;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
            Ok(GATEPOST_OK)
        })
    }
}

fn read(c: Caller<'_>, fetched: &gatepost_fetched) -> Result<Result<Answer, String>, Failure> {
    if fetched.reserved != 0 {
        return Err(Failure::unsupported("fetched.reserved is not 0"));
    }
    // What is beyond the bound is not copied; that there is more shows.
    let body = c.bytes(fetched.body, "fetched.body")?;
    let body = body.get(..LARGEST.saturating_add(1)).unwrap_or(body);
    let text = |field: gatepost_str, name: &str| -> Result<String, Failure> {
        let bytes = c.bytes(field, name)?;
        Ok(String::from_utf8_lossy(bytes.get(..1_024).unwrap_or(bytes)).into_owned())
    };
    let answer = Answer {
        status: u16::try_from(fetched.status).unwrap_or(u16::MAX),
        etag: text(fetched.etag, "fetched.etag")?,
        cache_control: text(fetched.cache_control, "fetched.cache_control")?,
        content_type: text(fetched.content_type, "fetched.content_type")?,
        location: String::new(),
        body: body.to_vec(),
    };
    let error = text(fetched.error, "fetched.error")?;
    Ok(match answer.status {
        0 if error.is_empty() => Err("the host could not fetch it, and does not say why".into()),
        0 => Err(error.escape_debug().to_string()),
        _ => Ok(answer),
    })
}

/// The host's callback with its data, which is ended when this is dropped.
pub(super) struct Fetcher {
    pub call: gatepost_on_fetch,
    pub data: *mut c_void,
    pub finalizer: gatepost_finalizer,
}

// SAFETY: the header says that the callback may come from any thread, and the finalizer likewise.
unsafe impl Send for Fetcher {}
// SAFETY: as above, also from several at once.
unsafe impl Sync for Fetcher {}

impl Fetcher {
    /// `None`, and the data ended at once, where the host leaves fetching to the engine.
    pub fn into_fetch(self) -> Option<Fetch> {
        let call = self.call?;
        let host = self;
        Some(Arc::new(move |ask: &Ask<'_>| {
            let host = &host;
            let text = |text: &str| Text::lossy(text.as_bytes());
            let (url, etag) = (text(ask.url), text(ask.etag.unwrap_or_default()));
            let accept = text("application/jwk-set+json, application/json");
            let ca = text(ask.authorities.map_or("", |authorities| &authorities.pem));
            let reply = Reply(give(Mutex::new(None)));
            let fetch = gatepost_fetch {
                struct_size: size_of::<gatepost_fetch>(),
                url: url.view(),
                etag: etag.view(),
                accept: accept.view(),
                ca: ca.view(),
                largest: LARGEST as u64,
                timeout_ms: u64::try_from(WHOLE.as_millis()).unwrap_or(u64::MAX),
                reply: reply.0,
            };
            // SAFETY: the host's own function with the host's own data, which lives until `host` is dropped; what it is
            // handed lives until the call returns.
            unsafe { call(host.data, &raw const fetch) };
            reply.take().unwrap_or_else(|| Err("the host handed no answer over".into()))
        }))
    }
}

impl Drop for Fetcher {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the host's own function with the host's own data; nothing can call the callback any more.
            unsafe { finalizer(self.data) }
        }
    }
}

/// A handle that ends here, whatever happens.
struct Reply(*mut gatepost_fetch_reply);

impl Reply {
    fn take(&self) -> Option<Result<Answer, String>> {
        // SAFETY: it was made by `give` and is not ended before this is dropped.
        unsafe { guard(None, |c| Ok(c.look(self.0)?.lock().unwrap_or_else(PoisonError::into_inner).take())) }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        // SAFETY: as above, and nobody else ends it.
        unsafe { guard((), |c| c.end(self.0)) }
    }
}
