//! The body of a refusal with the fields that describe it: problem details, a page, or nothing.

use crate::answer::{page, problem};
use crate::catalogue::{Language, retry, sentences};
use crate::decision::{HeaderEntry, HeaderMode};
use crate::identity::Scheme;
use crate::reason::Reason;

/// What a refusal says, whatever its form.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// The service's name.
    pub service: &'a str,
    /// The reason as the person may see it.
    pub shown: Reason,
    /// The decision's id.
    pub id: &'a str,
    /// The schemes of the challenges that go with it.
    pub offered: &'a [Scheme],
    /// Seconds until another try may succeed.
    pub retry_after: Option<u32>,
    /// The language of all that a person reads.
    pub language: Language,
    /// A link to the same address repeats the request.
    pub repeatable: bool,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// No body.
    Nothing,
    /// Problem details for everybody.
    Problem,
    /// Problem details; another `Accept` would have got a page.
    ProblemOrPage,
    /// A page; another `Accept` would have got problem details.
    Page,
}

impl Refusal<'_> {
    /// What happened, in a sentence.
    pub(super) fn happened(&self) -> &'static str {
        sentences(self.shown).happened.of(self.language)
    }

    /// What happened and what to do, in the client's language. How long to wait stands there in words.
    pub(super) fn detail(&self) -> String {
        match self.wait() {
            Some(wait) => [self.happened(), self.language.space(), &wait].concat(),
            None => sentences(self.shown).whole(self.language),
        }
    }

    /// When another try may succeed, where that is known to the second.
    pub(super) fn wait(&self) -> Option<String> {
        let seconds = self.retry_after.filter(|_| self.shown == Reason::Throttled)?;
        Some(retry(seconds, self.language))
    }

    /// Adds the fields that describe the body, which `HEAD` gets as well.
    pub fn describe(&self, form: Form, fields: &mut Vec<HeaderEntry>) {
        let mut set = |name: &'static str, value: &'static str, mode| {
            fields.push(HeaderEntry { name: name.into(), value: value.into(), mode });
        };
        match form {
            Form::Nothing => return,
            Form::Problem => set("Vary", "Accept-Language", HeaderMode::Append),
            Form::ProblemOrPage | Form::Page => set("Vary", "Accept, Accept-Language", HeaderMode::Append),
        }
        let as_page = form == Form::Page;
        set("Content-Type", if as_page { page::CONTENT_TYPE } else { problem::CONTENT_TYPE }, HeaderMode::Set);
        set("Content-Language", self.language.tag(), HeaderMode::Set);
        set("X-Content-Type-Options", "nosniff", HeaderMode::Set);
        if as_page {
            set("Content-Security-Policy", page::security_policy(), HeaderMode::Set);
            set("Referrer-Policy", "no-referrer", HeaderMode::Set);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(form: Form, language: Language) -> Vec<(String, String)> {
        let refusal = Refusal {
            service: "Orders",
            shown: Reason::Throttled,
            id: "id-1",
            offered: &[],
            retry_after: Some(61),
            language,
            repeatable: true,
        };
        let mut fields = Vec::new();
        refusal.describe(form, &mut fields);
        fields.into_iter().map(|field| (field.name.to_string(), field.value.to_string())).collect()
    }

    #[test]
    fn what_the_answer_depends_on_is_told_to_caches() {
        let value = |form, name: &str| {
            described(form, Language::Chinese).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
        };
        assert_eq!(value(Form::Nothing, "Vary"), None);
        assert_eq!(value(Form::Problem, "Vary").as_deref(), Some("Accept-Language"));
        assert_eq!(value(Form::ProblemOrPage, "Vary").as_deref(), Some("Accept, Accept-Language"));
        assert_eq!(value(Form::Page, "Vary").as_deref(), Some("Accept, Accept-Language"));
        assert_eq!(value(Form::Page, "Content-Language").as_deref(), Some("zh-Hans"));
        assert_eq!(value(Form::Page, "Content-Type").as_deref(), Some("text/html; charset=utf-8"));
        assert_eq!(value(Form::ProblemOrPage, "Content-Type").as_deref(), Some("application/problem+json"));
        assert_eq!(value(Form::Problem, "Content-Security-Policy"), None);
    }

    #[test]
    fn the_wait_stands_in_words_where_it_is_known() {
        let refusal = |shown, retry_after| Refusal {
            service: "Orders",
            shown,
            id: "",
            offered: &[],
            retry_after,
            language: Language::English,
            repeatable: true,
        };
        assert_eq!(refusal(Reason::Throttled, Some(61)).detail(), "Too many failed attempts. Try again in 61 seconds.");
        assert!(refusal(Reason::Throttled, None).detail().contains("Retry-After"));
        assert_eq!(refusal(Reason::Overloaded, Some(5)).detail(), "The service is busy. Try again in a few seconds.");
    }
}
