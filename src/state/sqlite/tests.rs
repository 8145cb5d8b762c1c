use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use super::*;
use crate::crypto::password;
use crate::ffi::os::fork::in_a_child;

/// Names the point at which this process is to die as if by `kill -9`.
const DIE_AT: &str = "GATEPOST_TEST_DIE_AT";
/// The state file for a test that runs as its own child.
const CHILD_STATE: &str = "GATEPOST_TEST_CHILD_STATE";

/// Called by the code under test where a crash would be worst.
pub(super) fn passing(point: &str) {
    if std::env::var_os(DIE_AT).is_some_and(|wanted| wanted == point) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

struct Place {
    folder: tempfile::TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place { path: folder.path().join("gatepost.db"), folder }
    }

    fn open(&self) -> SqliteState {
        SqliteState::open(&self.path).unwrap()
    }

    fn refusal(&self) -> String {
        let error = SqliteState::open(&self.path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{error}");
        error.message().to_owned()
    }
}

fn user(name: &str) -> User {
    User {
        name: name.into(),
        hash: Some("$argon2id$…".into()),
        roles: vec![],
        disabled: false,
        created_at: 1_000,
        password_changed_at: Some(1_000),
        tokens_from: 1_000,
    }
}

fn key(id: &str, name: &str, owner: &str) -> ApiKey {
    let mut digest = [0; 32];
    digest[..id.len()].copy_from_slice(id.as_bytes());
    ApiKey {
        id: id.into(),
        name: name.into(),
        user: owner.into(),
        digest,
        scopes: vec!["orders:read".into()],
        roles: None,
        created_at: 1_000,
        expires_at: Some(5_000),
        revoked_at: None,
        last_used_at: None,
    }
}

#[track_caller]
fn conflict<T: std::fmt::Debug>(result: Result<T, Error>, words: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert!(error.message().contains(words), "{error}");
}

#[test]
fn what_is_written_is_read_back_also_after_opening_again() {
    let place = Place::new();
    let mut alice = user("alice");
    alice.roles = vec!["admin".into(), "clerk".into()];
    let mut ci = key("k1", "ci", "alice");
    ci.roles = Some(vec!["clerk".into()]);
    {
        let state = place.open();
        state.add_user(&alice).unwrap();
        state.add_user(&User { hash: None, password_changed_at: None, disabled: true, ..user("bob") }).unwrap();
        state.add_api_key(&ci).unwrap();
    }
    let state = place.open();
    assert_eq!(state.user("alice").unwrap(), Some(alice.clone()));
    assert_eq!(state.user("Alice").unwrap(), None, "names are canonical already");
    let users = state.users().unwrap();
    assert_eq!(users.iter().map(|user| user.name.as_str()).collect::<Vec<_>>(), ["alice", "bob"]);
    assert_eq!(users[0], alice);
    assert!(users[1].disabled && users[1].hash.is_none() && users[1].roles.is_empty());
    assert_eq!(state.api_key(&ci.digest).unwrap(), Some(ci));
    assert_eq!(state.api_key(&[9; 32]).unwrap(), None);
}

#[test]
fn changes_to_a_user_hold_and_say_whether_they_changed_anything() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&user("alice")).unwrap();
    assert!(state.grant("alice", "clerk").unwrap());
    assert!(!state.grant("alice", "clerk").unwrap());
    assert!(state.grant("alice", "admin").unwrap());
    assert!(state.revoke("alice", "admin").unwrap());
    assert!(!state.revoke("alice", "admin").unwrap());
    state.set_password("alice", "$new", 2_000, 0).unwrap();
    state.set_disabled("alice", true, 3_000).unwrap();
    let alice = state.user("alice").unwrap().unwrap();
    assert_eq!(alice.roles, ["clerk"]);
    assert_eq!((alice.hash.as_deref(), alice.password_changed_at), (Some("$new"), Some(2_000)));
    assert!(alice.disabled);
    assert_eq!(alice.tokens_from, 3_001, "tokens of that very second are not theirs any more");
    state.set_disabled("alice", false, 3_000).unwrap();
    assert!(!state.user("alice").unwrap().unwrap().disabled);
}

