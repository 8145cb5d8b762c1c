//! Refresh tokens and `kill -9`: an exchange that was acknowledged is on the disk, and happened once.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod refresh_support;
mod tools;

use std::path::PathBuf;

use refresh_support::*;
use tools::other::{Other, say};

/// The folder of the state for the process that exchanges, and the token that it begins with.
const FOLDER: &str = "GATEPOST_TEST_REFRESH_FOLDER";
const TOKEN: &str = "GATEPOST_TEST_REFRESH_TOKEN";

/// Exchanges without end, and says each new token once it has it.
fn exchange_for_ever(folder: PathBuf, mut token: String) -> ! {
    let engine = engine(&folder, REFRESH);
    for step in 1.. {
        let tokens = exchange(&engine, &token, NOW + step).unwrap();
        token = next(&tokens).to_owned();
        say(&format!("acknowledged {token}"));
    }
    unreachable!()
}

#[test]
fn no_acknowledged_exchange_is_lost_or_doubled_by_kill_9() {
    if let (Some(folder), Ok(token)) = (std::env::var_os(FOLDER), std::env::var(TOKEN)) {
        exchange_for_ever(folder.into(), token);
    }
    let folder = tempfile::tempdir().unwrap();
    let engine = engine(folder.path(), REFRESH);
    add_user(&engine, "alice");
    let mut acknowledged_in_all = 0;
    for round in 0..200_u64 {
        let first = next(&login(&engine)).to_owned();
        let environment = [(FOLDER, folder.path().as_os_str()), (TOKEN, first.as_ref())];
        let mut other = Other::start("no_acknowledged_exchange_is_lost_or_doubled_by_kill_9", &environment);
        let mut chain = vec![first.clone()];
        for _ in 0..1 + round % 3 {
            chain.push(other.next("acknowledged ").unwrap());
        }
        // Somewhere in the next exchange, at another point each time.
        std::thread::sleep(std::time::Duration::from_micros(round * 37 % 2_000));
        other.child.kill().unwrap();
        while let Some(token) = other.next("acknowledged ") {
            chain.push(token);
        }
        other.child.wait().unwrap();
        acknowledged_in_all += chain.len() - 1;

        // The last one that was acknowledged is in force, or was exchanged for one that nobody heard of: within the grace
        // whoever has it gets that one all the same.
        let step = NOW + i64::try_from(chain.len()).unwrap();
        let last = chain.pop().unwrap();
        let tokens = exchange(&engine, &last, step).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let successor = exchange(&engine, next(&tokens), step + 60).unwrap();
        // And each one before it was used.
        let before = chain.pop().unwrap();
        refused(exchange(&engine, &before, step + 60), "used before");
        refused(exchange(&engine, next(&successor), step + 60), "came again");
    }
    assert!(acknowledged_in_all >= 400, "{acknowledged_in_all}");
    let check: String = rusqlite::Connection::open(folder.path().join("gatepost.db"))
        .unwrap()
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}
