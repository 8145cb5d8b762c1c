//! What a handle to a decision holds: its view, and what the view points to, laid out once, so that to look at it costs
//! one copy. What many decisions share is laid out for all of them together.

use std::sync::{Arc, OnceLock};

use smallvec::SmallVec;

use super::super::kernel::Failure;
use super::super::reason;
use super::super::types::*;
use super::gatepost_view;
use crate::decision::{Common, Decision, HeaderEntry, List};
use crate::identity::{Identity, Scheme};

/// What the handle holds. The view points into the other fields, which lie where they are until all of it is freed.
/// They have room in place for what a usual decision needs, so that it is one piece of memory.
pub(in crate::ffi) struct Held {
    pub(super) view: gatepost_view,
    /// What is this decision's alone, each string with a NUL behind it.
    text: SmallVec<[u8; 192]>,
    headers: SmallVec<[gatepost_header; 4]>,
    strip: SmallVec<[gatepost_str; 2]>,
    parts: Parts,
    body: Vec<u8>,
    /// The lists of roles and of scopes in one string each, made for the few who ask.
    joined: [OnceLock<Box<[u8]>>; 2],
}

/// What the view is made of. Kept, because the view points to what is shared.
struct Parts {
    id: crate::decision::Id,
    identity: Option<Arc<Identity>>,
    response: List<HeaderEntry>,
    upstream: List<HeaderEntry>,
    strip: List<String>,
}

impl Held {
    /// All of a decision in its place, but for the pointers.
    pub(super) fn of(decision: Decision) -> Result<Held, Failure> {
        let parts = Parts {
            id: decision.id,
            identity: decision.identity,
            response: decision.response,
            upstream: decision.upstream,
            strip: decision.strip,
        };
        parts.response.lay_out()?;
        parts.upstream.lay_out()?;
        parts.strip.lay_out()?;
        let mut text = SmallVec::new();
        let (mut strings, mut length) = (0_usize, 0_usize);
        parts.own(&mut |string| {
            strings += 1;
            length = length.saturating_add(string.len()).saturating_add(1);
        });
        text.reserve_exact(length);
        parts.own(&mut |string| {
            text.extend_from_slice(string);
            text.push(0);
        });
        if text.iter().filter(|byte| **byte == 0).count() != strings {
            return Err(holds_nul());
        }
        let mut body = decision.body;
        if !body.is_empty() {
            body.push(0);
        }
        let view = gatepost_view {
            struct_size: size_of::<gatepost_view>(),
            action: decision.action as u32,
            status: u32::from(decision.status),
            reason: decision.reason.number(),
            retry_after: decision.retry_after.unwrap_or(0),
            generation: decision.generation,
            reason_name: reason::name(decision.reason),
            scheme: decision.scheme.map_or(NOTHING, scheme_name),
            ..gatepost_view::BLANK
        };
        let joined = [const { OnceLock::new() }; 2];
        Ok(Held { view, text, headers: SmallVec::new(), strip: SmallVec::new(), parts, body, joined })
    }

    /// Sets the pointers. From here on nothing moves.
    pub(super) fn settle(&mut self) {
        let Held { view, text, headers, strip, parts, body, .. } = self;
        let own_response = if let List::Own(list) = &parts.response { list.len() } else { 0 };
        // In the order in which they were written.
        let mut next = Cursor(text.as_slice());
        view.id = next.string(parts.id.as_bytes().len());
        if let Some(who) = &parts.identity {
            view.subject = next.string(who.subject.len());
            view.issuer = next.string(who.issuer.len());
        }
        for list in [&parts.response, &parts.upstream] {
            if let List::Own(list) = list {
                headers.extend(list.iter().map(|entry| entry.shape(&mut |length| next.string(length))));
            }
        }
        if let List::Own(list) = &parts.strip {
            strip.extend(list.iter().map(|name| next.string(name.len())));
        }
        let (of_response, of_upstream) = headers.split_at_checked(own_response).unwrap_or_default();
        (view.response_headers, view.response_header_count) = parts.response.shared().unwrap_or(array(of_response));
        (view.upstream_headers, view.upstream_header_count) = parts.upstream.shared().unwrap_or(array(of_upstream));
        (view.strip, view.strip_count) = parts.strip.shared().unwrap_or(array(strip));
        parts.forget_copied();
        if !body.is_empty() {
            view.body = gatepost_str { ptr: body.as_ptr().cast(), len: body.len().saturating_sub(1) };
        }
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
        let (Some(who), Some(place)) = (&self.parts.identity, self.joined.get(index)) else { return NOTHING };
        let text = place.get_or_init(|| joined(list(who), between));
        gatepost_str { ptr: text.as_ptr().cast(), len: text.len().saturating_sub(1) }
    }
}

impl Parts {
    /// What was copied is not kept a second time.
    fn forget_copied(&mut self) {
        for list in [&mut self.response, &mut self.upstream] {
            if let List::Own(list) = list {
                *list = Vec::new();
            }
        }
        if let List::Own(list) = &mut self.strip {
            *list = Vec::new();
        }
    }

    /// The strings that are this decision's alone, in the order in which the view takes them up.
    fn own(&self, string: &mut impl FnMut(&[u8])) {
        string(self.id.as_bytes());
        if let Some(who) = &self.identity {
            string(who.subject.as_bytes());
            string(who.issuer.as_bytes());
        }
        for list in [&self.response, &self.upstream] {
            if let List::Own(list) = list {
                list.iter().for_each(|entry| entry.strings(string));
            }
        }
        if let List::Own(list) = &self.strip {
            list.iter().for_each(|name| name.strings(string));
        }
    }
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

/// Strings with a NUL behind each, taken up one after the other.
struct Cursor<'t>(&'t [u8]);

