//! Mutations of the texts: how JSON is written.

use serde_json::{Value, json};

use super::Act::Texts;
use super::{Draft, Mutation};
use crate::random::Random;

/// Puts a member in front.
fn lead(text: &mut String, member: &str) {
    *text = text.replacen('{', &format!("{{{member},"), 1);
}

/// Header or claims.
fn either<'d>(draft: &'d mut Draft<'_>, random: &mut Random) -> &'d mut String {
    if random.below(2) == 0 { &mut draft.header_text } else { &mut draft.claims_text }
}

/// `"name":value` as it stands there, or something for names that are not.
fn member(text: &str, name: &str) -> String {
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    format!("\"{name}\":{}", value.get(name).unwrap_or(&json!(1)))
}

fn escaped(name: &str) -> String {
    name.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect()
}

pub const ALL: &[Mutation] = &[
    (
        "header member twice, the same",
        Texts(|d, r| {
            let same = member(&d.header_text, r.word(&["alg", "kid"]));
            lead(&mut d.header_text, &same);
        }),
    ),
    (
        "header member twice, another first",
        Texts(|d, r| lead(&mut d.header_text, r.word(&[r#""alg":"none""#, r#""kid":"x""#, r#""alg":7"#]))),
    ),
    (
        "header member twice, with escapes",
        Texts(|d, r| lead(&mut d.header_text, r.word(&[r#""\u0061lg":"none""#, r#""k\u0069d":"x""#]))),
    ),
    (
        "claim twice, the same",
        Texts(|d, r| {
            let same = member(&d.claims_text, r.word(&["iss", "sub", "exp", "aud"]));
            lead(&mut d.claims_text, &same);
        }),
    ),
    (
        "claim twice, another first",
        Texts(|d, r| {
            lead(
                &mut d.claims_text,
                r.word(&[r#""sub":"admin""#, r#""exp":1"#, r#""iss":"x""#, r#""aud":"x""#, r#""x":{"a":1,"a":2}"#]),
            )
        }),
    ),
    (
        "claim twice, with escapes",
        Texts(|d, r| lead(&mut d.claims_text, r.word(&[r#""s\u0075b":"admin""#, r#""\u0065xp":1"#]))),
    ),
    (
        "names and values with escapes",
        Texts(|d, r| {
            let name = r.word(&["alg", "kid", "sub", "exp", "iss", "aud"]);
            for text in [&mut d.header_text, &mut d.claims_text] {
                *text = text.replacen(&format!("\"{name}\""), &format!("\"{}\"", escaped(name)), 1);
                *text = text.replacen("user-", "\\u0075ser\\u002d", 1).replacen("https://", "https:\\/\\/", 1);
            }
        }),
    ),
    (
        "white space between",
        Texts(|d, r| {
            let space = r.word(&[" ", "\n", "\t", "\r\n", "  \n"]);
            let text = either(d, r);
            *text = format!("{space}{}{space}", text.replace("\",\"", &format!("\"{space},{space}\"")));
        }),
    ),
    (
        "space that JSON does not know",
        Texts(|d, r| {
            let space = r.word(&["\u{feff}", "\u{a0}", "\u{b}", "\u{c}", "\u{2028}"]);
            let text = either(d, r);
            *text = format!("{space}{text}");
        }),
    ),
    (
        "text behind the object",
        Texts(|d, r| {
            let more = r.word(&["x", "{}", "\u{0}", ",", "}", "null"]);
            either(d, r).push_str(more);
        }),
    ),
    (
        "text cut short",
        Texts(|d, r| {
            let text = either(d, r);
            let mut length = r.below(text.len().max(1));
            while !text.is_char_boundary(length) {
                length -= 1;
            }
            text.truncate(length);
        }),
    ),
    ("no object", Texts(|d, r| *either(d, r) = (r.word(&["", "[]", "null", "\"x\"", "1", "true", "[[]]"])).to_owned())),
    (
        "numbers that JSON does not know",
        Texts(|d, r| {
            let value = r.word(&["NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x10", "1e999", "1_0", "-"]);
            lead(either(d, r), &format!("\"number\":{value}"));
        }),
    ),
    (
        "exp that is infinite",
        Texts(|d, r| {
            let value = r.word(&["Infinity", "1e999", "NaN"]);
            let exp = member(&d.claims_text, "exp");
            d.claims_text = d.claims_text.replacen(&exp, &format!("\"exp\":{value}"), 1);
        }),
    ),
    (
        "exp in other digits",
        Texts(|d, r| {
            let exp = d.now + 3_600;
            let value = r
                .pick(&[
                    format!("{exp}.0"),
                    format!("{exp}.000"),
                    format!("{exp}e0"),
                    format!("{exp}0e-1"),
                    format!("{}E+1", exp / 10),
                ])
                .clone();
            let from = member(&d.claims_text, "exp");
            d.claims_text = d.claims_text.replacen(&from, &format!("\"exp\":{value}"), 1);
        }),
    ),
    (
        "syntax that JSON does not know",
        Texts(|d, r| {
            let more = r.word(&[
                "'x':1",
                "x:1",
                "\"extra\":'y'",
                "\"extra\":undefined",
                "/**/\"extra\":1",
                "\"extra\":1,",
                "\"extra\":TRUE",
                "\"extra\":\"\u{1}\"",
                "\"extra\":\"\\x41\"",
                "\"extra\":\"\n\"",
            ]);
            lead(either(d, r), more);
        }),
    ),
    (
        "lone surrogates",
        Texts(|d, r| lead(either(d, r), r.word(&[r#""lone":"\ud800""#, r#""lone":"\udc00\ud800""#, r#""\ud83d":1"#]))),
    ),
    (
        "surrogate pair and NUL in a value",
        Texts(|d, r| lead(either(d, r), r.word(&[r#""pair":"\ud83d\ude00""#, r#""pair":"\u0000""#]))),
    ),
    (
        "deeper than is read",
        Texts(|d, r| {
            let levels = *r.pick(&[16, 20, 40]);
            lead(either(d, r), &format!("\"lists\":{}1{}", "[".repeat(levels), "]".repeat(levels)));
        }),
    ),
    (
        "deep",
        Texts(|d, r| {
            let levels = 1 + r.below(15);
            lead(either(d, r), &format!("\"maps\":{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels)));
        }),
    ),
    (
        "many members",
        Texts(|d, r| {
            let many: Vec<String> = (0..100).map(|n| format!("\"m{n}\":{n}")).collect();
            lead(either(d, r), &many.join(","));
        }),
    ),
    (
        "longer than is read",
        Texts(|d, r| {
            let fill = "x".repeat(16_384);
            lead(either(d, r), &format!("\"fill\":\"{fill}\""));
        }),
    ),
];
