//! What the tests of issued tokens share: a policy with a signer on a state file, and requests for tokens.

#![allow(dead_code, clippy::expect_used, reason = "each test takes what it needs, and may panic")]

use std::path::Path;

use gatepost::admin::{Admin, NewUser};
use gatepost::engine::{Engine, Options, RefreshRequest, TokenRequest, Tokens};
use gatepost::error::{Error, ErrorKind};
use gatepost::policy;

/// When all of it happens, Unix seconds.
pub const NOW: i64 = 1_790_000_000;
/// Signs.
pub const SECRET: &str = "kT7vQz2mXw9LrB4nYd6HcJ8sPfG3aUe5";

/// A policy whose state lies in the folder; `refresh` and further lines of the signer.
pub fn text(refresh: &str) -> String {
    format!(
        "[engine]\nname = \"Orders\"\nstate = \"gatepost.db\"\nschemes = [\"bearer\"]\n\
         [password]\nmemory_kib = 64\niterations = 1\n[events]\nfile = \"gatepost.jsonl\"\n\
         [[signer]]\nname = \"access\"\nissuer = \"https://orders.example.com\"\naudience = [\"orders\", \"mail\"]\n\
         algorithm = \"HS256\"\nkey = {{ secret_file = \"secret.key\" }}\n{refresh}\n\
         [[role]]\nname = \"clerk\"\n[[route]]\npath = \"/clerk\"\nrequire = {{ role = \"clerk\" }}\n\
         [[route]]\npath = \"/scoped\"\nrequire = {{ scope = \"orders:read\" }}\n"
    )
}

/// Refresh tokens as most tests have them.
pub const REFRESH: &str = "refresh = { lifetime = \"30d\", idle = \"7d\" }";

/// An engine on the folder's state, as another process would have it.
pub fn engine(folder: &Path, refresh: &str) -> Engine {
    std::fs::write(folder.join("secret.key"), SECRET).unwrap();
    let text = text(refresh);
    let loaded = policy::parse(&text, &folder.join("gatepost.toml"), folder)
        .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, &text, false)));
    let engine = Engine::new(loaded, Options::default());
    engine.start().unwrap();
    engine
}

/// Calls with the rules of the engine's policy, on its state.
pub fn with_admin<T>(engine: &Engine, call: impl FnOnce(&Admin<'_>) -> T) -> T {
    let (policy, state) = (engine.policy(), engine.state().unwrap());
    call(&Admin { policy: &policy, state: state.as_ref(), now: NOW })
}

pub fn add_user(engine: &Engine, name: &str) {
    let new = NewUser { name, roles: &["clerk".to_owned()], ..NewUser::default() };
    with_admin(engine, |admin| admin.seed_user(&new)).unwrap();
}

/// Tokens for alice, with a refresh token.
pub fn login(engine: &Engine) -> Tokens {
    let scopes = ["orders:read".to_owned(), "orders:write".to_owned()];
    let request =
        TokenRequest { user: "alice", scopes: &scopes, refresh: true, now: Some(NOW), ..TokenRequest::default() };
    engine.issue_token(&request).unwrap()
}

/// The refresh token of an answer.
pub fn next(tokens: &Tokens) -> &str {
    tokens.refresh.as_ref().unwrap()
}

/// Exchanges a refresh token.
pub fn exchange(engine: &Engine, token: &str, now: i64) -> Result<Tokens, Error> {
    engine.refresh_token(&RefreshRequest { token, now: Some(now), ..RefreshRequest::default() })
}

/// The exchange is refused, and the error says this.
#[track_caller]
pub fn refused(exchanged: Result<Tokens, Error>, why: &str) {
    let error = exchanged.expect_err("it was exchanged");
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert!(error.message().contains("invalid_grant") && error.message().contains(why), "{error}");
}
