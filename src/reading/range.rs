//! `Accept-Language` (RFC 9110 section 12.5.4): which language of the catalogue, by look-up (RFC 4647 section 3.4).
//!
//! Ranges are cut from the right until one fits: `de-CH` and `de-Latn-CH` get German. Chinese is there in simplified
//! characters. A range for traditional ones (`zh-TW`, `zh-HK`, `zh-Hant`) does not fit it while the list has something
//! that does, be it a plain `zh`; but simplified characters are closer to such a reader than English is.

use crate::catalogue::Language;
use crate::reading::weighted;

/// What the list says of one language.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    weight: Option<u16>,
    /// The place in the list of the range that gave the weight.
    place: usize,
    /// The language itself has weight 0.
    refused: bool,
}

/// How a range meets a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// The range names it and nothing narrower.
    Whole(Language),
    /// The range names a variety of it.
    Cut(Language),
    /// Traditional Chinese.
    Traditional,
    /// `*`.
    Any,
}

/// The language to answer in; English where none fits.
pub fn language<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Language {
    let mut wishes = [Wish::default(); Language::ALL.len()];
    let (mut any, mut traditional) = (None, false);
    for (place, element) in weighted::elements(fields).enumerate() {
        let Some(fit) = fit(element.value).filter(|_| element.parameters.is_empty()) else { continue };
        let (language, whole) = match fit {
            Fit::Any => {
                any = any.max(Some(element.weight));
                continue;
            }
            Fit::Traditional => {
                traditional |= element.weight > 0;
                continue;
            }
            Fit::Whole(language) => (language, true),
            Fit::Cut(language) => (language, false),
        };
        let Some(wish) = wishes.get_mut(language as usize) else { continue };
        match element.weight {
            0 => wish.refused |= whole,
            weight if Some(weight) > wish.weight => *wish = Wish { weight: Some(weight), place, ..*wish },
            _ => {}
        }
    }
    let mut best: Option<(u16, usize, Language)> = None;
    for (language, wish) in Language::ALL.into_iter().zip(wishes).filter(|(_, wish)| !wish.refused) {
        // `*` stands for what the list does not name, behind all that it names.
        let (weight, place) = match (wish.weight, any) {
            (Some(weight), _) => (weight, wish.place),
            (None, Some(weight)) if weight > 0 => (weight, usize::MAX),
            (None, _) => continue,
        };
        if best.is_none_or(|(most, first, _)| weight > most || (weight == most && place < first)) {
            best = Some((weight, place, language));
        }
    }
    let chinese_refused = wishes.get(Language::Chinese as usize).is_some_and(|wish| wish.refused);
    match best {
        Some((_, _, language)) => language,
        None if traditional && !chinese_refused => Language::Chinese,
        None => Language::default(),
    }
}

/// Which language a range means; `None`: none of ours, or no range.
fn fit(range: &[u8]) -> Option<Fit> {
    plain_fit(range).unwrap_or_else(|| careful_fit(range))
}

/// What most ranges are: a language of two letters, perhaps with a country. `None` says nothing: [`careful_fit`] has the
/// word.
fn plain_fit(range: &[u8]) -> Option<Option<Fit>> {
    let (a, b, country) = match *range {
        [a, b] => (a, b, None),
        [a, b, b'-', c, d] if c.is_ascii_alphabetic() && d.is_ascii_alphabetic() => (a, b, Some((c, d))),
        _ => return None,
    };
    let language = match [a | 0x20, b | 0x20] {
        [b'e', b'n'] => Language::English,
        [b'd', b'e'] => Language::German,
        [b'f', b'r'] => Language::French,
        [b'e', b's'] => Language::Spanish,
        // Chinese is more than its first two letters.
        [b'z', b'h'] => return None,
        _ => return Some(None),
    };
    let is_text = a.is_ascii_alphabetic() && b.is_ascii_alphabetic();
    let fit = if country.is_some() { Fit::Cut(language) } else { Fit::Whole(language) };
    Some(is_text.then_some(fit))
}

