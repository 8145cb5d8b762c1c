//! Problem details (RFC 9457): what happened and what to do, for a program and for the person behind it.

use serde_json::json;

use crate::reason::Reason;

/// Media type of the body.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// The body of a refusal. Members: `type`, `title`, `status`, `detail`, and as extensions `reason` and `id`.
pub fn body(status: u16, shown: Reason, id: &str) -> Vec<u8> {
    let problem = json!({
        "type": "about:blank",
        "title": phrase(status),
        "status": status,
        "detail": shown.person(),
        "reason": shown.name(),
        "id": id,
    });
    let mut body = problem.to_string().into_bytes();
    body.push(b'\n');
    body
}

/// The registered phrase of a status that the engine uses (RFC 9110 section 15, RFC 6585).
pub fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        413 => "Content Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_phrase_and_a_body_that_is_json() {
        for &reason in Reason::ALL {
            assert_ne!(phrase(reason.status()), "Error", "{reason}");
            let parsed: serde_json::Value = serde_json::from_slice(&body(reason.status(), reason, "a\"b")).unwrap();
            assert_eq!(parsed["reason"], reason.name());
            assert_eq!(parsed["id"], "a\"b");
            assert_eq!(parsed["status"], reason.status());
        }
    }
}
