//! Where a problem is, and how it is drawn.

use std::path::Path;

use super::{check, found, line};
use crate::policy::diagnostic::render;
use crate::policy::{Diagnostic, Severity, load};

fn places(text: &str) -> Vec<(u32, u32, &str)> {
    let list = found(text);
    list.iter().filter(|d| d.severity == Severity::Error).map(|d| (d.line, d.column, &text[d.span.clone()])).collect()
}

#[test]
fn all_problems_come_at_once_in_the_order_of_the_file() {
    let text = "\
[engine]
nam = 'Orders'
leeway = '1h'
unmatched = 'alow'
[identity]
subject = 'Cookie'
[[role]]
name = 'clerk'
includes = ['ghost']
[[route]]
path = 'orders'
methods = ['get']
schemes = 'basic'
[[route]]
path = '/x'
[[route]]
path = '/y'
schemes = ['basic', 'beare']
require = { role = 'clark', network = '10.0.0.1/8' }
";
    let list = check(text).unwrap_err();
    let said: Vec<_> = list.iter().map(line).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
    2:1 `[engine]` has no key `nam` | did you mean `name`?
    3:10 `leeway` is out of range | write a duration from 0s to 5m
    4:13 `unmatched` cannot be `alow` | write one of `deny`, `authenticated`, `pass`
    6:11 `Cookie` has a meaning of its own and cannot carry an identity | choose a name of your own, like `X-Auth-Subject`
    9:13 there is no role `ghost` | write one of `clerk` Or add a `[[role]]` of this name
    11:8 `orders` does not start with `/` | write the path from the root, like "/orders/{id}"
    12:12 `get` is not the method GET: methods are case-sensitive | write "GET"
    14:1 `/x` needs credentials, and neither it nor `[engine]` lists schemes | add `schemes = ["basic"]` here or to `[engine]`, or write `access = "public"`
    18:21 `schemes` cannot be `beare` | did you mean `bearer`?
    19:20 there is no role `clark` | did you mean `clerk`? Or add a `[[role]]` of this name
    19:39 `10.0.0.1/8` is not an address range | bits after the prefix are set; write the first address of the range
    "#);
}

#[test]
fn columns_count_characters() {
    for (text, wanted) in [
        ("[engine]\nnam = 1\n", (2, 1, "nam")),
        ("[engine]\n\t\tnam = 1\n", (2, 3, "nam")),
        ("[engine]\r\n\r\n  nam = 1\r\n", (3, 3, "nam")),
        ("\u{feff}[engin]\n", (1, 2, "engin")),
        ("\u{feff}[engine]\nnam = 1", (2, 1, "nam")),
        ("[engine]\nschemes = [ \"bäsic\" ]\n", (2, 13, "\"bäsic\"")),
        ("engine = { name = 'Büro €𝄞', nam = 1 }\n", (1, 30, "nam")),
        ("[engine]\nname = 'x'\n[engine.x]\n[password]\nmin_length = 1\n", (5, 14, "1")),
    ] {
        assert_eq!(places(text).last(), Some(&wanted), "{text:?}");
    }
}

#[test]
fn the_offending_text_is_underlined() {
    let text = "[engine]\n\tschemes = ['basic', 'büro', 'beare']\r\nleeway = '6m'\n[[route]]\npath = '/'\n";
    insta::assert_snapshot!(render(&found(text), text, false), @r#"
    error: `schemes` cannot be `büro`
     --> orders.toml:2:22
      |
    2 |     schemes = ['basic', 'büro', 'beare']
      |                         ^^^^^^
      |
      = help: write one of `basic`, `bearer`, `api-key`, `session`, `client-cert`

    error: `schemes` cannot be `beare`
     --> orders.toml:2:30
      |
    2 |     schemes = ['basic', 'büro', 'beare']
      |                                 ^^^^^^^
      |
      = help: did you mean `bearer`?

    error: `leeway` is out of range
     --> orders.toml:3:10
      |
    3 | leeway = '6m'
      |          ^^^^
      |
      = help: write a duration from 0s to 5m
    "#);
}

#[test]
fn colour_is_drawn_only_where_it_is_asked_for() {
    let text = "[engin]\n";
    assert!(render(&found(text), text, true).contains("\u{1b}["));
    assert!(!render(&found(text), text, false).contains('\u{1b}'));
}

#[test]
fn a_file_cannot_speak_to_the_terminal() {
    let text = "[engine]\n\"a\\u001b[31m\" = 1\n'\u{202e}x' = 2 # \u{1b}]0;title\u{7}\n";
    let drawn = render(&found(text), text, false);
    assert!(drawn.contains("title"));
    assert!(!drawn.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{drawn}");
}

#[test]
fn a_span_that_does_not_fit_the_text_is_drawn_without_it() {
    let list = found("[engine]\nschemes = ['beare']\n");
    for text in ["", "x", "ää", "[engine]\nsäää", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n"] {
        assert!(render(&list, text, false).contains("beare"), "{text:?}");
    }
}

#[test]
fn broken_toml_gives_no_problems_that_mending_it_would_solve() {
    // The role's name and the route's path cannot be read; that they are missing is not another problem.
    let text = "[[role]]\nname = clerk\n[[route]]\npath = '/\nschemes = 'basic'\nrequire = { role = 'clerk' }\n";
    let lines: Vec<u32> = check(text).unwrap_err().iter().map(|d| d.line).collect();
    assert_eq!(lines, [2, 4]);
}

#[test]
fn what_is_wrong_beside_broken_toml_is_still_said() {
    let text = "[engine]\nname = Orders\nleeway = '1h'\nschems = 'basic'\n";
    let lines: Vec<u32> = check(text).unwrap_err().iter().map(|d| d.line).collect();
    assert_eq!(lines, [2, 3, 4]);
}

#[test]
fn a_policy_that_cannot_be_read_is_an_error_with_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let only = |path: &Path| -> Diagnostic {
        let mut list = load(path).unwrap_err();
        assert_eq!(list.len(), 1, "{list:#?}");
        list.remove(0)
    };
    let missing = folder.path().join("gone.toml");
    let said = only(&missing);
    assert!(said.message.contains("gone.toml") && said.message.contains("No such file"), "{}", said.message);
    assert_eq!((said.file.as_path(), said.line, said.column), (missing.as_path(), 1, 1));
    assert!(only(folder.path()).message.contains("cannot be read"));

    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"[engine]\nname = \"B\xfcro\"\n").unwrap();
    let said = only(&latin);
    assert_eq!((said.message.as_str(), said.line, said.column), ("the policy is not UTF-8 from here on", 2, 10));
}
