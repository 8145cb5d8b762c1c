//! JWS in compact form (RFC 7515 section 7.1), taken apart: no key and no claim is judged here.

use std::borrow::Cow;

use data_encoding::BASE64URL_NOPAD;
use smallvec::SmallVec;

use crate::json::scan::{self, Members};
use crate::json::{self, Raw};

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
    pub signed: &'a str,
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
    pub fn read(token: &'a str, room: &'a mut Room) -> Result<Jws<'a>, String> {
        if token.len() > MAX_LENGTH {
            return Err(format!("it has {} octets; at most {MAX_LENGTH} are read", token.len()));
        }
        let (signed, header, payload, signature) = split(token).ok_or("it is not three parts with two dots")?;
        let decoded = |part: &str, name: &str| length(part).ok_or_else(|| refused(name));
        room.header.resize(decoded(header, "header")?, 0);
        decode(header, "header", &mut room.header)?;
        let mut octets = vec![0; decoded(payload, "payload")?];
        decode(payload, "payload", &mut octets)?;
        room.signature.resize(decoded(signature, "signature")?, 0);
        decode(signature, "signature", &mut room.signature)?;
        let text = std::str::from_utf8(&room.header).map_err(|_| "its header: it is not UTF-8".to_owned())?;
        scan::scan(text, &mut room.members).map_err(|why| format!("its header: {why}"))?;
        let header = Header::read(text, &room.members)?;
        Ok(Jws { signed, header, payload: octets, signature: &room.signature })
    }
}

impl<'a> Header<'a> {
    fn read(text: &'a str, members: &'a Members) -> Result<Header<'a>, String> {
        let mut header = Header { text, members, algorithm: Cow::Borrowed(""), kid: None, kind: None };
        let mut algorithm = None;
        for (name, value) in json::members(text, members) {
            match &*name {
                // RFC 7515 section 4.1.11: what is critical and not understood makes a token invalid, and no extension
                // is understood.
                "crit" => {
                    return Err("its header names critical extensions (crit), and none are understood here".into());
                }
                // RFC 7797: an unencoded payload is read otherwise by those who do not know it.
                "b64" => return Err("its header has the member b64 (RFC 7797), which is not understood here".into()),
                "alg" => algorithm = Some(string("alg", value)?),
                "kid" => header.kid = Some(string("kid", value)?),
                "typ" => header.kind = Some(string("typ", value)?),
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

/// Signed text, header, payload, signature; exactly two dots. Looks no further than the third.
fn split(token: &str) -> Option<(&str, &str, &str, &str)> {
    let (header, rest) = token.split_once('.')?;
    let (payload, signature) = rest.split_once('.')?;
    if signature.contains('.') {
        return None;
    }
    let signed = token.get(..header.len() + 1 + payload.len())?;
    Some((signed, header, payload, signature))
}

fn length(part: &str) -> Option<usize> {
    BASE64URL_NOPAD.decode_len(part.len()).ok()
}

fn refused(name: &str) -> String {
    format!("its {name} is not base64url in its canonical form")
}

/// Base64url without padding, spare bits zero: each value has one spelling (RFC 7515 section 2).
fn decode(part: &str, name: &str, room: &mut [u8]) -> Result<(), String> {
    BASE64URL_NOPAD.decode_mut(part.as_bytes(), room).map(|_| ()).map_err(|_| refused(name))
}
