//! Problem details (RFC 9457): what happened and what to do, for a program and for the person behind it.

use serde::Serialize;

use crate::answer::refusal::Refusal;
use crate::catalogue::phrase;

/// Media type of the body.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The body of a refusal but for its id, which all refusals of one kind share. Members: `type`, `title`, `status`,
/// `detail`, and as extensions `reason` and `id`. `title` and `detail` are in the client's language (RFC 9457 section
/// 3.1); the others are for programs and never are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame(Vec<u8>);

/// What stands behind the id.
const END: &[u8] = b"\"}\n";

impl Frame {
    /// That of a refusal, whatever its id.
    pub fn of(refusal: &Refusal<'_>) -> Frame {
        let status = refusal.shown.status();
        let problem = Problem {
            r#type: "about:blank",
            title: phrase(status, refusal.language),
            status,
            detail: &refusal.detail(),
            reason: refusal.shown.name(),
            id: "",
        };
        // Memory takes all of it, so that this cannot fail; half a body would be worse than none.
        let mut text = serde_json::to_vec(&problem).unwrap_or_default();
        text.truncate(text.strip_suffix(b"\"}").map_or(0, <[u8]>::len));
        Frame(text)
    }

    /// The body of a refusal with this id, with room for an octet more.
    pub fn body(&self, id: &str) -> Vec<u8> {
        let Frame(text) = self;
        if text.is_empty() {
            return Vec::new();
        }
        let is_plain = id.bytes().fold(true, |plain, b| plain & (b >= b' ') & (b != b'"') & (b != b'\\'));
        let escaped = if is_plain { None } else { serde_json::to_vec(id).ok() };
        let id = match &escaped {
            Some(quoted) => quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default(),
            None if is_plain => id.as_bytes(),
            None => b"",
        };
        let mut body = Vec::with_capacity(text.len().saturating_add(id.len()).saturating_add(END.len() + 1));
        body.extend_from_slice(text);
        body.extend_from_slice(id);
        body.extend_from_slice(END);
        body
    }
}

/// The members in the order in which they are written.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'a str,
    title: &'a str,
    status: u16,
    detail: &'a str,
    reason: &'a str,
    id: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Language;
    use crate::reason::Reason;

    #[test]
    fn any_id_is_one_json_string() {
        let refusal = Refusal {
            service: "Orders",
            shown: Reason::RouteUnknown,
            id: "",
            offered: &[],
            retry_after: None,
            language: Language::English,
            repeatable: true,
        };
        let frame = Frame::of(&refusal);
        for id in ["", "0123456789abcdef-7", "a\"b", "a\\", "\u{1}\n", "\u{e9}", "\",\"status\":200,\"x\":\""] {
            let body = frame.body(id);
            assert!(body.ends_with(b"\"}\n") && body.capacity() > body.len());
            let parsed: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!((parsed["id"].as_str(), parsed["status"].as_u64()), (Some(id), Some(403)));
        }
        assert!(Frame::default().body("a").is_empty());
    }

    #[test]
    fn every_reason_has_a_phrase_and_a_body_that_is_json() {
        for &reason in Reason::ALL {
            for language in Language::ALL {
                let refusal = Refusal {
                    service: "Orders",
                    shown: reason,
                    id: "a\"b",
                    offered: &[],
                    retry_after: Some(600),
                    language,
                    repeatable: true,
                };
                let parsed: serde_json::Value = serde_json::from_slice(&Frame::of(&refusal).body(refusal.id)).unwrap();
                assert_eq!(parsed["title"], phrase(reason.status(), language));
                assert_eq!(parsed["reason"], reason.name());
                assert_eq!(parsed["id"], "a\"b");
                assert_eq!(parsed["status"], reason.status());
                assert!(!parsed["detail"].as_str().unwrap().is_empty());
                assert_eq!(parsed.as_object().unwrap().len(), 6);
            }
        }
    }
}
