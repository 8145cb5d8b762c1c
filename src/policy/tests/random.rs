//! No text makes the reader panic, and no text that it refuses leaves it without a reason.

use proptest::prelude::*;

use super::{check, found};
use crate::policy::diagnostic::render;
use crate::policy::{Severity, reference};

/// Reads a text and draws what is found; places must fit the text.
fn survives(text: &str) -> Result<(), TestCaseError> {
    if let Err(list) = check(text) {
        prop_assert!(list.iter().any(|d| d.severity == Severity::Error), "refused without a reason");
    }
    let list = found(text);
    for d in &list {
        prop_assert!(text.get(d.span.clone()).is_some());
        prop_assert!(d.line >= 1 && d.column >= 1 && !d.message.is_empty() && !d.help.is_empty());
        prop_assert!(usize::try_from(d.line).unwrap() <= text.split('\n').count());
    }
    render(&list, text, false);
    Ok(())
}

/// The examples of the documentation, which between them hold most of the grammar.
fn sample() -> String {
    let text = reference::markdown();
    text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Words that a policy is made of, and some that it is not.
fn word() -> impl Strategy<Value = String> {
    let others = [
        "[[",
        "]]",
        "{",
        "}",
        "[",
        "]",
        "=",
        ",",
        ".",
        "\"",
        "'",
        "'''",
        "\\",
        "#",
        "\n",
        "\r\n",
        "\t",
        "\u{feff}",
        "\0",
        "ä",
        "𝄞",
        "0",
        "-1",
        "1e9",
        "nan",
        "true",
        "2026-11-23",
        "0x",
        "99999999999999999999",
        "[engine]",
        "[throttle]",
        "[[signer]]",
        "[otp]",
        "key",
        "claim",
        "equals",
        "\"30s\"",
        "\"/{*rest}\"",
        "require",
        "not",
    ];
    let words: Vec<String> = sample().split_whitespace().chain(others).map(str::to_owned).collect();
    proptest::sample::select(words)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_survived(text in "(.|\n)*") {
        survives(&text)?;
    }

    #[test]
    fn any_words_are_survived(words in prop::collection::vec((word(), 0..4usize), 0..60)) {
        let mut text = String::new();
        for (word, gap) in words {
            text.push_str(&word);
            text.push_str(["\n", " ", "", "\n[[route]]\n"][gap]);
        }
        survives(&text)?;
    }

    #[test]
    fn a_policy_with_a_part_replaced_is_survived(at in 0..10_000usize, length in 0..40usize, word in word()) {
        let mut text: Vec<char> = sample().chars().collect();
        let start = at % text.len();
        let end = (start + length).min(text.len());
        text.splice(start..end, word.chars());
        survives(&text.into_iter().collect::<String>())?;
    }
}

#[test]
fn deep_nesting_is_survived() {
    let dotted = "a.".repeat(75);
    for text in [
        format!("[[route]]\npath = '/'\nrequire = {}{}", "{ not = ".repeat(5_000), "}".repeat(5_000)),
        format!("[[route]]\npath = '/'\nrequire = {}{}", "[".repeat(5_000), "]".repeat(5_000)),
        format!("[{}a]\n", "a.".repeat(50_000)),
        format!("{}a = 1\n", "a.".repeat(50_000)),
        format!("x = {}1{}\n", format!("{{ {dotted}a = ").repeat(75), "}".repeat(75)),
        format!("[engine]\nname = {}\n", "[{ a = ".repeat(79)),
    ] {
        survives(&text).unwrap();
        assert!(check(&text).is_err());
    }
}

#[test]
fn a_large_policy_with_a_long_chain_of_roles_is_read() {
    let mut text = String::from("[engine]\nschemes = 'basic'\n");
    for i in 0..2_000 {
        text.push_str(&format!("[[role]]\nname = 'r{i}'\nincludes = ['r{}']\n", i + 1));
    }
    text.push_str("[[role]]\nname = 'r2000'\n");
    assert!(check(&text).is_ok());
}