#[test]
fn of_old_passwords_only_so_many_are_kept_as_were_asked_for() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&user("alice")).unwrap();
    state.add_user(&User { hash: None, ..user("bob") }).unwrap();
    for (hash, keep, kept) in [
        ("$2", 2, &["$argon2id$…"][..]),
        ("$3", 2, &["$2", "$argon2id$…"]),
        ("$4", 2, &["$3", "$2"]),
        ("$5", 1, &["$4"]),
        ("$6", 0, &[]),
        ("$7", 3, &["$6"]),
    ] {
        state.set_password("alice", hash, 2_000, keep).unwrap();
        assert_eq!(state.old_passwords("alice").unwrap(), kept, "{hash}");
    }
    state.set_password("bob", "$1", 2_000, 3).unwrap();
    assert!(state.old_passwords("bob").unwrap().is_empty(), "no password is no old password");
    state.remove_user("alice").unwrap();
    state.add_user(&user("alice")).unwrap();
    assert!(state.old_passwords("alice").unwrap().is_empty(), "another person of that name has no past");
    conflict(state.old_passwords("carol").map(drop), "there is no user carol");
}

#[test]
fn a_state_of_the_first_version_is_brought_up_and_keeps_its_users() {
    let place = Place::new();
    let hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    place.open().add_user(&user("alice")).unwrap();
    place.open().add_user(&User { hash: Some(hash.into()), ..user("bob") }).unwrap();
    let connection = Connection::open(&place.path).unwrap();
    let later = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('users', 'grants', 'api_keys') \
                 AND name NOT LIKE 'sqlite_%'";
    let read = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    let later: Vec<_> = connection.prepare(later).unwrap().query_map((), read).unwrap().map(Result::unwrap).collect();
    for table in later {
        connection.execute(&format!("DROP TABLE {table}"), ()).unwrap();
    }
    let before = "DROP INDEX users_by_work; ALTER TABLE users DROP COLUMN work; \
                  ALTER TABLE users DROP COLUMN tokens_from; PRAGMA user_version = 1";
    connection.execute_batch(before).unwrap();
    drop(connection);
    let state = place.open();
    assert_eq!(state.works().unwrap(), [password::work(hash).unwrap()]);
    state.set_password("alice", "$new", 2_000, 1).unwrap();
    assert_eq!(state.old_passwords("alice").unwrap(), ["$argon2id$…"]);
    let bob = state.user("bob").unwrap().unwrap();
    assert_eq!(bob.tokens_from, bob.created_at);
}

#[test]
fn a_hash_is_replaced_only_where_it_is_still_the_one_that_was_checked() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&User { password_changed_at: Some(7), ..user("alice") }).unwrap();
    assert!(state.replace_hash("alice", "$argon2id$…", "$better").unwrap());
    assert!(!state.replace_hash("alice", "$argon2id$…", "$late").unwrap(), "it is another one by now");
    assert!(!state.replace_hash("bob", "$argon2id$…", "$late").unwrap(), "nobody of that name is no reason to fail");
    let alice = state.user("alice").unwrap().unwrap();
    assert_eq!((alice.hash.as_deref(), alice.password_changed_at), (Some("$better"), Some(7)));
    assert!(state.old_passwords("alice").unwrap().is_empty(), "the password is the same");
}

