//! Each command through the binary: what it prints where, its exit codes, and that a change reaches an engine that is
//! running in another process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use command::{Ran, run_in};
use gatepost::engine::{Engine, Options};
use gatepost::request::{Header, Request};

const PASSWORD: &str = "correct horse battery staple";
/// `alice` with [`PASSWORD`].
const ALICE: &str = "Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";

/// The right shape, of no state.
const FORMER_KEY: &str = "gp_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAD7wYzu";

const POLICY: &str = r#"[engine]
name = "Shop"
state = "shop.db"
schemes = ["basic", "api-key"]
[identity]
subject = "X-User"
[password]
memory_kib = 19456
iterations = 1
[[role]]
name = "clerk"
permissions = ["orders:read"]
[[role]]
name = "admin"
includes = ["clerk"]
[[route]]
path = "/open"
access = "public"
[[route]]
path = "/orders/{id}"
require = { permission = "orders:read" }
[[route]]
path = "/admin"
require = { role = "admin" }
[[route]]
path = "/tls"
require = { tls = true }
[[route]]
host = "inner.example"
path = "/host"
access = "public"
"#;

/// A folder with a policy, `shop.toml`.
struct Shop(tempfile::TempDir);

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("shop.toml"), POLICY).unwrap();
        Shop(folder)
    }

    fn with_alice() -> Shop {
        let shop = Shop::new();
        shop.run("user add alice --role clerk --policy shop.toml", PASSWORD).exits(0);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs a command whose arguments hold no spaces.
    fn run(&self, arguments: &str, stdin: &str) -> Ran {
        self.run_with(&arguments.split_whitespace().collect::<Vec<_>>(), stdin)
    }

    fn run_with(&self, arguments: &[&str], stdin: &str) -> Ran {
        run_in(self.0.path(), arguments, stdin)
    }

    fn decide(&self, arguments: &str) -> Ran {
        self.run(&format!("decide shop.toml {arguments}"), "")
    }
}

#[test]
fn help_and_version_are_results_and_a_slip_in_the_usage_is_an_error() {
    let shop = Shop::new();
    shop.run("--version", "").exits(0).says(env!("CARGO_PKG_VERSION"));
    let help = shop.run("--help", "").exits(0).says("Examples:").says("Exit codes");
    for command in ["check", "decide", "test", "user", "key", "passwords", "hash", "verify"] {
        assert!(help.out.contains(command), "{command}");
        shop.run(&format!("{command} --help"), "").exits(0).says("Examples:");
    }
    for wrong in ["", "chekc x", "decide", "decide shop.toml", "test", "check", "check a b", "user", "key issue ci"] {
        assert!(!shop.run(wrong, "").exits(1).err.is_empty(), "{wrong}");
    }
    shop.run("user list", "").exits(1).complains("--policy");
}

#[test]
fn check_tells_errors_and_warnings_with_their_place() {
    let shop = Shop::new();
    std::fs::write(shop.path("broken.toml"), "[engine]\nname = \"x\"\nunmached = \"deny\"\n[[route]]\npath = \"x\"\n")
        .unwrap();
    std::fs::write(shop.path("weak.toml"), POLICY.replace("19456", "64")).unwrap();
    shop.run("check shop.toml", "").exits(0).says("5 routes").says("no warnings");
    shop.run("check --strict shop.toml", "").exits(0);
    let broken = shop.run("check broken.toml", "").exits(1).complains("unmached").complains("broken.toml:3");
    assert_eq!(broken.out, "");
    shop.run("check --strict broken.toml", "").exits(1);
    let told = shop.run("check --json broken.toml", "").exits(1).json();
    assert_eq!(told["loads"], false);
    let errors = told["errors"].as_array().unwrap();
    assert!(errors.len() >= 2, "all at once: {errors:?}");
    assert_eq!((&errors[0]["line"], &errors[0]["column"]), (&3.into(), &1.into()));
    shop.run("check weak.toml", "").exits(0).says("1 warning").complains("memory_kib");
    shop.run("check --strict weak.toml", "").exits(2);
    assert_eq!(shop.run("check --json weak.toml", "").exits(0).json()["warnings"].as_array().unwrap().len(), 1);
    let nowhere = shop.run("check nowhere.toml", "").exits(1).complains("nowhere.toml").complains("help: ");
    assert!(!nowhere.err.contains("-->") && !nowhere.err.contains('|'), "there is nothing to draw: {}", nowhere.err);
}

