//! Holds the rules of docs/ARCHITECTURE.md: who may use whom, where `unsafe` may stand, how long a file may grow.

// Helpers of tests may panic; clippy exempts only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What a row of the table allows.
enum Allowed {
    Everything,
    Only(BTreeSet<String>),
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md is there")
}

fn rules() -> BTreeMap<String, Allowed> {
    let document = document();
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let rules: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let [module, _, uses] = cells[..] else { panic!("three cells: {row}") };
            let allowed = match uses {
                "everything" => Allowed::Everything,
                "nothing" => Allowed::Only(BTreeSet::new()),
                list => Allowed::Only(list.split(',').map(|name| name.trim().trim_matches('`').to_owned()).collect()),
            };
            (module.trim_matches('`').to_owned(), allowed)
        })
        .collect();
    assert!(rules.len() > 15, "the table was not found");
    rules
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// `src/policy/model.rs` → `policy::model`.
fn module_of(path: &Path) -> String {
    let relative = path.strip_prefix(root().join("src")).unwrap().with_extension("");
    let parts: Vec<String> = relative.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    parts.join("::").trim_end_matches("::mod").to_owned()
}

/// The paths that a source names after `crate::`, with groups spelled out, down to `#[cfg(test)]`.
fn uses_of(source: &str) -> BTreeSet<String> {
    let product = source.split("#[cfg(test)]").next().unwrap();
    let code: String =
        product.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        let (path, after) = rest.split_at(end);
        match after.strip_prefix('{') {
            Some(group) if path.ends_with("::") || path.is_empty() => {
                let inside = group.split(';').next().unwrap();
                found.extend(inside.split([',', '{', '}']).map(|item| format!("{path}{}", item.trim())));
            }
            _ => {
                found.insert(path.to_owned());
            }
        }
    }
    found
}

fn covers(name: &str, path: &str) -> bool {
    path == name || path.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"))
}

#[test]
fn nobody_uses_what_the_table_does_not_allow() {
    let rules = rules();
    let mut broken = Vec::new();
    let mut checked = 0;
    for path in sources(&root().join("src")) {
        let module = module_of(&path);
        if module == "lib" || module.starts_with("bin::") {
            continue;
        }
        let home = rules.keys().filter(|name| covers(name, &module)).max_by_key(|name| name.len());
        let Some(home) = home else {
            broken.push(format!("{module}: no row of docs/ARCHITECTURE.md is about it"));
            continue;
        };
        checked += 1;
        let Allowed::Only(allowed) = &rules[home] else { continue };
        for used in uses_of(&std::fs::read_to_string(&path).unwrap()) {
            let fine = covers(home, &used) || allowed.iter().any(|name| covers(name, &used));
            if !fine && !used.is_empty() {
                broken.push(format!("{} uses crate::{used}, which `{home}` may not", path.display()));
            }
        }
    }
    assert!(checked > 30, "only {checked} files were checked");
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_check_sees_groups_and_plain_uses() {
    let source =
        "use crate::a::{b, c::d};\nfn f() { crate::e::g(); }\n// crate::comment\n#[cfg(test)]\nuse crate::tests;";
    let found = uses_of(source);
    for wanted in ["a::b", "a::c::d", "e::g"] {
        assert!(found.contains(wanted), "{wanted} in {found:?}");
    }
    assert!(!found.iter().any(|used| used.contains("comment") || used.contains("tests")), "{found:?}");
    assert!(
        covers("ffi::os", "ffi::os::fork") && !covers("ffi::os", "ffi::ostrich") && !covers("policy::model", "policy")
    );
}

#[test]
fn unsafe_code_stands_in_ffi_alone() {
    let mut seen_inside = false;
    for path in sources(&root().join("src")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let inside = path.starts_with(root().join("src/ffi"));
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let opens = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe("]
                .iter()
                .any(|word| code.contains(word));
            assert!(!opens || inside, "{}:{}: unsafe outside src/ffi", path.display(), number + 1);
            seen_inside |= opens && inside;
        }
    }
    assert!(seen_inside, "no unsafe code was found at all: the check is blind");
}

#[test]
fn no_source_file_outgrows_500_lines() {
    let folders = ["src", "tests", "examples", "benches"];
    let long: Vec<String> = folders
        .iter()
        .filter(|folder| root().join(folder).exists())
        .flat_map(|folder| sources(&root().join(folder)))
        .filter_map(|path| {
            let lines = std::fs::read_to_string(&path).unwrap().lines().count();
            (lines > 500).then(|| format!("{}: {lines}", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "split by idea:\n{}", long.join("\n"));
}

#[test]
fn every_path_that_a_document_names_exists() {
    let mut named = 0;
    let mut documents = vec![root().join("README.md")];
    documents.extend(std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path()));
    for document in documents.iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(document).unwrap_or_else(|e| panic!("{}: {e}", document.display()));
        let quoted = text.split('`').skip(1).step_by(2);
        let ours = ["src/", "tests/", "docs/", "examples/", "include/", "benches/", "fuzz/", ".ci/"];
        for path in quoted
            .filter(|path| ours.iter().any(|start| path.starts_with(start)) && !path.contains([' ', '*', '<', '…']))
        {
            named += 1;
            assert!(root().join(path).exists(), "{} names {path}, which is not there", document.display());
        }
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !target.contains("://") && !target.starts_with('#') {
                let path = document.parent().unwrap().join(target.split('#').next().unwrap());
                named += 1;
                assert!(path.exists(), "{} links to {target}, which is not there", document.display());
            }
        }
    }
    assert!(named > 10, "only {named} paths were found");
}
