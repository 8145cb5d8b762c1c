//! The C servers of `examples/c`, built as their first lines say, started on a port of their own and asked over HTTP.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod tools;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tools::service::service;
use tools::{check, library_folder, root, scratch, tool};

const RIGHT: &str = "Authorization: Basic YWxpY2U6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";
const WRONG: &str = "Authorization: Basic YWxpY2U6bm90IHRoZSByaWdodCBwYXNzd29yZA==";

#[test]
fn the_event_loop_server_lets_in_and_refuses() {
    let server = Server::start("event_loop", "-levent", "libevent-dev", "lets_in");
    serves(&server);
    let refused = server.ask("GET /private", &[WRONG]);
    assert_eq!(refused.field("X-Gatepost-Reason"), Some("credentials_invalid"));
    server.end();
}

#[test]
fn the_minimal_server_lets_in_and_refuses() {
    let server = Server::start("minimal", "-lmicrohttpd", "libmicrohttpd-dev", "lets_in");
    serves(&server);
    server.end();
}

/// GHSA-59jp-rwph-878r: there the body of the resource followed the refusal.
#[test]
fn a_refused_request_gets_nothing_of_the_resource() {
    for (name, flag, package) in
        [("event_loop", "-levent", "libevent-dev"), ("minimal", "-lmicrohttpd", "libmicrohttpd-dev")]
    {
        let server = Server::start(name, flag, package, "refuses");
        let form = [
            "Content-Type: application/x-www-form-urlencoded",
            "Content-Length: 0",
            "Origin: https://elsewhere.example",
        ];
        for (line, status) in
            [("GET /private", 401), ("POST /private", 401), ("GET /admin", 403), ("GET /unknown", 403)]
        {
            for fields in [&[][..], &[WRONG], &form] {
                let signed_in = [&[RIGHT][..], fields].concat();
                let refused = server.ask(line, if status == 401 { fields } else { &signed_in });
                assert!(matches!(refused.status, 401 | 403 | 400), "{name} {line}: {refused:?}");
                assert!(
                    !refused.body.contains("Hello") && refused.body.contains("\"status\":"),
                    "{name} {line}: {refused:?}"
                );
            }
        }
        // With the right password, but sent by another site.
        let ridden = server.ask("POST /private", &[&[RIGHT][..], &form].concat());
        assert!(ridden.status == 403 && !ridden.body.contains("Hello"), "{name}: {ridden:?}");
        server.end();
    }
}

#[test]
fn the_event_loop_server_reloads_on_a_signal_and_keeps_a_good_policy() {
    let server = Server::start("event_loop", "-levent", "libevent-dev", "reloads");
    assert_eq!(server.ask("GET /new", &[]).status, 403);
    let policy = server.folder.join("policy.toml");
    let old = std::fs::read_to_string(&policy).expect("policy");
    std::fs::write(&policy, format!("{old}\n[[route]]\npath = \"/new\"\naccess = \"public\"\n")).expect("written");
    server.signal("HUP");
    server.until("the new route is there", || server.ask("GET /new", &[]).status == 200);

    std::fs::write(&policy, format!("{old}\n[[route]]\npath = \"new\"\naccess = \"public\"\n")).expect("written");
    server.signal("HUP");
    server.until("the refusal is logged", || server.log().contains("the old policy stays in force"));
    assert_eq!(server.ask("GET /new", &[]).status, 200, "the last good policy is still there");
    server.end();
}

#[test]
fn clients_that_leave_and_the_servers_end_cost_nobody_an_answer() {
    let server = Server::start("event_loop", "-levent", "libevent-dev", "leaving");
    for _ in 0..50 {
        let mut stream = server.connect();
        let request = format!("GET /private HTTP/1.1\r\nHost: orders.example.com\r\n{WRONG}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        drop(stream);
    }
    assert_eq!(server.ask("GET /private", &[RIGHT]).status, 200);

    // Ended with work outstanding: it still ends well.
    let open: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = server.connect();
            let request = format!("GET /private HTTP/1.1\r\nHost: orders.example.com\r\n{WRONG}\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("sent");
            stream
        })
        .collect();
    server.end();
    drop(open);
}

