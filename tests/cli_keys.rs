//! Keys by URL on the command line: `check` asks nobody, `decide`, `token inspect` and `token revoke` fetch what no server
//! has left in the state; the first two leave no trace.

#![cfg(feature = "https")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod command;
mod engine_support;
mod keys_support;
#[path = "keys_support/server.rs"]
mod server;

use std::path::Path;

use command::{Ran, run_in};
use keys_support::*;
use server::Server;

/// Runs a command that fetches, until the server's answer came in the time that it has: on a machine that stands still
/// either of the two may be late.
fn fetch_in(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut ran = run_in(folder, arguments, input);
    for _ in 0..20 {
        if !ran.err.contains("no whole answer came within") {
            break;
        }
        ran = run_in(folder, arguments, input);
    }
    ran
}

const ISSUER: &str = "https://accounts.example.com";

fn policy(server: &Server) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    server.write_ca(folder.path());
    let text = format!(
        "[engine]\nschemes = [\"bearer\"]\n[[issuer]]\nname = \"accounts\"\nissuer = \"{ISSUER}\"\naudience = \"orders\"\n\
         algorithms = \"EdDSA\"\nkeys = {{ url = \"{}\", ca = \"ca.pem\" }}\n[[route]]\npath = \"/orders\"\n",
        server.url("/keys")
    );
    std::fs::write(folder.path().join("orders.toml"), text).unwrap();
    folder
}

#[test]
fn check_needs_no_network_and_decide_fetches_for_itself() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let folder = policy(&server);
    let token = signer.bearer(ISSUER).replace("Bearer ", "");
    run_in(folder.path(), &["check", "--strict", "orders.toml"], "").exits(0);
    run_in(folder.path(), &["decide", "orders.toml", "/orders"], "").exits(3).says("credentials_missing");
    let before = server.asked();
    fetch_in(folder.path(), &["decide", "orders.toml", "/orders", "--bearer", &token], "").exits(0).says("u-17");
    let decided = server.asked();
    fetch_in(folder.path(), &["token", "inspect", "--policy", "orders.toml"], &token).exits(0);
    assert!(before == 0 && decided > 0 && server.asked() > decided);
    assert!(!folder.path().join("gatepost.db").exists());
    server.answers(|_| server::answer(404, "", ""));
    fetch_in(folder.path(), &["decide", "orders.toml", "/orders", "--bearer", &token], "")
        .exits(3)
        .says("keys_unavailable")
        .complains("it answered 404");
}

#[test]
fn a_token_is_revoked_by_itself_where_its_keys_come_from_an_address() {
    let (server, signer) = (Server::new(), Signer::new("one"));
    server.publishes(&set(&[&signer]));
    let folder = policy(&server);
    let token = signer.bearer(ISSUER).replace("Bearer ", "");
    let revoke = ["token", "revoke", "--token", "-", "--policy", "orders.toml"];
    fetch_in(folder.path(), &revoke, &token).exits(0);
    fetch_in(folder.path(), &["decide", "orders.toml", "/orders", "--bearer", &token], "")
        .exits(3)
        .says("token_revoked");
    // What nobody can vouch for is not revoked, and the reason is said.
    server.answers(|_| server::answer(404, "", ""));
    fetch_in(folder.path(), &revoke, &token).exits(1).complains("it answered 404").complains("keys_unavailable");
}
