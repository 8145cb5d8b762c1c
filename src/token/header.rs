//! The header of a JWS (RFC 7515 section 4), and the last one of a thread: an issuer writes the same again and again, and
//! what stands in it follows from its octets alone.

use std::borrow::Cow;
use std::cell::RefCell;

use crate::crypto::algorithm::Algorithm;
use crate::ffi::os::ascii;
use crate::json::scan::{Found, Members};
use crate::json::{self, Raw, tag};

/// The header. Keys that it brings along (`jwk`, `jku`, `x5c`, `x5u`) have no say in a token.
pub struct Header<'a> {
    text: &'a str,
    /// `alg` as sent.
    pub algorithm: Cow<'a, str>,
    /// The algorithm of that name, where there is one.
    pub known: Option<Algorithm>,
    /// `kid`.
    pub kid: Option<Cow<'a, str>>,
    /// `typ`.
    pub kind: Option<Cow<'a, str>>,
}

/// Where in a header's text stands what a token's verification asks for; strings, all of them.
#[derive(Clone, Copy)]
struct Places {
    algorithm: Found,
    known: Option<Algorithm>,
    kid: Option<Found>,
    kind: Option<Found>,
}

/// The last header that was read, with the octets that it was sent as.
pub struct Last {
    sent: [u8; Last::SENT],
    text: [u8; Last::TEXT],
    /// Octets of both, and what was found; `None`: nothing was read yet.
    read: Option<(u8, u8, Places)>,
}

impl<'a> Header<'a> {
    /// Reads a header that was scanned, and keeps it with what it was sent as. The error says what is wrong, without any
    /// value but the names of members.
    pub(super) fn read(
        sent: &[u8],
        text: &'a str,
        members: &Members,
        last: Option<&mut Last>,
    ) -> Result<Header<'a>, String> {
        let places = places(text, members)?;
        if let Some(last) = last {
            last.keep(sent, text, places);
        }
        Ok(Header::at(text, places))
    }

    fn at(text: &'a str, places: Places) -> Header<'a> {
        let string = |found| Raw::of(text, found).string();
        Header {
            text,
            algorithm: string(places.algorithm).unwrap_or_default(),
            known: places.known,
            kid: places.kid.and_then(string),
            kind: places.kind.and_then(string),
        }
    }

    /// A member; for forms of JWS whose headers have a say, like proofs of possession.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        Raw::object(self.text).member(name)
    }

    /// The header as sent.
    pub fn text(&self) -> &'a str {
        self.text
    }
}

fn places(text: &str, members: &Members) -> Result<Places, String> {
    const ALG: u32 = tag(b"alg");
    const KID: u32 = tag(b"kid");
    const TYP: u32 = tag(b"typ");
    const B64: u32 = tag(b"b64");
    const CRIT: u32 = tag(b"crit");
    let (mut algorithm, mut kid, mut kind) = (None, None, None);
    for member in members {
        let string = |name: &str| match json::value(text, member).kind() {
            json::Kind::String => Ok(Some(member.value())),
            other => Err(format!("its header's {name} is {} where a string belongs", other.article())),
        };
        // Three octets have a number of their own.
        match member.tag(text) {
            ALG => algorithm = string("alg")?,
            KID => kid = string("kid")?,
            TYP => kind = string("typ")?,
            // RFC 7797: an unencoded payload is read otherwise by those who do not know it.
            B64 => return Err("its header has the member b64 (RFC 7797), which is not understood here".into()),
            // RFC 7515 section 4.1.11: what is critical and not understood makes a token invalid, and no extension is
            // understood.
            CRIT if member.is(text, "crit") => {
                return Err("its header names critical extensions (crit), and none are understood here".into());
            }
            _ => {}
        }
    }
    let algorithm = algorithm.ok_or("its header has no alg")?;
    let known = Raw::of(text, algorithm).string().and_then(|name| Algorithm::from_name(&name));
    Ok(Places { algorithm, known, kid, kind })
}

thread_local! {
    static LAST: RefCell<Last> = const { RefCell::new(Last::none()) };
}

impl Last {
    /// Octets of the longest header that is kept, as it is sent.
    const SENT: usize = 252;
    /// And decoded.
    const TEXT: usize = Last::SENT / 4 * 3;

    /// No header.
    pub const fn none() -> Last {
        Last { sent: [0; Last::SENT], text: [0; Last::TEXT], read: None }
    }

