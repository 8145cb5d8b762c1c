//! A decision as C reads it: all its strings in one block, laid out once, so that a view costs one copy.

use std::mem::offset_of;

use super::bytes::Text;
use super::kernel::{Caller, Failure, Opaque, Plain, SizedOut, give, guard, guard_status};
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
    /// Body of the answer; its type is among the response headers. Empty on GATEPOST_ALLOW and GATEPOST_PASS.
    pub body: gatepost_str,
    /// Which of the engine's policies decided: gatepost_engine_generation at that moment.
    pub generation: u64,
}

// SAFETY: pointers and integers.
unsafe impl Plain for gatepost_view {}

pub(super) const FIRST_RELEASE: usize = offset_of!(gatepost_view, generation) + size_of::<u64>();

/// What the handle holds. The view points into the other fields, whose memory does not move.
pub(super) struct Held {
    view: gatepost_view,
    roles: Text,
    scopes: Text,
    _text: Vec<u8>,
    _headers: Vec<gatepost_header>,
    _strip: Vec<gatepost_str>,
}

impl Opaque for gatepost_decision {
    type Inner = Held;
    const MARK: u64 = u64::from_le_bytes(*b"gpdecide");
    const NAME: &'static str = "gatepost_decision";
}

impl gatepost_decision {
    /// The decision as a handle.
    pub(super) fn give(decision: &Decision) -> Result<*mut gatepost_decision, Failure> {
        Ok(give(Held::new(decision)?))
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
                b"roles" => Ok(held.roles.view()),
                b"scopes" => Ok(held.scopes.view()),
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

impl Held {
    fn new(decision: &Decision) -> Result<Held, Failure> {
        let identity = decision.identity.as_ref();
        let mut block = Block::default();
        let reason = block.add(decision.reason.name())?;
        let id = block.add(&decision.id)?;
        let subject = block.add(identity.map_or("", |who| &who.subject))?;
        let issuer = block.add(identity.map_or("", |who| &who.issuer))?;
        let scheme = block.add(decision.scheme.map_or("", |scheme| scheme.name()))?;
        let response = block.fields(&decision.response)?;
        let upstream = block.fields(&decision.upstream)?;
        let strip = decision.strip.iter().map(|name| block.add(name)).collect::<Result<Vec<_>, _>>()?;
        let body = block.add_any(&decision.body);

        // From here on the block does not grow, so that pointers into it stay good.
        let split = response.len();
        let headers: Vec<gatepost_header> = response
            .into_iter()
            .chain(upstream)
            .map(|(name, value, mode)| gatepost_header {
                name: block.view(name),
                value: block.view(value),
                mode,
                reserved: 0,
            })
            .collect();
        let strip: Vec<gatepost_str> = strip.into_iter().map(|name| block.view(name)).collect();
        let (of_response, of_upstream) = headers.split_at_checked(split).unwrap_or_default();
        let view = gatepost_view {
            struct_size: size_of::<gatepost_view>(),
            action: decision.action as u32,
            status: u32::from(decision.status),
            reason: decision.reason.number(),
            retry_after: decision.retry_after.unwrap_or(0),
            reason_name: block.view(reason),
            id: block.view(id),
            subject: block.view(subject),
            issuer: block.view(issuer),
            scheme: block.view(scheme),
            response_headers: start(of_response),
            response_header_count: of_response.len(),
            upstream_headers: start(of_upstream),
            upstream_header_count: of_upstream.len(),
            strip: start(&strip),
            strip_count: strip.len(),
            body: block.view(body),
            generation: decision.generation,
        };
        let roles = joined(identity.map_or(&[], |who| &who.roles), ",")?;
        let scopes = joined(identity.map_or(&[], |who| &who.scopes), " ")?;
        Ok(Held { view, roles, scopes, _text: block.0, _headers: headers, _strip: strip })
    }
}

/// NULL where there is nothing, which is what C expects of an empty array.
fn start<T>(array: &[T]) -> *const T {
    if array.is_empty() { std::ptr::null() } else { array.as_ptr() }
}

fn joined(list: &[String], between: &str) -> Result<Text, Failure> {
    let encoded: Vec<String> = list.iter().map(|item| encode(item)).collect();
    Text::new(encoded.join(between).as_bytes())
}

/// Percent-encodes what would make a joined list ambiguous.
fn encode(item: &str) -> String {
    let mut out = String::with_capacity(item.len());
    for byte in item.bytes() {
        match byte {
            b'%' | b',' => out += &format!("%{byte:02X}"),
            0x21..=0x7E => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// All strings of a decision, each with a NUL behind it.
#[derive(Default)]
struct Block(Vec<u8>);

/// Where a string is in the block: start and length.
type Place = (usize, usize);

impl Block {
    fn add(&mut self, text: &str) -> Result<Place, Failure> {
        if text.as_bytes().contains(&0) {
            return Err(Failure::new(GATEPOST_ERR_INTERNAL, "a string of the decision has a NUL inside"));
        }
        Ok(self.add_any(text.as_bytes()))
    }

    fn add_any(&mut self, bytes: &[u8]) -> Place {
        let place = (self.0.len(), bytes.len());
        self.0.extend_from_slice(bytes);
        self.0.push(0);
        place
    }

    fn fields(&mut self, entries: &[HeaderEntry]) -> Result<Vec<(Place, Place, u32)>, Failure> {
        entries.iter().map(|entry| Ok((self.add(&entry.name)?, self.add(&entry.value)?, entry.mode as u32))).collect()
    }

    fn view(&self, (start, len): Place) -> gatepost_str {
        match self.0.get(start..) {
            Some(text) => gatepost_str { ptr: text.as_ptr().cast(), len },
            None => gatepost_str::EMPTY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::{Action, HeaderMode};
    use crate::identity::{Identity, Scheme};
    use crate::reason::Reason;

    fn decision() -> Decision {
        let entry = |name: &str, value: &str, mode| HeaderEntry { name: name.into(), value: value.into(), mode };
        Decision {
            action: Action::Allow,
            status: 200,
            reason: Reason::Allowed,
            id: "id-1".into(),
            identity: Some(Identity {
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
            }),
            scheme: Some(Scheme::Basic),
            response: vec![entry("Cache-Control", "no-store", HeaderMode::SetIfAbsent)],
            upstream: vec![entry("X-A", "1", HeaderMode::Set), entry("X-B", "", HeaderMode::Append)],
            strip: vec!["X-A".into()],
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
        let held = Box::new(Held::new(&decision()).unwrap());
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
        assert_eq!(text(held.roles.view()), b"a%2Cb,c");
        assert_eq!(text(held.scopes.view()), b"%C3%A9");
    }

    #[test]
    fn a_nul_inside_a_string_is_an_error_instead_of_a_cut_string() {
        let mut bad = decision();
        bad.identity.as_mut().unwrap().subject = "root\0nobody".into();
        assert_eq!(Held::new(&bad).err().map(|failure| failure.status), Some(GATEPOST_ERR_INTERNAL));
        let mut bad = decision();
        bad.upstream[0].value = "a\0".into();
        assert!(Held::new(&bad).is_err());
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
