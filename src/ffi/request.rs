//! The request as C hands it in, turned into the engine's borrowed view. Only the C level is judged here (pointers,
//! lengths, flags, the form of the header block); what makes a bad HTTP request is the engine's to say.

pub(super) mod text;

use std::ffi::c_void;
use std::mem::{MaybeUninit, offset_of};

use memchr::{memchr, memchr2};
use smallvec::SmallVec;

use super::kernel::{Caller, Failure, Plain};
use super::types::*;
use crate::request::field::trim;
use crate::request::{Header, Request};

/// gatepost_request.flags: the connection to the direct peer is TLS.
pub const GATEPOST_REQUEST_TLS: u32 = 1;
/// gatepost_request.flags: body is all of the body.
pub const GATEPOST_REQUEST_BODY_COMPLETE: u32 = 2;
/// gatepost_request.flags: the host verified client_cert_der: its chain up to an authority that issues client
/// certificates, and, where it should, that it was not revoked.
pub const GATEPOST_REQUEST_CERT_VERIFIED: u32 = 4;

/// One HTTP request, as the client sent it. Zero it, set struct_size to sizeof, fill in what there is. All of it is
/// borrowed for the call only, also where the call returns GATEPOST_PENDING.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_request {
    /// sizeof (gatepost_request).
    pub struct_size: usize,
    /// The method, as received.
    pub method: gatepost_str,
    /// The raw request-target, as received: not decoded, not normalised, with its query. A path begins with "/"; one
    /// without it is refused, target_ambiguous.
    pub target: gatepost_str,
    /// :authority (HTTP/2, HTTP/3); empty: the Host field counts.
    pub host: gatepost_str,
    /// Address of the direct peer, with or without a port, or "unix:". Empty or anything else is nobody in particular:
    /// such clients share one failure counter, no network requirement holds, and no proxy is trusted.
    pub peer: gatepost_str,
    /// The host's own id for the request; empty: the engine draws one.
    pub request_id: gatepost_str,
    /// The client certificate of the connection in DER, from a TLS handshake in which the client proved that it holds
    /// its key; empty: none. Without GATEPOST_REQUEST_CERT_VERIFIED it says nothing of who the client is, and counts
    /// only for tokens that are bound to it (RFC 8705). Without GATEPOST_REQUEST_TLS it counts as none.
    pub client_cert_der: gatepost_str,
    /// The body, where gatepost_engine_wants_body asked for it.
    pub body: gatepost_str,
    /// All header fields, complete, in the order received, repeated ones one by one.
    pub headers: *const gatepost_header,
    /// How many.
    pub header_count: usize,
    /// In place of headers: "name: value" lines, each ended by CR LF, without folding. Both given: an error.
    pub header_block: gatepost_str,
    /// GATEPOST_REQUEST_* together.
    pub flags: u32,
    /// Unix seconds to decide at; 0: the engine's clock.
    pub now: i64,
    /// The host's own pointer, handed back with the events of this request. Never followed.
    pub user: *mut c_void,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_request {}

const FIRST_RELEASE: usize = offset_of!(gatepost_request, user) + size_of::<*mut c_void>();

const KNOWN_FLAGS: u32 = GATEPOST_REQUEST_TLS | GATEPOST_REQUEST_BODY_COMPLETE | GATEPOST_REQUEST_CERT_VERIFIED;

/// Room for the header fields of a request.
pub(super) type Headers<'call> = SmallVec<[Header<'call>; 32]>;

/// Reads a request; its header fields go into `headers`, which is large and so stays where it is.
#[inline(always)]
pub(super) fn read<'h, 'call: 'h>(
    c: Caller<'call>,
    request: *const gatepost_request,
    headers: &'h mut Headers<'call>,
) -> Result<Request<'h>, Failure> {
    let mut room = MaybeUninit::uninit();
    let raw = c.sized_in(request, FIRST_RELEASE, "request", &mut room)?;
    known(raw.flags, "request.flags")?;
    let block = c.bytes(raw.header_block, "request.header_block")?;
    let array = c.slice(raw.headers, raw.header_count, "request.headers")?;
    if !block.is_empty() && !array.is_empty() {
        return Err(Failure::argument("request.headers and request.header_block are both set: use one of them"));
    }
    match block.is_empty() {
        true => fields(c, array, headers)?,
        false => lines(block, headers)?,
    }
    let text = |text| c.sound_bytes(text);
    let (Some(method), Some(target), Some(host), Some(peer)) =
        (text(raw.method), text(raw.target), text(raw.host), text(raw.peer))
    else {
        return Err(unsound_text(c, raw));
    };
    let (Some(request_id), Some(client_cert_der), Some(body)) =
        (text(raw.request_id), text(raw.client_cert_der), text(raw.body))
    else {
        return Err(unsound_text(c, raw));
    };
    Ok(Request {
        method,
        target,
        host,
        peer,
        request_id,
        client_cert_der,
        body,
        headers,
        tls: raw.flags & GATEPOST_REQUEST_TLS != 0,
        body_complete: raw.flags & GATEPOST_REQUEST_BODY_COMPLETE != 0,
        cert_verified: raw.flags & GATEPOST_REQUEST_CERT_VERIFIED != 0,
        now: (raw.now != 0).then_some(raw.now),
        user: raw.user.expose_provenance(),
    })
}

