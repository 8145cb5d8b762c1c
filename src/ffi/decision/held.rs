//! What a handle to a decision holds: its view, and what the view points to, laid out once, so that to look at it costs
//! one copy. What many decisions share is laid out for all of them together.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::super::kernel::Failure;
use super::super::reason;
use super::super::types::*;
use super::gatepost_view;
use super::laid_out::{Cursor, LayOut, Shape, array, common, holds_nul};
use crate::decision::{Decision, HeaderEntry, Id, List, Upstream};
use crate::identity::{Identity, Scheme};

/// What the handle holds. The view points into the other fields, which lie where they are until all of it is freed.
/// They have room in place for what a usual decision needs, so that it is one piece of memory.
pub(in crate::ffi) struct Held {
    pub(super) view: gatepost_view,
    // What the view is made of. Kept, because the view points to it and to what is shared.
    id: Id,
    identity: Option<Arc<Identity>>,
    response: List<HeaderEntry>,
    upstream: Upstream,
    strip: List<String>,
    body: Vec<u8>,
    own: Own,
    /// The lists of roles and of scopes in one string each, made for the few who ask.
    joined: [OnceLock<Box<[u8]>>; 2],
}

/// What is this decision's alone and has to be copied: the text, each string with a NUL behind it, and what points into
/// it.
struct Own {
    text: SmallVec<[u8; 192]>,
    headers: SmallVec<[gatepost_header; 4]>,
    strip: SmallVec<[gatepost_str; 2]>,
}

impl Held {
    /// Moves all of a decision into a place, but for the pointers.
    ///
    /// # Safety
    /// The place is one for it, and nothing is there.
    #[inline(always)]
    pub(super) unsafe fn write(place: *mut Held, decision: &mut Decision) {
        // SAFETY: as the caller says; these are all of the fields.
        unsafe {
            (&raw mut (*place).view).write(gatepost_view {
                struct_size: size_of::<gatepost_view>(),
                action: decision.action as u32,
                status: u32::from(decision.status),
                reason: decision.reason.number(),
                retry_after: decision.retry_after.unwrap_or(0),
                generation: decision.generation,
                reason_name: reason::name(decision.reason),
                scheme: decision.scheme.map_or(NOTHING, scheme_name),
                ..gatepost_view::BLANK
            });
            (&raw mut (*place).id).write(std::mem::take(&mut decision.id));
            (&raw mut (*place).identity).write(decision.identity.take());
            (&raw mut (*place).response).write(std::mem::take(&mut decision.response));
            (&raw mut (*place).upstream).write(std::mem::take(&mut decision.upstream));
            (&raw mut (*place).strip).write(std::mem::take(&mut decision.strip));
            (&raw mut (*place).body).write(std::mem::take(&mut decision.body));
            (&raw mut (*place).own.text).write(SmallVec::new());
            (&raw mut (*place).own.headers).write(SmallVec::new());
            (&raw mut (*place).own.strip).write(SmallVec::new());
            (&raw mut (*place).joined).write([const { OnceLock::new() }; 2]);
        }
    }

    /// The same on the stack.
    #[cfg(test)]
    fn of(mut decision: Decision) -> Held {
        let mut held = std::mem::MaybeUninit::uninit();
        // SAFETY: it is written whole before it is taken.
        unsafe {
            Held::write(held.as_mut_ptr(), &mut decision);
            held.assume_init()
        }
    }

