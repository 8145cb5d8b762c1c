//! A decision as C reads it: all its strings in one block, laid out once, so that a view costs one copy.

use std::mem::offset_of;

use smallvec::SmallVec;

use super::kernel::{Caller, Failure, Opaque, Plain, SizedOut, give_settled, guard, guard_status};
use super::types::*;
use crate::decision::{Decision, HeaderEntry};

/// The answer to one request. Owned by the caller, ended with gatepost_decision_free. It outlives reload and end of
/// the engine.
pub struct gatepost_decision {
    _opaque: [u8; 0],
}

/// All of a decision in one struct. Set struct_size to sizeof before the call that fills it; nothing is written past
/// it. Everything it points to belongs to the decision.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct gatepost_view {
    /// sizeof (gatepost_view), set by the caller.
    pub struct_size: usize,
    /// What to do.
    pub action: gatepost_action,
    /// The HTTP status; 200 for GATEPOST_ALLOW and GATEPOST_PASS.
    pub status: u32,
    /// Why. For logs; what the person may know is in the body.
    pub reason: gatepost_reason,
    /// Seconds until another try may succeed; 0: not said.
    pub retry_after: u32,
    /// The stable name of the reason.
    pub reason_name: gatepost_str,
    /// What a user reads to support and what the log is searched by.
    pub id: gatepost_str,
    /// Who was recognised, also where the request is refused; empty: nobody.
    pub subject: gatepost_str,
    /// Whose subject it is; empty for local users. (issuer, subject) is the person, never the subject alone.
    pub issuer: gatepost_str,
    /// The scheme that was used or tried, like "basic"; empty: none.
    pub scheme: gatepost_str,
    /// Header fields for the response to the client.
    pub response_headers: *const gatepost_header,
    /// How many.
    pub response_header_count: usize,
    /// Header fields for the application, to apply after those to strip are gone.
    pub upstream_headers: *const gatepost_header,
    /// How many.
    pub upstream_header_count: usize,
    /// Names of request fields to remove before the application sees the request, on every action.
    pub strip: *const gatepost_str,
    /// How many.
    pub strip_count: usize,
    /// Body of the answer; its type is among the response headers. Empty on GATEPOST_ALLOW and GATEPOST_PASS,
    /// and for HEAD.
    pub body: gatepost_str,
    /// Which of the engine's policies decided: gatepost_engine_generation at that moment.
    pub generation: u64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_view {}

pub(super) const FIRST_RELEASE: usize = offset_of!(gatepost_view, generation) + size_of::<u64>();

/// What the handle holds. The view points into the other fields, which lie where they are until all of it is freed.
/// They have room in place for what a usual decision needs, so that it is one piece of memory.
pub(super) struct Held {
    view: gatepost_view,
    roles: gatepost_str,
    scopes: gatepost_str,
    text: SmallVec<[u8; 768]>,
    headers: SmallVec<[gatepost_header; 8]>,
    strip: SmallVec<[gatepost_str; 8]>,
    body: Vec<u8>,
}

impl Opaque for gatepost_decision {
    type Inner = Held;
    const MARK: u64 = u64::from_le_bytes(*b"gpdecide");
    const NAME: &'static str = "gatepost_decision";
}

impl gatepost_decision {
    /// The decision as a handle.
    pub(super) fn give(decision: Decision) -> Result<*mut gatepost_decision, Failure> {
        let (held, plan) = Held::lay_out(decision)?;
        Ok(give_settled::<gatepost_decision>(held, |held| held.settle(&plan)))
    }
}

/// Fills a struct of the caller's with all of a decision.
///
/// decision: borrowed.
/// view: struct_size set by the caller, the rest is written.
/// What the view points to lives as long as the decision. Any number of threads at once.
/// Returns GATEPOST_OK or an error; on an error nothing is written and the host must refuse.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_view(
    decision: *const gatepost_decision,
    view: *mut gatepost_view,
) -> gatepost_status {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard_status(|c| {
            let place = c.sized_out(view, FIRST_RELEASE, "view")?;
            place.set(&c.look(decision)?.view);
            Ok(GATEPOST_OK)
        })
    }
}

/// What to do.
///
/// decision: borrowed.
/// Any number of threads at once.
/// Returns one of GATEPOST_DENY, GATEPOST_ALLOW, GATEPOST_RESPOND, GATEPOST_PASS; GATEPOST_DENY for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_action(decision: *const gatepost_decision) -> gatepost_action {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(GATEPOST_DENY, |c| Ok(c.look(decision)?.view.action)) }
}

/// The HTTP status.
///
/// decision: borrowed.
/// Any number of threads at once.
/// Returns the status, 200 for GATEPOST_ALLOW and GATEPOST_PASS; 500 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_status(decision: *const gatepost_decision) -> u32 {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(500, |c| Ok(c.look(decision)?.view.status)) }
}

