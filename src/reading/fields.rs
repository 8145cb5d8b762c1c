//! One pass over the header fields: those that a decision looks at, by name, with their repeats.

use smallvec::SmallVec;

use crate::policy::model::{ForwardedHeader, Policy};
use crate::reading::strip::{StripRules, Stripped};
use crate::request::field::{is_token, trim};
use crate::request::{Header, Request};

/// The longest target that is read, octets.
pub const MAX_TARGET: usize = 8 * 1024;
/// The longest field line (name and value) that is read, octets.
pub const MAX_FIELD: usize = 16 * 1024;
/// The most field lines that are read.
pub const MAX_FIELDS: usize = 200;

/// Values of one field name, in order of arrival.
pub type Values<'a> = SmallVec<[&'a [u8]; 1]>;

/// The fields that a decision looks at.
#[derive(Debug, Default)]
pub struct Fields<'a> {
    /// `Host`.
    pub host: Values<'a>,
    /// `Authorization`, without surrounding white space like all below.
    pub authorization: Values<'a>,
    /// `DPoP`.
    pub proof: Values<'a>,
    /// `X-API-Key`.
    pub api_key: Values<'a>,
    /// `Cookie`.
    pub cookie: Values<'a>,
    /// `Origin`.
    pub origin: Values<'a>,
    /// `Sec-Fetch-Site`.
    pub fetch_site: Values<'a>,
    /// `Sec-Fetch-Mode`.
    pub fetch_mode: Values<'a>,
    /// `Access-Control-Request-Method`.
    pub preflight_method: Values<'a>,
    /// `Upgrade`.
    pub upgrade: Values<'a>,
    /// The field that carries the client's address behind a trusted proxy.
    pub forwarded: Values<'a>,
    /// The field that carries the client's scheme.
    pub forwarded_scheme: Values<'a>,
    /// The field that carries the client's host.
    pub forwarded_host: Values<'a>,
    /// The field that carries the client's certificate.
    pub certificate: Values<'a>,
    /// Names that must not reach the application.
    pub stripped: Stripped,
    /// The first thing that makes the request too large or malformed.
    pub fault: Option<Fault>,
}

/// What makes a request unreadable before its meaning is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 431 `request_too_large`.
    TooLarge(&'static str),
    /// 400 `request_malformed`.
    Malformed(&'static str),
}

impl<'a> Fields<'a> {
    /// Sorts the request's fields. Goes on after a fault, so that the strip list is complete in any case.
    pub fn collect(request: &Request<'a>, policy: &Policy, strip: &StripRules) -> Fields<'a> {
        let mut fields = Fields::default();
        if request.target.len() > MAX_TARGET {
            fields.note(Fault::TooLarge("the target is longer than 8 KiB"));
        }
        if request.headers.len() > MAX_FIELDS {
            fields.note(Fault::TooLarge("there are more than 200 header fields"));
        }
        if !is_token(request.method) {
            fields.note(Fault::Malformed("the method is not a token (RFC 9110 section 9.1)"));
        }
        for header in request.headers {
            fields.check(header);
            strip.look_at(&mut fields.stripped, header.name, header.value);
            fields.sort(header.name, header.value, policy);
        }
        fields
    }

    fn check(&mut self, header: &Header<'_>) {
        if header.name.len().saturating_add(header.value.len()) > MAX_FIELD {
            self.note(Fault::TooLarge("a header field is longer than 16 KiB"));
        }
        if !is_token(header.name) {
            self.note(Fault::Malformed("a header field's name is not a token (RFC 9110 section 5.1)"));
        }
        if may_hold_control(header.value) && header.value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
            self.note(Fault::Malformed("a header field's value holds a line break or NUL (RFC 9110 section 5.5)"));
        }
    }

    /// The first fault is told, but size before form: what is too large was not meant to be read at all.
    fn note(&mut self, fault: Fault) {
        match (self.fault, fault) {
            (Some(Fault::Malformed(_)), Fault::TooLarge(_)) => self.fault = Some(fault),
            _ => _ = self.fault.get_or_insert(fault),
        }
    }

    fn sort(&mut self, name: &[u8], value: &'a [u8], policy: &Policy) {
        let place = match name.len() {
            4 if name.eq_ignore_ascii_case(b"host") => &mut self.host,
            4 if name.eq_ignore_ascii_case(b"dpop") => &mut self.proof,
            6 if name.eq_ignore_ascii_case(b"cookie") => &mut self.cookie,
            6 if name.eq_ignore_ascii_case(b"origin") => &mut self.origin,
            7 if name.eq_ignore_ascii_case(b"upgrade") => &mut self.upgrade,
            9 if name.eq_ignore_ascii_case(b"x-api-key") => &mut self.api_key,
            13 if name.eq_ignore_ascii_case(b"authorization") => &mut self.authorization,
            14 if name.eq_ignore_ascii_case(b"sec-fetch-site") => &mut self.fetch_site,
            14 if name.eq_ignore_ascii_case(b"sec-fetch-mode") => &mut self.fetch_mode,
            29 if name.eq_ignore_ascii_case(b"access-control-request-method") => &mut self.preflight_method,
            _ => return self.sort_forwarded(name, value, policy),
        };
        place.push(trim(value));
        // A policy may name one of these (say `Forwarded-Host = "Host"`) as a proxy field as well.
        self.sort_forwarded(name, value, policy);
    }

    fn sort_forwarded(&mut self, name: &[u8], value: &'a [u8], policy: &Policy) {
        let proxies = &policy.proxies;
        if proxies.trusted.is_empty() && !proxies.trust_unix {
            return;
        }
        let value = trim(value);
        let address_field: &[u8] = match proxies.header {
            ForwardedHeader::XForwardedFor => b"x-forwarded-for",
            ForwardedHeader::Forwarded => b"forwarded",
        };
        let is = |wanted: &Option<String>| wanted.as_ref().is_some_and(|w| name.eq_ignore_ascii_case(w.as_bytes()));
        if name.eq_ignore_ascii_case(address_field) {
            self.forwarded.push(value);
        }
        if is(&proxies.scheme) {
            self.forwarded_scheme.push(value);
        }
        if is(&proxies.host) {
            self.forwarded_host.push(value);
        }
        if is(&proxies.certificate) {
            self.certificate.push(value);
        }
    }
}

/// Some octet is below 0x0E. Eight at a time; true now and then without one, false never with one.
fn may_hold_control(value: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (eights, rest) = value.as_chunks::<8>();
    let below = |eight: u64| eight.wrapping_sub(ONES * 0x0E) & !eight & (ONES * 0x80);
    let found = eights.iter().fold(0, |found, eight| found | below(u64::from_ne_bytes(*eight)));
    found != 0 || rest.iter().any(|byte| *byte < 0x0E)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_octet_is_noticed_wherever_it_stands() {
        for length in 0..40 {
            let value = vec![b'a'; length];
            assert!(!may_hold_control(&value));
            for at in 0..length {
                for octet in 0..=255_u8 {
                    let mut value = value.clone();
                    value[at] = octet;
                    assert!(octet >= 0x0E || may_hold_control(&value), "{octet} at {at} of {length}");
                }
            }
        }
        assert!(!may_hold_control("Größe, any text; of 0123456789 ~".as_bytes()));
    }
}