fn careful_fit(range: &[u8]) -> Option<Fit> {
    if range == b"*" {
        return Some(Fit::Any);
    }
    let subtags = || range.split(|byte| *byte == b'-');
    let is_subtag = |(at, tag): (usize, &[u8])| {
        (1..=8).contains(&tag.len())
            && tag.iter().all(|b| if at == 0 { b.is_ascii_alphabetic() } else { b.is_ascii_alphanumeric() })
    };
    if !subtags().enumerate().all(is_subtag) {
        return None;
    }
    let first = subtags().next()?;
    let narrower = subtags().nth(1).is_some();
    let has = |wanted: &[u8]| subtags().skip(1).any(|tag| tag.eq_ignore_ascii_case(wanted));
    if [&b"zh"[..], b"cmn"].iter().any(|tag| first.eq_ignore_ascii_case(tag)) {
        let simplified = has(b"hans");
        let traditional = [&b"hant"[..], b"tw", b"hk", b"mo", b"yue"].iter().any(|tag| has(tag));
        return Some(match (simplified, traditional) {
            (true, _) if subtags().count() == 2 => Fit::Whole(Language::Chinese),
            (false, true) => Fit::Traditional,
            _ if narrower => Fit::Cut(Language::Chinese),
            _ => Fit::Whole(Language::Chinese),
        });
    }
    let language = Language::ALL.into_iter().find(|language| first.eq_ignore_ascii_case(language.tag().as_bytes()))?;
    Some(if narrower { Fit::Cut(language) } else { Fit::Whole(language) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Language::{Chinese, English, French, German, Spanish};

    fn read(field: &str) -> Language {
        language([field.as_bytes()].into_iter())
    }

    #[test]
    fn the_quick_way_says_what_the_careful_one_does() {
        let octets = [b'e', b'n', b'N', b'd', b'E', b's', b'f', b'r', b'z', b'h', b'x', b'-', b'*', b'5', b'\r', 0xC5];
        for a in octets {
            for b in octets {
                for end in [&b""[..], b"-GB", b"-g5", b"-", b"-a", b"-Latn", b"-x-y"] {
                    let range = [&[a, b][..], end].concat();
                    assert_eq!(fit(&range), careful_fit(&range), "{range:?}");
                }
            }
        }
    }

    #[test]
    fn what_browsers_send() {
        for (field, wanted) in [
            ("en-US,en;q=0.9", English),
            ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", German),
            ("de-CH", German),
            ("fr-CA,fr;q=0.8,en-US;q=0.5,en;q=0.3", French),
            ("es-419,es;q=0.9", Spanish),
            ("zh-CN,zh;q=0.9", Chinese),
            ("nl-NL,nl;q=0.9,de;q=0.8,en;q=0.7", German),
            ("pt-BR,pt;q=0.9", English),
            ("", English),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
        assert_eq!(language(std::iter::empty()), English, "no field at all");
    }

    #[test]
    fn weights_decide_and_then_the_order() {
        for (field, wanted) in [
            ("fr;q=0.5, de;q=0.6", German),
            ("fr, de", French),
            ("de, fr", German),
            ("fr;q=0.2, de;q=0.3, fr-CA;q=0.4", French),
            ("en;q=0.1, es;q=0.101", Spanish),
            ("DE", German),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
    }

    #[test]
    fn what_is_refused_is_not_chosen() {
        for (field, wanted) in [
            ("de;q=0", English),
            ("de;q=0, fr;q=0.1", French),
            ("de-AT, de;q=0, fr;q=0.5", French),
            ("de-AT;q=0, de", German),
            ("en;q=0, *", German),
            ("en;q=0, de;q=0, *;q=0.5", French),
            // Nothing is left: an answer in English is better than none.
            ("*;q=0", English),
            ("en;q=0", English),
            ("zh-TW, zh;q=0", English),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
    }

    #[test]
    fn anything_stands_behind_what_is_named() {
        for (field, wanted) in [
            ("*", English),
            ("*, de", German),
            ("de;q=0.5, *", English),
            ("*;q=0.5, de", German),
            ("pt, *;q=0.5", English),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
    }

    #[test]
    fn traditional_chinese_gives_way_to_all_that_fits_better() {
        for (field, wanted) in [
            ("zh-TW,zh;q=0.9,en-US;q=0.8,en;q=0.7", Chinese),
            ("zh-TW, en;q=0.5", English),
            ("zh-HK,en;q=0.9", English),
            ("zh-Hant-TW, de;q=0.1", German),
            ("zh-TW", Chinese),
            ("zh-Hant", Chinese),
            ("zh-TW, pt;q=0.5", Chinese),
            ("zh-TW;q=0", English),
            ("zh-Hans-TW, en;q=0.5", Chinese),
            ("zh-Hans, en", Chinese),
            ("zh-SG, en;q=0.5", Chinese),
            ("cmn-Hans-CN, en;q=0.5", Chinese),
            ("zh-cmn-Hans-CN, en;q=0.5", Chinese),
            ("zh-yue, en;q=0.5", English),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
    }

    #[test]
    fn what_is_no_range_says_nothing() {
        for (field, wanted) in [
            ("de_DE, fr;q=0.1", French),
            ("deutsch, fr;q=0.1", French),
            ("-de, fr;q=0.1", French),
            ("de-, fr;q=0.1", French),
            ("de-abcdefghi, fr;q=0.1", French),
            ("de;q=x, fr;q=0.1", French),
            ("de;level=1, fr;q=0.1", French),
            ("*-DE, fr;q=0.1", French),
            ("d\u{e9}, fr;q=0.1", French),
            ("i-klingon, x-private", English),
        ] {
            assert_eq!(read(field), wanted, "{field}");
        }
    }
}
