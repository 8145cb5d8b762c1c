//! An issuer's server: real TLS on loopback, with an authority of its own, that says what a test lets it say and writes
//! down what it was asked.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A whole answer: status line, fields and content.
    Whole(Vec<u8>),
    /// The same, an octet at a time for ever.
    Drip(Vec<u8>),
    /// Nothing; the connection stays open for so long.
    Silence(Duration),
    /// The end of the connection.
    Hangup,
}

type Handler = Box<dyn Fn(&str) -> Reply + Send + Sync>;

/// A running server. Its name is `localhost`.
pub struct Server {
    pub port: u16,
    /// The authority's certificate in PEM.
    pub ca: String,
    heads: Arc<Mutex<Vec<String>>>,
    handler: Arc<Mutex<Handler>>,
    config: Arc<Mutex<Arc<ServerConfig>>>,
    authority: CertifiedIssuer<'static, KeyPair>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// One that answers 404 until told otherwise.
    pub fn new() -> Server {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "An authority of these tests");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let config = Arc::new(Mutex::new(signed(&authority, "localhost")));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let handler: Arc<Mutex<Handler>> = Arc::new(Mutex::new(Box::new(|_| answer(404, "", ""))));
        let (heads, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let server = Server { port, ca: authority.pem(), heads, handler, config, authority, stop: Arc::clone(&stop) };
        let shared = (Arc::clone(&server.heads), Arc::clone(&server.handler), Arc::clone(&server.config));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (heads, handler, config) = (Arc::clone(&shared.0), Arc::clone(&shared.1), Arc::clone(&shared.2));
                std::thread::spawn(move || {
                    let config = Arc::clone(&config.lock().unwrap());
                    // A client that does not like what it sees goes away.
                    let _ = serve(stream, config, &heads, &handler);
                });
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.port)
    }

    /// Writes the authority's certificate beside a policy.
    pub fn write_ca(&self, folder: &Path) {
        std::fs::write(folder.join("ca.pem"), &self.ca).unwrap();
    }

    /// From now on.
    pub fn answers(&self, handler: impl Fn(&str) -> Reply + Send + Sync + 'static) {
        *self.handler.lock().unwrap() = Box::new(handler);
    }

    /// Publishes a JWK Set at any path.
    pub fn publishes(&self, set: &str) {
        let set = set.to_owned();
        self.answers(move |_| answer(200, "Content-Type: application/json\r\n", &set));
    }

    /// Shows a certificate for another name, of its own authority.
    pub fn is_called(&self, name: &str) {
        *self.config.lock().unwrap() = signed(&self.authority, name);
    }

    /// Shows a certificate of its own name that nobody vouches for.
    pub fn signs_itself(&self) {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
        *self.config.lock().unwrap() = config(vec![own.der().clone()], &key);
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    /// How many requests it got.
    pub fn asked(&self) -> usize {
        self.heads.lock().unwrap().len()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// A whole answer.
pub fn answer(status: u16, fields: &str, body: &str) -> Reply {
    let head = format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Reply::Whole((head + body).into_bytes())
}

/// The path of a request.
pub fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap()
}

/// A field of a request.
pub fn field<'h>(head: &'h str, name: &str) -> Option<&'h str> {
    head.lines().find_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn signed(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    config(vec![leaf.der().clone()], &key)
}

fn config(chain: Vec<rustls::pki_types::CertificateDer<'static>>, key: &KeyPair) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap())
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    heads: &Mutex<Vec<String>>,
    handler: &Mutex<Handler>,
) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(300)))?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
    }
    let head = String::from_utf8(head).map_err(std::io::Error::other)?;
    heads.lock().unwrap().push(head.clone());
    let reply = handler.lock().unwrap()(&head);
    match reply {
        Reply::Whole(bytes) => {
            stream.write_all(&bytes)?;
            stream.conn.send_close_notify();
            stream.flush()
        }
        Reply::Drip(bytes) => {
            for octet in bytes.iter().chain(std::iter::repeat(&b' ')) {
                stream.write_all(&[*octet])?;
                stream.flush()?;
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
        Reply::Silence(length) => {
            std::thread::sleep(length);
            Ok(())
        }
        Reply::Hangup => Ok(()),
    }
}