    /// Sets the pointers. From here on nothing moves.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        let view = &mut self.view;
        (view.response_headers, view.response_header_count) = self.response.shared()?;
        (view.upstream_headers, view.upstream_header_count) = match &self.upstream {
            Upstream::List(list) => list.shared()?,
            Upstream::Of(said) if said.subject.is_none() => array(common(&said.entries)?),
            Upstream::Of(_) => array(&[]),
        };
        (view.strip, view.strip_count) = self.strip.shared()?;
        if !self.body.is_empty() {
            self.body.push(0);
            view.body = gatepost_str { ptr: self.body.as_ptr().cast(), len: self.body.len().saturating_sub(1) };
        }
        let id = self.id.terminated();
        if let Some(id) = id {
            view.id = gatepost_str { ptr: id.as_ptr().cast(), len: id.len().saturating_sub(1) };
        }
        let names = match self.identity.as_deref().map(|who| (who, who.terminated_names())) {
            Some((who, Some(text))) => {
                let mut next = Cursor(text);
                view.subject = next.string(who.subject.len());
                view.issuer = next.string(who.issuer.len());
                true
            }
            Some((_, None)) => false,
            None => true,
        };
        if id.is_some() && names && self.has_no_lists() { Ok(()) } else { self.settle_own() }
    }

    /// No list that is its own holds anything.
    #[inline]
    fn has_no_lists(&self) -> bool {
        let upstream = match &self.upstream {
            Upstream::List(list) => list.own().is_empty(),
            Upstream::Of(said) => said.subject.is_none(),
        };
        upstream && self.response.own().is_empty() && self.strip.own().is_empty()
    }

    /// Copies what is its own, and sets the pointers to it.
    fn settle_own(&mut self) -> Result<(), Failure> {
        let Held { view, id, identity, response, upstream, strip, own: Own { text, headers, strip: names }, .. } = self;
        let (of_response, of_strip) = (response.own(), strip.own());
        let (of_upstream, said) = match upstream {
            Upstream::List(list) => (list.own(), None),
            Upstream::Of(said) => (&[][..], said.subject.map(|index| (index, &said.entries))),
        };
        let id = if id.terminated().is_some() { None } else { Some(id.as_bytes()) };
        // In the order in which the view takes them up.
        fn each(
            id: Option<&[u8]>,
            identity: Option<&Identity>,
            entries: [&[HeaderEntry]; 2],
            names: &[String],
            mut string: impl FnMut(&[u8]),
        ) {
            id.iter().for_each(|id| string(id));
            if let Some(who) = identity {
                string(who.subject.as_bytes());
                string(who.issuer.as_bytes());
            }
            entries.into_iter().flatten().for_each(|entry| entry.strings(&mut string));
            names.iter().for_each(|name| string(name.as_bytes()));
        }
        let (who, entries) = (identity.as_deref(), [of_response, of_upstream]);
        let (mut strings, mut length) = (0_usize, 0_usize);
        each(id, who, entries, of_strip, |string| {
            strings += 1;
            length = length.saturating_add(string.len()).saturating_add(1);
        });
        text.reserve_exact(length);
        each(id, who, entries, of_strip, |string| {
            text.extend_from_slice(string);
            text.push(0);
        });
        if zeros(text) != strings {
            return Err(holds_nul());
        }
        let mut next = Cursor(text.as_slice());
        if let Some(id) = id {
            view.id = next.string(id.len());
        }
        if let Some(who) = identity {
            view.subject = next.string(who.subject.len());
            view.issuer = next.string(who.issuer.len());
        }
        let entries = of_response.iter().chain(of_upstream);
        headers.extend(entries.map(|entry| entry.shape(&mut |length| next.string(length))));
        names.extend(of_strip.iter().map(|name| next.string(name.len())));
        if let Some((index, entries)) = said {
            headers.extend_from_slice(common(entries)?);
            let entry = headers.get_mut(of_response.len().saturating_add(index));
            entry.into_iter().for_each(|entry| entry.value = view.subject);
        }
        let (shaped_response, shaped_upstream) = headers.split_at_checked(of_response.len()).unwrap_or_default();
        if !shaped_response.is_empty() {
            (view.response_headers, view.response_header_count) = array(shaped_response);
        }
        if !shaped_upstream.is_empty() {
            (view.upstream_headers, view.upstream_header_count) = array(shaped_upstream);
        }
        if !names.is_empty() {
            (view.strip, view.strip_count) = array(names);
        }
        // What was copied is not kept a second time.
        response.forget_own();
        if let Upstream::List(list) = upstream {
            list.forget_own();
        }
        strip.forget_own();
        Ok(())
    }

    /// Roles, joined by a comma.
    pub(super) fn roles(&self) -> gatepost_str {
        self.join(0, |who| &who.roles, b',')
    }

    /// Scopes, joined by a space.
    pub(super) fn scopes(&self) -> gatepost_str {
        self.join(1, |who| &who.scopes, b' ')
    }

    fn join(&self, index: usize, list: impl Fn(&Identity) -> &Vec<String>, between: u8) -> gatepost_str {
        let (Some(who), Some(place)) = (&self.identity, self.joined.get(index)) else { return NOTHING };
        let text = place.get_or_init(|| joined(list(who), between));
        gatepost_str { ptr: text.as_ptr().cast(), len: text.len().saturating_sub(1) }
    }
}

/// How many octets are NUL; counted in octets for a while, so that many are looked at in one step.
fn zeros(text: &[u8]) -> usize {
    let few = |part: &[u8]| part.iter().fold(0_u8, |sum, octet| sum.wrapping_add(u8::from(*octet == 0)));
    text.chunks(usize::from(u8::MAX)).map(|part| usize::from(few(part))).sum()
}

/// A string that is empty. It has its NUL.
const NOTHING: gatepost_str = gatepost_str::of(c"");

