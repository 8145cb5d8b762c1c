//! A headless Chromium, spoken to by its DevTools protocol over a pipe.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::tools;

/// A browser with one page. Ends with its process.
pub struct Browser {
    process: Child,
    orders: ChildStdin,
    messages: Receiver<Value>,
    /// Events that nobody has taken yet.
    events: VecDeque<Value>,
    session: String,
    last: u64,
}

impl Browser {
    /// Starts one with an empty profile in `folder`.
    pub fn start(folder: &Path) -> Browser {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).expect("folder");
        let profile = format!("--user-data-dir={}", folder.join("profile").display());
        let mut process = Command::new("sh")
            // The protocol is on 3 and 4; the shell turns its own input and output into them.
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >&2"])
            .arg(tools::tool("chromium-headless-shell", "chromium-headless-shell"))
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--hide-scrollbars", "--remote-debugging-pipe", &profile])
            .env("HOME", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.join("log")).expect("log"))
            .spawn()
            .expect("sh");
        let orders = process.stdin.take().expect("piped");
        let mut answers = BufReader::new(process.stdout.take().expect("piped"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut message = Vec::new();
            while answers.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                message.pop();
                let Ok(value) = serde_json::from_slice(&message) else { break };
                if sender.send(value).is_err() {
                    break;
                }
                message.clear();
            }
        });
        let mut browser =
            Browser { process, orders, messages, events: VecDeque::new(), session: String::new(), last: 0 };
        let target = browser.order("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.order("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().expect("a session").to_owned();
        for domain in ["Page", "Network", "Log", "Runtime", "Audits"] {
            browser.order(&format!("{domain}.enable"), json!({}));
        }
        browser.order("Page.setLifecycleEventsEnabled", json!({ "enabled": true }));
        browser
    }

    /// Sends an order; what it results in.
    pub fn order(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": parameters });
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.orders.write_all(&bytes).expect("the browser listens");
        loop {
            let message = self.receive();
            if message["id"] == json!(self.last) {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push_back(message);
        }
    }

    /// The next event of this name; those before it that are not of it stay for [`Browser::events`].
    pub fn wait_for(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.events.iter().position(|event| event["method"] == method) {
                return self.events.remove(at).expect("it is there")["params"].clone();
            }
            let message = self.receive();
            self.events.push_back(message);
        }
    }

    /// Takes all events so far.
    pub fn events(&mut self) -> Vec<Value> {
        self.events.drain(..).collect()
    }

    /// Opens an address and waits until all of it is there.
    pub fn open(&mut self, address: &str) {
        let loader = self.order("Page.navigate", json!({ "url": address }))["loaderId"].clone();
        // Of this page: that the empty one is there may be told late.
        loop {
            let event = self.wait_for("Page.lifecycleEvent");
            if event["loaderId"] == loader && event["name"] == "load" {
                break;
            }
        }
    }

    /// Waits until a page is there, all of it, of which this expression holds.
    pub fn until(&mut self, expression: &str) {
        let whole = format!("document.readyState === 'complete' && {expression}");
        loop {
            self.wait_for("Page.loadEventFired");
            if self.evaluate(&whole) == true {
                break;
            }
        }
    }

    /// The value of an expression on the page.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let result = self.order("Runtime.evaluate", json!({ "expression": expression, "returnByValue": true }));
        assert!(result.get("exceptionDetails").is_none(), "{result}");
        result["result"]["value"].clone()
    }

    /// Sets the width of the window, CSS pixels.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.order("Emulation.setDeviceMetricsOverride", size);
    }

    /// Sets the medium (`screen`, `print`) and whether the person likes it dark.
    pub fn media(&mut self, medium: &str, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.order("Emulation.setEmulatedMedia", json!({ "media": medium, "features": features }));
    }

    /// Writes a picture of the whole page.
    pub fn picture(&mut self, path: &Path) {
        let taken = self.order("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true }));
        let png = data_encoding::BASE64.decode(taken["data"].as_str().expect("a picture").as_bytes()).expect("base64");
        std::fs::write(path, png).expect("written");
    }

    fn receive(&mut self) -> Value {
        // Decides nothing: a browser that hangs would hang the tests for ever.
        self.messages.recv_timeout(Duration::from_secs(300)).unwrap_or_else(|e| {
            panic!("the browser is gone or hangs ({e}); its log lies beside its profile in target/tmp")
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
