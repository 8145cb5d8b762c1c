//! The form and the language in which a client wants a refusal (RFC 9110 sections 12.5.1 and 12.5.4). Read where a
//! request is refused or has to wait, never where it is let in.

use crate::catalogue::Language;
use crate::reading::fields::{MAX_FIELD, MAX_FIELDS};
use crate::reading::{media, range};
use crate::request::Request;
use crate::request::field::{is_named, trim};

/// What a client wants to read; small, so that it can wait with a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// A page instead of problem details.
    pub page: bool,
    /// The language.
    pub language: Language,
    /// `HEAD`: the fields alone.
    pub head: bool,
    /// `GET`: following a link to the same address repeats it.
    pub repeatable: bool,
}

impl Wanted {
    /// Reads what the request says of it.
    pub fn read(request: &Request<'_>) -> Wanted {
        // What is over the limits is not read for this either.
        let read = || request.headers.iter().take(MAX_FIELDS).filter(|header| header.value.len() <= MAX_FIELD);
        let accept = read().filter(|header| is_named(header.name, b"accept"));
        let languages = read().filter(|header| is_named(header.name, b"accept-language"));
        Wanted {
            page: media::prefers_page(accept.map(|header| trim(header.value))),
            language: range::language(languages.map(|header| trim(header.value))),
            head: request.method == b"HEAD",
            repeatable: request.method == b"GET",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Header;

    #[test]
    fn fields_are_found_without_case_and_repeats_are_one_list() {
        let field = |name: &'static str, value: &'static str| Header { name: name.as_bytes(), value: value.as_bytes() };
        let headers = [
            field("ACCEPT", " application/json;q=0.5 "),
            field("accept", "text/html"),
            field("Accept-language", "xx"),
            field("Accept-Language", "\tfr\t"),
            field("Accept-Languages", "de"),
        ];
        let request = Request { method: b"GET", headers: &headers, ..Request::default() };
        let wanted = Wanted { page: true, language: Language::French, head: false, repeatable: true };
        assert_eq!(Wanted::read(&request), wanted);
        assert_eq!(Wanted::read(&Request { method: b"POST", ..Request::default() }), Wanted::default());
        assert!(Wanted::read(&Request { method: b"HEAD", ..Request::default() }).head);
        assert!(!Wanted::read(&Request { method: b"head", ..Request::default() }).head);
        let long = format!("text/html, {}", "x".repeat(MAX_FIELD));
        let headers = [Header { name: b"Accept", value: long.as_bytes() }];
        assert!(!Wanted::read(&Request { headers: &headers, ..Request::default() }).page);
    }
}
