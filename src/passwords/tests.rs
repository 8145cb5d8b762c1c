//! Each rule with what it refuses and what it lets through.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn rules() -> PasswordRules {
    PasswordRules {
        memory_kib: 64,
        iterations: 1,
        parallelism: 1,
        min_length: 8,
        remember: 0,
        max_age: None,
        history: 0,
        words: ["orders", "acme"].map(str::to_owned).to_vec(),
        breached: None,
    }
}

fn broken(raw: &str, user: Option<&str>) -> Vec<Rule> {
    check(raw, user, &rules()).into_iter().map(|broken| broken.rule).collect()
}

fn why(raw: &str) -> String {
    check(raw, Some("alice"), &rules()).into_iter().map(|broken| broken.why).collect::<Vec<_>>().join("; ")
}

#[test]
fn passwords_as_people_and_managers_make_them_are_taken() {
    for good in [
        "correct horse battery staple",
        "purple monkey dishwasher",
        "Xk9#mQ2v",
        "b7!qpwz4",
        "kein Mensch mag nasse Socken",
        "пароль из четырёх слов",
        "四个不相干的词语",
        "ääääöööö-ßßß-ÿ-x",
        "a'; DROP TABLE users; --",
    ] {
        assert_eq!(broken(good, Some("alice")), [], "{good}: {}", why(good));
    }
}

#[test]
fn no_kinds_of_characters_are_asked_for() {
    assert_eq!(broken("mattress violin gravel", None), []);
    assert_eq!(broken("84017263951802647", None), []);
}

#[test]
fn common_passwords_are_refused_in_every_disguise_and_told_as_what_they_are() {
    for (password, what) in [
        ("password", "one of the most common passwords"),
        ("PASSWORD", "one of the most common passwords"),
        ("drowssap", "one of the most common passwords, written backwards"),
        ("p@ssw0rd", "common passwords"),
        ("internationalization", "a single word of a dictionary"),
        ("passwordpassword", "one short piece over and over"),
        ("aaaaaaaaaaaaaaaaaaaa", "one short piece over and over"),
        ("abcabcabcabcabcabc", "one short piece over and over"),
        ("abcdefghijklmnopqrst", "a plain sequence of letters or digits"),
        ("zyxwvutsrqponmlk", "a plain sequence of letters or digits"),
        ("1234567890123456", "put together from a few pieces"),
        ("password1234567", "put together from a few pieces"),
        ("password!!!!!!!!", "put together from a few pieces"),
        ("qwertyuiopasdfgh", "put together from a few pieces"),
        ("Summer2026Summer2026!", "put together from a few pieces"),
        ("P@ssw0rdP@ssw0rd", "one short piece over and over"),
    ] {
        assert!(broken(password, None).contains(&Rule::Common), "{password}");
        assert!(why(password).contains(what), "{password}: {}", why(password));
        // The message speaks of passwords, and holds this one by chance.
        assert!(password == "password" || !why(password).contains(password), "{password}");
    }
}

#[test]
fn length_does_not_hide_a_repeat_and_a_weak_beginning_does_not_spoil_a_good_end() {
    for length in [33, 64, 100, 500, 1_024] {
        assert_eq!(broken(&"a".repeat(length), None), [Rule::Common], "{length}");
        let words: String = "password".chars().cycle().take(length).collect();
        assert_eq!(broken(&words, None), [Rule::Common], "{length}");
    }
    assert_eq!(broken(&format!("{}mattress violin gravel", "a".repeat(40)), None), []);
    assert_eq!(broken(&format!("mattress violin gravel{}", "a".repeat(900)), None), []);
}

#[test]
fn a_weak_piece_over_and_over_is_refused_however_it_is_cut() {
    for piece in ["password123", "ab1", "Summer2026", "a1b2", "qwertyuiop", "па1"] {
        for times in [4, 7, 33] {
            let whole = piece.repeat(times);
            let cut: String = whole.chars().take(whole.chars().count() - 2).collect();
            for password in [whole, cut] {
                assert!(broken(&password, None).contains(&Rule::Common), "{password}");
                assert!(why(&password).contains("one short piece over and over"), "{password}");
            }
        }
    }
    // Not twice as a whole, or a piece that is good alone.
    for good in [
        "mattress violin gravel mattress",
        "password gravel violin mattress password",
        "Xk9#mQ2vXk9#mQ2vXk9#mQ2vXk9#mQ2vXk9#mQ2v",
        "mattress violin gravel, mattress violin gravel, mattress violin",
    ] {
        assert_eq!(broken(good, None), [], "{good}");
    }
}