#[test]
fn each_kind_of_work_is_told_once_and_goes_with_its_last_hash() {
    let state = SqliteState::memory().unwrap();
    let (sha, bcrypt) =
        ("{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "$2y$05$SXWrNM7ldtbRzBvUC3VXyOvUeiUcP45XPwM93P5eeGOEPIiAZmJjC");
    let works = || state.works().unwrap().into_iter().map(|work| work.to_text()).collect::<Vec<_>>();
    assert!(works().is_empty());
    for (name, hash) in
        [("a", Some(sha)), ("b", Some(bcrypt)), ("c", Some(sha)), ("d", None), ("e", Some("unreadable"))]
    {
        state.add_user(&User { hash: hash.map(str::to_owned), ..user(name) }).unwrap();
    }
    assert_eq!(works(), ["bcrypt 5", "sha1"]);
    state.set_password("b", sha, 1, 0).unwrap();
    assert_eq!(works(), ["sha1"]);
    state.remove_user("a").unwrap();
    assert!(state.replace_hash("b", sha, "unreadable").unwrap());
    assert_eq!(works(), ["sha1"]);
    state.set_password("c", bcrypt, 1, 0).unwrap();
    assert_eq!(works(), ["bcrypt 5"]);
}

#[test]
fn a_secret_is_drawn_once_for_all_processes_and_changes_no_version() {
    let place = Place::new();
    let (one, two) = (place.open(), place.open());
    let version = one.version();
    let secret = one.secret("events").unwrap();
    assert_eq!(two.secret("events").unwrap(), secret);
    assert_ne!(two.secret("others").unwrap(), secret);
    assert_ne!(secret, [0; 32]);
    drop((one, two));
    let again = place.open();
    assert_eq!(again.secret("events").unwrap(), secret, "also after a restart");
    assert_eq!(again.version(), version, "no decision reads it");
}

#[test]
fn a_name_that_exists_or_does_not_is_a_conflict_that_says_what_to_do() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&user("alice")).unwrap();
    conflict(state.add_user(&user("alice")), "gatepost user passwd");
    let unknown = "there is no user bob; `gatepost user list` shows who exists";
    conflict(state.set_password("bob", "$x", 0, 0), unknown);
    conflict(state.set_disabled("bob", true, 3_000), unknown);
    conflict(state.grant("bob", "clerk"), unknown);
    conflict(state.revoke("bob", "clerk"), unknown);
    conflict(state.remove_user("bob"), unknown);
    conflict(state.add_api_key(&key("k", "n", "bob")), unknown);
    conflict(state.revoke_api_key("nothing", 0), "gatepost key list");
    assert_eq!(state.users().unwrap(), [user("alice")], "nothing was left half done");
}

#[test]
fn removing_a_user_removes_roles_and_keys_so_that_a_namesake_starts_with_nothing() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&User { roles: vec!["admin".into()], ..user("alice") }).unwrap();
    let ci = key("k1", "ci", "alice");
    state.add_api_key(&ci).unwrap();
    state.remove_user("alice").unwrap();
    assert_eq!(state.user("alice").unwrap(), None);
    assert_eq!(state.api_key(&ci.digest).unwrap(), None);
    state.add_user(&user("alice")).unwrap();
    assert!(state.user("alice").unwrap().unwrap().roles.is_empty());
    assert!(state.api_keys(None).unwrap().is_empty());
}

#[test]
fn keys_are_revoked_by_id_or_by_a_name_that_means_one() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&user("alice")).unwrap();
    state.add_user(&user("bob")).unwrap();
    for (id, name, owner) in [("k1", "ci", "alice"), ("k2", "ci", "bob"), ("k3", "backup", "bob")] {
        state.add_api_key(&key(id, name, owner)).unwrap();
    }
    conflict(state.add_api_key(&key("k1", "other", "bob")), "already");
    let ids = |user| state.api_keys(user).unwrap().into_iter().map(|key| key.id).collect::<Vec<_>>();
    assert_eq!(ids(None), ["k1", "k2", "k3"]);
    assert_eq!(ids(Some("bob")), ["k2", "k3"]);
    conflict(state.revoke_api_key("ci", 2_000), "k1, k2");
    state.revoke_api_key("backup", 2_000).unwrap();
    state.revoke_api_key("k1", 2_000).unwrap();
    state.revoke_api_key("ci", 3_000).unwrap();
    state.revoke_api_key("k1", 4_000).unwrap();
    let revoked: Vec<_> = state.api_keys(None).unwrap().into_iter().map(|key| key.revoked_at).collect();
    assert_eq!(revoked, [Some(2_000), Some(3_000), Some(2_000)], "the first time stands");
}

#[test]
fn last_uses_are_kept_to_the_minute_and_never_go_back() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&user("alice")).unwrap();
    let ci = key("k1", "ci", "alice");
    state.add_api_key(&ci).unwrap();
    let before = state.version();
    state.touch_api_keys(&[(ci.digest, 6_059), ([7; 32], 6_059)]).unwrap();
    state.touch_api_keys(&[(ci.digest, 5_000)]).unwrap();
    assert_eq!(state.api_key(&ci.digest).unwrap().unwrap().last_used_at, Some(6_000));
    assert_eq!(state.version(), before, "a last use is nothing that a decision reads");
}

