//! Pages: what a person sees in a browser. No script, nothing from elsewhere, and a Content-Security-Policy that holds
//! both. Every page extends `templates/base.html`, which has the layout, and takes its words from the catalogue.

use std::sync::LazyLock;

use askama::Template;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::answer::refusal::Refusal;
use crate::catalogue::{Heading, PageText, phrase, sentences};
use crate::identity::Scheme;
use crate::reason::Reason;

/// Media type of a page.
pub const CONTENT_TYPE: &str = "text/html; charset=utf-8";

/// The one style of all pages, inline.
const STYLE: &str = include_str!("templates/page.css");

/// What a page may load: its own style and nothing else.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = BASE64.encode(&Sha256::digest(STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// The value of `Content-Security-Policy` for a page without a form.
pub fn security_policy() -> &'static str {
    &POLICY
}

/// What the layout needs; the first thing in every page's template struct.
struct Layout<'a> {
    /// The tag of the page's language.
    language: &'static str,
    service: &'a str,
    style: &'static str,
}

/// What the picture and the colour say before a word is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Who are you?
    Ask,
    /// This far and no further.
    Stop,
    /// Later.
    Wait,
    /// We are in trouble.
    Trouble,
    /// Something is odd about the request.
    Odd,
}

impl Mood {
    fn of(heading: Heading) -> Mood {
        use Heading::*;
        match heading {
            Granted | LoginNeeded | LoginFailed | LoginAgain | OneMoreStep | NewPassword => Mood::Ask,
            NoAccess | NotThisWay | NotSecure | Stopped => Mood::Stop,
            TooMany => Mood::Wait,
            NotAvailable | OurFault => Mood::Trouble,
            NotUnderstood | TooLarge | NothingHere => Mood::Odd,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Mood::Ask => "ask",
            Mood::Stop => "stop",
            Mood::Wait => "wait",
            Mood::Trouble => "trouble",
            Mood::Odd => "odd",
        }
    }
}

/// A refusal as a page.
#[derive(Template)]
#[template(path = "refusal.html", config = "src/answer/askama.toml")]
struct RefusalPage<'a> {
    layout: Layout<'a>,
    mood: Mood,
    heading: &'static str,
    happened: &'static str,
    what_to_do: &'static str,
    advice: Vec<String>,
    /// The words of the link to the same address, where following it may help.
    again: Option<&'static str>,
    accepted_label: &'static str,
    accepted: Vec<&'static str>,
    id_label: &'static str,
    id: &'a str,
    code_label: &'static str,
    status: u16,
    phrase: &'static str,
    reason: &'static str,
}

/// The page of a refusal; `None` where it cannot be written.
pub fn body(refusal: &Refusal<'_>) -> Option<Vec<u8>> {
    let language = refusal.language;
    let of = |text: PageText| text.of(language);
    let heading = sentences(refusal.shown).heading;
    let status = refusal.shown.status();
    let page = RefusalPage {
        layout: Layout { language: language.tag(), service: refusal.service, style: STYLE },
        mood: Mood::of(heading),
        heading: heading.of(language),
        happened: refusal.happened(),
        what_to_do: of(PageText::WhatToDo),
        advice: advice(refusal),
        again: is_worth_another_try(refusal).then(|| of(PageText::TryAgain)),
        accepted_label: of(PageText::Accepted),
        accepted: refusal.offered.iter().map(|scheme| of(scheme_text(*scheme))).collect(),
        id_label: of(PageText::SupportId),
        id: refusal.id,
        code_label: of(PageText::Code),
        status,
        phrase: phrase(status, language),
        reason: refusal.shown.name(),
    };
    page.render().ok().map(String::into_bytes)
}

/// What a person can do, in one or two sentences.
fn advice(refusal: &Refusal<'_>) -> Vec<String> {
    let of = |text: PageText| text.of(refusal.language).to_owned();
    let first = match (refusal.wait(), refusal.shown) {
        (Some(wait), _) => wait,
        // A page shows no header fields.
        (None, Reason::SchemeNotAccepted) if !refusal.offered.is_empty() => of(PageText::UseListed),
        (None, shown) => sentences(shown).advice.of(refusal.language).to_owned(),
    };
    let offers = |scheme| refusal.offered.contains(&scheme);
    let second = if offers(Scheme::Basic) && refusal.repeatable {
        Some(PageText::BrowserAsks)
    } else if refusal.offered.is_empty() || offers(Scheme::Session) || offers(Scheme::Basic) {
        None
    } else if offers(Scheme::ClientCert) {
        Some(PageText::NeedsCertificate)
    } else {
        Some(PageText::ForPrograms)
    };
    [first].into_iter().chain(second.map(of)).filter(|sentence| !sentence.is_empty()).collect()
}

/// Whether the same request from the same browser can end otherwise at once: it may ask for a password, or the trouble
/// is over. Who has to wait is not invited to try.
fn is_worth_another_try(refusal: &Refusal<'_>) -> bool {
    let by_browser = refusal.offered.iter().any(|s| matches!(s, Scheme::Basic | Scheme::Session | Scheme::ClientCert));
    refusal.repeatable && (by_browser || matches!(refusal.shown.status(), 500 | 503))
}

