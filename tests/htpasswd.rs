//! Files of Debian's `htpasswd` in every mode and of `openssl passwd`: nginx's `auth_basic`, Apache's own check
//! (`htpasswd -v`) and this engine, after `gatepost user import`, give the same answers to the same passwords. DES crypt
//! and plain text are the differences, and are told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod engine_support;
mod tools;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use engine_support::*;
use gatepost::engine::{Engine, Options};
use tools::tool;

const RIGHT: &str = "pässword with: colons and $igns";
const POLICY: &str = "[engine]\nname = \"Files\"\nstate = \"files.db\"\nschemes = [\"basic\"]\n\
    [password]\nmemory_kib = 64\niterations = 1\n\
    [throttle]\naccount = false\naddress = false\nprefix = false\npair = false\n[[route]]\npath = \"/\"\n";

/// Users of a file: name and whether what stands there can be taken over.
const MODES: [(&str, &str, bool); 9] = [
    ("apr1", "-m", true),
    ("bcrypt", "-B", true),
    ("bcrypt9", "-BC9", true),
    ("sha", "-s", true),
    ("sha256", "-2", true),
    ("sha512", "-5", true),
    ("rounds", "-5r20000", true),
    ("des", "-d", false),
    ("plain", "-p", false),
];

/// As one `htpasswd` after the other makes it.
fn make_file(folder: &Path) -> PathBuf {
    let file = folder.join("users");
    std::fs::write(&file, "# made for a test\n").unwrap();
    for (user, mode, _) in MODES {
        let made = Command::new(tool("htpasswd", "apache2-utils"))
            .arg(format!("-b{}", mode.trim_start_matches('-')))
            .arg(&file)
            .args([user, RIGHT])
            .output()
            .unwrap();
        assert!(made.status.success(), "{mode}: {}", String::from_utf8_lossy(&made.stderr));
    }
    let mut lines = std::fs::read_to_string(&file).unwrap();
    for option in ["-apr1", "-1", "-5", "-6"] {
        let mut openssl = Command::new(tool("openssl", "openssl"))
            .args(["passwd", option, "-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        openssl.stdin.take().unwrap().write_all(format!("{RIGHT}\n").as_bytes()).unwrap();
        let hash = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
        // Comments are nginx's and mod_authn_file's; `htpasswd -v` takes them for a part of the hash.
        let comment = if option == "-6" { ":a comment" } else { "" };
        lines.push_str(&format!("openssl{option}:{}{comment}\n", hash.trim()));
    }
    std::fs::write(&file, lines).unwrap();
    file
}

/// A running nginx, ended with the test.
struct Nginx {
    child: Child,
    socket: PathBuf,
}

impl Nginx {
    fn start(folder: &Path, users: &Path) -> Nginx {
        let (socket, path) = (folder.join("nginx.sock"), folder.display());
        std::fs::write(folder.join("index.html"), "in\n").unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .concat();
        let configuration = format!(
            "daemon off;\nmaster_process off;\npid {path}/nginx.pid;\nerror_log {path}/error.log;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}server {{\nlisten unix:{};\nroot {path};\n\
             location / {{ auth_basic \"Files\"; auth_basic_user_file {}; }}\n}}\n}}\n",
            socket.display(),
            users.display()
        );
        std::fs::write(folder.join("nginx.conf"), configuration).unwrap();
        let child = Command::new(tool("nginx", "nginx-light"))
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(folder.join("nginx.conf"))
            .arg("-e")
            .arg(folder.join("error.log"))
            .spawn()
            .unwrap();
        let nginx = Nginx { child, socket };
        let until = Instant::now() + Duration::from_secs(300);
        while UnixStream::connect(&nginx.socket).is_err() {
            let log = || std::fs::read_to_string(folder.join("error.log"));
            assert!(Instant::now() < until, "nginx does not listen: {:?}", log());
            std::thread::sleep(Duration::from_millis(10));
        }
        nginx
    }

    /// It lets this person in.
    fn lets_in(&self, user: &str, password: &str) -> bool {
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        let request = format!("GET / HTTP/1.0\r\nAuthorization: {}\r\n\r\n", basic(user, password));
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        match answer.split(' ').nth(1) {
            Some("200") => true,
            Some("401") => false,
            _ => panic!("{answer}"),
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Apache's check: `htpasswd -v`.
fn apache_lets_in(file: &Path, user: &str, password: &str) -> bool {
    let checked =
        Command::new(tool("htpasswd", "apache2-utils")).arg("-vb").arg(file).args([user, password]).output().unwrap();
    match checked.status.code() {
        Some(0) => true,
        Some(3) => false,
        _ => panic!("{user}: {}", String::from_utf8_lossy(&checked.stderr)),
    }
}

fn gatepost(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_gatepost")).args(arguments).current_dir(folder).output().unwrap();
    (ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// The engine on the state that the command line has filled.
fn engine(folder: &Path) -> Engine {
    let loaded = gatepost::policy::load(&folder.join("files.toml")).unwrap();
    let engine = Engine::new(loaded, Options::default());
    engine.start().unwrap();
    engine
}

#[test]
fn nginx_apache_and_we_give_the_same_answers_to_files_of_every_mode() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = make_file(folder);
    std::fs::write(folder.join("files.toml"), POLICY).unwrap();
    let import = ["user", "import", "users", "--policy", "files.toml"];
    let (code, told) = gatepost(folder, &[&import[..], &["--dry-run"]].concat());
    assert_eq!(code, 1, "{told}");
    assert!(!folder.join("files.db").exists(), "a dry run makes no state");
    for wanted in ["that would add 11", "9     des", "DES crypt", "10    plain", "htpasswd -p", "gatepost user passwd"]
    {
        assert!(told.contains(wanted), "{wanted:?} is not in {told}");
    }
    let (code, told) = gatepost(folder, &import);
    assert!(code == 1 && told.contains("Nothing was taken"), "{told}");
    let (code, told) = gatepost(folder, &[&import[..], &["--skip"]].concat());
    assert!(code == 0 && told.contains("Added 11"), "{told}");

    let (nginx, engine) = (Nginx::start(folder, &file), engine(folder));
    let ours = |user: &str, password: &str| match get("/").authorization(basic(user, password)).reason(&engine) {
        "allowed" => true,
        "credentials_invalid" => false,
        other => panic!("{other}"),
    };
    let openssl = ["openssl-apr1", "openssl-1", "openssl-5", "openssl-6"].map(|user| (user, true));
    let users = MODES.iter().map(|(user, _, taken)| (*user, *taken)).chain(openssl);
    for (user, taken) in users {
        // The first good login replaces our hash: the second is answered by the new one.
        for password in [RIGHT, RIGHT, "wrong", "pässword", "pässword with: colons and $igns ", ""] {
            let by_nginx = nginx.lets_in(user, password);
            let by_apache = if user == "openssl-6" { by_nginx } else { apache_lets_in(&file, user, password) };
            let (others, right) = ([by_nginx, by_apache], password == RIGHT);
            match user {
                // Both look at eight octets of DES: what follows is not even compared.
                "des" => assert_eq!(others, [password.starts_with("pässword"); 2], "{password:?}"),
                // Neither takes plain text on a system with crypt(3).
                "plain" => assert_eq!(others, [false; 2], "{password:?}"),
                _ => assert_eq!(others, [right; 2], "{user} with {password:?}"),
            }
            assert_eq!(ours(user, password), right && taken, "{user} with {password:?}");
        }
    }
    assert!(!ours("nobody", RIGHT) && !nginx.lets_in("nobody", RIGHT));
}

#[test]
fn what_we_export_for_nginx_and_apache_is_answered_by_them_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    make_file(folder);
    std::fs::write(folder.join("files.toml"), POLICY).unwrap();
    gatepost(folder, &["user", "import", "users", "--skip", "--policy", "files.toml"]);
    gatepost(folder, &["user", "disable", "sha", "--policy", "files.toml"]);
    let export = ["user", "export", "--format", "htpasswd", "--output", "exported", "--policy", "files.toml"];
    assert_eq!(gatepost(folder, &export).0, 0);
    let exported = folder.join("exported");
    let nginx = Nginx::start(folder, &exported);
    for (user, _, taken) in MODES {
        let there = taken && user != "sha";
        assert_eq!(nginx.lets_in(user, RIGHT), there, "{user}");
        assert!(!nginx.lets_in(user, "wrong"), "{user}");
        if there {
            assert!(apache_lets_in(&exported, user, RIGHT), "{user}");
        }
    }
}