impl gatepost_view {
    const BLANK: gatepost_view = gatepost_view {
        struct_size: 0,
        action: GATEPOST_DENY,
        status: 500,
        reason: 0,
        retry_after: 0,
        reason_name: NOTHING,
        id: NOTHING,
        subject: NOTHING,
        issuer: NOTHING,
        scheme: NOTHING,
        response_headers: std::ptr::null(),
        response_header_count: 0,
        upstream_headers: std::ptr::null(),
        upstream_header_count: 0,
        strip: std::ptr::null(),
        strip_count: 0,
        body: NOTHING,
        generation: 0,
    };
}

fn scheme_name(scheme: Scheme) -> gatepost_str {
    gatepost_str::of(match scheme {
        Scheme::Basic => c"basic",
        Scheme::Bearer => c"bearer",
        Scheme::ApiKey => c"api-key",
        Scheme::Session => c"session",
        Scheme::ClientCert => c"client-cert",
    })
}

/// A list in one string with a NUL behind it, with what would make it ambiguous percent-encoded.
fn joined(list: &[String], between: u8) -> Box<[u8]> {
    // As long as it will be, where nothing is escaped.
    let mut text = Vec::with_capacity(list.iter().map(|item| item.len() + 1).sum::<usize>().max(1));
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            text.push(between);
        }
        escape(item, |part| text.extend_from_slice(part));
    }
    text.push(0);
    text.into()
}