impl Cursor<'_> {
    fn string(&mut self, len: usize) -> gatepost_str {
        let ptr = self.0.as_ptr().cast();
        self.0 = self.0.get(len.saturating_add(1)..).unwrap_or_default();
        gatepost_str { ptr, len }
    }
}

/// What has a form in C that is made of its strings.
trait Shape {
    type C: Copy + 'static;
    fn strings(&self, string: &mut impl FnMut(&[u8]));
    fn shape(&self, next: &mut impl FnMut(usize) -> gatepost_str) -> Self::C;
}

impl Shape for HeaderEntry {
    type C = gatepost_header;

    fn strings(&self, string: &mut impl FnMut(&[u8])) {
        string(self.name.as_bytes());
        string(self.value.as_bytes());
    }

    fn shape(&self, next: &mut impl FnMut(usize) -> gatepost_str) -> gatepost_header {
        gatepost_header {
            name: next(self.name.len()),
            value: next(self.value.len()),
            mode: self.mode as u32,
            reserved: 0,
        }
    }
}

impl Shape for String {
    type C = gatepost_str;

    fn strings(&self, string: &mut impl FnMut(&[u8])) {
        string(self.as_bytes());
    }

    fn shape(&self, next: &mut impl FnMut(usize) -> gatepost_str) -> gatepost_str {
        next(self.len())
    }
}

/// A list that decisions share, in the form that C reads; the array points into the text.
struct LaidOut<C> {
    array: Box<[C]>,
    /// Kept for the array.
    _text: Box<[u8]>,
    sound: bool,
}

// SAFETY: the pointers lead into its own text, which nobody changes.
unsafe impl<C> Send for LaidOut<C> {}
// SAFETY: as above.
unsafe impl<C> Sync for LaidOut<C> {}

impl<C: Copy> LaidOut<C> {
    fn of<T: Shape<C = C>>(items: &[T]) -> LaidOut<C> {
        let (mut text, mut strings) = (Vec::new(), 0_usize);
        for item in items {
            item.strings(&mut |string| {
                strings += 1;
                text.extend_from_slice(string);
                text.push(0);
            });
        }
        let text = text.into_boxed_slice();
        let mut next = Cursor(&text);
        let array = items.iter().map(|item| item.shape(&mut |length| next.string(length))).collect();
        LaidOut { array, sound: text.iter().filter(|byte| **byte == 0).count() == strings, _text: text }
    }
}

/// Lists, shared or not.
trait LayOut<C> {
    /// Has the form of a shared list made, where there is none yet.
    fn lay_out(&self) -> Result<(), Failure>;
    /// The array of a shared list.
    fn shared(&self) -> Option<(*const C, usize)>;
}

impl<T: Shape + 'static> LayOut<T::C> for List<T> {
    fn lay_out(&self) -> Result<(), Failure> {
        match self {
            List::Shared(common) if !form(common).is_some_and(|form| form.sound) => Err(holds_nul()),
            _ => Ok(()),
        }
    }

    fn shared(&self) -> Option<(*const T::C, usize)> {
        match self {
            List::Shared(common) => form(common).map(|form| array(&form.array)),
            List::Own(_) => None,
        }
    }
}

fn form<T: Shape + 'static>(common: &Common<T>) -> Option<&LaidOut<T::C>> {
    common.form(|items| LaidOut::of(items))
}

/// NULL where there is nothing, which is what C expects of an empty array.
fn array<C>(array: &[C]) -> (*const C, usize) {
    (if array.is_empty() { std::ptr::null() } else { array.as_ptr() }, array.len())
}

fn holds_nul() -> Failure {
    Failure::new(GATEPOST_ERR_INTERNAL, "a string of the decision has a NUL inside")
}

/// A list in one string with a NUL behind it, with what would make it ambiguous percent-encoded.
fn joined(list: &[String], between: u8) -> Box<[u8]> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
    let mut text = Vec::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            text.push(between);
        }
        for byte in item.bytes() {
            match byte {
                0x21..=0x7E if !matches!(byte, b'%' | b',') => text.push(byte),
                _ => text.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
            }
        }
    }
    text.push(0);
    text.into()
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
                issuer: String::new(),
                subject: "alice".into(),
                scheme: Scheme::Basic,
                roles: vec!["a,b".into(), "c".into()],
                scopes: vec!["é".into()],
                permissions: vec![],
                scopes_narrow_permissions: false,
                factors: vec![],
                authenticated_at: None,
                expires_at: None,
                claims: None,
            })),
            scheme: Some(Scheme::Basic),
            response: vec![entry("Cache-Control", "no-store", HeaderMode::SetIfAbsent)].into(),
            upstream: vec![entry("X-A", "1", HeaderMode::Set), entry("X-B", "", HeaderMode::Append)].into(),
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
        let mut held = Box::new(Held::of(decision()).unwrap());
        held.settle();
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
            let decision = Decision { upstream: upstream.clone(), strip: strip.clone(), ..decision() };
            let mut held = Box::new(Held::of(decision).unwrap());
            held.settle();
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
        assert!(Held::of(bad).is_err());
    }

    #[test]
    fn a_nul_inside_a_string_is_an_error_instead_of_a_cut_string() {
        let mut bad = decision();
        std::sync::Arc::get_mut(bad.identity.as_mut().unwrap()).unwrap().subject = "root\0nobody".into();
        assert_eq!(Held::of(bad).err().map(|failure| failure.status), Some(GATEPOST_ERR_INTERNAL));
        let mut bad = decision();
        let entry = HeaderEntry { name: "X-C".into(), value: "a\0".into(), mode: HeaderMode::Set };
        bad.upstream.extend([entry]);
        assert!(Held::of(bad).is_err());
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
