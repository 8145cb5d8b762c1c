use std::collections::BTreeSet;

use super::*;
use crate::state::{SqliteState, State};

const ISSUER: &str = "https://accounts.example.com";

fn revocation(by: By, name: &str) -> Revocation {
    let before = (by == By::Subject).then_some(1_000);
    Revocation { by, issuer: ISSUER.into(), name: name.into(), before, revoked_at: 900, ends_at: Some(2_000) }
}

fn found(state: &SqliteState, by: By, name: &str, issued_at: Option<i64>) -> bool {
    state.revocation(ISSUER, &[(by, name)], issued_at).unwrap().is_some()
}

fn names(news: &News) -> Vec<&str> {
    news.entries.iter().map(|entry| entry.name.as_str()).collect()
}

#[test]
fn what_is_revoked_is_found_by_its_issuer_kind_and_name_alone() {
    let state = SqliteState::memory().unwrap();
    for by in By::ALL {
        assert!(state.revoke_token(&revocation(by, "a")).unwrap());
        for other in By::ALL {
            assert_eq!(found(&state, other, "a", Some(1)), other.number() <= by.number(), "{by} {other}");
        }
        for name in ["A", "a ", "", "a\0", "\0a", "ä"] {
            assert!(!found(&state, by, name, None), "{name:?}");
        }
        assert_eq!(state.revocation("https://accounts.example.com/", &[(by, "a")], None).unwrap(), None);
    }
    // Whatever a token can say can be revoked.
    for name in ["a\0b", "\n", "ä", &"x".repeat(16_000)] {
        assert!(state.revoke_token(&revocation(By::Token, name)).unwrap());
        assert!(found(&state, By::Token, name, None), "{name:?}");
    }
    assert!(state.revoke_token(&revocation(By::Token, "")).unwrap_err().message().contains("is empty"));
}

#[test]
fn of_a_subject_what_was_issued_before_the_time_is_hit_and_what_does_not_say_when() {
    let state = SqliteState::memory().unwrap();
    state.revoke_token(&revocation(By::Subject, "alice")).unwrap();
    for (issued_at, hit) in
        [(Some(0), true), (Some(999), true), (Some(1_000), false), (Some(5_000), false), (None, true)]
    {
        assert_eq!(found(&state, By::Subject, "alice", issued_at), hit, "{issued_at:?}");
    }
}

#[test]
fn what_is_said_again_only_ever_adds_and_changes_the_version_only_where_it_does() {
    let state = SqliteState::memory().unwrap();
    let with = |before, ends_at| Revocation { before, ends_at, ..revocation(By::Subject, "alice") };
    let steps = [
        (with(Some(100), Some(500)), true, (Some(100), Some(500))),
        (with(Some(50), Some(400)), false, (Some(100), Some(500))),
        (with(Some(100), Some(600)), true, (Some(100), Some(600))),
        (with(Some(200), Some(300)), true, (Some(200), Some(600))),
        (with(Some(200), None), true, (Some(200), None)),
        (with(None, Some(1)), true, (None, None)),
        (with(Some(900), Some(900)), false, (None, None)),
    ];
    for (new, changes, wanted) in steps {
        let version = state.version();
        assert_eq!(state.revoke_token(&new).unwrap(), changes, "{new:?}");
        assert_eq!(state.version() != version, changes, "{new:?}");
        let all = state.revocations(10).unwrap();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].before, all[0].ends_at), wanted, "{new:?}");
    }
}

#[test]
fn a_reader_gets_what_is_new_and_everything_where_its_mark_is_gone() {
    let state = SqliteState::memory().unwrap();
    let none = state.revocations_since(None, 10).unwrap();
    assert!(none.whole && none.entries.is_empty() && none.mark.is_none());
    for name in ["a", "b", "c"] {
        state.revoke_token(&revocation(By::Token, name)).unwrap();
    }
    let all = state.revocations_since(none.mark, 10).unwrap();
    assert!(all.whole && !all.too_many);
    assert_eq!(names(&all), ["a", "b", "c"]);
    state.revoke_token(&revocation(By::Session, "d")).unwrap();
    let more = state.revocations_since(all.mark, 10).unwrap();
    assert_eq!((names(&more), more.whole), (vec!["d"], false));
    let nothing = state.revocations_since(more.mark, 10).unwrap();
    assert!(nothing.entries.is_empty() && !nothing.whole && nothing.mark == more.mark);
    // The marked entry itself got another number.
    state.revoke_token(&Revocation { ends_at: None, ..revocation(By::Session, "d") }).unwrap();
    let again = state.revocations_since(more.mark, 10).unwrap();
    assert_eq!((names(&again), again.whole), (vec!["a", "b", "c", "d"], true));
    // A state from a backup that went another way has another entry under the number.
    let forged = again.mark.map(|mark| Mark { stamp: mark.stamp ^ 1, ..mark });
    assert!(state.revocations_since(forged, 10).unwrap().whole);
    let few = state.revocations_since(None, 3).unwrap();
    assert!(few.too_many && few.whole);
    assert!(!state.revocations_since(None, 4).unwrap().too_many);
}

#[test]
fn what_has_been_over_for_long_is_forgotten_and_no_version_changes() {
    let state = SqliteState::memory().unwrap();
    for (name, ends_at) in [("a", Some(1_000)), ("b", Some(2_000)), ("c", None)] {
        state.revoke_token(&Revocation { ends_at, ..revocation(By::Token, name) }).unwrap();
    }
    let version = state.version();
    for (now, forgotten, left) in [
        (1_000, 0, &["a", "b", "c"][..]),
        (1_000 + KEPT - 1, 0, &["a", "b", "c"]),
        (1_000 + KEPT, 1, &["b", "c"]),
        (i64::MAX, 1, &["c"]),
    ] {
        assert_eq!(state.sweep_revocations(now).unwrap(), forgotten, "{now}");
        let names: BTreeSet<String> = state.revocations(10).unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), left);
    }
    assert_eq!(state.version(), version);
    // Numbers are never given twice, or a reader would miss what came under an old one.
    let mark = state.revocations_since(None, 10).unwrap().mark.unwrap();
    state.revoke_token(&revocation(By::Token, "d")).unwrap();
    assert_eq!(names(&state.revocations_since(Some(mark), 10).unwrap()), ["d"]);
}