#[test]
fn words_of_the_service_and_of_the_user_are_refused_wherever_they_stand() {
    for (password, word) in [
        ("my Orders and nothing else", "orders"),
        ("xx ACME zz yy qq", "acme"),
        ("going to Alice for tea", "alice"),
        ("ALICEALICEALICE", "alice"),
    ] {
        assert!(broken(password, Some("alice")).contains(&Rule::Words), "{password}");
        assert!(why(password).contains(&format!("\"{word}\"")), "{}", why(password));
    }
    // Another user's name is just a word, and one of three letters stands in too many words by chance.
    assert_eq!(broken("going to Alice for tea", Some("ben")), []);
    assert_eq!(broken("a bench by the violin", Some("ben")), []);
    // Disguised, they count as common.
    assert!(broken("0rd3rs0rd3rs", None).contains(&Rule::Common));
    assert!(broken("benben2026", Some("ben")).contains(&Rule::Common));
}

#[test]
fn names_are_taken_apart_where_no_letter_stands() {
    assert_eq!(words::of_name("Orders & Billing (EU) 2026"), ["orders", "billing"]);
    assert_eq!(words::of_host("shop.Example.co.uk"), ["shop", "example"]);
    assert_eq!(words::of_host("localhost"), ["localhost"]);
    assert_eq!(words::of_user("rita@example.com"), ["rita", "example", "rita@example.com"]);
    assert_eq!(words::of_user("bob"), Vec::<String>::new());
    assert_eq!(words::of_name("注文システム管理"), ["注文システム管理"]);
}

#[test]
fn characters_are_counted_in_the_form_that_is_hashed() {
    assert_eq!(broken("e\u{301}q7#zP!", None), [Rule::Length], "seven characters, eight code points");
    assert_eq!(broken("e\u{301}q7#zP!x", None), []);
    let why = why("q7#zP!x");
    assert!(why.contains("has 7 characters") && why.contains("min_length asks for 8"), "{why}");
}

#[test]
fn what_cannot_be_a_password_is_told_apart_and_nothing_is_cut() {
    for (raw, said) in [
        ("".to_owned(), "is empty"),
        ("a\u{7}bcdefghijk".to_owned(), "control characters"),
        ("ä".repeat(513), "has 1026 bytes, and up to 1,024 are taken"),
        ("x".repeat(1_025), "nothing cut off"),
    ] {
        let found = check(&raw, None, &rules());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rule, Rule::Form);
        assert!(found[0].why.contains(said), "{}", found[0].why);
    }
    assert_eq!(broken(&"mattress violin gravel ".repeat(44), None), []);
}

#[test]
fn a_breached_password_is_refused_in_either_form() {
    let list = "mattress violin gravel\nte\u{301}le\u{301} on the hill\n";
    let built = filter::build(&mut list.as_bytes(), filter::Build::default()).unwrap();
    let rules = PasswordRules { breached: Some(Arc::new(built.filter)), ..rules() };
    for raw in ["mattress violin gravel", "t\u{e9}l\u{e9} on the hill", "te\u{301}le\u{301} on the hill"] {
        let found = check(raw, None, &rules);
        assert_eq!(found.iter().map(|broken| broken.rule).collect::<Vec<_>>(), [Rule::Breached], "{raw}");
    }
    assert_eq!(check("mattress violin gravels", None, &rules), []);
    // As a list of digests has it: the digest of what was typed, before any form was made of it.
    let digest = sha1_hex("te\u{301}le\u{301} on the hill");
    let built = filter::build(&mut digest.as_bytes(), filter::Build::default()).unwrap();
    let rules = PasswordRules { breached: Some(Arc::new(built.filter)), ..rules };
    assert_eq!(check("te\u{301}le\u{301} on the hill", None, &rules).len(), 1);
}

fn sha1_hex(text: &str) -> String {
    use sha1::{Digest, Sha1};
    data_encoding::HEXUPPER.encode(&Sha1::digest(text))
}

#[test]
fn every_rule_that_is_broken_is_told_at_once() {
    let found = broken("alice1", Some("alice"));
    assert_eq!(found, [Rule::Length, Rule::Words, Rule::Common]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_makes_the_rules_panic(raw in any::<String>(), user in "[a-z]{0,12}") {
        let found = check(&raw, Some(&user), &rules());
        prop_assert!(found.iter().all(|broken| !broken.why.is_empty()));
    }
}

proptest! {
    // Each of these can cost a tenth of a second.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn neither_do_patterns_piled_upon_patterns(pieces in proptest::collection::vec(
        prop_oneof![
            Just("password"), Just("4@8({[<369!1|70$5+%2"), Just("qwerty"), Just("12345"), Just("aaaa"),
            Just("2026-11-23"), Just("\u{130}\u{df}"), Just("orders"), Just("\u{1f412}"),
        ],
        0..12,
    )) {
        check(&pieces.concat(), Some("alice"), &rules());
    }
}