fn scheme_text(scheme: Scheme) -> PageText {
    match scheme {
        Scheme::Basic => PageText::Basic,
        Scheme::Bearer => PageText::Bearer,
        Scheme::ApiKey => PageText::ApiKey,
        Scheme::Session => PageText::Session,
        Scheme::ClientCert => PageText::ClientCert,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Language;

    const ALL: [Scheme; 5] = [Scheme::Basic, Scheme::Bearer, Scheme::ApiKey, Scheme::Session, Scheme::ClientCert];

    fn page(reason: Reason, language: Language, offered: &[Scheme], repeatable: bool) -> String {
        let refusal = Refusal {
            service: "O<'&\">rders",
            shown: reason.shown(),
            id: "i<'&\">d",
            offered,
            retry_after: (reason.status() == 429).then_some(840),
            language,
            repeatable,
        };
        String::from_utf8(body(&refusal).unwrap()).unwrap()
    }

    /// The text between two marks.
    fn between<'p>(page: &'p str, start: &str, end: &str) -> &'p str {
        page.split_once(start).and_then(|(_, rest)| rest.split_once(end)).map(|(inside, _)| inside).unwrap()
    }

    #[test]
    fn every_reason_has_a_page_in_every_language_that_says_all_of_it() {
        for &reason in Reason::ALL.iter().filter(|reason| reason.status() >= 400) {
            for language in Language::ALL {
                let offered = if reason.status() == 401 { &ALL[..] } else { &[] };
                let page = page(reason, language, offered, true);
                let text = page.replace("&#39;", "'");
                let sentences = sentences(reason);
                assert!(page.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{}\">", language.tag())), "{page}");
                assert!(text.contains(&format!("<h1>{}</h1>", sentences.heading.of(language))), "{reason} {page}");
                assert!(text.contains(sentences.happened.of(language)), "{reason} {page}");
                let says_advice = text.contains(sentences.advice.of(language));
                assert_eq!(says_advice, !matches!(reason, Reason::Throttled | Reason::SchemeNotAccepted), "{reason}");
                assert!(!text.contains("Retry-After") && !text.contains("WWW-Authenticate"), "{reason}");
                assert!(page.contains(&format!(">{}</dd>", reason.shown())), "{reason} {page}");
                assert!(page.contains("<dd class=\"id\" translate=\"no\">i&#60;&#39;&#38;&#34;&#62;d</dd>"), "{page}");
                assert!(page.contains("<header>O&#60;&#39;&#38;&#34;&#62;rders</header>"), "{page}");
                assert!(!page.contains("account_disabled"), "{page}");
                assert!(!page.contains('{') || page.matches("{n}").count() == 0, "{page}");
            }
        }
    }

    #[test]
    fn the_policy_lets_the_pages_own_style_through_and_nothing_else() {
        let page = page(Reason::CredentialsMissing, Language::English, &ALL, true);
        let style = between(&page, "<style>", "</style>");
        let hash = BASE64.encode(&Sha256::digest(style.as_bytes()));
        assert_eq!(
            security_policy(),
            format!(
                "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            )
        );
        for word in [
            "<script",
            "javascript:",
            " style=",
            " onload",
            " onclick",
            " onerror",
            "<link",
            "<img",
            "<iframe",
            "<base",
            "@import",
            "url(",
            "http",
        ] {
            assert!(!page.to_lowercase().contains(word), "{word}");
        }
        assert_eq!(page.matches("<style").count(), 1);
        assert_eq!((page.matches("href=").count(), page.matches("href=\"\"").count()), (1, 1));
    }

    #[test]
    fn a_page_has_one_first_heading_and_one_main_part() {
        for &reason in Reason::ALL {
            let page = page(reason, Language::English, &ALL, true);
            assert_eq!((page.matches("<h1>").count(), page.matches("<main>").count()), (1, 1));
            assert!(page.find("<h1>") < page.find("<h2>") || !page.contains("<h2>"));
            for tag in ["html", "head", "body", "header", "main", "svg", "h1", "h2", "p", "dl", "div", "dt", "dd"] {
                let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
                assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag} {page}");
            }
        }
    }

    #[test]
    fn the_advice_fits_what_the_address_accepts() {
        let with =
            |offered: &[Scheme], repeatable| page(Reason::CredentialsMissing, Language::English, offered, repeatable);
        let (basic, again) = ("your browser asks for your user name", "<a class=\"button\" href=\"\">Try again</a>");
        for (offered, repeatable, wanted, link) in [
            (&[Scheme::Basic][..], true, basic, true),
            (&[Scheme::ApiKey, Scheme::Basic], true, basic, true),
            (&[Scheme::Basic], false, "", false),
            (&[Scheme::ApiKey, Scheme::Bearer], true, "made for programs", false),
            (&[Scheme::ClientCert], true, "needs a certificate", true),
            (&[Scheme::Session, Scheme::Bearer], true, "", true),
        ] {
            let page = with(offered, repeatable);
            assert!(page.contains(wanted), "{offered:?}");
            let others =
                [basic, "made for programs", "needs a certificate"].into_iter().filter(|other| *other != wanted);
            assert!(others.into_iter().all(|other| !page.contains(other)), "{offered:?}");
            assert_eq!(page.contains(again), link, "{offered:?}");
        }
        for (reason, link) in [
            (Reason::Throttled, false),
            (Reason::Overloaded, true),
            (Reason::Internal, true),
            (Reason::RoleMissing, false),
            (Reason::RouteUnknown, false),
            (Reason::TargetAmbiguous, false),
        ] {
            assert_eq!(page(reason, Language::English, &[], true).contains(again), link, "{reason}");
            assert!(!page(reason, Language::English, &[], false).contains(again), "{reason}");
        }
    }
}
