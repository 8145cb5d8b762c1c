//! What the tests of an engine's events share: a policy with an events file, and a host that listens.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use gatepost::engine::{Engine, OnEvent, Told};
use serde_json::Value;

use crate::engine_support::*;
use crate::events_support::decisions;

pub fn text(file: &str, more: &str) -> String {
    format!(
        "[engine]\nname = \"Orders\"\nstate = \":memory:\"\nschemes = [\"basic\", \"bearer\", \"api-key\", \"session\"]\n\
         {CHEAP}[throttle]\naccount = {{ failures = 1000, per = \"15m\" }}\naddress = {{ failures = 1000, per = \"15m\" }}\n\
         pair = {{ failures = 1000, per = \"15m\" }}\n{ISSUER}[[role]]\nname = \"clerk\"\n\
         [[route]]\npath = \"/open\"\naccess = \"public\"\n[[route]]\npath = \"/in/{{id}}\"\n\
         [[route]]\npath = \"/admin\"\nhost = \"admin.example.com\"\nrequire = {{ role = \"clerk\" }}\n\
         [[route]]\npath = \"/clerk\"\nmethods = [\"GET\"]\nrequire = {{ role = \"clerk\" }}\n\
         [[route]]\npath = \"/inside\"\nrequire = {{ network = [\"10.0.0.0/8\"] }}\n\
         [events]\nfile = \"{file}\"\n{more}"
    )
}

/// A folder with an events file.
pub struct Place {
    pub folder: tempfile::TempDir,
    pub file: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gatepost.jsonl");
        Place { folder, file }
    }

    pub fn policy(&self, more: &str) -> String {
        text(self.file.to_str().unwrap(), more)
    }

    pub fn engine(&self, more: &str) -> Engine {
        let engine = engine(&self.policy(more));
        add_user(&engine, "alice", &["clerk"]);
        add_user(&engine, "rita", &[]);
        engine
    }

    pub fn decisions(&self) -> Vec<Value> {
        decisions(&self.file)
    }
}

pub type Heard = Arc<Mutex<Vec<(String, usize, std::thread::ThreadId)>>>;

pub fn listener() -> (OnEvent, Heard) {
    let heard = Heard::default();
    let into = Arc::clone(&heard);
    let on_event: OnEvent = Arc::new(move |told: &Told<'_>| {
        into.lock().unwrap().push((told.line.to_owned(), told.user, std::thread::current().id()));
    });
    (on_event, heard)
}