/// Why. For logs; what the person may know is in the decision's body.
///
/// decision: borrowed.
/// Any number of threads at once.
/// Returns one of GATEPOST_REASON_*; GATEPOST_REASON_INTERNAL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_reason(decision: *const gatepost_decision) -> gatepost_reason {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(super::reason_numbers::GATEPOST_REASON_INTERNAL, |c| Ok(c.look(decision)?.view.reason)) }
}

/// Who was recognised, also where the request is refused.
///
/// decision: borrowed.
/// The string lives as long as the decision. Any number of threads at once.
/// Returns the subject; empty where nobody was recognised, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_subject(decision: *const gatepost_decision) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(gatepost_str::EMPTY, |c| Ok(c.look(decision)?.view.subject)) }
}

/// What a user reads to support and what the log is searched by: the request's own id, or one that the engine drew.
///
/// decision: borrowed.
/// The string lives as long as the decision. Any number of threads at once.
/// Returns the id; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_id(decision: *const gatepost_decision) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard(gatepost_str::EMPTY, |c| Ok(c.look(decision)?.view.id)) }
}

/// One fact of a decision by name: "subject", "issuer", "scheme", "roles", "scopes", "id", "reason". Roles are joined
/// by a comma and scopes by a space; in them bytes outside 0x21-0x7E, "%" and "," are percent-encoded.
///
/// decision: borrowed.
/// name: borrowed for the call.
/// The string lives as long as the decision. Any number of threads at once.
/// Returns the value; empty where there is none, for a name that it does not know, and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_attribute(
    decision: *const gatepost_decision,
    name: gatepost_str,
) -> gatepost_str {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe {
        guard(gatepost_str::EMPTY, |c| {
            let held = c.look(decision)?;
            match c.bytes(name, "name")? {
                b"subject" => Ok(held.view.subject),
                b"issuer" => Ok(held.view.issuer),
                b"scheme" => Ok(held.view.scheme),
                b"roles" => Ok(held.roles),
                b"scopes" => Ok(held.scopes),
                b"id" => Ok(held.view.id),
                b"reason" => Ok(held.view.reason_name),
                _ => Err(Failure::unsupported("no such attribute")),
            }
        })
    }
}

/// Ends a decision with all strings and arrays taken from it. NULL is a no-op.
///
/// decision: taken.
/// One thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_decision_free(decision: *mut gatepost_decision) {
    // SAFETY: the caller keeps to the rules of the header.
    unsafe { guard((), |c| c.take(decision).map(drop)) }
}

/// Fills the caller's view of a decision that was just made.
pub(super) fn fill(
    c: Caller<'_>,
    place: SizedOut<'_, gatepost_view>,
    decision: *const gatepost_decision,
) -> Result<(), Failure> {
    place.set(&c.look(decision)?.view);
    Ok(())
}

/// Where a string is in the block: start and length.
type Place = (usize, usize);

/// A header field in the block.
type Field = (Place, Place, u32);

/// Where everything is, while the block may still move.
struct Plan {
    reason_name: Place,
    id: Place,
    subject: Place,
    issuer: Place,
    scheme: Place,
    roles: Place,
    scopes: Place,
    /// Of the response and then for the application.
    headers: SmallVec<[Field; 8]>,
    of_response: usize,
    strip: SmallVec<[Place; 8]>,
}

impl Held {
    /// All of a decision in its place, but for the pointers.
    fn lay_out(decision: Decision) -> Result<(Held, Plan), Failure> {
        let identity = decision.identity.as_deref();
        let mut block = Block::default();
        let plan = Plan {
            reason_name: block.add(decision.reason.name())?,
            id: block.add(&decision.id)?,
            subject: block.add(identity.map_or("", |who| &who.subject))?,
            issuer: block.add(identity.map_or("", |who| &who.issuer))?,
            scheme: block.add(decision.scheme.map_or("", |scheme| scheme.name()))?,
            roles: block.add_joined(identity.map_or(&[], |who| &who.roles), b','),
            scopes: block.add_joined(identity.map_or(&[], |who| &who.scopes), b' '),
            headers: block.add_fields(decision.response.iter().chain(&decision.upstream))?,
            of_response: decision.response.len(),
            strip: decision.strip.iter().map(|name| block.add(name)).collect::<Result<_, _>>()?,
        };
        let view = gatepost_view {
            struct_size: size_of::<gatepost_view>(),
            action: decision.action as u32,
            status: u32::from(decision.status),
            reason: decision.reason.number(),
            retry_after: decision.retry_after.unwrap_or(0),
            generation: decision.generation,
            ..gatepost_view::BLANK
        };
        let mut body = decision.body;
        if !body.is_empty() {
            body.push(0);
        }
        let held = Held {
            view,
            roles: gatepost_str::EMPTY,
            scopes: gatepost_str::EMPTY,
            text: block.0,
            headers: SmallVec::new(),
            strip: SmallVec::new(),
            body,
        };
        Ok((held, plan))
    }

