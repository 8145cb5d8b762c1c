//! Files of keys that change while the engine runs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
mod keys_support;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use gatepost::engine::{Engine, Options, Told};
use gatepost::policy;
use keys_support::*;
use serde_json::Value;

const ISSUER: &str = "https://accounts.example.com";

struct Place {
    folder: tempfile::TempDir,
    engine: Engine,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Place {
    /// An engine whose issuer has its keys in `keys.json`.
    fn new(keys: &str) -> Place {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("keys.json"), keys);
        let text = format!(
            "[engine]\nstate = \":memory:\"\nschemes = [\"bearer\"]\n[[issuer]]\nname = \"accounts\"\nissuer = \"{ISSUER}\"\n\
             audience = \"orders\"\nalgorithms = \"EdDSA\"\nkeys = {{ file = \"keys.json\" }}\n[[route]]\npath = \"/orders\"\n"
        );
        let loaded = policy::parse(&text, Path::new("gatepost.toml"), folder.path()).unwrap();
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let sink = Arc::clone(&heard);
        let on_event = Arc::new(move |told: &Told<'_>| {
            sink.lock().unwrap().push(serde_json::from_str(told.line).unwrap());
        });
        let engine = Engine::new(loaded, Options { on_event: Some(on_event), ..Options::default() });
        engine.start().unwrap();
        Place { folder, engine, heard }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys.json")
    }

    fn reason(&self, signer: &Signer) -> &'static str {
        reason(&self.engine, &signer.bearer(ISSUER))
    }

    /// The events about keys so far.
    fn told(&self) -> Vec<Value> {
        self.engine.poll().unwrap();
        let about_keys = |line: &&Value| line["event"].as_str().unwrap().starts_with("keys_");
        self.heard.lock().unwrap().iter().filter(about_keys).cloned().collect()
    }

    fn names(&self) -> Vec<String> {
        self.told().iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
    }

    fn counted(&self, result: &str) -> u64 {
        let metrics = self.engine.metrics().unwrap();
        let start = format!("gatepost_key_refreshes_total{{result=\"{result}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap().parse().unwrap()
    }
}

/// Replaces a file as operators should, by rename.
fn write(path: &Path, text: &str) {
    let fresh = path.with_extension("new");
    std::fs::write(&fresh, text).unwrap();
    std::fs::rename(&fresh, path).unwrap();
}

#[test]
fn a_file_of_keys_that_was_replaced_is_read_again_by_housekeeping_and_told_of() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let place = Place::new(&set(&[&old]));
    keep_house(&place.engine);
    assert_eq!((place.reason(&old), place.reason(&new)), ("allowed", "token_key_unknown"));
    assert!(place.told().is_empty());

    write(&place.path(), &set(&[&new]));
    assert_eq!(place.reason(&new), "token_key_unknown", "no request reads a file");
    let before = place.engine.generation();
    keep_house(&place.engine);
    assert_eq!((place.reason(&old), place.reason(&new)), ("token_key_unknown", "allowed"));
    assert_eq!(place.engine.generation(), before, "it is no reload");
    let told = place.told();
    assert_eq!(place.names(), ["keys_changed"]);
    assert_eq!((&told[0]["added"], &told[0]["removed"]), (&serde_json::json!(["new"]), &serde_json::json!(["old"])));
    assert_eq!(told[0]["issuer"], ISSUER);
    assert_eq!(told[0]["source"], place.path().to_str().unwrap());
    assert_eq!((place.counted("changed"), place.counted("failed")), (1, 0));
}

#[test]
fn a_file_that_is_looked_at_again_and_holds_the_same_is_no_event() {
    let signer = Signer::new("one");
    let place = Place::new(&set(&[&signer]));
    for _ in 0..3 {
        write(&place.path(), &set(&[&signer]));
        keep_house(&place.engine);
        keep_house(&place.engine);
    }
    assert_eq!(place.reason(&signer), "allowed");
    assert!(place.told().is_empty(), "{:?}", place.told());
}

#[test]
fn a_reread_that_fails_keeps_the_keys_is_told_once_and_so_is_its_end() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let place = Place::new(&set(&[&old]));
    for broken in ["", "{", "{\"keys\": []}", "[]"] {
        let already = place.names().len();
        write(&place.path(), broken);
        for _ in 0..3 {
            keep_house(&place.engine);
        }
        assert_eq!(place.reason(&old), "allowed", "{broken}");
        let told = place.told();
        assert_eq!(told.len(), already + 1, "{broken}: {told:?}");
        assert_eq!(told[already]["event"], "keys_failed");
        assert!(told[already]["message"].as_str().unwrap().contains("stay in force"), "{told:?}");
    }
    std::fs::remove_file(place.path()).unwrap();
    for _ in 0..3 {
        keep_house(&place.engine);
    }
    assert_eq!(place.reason(&old), "allowed");
    assert_eq!(place.names(), ["keys_failed"; 5]);
    write(&place.path(), &set(&[&old]));
    keep_house(&place.engine);
    assert_eq!(place.names().last().unwrap(), "keys_recovered");
    // A failure after which other keys are there is told as the change.
    write(&place.path(), "{");
    keep_house(&place.engine);
    keep_house(&place.engine);
    write(&place.path(), &set(&[&old, &new]));
    keep_house(&place.engine);
    assert_eq!(place.names()[6..], ["keys_failed", "keys_changed"]);
    assert_eq!((place.reason(&old), place.reason(&new)), ("allowed", "allowed"));
}

#[test]
fn a_folder_or_a_pipe_in_the_place_of_the_file_holds_nobody_up() {
    let signer = Signer::new("one");
    let place = Place::new(&set(&[&signer]));
    std::fs::remove_file(place.path()).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        place.path(),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    )
    .unwrap();
    keep_house(&place.engine);
    assert_eq!(place.reason(&signer), "allowed");
    std::fs::remove_file(place.path()).unwrap();
    std::fs::create_dir(place.path()).unwrap();
    keep_house(&place.engine);
    assert_eq!(place.names(), ["keys_failed"], "the same fault is told once: {:?}", place.told());
}

/// A file is seen while somebody writes it: what is only half there is not told of at once.
#[test]
fn a_file_that_is_just_being_written_is_given_another_look() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let place = Place::new(&set(&[&old]));
    std::fs::write(place.path(), "{\"keys\": [").unwrap();
    keep_house(&place.engine);
    assert!(place.told().is_empty());
    std::fs::write(place.path(), set(&[&new])).unwrap();
    keep_house(&place.engine);
    assert_eq!(place.names(), ["keys_changed"]);
    assert_eq!(place.reason(&new), "allowed");
    // Two changes within what a file system can tell apart: the second one shows all the same.
    std::fs::write(place.path(), set(&[&old])).unwrap();
    keep_house(&place.engine);
    assert_eq!(place.reason(&old), "allowed");
}