/// An item of a list, percent-encoded, piece by piece.
pub(super) fn escape(item: &str, mut piece: impl FnMut(&[u8])) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    let plain = |byte: &u8| matches!(byte, 0x21..=0x7E) && !matches!(byte, b'%' | b',');
    // Nearly every one is.
    if item.as_bytes().iter().all(plain) {
        return piece(item.as_bytes());
    }
    for byte in item.bytes() {
        if plain(&byte) { piece(&[byte]) } else { piece(&[b'%', digit(byte >> 4), digit(byte & 15)]) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Action, HeaderMode};
    use crate::reason::Reason;

    fn decision() -> Decision {
        let entry = |name: &'static str, value: &'static str, mode| HeaderEntry {
            name: name.into(),
            value: value.into(),
            mode,
        };
        Decision {
            action: Action::Allow,
            status: 200,
            reason: Reason::Allowed,
            id: "id-1".into(),
            identity: Some(std::sync::Arc::new(Identity {
                subject: "alice".into(),
                scheme: Scheme::Basic,
                rights: std::sync::Arc::new(crate::identity::Rights {
                    roles: vec!["a,b".into(), "c".into()],
                    scopes: vec!["é".into()],
                    ..Default::default()
                }),
                authenticated_at: None,
                expires_at: None,
                claims: None,
                names: crate::identity::Names::default(),
            })),
            scheme: Some(Scheme::Basic),
            response: vec![entry("Cache-Control", "no-store", HeaderMode::SetIfAbsent)].into(),
            upstream: List::from(vec![entry("X-A", "1", HeaderMode::Set), entry("X-B", "", HeaderMode::Append)]).into(),
            strip: vec!["X-A".to_owned()].into(),
            body: b"a\0b".to_vec(),
            retry_after: None,
            route: None,
            generation: 3,
        }
    }

    fn text(view: gatepost_str) -> Vec<u8> {
        // SAFETY: views of a decision that the test still holds, with their NUL.
        let all = unsafe { std::slice::from_raw_parts(view.ptr.cast::<u8>(), view.len + 1) };
        assert_eq!(all.last(), Some(&0), "a NUL stands behind every string");
        all[..view.len].to_vec()
    }

    #[test]
    fn a_view_shows_all_of_the_decision_also_after_the_holder_moved() {
        let mut held = Box::new(Held::of(decision()));
        held.settle().unwrap();
        let view = held.view;
        assert_eq!((view.action, view.status, view.reason, view.generation), (1, 200, 1, 3));
        assert_eq!(text(view.subject), b"alice");
        assert_eq!(text(view.issuer), b"");
        assert_eq!(text(view.scheme), b"basic");
        assert_eq!(text(view.body), b"a\0b");
        assert_eq!((view.response_header_count, view.upstream_header_count, view.strip_count), (1, 2, 1));
        // SAFETY: two headers, as the count says.
        let upstream = unsafe { std::slice::from_raw_parts(view.upstream_headers, 2) };
        assert_eq!((text(upstream[1].name), upstream[1].mode), (b"X-B".to_vec(), GATEPOST_HEADER_APPEND));
        assert_eq!(text(held.roles()), b"a%2Cb,c");
        assert_eq!(text(held.scopes()), b"%C3%A9");
    }

    #[test]
    fn what_decisions_share_is_laid_out_once_and_outlives_each_of_them() {
        let entry = HeaderEntry { name: "X-A".into(), value: "1".into(), mode: HeaderMode::Set };
        let (upstream, strip) = (List::shared(vec![entry]), List::shared(vec!["X-A".to_owned(), "X-B".to_owned()]));
        let made = || {
            let decision = Decision { upstream: upstream.clone().into(), strip: strip.clone(), ..decision() };
            let mut held = Box::new(Held::of(decision));
            held.settle().unwrap();
            held
        };
        let (one, two) = (made(), made());
        assert_eq!((one.view.upstream_headers, one.view.strip), (two.view.upstream_headers, two.view.strip));
        drop((one, upstream, strip));
        // SAFETY: as many as the counts say, of a decision that is still held.
        let (upstream, strip) = unsafe {
            let view = &two.view;
            assert_eq!((view.response_header_count, view.upstream_header_count, view.strip_count), (1, 1, 2));
            (&*view.upstream_headers, std::slice::from_raw_parts(view.strip, 2))
        };
        assert_eq!((text(upstream.name), text(upstream.value)), (b"X-A".to_vec(), b"1".to_vec()));
        assert_eq!((text(strip[0]), text(strip[1])), (b"X-A".to_vec(), b"X-B".to_vec()));
        let bad = Decision { strip: List::shared(vec!["X\0".into()]), ..decision() };
        assert!(Held::of(bad).settle().is_err());
    }

    #[test]
    fn a_decision_without_strings_of_its_own_copies_none() {
        let strip = List::shared(vec!["X-A".to_owned()]);
        let long = "i".repeat(100);
        for id in ["", "id-1", &long] {
            let (response, upstream) = (List::default(), Upstream::default());
            let bare =
                Decision { id: id.into(), identity: None, strip: strip.clone(), response, upstream, ..decision() };
            let mut held = Box::new(Held::of(bare));
            held.settle().unwrap();
            let view = &held.view;
            assert_eq!(text(view.id), id.as_bytes());
            assert_eq!((view.response_header_count, view.upstream_header_count, view.strip_count), (0, 0, 1));
            assert!(view.response_headers.is_null() && view.upstream_headers.is_null());
            assert_eq!((text(view.subject), text(view.issuer)), (vec![], vec![]));
            assert_eq!(held.own.text.is_empty(), id.len() < 100);
        }
    }

    #[test]
    fn names_that_come_again_are_not_copied_again() {
        let who = decision().identity;
        let (response, upstream, strip) = (List::default(), Upstream::default(), List::default());
        let bare = Decision { response, upstream, strip, ..decision() };
        for copied in [true, false, false] {
            let mut held = Box::new(Held::of(Decision { identity: who.clone(), ..bare.clone() }));
            held.settle().unwrap();
            assert_eq!((text(held.view.subject), text(held.view.issuer)), (b"alice".to_vec(), vec![]));
            assert_eq!(!held.own.text.is_empty(), copied);
        }
    }

    #[test]
    fn a_nul_inside_a_string_is_an_error_instead_of_a_cut_string() {
        let mut bad = decision();
        std::sync::Arc::get_mut(bad.identity.as_mut().unwrap()).unwrap().subject = "root\0nobody".into();
        for _ in 0..3 {
            let status = Held::of(bad.clone()).settle().err().map(|failure| failure.status);
            assert_eq!(status, Some(GATEPOST_ERR_INTERNAL));
        }
        let mut bad = decision();
        let entry = HeaderEntry { name: "X-C".into(), value: "a\0".into(), mode: HeaderMode::Set };
        bad.upstream = List::from(vec![entry]).into();
        assert!(Held::of(bad).settle().is_err());
        assert!(Held::of(Decision { id: "a\0b".into(), identity: None, ..decision() }).settle().is_err());
    }

    #[test]
    fn the_numbers_of_actions_and_modes_are_those_of_the_header() {
        for (action, number) in [
            (Action::Deny, GATEPOST_DENY),
            (Action::Allow, GATEPOST_ALLOW),
            (Action::Respond, GATEPOST_RESPOND),
            (Action::Pass, GATEPOST_PASS),
        ] {
            assert_eq!(action as u32, number);
        }
        for (mode, number) in [
            (HeaderMode::Set, GATEPOST_HEADER_SET),
            (HeaderMode::Append, GATEPOST_HEADER_APPEND),
            (HeaderMode::SetIfAbsent, GATEPOST_HEADER_SET_IF_ABSENT),
        ] {
            assert_eq!(mode as u32, number);
        }
    }
}
