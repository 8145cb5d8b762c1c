//! One pass over the header fields: those that a decision looks at, by name, with their repeats.

use smallvec::SmallVec;

use crate::policy::model::{ForwardedHeader, Policy};
use crate::reading::names::NameFilter;
use crate::reading::octets::Octets;
use crate::reading::strip::{StripRules, Stripped};
use crate::request::field::{is_named, is_token, trim};
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

/// Which fields a decision looks at, prepared once per policy.
#[derive(Debug)]
pub struct FieldRules {
    /// Those that must not reach the application.
    pub strip: StripRules,
    /// All of them: spares the others any comparison.
    known: NameFilter,
    /// Some peer's word about the client is believed.
    forwarded: bool,
}

impl FieldRules {
    /// Prepares the names of a policy.
    pub fn new(policy: &Policy) -> FieldRules {
        let proxies = &policy.proxies;
        let strip = StripRules::new(&policy.identity, proxies);
        let mut known = strip.filter().clone();
        NAMES.iter().for_each(|name| known.insert(name));
        known.insert(address_field(proxies.header));
        let told = [&proxies.scheme, &proxies.host, &proxies.certificate];
        told.into_iter().flatten().for_each(|name| known.insert(name.as_bytes()));
        FieldRules { strip, known, forwarded: !proxies.trusted.is_empty() || proxies.trust_unix }
    }
}

/// What [`Fields::place`] compares with.
const NAMES: [&[u8]; 10] = [
    b"host",
    b"dpop",
    b"cookie",
    b"origin",
    b"upgrade",
    b"x-api-key",
    b"authorization",
    b"sec-fetch-site",
    b"sec-fetch-mode",
    b"access-control-request-method",
];

impl<'a> Fields<'a> {
    /// Sorts the request's fields into empty places. Goes on after a fault, so that the strip list is complete in any
    /// case.
    pub fn collect(&mut self, request: &Request<'a>, policy: &Policy, rules: &FieldRules) {
        if request.target.len() > MAX_TARGET {
            self.note(Fault::TooLarge("the target is longer than 8 KiB"));
        }
        if request.headers.len() > MAX_FIELDS {
            self.note(Fault::TooLarge("there are more than 200 header fields"));
        }
        if !is_usual_method(request.method) && !is_token(request.method) {
            self.note(Fault::Malformed("the method is not a token (RFC 9110 section 9.1)"));
        }
        // Whether anything can be wrong anywhere is found without a branch; what, only then. So is which fields are of
        // interest: most are of none.
        let (mut octets, mut lengths) = (Octets::default(), 0_usize);
        for some in request.headers.chunks(64) {
            let mut known = 0_u64;
            for (at, Header { name, value }) in some.iter().enumerate() {
                octets.name(name);
                octets.value(value);
                // Two lengths of slices cannot wrap around; none of them is longer than all their bits together.
                lengths |= name.len().wrapping_add(value.len());
                if rules.known.may_hold(name) {
                    known |= 1 << (at & 63);
                }
            }
            while let Some(Header { name, value }) = some.get(known.trailing_zeros() as usize) {
                self.take(name, value, policy, rules);
                known &= known.wrapping_sub(1);
            }
        }
        if lengths > MAX_FIELD || !octets.are_usual() {
            request.headers.iter().for_each(|header| self.check(header));
        }
    }

    /// Takes a field that a decision may look at.
    #[inline(never)]
    fn take(&mut self, name: &[u8], value: &'a [u8], policy: &Policy, rules: &FieldRules) {
        if let Some(place) = self.place(name) {
            place.push(trim(value));
        }
        rules.strip.look_at(&mut self.stripped, name, value);
        // A policy may name one of these (say `Forwarded-Host = "Host"`) as a proxy field as well.
        if rules.forwarded {
            self.sort_forwarded(name, value, policy);
        }
    }

    #[cold]
    fn check(&mut self, header: &Header<'_>) {
        if header.name.len().saturating_add(header.value.len()) > MAX_FIELD {
            self.note(Fault::TooLarge("a header field is longer than 16 KiB"));
        }
        if !is_token(header.name) {
            self.note(Fault::Malformed("a header field's name is not a token (RFC 9110 section 5.1)"));
        }
        if header.value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
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

    /// Where the value of a field of this name belongs, whatever the policy.
    #[inline]
    fn place(&mut self, name: &[u8]) -> Option<&mut Values<'a>> {
        Some(match name.len() {
            4 if is_named(name, b"host") => &mut self.host,
            4 if is_named(name, b"dpop") => &mut self.proof,
            6 if is_named(name, b"cookie") => &mut self.cookie,
            6 if is_named(name, b"origin") => &mut self.origin,
            7 if is_named(name, b"upgrade") => &mut self.upgrade,
            9 if is_named(name, b"x-api-key") => &mut self.api_key,
            13 if is_named(name, b"authorization") => &mut self.authorization,
            14 if is_named(name, b"sec-fetch-site") => &mut self.fetch_site,
            14 if is_named(name, b"sec-fetch-mode") => &mut self.fetch_mode,
            29 if is_named(name, b"access-control-request-method") => &mut self.preflight_method,
            _ => return None,
        })
    }

    #[inline(never)]
    fn sort_forwarded(&mut self, name: &[u8], value: &'a [u8], policy: &Policy) {
        let proxies = &policy.proxies;
        let value = trim(value);
        let is = |wanted: &Option<String>| wanted.as_ref().is_some_and(|w| name.eq_ignore_ascii_case(w.as_bytes()));
        if name.eq_ignore_ascii_case(address_field(proxies.header)) {
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

/// A method that most requests have, which needs no look at its octets.
#[inline]
pub fn is_usual_method(method: &[u8]) -> bool {
    matches!(method, b"GET" | b"POST" | b"HEAD" | b"PUT" | b"DELETE" | b"PATCH" | b"OPTIONS")
}

/// The field that carries the client's address, in lower case.
fn address_field(header: ForwardedHeader) -> &'static [u8] {
    match header {
        ForwardedHeader::XForwardedFor => b"x-forwarded-for",
        ForwardedHeader::Forwarded => b"forwarded",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_is_compared_passes_the_filter_in_any_case() {
        let text = "[engine]\nname = \"A\"\n[proxies]\ntrusted = [\"10.0.0.0/8\"]\nheader = \"Forwarded\"\n\
            host = \"X-Real-Host\"\nscheme = \"X-Scheme\"\n[[route]]\npath = \"/\"\naccess = \"public\"\n";
        let here = std::path::Path::new(".");
        let policy = crate::policy::parse(text, &here.join("policy.toml"), here).unwrap().policy;
        let rules = FieldRules::new(&policy);
        for name in NAMES.into_iter().chain([&b"Forwarded"[..], b"X-Real-Host", b"X-Scheme", b"Connection"]) {
            assert!(rules.known.may_hold(name) && rules.known.may_hold(&name.to_ascii_uppercase()));
        }
    }
}