#[test]
fn control_characters_and_nothing_at_all_are_refused_before_they_are_stored() {
    let state = SqliteState::memory().unwrap();
    state.add_user(&user("alice")).unwrap();
    let long = "r".repeat(1_025);
    for bad in ["", "a\nb", "a\0", "\u{1b}[31m", "a\u{85}", long.as_str()] {
        let results = [
            state.grant("alice", bad).map(drop),
            state.add_user(&user(bad)),
            state.add_user(&User { roles: vec![bad.into()], ..user("bob") }),
            state.add_api_key(&ApiKey { scopes: vec![bad.into()], ..key("k", "n", "alice") }),
            state.add_api_key(&ApiKey { roles: Some(vec![bad.into()]), ..key("k", "n", "alice") }),
            state.add_api_key(&ApiKey { name: bad.into(), ..key("k", "n", "alice") }),
        ];
        for result in results {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Input, "{bad:?}");
        }
    }
    assert_eq!(state.users().unwrap(), [user("alice")]);
    assert!(state.api_keys(None).unwrap().is_empty());
}

#[test]
fn the_version_moves_with_every_change_and_with_nothing_else() {
    let place = Place::new();
    let (state, other) = (place.open(), place.open());
    let mut last = state.version().unwrap();
    let mut moves = |what: &str, change: &dyn Fn(), wanted: bool| {
        change();
        let now = other.version().unwrap();
        assert_eq!(now != last, wanted, "{what}");
        assert_eq!(state.version(), Some(now));
        last = now;
    };
    moves("add", &|| state.add_user(&user("alice")).unwrap(), true);
    moves("add again", &|| assert!(state.add_user(&user("alice")).is_err()), false);
    moves("grant", &|| assert!(state.grant("alice", "clerk").unwrap()), true);
    moves("grant again", &|| assert!(!state.grant("alice", "clerk").unwrap()), false);
    moves("password", &|| state.set_password("alice", "$x", 1, 1).unwrap(), true);
    moves("disable", &|| state.set_disabled("alice", true, 3_000).unwrap(), true);
    moves("disable again", &|| state.set_disabled("alice", true, 3_000).unwrap(), false);
    moves("key", &|| state.add_api_key(&key("k", "n", "alice")).unwrap(), true);
    moves("revoke key", &|| state.revoke_api_key("k", 1).unwrap(), true);
    moves("revoke", &|| assert!(state.revoke("alice", "clerk").unwrap()), true);
    moves("remove", &|| state.remove_user("alice").unwrap(), true);
    moves("read", &|| assert!(state.users().unwrap().is_empty()), false);
}

#[test]
fn all_files_are_for_their_owner_alone() {
    let place = Place::new();
    let state = place.open();
    state.add_user(&user("alice")).unwrap();
    let mut seen = 0;
    for entry in std::fs::read_dir(place.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        seen += 1;
    }
    assert_eq!(seen, 4, "database, log, shared memory, change counter");
}

#[test]
fn files_that_are_not_ours_are_refused_and_left_as_they_are() {
    let place = Place::new();
    std::fs::write(&place.path, "these are somebody's notes, long enough to look like a page. ".repeat(20)).unwrap();
    let before = std::fs::read(&place.path).unwrap();
    assert!(place.refusal().contains("no state file of Gatepost"));
    assert_eq!(std::fs::read(&place.path).unwrap(), before);

    std::fs::remove_file(&place.path).unwrap();
    Connection::open(&place.path).unwrap().execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 1").unwrap();
    let before = std::fs::read(&place.path).unwrap();
    assert!(place.refusal().contains("another program"));
    assert_eq!(std::fs::read(&place.path).unwrap(), before, "not even its journal mode");
}

#[test]
fn a_file_of_a_newer_version_is_refused_with_what_to_do() {
    let place = Place::new();
    drop(place.open());
    Connection::open(&place.path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let message = place.refusal();
    assert!(message.contains("version 99") && message.contains("update Gatepost"), "{message}");
}

#[test]
fn a_path_that_cannot_be_a_state_file_is_refused_with_what_to_do() {
    let place = Place::new();
    let refusal = |path: &Path| SqliteState::open(path).unwrap_err().message().to_owned();
    assert!(refusal(place.folder.path()).contains("is not a file"));
    let message = refusal(&place.folder.path().join("no/such/folder.db"));
    assert!(message.contains("make its folder"), "{message}");
    std::fs::write(place.folder.path().join("gatepost.db-epoch"), "notes").unwrap();
    let message = place.refusal();
    assert!(message.contains("-epoch") && message.contains("delete this file"), "{message}");
}

#[test]
fn a_panic_in_a_write_leaves_the_state_usable_and_nothing_half_done() {
    let state = SqliteState::memory().unwrap();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        state.write::<()>(|transaction| {
            let _ = users::add(transaction, &user("alice"));
            panic!("on purpose")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(state.user("alice").unwrap(), None);
    state.add_user(&user("alice")).unwrap();
    assert!(state.version().is_some());
}

#[test]
fn writers_of_many_threads_and_two_engines_lose_nothing() {
    let place = Place::new();
    let states = [place.open(), place.open()];
    states[0].add_user(&user("alice")).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let state = &states[thread % 2];
            scope.spawn(move || {
                for n in 0..25 {
                    assert!(state.grant("alice", &format!("role-{thread}-{n}")).unwrap());
                }
            });
        }
    });
    for state in &states {
        assert_eq!(state.user("alice").unwrap().unwrap().roles.len(), 100);
        assert!(state.version().is_some());
    }
}

