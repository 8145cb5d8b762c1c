//! A decision in one piece of the caller's memory: for languages with memory of their own, to which each string that
//! they fetch from C is dear, and a decision that they must end another call.

use std::mem::{MaybeUninit, offset_of};
use std::ops::Range;

use smallvec::SmallVec;

use super::super::kernel::Failure;
use super::gatepost_flat;
use super::held::escape;
use super::laid_out::{Flat, Shape, flattened, holds_nul, length};
use crate::crypto::keyed::mix;
use crate::decision::{Decision, List, Said, Upstream};

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

    /// Writes a list: at once where decisions share it.
    #[inline(always)]
    fn list<T: Shape + 'static>(&mut self, list: &List<T>) -> Result<u32, Failure> {
        match list {
            List::Shared(shared) => self.shared(flattened(shared)?),
            List::Own(own) => self.each(own)?,
        }
        Ok(length(list.len()))
    }

    #[inline(always)]
    fn shared(&mut self, flat: &Flat) {
        self.numbers(&flat.numbers);
        self.string(&flat.strings);
    }

    fn each<T: Shape>(&mut self, items: &[T]) -> Result<(), Failure> {
        let begun = self.string;
        for item in items {
            // Strings first: they answer their lengths.
            let mut lengths = SmallVec::<[u32; 2]>::new();
            item.strings(&mut |string| lengths.push(self.string(string)));
            lengths.into_iter().chain(item.mode()).for_each(|number| self.number(number));
        }
        self.sound(begun..self.string)
    }

    /// Writes what all who have the same rights share, with the subject, which was written already, at its place.
    #[inline(always)]
    fn said(&mut self, said: &Said, subject: &str) -> Result<u32, Failure> {
        let flat = flattened(&said.entries)?;
        let before = said.subject.and_then(|index| Some((said.entries.get(..index)?, said.entries.get(index)?)));
        if let Some((before, entry)) = before {
            let table = self.number;
            self.numbers(&flat.numbers);
            let value = before.len().saturating_mul(3).saturating_add(1).saturating_mul(NUMBER);
            self.put(table.saturating_add(value), &length(subject.len()).to_ne_bytes());
            let sum = before.iter().map(|entry| entry.name.len().saturating_add(entry.value.len())).sum::<usize>();
            let (front, back) = flat.strings.split_at_checked(sum.saturating_add(entry.name.len())).unwrap_or_default();
            self.string(front);
            self.string(subject.as_bytes());
            self.string(back);
        } else {
            self.shared(flat);
        }
        Ok(length(said.entries.len()))
    }

    #[inline(always)]
    fn numbers(&mut self, numbers: &[u8]) {
        self.put(self.number, numbers);
        self.number = self.number.saturating_add(numbers.len());
    }

    /// There is no NUL in strings that were written.
    #[inline(always)]
    fn sound(&self, strings: Range<usize>) -> Result<(), Failure> {
        let holds = self.room.get(strings).is_some_and(|text| {
            // SAFETY: up to here all of it is written.
            let text = unsafe { std::slice::from_raw_parts(text.as_ptr().cast::<u8>(), text.len()) };
            memchr::memchr(0, text).is_some()
        });
        if holds { Err(holds_nul()) } else { Ok(()) }
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

/// Writes a decision, and answers its size: where that is more than the room, what was written is nothing.
#[inline]
pub(in crate::ffi) fn write(decision: &Decision, room: &mut [MaybeUninit<u8>]) -> Result<usize, Failure> {
    let upstream = match &decision.upstream {
        Upstream::List(list) => list.len(),
        Upstream::Of(said) => said.entries.len(),
    };
    let fields = decision.response.len().saturating_add(upstream);
    let numbers = fields.saturating_mul(3).saturating_add(decision.strip.len());
    let strings = numbers.saturating_mul(NUMBER).saturating_add(HEAD);
    let mut to = Writer { room, number: HEAD, string: strings };
    let who = decision.identity.as_deref();
    let (subject, issuer) =
        who.map_or((0, 0), |who| (to.string(who.subject.as_bytes()), to.string(who.issuer.as_bytes())));
    let scheme = decision.scheme.map_or(0, |scheme| to.string(scheme.name().as_bytes()));
    let (roles, scopes) = who.map_or((0, 0), |who| (to.joined(&who.roles, b','), to.joined(&who.scopes, b' ')));
    to.sound(strings..to.string)?;
    let response_header_count = to.list(&decision.response)?;
    let upstream_header_count = match &decision.upstream {
        Upstream::List(list) => to.list(list)?,
        Upstream::Of(said) => to.said(said, who.map_or("", |who| &who.subject))?,
    };
    let strip_count = to.list(&decision.strip)?;
    // As in a view, although here it would cut none.
    let body = to.string(&decision.body);
    let behind = to.string;
    let id = to.string(decision.id.as_bytes());
    to.sound(behind..to.string)?;
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
        response_header_count,
        upstream_header_count,
        strip_count,
        body,
    };
    // SAFETY: integers without gaps between them.
    let head = unsafe { std::slice::from_raw_parts((&raw const head).cast::<u8>(), HEAD) };
    to.put(0, head);
    // Its lengths are uint32_t: what is longer is handed out as any decision.
    Ok(if u32::try_from(size).is_ok() { size } else { usize::MAX })
}

