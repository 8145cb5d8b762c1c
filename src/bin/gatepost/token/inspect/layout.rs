//! A token taken apart as far as it goes: also one that is malformed, where the engine would stop at the first fault.

use data_encoding::{Encoding, Specification};
use gatepost::json::Object;
use gatepost::token::{Jws, Room};

/// A token in its parts.
pub struct Layout {
    /// What makes it malformed, in the engine's words.
    pub fault: Option<String>,
    /// How many parts there are between dots, counted no further than seven.
    pub count: usize,
    /// The first part.
    pub header: Part,
    /// The second part, where there is one.
    pub claims: Option<Part>,
    /// The third part of three.
    pub signature: Option<Signature>,
}

/// What is shown of a signature: never all of it, since with it the token could be used.
pub struct Signature {
    /// What is wrong with its encoding, and where.
    pub fault: Option<String>,
    /// Octets, decoded as far as they could be.
    pub octets: usize,
    /// Its first characters, as sent.
    pub begins: String,
}

/// One part.
pub struct Part {
    /// What is wrong with it, and where.
    pub fault: Option<String>,
    /// Its text as far as it could be decoded; `None` where that is none.
    pub text: Option<String>,
    /// The text as an object, where it is one that is read.
    pub object: Option<Object>,
}

/// Takes a token apart.
pub fn take(token: &[u8]) -> Layout {
    let parts: Vec<&[u8]> = token.splitn(7, |byte| *byte == b'.').collect();
    let part = |index: usize| parts.get(index).copied();
    let signature = part(2).filter(|_| parts.len() == 3).map(|text| Signature {
        fault: encoding_fault(text),
        octets: decode(text).len(),
        begins: String::from_utf8_lossy(text).chars().take(8).collect(),
    });
    Layout {
        fault: fault(token, parts.len()),
        count: parts.len(),
        header: Part::of(part(0).unwrap_or_default()),
        claims: part(1).map(Part::of),
        signature,
    }
}

/// Why the engine calls it malformed.
fn fault(token: &[u8], parts: usize) -> Option<String> {
    let Ok(text) = std::str::from_utf8(token) else { return Some("it is not UTF-8, let alone ASCII".to_owned()) };
    let mut room = Room::default();
    let read = Jws::read(text, &mut room)
        .and_then(|jws| Object::read(jws.payload).map(drop).map_err(|why| format!("its payload: {why}")));
    let hint = match (read.is_err(), parts) {
        (true, 5) => "; five parts make an encrypted token (JWE), which is not read here",
        (true, 1) if text.starts_with("gp_") => "; it looks like an API key, for X-API-Key",
        (true, 1) => "; a token that is opaque by design cannot be looked into",
        _ => "",
    };
    read.err().map(|why| format!("{why}{hint}"))
}

impl Part {
    fn of(encoded: &[u8]) -> Part {
        let mut fault = encoding_fault(encoded);
        let decoded = decode(encoded);
        let (text, object) = match String::from_utf8(decoded) {
            Ok(text) => {
                let object = Object::read(text.clone().into_bytes());
                fault = fault.or_else(|| object.as_ref().err().cloned());
                (Some(text), object.ok())
            }
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                fault = fault.or_else(|| Some(format!("it is not UTF-8 from octet {} on", at + 1)));
                (error.into_bytes().get(..at).and_then(|start| String::from_utf8(start.to_vec()).ok()), None)
            }
        };
        // What is no object at all may be anything, also a secret that landed in the wrong place.
        let text = text.filter(|text| text.trim_start().starts_with('{'));
        Part { fault, text, object }
    }
}

/// What is wrong with a part as base64url without padding, and where; the first fault.
fn encoding_fault(encoded: &[u8]) -> Option<String> {
    let is_code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if let Some((at, byte)) = encoded.iter().enumerate().find(|(_, byte)| !is_code(byte)) {
        let place = at + 1;
        return Some(match byte {
            b'=' => format!("padding (=) at character {place}, which base64url in a token has none of"),
            b'+' | b'/' => {
                format!(
                    "{:?} at character {place}: base64 in its usual alphabet; a token has - and _",
                    char::from(*byte)
                )
            }
            b' ' | b'\t' | b'\r' | b'\n' => format!("white space at character {place}: a token is one line"),
            byte => format!("octet 0x{byte:02x} at character {place}, which base64url does not have"),
        });
    }
    if encoded.len() % 4 == 1 {
        return Some(format!("{} characters, which no base64url has: one is missing or too many", encoded.len()));
    }
    let bits = encoded.last().and_then(|last| CODES.iter().position(|code| code == last)).unwrap_or_default();
    let spare = match encoded.len() % 4 {
        2 => bits & 0x0f,
        3 => bits & 0x03,
        _ => 0,
    };
    (spare != 0).then(|| "its last character sets bits that mean nothing: not the canonical form".to_owned())
}