#[test]
fn a_child_of_the_process_that_opened_it_can_neither_use_nor_close_it() {
    let place = Place::new();
    let state = place.open();
    state.add_user(&user("alice")).unwrap();
    let mut shared = Some(state);
    let code = in_a_child(|| {
        let Some(state) = shared.take() else { return 1 };
        let refused = state.user("alice").is_err_and(|error| error.kind() == ErrorKind::NotStarted);
        let refused = refused && state.grant("alice", "admin").is_err_and(|e| e.kind() == ErrorKind::NotStarted);
        drop(state);
        if refused { 7 } else { 8 }
    });
    assert_eq!(code, 7);
    assert!(place.folder.path().join("gatepost.db-wal").exists(), "the child has not closed the parent's log");
    let state = shared.unwrap();
    assert!(state.grant("alice", "clerk").unwrap());
    assert_eq!(place.open().user("alice").unwrap().unwrap().roles, ["clerk"]);
}

#[test]
fn a_state_file_that_was_replaced_is_opened_anew_and_one_that_is_gone_is_an_error() {
    let (place, other) = (Place::new(), Place::new());
    let state = place.open();
    state.add_user(&user("alice")).unwrap();
    let before = state.version().unwrap();
    {
        let restored = other.open();
        restored.add_user(&user("bob")).unwrap();
    }
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(place.folder.path().join(format!("gatepost.db{end}")));
    }
    std::fs::rename(&other.path, &place.path).unwrap();
    // A write goes to the new file at once.
    state.grant("bob", "clerk").unwrap();
    assert!(state.version().is_some_and(|version| version != before));
    assert_eq!(state.user("alice").unwrap(), None);
    assert_eq!(place.open().user("bob").unwrap().unwrap().roles, ["clerk"]);

    std::fs::remove_file(&place.path).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(state.version(), None);
    assert_eq!(state.user("bob").unwrap_err().kind(), ErrorKind::State);
    assert_eq!(state.grant("bob", "admin").unwrap_err().kind(), ErrorKind::State);
    assert!(!place.path.exists(), "no empty file in its place");
}

#[test]
fn a_writer_killed_around_its_commit_leaves_nothing_that_could_be_taken_for_fresh() {
    if let Some(path) = std::env::var_os(CHILD_STATE) {
        let state = SqliteState::open(Path::new(&path)).unwrap();
        let _ = state.grant("alice", "admin");
        unreachable!("this process was to die in its commit");
    }
    for (point, committed) in [("before the commit", false), ("after the commit", true)] {
        let place = Place::new();
        let state = place.open();
        state.add_user(&user("alice")).unwrap();
        let before = state.version().unwrap();
        let name =
            "state::sqlite::tests::a_writer_killed_around_its_commit_leaves_nothing_that_could_be_taken_for_fresh";
        let output = Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--test-threads=1"])
            .env(CHILD_STATE, &place.path)
            .env(DIE_AT, point)
            .output()
            .unwrap();
        assert_eq!(output.status.signal(), Some(9), "{point}: {output:?}");
        assert_eq!(state.version(), None, "{point}: nothing may be kept");
        let roles = if committed { vec!["admin".to_owned()] } else { vec![] };
        assert_eq!(state.user("alice").unwrap().unwrap().roles, roles, "{point}");
        // Without any other writer, readers bring the version back by themselves.
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        assert_eq!(state.user("alice").unwrap().unwrap().roles, roles);
        let after = state.version().unwrap();
        assert!(after > before + 1, "{point}: neither the old number nor the one of the dead");
        assert!(state.grant("alice", "clerk").unwrap());
    }
}
