//! One document over HTTPS: asked for by our own client (feature `https`) or by the host's, and judged the same. Blocks,
//! so never on the way of a request.

#[cfg(feature = "https")]
mod https;

use std::sync::Arc;
use std::time::Duration;

/// Largest document that is taken, octets. Published sets have a few kilobytes; those with certificates in them some more.
pub const LARGEST: usize = 512 * 1024;
/// How long a document may take, from the first look at the name to its last octet.
pub const WHOLE: Duration = Duration::from_secs(10);

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// The https address.
    pub url: &'a str,
    /// For `If-None-Match`: the entity tag of what is known.
    pub etag: Option<&'a str>,
    /// Who may vouch for the server; `None`: whom the system believes.
    pub authorities: Option<&'a Authorities>,
}

/// Certificates of authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// As the operator wrote them.
    pub pem: String,
    /// Each in DER.
    pub der: Vec<Vec<u8>>,
}

/// What a server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `ETag`; empty where there was none. The other fields likewise.
    pub etag: String,
    /// `Cache-Control`.
    pub cache_control: String,
    /// `Content-Type`.
    pub content_type: String,
    /// `Location`, for the message.
    pub location: String,
    /// The content.
    pub body: Vec<u8>,
}

/// Asks; an error says what went wrong, without the address. May be called from several threads at once.
pub type Fetch = Arc<dyn Fn(&Ask<'_>) -> Result<Answer, String> + Send + Sync>;

/// A document that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// What is known is still what there is (304).
    Same {
        /// Seconds for which the server says that it stays so.
        max_age: Option<i64>,
    },
    /// It is this.
    New {
        /// The content.
        body: Vec<u8>,
        /// Its entity tag, where it has one that can be sent back.
        etag: Option<String>,
        /// Seconds for which the server says that it stays so.
        max_age: Option<i64>,
    },
}

/// Our own client; `None` in a build without it. `whole`: for each document, as [`WHOLE`] says.
pub fn own(whole: Duration) -> Option<Fetch> {
    #[cfg(feature = "https")]
    return Some(Arc::new(move |ask: &Ask<'_>| https::fetch(ask, whole)));
    #[cfg(not(feature = "https"))]
    {
        let _ = whole;
        None
    }
}

/// Fetches a document of JSON. The error is for the operator: what was seen, and what to do.
pub fn json(fetch: &Fetch, ask: &Ask<'_>) -> Result<Document, String> {
    let at = |why: String| format!("{}: {why}", ask.url);
    if !is_https(ask.url) {
        return Err(at("this is no https address; keys are fetched over nothing else".into()));
    }
    judge(fetch(ask).map_err(at)?, ask.etag.is_some()).map_err(at)
}

fn judge(answer: Answer, asked_with_tag: bool) -> Result<Document, String> {
    let max_age = max_age(&answer.cache_control);
    match answer.status {
        200 => {}
        304 if asked_with_tag => return Ok(Document::Same { max_age }),
        300..=399 => {
            let to = shown(&answer.location);
            return Err(format!(
                "it answered {} to {to}; nothing is followed, so write the address where the document itself is",
                answer.status
            ));
        }
        status => return Err(format!("it answered {status}; ask whoever runs it")),
    }
    if answer.body.len() > LARGEST {
        return Err(too_large());
    }
    if !is_json(&answer.content_type) {
        let kind = shown(&answer.content_type);
        return Err(format!("it answered with {kind} where JSON belongs; is this the address of the document itself?"));
    }
    let is_tag = (2..=256).contains(&answer.etag.len()) && answer.etag.bytes().all(|byte| byte.is_ascii_graphic());
    Ok(Document::New { body: answer.body, etag: is_tag.then_some(answer.etag), max_age })
}

fn too_large() -> String {
    format!("the document is larger than {} KiB; is this the right address?", LARGEST / 1024)
}

/// An address with a host, over TLS, without user and fragment, of printable ASCII.
pub fn is_https(url: &str) -> bool {
    let authority = url.strip_prefix("https://").and_then(|rest| rest.split(['/', '?']).next()).unwrap_or_default();
    !authority.is_empty()
        && url.len() <= 2_048
        && url.bytes().all(|byte| byte.is_ascii_graphic())
        && !authority.contains('@')
        && !url.contains(['#', '\\'])
}

/// JSON, something that is built on it, or a type that says nothing: servers of files do not know better.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind.is_empty()
        || kind.ends_with("/json")
        || kind.ends_with("+json")
        || ["text/plain", "application/octet-stream", "binary/octet-stream"].contains(&kind.as_str())
}

/// `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1), where the answer may be kept at all.
fn max_age(cache_control: &str) -> Option<i64> {
    let mut age = None;
    for directive in cache_control.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return None,
            "max-age" => age = value.trim().trim_matches('"').parse::<u32>().ok().map(i64::from),
            _ => {}
        }
    }
    age.filter(|age| *age > 0)
}

