//! A published list of common passwords against the rules for new ones: by the built-in rules more than nine in ten that are
//! long enough are refused, and with a filter made of the list all of them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;
mod vectors;

use gatepost::passwords::check;
use gatepost::policy;
use gatepost::policy::model::PasswordRules;

const FILE: &str = "passwords/blocklist/django_common_passwords.txt";

/// Every rule but the length, which only a second factor could lower to 8.
fn rules(folder: &std::path::Path, password: &str) -> PasswordRules {
    let text = format!(
        "[engine]\nname = \"Shop\"\n[password]\nmin_length = 8\n{password}[[route]]\npath = \"/\"\naccess = \"public\"\n"
    );
    policy::parse(&text, &folder.join("shop.toml"), folder)
        .unwrap_or_else(|list| panic!("{list:#?}"))
        .policy
        .password
        .clone()
}

#[test]
fn passwords_of_djangos_list_are_refused() {
    let Some(list) = vectors::read(FILE) else { return };
    assert_eq!(list.lines().count(), 19_640);
    let long: Vec<&str> = list.lines().filter(|line| line.chars().count() >= 8).collect();
    let folder = tempfile::tempdir().unwrap();

    let built_in = rules(folder.path(), "");
    let accepted: Vec<&&str> = long.iter().filter(|line| check(line, None, &built_in).is_empty()).collect();
    println!(
        "{} of {} lines have 8 characters or more; the built-in rules let {} pass",
        long.len(),
        list.lines().count(),
        accepted.len()
    );
    // The rest are what machines made up and thieves cracked, such as "fqrg7cs493": no rule but a list knows them.
    assert!(
        long.len() == 8_354 && accepted.len() * 12 <= long.len(),
        "{} of {}: {accepted:?}",
        accepted.len(),
        long.len()
    );

    std::fs::write(folder.path().join("list.txt"), &list).unwrap();
    command::run_in(folder.path(), &["passwords", "build-filter", "list.txt", "-o", "list.filter"], "").exits(0);
    let filtered = rules(folder.path(), "breached = \"list.filter\"\n");
    let accepted: Vec<&&str> = long.iter().filter(|line| check(line, None, &filtered).is_empty()).collect();
    assert!(accepted.is_empty(), "{accepted:?}");
    // The filter refuses what is on the list, not everything.
    assert!(check("four green teas with rita at noon", None, &filtered).is_empty());
}
