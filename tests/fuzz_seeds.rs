//! The seeds of the fuzz targets, through the same checks as `make fuzz-smoke` runs them, and many small changes of each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../fuzz/src/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};

use proptest::prelude::*;

type Check = fn(&[u8]) -> bool;

/// Every target with its check and how many seeds it has at least.
const TARGETS: [(&str, Check, usize); 6] = [
    ("token", checks::token, 40),
    ("claims", checks::claims, 60),
    ("jwk", checks::jwk, 20),
    ("pem", checks::pem, 10),
    ("json", checks::json, 15),
    ("dpop", checks::dpop, 15),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = root().join("fuzz/seeds").join(target);
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn seeds_named_good_are_accepted_and_all_others_refused() {
    let mut wrong = Vec::new();
    for (target, check, least) in TARGETS {
        let seeds = seeds(target);
        assert!(seeds.len() >= least, "{target}: only {}", seeds.len());
        for (name, bytes) in &seeds {
            if check(bytes) != name.starts_with("good-") {
                wrong.push(format!("{target}/{name}"));
            }
        }
        assert!(seeds.iter().any(|(name, _)| name.starts_with("good-")), "{target}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn seeds_are_named_after_attacks_that_the_document_lists() {
    let document = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let ids: Vec<&str> = document.split(['|', ',', ' ']).map(str::trim).collect();
    let mut named = 0;
    for (target, ..) in TARGETS {
        for (name, _) in seeds(target) {
            let words: Vec<&str> = name.strip_prefix("good-").unwrap_or(&name).split('-').collect();
            let id = match words[0] {
                "CVE" => words[..3].join("-"),
                "GHSA" => words[..4].join("-"),
                _ => continue,
            };
            assert!(ids.contains(&id.as_str()), "{target}/{name}: docs/security.md does not list {id}");
            named += 1;
        }
    }
    assert!(named >= 60, "only {named}");
}

#[test]
fn every_target_has_a_program_and_every_program_is_a_target() {
    let mut programs: Vec<String> = std::fs::read_dir(root().join("fuzz/targets"))
        .unwrap()
        .map(|entry| Path::new(&entry.unwrap().file_name()).file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    programs.sort();
    let mut targets = TARGETS.map(|(name, ..)| name.to_owned());
    targets.sort();
    assert_eq!(programs, targets);
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).unwrap();
    let script = std::fs::read_to_string(root().join("fuzz/smoke.sh")).unwrap();
    let (_, list) = script.split_once("targets=(").unwrap();
    let run: Vec<&str> = list.split(')').next().unwrap().split(' ').collect();
    for name in targets {
        assert!(manifest.contains(&format!("[[bin]]\nname = \"{name}\"\npath = \"targets/{name}.rs\"")), "{name}");
        assert!(run.contains(&&*name), "{name} is not run by make fuzz-smoke");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Not what a fuzzer finds, but without one: octets changed, cut out, doubled, and seeds put together.
    #[test]
    fn changes_of_seeds_keep_every_promise(
        target in 0usize..6,
        seed in any::<prop::sample::Index>(),
        other in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 1..6),
    ) {
        thread_local! {
            static SEEDS: Vec<Vec<Vec<u8>>> = TARGETS
                .iter()
                .map(|(name, ..)| seeds(name).into_iter().map(|(_, bytes)| bytes).collect())
                .collect();
        }
        let (mut bytes, more) =
            SEEDS.with(|seeds| (seed.get(&seeds[target]).clone(), other.get(&seeds[target]).clone()));
        for (at, how, byte) in changes {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 => _ = bytes.get_mut(at).map(|octet| *octet ^= 1 << (byte % 8)),
                2 => _ = bytes.drain(at..(at + usize::from(byte) % 9).min(bytes.len())),
                _ => bytes.splice(at..at, more.iter().copied().take(usize::from(byte))).for_each(drop),
            }
        }
        (TARGETS[target].1)(&bytes);
    }
}