#[test]
fn users_are_added_listed_changed_and_removed() {
    let shop = Shop::new();
    shop.run("user add Alice --role clerk --policy shop.toml", &format!("{PASSWORD}\n")).exits(0).says("Added alice.");
    shop.run("user add alice --policy shop.toml", PASSWORD).exits(1).complains("alice");
    shop.run("user add bob --policy shop.toml", "too short").exits(1).complains("min_length");
    shop.run("user add bob --policy shop.toml", "").exits(1).complains("no password");
    shop.run("user add bob --policy shop.toml", "two\nlines of text to read").exits(1).complains("one line");
    shop.run("user add bob --role ghost --policy shop.toml", PASSWORD).exits(1).complains("ghost").complains("clerk");
    shop.run("user add bob --role clrek --policy shop.toml", PASSWORD).exits(1).complains("did you mean \"clerk\"?");
    shop.run("user add ci --no-password --disabled --policy shop.toml", "").exits(0);
    shop.run("user list --policy shop.toml", "").exits(0).says("alice").says("clerk").says("disabled");
    let all = shop.run("user list --json --policy shop.toml", "").exits(0).json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    assert_eq!(all[0]["name"], "alice");
    assert_eq!((&all[0]["has_password"], &all[1]["has_password"]), (&true.into(), &false.into()));
    assert!(!all.to_string().contains("argon2"), "hashes are not shown");

    shop.run("user grant alice admin --policy shop.toml", "").exits(0).says("Granted admin to alice.");
    shop.run("user grant alice admin --policy shop.toml", "").exits(0).says("already");
    shop.run("user grant alice ghost --policy shop.toml", "").exits(1).complains("admin, clerk");
    shop.run("user grant nobody admin --policy shop.toml", "").exits(1).complains("nobody");
    let shown = shop.run("user show ALICE --json --policy shop.toml", "").exits(0).json();
    assert_eq!(shown["effective_roles"], serde_json::json!(["admin", "clerk"]));
    assert_eq!(shown["permissions"], serde_json::json!(["orders:read"]));
    shop.run("user show alice --policy shop.toml", "").exits(0).says("orders:read");
    shop.run("user show nobody --policy shop.toml", "").exits(1).complains("nobody");
    shop.run("user revoke alice admin --policy shop.toml", "").exits(0).says("Revoked admin from alice.");
    shop.run("user revoke alice ghost --policy shop.toml", "").exits(1).complains("ghost");

    shop.run("user passwd alice --policy shop.toml", "another long phrase\r\n").exits(0);
    shop.run("decide shop.toml /orders/7 --user alice", "another long phrase").exits(0).says("ALLOW 200 allowed");
    shop.run("decide shop.toml /orders/7 --user alice", PASSWORD).exits(3).says("credentials_invalid");
    shop.run("decide shop.toml orders/7 --explain", "")
        .exits(3)
        .says("target_ambiguous")
        .says("does not begin with \"/\"");
    shop.run("user passwd nobody --policy shop.toml", PASSWORD).exits(1);
    shop.run("user disable alice --policy shop.toml", "").exits(0);
    shop.run("decide shop.toml /orders/7 --user alice", "another long phrase").exits(3).says("account_disabled");
    shop.run("user enable alice --policy shop.toml", "").exits(0);
    let removed = shop.run("user remove alice --json --policy shop.toml", "").exits(0).json();
    assert_eq!(removed["removed"], "alice");
    shop.run("user remove alice --policy shop.toml", "").exits(1).complains("alice");
}

