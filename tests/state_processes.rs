//! The state file between processes: changes are seen at once, `kill -9` loses nothing that was acknowledged, and what
//! cannot be opened says so. Each test that needs another process runs itself again as that process.

#![allow(clippy::unwrap_used, reason = "clippy exempts the test functions themselves, not what they call")]

mod tools;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use gatepost::state::{SqliteState, State, User};
use tools::other::{Other, say};
use tools::patience::patiently;

/// The state file for a test that runs as another process.
const STATE: &str = "GATEPOST_TEST_STATE";

struct Place {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place { path: folder.path().join("gatepost.db"), _folder: folder }
    }
}

/// The state file where this process is the other one.
fn other() -> Option<PathBuf> {
    std::env::var_os(STATE).map(PathBuf::from)
}

fn user(name: &str) -> User {
    User {
        name: name.into(),
        hash: None,
        roles: vec![],
        disabled: false,
        created_at: 0,
        password_changed_at: None,
        tokens_from: 0,
    }
}

#[test]
fn a_change_made_by_another_process_holds_for_the_very_next_look() {
    if let Some(path) = other() {
        let state = SqliteState::open(&path).unwrap();
        for line in std::io::stdin().lines() {
            let role = line.unwrap();
            assert!(state.grant("alice", &role).unwrap());
            say(&format!("granted {role}"));
        }
        return;
    }
    let place = Place::new();
    let state = SqliteState::open(&place.path).unwrap();
    state.add_user(&user("alice")).unwrap();
    let mut other = Other::start(
        "a_change_made_by_another_process_holds_for_the_very_next_look",
        &[(STATE, place.path.as_os_str())],
    );
    let mut last = state.version().unwrap();
    for n in 0..50 {
        let role = format!("role{n:02}");
        other.say(&role);
        assert_eq!(other.next("granted ").as_deref(), Some(role.as_str()));
        // It was acknowledged there: at this moment it holds here.
        let version = state.version();
        assert!(version != Some(last), "change {n} is not seen");
        assert!(state.user("alice").unwrap().unwrap().roles.contains(&role));
        last = version.unwrap_or(last);
    }
    // And the other way round.
    other.say("last");
    assert_eq!(other.next("granted ").as_deref(), Some("last"));
    other.end();
    assert!(state.version().is_some());
}

#[test]
fn nothing_acknowledged_is_lost_to_kill_9_and_nothing_stale_is_taken_for_fresh() {
    if let Some(path) = other() {
        let state = SqliteState::open(&path).unwrap();
        let id = std::process::id();
        for n in 0.. {
            let name = format!("u{id}-{n}");
            state.add_user(&User { roles: vec!["clerk".into()], ..user(&name) }).unwrap();
            say(&format!("acknowledged {name}"));
        }
    }
    let place = Place::new();
    let state = SqliteState::open(&place.path).unwrap();
    let mut acknowledged = Vec::new();
    // A reader as decisions have it: what was read under a version is taken from memory while the version stays.
    let mut kept: Option<(u64, usize)> = None;
    let (mut hits, mut without) = (0, 0);
    for round in 0..110u64 {
        let test = "nothing_acknowledged_is_lost_to_kill_9_and_nothing_stale_is_taken_for_fresh";
        let mut other = Other::start(test, &[(STATE, place.path.as_os_str())]);
        for _ in 0..1 + round % 3 {
            acknowledged.push(other.next("acknowledged ").unwrap());
        }
        // Somewhere in what follows, at a different point each time.
        let until = Instant::now() + Duration::from_micros(round * 37 % 1_500);
        while Instant::now() < until {
            let version = state.version();
            let Some(version) = version else {
                without += 1;
                continue;
            };
            let count = state.users().unwrap().len();
            match kept {
                Some((at, before)) if at == version => {
                    hits += 1;
                    // The database may be ahead only of a version that has ended by now.
                    assert!(before == count || state.version() != Some(version), "round {round}: a stale hit");
                }
                _ => kept = (state.version() == Some(version)).then_some((version, count)),
            }
        }
        other.child.kill().unwrap();
        while let Some(name) = other.next("acknowledged ") {
            acknowledged.push(name);
        }
        other.child.wait().unwrap();
        let last = acknowledged.last().unwrap();
        assert_eq!(state.user(last).unwrap().unwrap().roles, ["clerk"], "round {round}");
    }
    println!("{} acknowledged, {hits} hits, {without} looks without a version", acknowledged.len());
    let users = state.users().unwrap();
    for name in &acknowledged {
        assert!(users.iter().any(|user| user.name == *name), "{name} was acknowledged");
    }
    assert!(users.iter().all(|user| user.roles == ["clerk"]), "a user and its role are one change");
    let check: String = rusqlite::Connection::open(&place.path)
        .unwrap()
        .query_row("PRAGMA integrity_check", (), |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
    // A last word from here, and all is in order again.
    state.add_user(&user("after")).unwrap();
    assert!(state.version().is_some());
}

#[test]
fn processes_that_open_a_new_file_at_once_and_write_at_once_all_get_through() {
    if let Some(path) = other() {
        let id = std::process::id();
        let state = patiently(|| SqliteState::open(&path));
        for n in 0..20 {
            patiently(|| state.add_user(&user(&format!("u{id}-{n}"))));
        }
        return;
    }
    let place = Place::new();
    let test = "processes_that_open_a_new_file_at_once_and_write_at_once_all_get_through";
    let others: Vec<Other> = (0..4).map(|_| Other::start(test, &[(STATE, place.path.as_os_str())])).collect();
    for other in others {
        other.end();
    }
    let state = SqliteState::open(&place.path).unwrap();
    assert_eq!(state.users().unwrap().len(), 80);
    assert!(state.version().is_some());
}

#[test]
fn a_file_or_folder_that_may_not_be_written_is_refused_with_what_to_do() {
    if let Some(path) = other() {
        let error = SqliteState::open(&path).unwrap_err();
        assert!(error.message().contains("let the user that this runs as write"), "{error}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &Path, mode: u32| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    let path = folder.path().join("gatepost.db");
    // Everything may write for root, so the test runs on as nobody, from a copy that nobody can reach.
    let program = folder.path().join("test");
    // By another process: one that a test beside this starts would hold on to a file that is being written here, for as
    // long as it takes to start, and nothing runs such a file (ETXTBSY).
    let copied = Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap();
    assert!(copied.success());
    let refused = |path: &Path| {
        let mut command = Command::new(&program);
        command.args(["a_file_or_folder_that_may_not_be_written_is_refused_with_what_to_do", "--exact"]);
        if rustix::process::geteuid().is_root() {
            command.uid(65_534).gid(65_534);
        }
        let output = command.env(STATE, path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    };
    mode(&program, 0o755);
    // A folder without write permission, and no file.
    mode(folder.path(), 0o555);
    refused(&path);
    // A file without.
    mode(folder.path(), 0o755);
    SqliteState::open(&path).unwrap().add_user(&user("alice")).unwrap();
    mode(&path, 0o444);
    mode(folder.path(), 0o777);
    refused(&path);
    mode(folder.path(), 0o755);
}