#[test]
fn one_connection_carries_nothing_from_one_request_to_the_next() {
    for (name, flag, package) in
        [("event_loop", "-levent", "libevent-dev"), ("minimal", "-lmicrohttpd", "libmicrohttpd-dev")]
    {
        let server = Server::start(name, flag, package, "keep_alive");
        let mut stream = server.connect();
        let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
        for (credentials, status) in
            [(RIGHT, 200), ("X-Nothing: 1", 401), (WRONG, 401), (RIGHT, 200), ("X-Nothing: 1", 401)]
        {
            let request = format!("GET /private HTTP/1.1\r\nHost: orders.example.com\r\n{credentials}\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("sent");
            assert_eq!(Answer::read(&mut reader).status, status, "{name}, {credentials}");
        }
        server.end();
    }
}

/// What both servers have in common.
fn serves(server: &Server) {
    assert_eq!(server.ask("GET /public", &[]).status, 200);

    let missing = server.ask("GET /private", &[]);
    assert_eq!(missing.status, 401);
    assert!(missing.field("WWW-Authenticate").is_some_and(|value| value.starts_with("Basic ")), "{missing:?}");
    assert_eq!(missing.field("Content-Type"), Some("application/problem+json"));
    assert!(missing.body.contains("credentials_missing"), "{missing:?}");

    let page = server.ask("GET /private", &["Accept: text/html,*/*;q=0.8", "Accept-Language: de-AT,de;q=0.9"]);
    assert_eq!((page.status, page.field("Content-Type")), (401, Some("text/html; charset=utf-8")));
    assert!(page.body.contains("<h1>Bitte melden Sie sich an</h1>"), "{page:?}");
    assert!(page.field("Content-Security-Policy").is_some_and(|value| value.starts_with("default-src 'none'")));
    let head = server.ask("HEAD /private", &["Accept: text/html"]);
    assert_eq!((head.status, head.field("Content-Type"), head.body.as_str()), (401, page.field("Content-Type"), ""));

    assert_eq!(server.ask("GET /private", &[WRONG]).status, 401);
    assert_eq!(server.ask("GET /admin", &[RIGHT]).status, 403);
    assert_eq!(server.ask("GET /unknown", &[RIGHT]).status, 403);
    assert_eq!(server.ask("GET /private/..%2Fadmin", &[RIGHT]).status, 400);
    assert_eq!(server.ask("GET /public", &["Host: b.example.com"]).status, 400);

    // Whatever a client says about himself, the application hears what was proved.
    for forged in ["X-Auth-Subject: root", "x_auth_subject: root", "X-AUTH-SUBJECT: root"] {
        let allowed = server.ask("GET /private", &[RIGHT, forged]);
        assert_eq!((allowed.status, allowed.body.as_str()), (200, "Hello, alice.\n"));
        assert_eq!(allowed.field("Cache-Control"), Some("private, no-store"));
        let public = server.ask("GET /public", &[forged]);
        assert_eq!((public.status, public.body.as_str()), (200, "Hello, whoever you are.\n"));
    }
}

/// A running example; killed where a test fails.
struct Server {
    process: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    fn start(name: &str, flag: &str, package: &str, test: &str) -> Server {
        let binary = build(name, flag, package, test);
        let folder = service("examples", &format!("{name}_{test}"));
        let log = std::fs::File::create(folder.join("log")).expect("log");
        let mut process = Command::new(binary)
            .arg(folder.join("policy.toml"))
            .arg("0")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("started");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{name} said {line:?} in place of its port"));
        Server { process, port, folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("connected");
        stream.set_read_timeout(Some(Duration::from_secs(300))).expect("set");
        stream
    }

    fn ask(&self, line: &str, fields: &[&str]) -> Answer {
        let mut stream = self.connect();
        let mut request = format!("{line} HTTP/1.1\r\nHost: orders.example.com\r\nConnection: close\r\n");
        for field in fields {
            request += &format!("{field}\r\n");
        }
        stream.write_all(format!("{request}\r\n").as_bytes()).expect("sent");
        Answer::read(&mut BufReader::new(stream))
    }

    fn signal(&self, name: &str) {
        check(Command::new(tool("kill", "procps")).arg(format!("-{name}")).arg(self.process.id().to_string()));
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).expect("log")
    }

    fn until(&self, what: &str, holds: impl Fn() -> bool) {
        let end = Instant::now() + Duration::from_secs(300);
        while !holds() {
            assert!(Instant::now() < end, "waited in vain until {what}; the server says:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it as an operator does, which must be clean.
    fn end(mut self) {
        self.signal("TERM");
        let status = self.process.wait().expect("waited");
        assert!(status.success(), "{status}\n{}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail where it has ended already, which is what is wanted.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    fields: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn read(reader: &mut impl BufRead) -> Answer {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a status line");
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut fields = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a field");
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            fields.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut answer = Answer { status, fields, body: String::new() };
        let length = answer.field("Content-Length").map_or(0, |length| length.parse().expect("a length"));
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the body");
        answer.body = String::from_utf8(body).expect("UTF-8");
        answer
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

fn build(name: &str, flag: &str, package: &str, test: &str) -> PathBuf {
    let header = if name == "minimal" { "microhttpd.h" } else { "event2/http.h" };
    assert!(
        ["/usr/include", "/usr/local/include"].iter().any(|folder| Path::new(folder).join(header).exists()),
        "{header} is missing and this test needs it: apt-get install {package}"
    );
    let binary = scratch(test).join(name);
    let library = library_folder();
    check(
        Command::new(tool("cc", "gcc"))
            .args(["-O2", "-Wall", "-Wextra", "-Werror", "-I"])
            .arg(root().join("include"))
            .arg(root().join(format!("examples/c/{name}.c")))
            .arg("-o")
            .arg(&binary)
            .arg("-L")
            .arg(&library)
            .arg(format!("-Wl,-rpath,{}", library.display()))
            .args(["-lgatepost", flag, "-pthread"]),
    );
    binary
}
