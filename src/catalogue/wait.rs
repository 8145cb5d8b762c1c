//! How long to wait, in words.

use super::language::{Language, Text};

/// A number of something: one of it, more of it. Chinese has one form.
struct Unit {
    seconds: u32,
    one: Text,
    more: Text,
}

macro_rules! units {
    ($( $name:ident $seconds:literal en $en:literal $en_n:literal de $de:literal $de_n:literal fr $fr:literal $fr_n:literal es $es:literal $es_n:literal zh $zh:literal )*) => {
        $( const $name: Unit = Unit {
            seconds: $seconds,
            one: Text { en: $en, de: $de, fr: $fr, es: $es, zh: $zh },
            more: Text { en: $en_n, de: $de_n, fr: $fr_n, es: $es_n, zh: $zh },
        }; )*

        #[cfg(test)]
        pub(super) const ALL: &[Text] = &[ $( $name.one, $name.more, )* ];
    };
}

// As they stand behind "in", "dans", "dentro de": German in the dative.
units! {
    SECOND 1
        en "{n} second" "{n} seconds"
        de "{n} Sekunde" "{n} Sekunden"
        fr "{n} seconde" "{n} secondes"
        es "{n} segundo" "{n} segundos"
        zh "{n} 秒"
    MINUTE 60
        en "{n} minute" "{n} minutes"
        de "{n} Minute" "{n} Minuten"
        fr "{n} minute" "{n} minutes"
        es "{n} minuto" "{n} minutos"
        zh "{n} 分钟"
    HOUR 3_600
        en "{n} hour" "{n} hours"
        de "{n} Stunde" "{n} Stunden"
        fr "{n} heure" "{n} heures"
        es "{n} hora" "{n} horas"
        zh "{n} 小时"
    DAY 86_400
        en "{n} day" "{n} days"
        de "{n} Tag" "{n} Tagen"
        fr "{n} jour" "{n} jours"
        es "{n} día" "{n} días"
        zh "{n} 天"
}

/// When another try may succeed.
pub(super) const RETRY: Text = Text {
    en: "Try again in {wait}.",
    de: "Versuchen Sie es in {wait} noch einmal.",
    fr: "Réessayez dans {wait}.",
    es: "Vuelva a intentarlo dentro de {wait}.",
    zh: "请在 {wait}后重试。",
};

/// "Try again in 14 minutes." Rounded up: who waits so long never comes too early.
pub fn retry(seconds: u32, language: Language) -> String {
    let unit = match seconds {
        0..=90 => &SECOND,
        91..=5_400 => &MINUTE,
        5_401..=129_600 => &HOUR,
        _ => &DAY,
    };
    let number = seconds.div_ceil(unit.seconds).max(1);
    let words = if number == 1 { &unit.one } else { &unit.more };
    RETRY.of(language).replace("{wait}", &words.of(language).replace("{n}", &number.to_string()))
}