/// A number of a decision that was written, all of it but its id: each sixteen octets are multiplied with each other, in
/// four rows beside each other (after wyhash, which is in the public domain). It finds where to compare, and is no proof.
///
/// # Safety
/// [`write`] has written a decision into the room, which is not too small for it.
pub(in crate::ffi) unsafe fn mark(room: &[MaybeUninit<u8>]) -> u64 {
    const ODD: [u64; 5] = [
        0xA076_1D64_78BD_642F,
        0xE703_7ED1_A0B4_28DB,
        0x8EBC_6AF0_9C88_C6E3,
        0x5899_65CC_7537_4CC3,
        0x1D8E_4E27_C47D_124F,
    ];
    let number = |at: usize| {
        let octets = room.get(at..).and_then(|rest| rest.first_chunk::<NUMBER>());
        // SAFETY: the caller says so, and the head of a decision has numbers there.
        octets.map_or(0, |octets| u32::from_ne_bytes(octets.map(|octet| unsafe { octet.assume_init() })))
    };
    let size = number(offset_of!(gatepost_flat, size)).saturating_sub(number(offset_of!(gatepost_flat, id)));
    let Some(written) = room.get(..size as usize) else { return 0 };
    // SAFETY: as above, up to its size all of it is written.
    let written = unsafe { std::slice::from_raw_parts(written.as_ptr().cast::<u8>(), written.len()) };
    let mut rows = ODD;
    let mut stir = |octets: &[u8; 64]| {
        for ((row, pair), odd) in rows.iter_mut().zip(octets.as_chunks::<16>().0).zip(ODD) {
            let both = u128::from_le_bytes(*pair);
            *row = mix(both as u64 ^ odd, (both >> 64) as u64 ^ *row);
        }
    };
    written.as_chunks::<64>().0.iter().for_each(&mut stir);
    // What is left, with some of what was there before: a head alone is longer.
    written.last_chunk::<64>().into_iter().for_each(stir);
    let [a, b, c, d, e] = rows;
    mix(mix(a ^ e, b ^ written.len() as u64), mix(c, d))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decision::{Action, Common, HeaderEntry, HeaderMode};
    use crate::identity::{Identity, Names, Rights, Scheme};
    use crate::reason::Reason;

    fn entry(name: &str, value: &str, mode: HeaderMode) -> HeaderEntry {
        HeaderEntry { name: name.to_owned().into(), value: value.to_owned().into(), mode }
    }

    fn decision(response: List<HeaderEntry>, upstream: Upstream, strip: List<String>) -> Decision {
        let rights = Rights { roles: vec!["a,b".into(), "c".into()], ..Default::default() };
        Decision {
            action: Action::Allow,
            status: 200,
            reason: Reason::Allowed,
            id: "id-1".into(),
            identity: Some(Arc::new(Identity {
                subject: "alice".into(),
                scheme: Scheme::Basic,
                rights: Arc::new(rights),
                authenticated_at: None,
                expires_at: None,
                claims: None,
                names: Names::default(),
            })),
            scheme: Some(Scheme::Basic),
            response,
            upstream,
            strip,
            body: b"a\0b".to_vec(),
            retry_after: None,
            route: None,
            generation: 3,
        }
    }

    fn written(decision: &Decision, room: usize) -> Result<Vec<u8>, Failure> {
        let mut memory = vec![MaybeUninit::new(0xAA); room];
        let size = write(decision, &mut memory)?;
        // SAFETY: every octet has a value.
        Ok(memory.iter().take(size).map(|octet| unsafe { octet.assume_init() }).collect())
    }

    fn fields() -> (Vec<HeaderEntry>, Vec<HeaderEntry>, Vec<String>) {
        let response = vec![entry("Cache-Control", "no-store", HeaderMode::SetIfAbsent)];
        let upstream = vec![
            entry("X-First", "1", HeaderMode::Set),
            entry("X-Who", "alice", HeaderMode::Set),
            entry("X-Last", "", HeaderMode::Append),
        ];
        (response, upstream, vec!["X-First".to_owned(), "x_who".to_owned()])
    }

    fn said(mut entries: Vec<HeaderEntry>, subject: Option<usize>) -> Upstream {
        if let Some(index) = subject {
            entries[index].value = "".into();
        }
        Upstream::Of(Arc::new(Said { entries: Common::from(entries), subject }))
    }

    #[test]
    fn what_decisions_share_is_written_as_if_it_were_each_ones_own() {
        let (response, upstream, strip) = fields();
        let own = decision(response.clone().into(), Upstream::List(upstream.clone().into()), strip.clone().into());
        let wanted = written(&own, 1_000).unwrap();
        for subject in 0..upstream.len() {
            let mut entries = upstream.clone();
            entries[subject].value = "alice".into();
            let own = Decision { upstream: Upstream::List(entries.clone().into()), ..own.clone() };
            let shared = decision(response.clone().into(), said(entries, Some(subject)), strip.clone().into());
            // Twice: the second time it is there.
            for _ in 0..2 {
                assert_eq!(written(&shared, 1_000).unwrap(), written(&own, 1_000).unwrap());
            }
        }
        for upstream in [Upstream::List(List::shared(upstream.clone())), said(upstream, None)] {
            let shared = decision(List::shared(response.clone()), upstream, List::shared(strip.clone()));
            assert_eq!(written(&shared, 1_000).unwrap(), wanted);
            // Where it does not fit, the size is told all the same.
            for room in 0..=wanted.len() {
                let mut memory = vec![MaybeUninit::new(0); room];
                assert_eq!(write(&shared, &mut memory).unwrap(), wanted.len());
            }
        }
    }

    #[test]
    fn a_mark_is_that_of_all_that_is_written_but_the_id() {
        let (response, upstream, strip) = fields();
        let own = decision(response.into(), Upstream::List(upstream.into()), strip.into());
        let marked = |decision: &Decision, change: Option<usize>| {
            let mut memory = vec![MaybeUninit::new(0xAA); 1_000];
            let size = write(decision, &mut memory).unwrap();
            if let Some(at) = change {
                // SAFETY: every octet has a value.
                let octet = unsafe { memory[at].assume_init() };
                memory[at].write(octet ^ 1);
            }
            // SAFETY: every octet has a value.
            (unsafe { mark(&memory) }, size)
        };
        let (mark, size) = marked(&own, None);
        assert_eq!(marked(&Decision { id: "id-2".into(), ..own.clone() }, None), (mark, size));
        let numbers = offset_of!(gatepost_flat, size)..offset_of!(gatepost_flat, head);
        let id = offset_of!(gatepost_flat, id)..offset_of!(gatepost_flat, subject);
        for at in (0..1_000).filter(|at| !numbers.contains(at) && !id.contains(at)) {
            assert_eq!(marked(&own, Some(at)).0 == mark, at >= size - own.id.len(), "{at}");
        }
        // What is no decision has some mark, and is not read beyond.
        for room in [0, 3, 40, HEAD, HEAD + 1, size - 1] {
            let mut memory = vec![MaybeUninit::new(0xFF); room];
            // SAFETY: every octet has a value.
            unsafe { super::mark(&memory) };
            let _ = write(&own, &mut memory);
            // SAFETY: as above.
            unsafe { super::mark(&memory) };
        }
    }

    #[test]
    fn a_nul_is_found_wherever_it_is() {
        let (response, upstream, strip) = fields();
        let bad = || vec![entry("X-First", "a\0b", HeaderMode::Set)];
        let list = |list: Vec<HeaderEntry>| Upstream::List(list.into());
        let (r, u, s) = (|| response.clone().into(), || list(upstream.clone()), || strip.clone().into());
        for decision in [
            decision(bad().into(), u(), s()),
            decision(List::shared(bad()), u(), s()),
            decision(r(), list(bad()), s()),
            decision(r(), Upstream::List(List::shared(bad())), s()),
            decision(r(), said(bad(), None), s()),
            decision(r(), u(), vec!["X\0".to_owned()].into()),
            decision(r(), u(), List::shared(vec!["X\0".to_owned()])),
            Decision { id: "i\0d".into(), ..decision(r(), u(), s()) },
        ] {
            assert!(written(&decision, 1_000).is_err());
        }
        assert!(written(&decision(r(), u(), s()), 1_000).is_ok());
    }
}
