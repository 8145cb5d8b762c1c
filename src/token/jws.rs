//! JWS in compact form (RFC 7515 section 7.1), taken apart: no key and no claim is judged here.

use std::borrow::Cow;

use memchr::{memchr, memrchr};
use smallvec::SmallVec;

use crate::json::scan::{self, Members};
use crate::json::{self, Raw, tag};
use crate::token::base64url;

/// Octets that a token may have.
pub const MAX_LENGTH: usize = 16 * 1024;

/// Room for what is decoded of a token and not kept; on the stack for tokens of usual size.
#[derive(Default)]
pub struct Room {
    header: SmallVec<[u8; 256]>,
    members: Members,
    signature: SmallVec<[u8; 512]>,
}

/// A token's parts, decoded. Nothing in it is proved.
pub struct Jws<'a> {
    /// What was signed: both first parts as sent, with the dot between them.
    pub signed: &'a [u8],
    /// The header.
    pub header: Header<'a>,
    /// The decoded payload, any octets; the one thing that is allocated.
    pub payload: Vec<u8>,
    /// The decoded signature; may be empty.
    pub signature: &'a [u8],
}

/// The header. Keys that it brings along (`jwk`, `jku`, `x5c`, `x5u`) have no say in a token.
pub struct Header<'a> {
    text: &'a str,
    members: &'a Members,
    /// `alg` as sent.
    pub algorithm: Cow<'a, str>,
    /// `kid`.
    pub kid: Option<Cow<'a, str>>,
    /// `typ`.
    pub kind: Option<Cow<'a, str>>,
}

impl<'a> Jws<'a> {
    /// Takes a token apart. The error says what is wrong, without the token or any value of it.
    pub fn read(token: &'a (impl AsRef<[u8]> + ?Sized), room: &'a mut Room) -> Result<Jws<'a>, String> {
        let token = token.as_ref();
        if token.len() > MAX_LENGTH {
            return Err(format!("it has {} octets; at most {MAX_LENGTH} are read", token.len()));
        }
        let Parts { signed, header, payload, signature } = split(token).ok_or(NOT_THREE)?;
        // A dot too many lies in the payload, where it cannot be read.
        let refused = |name| {
            if signed.iter().filter(|byte| **byte == b'.').count() > 1 { NOT_THREE.into() } else { refused(name) }
        };
        let mut octets = Vec::new();
        decode(header, &mut room.header).ok_or_else(|| refused("header"))?;
        let read = base64url::length(payload.len()).is_some_and(|length| {
            octets.resize(length, 0);
            base64url::decode(payload, &mut octets)
        });
        if !read {
            return Err(refused("payload"));
        }
        decode(signature, &mut room.signature).ok_or_else(|| refused("signature"))?;
        let text = std::str::from_utf8(&room.header).map_err(|_| "its header: it is not UTF-8".to_owned())?;
        scan::scan(text, &mut room.members).map_err(|why| format!("its header: {why}"))?;
        let header = Header::read(text, &room.members)?;
        Ok(Jws { signed, header, payload: octets, signature: &room.signature })
    }
}

impl<'a> Header<'a> {
    fn read(text: &'a str, members: &'a Members) -> Result<Header<'a>, String> {
        const ALG: u32 = tag(b"alg");
        const KID: u32 = tag(b"kid");
        const TYP: u32 = tag(b"typ");
        const B64: u32 = tag(b"b64");
        const CRIT: u32 = tag(b"crit");
        let mut header = Header { text, members, algorithm: Cow::Borrowed(""), kid: None, kind: None };
        let mut algorithm = None;
        for member in members {
            let value = || json::value(text, member);
            // Three octets have a number of their own.
            match member.tag(text) {
                ALG => algorithm = Some(string("alg", value())?),
                KID => header.kid = Some(string("kid", value())?),
                TYP => header.kind = Some(string("typ", value())?),
                // RFC 7797: an unencoded payload is read otherwise by those who do not know it.
                B64 => return Err("its header has the member b64 (RFC 7797), which is not understood here".into()),
                // RFC 7515 section 4.1.11: what is critical and not understood makes a token invalid, and no extension
                // is understood.
                CRIT if member.is(text, "crit") => {
                    return Err("its header names critical extensions (crit), and none are understood here".into());
                }
                _ => {}
            }
        }
        header.algorithm = algorithm.ok_or("its header has no alg")?;
        Ok(header)
    }

    /// A member; for forms of JWS whose headers have a say, like proofs of possession.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        json::get(self.text, self.members, name)
    }

    /// The header as sent.
    pub fn text(&self) -> &'a str {
        self.text
    }
}

fn string<'a>(name: &str, value: Raw<'a>) -> Result<Cow<'a, str>, String> {
    let kind = value.kind().article();
    value.string().ok_or_else(|| format!("its header's {name} is {kind} where a string belongs"))
}

/// A token's parts as they were sent.
struct Parts<'a> {
    signed: &'a [u8],
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

const NOT_THREE: &str = "it is not three parts with two dots";

/// Cuts a token at its first and its last dot, looked for from both ends: most of it lies between them.
fn split(bytes: &[u8]) -> Option<Parts<'_>> {
    let first = memchr(b'.', bytes)?;
    let last = memrchr(b'.', bytes).filter(|last| *last > first)?;
    Some(Parts {
        signed: bytes.get(..last)?,
        header: bytes.get(..first)?,
        payload: bytes.get(first + 1..last)?,
        signature: bytes.get(last + 1..)?,
    })
}

fn refused(name: &str) -> String {
    format!("its {name} is not base64url in its canonical form")
}

/// Base64url in canonical form alone.
fn decode<const N: usize>(part: &[u8], room: &mut SmallVec<[u8; N]>) -> Option<()>
where
    [u8; N]: smallvec::Array<Item = u8>,
{
    room.resize(base64url::length(part.len())?, 0);
    base64url::decode(part, room).then_some(())
}
