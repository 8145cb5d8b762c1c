//! Engines whose issuer has its keys on a server, with a clock that tests turn.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gatepost::engine::{Engine, Options, Told};
use gatepost::fetch::{self, Fetch};
use gatepost::policy::{self, Loaded};
use serde_json::Value;

use super::server::Server;
use super::{Signer, keep_house, reason};
use crate::engine_support::NOW;

/// A folder with a state that engines share, a clock, and what they tell.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub clock: Arc<AtomicI64>,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Place {
    pub fn new(server: &Server) -> Place {
        let folder = tempfile::tempdir().unwrap();
        server.write_ca(folder.path());
        Place { folder, clock: Arc::new(AtomicI64::new(NOW)), heard: Arc::default() }
    }

    /// The policy of an issuer with these keys.
    pub fn policy(&self, issuer: &str, keys: &str) -> Loaded {
        let text = format!(
            "[engine]\nstate = \"{}\"\nschemes = [\"bearer\"]\n[[issuer]]\nname = \"accounts\"\nissuer = \"{issuer}\"\n\
             audience = \"orders\"\nalgorithms = \"EdDSA\"\nkeys = {keys}\n[[route]]\npath = \"/orders\"\n",
            self.folder.path().join("state.db").display()
        );
        policy::parse(&text, Path::new("gatepost.toml"), self.folder.path())
            .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, &text, false)))
    }

    /// A started engine with it.
    pub fn engine(&self, issuer: &str, keys: &str) -> Engine {
        let engine = Engine::new(self.policy(issuer, keys), self.options());
        engine.start().unwrap();
        engine
    }

    pub fn options(&self) -> Options {
        let (sink, clock) = (Arc::clone(&self.heard), Arc::clone(&self.clock));
        let on_event =
            Arc::new(move |told: &Told<'_>| sink.lock().unwrap().push(serde_json::from_str(told.line).unwrap()));
        Options {
            clock: Some(Arc::new(move || clock.load(Ordering::Relaxed))),
            on_event: Some(on_event),
            fetch: patient(),
            ..Options::default()
        }
    }

    /// So many seconds pass.
    pub fn wait(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// So many seconds pass, and each engine keeps house in every one of them.
    pub fn live(&self, seconds: i64, engines: &[&Engine]) {
        for _ in 0..seconds {
            self.wait(1);
            engines.iter().for_each(|engine| keep_house(engine));
        }
    }

    /// The events about keys so far, once `engine` has told what it has to tell.
    pub fn told(&self, engine: &Engine) -> Vec<Value> {
        engine.poll().unwrap();
        let about_keys = |line: &&Value| line["event"].as_str().unwrap().starts_with("keys_");
        self.heard.lock().unwrap().iter().filter(about_keys).cloned().collect()
    }

    /// Their names.
    pub fn names(&self, engine: &Engine) -> Vec<String> {
        self.told(engine).iter().map(|line| line["event"].as_str().unwrap().to_owned()).collect()
    }

    /// The message of the last failure.
    pub fn failure(&self, engine: &Engine) -> String {
        let told = self.told(engine);
        let failed = told.iter().rev().find(|line| line["event"] == "keys_failed");
        failed.unwrap_or_else(|| panic!("no failure: {told:?}"))["message"].as_str().unwrap().to_owned()
    }
}

/// Fetches as an engine does by itself, but waits long: a machine that stands still for some seconds makes no server slow.
pub fn patient() -> Option<Fetch> {
    fetch::own(Duration::from_secs(300))
}

/// What a token of this key comes to.
pub fn seen(engine: &Engine, signer: &Signer, issuer: &str) -> &'static str {
    reason(engine, &signer.bearer(issuer))
}

/// A counter of refreshes.
pub fn counted(engine: &Engine, result: &str) -> u64 {
    let metrics = engine.metrics().unwrap();
    let start = format!("gatepost_key_refreshes_total{{result=\"{result}\"}} ");
    metrics.lines().find_map(|line| line.strip_prefix(start.as_str())).unwrap().parse().unwrap()
}
