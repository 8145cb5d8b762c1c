//! `docs/REASONS.md` is what the table of reasons and the catalogue say. `UPDATE=1 cargo test --test reasons` rewrites
//! it.

#![allow(clippy::unwrap_used, reason = "clippy exempts the test functions themselves, not what they call")]

use std::collections::BTreeMap;
use std::path::Path;

use gatepost::catalogue::{Language, phrase, sentences};
use gatepost::reason::Reason;

const HEAD: &str = "# Reasons

<!-- Generated from src/reason.rs and src/catalogue/: mend those, then `make update`. -->

Every decision has a reason. Its name stands in the log, in `gatepost decide`, in the body of a refusal and in case files; its number is `GATEPOST_REASON_…` in C. Neither ever changes its meaning.

To find out why somebody was refused, look up the id that they read in the log, then the reason here, then replay the request with `gatepost decide POLICY METHOD URL --explain`. Commands of `gatepost` that this page names, such as `user show NAME`, want `--policy POLICY` besides.

*The person reads* is the English text; they get it in the language that their `Accept-Language` prefers, as a page or as problem details, whichever their `Accept` prefers. It gives nothing away that helps an attacker: unknown user, wrong password and disabled account read alike. *You check* is for the operator alone and is never sent.
";

fn generated() -> String {
    let mut by_status: BTreeMap<u16, Vec<Reason>> = BTreeMap::new();
    for &reason in Reason::ALL {
        by_status.entry(reason.status()).or_default().push(reason);
    }
    let mut text = HEAD.to_owned();
    for (status, reasons) in by_status {
        let phrase = phrase(status, Language::English);
        let note = match status {
            200 => "\n`passed` goes with PASS, `endpoint` with RESPOND, the others with ALLOW.\n",
            303 => "\nGoes with RESPOND.\n",
            _ => "",
        };
        let coded = reasons.iter().any(|reason| !reason.error_code().is_empty());
        let (column, rule) = if coded { (" error in the challenge |", " --- |") } else { ("", "") };
        text += &format!(
            "\n## {status} {phrase}\n{note}\n| reason | number |{column} the person reads | you check |\n| --- | --- |{rule} --- | --- |\n"
        );
        for reason in reasons {
            let code = match reason.error_code() {
                _ if !coded => String::new(),
                "" => "  |".into(),
                code => format!(" `{code}` |"),
            };
            text += &format!(
                "| `{reason}` | {} |{code} {} | {} |\n",
                reason.number(),
                cell(&sentences(reason).whole(Language::English)),
                cell(reason.operator())
            );
        }
    }
    text
}

/// As it can stand in a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[test]
fn the_document_is_what_table_and_catalogue_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/REASONS.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, generated()).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        held == generated(),
        "docs/REASONS.md is not what the source says; run: UPDATE=1 cargo test --test reasons"
    );
}

#[test]
fn every_reason_has_one_row() {
    let text = generated();
    for reason in Reason::ALL {
        assert_eq!(text.matches(&format!("\n| `{reason}` | {} |", reason.number())).count(), 1, "{reason}");
    }
}