#[test]
fn a_granted_role_that_the_policy_no_longer_defines_is_marked() {
    let shop = Shop::with_alice();
    std::fs::write(shop.path("renamed.toml"), POLICY.replace("clerk", "salesperson")).unwrap();
    shop.run("user list --policy renamed.toml", "").exits(0).says("clerk (not in the policy)");
    shop.run("user show alice --policy renamed.toml", "").exits(0).says("clerk (not in the policy)");
    let shown = shop.run("user show alice --json --policy renamed.toml", "").exits(0).json();
    assert_eq!((&shown["roles"][0], &shown["undefined_roles"][0]), (&"clerk".into(), &"clerk".into()));
    let known = shop.run("user list --json --policy shop.toml", "").exits(0).json();
    assert_eq!(known[0]["undefined_roles"], serde_json::json!([]));
}

#[test]
fn a_state_that_would_be_gone_at_once_is_not_changed() {
    let shop = Shop::new();
    std::fs::write(shop.path("memory.toml"), POLICY.replace("shop.db", ":memory:")).unwrap();
    shop.run("user add alice --policy memory.toml", PASSWORD).exits(1).complains("memory");
    shop.run("user add alice --policy nowhere.toml", PASSWORD).exits(1).complains("nowhere.toml");
}

#[test]
fn api_keys_are_issued_listed_and_revoked() {
    let shop = Shop::with_alice();
    let issued = shop.run("key issue ci --user alice --expires 90d --policy shop.toml", "").exits(0);
    let key = issued.out.trim_end().to_owned();
    assert!(key.starts_with("gp_") && !key.contains(char::is_whitespace), "{key}");
    assert!(issued.err.contains("only time") && !issued.err.contains(&key), "{}", issued.err);
    shop.decide(&format!("/orders/7 --api-key {key}")).exits(0).says("alice").says("api-key");
    shop.decide(&format!("/orders/7 --bearer {key}")).exits(0);
    shop.decide(&format!("/orders/7 --api-key {key}x")).exits(3).says("credentials_malformed");
    let issued =
        shop.run("key issue reader --user alice --scope orders:write --role clerk --json --policy shop.toml", "");
    let reader = issued.exits(0).json();
    shop.decide(&format!("/orders/7 --api-key {}", reader["key"].as_str().unwrap()))
        .exits(3)
        .says("permission_missing");

    let listed = shop.run("key list --policy shop.toml", "").exits(0).says("ci").says("orders:write").says("active");
    assert!(!listed.out.contains("gp_"), "secrets are not shown again");
    let listed = shop.run("key list --user alice --json --policy shop.toml", "").exits(0).json();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    shop.run("key list --user nobody --policy shop.toml", "").exits(1).complains("nobody");
    shop.run("key revoke ci --policy shop.toml", "").exits(0).says("Revoked ci.");
    shop.decide(&format!("/orders/7 --api-key {key}")).exits(3).says("api_key_revoked");
    shop.run(&format!("key revoke {} --policy shop.toml", reader["id"].as_str().unwrap()), "").exits(0);
    shop.run("key list --policy shop.toml", "").exits(0).says("revoked");
    shop.run("key revoke ci --policy shop.toml", "").exits(0).says("ci was revoked already.");
    let again = shop.run(&format!("key revoke {} --json --policy shop.toml", reader["id"].as_str().unwrap()), "");
    assert_eq!(again.exits(0).json()["already"], true);
    shop.run("key issue more --user alice --role admin --policy shop.toml", "")
        .exits(0)
        .complains("alice does not have the role admin, so the key does not give it now");
    let held = shop.run("key issue less --user alice --role clerk --policy shop.toml", "").exits(0);
    assert!(!held.err.contains("does not have"), "{}", held.err);
    for wrong in [
        "key revoke nothing",
        "key issue x --user nobody",
        "key issue x --user alice --role ghost",
        "key issue x --user alice --expires yesterday",
        "key issue x --user alice --expires 2020-01-01T00:00:00Z",
    ] {
        assert!(!shop.run(&format!("{wrong} --policy shop.toml"), "").exits(1).err.is_empty(), "{wrong}");
    }
}

