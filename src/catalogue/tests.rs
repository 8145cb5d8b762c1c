use std::collections::BTreeSet;

use super::*;
use crate::reason::Reason;

/// Every text of the catalogue with a name for messages.
fn everything() -> Vec<(String, Text)> {
    let mut all = Vec::new();
    for &reason in Reason::ALL {
        let sentences = sentences(reason);
        all.push((format!("{reason}: what happened"), sentences.happened));
        if !sentences.advice.en.is_empty() {
            all.push((format!("{reason}: what to do"), sentences.advice));
        }
    }
    all.extend(Heading::ALL.iter().map(|heading| (format!("{heading:?}"), heading.text())));
    all.extend(PageText::ALL.iter().map(|text| (format!("{text:?}"), text.text())));
    all.extend(status::ALL.iter().map(|(status, text)| (status.to_string(), *text)));
    all.extend(wait::ALL.iter().map(|unit| (format!("unit {}", unit.en), *unit)));
    all.push(("retry".into(), wait::RETRY));
    all
}

/// The placeholders of a text, sorted.
fn placeholders(text: &str) -> Vec<&str> {
    let mut found: Vec<&str> = text.split('{').skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
    found.sort_unstable();
    found
}

#[test]
fn every_text_is_there_in_every_language_with_the_placeholders_of_the_english_one() {
    let all = everything();
    assert!(all.len() > 120, "{}", all.len());
    for (name, text) in all {
        for language in Language::ALL {
            let words = text.of(language);
            assert!(!words.is_empty(), "{name} in {language:?} is empty");
            assert_eq!(words.trim(), words, "{name} in {language:?}");
            assert_eq!(placeholders(words), placeholders(text.en), "{name} in {language:?}");
            assert_eq!(words.matches('{').count(), words.matches('}').count(), "{name} in {language:?}");
            assert!(!words.contains(char::is_control), "{name} in {language:?}");
        }
    }
}

#[test]
fn advice_is_there_in_all_languages_or_in_none() {
    for &reason in Reason::ALL {
        let advice = sentences(reason).advice;
        let there: BTreeSet<bool> = Language::ALL.iter().map(|l| advice.of(*l).is_empty()).collect();
        assert_eq!(there.len(), 1, "{reason}");
        assert!(reason.status() < 400 || !advice.en.is_empty(), "{reason}: a refusal says what to do");
    }
}

#[test]
fn nothing_was_left_untranslated_and_each_script_is_its_languages() {
    let is_chinese = |c: char| ('\u{3400}'..='\u{9fff}').contains(&c);
    // The same word in both languages.
    let same = ["{n} minute", "{n} minutes"];
    for (name, text) in everything() {
        for language in Language::ALL.into_iter().skip(1) {
            let words = text.of(language);
            assert!(words != text.en || same.contains(&words), "{name} in {language:?} is English");
            assert_eq!(words.contains(is_chinese), language == Language::Chinese, "{name} in {language:?}");
        }
        assert!(!text.en.contains(is_chinese), "{name}");
        // Sentences end as their language ends them.
        let ends = |words: &str| words.ends_with('.') || words.ends_with('。');
        for language in Language::ALL {
            assert_eq!(ends(text.of(language)), ends(text.en), "{name} in {language:?}");
        }
    }
}

/// Characters that only traditional Chinese has stand for a text of the wrong script.
#[test]
fn chinese_is_simplified() {
    let traditional = "無請碼過錄帳戶權訪問號應網絡務擊發讀檢認確證書員會對開關單獨這個為與從們時間點頁";
    for (name, text) in everything() {
        let odd = text.zh.chars().find(|c| traditional.contains(*c));
        assert_eq!(odd, None, "{name}: {}", text.zh);
    }
}

#[test]
fn a_disabled_account_reads_like_a_wrong_password_in_every_language() {
    for language in Language::ALL {
        let (disabled, wrong) = (sentences(Reason::AccountDisabled), sentences(Reason::CredentialsInvalid));
        assert_eq!(disabled.whole(language), wrong.whole(language));
        assert_eq!(disabled.heading, wrong.heading);
    }
}

#[test]
fn sentences_are_joined_as_their_language_joins_them() {
    let expired = sentences(Reason::TokenExpired);
    assert_eq!(expired.whole(Language::English), "The token has expired. Get a new one.");
    assert_eq!(expired.whole(Language::Chinese), "该令牌已过期。请获取新的令牌。");
    assert_eq!(sentences(Reason::Public).whole(Language::English), "This address is open to everyone.");
}

#[test]
fn every_status_of_a_reason_has_a_phrase() {
    for &reason in Reason::ALL {
        for language in Language::ALL {
            assert_ne!(phrase(reason.status(), language), "Error", "{reason}");
        }
    }
    assert_eq!(phrase(418, Language::German), "Error");
}

#[test]
fn a_wait_in_words_is_never_shorter_than_the_wait() {
    for (seconds, wanted) in [
        (0, "1 second"),
        (1, "1 second"),
        (2, "2 seconds"),
        (90, "90 seconds"),
        (91, "2 minutes"),
        (840, "14 minutes"),
        (841, "15 minutes"),
        (5_400, "90 minutes"),
        (5_401, "2 hours"),
        (129_600, "36 hours"),
        (129_601, "2 days"),
        (u32::MAX, "49711 days"),
    ] {
        assert_eq!(retry(seconds, Language::English), format!("Try again in {wanted}."), "{seconds}");
    }
    assert_eq!(retry(1, Language::German), "Versuchen Sie es in 1 Sekunde noch einmal.");
    assert_eq!(retry(172_800, Language::German), "Versuchen Sie es in 2 Tagen noch einmal.");
    assert_eq!(retry(600, Language::French), "Réessayez dans 10 minutes.");
    assert_eq!(retry(600, Language::Spanish), "Vuelva a intentarlo dentro de 10 minutos.");
    assert_eq!(retry(600, Language::Chinese), "请在 10 分钟后重试。");
}

#[test]
fn tags_are_distinct_and_english_is_what_everybody_else_gets() {
    let tags: BTreeSet<&str> = Language::ALL.iter().map(|language| language.tag()).collect();
    assert_eq!(tags.len(), Language::ALL.len());
    assert_eq!(Language::default(), Language::ALL[0]);
    assert_eq!(Language::default().tag(), "en");
}
