//! What the tests of the whole engine share: policies from text, users, keys, tokens and requests.

#![allow(dead_code, clippy::indexing_slicing, reason = "each test takes what it needs, and may panic")]

use std::path::Path;

use data_encoding::{BASE64, BASE64URL_NOPAD};
use gatepost::admin::{Admin, NewKey, NewUser};
use gatepost::decision::Decision;
use gatepost::engine::{Engine, Job, Options, Progress};
use gatepost::policy;
use gatepost::request::{Header, Request};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

/// When all of it happens, Unix seconds.
pub const NOW: i64 = 1_790_000_000;
/// Signs the tokens of the issuer `accounts`.
pub const SECRET: &str = "kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";
/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// Cheap on purpose: what is tested are decisions, not the cost of hashing.
pub const CHEAP: &str = "[password]\nmemory_kib = 64\niterations = 1\n";

/// An issuer `accounts` whose secret lies in `secret.key`.
pub const ISSUER: &str = "[[issuer]]\nname = \"accounts\"\nissuer = \"https://accounts.example.com\"\n\
    audience = [\"orders\"]\nalgorithms = [\"HS256\"]\nkeys = { secret_file = \"secret.key\" }\n\
    claims = { subject = \"sub\", roles = \"roles\", scopes = \"scope\" }\n";

/// Checks a policy whose secret is [`SECRET`].
pub fn load(text: &str) -> policy::Loaded {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret.key"), SECRET).unwrap();
    policy::parse(text, Path::new("gatepost.toml"), folder.path())
        .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, text, false)))
}

/// A started engine.
pub fn engine(text: &str) -> Engine {
    engine_with(text, Options::default())
}

/// A started engine with options.
pub fn engine_with(text: &str, options: Options) -> Engine {
    let engine = Engine::new(load(text), options);
    engine.start().unwrap();
    engine
}

/// Calls with the rules of the engine's policy, on its state.
pub fn with_admin<T>(engine: &Engine, call: impl FnOnce(&Admin<'_>) -> T) -> T {
    let (policy, state) = (engine.policy(), engine.state().unwrap());
    call(&Admin { policy: &policy, state: state.as_ref(), now: NOW })
}

/// Adds a user with [`PASSWORD`].
pub fn add_user(engine: &Engine, name: &str, roles: &[&str]) {
    let roles: Vec<String> = roles.iter().map(|role| (*role).to_owned()).collect();
    let new = NewUser { name, password: Some(PASSWORD), roles: &roles, ..NewUser::default() };
    with_admin(engine, |admin| admin.seed_user(&new)).unwrap();
}

/// Issues an API key; its id and secret.
pub fn add_key(engine: &Engine, user: &str, scopes: &[&str], roles: Option<&[&str]>) -> (String, String) {
    let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    let (scopes, roles) = (own(scopes), roles.map(own));
    let new = NewKey { name: "test", user, scopes: &scopes, roles: roles.as_deref(), expires_at: None };
    let issued = with_admin(engine, |admin| admin.seed_key(&new)).unwrap();
    (issued.id().to_owned(), issued.secret.to_string())
}

/// `Authorization` for Basic.
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{name}:{password}").as_bytes()))
}

/// `Authorization` with a token of `accounts`: good claims for `subject`, changed by `more` (null takes one away).
pub fn bearer(subject: &str, more: Value) -> String {
    format!("Bearer {}", token(subject, more, SECRET))
}

/// The token alone, signed with any secret.
pub fn token(subject: &str, more: Value, secret: &str) -> String {
    let mut claims = json!({
        "iss": "https://accounts.example.com", "aud": "orders", "sub": subject, "iat": NOW - 60, "exp": NOW + 600,
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => _ = claims.as_object_mut().unwrap().remove(name),
            value => claims[name] = value.clone(),
        }
    }
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(&json!({"alg": "HS256", "typ": "JWT"})), encode(&claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(signed.as_bytes());
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes()))
}

/// A request to be changed and sent.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Vec<u8>,
    pub target: Vec<u8>,
    pub host: Vec<u8>,
    pub peer: Vec<u8>,
    pub id: Vec<u8>,
    pub headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub tls: bool,
    pub now: i64,
}

/// A GET over TLS from a stranger.
pub fn get(target: &str) -> Ask {
    Ask {
        method: b"GET".to_vec(),
        target: target.into(),
        host: b"orders.example.com".to_vec(),
        peer: b"192.0.2.7".to_vec(),
        id: Vec::new(),
        headers: Vec::new(),
        tls: true,
        now: NOW,
    }
}

impl Ask {
    pub fn method(mut self, method: &str) -> Ask {
        self.method = method.into();
        self
    }

    pub fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Ask {
        self.headers.push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    pub fn authorization(self, value: impl AsRef<[u8]>) -> Ask {
        self.header("Authorization", value)
    }

    pub fn login(self, name: &str) -> Ask {
        self.authorization(basic(name, PASSWORD))
    }

    pub fn peer(mut self, peer: &str) -> Ask {
        self.peer = peer.into();
        self
    }

    pub fn host(mut self, host: &str) -> Ask {
        self.host = host.into();
        self
    }

    pub fn at(mut self, now: i64) -> Ask {
        self.now = now;
        self
    }

    pub fn tls(mut self, tls: bool) -> Ask {
        self.tls = tls;
        self
    }

    /// Hands the request itself to `call`.
    pub fn with<T>(&self, call: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: Vec<Header<'_>> = self.headers.iter().map(|(name, value)| Header { name, value }).collect();
        call(&Request {
            method: &self.method,
            target: &self.target,
            host: &self.host,
            peer: &self.peer,
            request_id: &self.id,
            headers: &headers,
            tls: self.tls,
            body_complete: true,
            now: Some(self.now),
            ..Request::default()
        })
    }

    /// Decides it.
    pub fn to(&self, engine: &Engine) -> Decision {
        self.with(|request| engine.decide(request)).unwrap()
    }

    /// The reason's name.
    pub fn reason(&self, engine: &Engine) -> &'static str {
        self.to(engine).reason.name()
    }

    /// Begins it; it must need slow work.
    pub fn begin(&self, engine: &Engine) -> Job {
        match self.with(|request| engine.begin(request)).unwrap() {
            Progress::Pending(job) => job,
            Progress::Done(decision) => panic!("decided at once: {decision:?}"),
        }
    }
}

/// Runs and finishes a job to its end.
pub fn finish(mut job: Job) -> Decision {
    loop {
        job.run();
        match job.finish().unwrap() {
            Progress::Done(decision) => return *decision,
            Progress::Pending(next) => job = next,
        }
    }
}

/// All fields of that name in the answer to the client.
pub fn fields<'d>(decision: &'d Decision, name: &str) -> Vec<&'d str> {
    decision.response.iter().filter(|h| h.name.eq_ignore_ascii_case(name)).map(|h| &*h.value).collect()
}

/// The field of that name for the application.
pub fn upstream(decision: &Decision, name: &str) -> Option<String> {
    decision.upstream().iter().find(|h| h.name.eq_ignore_ascii_case(name)).map(|h| h.value.to_string())
}