    /// Sets the pointers. From here on nothing moves.
    fn settle(&mut self, plan: &Plan) {
        let text = self.text.as_slice();
        let view = |(start, len): Place| match text.get(start..) {
            Some(text) => gatepost_str { ptr: text.as_ptr().cast(), len },
            None => gatepost_str::EMPTY,
        };
        let header = |(name, value, mode): &Field| gatepost_header {
            name: view(*name),
            value: view(*value),
            mode: *mode,
            reserved: 0,
        };
        self.headers = plan.headers.iter().map(header).collect();
        self.strip = plan.strip.iter().map(|name| view(*name)).collect();
        self.roles = view(plan.roles);
        self.scopes = view(plan.scopes);
        // The NUL of the scopes, which came last before the headers, stands for every empty string.
        let empty = view((plan.scopes.0 + plan.scopes.1, 0));
        let body = gatepost_str { ptr: self.body.as_ptr().cast(), len: self.body.len().saturating_sub(1) };
        let (of_response, of_upstream) = self.headers.split_at_checked(plan.of_response).unwrap_or_default();
        self.view = gatepost_view {
            reason_name: view(plan.reason_name),
            id: view(plan.id),
            subject: view(plan.subject),
            issuer: view(plan.issuer),
            scheme: view(plan.scheme),
            response_headers: start(of_response),
            response_header_count: of_response.len(),
            upstream_headers: start(of_upstream),
            upstream_header_count: of_upstream.len(),
            strip: start(&self.strip),
            strip_count: self.strip.len(),
            body: if self.body.is_empty() { empty } else { body },
            ..self.view
        };
    }
}

impl gatepost_view {
    const BLANK: gatepost_view = gatepost_view {
        struct_size: 0,
        action: GATEPOST_DENY,
        status: 500,
        reason: 0,
        retry_after: 0,
        reason_name: gatepost_str::EMPTY,
        id: gatepost_str::EMPTY,
        subject: gatepost_str::EMPTY,
        issuer: gatepost_str::EMPTY,
        scheme: gatepost_str::EMPTY,
        response_headers: std::ptr::null(),
        response_header_count: 0,
        upstream_headers: std::ptr::null(),
        upstream_header_count: 0,
        strip: std::ptr::null(),
        strip_count: 0,
        body: gatepost_str::EMPTY,
        generation: 0,
    };
}

/// NULL where there is nothing, which is what C expects of an empty array.
fn start<T>(array: &[T]) -> *const T {
    if array.is_empty() { std::ptr::null() } else { array.as_ptr() }
}

/// All strings of a decision, each with a NUL behind it.
#[derive(Default)]
struct Block(SmallVec<[u8; 768]>);

impl Block {
    fn add(&mut self, text: &str) -> Result<Place, Failure> {
        if text.as_bytes().contains(&0) {
            return Err(Failure::new(GATEPOST_ERR_INTERNAL, "a string of the decision has a NUL inside"));
        }
        let start = self.0.len();
        self.0.extend_from_slice(text.as_bytes());
        Ok(self.end(start))
    }

    /// A list in one string, with what would make it ambiguous percent-encoded.
    fn add_joined(&mut self, list: &[String], between: u8) -> Place {
        const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
        let start = self.0.len();
        for (index, item) in list.iter().enumerate() {
            if index > 0 {
                self.0.push(between);
            }
            for byte in item.bytes() {
                match byte {
                    0x21..=0x7E if !matches!(byte, b'%' | b',') => self.0.push(byte),
                    _ => self.0.extend([b'%', digit(byte >> 4), digit(byte & 15)]),
                }
            }
        }
        self.end(start)
    }

    fn add_fields<'e>(
        &mut self,
        entries: impl Iterator<Item = &'e HeaderEntry>,
    ) -> Result<SmallVec<[Field; 8]>, Failure> {
        entries.map(|entry| Ok((self.add(&entry.name)?, self.add(&entry.value)?, entry.mode as u32))).collect()
    }

    fn end(&mut self, start: usize) -> Place {
        let length = self.0.len().saturating_sub(start);
        self.0.push(0);
        (start, length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Action, HeaderMode};
    use crate::identity::{Identity, Scheme};
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
        let (held, plan) = Held::lay_out(decision()).unwrap();
        let mut held = Box::new(held);
        held.settle(&plan);
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
        assert_eq!(text(held.roles), b"a%2Cb,c");
        assert_eq!(text(held.scopes), b"%C3%A9");
    }

    #[test]
    fn a_nul_inside_a_string_is_an_error_instead_of_a_cut_string() {
        let mut bad = decision();
        std::sync::Arc::get_mut(bad.identity.as_mut().unwrap()).unwrap().subject = "root\0nobody".into();
        assert_eq!(Held::lay_out(bad).err().map(|failure| failure.status), Some(GATEPOST_ERR_INTERNAL));
        let mut bad = decision();
        let entry = HeaderEntry { name: "X-C".into(), value: "a\0".into(), mode: HeaderMode::Set };
        bad.upstream.extend([entry]);
        assert!(Held::lay_out(bad).is_err());
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