#[test]
fn decide_answers_with_its_exit_codes_and_leaves_no_trace() {
    let shop = Shop::new();
    assert_eq!(shop.decide("/open").exits(0).says("ALLOW 200 public").err, "", "it had no need of the state");
    assert_eq!(shop.decide("/orders/7").exits(3).err, "");
    shop.decide("/orders/7 --user alice:wrong").exits(3).complains("not there yet");
    shop.decide(&format!("/orders/7 --api-key {FORMER_KEY}")).exits(3).complains("not there yet");
    assert!(!shop.path("shop.db").exists(), "it must not make a state file");
    shop.run("user list --policy shop.toml", "").exits(0);
    assert!(!shop.path("shop.db").exists(), "nor must a list");
    let shop = Shop::with_alice();
    let before = std::fs::read(shop.path("shop.db")).unwrap();
    shop.decide("/orders/7")
        .exits(3)
        .says("DENY 401 credentials_missing")
        .says("WWW-Authenticate: Basic realm=\"Shop\"");
    shop.decide("GET /orders/7 --user alice:wrong").exits(3).says("credentials_invalid");
    shop.run_with(&["decide", "shop.toml", "/orders/7", "--user", &format!("alice:{PASSWORD}")], "")
        .exits(0)
        .says("alice");
    shop.run_with(&["decide", "shop.toml", "POST", "/orders/7", "-H", &format!("Authorization: {ALICE}")], "").exits(0);
    shop.run_with(&["decide", "shop.toml", "/orders/7", "--header", &format!("Authorization:{ALICE}")], "").exits(0);
    shop.decide("/orders/../orders/7").exits(3).says("target_ambiguous");
    shop.decide("http://inner.example/host").exits(0);
    shop.decide("https://other.example:8443/host").exits(3).says("route_unknown");
    shop.run_with(&["decide", "shop.toml", "/host", "-H", "Host: inner.example"], "").exits(0);
    shop.decide("http://localhost/tls").exits(3).says("tls_required");
    shop.decide("https://localhost/tls").exits(3).says("credentials_missing");
    shop.decide("/tls --tls").exits(3).says("credentials_missing");
    shop.decide("/orders/7 --cookie __Host-session=x").exits(3).says("scheme_not_accepted");
    assert_eq!(std::fs::read(shop.path("shop.db")).unwrap(), before, "the state is read only");
}

#[test]
fn decide_tells_everything_to_programs_too() {
    let shop = Shop::with_alice();
    let told = shop.run("decide shop.toml /admin --user alice --json --explain", PASSWORD).exits(3).json();
    for (member, wanted) in [("action", "DENY"), ("reason", "role_missing"), ("subject", "alice"), ("scheme", "basic")]
    {
        assert_eq!(told[member], wanted);
    }
    assert_eq!(told["status"], 403);
    let steps = told["steps"].as_array().unwrap();
    assert!(steps.len() > 2, "{steps:?}");
    assert_eq!(steps.iter().filter(|step| step["refused"] == true).count(), 1);
    assert_eq!(steps.last().unwrap()["refused"], true);
    assert_eq!(told["issuer"], "", "a local user");
    assert_eq!(told["route"], serde_json::json!({ "path": "/admin", "host": null, "line": 22, "methods": null }));
    let plain = shop.decide("/open --json").exits(0).json();
    assert!(plain.get("steps").is_none() && plain["subject"].is_null() && plain["issuer"].is_null());
    let refused = shop.decide("/orders/7 --json").exits(3).json();
    let entries = refused["headers"].as_array().unwrap();
    let challenge = entries.iter().find(|entry| entry["name"] == "WWW-Authenticate").unwrap();
    assert_eq!(challenge["mode"], "append");
    assert!(challenge["value"].as_str().unwrap().starts_with("Basic realm="));
    assert!(shop.decide("/nowhere --json").exits(3).json()["route"].is_null());
}

