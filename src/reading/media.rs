//! `Accept` (RFC 9110 section 12.5.1): a page, or problem details.

use crate::reading::weighted::{self, Weighted};
use crate::request::field::is_token;

/// How much the client wants a form: the weight of the most specific range that covers it.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    specificity: u8,
    weight: u16,
}

impl Wish {
    /// Of two ranges that are equally specific the kinder one holds.
    fn note(&mut self, specificity: u8, weight: u16) {
        if (specificity, weight) > (self.specificity, self.weight) {
            *self = Wish { specificity, weight };
        }
    }
}

/// Whether the client wants a page more than problem details. A client that says nothing, wants both alike, or takes
/// neither gets problem details. `application/json` covers them: who asks for JSON has use for no page.
pub fn prefers_page<'a>(fields: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut page, mut problem) = (Wish::default(), Wish::default());
    for element in weighted::elements(fields) {
        let weight = element.weight;
        // What most clients send, as they write it.
        match element.value {
            b"*/*" => {
                page.note(1, weight);
                problem.note(1, weight);
                continue;
            }
            b"application/json" => {
                problem.note(3, weight);
                continue;
            }
            _ => {}
        }
        let mut halves = element.value.splitn(2, |byte| *byte == b'/');
        let (Some(kind), Some(subtype)) = (halves.next(), halves.next()) else { continue };
        if !is_token(kind) || !is_token(subtype) || (kind == b"*" && subtype != b"*") {
            continue;
        }
        let is = |wanted: &[u8], other: &[u8]| kind.eq_ignore_ascii_case(wanted) && subtype.eq_ignore_ascii_case(other);
        if is(b"*", b"*") {
            page.note(1, weight);
            problem.note(1, weight);
        } else if is(b"text", b"*") {
            page.note(2, weight);
        } else if is(b"application", b"*") {
            problem.note(2, weight);
        } else if is(b"text", b"html") {
            if let Some(parameters) = matching_parameters(&element) {
                page.note(3u8.saturating_add(parameters), weight);
            }
        } else if is(b"application", b"json") {
            problem.note(3, weight);
        } else if is(b"application", b"problem+json") {
            problem.note(4, weight);
        }
    }
    page.weight > problem.weight
}

/// How many parameters a range of our page names, all of which fit: `charset=utf-8`, at most once. `None`: it is about
/// some other HTML.
fn matching_parameters(element: &Weighted<'_>) -> Option<u8> {
    let mut count = 0u8;
    for (name, value) in weighted::parameters(element) {
        let is_ours = name.eq_ignore_ascii_case(b"charset")
            && (value.eq_ignore_ascii_case(b"utf-8") || value.eq_ignore_ascii_case(b"\"utf-8\""));
        if !is_ours || count > 0 {
            return None;
        }
        count = 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(accept: &str) -> bool {
        prefers_page([accept.as_bytes()].into_iter())
    }

    #[test]
    fn browsers_get_a_page() {
        for accept in [
            // Chrome, Edge
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
            // Firefox
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/png,image/svg+xml,*/*;q=0.8",
            // Safari
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            // lynx
            "text/html, text/plain, text/sgml, text/css, application/xhtml+xml, */*;q=0.01",
            // jQuery, dataType html
            "text/html, */*; q=0.01",
            "text/html",
        ] {
            assert!(page(accept), "{accept}");
        }
    }

    #[test]
    fn programs_get_problem_details() {
        for accept in [
            // curl, wget, fetch(), Python requests, Go
            "*/*",
            // axios, jQuery with dataType json, Angular
            "application/json, text/plain, */*",
            "application/json, text/javascript, */*; q=0.01",
            "application/json",
            "application/problem+json",
            "application/json;charset=utf-8, text/html;q=0.9",
            // images, scripts, styles, video of a page
            "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
            "text/css,*/*;q=0.1",
            "text/event-stream",
            "application/xhtml+xml",
            "",
        ] {
            assert!(!page(accept), "{accept}");
        }
        assert!(!prefers_page(std::iter::empty()), "no field at all");
    }

    #[test]
    fn weights_decide_and_ties_go_to_problem_details() {
        for (accept, wanted) in [
            ("text/html, application/problem+json", false),
            ("text/html;q=0.5, application/problem+json", false),
            ("text/html, application/problem+json;q=0.5", true),
            ("text/html;q=0.5, application/problem+json;q=0.5", false),
            ("text/html;q=0.501, application/problem+json;q=0.5", true),
            ("text/html;q=0, */*", false),
            ("text/html;q=0", false),
            ("text/html;q=0, text/*", false),
            ("application/problem+json;q=0, */*", true),
            ("application/problem+json;q=0, text/html;q=0.001", true),
            ("application/json;q=0, */*;q=0.1", true),
            ("*/*;q=0", false),
            ("TEXT/HTML, Application/JSON;Q=0.9", true),
        ] {
            assert_eq!(page(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn the_most_specific_range_holds() {
        for (accept, wanted) in [
            ("text/*;q=0.9, text/html;q=0.1, application/json;q=0.5", false),
            ("text/*;q=0.1, text/html;q=0.9, application/json;q=0.5", true),
            ("*/*;q=0.9, text/html;q=0.1", false),
            ("application/json, application/problem+json;q=0.2, text/html;q=0.5", true),
            ("application/*;q=0.2, text/*;q=0.5", true),
            ("application/*, text/*", false),
            ("text/html;charset=utf-8;q=0.9, text/html;q=0.1, application/json;q=0.5", true),
            ("text/html;charset=\"UTF-8\", application/json;q=0.5", true),
            ("text/html;charset=utf-16, application/json;q=0.5", false),
            ("text/html;level=1, text/html;q=0.3, application/json;q=0.5", false),
            ("text/html;q=0.2, text/html;q=0.7, application/json;q=0.5", true),
        ] {
            assert_eq!(page(accept), wanted, "{accept}");
        }
    }

    #[test]
    fn what_is_malformed_says_nothing() {
        for (accept, wanted) in [
            ("text/html;q=high", false),
            ("text/html;q=1.5", false),
            ("*/html", false),
            ("text", false),
            ("text/", false),
            ("/html", false),
            ("text/html/x", false),
            ("text html", false),
            ("text/ht\u{e9}ml", false),
            ("rubbish, text/html", true),
            ("application/json;q=2, text/html;q=0.1", true),
            (",,text/html,,", true),
            ("\"text/html\"", false),
        ] {
            assert_eq!(page(accept), wanted, "{accept}");
        }
    }
}
