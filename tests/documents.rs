//! Holds the documents that map promises to tests to what is there: every case and test that docs/security.md,
//! docs/ASVS.md and docs/CONFORMANCE.md name exists, no row is there twice, every count is right. It knows nothing but
//! the repository.
//!
//! In these documents a code span that begins with a folder of the repository is a reference: a path, and behind `: `
//! the name of a case or a test in it. A name that ends in ` …` stands for every case that begins so.

// Helpers of tests may panic; clippy exempts only the tests themselves.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const DOCUMENTS: [&str; 5] =
    ["docs/security.md", "docs/ASVS.md", "docs/CONFORMANCE.md", "docs/CASES.md", "docs/EMBEDDING.md"];

#[test]
fn every_case_test_and_file_that_a_document_names_exists() {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = read(document);
        let found: Vec<&str> = references(&text).collect();
        // Fewer than these would mean that the references are not recognised any more.
        let least = match document {
            "docs/CASES.md" => 2,
            "docs/EMBEDDING.md" => 20,
            _ => 25,
        };
        assert!(found.len() >= least, "{document}: only {} references", found.len());
        missing.extend(found.iter().filter_map(|reference| Some(format!("{document}: {}", fault(reference)?))));
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

#[test]
fn a_reference_to_nothing_is_noticed() {
    for good in [
        "tests/documents.rs: a_reference_to_nothing_is_noticed",
        "src/route/tests/properties.rs: no_bytes_make_it_panic",
        "tests/cases/targets.json: a public path is public",
        "tests/cases/targets.json: ambiguous: …",
        "docs/POLICY.md",
    ] {
        assert_eq!(fault(good), None, "{good}");
    }
    for bad in [
        "tests/nowhere.rs",
        "tests/documents.rs: a_test_that_nobody_wrote",
        // A helper is no test.
        "tests/documents.rs: fault",
        "tests/cases/targets.json: a public path",
        "tests/cases/targets.json: a case that nobody wrote …",
        "docs/POLICY.md: anything",
    ] {
        assert!(fault(bad).is_some(), "{bad}");
    }
    let text = "| `src/lib.rs: a` and `alg: none`, `tests/x.rs` | `Cargo.toml` |";
    assert_eq!(references(text).collect::<Vec<_>>(), ["src/lib.rs: a", "tests/x.rs", "Cargo.toml"]);
}

#[test]
fn each_attack_stands_in_the_list_once_and_has_an_answer() {
    let text = read("docs/security.md");
    let mut ids = BTreeSet::new();
    for row in rows(&text, 3) {
        for id in row[0].split(", ") {
            assert!(ids.insert(id.to_owned()), "docs/security.md: {id} stands there twice");
        }
        let waits = row[2].contains("later: needs ") || row[2].starts_with("cannot apply: ");
        let answered = references(row[2]).next().is_some() || waits;
        assert!(answered, "docs/security.md: {} has no answer", row[0]);
    }
    assert!(ids.len() >= 125, "docs/security.md: only {} ids", ids.len());
    for (file, name) in all_cases() {
        for id in name.split([' ', ',', ':']).filter(|word| word.starts_with("CVE-") || word.starts_with("GHSA-")) {
            assert!(ids.contains(id), "{file}: {name:?} is about {id}, which docs/security.md does not list");
        }
    }
}

#[test]
fn each_requirement_of_asvs_has_one_state_and_what_is_met_is_shown() {
    let text = read("docs/ASVS.md");
    let mut ids = BTreeSet::new();
    let mut counts = [0usize; 3];
    for row in rows(&text, 6) {
        let [id, level, kind, _, state, how] = row[..] else { panic!("{row:?}") };
        assert!(ids.insert(id.to_owned()), "docs/ASVS.md: {id} stands there twice");
        assert!(["L1", "L2", "L3"].contains(&level) && ["E", "C", "D"].contains(&kind), "docs/ASVS.md: {id}");
        let which = ["met", "partly", "not yet"].iter().position(|known| *known == state);
        counts[which.unwrap_or_else(|| panic!("docs/ASVS.md: {id} is {state:?}"))] += 1;
        assert!(!how.is_empty(), "docs/ASVS.md: {id} does not say how");
        if state == "met" {
            assert!(references(how).next().is_some(), "docs/ASVS.md: {id} is met, and nothing shows it");
        }
    }
    // The numbers themselves are printed, not written down: every part that is built moves them.
    let [met, partly, not_yet] = counts;
    println!("ASVS: {met} met, {partly} partly met, {not_yet} not yet met");
    assert!(text.contains(&format!("Of {} requirements", ids.len())), "docs/ASVS.md says another number of them");
}

#[test]
fn a_vector_file_that_is_said_to_be_run_is_read_by_the_test_beside_it() {
    let text = read("docs/CONFORMANCE.md");
    let mut files = BTreeSet::new();
    for row in rows(&text, 4) {
        let sources: Vec<String> =
            references(row[2]).map(|reference| read(reference.split(": ").next().unwrap())).collect();
        for span in spans(row[0]) {
            let name = span.rsplit('/').next().unwrap();
            // One test puts its names together: a fixed part, and the digest.
            let built = |source: &String| name.starts_with("rfc-4231-sha") && source.contains("rfc-4231-{file}.txt");
            let known = span == "wycheproof" || sources.iter().any(|source| source.contains(name) || built(source));
            assert!(known, "docs/CONFORMANCE.md: {span} is read by none of the tests beside it");
            files.insert(span.to_owned());
        }
    }
    assert!(files.len() >= 30, "{} files", files.len());
}

#[test]
fn every_case_file_is_valid_json_with_names_of_their_own() {
    let mut files = 0;
    for folder in ["tests/cases", "examples/cases"] {
        for path in json_files(&root().join(folder)) {
            let names = case_names(&path);
            let distinct: BTreeSet<&String> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{}: two cases of one name", path.display());
            files += 1;
        }
    }
    assert!(files > 40, "{files}");
}

#[test]
fn the_example_of_docs_cases_passes_and_its_beginning_is_what_the_document_shows() {
    let path = root().join("examples/cases/shop.json");
    let output = Command::new(env!("CARGO_BIN_EXE_gatepost")).arg("test").arg(&path).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{out}{err}");
    assert!(out.ends_with(" passed, 0 failed\n") && !out.starts_with("0 "), "{out}");

    let document = read("docs/CASES.md");
    let shown = document.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Value = serde_json::from_str(shown).unwrap();
    let whole: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(shown["policy"], whole["policy"]);
    assert_eq!(shown["state"]["users"][0], whole["state"]["users"][0]);
    let case = &shown["cases"][0];
    let same = whole["cases"].as_array().unwrap().iter().find(|other| other["name"] == case["name"]).unwrap();
    assert_eq!(case["request"], same["request"]);
    for (member, value) in case["expect"].as_object().unwrap() {
        assert_eq!(*value, same["expect"][member], "{member}");
    }
}

/// What is wrong with a reference; `None` where it leads somewhere.
fn fault(reference: &str) -> Option<String> {
    let (file, name) = match reference.split_once(": ") {
        Some((file, name)) => (file, Some(name)),
        None => (reference, None),
    };
    let path = root().join(file);
    if !path.exists() {
        return Some(format!("there is no {file}"));
    }
    let name = name?;
    let found = match path.extension().and_then(|extension| extension.to_str()) {
        Some("json") => {
            let names = case_names(&path);
            match name.strip_suffix(" …") {
                Some(beginning) => names.iter().any(|known| known.starts_with(beginning)),
                None => names.iter().any(|known| known == name),
            }
        }
        Some("rs") => is_test(&std::fs::read_to_string(&path).unwrap(), name),
        _ => false,
    };
    (!found).then(|| format!("{file} has no {name:?}"))
}

/// A function of this name stands behind `#[test]`, with no other function between.
fn is_test(source: &str, name: &str) -> bool {
    let wanted = format!("fn {name}(");
    source.split("#[test]").skip(1).any(|rest| rest.find("fn ").is_some_and(|at| rest[at..].starts_with(&wanted)))
}

/// The code spans that are references to the repository.
fn references(text: &str) -> impl Iterator<Item = &str> {
    const FOLDERS: [&str; 6] = ["src/", "tests/", "docs/", "examples/", "include/", "benches/"];
    spans(text).filter(|span| {
        let file = span.split(": ").next().unwrap_or(span);
        let here = FOLDERS.iter().any(|folder| file.starts_with(folder)) || file.starts_with("Cargo.");
        here && !file.contains('*') && !file.contains(' ')
    })
}

/// The code spans of a text, line by line; blocks of code are left out.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// The rows of all tables with so many columns, without their headings.
fn rows(text: &str, columns: usize) -> Vec<Vec<&str>> {
    let cells = |line| -> Vec<&str> { str::trim_matches(line, '|').split(" | ").map(str::trim).collect() };
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("| ---");
    let is_heading = |at: usize| lines.get(at + 1).is_some_and(|next| is_rule(next));
    let table =
        lines.iter().enumerate().filter(|(at, line)| line.starts_with("| ") && !is_rule(line) && !is_heading(*at));
    let rows: Vec<Vec<&str>> = table.map(|(_, line)| cells(*line)).filter(|row| row.len() == columns).collect();
    assert!(rows.len() >= 20, "only {} rows of {columns} columns", rows.len());
    rows
}

/// (file, name) of every case in the repository.
fn all_cases() -> Vec<(String, String)> {
    let files = json_files(&root().join("tests/cases"));
    files
        .iter()
        .flat_map(|path| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            case_names(path).into_iter().map(move |name| (file.clone(), name))
        })
        .collect()
}

/// The names of the cases of a file; steps have none.
fn case_names(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases = file["cases"].as_array().map_or(&[][..], Vec::as_slice);
    assert!(!cases.is_empty() || file["policy_errors"].is_array(), "{}: no cases", path.display());
    let requests = cases.iter().filter(|case| case.get("do").is_none());
    requests
        .map(|case| case["name"].as_str().unwrap_or_else(|| panic!("{}: no name", path.display())).to_owned())
        .collect()
}

fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    files
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