#[test]
fn explain_tells_each_step_and_ends_with_what_can_be_done() {
    let shop = Shop::with_alice();
    let told = shop.run("decide shop.toml GET /admin --user alice --explain", PASSWORD).exits(3);
    let out = &told.out;
    assert!(out.starts_with("Shop: GET /admin\n"), "{out}");
    assert_eq!(out.matches("refused here").count(), 1, "{out}");
    let at = |text: &str| out.find(text).unwrap_or_else(|| panic!("{text:?} is not in: {out}"));
    assert!(at("refused here") < at("DENY 403 role_missing"));
    assert!(at("DENY 403 role_missing") < at("For the person: You are logged in"));
    assert!(at("For the person:") < at("For the operator: The identity lacks a role"));
    assert!(!out.contains(PASSWORD) && !out.contains('\u{1b}'), "no secret, no colour in a pipe: {out}");
    shop.run("decide shop.toml /open --explain", "").exits(0).says("ALLOW 200 public").says("For the operator:");
    shop.decide("/admin").exits(3).says("For the operator:").says("add --explain for each step");
    assert!(!shop.decide("/open").exits(0).out.contains("For the operator:"));
}

#[test]
fn decide_takes_its_time_from_the_command_line() {
    let shop = Shop::with_alice();
    let issued = shop.run("key issue ci --user alice --expires 2999-01-01T00:00:00Z --policy shop.toml", "").exits(0);
    let at = |time: &str| shop.decide(&format!("/orders/7 --api-key {} --at {time}", issued.out.trim_end()));
    at("2998-12-31T23:59:59Z").exits(0);
    at("2999-01-01T00:00:00Z").exits(3).says("api_key_expired");
    at("2999-01-01T01:00:00+02:00").exits(0);
    at("tomorrow").exits(1).complains("RFC 3339");
}

#[test]
fn what_cannot_be_asked_is_an_error_that_says_what_to_do() {
    let shop = Shop::new();
    shop.run_with(&["decide", "shop.toml", "/open", "-H", "no colon"], "").exits(1).complains("Name: value");
    shop.decide("/open --cookie x").exits(1).complains("NAME=VALUE");
    shop.decide("https://alice@localhost/open").exits(1).complains("--user");
    shop.decide("https:///open").exits(1).complains("host");
    shop.decide("/open --peer nowhere").exits(1).complains("192.0.2.7");
    shop.run("decide nowhere.toml /open", "").exits(1).complains("nowhere.toml");
    shop.run("decide GET shop.toml /open", "")
        .exits(1)
        .complains("the policy comes first: gatepost decide shop.toml GET /open");
    std::fs::write(shop.path("broken.toml"), "[engine]\nunmached = 1\n").unwrap();
    shop.run("decide broken.toml /open", "").exits(1).complains("unmached");
}

#[test]
fn control_characters_of_a_request_do_not_reach_the_terminal() {
    let shop = Shop::new();
    let told = shop.run_with(&["decide", "shop.toml", "/\u{1b}]0;x\u{7}", "--explain"], "").exits(3);
    assert!(!told.out.contains(['\u{1b}', '\u{7}']), "{:?}", told.out);
}