/// What a server said, for a message: cut and escaped.
fn shown(text: &str) -> String {
    if text.is_empty() {
        return "nothing".into();
    }
    format!("\"{}\"", text.chars().take(120).flat_map(char::escape_default).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, content_type: &str) -> Answer {
        Answer { status, content_type: content_type.into(), etag: "\"a\"".into(), ..Answer::default() }
    }

    #[test]
    fn only_a_200_of_json_or_a_304_that_was_asked_for_is_a_document() {
        for kind in
            ["", "application/json", "Application/JSON; charset=utf-8", "application/jwk-set+json", "text/plain"]
        {
            assert!(judge(answer(200, kind), false).is_ok(), "{kind}");
        }
        for kind in ["text/html", "image/png", "application/jsonp", "application/xml; a=json", "json"] {
            assert!(judge(answer(200, kind), false).unwrap_err().contains("where JSON belongs"), "{kind}");
        }
        assert_eq!(judge(answer(304, ""), true), Ok(Document::Same { max_age: None }));
        assert!(judge(answer(304, ""), false).is_err(), "nobody asked whether anything changed");
        for status in [0, 100, 201, 204, 206, 301, 302, 303, 307, 308, 400, 401, 404, 429, 500, 503, 599] {
            assert!(judge(answer(status, "application/json"), true).is_err(), "{status}");
        }
        let large = Answer { body: vec![b' '; LARGEST + 1], ..answer(200, "") };
        assert!(judge(large, false).unwrap_err().contains("512 KiB"));
    }

    #[test]
    fn an_entity_tag_that_could_carry_another_field_is_not_kept() {
        for (tag, kept) in [("\"a\"", true), ("W/\"a\"", true), ("", false), ("\"a\r\nX: y\"", false), ("a b", false)] {
            let Ok(Document::New { etag, .. }) = judge(Answer { etag: tag.into(), ..answer(200, "") }, false) else {
                panic!("{tag}")
            };
            assert_eq!(etag.is_some(), kept, "{tag}");
        }
    }

    #[test]
    fn max_age_counts_only_where_the_answer_may_be_kept() {
        for (field, wanted) in [
            ("max-age=300", Some(300)),
            ("public, MAX-AGE = \"60\", must-revalidate", Some(60)),
            ("max-age=300, no-cache", None),
            ("no-store", None),
            ("max-age=0", None),
            ("max-age=-1", None),
            ("max-age=99999999999", None),
            ("s-maxage=300", None),
            ("", None),
        ] {
            assert_eq!(max_age(field), wanted, "{field}");
        }
    }

    #[test]
    fn no_address_but_an_https_one_is_asked() {
        for good in ["https://a", "https://a:8443/x?y=z", "https://[::1]/k"] {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "",
            "http://a",
            "HTTPS://a",
            "https:///x",
            "https://?x",
            "https://u@a/",
            "https://a/#f",
            "https://a/ b",
            "https://a\\b",
            "https://ä",
            "https://a/\n",
            "file:///etc/passwd",
            "ftp://a",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
        let fetch: Fetch = Arc::new(|_: &Ask<'_>| panic!("it was asked"));
        assert!(json(&fetch, &Ask { url: "http://a", etag: None, authorities: None }).is_err());
    }
}