const CODES: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// What there is to decode, in either alphabet, whatever stands in between and at the end.
fn decode(encoded: &[u8]) -> Vec<u8> {
    let mut codes: Vec<u8> = encoded
        .iter()
        .filter_map(|byte| match byte {
            b'+' => Some(b'-'),
            b'/' => Some(b'_'),
            byte => CODES.contains(byte).then_some(*byte),
        })
        .collect();
    if codes.len() % 4 == 1 {
        codes.pop();
    }
    lenient().and_then(|encoding| encoding.decode(&codes).ok()).unwrap_or_default()
}

fn lenient() -> Option<Encoding> {
    let mut specification = Specification::new();
    specification.symbols = CODES.iter().copied().map(char::from).collect();
    specification.check_trailing_bits = false;
    specification.encoding().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;

    fn token(header: &str, claims: &str) -> String {
        let code = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
        format!("{}.{}.{}", code(header), code(claims), code("a signature of it"))
    }

    fn fault_of(layout: &Layout) -> &str {
        layout.fault.as_deref().unwrap_or_default()
    }

    #[test]
    fn a_sound_token_has_no_fault() {
        let layout = take(token(r#"{"alg":"HS256"}"#, r#"{"a":1}"#).as_bytes());
        assert!(layout.fault.is_none() && layout.header.fault.is_none() && layout.count == 3);
        assert_eq!(layout.claims.unwrap().text.as_deref(), Some(r#"{"a":1}"#));
        let signature = layout.signature.unwrap();
        assert_eq!((signature.octets, signature.begins.as_str(), signature.fault), (17, "YSBzaWdu", None));
    }

    #[test]
    fn a_broken_part_is_told_with_its_place_and_shown_as_far_as_it_goes() {
        let whole = token(r#"{"alg":"HS256"}"#, r#"{"a":"~~~"}"#);
        let (header, rest) = whole.split_once('.').unwrap();
        for (broken, says) in [
            (format!("{header}==.{rest}"), "padding (=) at character 21"),
            (whole.replacen("eyJh", "eyJ h", 1), "white space at character 4"),
            (whole.replacen("eyJh", "eyJ\u{1b}h", 1), "octet 0x1b at character 4"),
        ] {
            let layout = take(broken.as_bytes());
            assert!(layout.header.fault.as_deref().unwrap().contains(says), "{broken} {:?}", layout.header.fault);
            assert_eq!(layout.header.text.as_deref(), Some(r#"{"alg":"HS256"}"#), "{broken}");
            assert!(layout.claims.unwrap().fault.is_none() && layout.fault.is_some());
        }
        let usual = whole.replace('-', "+").replace('_', "/");
        let claims = take(usual.as_bytes()).claims.unwrap();
        assert!(claims.fault.unwrap().contains("usual alphabet") && claims.object.is_some());
        let twice = take(token(r#"{"alg":"HS256"}"#, r#"{"a":1,"a":2}"#).as_bytes());
        assert!(fault_of(&twice).contains("twice") && twice.claims.unwrap().text.is_some());
    }

    #[test]
    fn what_is_no_token_is_not_repeated() {
        let opaque = take(b"c2VjcmV0c2VjcmV0");
        assert!(fault_of(&opaque).contains("opaque") && opaque.header.text.is_none() && opaque.claims.is_none());
        assert!(fault_of(&take(b"a.b.c.d.e")).contains("JWE"));
        assert!(fault_of(&take(b"gp_abc")).contains("API key"));
        assert!(fault_of(&take(b"\xff.\xff")).contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn the_parts_agree_with_the_engine_about_what_is_broken(header in r#"[{}":,a-c1 ]{0,12}"#, bend in 0usize..40, byte: u8) {
            let mut octets = token(&header, r#"{"exp":1}"#).into_bytes();
            if let Some(octet) = octets.get_mut(bend) {
                *octet = byte;
            }
            let layout = take(&octets);
            let broken = layout.header.fault.is_some() || layout.claims.as_ref().is_none_or(|part| part.fault.is_some());
            prop_assert!(!broken || layout.fault.is_some(), "{:?} {:?}", String::from_utf8_lossy(&octets), layout.header.fault);
        }

        #[test]
        fn any_octets_are_laid_out(octets: Vec<u8>) {
            let layout = take(&octets);
            prop_assert!(layout.fault.is_some() || layout.count == 3);
        }
    }
}
