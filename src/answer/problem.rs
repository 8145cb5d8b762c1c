//! Problem details (RFC 9457): what happened and what to do, for a program and for the person behind it.

use serde::Serialize;

use crate::answer::refusal::Refusal;
use crate::catalogue::phrase;

/// Media type of the body.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The body of a refusal. Members: `type`, `title`, `status`, `detail`, and as extensions `reason` and `id`. `title`
/// and `detail` are in the client's language (RFC 9457 section 3.1); the others are for programs and never are.
pub fn body(refusal: &Refusal<'_>) -> Vec<u8> {
    let status = refusal.shown.status();
    let problem = Problem {
        r#type: "about:blank",
        title: phrase(status, refusal.language),
        status,
        detail: &refusal.detail(),
        reason: refusal.shown.name(),
        id: refusal.id,
    };
    let mut body = Vec::with_capacity(ROOM);
    // Memory takes all of it, so that this cannot fail; half a body would be worse than none.
    if serde_json::to_writer(&mut body, &problem).is_err() {
        return Vec::new();
    }
    body.push(b'\n');
    body
}

/// Octets that nearly every body fits into.
const ROOM: usize = 512;

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
                let parsed: serde_json::Value = serde_json::from_slice(&body(&refusal)).unwrap();
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