/// Refuses flags that a later release may know.
#[inline(always)]
fn known(flags: u32, name: &str) -> Result<(), Failure> {
    if flags & !KNOWN_FLAGS == 0 {
        return Ok(());
    }
    Err(Failure::unsupported(format!("{name} has bits that this release does not know")))
}

/// What is wrong with the first of the request's strings that is wrong, which come in their order.
#[cold]
fn unsound_text(c: Caller<'_>, raw: &gatepost_request) -> Failure {
    let texts = [raw.method, raw.target, raw.host, raw.peer, raw.request_id, raw.client_cert_der, raw.body];
    const NAMES: [&str; 7] = [
        "request.method",
        "request.target",
        "request.host",
        "request.peer",
        "request.request_id",
        "request.client_cert_der",
        "request.body",
    ];
    let wrong = texts.iter().zip(NAMES).find_map(|(text, name)| c.bytes(*text, name).err());
    wrong.unwrap_or_else(nothing_wrong)
}

fn nothing_wrong() -> Failure {
    Failure::new(GATEPOST_ERR_INTERNAL, "something is wrong with the request, and yet nothing is")
}

fn fields<'call>(
    c: Caller<'call>,
    array: &'call [gatepost_header],
    headers: &mut Headers<'call>,
) -> Result<(), Failure> {
    headers.reserve(array.len());
    let place = headers.as_mut_ptr();
    for (at, field) in array.iter().enumerate() {
        let Some(header) = sound(c, field) else { return Err(unsound(c, array)) };
        // SAFETY: there is room for as many as the array has, and nothing is in it yet.
        unsafe { place.add(at).write(header) };
    }
    // SAFETY: so many were just written.
    unsafe { headers.set_len(array.len()) };
    Ok(())
}

/// A field in our form; `None` where something is wrong with it.
#[inline(always)]
fn sound<'call>(c: Caller<'call>, field: &gatepost_header) -> Option<Header<'call>> {
    if field.mode | field.reserved != 0 {
        return None;
    }
    Some(Header { name: c.sound_bytes(field.name)?, value: c.sound_bytes(field.value)? })
}

/// What is wrong with the first of them that is wrong.
#[cold]
fn unsound(c: Caller<'_>, array: &[gatepost_header]) -> Failure {
    let wrong = |field: &gatepost_header| {
        if field.mode != 0 || field.reserved != 0 {
            return Some(Failure::unsupported("mode and reserved of a request's header field must be 0"));
        }
        let name = c.bytes(field.name, "a header's name");
        name.and_then(|_| c.bytes(field.value, "a header's value")).err()
    };
    array.iter().find_map(wrong).unwrap_or_else(nothing_wrong)
}

/// Splits a header block. RFC 9112 section 5, strictly: CR LF ends a line, nothing is folded, no other CR or LF. An
/// empty line may stand at the very end. Whitespace before the colon stays with the name, for the engine to refuse.
fn lines<'call>(block: &'call [u8], headers: &mut Headers<'call>) -> Result<(), Failure> {
    let wrong = || Failure::argument("request.header_block is not made of \"name: value\" lines, each ended by CR LF");
    let mut rest = block;
    while !rest.is_empty() {
        let end = memchr(b'\n', rest).ok_or_else(wrong)?;
        let (line, after) = rest.split_at(end);
        let line = line.strip_suffix(b"\r").ok_or_else(wrong)?;
        rest = after.get(1..).unwrap_or_default();
        if line.is_empty() && rest.is_empty() {
            break;
        }
        let folded = matches!(line.first(), Some(b' ' | b'\t') | None);
        let colon = memchr(b':', line).ok_or_else(wrong)?;
        if folded || memchr2(b'\r', 0, line).is_some() {
            return Err(wrong());
        }
        let (name, value) = line.split_at(colon);
        headers.push(Header { name, value: trim(value.get(1..).unwrap_or_default()) });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(block: &str) -> Option<Vec<(String, String)>> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut headers = Headers::new();
        lines(block.as_bytes(), &mut headers).ok()?;
        Some(headers.iter().map(|h| (text(h.name), text(h.value))).collect())
    }

    #[test]
    fn a_header_block_is_split_into_its_fields() {
        let fields = split("Host: a.example\r\nX-Empty:\r\nX-Two: a: b \t\r\n").unwrap();
        let expected = [("Host", "a.example"), ("X-Empty", ""), ("X-Two", "a: b")];
        assert_eq!(fields, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert_eq!(split("A: b\r\n\r\n").unwrap().len(), 1);
        assert_eq!(split("A : b\r\n").unwrap()[0].0, "A ");
    }

    #[test]
    fn folding_bare_line_breaks_and_lines_without_a_colon_are_refused() {
        for block in [
            "A: b",
            "A: b\n",
            "A: b\r",
            "A: b\nC: d\r\n",
            "A: b\rC: d\r\n",
            "A: b\r\n c\r\n",
            "A: b\r\n\tc: d\r\n",
            "A\r\n",
            "A: b\r\n\r\nC: d\r\n",
            "A: \0\r\n",
            ": b\r\n\r\n\r\n",
        ] {
            assert_eq!(split(block), None, "{block:?}");
        }
    }

    proptest! {
        #[test]
        fn any_block_either_reads_without_line_breaks_or_is_refused(block in "[Aa: \t\r\n\u{0}]{0,24}") {
            if let Some(fields) = split(&block) {
                for (name, value) in fields {
                    let joined = name + &value;
                    prop_assert!(!joined.contains(['\r', '\n', '\0']));
                }
            }
        }
    }
}