#[test]
fn a_password_is_hashed_and_verified() {
    let shop = Shop::new();
    let hash = shop.run("hash --policy shop.toml", PASSWORD).exits(0).out;
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=1,p=1$"), "{hash}");
    shop.run("verify", "").exits(1);
    shop.run(&format!("verify {hash}"), PASSWORD).exits(0).says("right");
    shop.run(&format!("verify {hash}"), "something else").exits(1).says("wrong");
    assert_eq!(shop.run(&format!("verify --json {hash}"), "something else").exits(1).json()["matches"], false);
    shop.run("verify $unknown$x", PASSWORD).exits(1).complains("hash");
    shop.run("hash", "").exits(1).complains("no password");
    let usual = shop.run("hash --json", PASSWORD).exits(0).json();
    assert!(usual["hash"].as_str().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert_ne!(shop.run("hash --json", PASSWORD).json(), usual, "the salt is fresh");
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let shop = Shop::new();
    for arguments in [&["--help"][..], &["decide", "shop.toml", "/open", "--explain"], &["check", "shop.toml"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .args(arguments)
            .current_dir(shop.0.path())
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(!err.contains("panicked"), "{arguments:?}: {err}");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {err}");
    }
}

#[test]
fn a_change_holds_for_the_next_decision_of_an_engine_that_is_running() {
    let shop = Shop::with_alice();
    let (engine, _) = Engine::open(&shop.path("shop.toml"), Options::default()).unwrap();
    engine.start().unwrap();
    let headers = [Header { name: b"Authorization", value: ALICE.as_bytes() }];
    let reason = |target: &str| {
        let request = Request {
            method: b"GET",
            target: target.as_bytes(),
            host: b"localhost",
            peer: b"192.0.2.1",
            headers: &headers,
            ..Request::default()
        };
        engine.decide(&request).unwrap().reason.name()
    };
    assert_eq!((reason("/orders/7"), reason("/admin")), ("allowed", "role_missing"));
    for (command, orders, admin) in [
        ("user grant alice admin", "allowed", "allowed"),
        ("user revoke alice admin", "allowed", "role_missing"),
        ("user revoke alice clerk", "permission_missing", "role_missing"),
        ("user disable alice", "account_disabled", "account_disabled"),
        ("user enable alice", "permission_missing", "role_missing"),
        ("user passwd alice", "credentials_invalid", "credentials_invalid"),
    ] {
        shop.run(&format!("{command} --policy shop.toml"), "another long phrase").exits(0);
        assert_eq!((reason("/orders/7"), reason("/admin")), (orders, admin), "after {command}");
    }
    shop.run("user passwd alice --policy shop.toml", PASSWORD).exits(0);
    assert_eq!(reason("/admin"), "role_missing");
    shop.run("user remove alice --policy shop.toml", "").exits(0);
    assert_eq!(reason("/admin"), "credentials_invalid");
}

/// As root in the folder of a server's user; as anybody else, all is whoever's who runs it.
#[test]
fn files_that_root_makes_in_somebody_elses_folder_are_told_with_what_to_run() {
    let shop = Shop::new();
    let root = rustix::process::geteuid().is_root();
    if root {
        std::os::unix::fs::chown(shop.path(""), Some(65_534), Some(65_533)).unwrap();
    }
    // As a server makes them where something is counted, and where tokens come with proofs.
    std::fs::write(shop.path("shop.db-proofs"), "").unwrap();
    std::fs::write(shop.path("shop.db-throttle"), "").unwrap();
    let added = shop.run("user add alice --no-password --policy shop.toml", "").exits(0).says("Added alice.");
    let issued = shop.run("key issue nightly --user alice --policy shop.toml", "").exits(0);
    let checked = shop.run("check shop.toml", "").exits(0).says("no warnings");
    let listed = shop.run("user list --policy shop.toml", "").exits(0);
    for ran in [&added, &issued, &checked] {
        assert_eq!(ran.err.contains("belong to root, in a folder of "), root, "{}", ran.err);
        let line = ran.err.lines().find_map(|line| line.split_once("run: chown ")).map(|(_, files)| files.to_owned());
        let files: Vec<String> = line.iter().flat_map(|line| line.split(' ').skip(1)).map(str::to_owned).collect();
        assert_eq!(files.iter().any(|file| file.ends_with("shop.db")), root, "{}", ran.err);
        for name in ["shop.db-epoch", "shop.db-proofs", "shop.db-throttle"] {
            assert_eq!(files.iter().any(|file| file.ends_with(name)), root, "{}", ran.err);
        }
        assert!(files.iter().all(|file| std::path::Path::new(file).exists()), "{}", ran.err);
    }
    assert!(!listed.err.contains("chown"), "{}", listed.err);
    // As the line says; and where the folder is one's own there is nothing to say.
    for name in ["shop.db", "shop.db-epoch", "shop.db-proofs", "shop.db-throttle"] {
        let like = std::fs::metadata(shop.path("")).unwrap();
        use std::os::unix::fs::MetadataExt;
        std::os::unix::fs::chown(shop.path(name), Some(like.uid()), Some(like.gid())).unwrap();
    }
    assert_eq!(shop.run("user grant alice clerk --policy shop.toml", "").exits(0).err, "");
    let own = Shop::with_alice();
    assert_eq!(own.run("check shop.toml", "").exits(0).err, "");
    assert_eq!(own.run("user disable alice --policy shop.toml", "").exits(0).err, "");
}
