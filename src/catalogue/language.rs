//! The languages of the catalogue.

/// A language in which everything of the catalogue is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Language {
    /// What a client gets that asks for none of the others.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Chinese in simplified characters.
    Chinese,
}

impl Language {
    /// All of them; the first is the one that everybody else gets.
    pub const ALL: [Language; 5] =
        [Language::English, Language::German, Language::French, Language::Spanish, Language::Chinese];

    /// The language tag (RFC 5646), as `Content-Language` and `lang` carry it.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::German => "de",
            Language::French => "fr",
            Language::Spanish => "es",
            Language::Chinese => "zh-Hans",
        }
    }

    /// What stands between two sentences.
    pub const fn space(self) -> &'static str {
        match self {
            Language::Chinese => "",
            _ => " ",
        }
    }
}

/// One text in every language. Made by macros that take all five, so that a gap does not compile.
#[derive(Clone, Copy, Debug)]
pub struct Text {
    pub(super) en: &'static str,
    pub(super) de: &'static str,
    pub(super) fr: &'static str,
    pub(super) es: &'static str,
    pub(super) zh: &'static str,
}

impl Text {
    /// The text in one language.
    pub const fn of(&self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::German => self.de,
            Language::French => self.fr,
            Language::Spanish => self.es,
            Language::Chinese => self.zh,
        }
    }
}
