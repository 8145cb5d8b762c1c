//! A decision in one piece of the caller's memory: for languages with memory of their own, to which each string that
//! they fetch from C is dear, and a decision that they must end another call.

use std::mem::MaybeUninit;
use std::ops::Range;

use super::super::kernel::Failure;
use super::gatepost_flat;
use super::held::escape;
use super::laid_out::holds_nul;
use crate::decision::{Decision, HeaderEntry};

const HEAD: usize = size_of::<gatepost_flat>();
const NUMBER: usize = size_of::<u32>();

/// Memory of the caller's that is being written. What does not fit is counted only.
struct Writer<'r> {
    room: &'r mut [MaybeUninit<u8>],
    /// Where the next number of the table goes.
    number: usize,
    /// Where the next string goes.
    string: usize,
}

impl Writer<'_> {
    #[inline(always)]
    fn put(&mut self, at: usize, bytes: &[u8]) {
        if let Some(place) = self.room.get_mut(at..).and_then(|rest| rest.get_mut(..bytes.len())) {
            let (from, to) = (bytes.as_ptr(), place.as_mut_ptr().cast::<u8>());
            // SAFETY: both are as long as `bytes`, and bytes of any value are what the room may hold.
            unsafe { copy(from, to, bytes.len()) };
        }
    }

    #[inline(always)]
    fn number(&mut self, number: u32) {
        self.put(self.number, &number.to_ne_bytes());
        self.number = self.number.saturating_add(NUMBER);
    }

    /// Writes a string, and answers its length. One that is too long for that makes all of it too long.
    #[inline(always)]
    fn string(&mut self, text: &[u8]) -> u32 {
        self.put(self.string, text);
        self.string = self.string.saturating_add(text.len());
        length(text.len())
    }

    /// Writes a list in one string.
    fn joined(&mut self, list: &[String], between: u8) -> u32 {
        let begun = self.string;
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.string(&[between]);
            }
            escape(item, |part| {
                self.string(part);
            });
        }
        length(self.string.saturating_sub(begun))
    }

    fn fields(&mut self, fields: &[HeaderEntry]) {
        for field in fields {
            let (name, value) = (self.string(field.name.as_bytes()), self.string(field.value.as_bytes()));
            for number in [name, value, field.mode as u32] {
                self.number(number);
            }
        }
    }

    /// Whether there is a NUL in strings that were written.
    #[inline(always)]
    fn holds_nul(&self, strings: Range<usize>) -> bool {
        self.room.get(strings).is_some_and(|text| {
            // SAFETY: up to here all of it is written.
            let text = unsafe { std::slice::from_raw_parts(text.as_ptr().cast::<u8>(), text.len()) };
            memchr::memchr(0, text).is_some()
        })
    }
}

/// Copies bytes. Most strings of a decision are short, and a copy of fixed size costs less than a call: two that overlap
/// make up any length between one size and the next.
///
/// # Safety
/// As for `copy_nonoverlapping`.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: neither half leaves the length.
    unsafe {
        match length {
            16..=32 => halves::<16>(from, to, length),
            8..16 => halves::<8>(from, to, length),
            4..8 => halves::<4>(from, to, length),
            _ => std::ptr::copy_nonoverlapping(from, to, length),
        }
    }
}

/// # Safety
/// As for [`copy`], and the length is from `SIZE` to twice that.
#[inline(always)]
unsafe fn halves<const SIZE: usize>(from: *const u8, to: *mut u8, length: usize) {
    // SAFETY: as the caller says.
    unsafe {
        let (first, last) = (from.cast::<[u8; SIZE]>(), from.add(length).sub(SIZE).cast::<[u8; SIZE]>());
        let (first, last) = (first.read_unaligned(), last.read_unaligned());
        to.cast::<[u8; SIZE]>().write_unaligned(first);
        to.add(length).sub(SIZE).cast::<[u8; SIZE]>().write_unaligned(last);
    }
}

fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Writes a decision, and answers its size: where that is more than the room, what was written is nothing.
#[inline]
pub(in crate::ffi) fn write(decision: &Decision, room: &mut [MaybeUninit<u8>]) -> Result<usize, Failure> {
    let (response, upstream, strip) = (&*decision.response, decision.upstream(), &*decision.strip);
    let fields = response.len().saturating_add(upstream.len());
    let numbers = fields.saturating_mul(3).saturating_add(strip.len());
    let strings = numbers.saturating_mul(NUMBER).saturating_add(HEAD);
    let mut to = Writer { room, number: HEAD, string: strings };
    let who = decision.identity.as_deref();
    let (subject, issuer) =
        who.map_or((0, 0), |who| (to.string(who.subject.as_bytes()), to.string(who.issuer.as_bytes())));
    let scheme = decision.scheme.map_or(0, |scheme| to.string(scheme.name().as_bytes()));
    let (roles, scopes) = who.map_or((0, 0), |who| (to.joined(&who.roles, b','), to.joined(&who.scopes, b' ')));
    to.fields(response);
    to.fields(&upstream);
    for name in strip {
        let length = to.string(name.as_bytes());
        to.number(length);
    }
    // As in a view, although here it would cut none.
    let before = to.string;
    let body = to.string(&decision.body);
    let behind = to.string;
    let id = to.string(decision.id.as_bytes());
    if to.holds_nul(strings..before) || to.holds_nul(behind..to.string) {
        return Err(holds_nul());
    }
    let size = to.string;
    let head = gatepost_flat {
        size: length(size),
        head: length(HEAD),
        generation: decision.generation,
        action: decision.action as u32,
        status: u32::from(decision.status),
        reason: decision.reason.number(),
        retry_after: decision.retry_after.unwrap_or(0),
        id,
        subject,
        issuer,
        scheme,
        roles,
        scopes,
        response_header_count: length(response.len()),
        upstream_header_count: length(upstream.len()),
        strip_count: length(strip.len()),
        body,
    };
    // SAFETY: integers without gaps between them.
    let head = unsafe { std::slice::from_raw_parts((&raw const head).cast::<u8>(), HEAD) };
    to.put(0, head);
    // Its lengths are uint32_t: what is longer is handed out as any decision.
    Ok(if u32::try_from(size).is_ok() { size } else { usize::MAX })
}
