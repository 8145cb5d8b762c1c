//! `gatepost user import` and `gatepost user export`: exit codes, streams, JSON, files, and that nothing is lost on the
//! way out and in.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

const SHA: &str = "{SHA}C+7Hteo/D9vJXQ3UfzxbwnXaijM=";
const BCRYPT: &str = "$2y$05$SXWrNM7ldtbRzBvUC3VXyOvUeiUcP45XPwM93P5eeGOEPIiAZmJjC";
const POLICY: &str = "[engine]\nname = \"Shop\"\nstate = \"STATE\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 64\n\
    iterations = 1\nhistory = 3\n[[role]]\nname = \"clerk\"\n[[role]]\nname = \"admin\"\n[[route]]\npath = \"/\"\n";

/// A folder with two policies, `one.toml` and `two.toml`, each with a state of its own.
struct Shop(tempfile::TempDir);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    #[track_caller]
    fn exits(self, code: i32) -> Ran {
        assert_eq!(self.code, code, "out: {}\nerr: {}", self.out, self.err);
        self
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }
}

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().unwrap();
        for name in ["one", "two"] {
            let policy = POLICY.replace("STATE", &format!("{name}.db"));
            std::fs::write(folder.path().join(format!("{name}.toml")), policy).unwrap();
        }
        Shop(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// Runs `gatepost user …` on `one.toml`, unless the arguments name another.
    fn user(&self, arguments: &str, stdin: &[u8]) -> Ran {
        let policy = if arguments.contains("--policy") { "" } else { " --policy one.toml" };
        let mut child = Command::new(env!("CARGO_BIN_EXE_gatepost"))
            .arg("user")
            .args(format!("{arguments}{policy}").split_whitespace())
            .current_dir(self.0.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }
}

#[test]
fn the_report_names_forms_roles_and_every_line_that_is_in_the_way() {
    let shop = Shop::new();
    shop.file("users", format!("alice:{SHA}\nBob:{BCRYPT}\nalice:{BCRYPT}\ndes:is51Bcy22Caa2\n\n#x\nno colon\n"));
    let report = shop.user("import users --json", b"").exits(1).json();
    assert_eq!((&report["taken"], &report["dry_run"]), (&json!(false), &json!(false)));
    assert_eq!(shop.user("list --json", b"").json(), json!([]), "nothing was taken");
    let lines: Vec<_> = report["refused"].as_array().unwrap().iter().map(|r| (&r["line"], &r["name"])).collect();
    assert_eq!(lines, [(&json!(3), &json!("alice")), (&json!(4), &json!("des")), (&json!(7), &json!(""))]);
    let report = shop.user("import users --json --skip --role clerk", b"").exits(0).json();
    assert_eq!((&report["taken"], &report["added"]), (&json!(true), &json!(["alice", "bob"])));
    assert_eq!(report["notes"], json!([{ "line": 2, "name": "Bob", "text": "becomes bob" }]));
    assert_eq!(
        report["forms"],
        json!([
            { "form": "bcrypt, cost 5", "users": 1, "weak": false },
            { "form": "{SHA} (SHA-1, no salt)", "users": 1, "weak": true },
        ])
    );
    assert_eq!(report["failed_login"], json!(["Argon2id, 64 KiB, 1 passes, 1 lanes", "bcrypt, cost 5", "SHA-1"]));
    let bob = shop.user("show bob --json", b"").exits(0).json();
    assert_eq!((&bob["roles"], &bob["password_form"]), (&json!(["clerk"]), &json!("bcrypt, cost 5")));
    assert_eq!(bob["password_changed_at"], json!(null), "nobody knows");
}

#[test]
fn no_hash_and_no_password_of_a_refused_line_is_ever_printed() {
    let shop = Shop::new();
    shop.file("users", "alice:hunter2secret\nbob:{PLAIN}hunter2secret\n{\"name\":\"x\",\"hash\":hunter2secret}\n");
    let ran = shop.user("import users", b"").exits(1);
    assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{}{}", ran.out, ran.err);
    let ran = shop.user("import users --format json", b"").exits(1);
    assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{}{}", ran.out, ran.err);
}

#[test]
fn what_cannot_be_read_or_granted_is_an_error_and_changes_nothing() {
    let shop = Shop::new();
    shop.file("users", format!("alice:{SHA}\n"));
    for (arguments, says) in [
        ("import missing", "missing cannot be read"),
        ("import users --role ghost", "no role named"),
        ("import users --format xml", "invalid value"),
        ("import", "FILE"),
    ] {
        let ran = shop.user(arguments, b"").exits(1);
        assert!(ran.err.contains(says), "{says:?} is not in {}", ran.err);
    }
    let ran = shop.user("import -", b"# nobody\n").exits(1);
    assert!(ran.err.contains("holds no user"), "{}", ran.err);
    assert_eq!(shop.user("list --json", b"").json(), json!([]));
}

#[test]
fn a_dry_run_tells_the_same_and_leaves_no_state() {
    let shop = Shop::new();
    let text = format!("alice:{SHA}\n");
    let dry = shop.user("import - --dry-run --json", text.as_bytes()).exits(0).json();
    assert!(!shop.path("one.db").exists());
    let mut real = shop.user("import - --json", text.as_bytes()).exits(0).json();
    (real["taken"], real["dry_run"]) = (json!(false), json!(true));
    assert_eq!(dry, real);
}

#[test]
fn users_that_exist_are_in_the_way_unless_they_are_to_be_updated() {
    let shop = Shop::new();
    shop.user("import -", format!("alice:{SHA}\nbob:{SHA}\n").as_bytes()).exits(0);
    shop.user("grant alice admin", b"").exits(0);
    shop.user("disable alice", b"").exits(0);
    let text = format!("alice:{BCRYPT}\nbob:{SHA}\ncarol:{SHA}\n");
    let ran = shop.user("import -", text.as_bytes()).exits(1);
    assert!(ran.out.contains("--update"), "{}", ran.out);
    let report = shop.user("import - --update --role clerk --json", text.as_bytes()).exits(0).json();
    assert_eq!((&report["added"], &report["updated"]), (&json!(["carol"]), &json!(["alice", "bob"])));
    let alice = shop.user("show alice --json", b"").json();
    assert_eq!(
        (&alice["roles"], &alice["disabled"]),
        (&json!(["admin", "clerk"]), &json!(true)),
        "what a line does not say stays"
    );
    assert_eq!(alice["password_form"], "bcrypt, cost 5");
    let again = shop.user("import - --update --json", text.as_bytes()).exits(0).json();
    assert_eq!(again["unchanged"], json!(["alice", "bob", "carol"]));
    // The hash that was replaced counts as an old password.
    let ran = shop.user("passwd alice", b"foo").exits(1);
    assert!(ran.err.contains("15"), "{}", ran.err);
}

#[test]
fn an_htpasswd_line_replaces_an_argon2id_hash_only_where_it_is_told_to() {
    let shop = Shop::new();
    shop.user("add dave", b"correct horse battery staple").exits(0);
    let form = || shop.user("show dave --json", b"").json()["password_form"].as_str().unwrap().to_owned();
    let line = format!("dave:{SHA}\n");
    let report = shop.user("import - --update --json", line.as_bytes()).exits(0).json();
    assert_eq!(report["unchanged"], json!(["dave"]));
    assert!(report["notes"][0]["text"].as_str().unwrap().contains("--force-hash"), "{report}");
    assert!(report["forms"][0]["form"].as_str().unwrap().starts_with("Argon2id"), "{report}");
    assert!(form().starts_with("Argon2id"));
    assert!(shop.user("import - --force-hash", line.as_bytes()).exits(1).err.contains("--update"));
    let report = shop.user("import - --update --force-hash --json", line.as_bytes()).exits(0).json();
    assert_eq!((&report["updated"], &report["notes"]), (&json!(["dave"]), &json!([])));
    assert!(!form().starts_with("Argon2id"));
}

#[test]
fn names_that_readers_of_htpasswd_take_for_something_else_are_left_out_and_told() {
    let shop = Shop::new();
    for name in ["#ops", "{json", "sane#{"] {
        shop.user(&format!("add {name}"), b"correct horse battery staple").exits(0);
    }
    let lines = shop.user("export --format htpasswd", b"").exits(0);
    assert!(lines.out.starts_with("sane#{:$argon2id$") && lines.out.lines().count() == 1, "{}", lines.out);
    assert!(lines.err.contains("#ops is left out") && lines.err.contains("{json is left out"), "{}", lines.err);
    assert_eq!(shop.user("export", b"").exits(0).out.lines().count(), 3, "JSON lines hold all");
}

#[test]
fn an_export_is_read_again_without_loss_and_can_be_read_by_its_owner_alone() {
    let shop = Shop::new();
    shop.user("import - --role clerk", format!("alice:{SHA}\nbob:{BCRYPT}\n").as_bytes()).exits(0);
    shop.user("add carol --no-password --role admin", b"").exits(0);
    shop.user("add dave", b"correct horse battery staple").exits(0);
    shop.user("disable bob", b"").exits(0);
    shop.user("export --output all.jsonl", b"").exits(0);
    assert_eq!(std::fs::metadata(shop.path("all.jsonl")).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = shop.user("export --output all.jsonl", b"").exits(1);
    assert!(ran.err.contains("name a new file"), "never over a file that is there: {}", ran.err);
    shop.user("import all.jsonl --policy two.toml", b"").exits(0);
    let everybody = |policy: &str| shop.user(&format!("list --json --policy {policy}"), b"").exits(0).json();
    assert_eq!(everybody("two.toml"), everybody("one.toml"));
    assert_eq!(shop.user("export", b"").out, shop.user("export --policy two.toml", b"").out);
    let again = shop.user("import all.jsonl --update --json", b"").exits(0).json();
    assert_eq!(again["unchanged"], json!(["alice", "bob", "carol", "dave"]));

    let lines = shop.user("export --format htpasswd", b"").exits(0);
    assert!(lines.out.starts_with(&format!("alice:{SHA}\ndave:$argon2id$")), "{}", lines.out);
    assert!(lines.err.contains("bob is left out") && lines.err.contains("carol is left out"), "{}", lines.err);
    let told = shop.user("export --format htpasswd --json", b"").exits(0).json();
    assert_eq!(told["text"], lines.out.as_str());
    assert_eq!(told["left_out"].as_array().unwrap().len(), 2);
}

#[test]
fn roles_that_the_policy_does_not_define_come_along_and_are_told() {
    let shop = Shop::new();
    let line = br#"{"name":"alice","roles":["ghost"]}"#;
    let report = shop.user("import - --json", line).exits(0).json();
    assert!(report["notes"][0]["text"].as_str().unwrap().contains("ghost"), "{report}");
    assert_eq!(shop.user("show alice --json", b"").json()["undefined_roles"], json!(["ghost"]));
}

#[test]
fn hostile_files_are_refused_line_by_line() {
    let shop = Shop::new();
    let long = "a".repeat(300);
    for line in [
        "al ice:{SHA}x".to_owned(),
        format!("{long}:{SHA}"),
        format!(":{SHA}"),
        format!("alice\u{202e}:{SHA}"),
        format!("alice:{}", "$2y$05$".repeat(1000)),
        "alice:$2y$31$SXWrNM7ldtbRzBvUC3VXyOvUeiUcP45XPwM93P5eeGOEPIiAZmJjC".to_owned(),
        "alice:$6$rounds=999999999$saltsalt$x".to_owned(),
        "alice:$scrypt$ln=30,r=64,p=64$c2FsdA$c2FsdHNhbHRzYWx0c2FsdHNhbHQ".to_owned(),
        r#"{"name":"alice","roles":["a\u0000b"]}"#.to_owned(),
        r#"{"name":"alice","roles":[""]}"#.to_owned(),
        r#"{"name":"alice","name":"bob"}"#.to_owned(),
        r#"{"name":"alice","created_at":-1}"#.to_owned(),
        r#"{"name":"alice","created_at":1e3}"#.to_owned(),
        r#"{"name":"alice","disabled":"no"}"#.to_owned(),
        r#"{"hash":null}"#.to_owned(),
        "[]".to_owned(),
        "{".to_owned(),
    ] {
        let report = shop.user("import - --json", line.as_bytes()).exits(1).json();
        assert_eq!(report["refused"].as_array().unwrap().len(), 1, "{line}: {report}");
    }
    let report = shop.user("import - --json", b"\x00\xff\xfe\n\xef\xbb\xbfa:b").exits(1).json();
    assert_eq!(report["refused"].as_array().unwrap().len(), 2);
}