    /// That of this thread; an empty one where it is in use.
    #[inline]
    pub fn with<R>(body: impl FnOnce(&mut Last) -> R) -> R {
        LAST.with(|last| match last.try_borrow_mut() {
            Ok(mut last) => body(&mut last),
            Err(_) => body(&mut Last::none()),
        })
    }

    /// A token begins with it and a dot: how long it is as sent.
    #[inline]
    pub(super) fn begins(&self, token: &[u8]) -> Option<usize> {
        let length = usize::from(self.read?.0);
        let (sent, rest) = token.split_at_checked(length)?;
        (rest.first() == Some(&b'.') && self.sent.get(..length) == Some(sent)).then_some(length)
    }

    /// The header itself.
    #[inline]
    pub(super) fn header(&self) -> Option<Header<'_>> {
        let (_, length, places) = self.read?;
        let text = ascii::borrowed(self.text.get(..length.into())?)?;
        Some(Header::at(text, places))
    }

    fn keep(&mut self, sent: &[u8], text: &str, places: Places) {
        let lengths = (u8::try_from(sent.len()), u8::try_from(text.len()));
        let rooms = (self.sent.get_mut(..sent.len()), self.text.get_mut(..text.len()));
        if let ((Ok(length), Ok(octets)), (Some(room), Some(place))) = (lengths, rooms) {
            room.copy_from_slice(sent);
            place.copy_from_slice(text.as_bytes());
            self.read = Some((length, octets, places));
        }
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;

    use super::*;
    use crate::token::{Jws, Room};

    fn token(header: &str) -> String {
        format!("{}.e30.AA", BASE64URL_NOPAD.encode(header.as_bytes()))
    }

    /// What stands in a header, read after others and alone.
    fn read(header: &str, last: &mut Last) -> Result<[Option<String>; 3], String> {
        let (token, mut room) = (token(header), Room::default());
        let of = |header: Header<'_>| {
            assert_eq!(header.get("alg").and_then(|alg| alg.string()).as_deref(), Some(&*header.algorithm));
            assert_eq!(header.known, Algorithm::from_name(&header.algorithm));
            [Some(header.algorithm), header.kid, header.kind].map(|text| text.map(Cow::into_owned))
        };
        let alone = Jws::read(&token, &mut room).map(|jws| of(jws.header));
        let mut room = Room::default();
        let after = Jws::read_after(&token, &mut room, last).map(|jws| of(jws.header));
        assert_eq!(alone, after, "{header}");
        after
    }

    #[test]
    fn a_header_is_read_the_same_whatever_came_before_it() {
        let long = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(Last::SENT));
        let headers = [
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            " \t{ \"alg\" : \"HS256\"}\n",
            r#"{"alg":"HS256","kid":"a"}"#,
            r#"{"alg":"HS256","kid":"b"}"#,
            r#"{"kid":"b","alg":"HS256"}"#,
            r#"{"\u0061lg":"RS\u0032\u0035\u0036","kid":"\u00e9","typ":"a\/b"}"#,
            r#"{"alg":"é"}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","b64":true}"#,
            r#"{"alg":1}"#,
            r#"{"alg":"HS256","kid":null}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{}"#,
            r#"{"alg":""}"#,
            &long,
        ];
        let mut last = Last::none();
        for first in headers {
            for second in headers {
                for header in [first, second, second, first] {
                    let read = read(header, &mut last);
                    let (token, kept) = (token(header), read.is_ok() && header != long);
                    let sent = token.len() - ".e30.AA".len();
                    assert_eq!(last.begins(token.as_bytes()), kept.then_some(sent), "{header}");
                    assert_eq!(last.begins(&token.as_bytes()[..sent]), None);
                }
            }
        }
        let longest =
            format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(Last::TEXT - r#"{"alg":"HS256","kid":""}"#.len()));
        assert!(read(&longest, &mut last).is_ok() && last.header().is_some_and(|header| header.text() == longest));
    }

    #[test]
    fn one_thread_can_read_while_it_reads() {
        Last::with(|outer| {
            read(r#"{"alg":"HS256"}"#, outer).unwrap();
            Last::with(|inner| {
                assert!(inner.header().is_none());
                read(r#"{"alg":"HS384"}"#, inner).unwrap();
            });
            assert!(outer.header().is_some_and(|header| header.algorithm == "HS256"));
        });
    }
}
