//! JWS in compact form (RFC 7515 section 7.1), taken apart: no key and no claim is judged here.

use memchr::{memchr, memrchr};
use smallvec::SmallVec;

use crate::json::scan::{self, Members};
use crate::token::base64url;
use crate::token::header::{Header, Last};

/// Octets that a token may have.
pub const MAX_LENGTH: usize = 16 * 1024;

/// Room for what is decoded of a token and not kept; on the stack for tokens of usual size.
#[derive(Default)]
pub struct Room {
    header: SmallVec<[u8; 256]>,
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

impl<'a> Jws<'a> {
    /// Takes a token apart. The error says what is wrong, without the token or any value of it.
    pub fn read(token: &'a (impl AsRef<[u8]> + ?Sized), room: &'a mut Room) -> Result<Jws<'a>, String> {
        Jws::of(token.as_ref(), room, None)
    }

    /// The same after another one: a header that was sent as the last one is not read again.
    pub fn read_after(
        token: &'a (impl AsRef<[u8]> + ?Sized),
        room: &'a mut Room,
        last: &'a mut Last,
    ) -> Result<Jws<'a>, String> {
        Jws::of(token.as_ref(), room, Some(last))
    }

    #[inline(always)]
    fn of(token: &'a [u8], room: &'a mut Room, last: Option<&'a mut Last>) -> Result<Jws<'a>, String> {
        if token.len() > MAX_LENGTH {
            return Err(format!("it has {} octets; at most {MAX_LENGTH} are read", token.len()));
        }
        let known = last.as_ref().and_then(|last| last.begins(token));
        let Parts { signed, header: sent, payload, signature } = split(token, known).ok_or(NOT_THREE)?;
        // A dot too many lies in the payload, where it cannot be read.
        let refused = |name| {
            if signed.iter().filter(|byte| **byte == b'.').count() > 1 { NOT_THREE.into() } else { refused(name) }
        };
        if known.is_none() {
            decode(sent, &mut room.header).ok_or_else(|| refused("header"))?;
        }
        let mut octets = Vec::new();
        let read = base64url::length(payload.len()).is_some_and(|length| {
            octets.resize(length, 0);
            base64url::decode(payload, &mut octets)
        });
        if !read {
            return Err(refused("payload"));
        }
        decode(signature, &mut room.signature).ok_or_else(|| refused("signature"))?;
        let header = match last {
            Some(last) if known.is_some() => last.header().ok_or("its header: it is not UTF-8")?,
            last => {
                let text = std::str::from_utf8(&room.header).map_err(|_| "its header: it is not UTF-8".to_owned())?;
                let mut members = Members::new();
                scan::scan(text, &mut members).map_err(|why| format!("its header: {why}"))?;
                Header::read(sent, text, &members, last)?
            }
        };
        Ok(Jws { signed, header, payload: octets, signature: &room.signature })
    }
}

/// A token's parts as they were sent.
struct Parts<'a> {
    signed: &'a [u8],
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

const NOT_THREE: &str = "it is not three parts with two dots";

/// Cuts a token at its first and its last dot, looked for from both ends: most of it lies between them. `first`: where
/// the first one stands, where that is known.
fn split(bytes: &[u8], first: Option<usize>) -> Option<Parts<'_>> {
    let first = first.or_else(|| memchr(b'.', bytes))?;
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

static ZEROS: [u8; 512] = [0; 512];

/// Base64url in canonical form alone.
fn decode<const N: usize>(part: &[u8], room: &mut SmallVec<[u8; N]>) -> Option<()>
where
    [u8; N]: smallvec::Array<Item = u8>,
{
    let length = base64url::length(part.len())?;
    match ZEROS.get(..length) {
        // In one step.
        Some(zeros) => *room = SmallVec::from_slice(zeros),
        None => room.resize(length, 0),
    }
    base64url::decode(part, room).then_some(())
}
