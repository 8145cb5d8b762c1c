//! The rules of administration, each with its refusal.

use std::path::Path;

use super::*;
use crate::policy::model::StateLocation;

const GOOD: &str = "correct horse battery staple";

fn with_admin(test: impl Fn(Admin<'_>)) {
    let text = "[engine]\nname = \"x\"\nschemes = [\"basic\"]\n[password]\nmemory_kib = 64\niterations = 1\n\
                [[role]]\nname = \"clerk\"\n[[role]]\nname = \"admin\"\n[[route]]\npath = \"/\"\n";
    let policy = crate::policy::parse(text, Path::new("x.toml"), Path::new(".")).unwrap().policy;
    let state = crate::state::open(&StateLocation::Memory).unwrap();
    test(Admin { policy: &policy, state: &*state, now: 1_000 });
}

fn roles(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_user_is_added_once_under_all_spellings() {
    with_admin(|admin| {
        let given = roles(&["clerk", "admin", "clerk"]);
        let new = NewUser { name: "Ａlice", password: Some(GOOD), roles: &given, ..NewUser::default() };
        let user = admin.add_user(&new).unwrap();
        assert_eq!((user.name.as_str(), user.roles), ("alice", roles(&["admin", "clerk"])));
        assert_eq!((user.created_at, user.password_changed_at), (1_000, Some(1_000)));
        assert!(user.hash.unwrap().starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        let again = NewUser { name: "ALICE", password: Some(GOOD), ..NewUser::default() };
        assert_eq!(admin.add_user(&again).unwrap_err().kind(), ErrorKind::Conflict);
        assert_eq!(admin.user("aLICE").unwrap().name, "alice");
        assert_eq!(admin.users().unwrap().len(), 1);
        for name in ["", "a b", "a\u{7}", "\u{0}"] {
            let new = NewUser { name, ..NewUser::default() };
            assert_eq!(admin.add_user(&new).unwrap_err().kind(), ErrorKind::Input, "{name:?}");
        }
    });
}

#[test]
fn the_length_of_a_password_is_counted_in_characters_and_seeds_skip_it() {
    with_admin(|admin| {
        let add = |name: &str, password: &str| {
            admin.add_user(&NewUser { name, password: Some(password), ..NewUser::default() })
        };
        assert!(add("short", "rüne Ölmühle ä").unwrap_err().message().contains("min_length"));
        assert!(add("long", "grüne Ölmühle ä").is_ok());
        assert!(add("control", "a password with \u{7} in it").is_err());
        let short = NewUser { name: "seed", password: Some("x"), ..NewUser::default() };
        assert!(admin.seed_user(&short).is_ok());
        assert!(admin.set_password("seed", "too short").is_err());
        assert!(admin.set_password("nobody", GOOD).unwrap_err().message().contains("nobody"));
        assert_eq!(admin.set_password("SEED", GOOD).unwrap(), "seed");
        let both = NewUser { name: "both", password: Some(GOOD), hash: Some("$x$"), ..NewUser::default() };
        assert!(admin.seed_user(&both).is_err());
    });
}

#[test]
fn a_new_password_breaks_no_rule_and_every_broken_one_is_told() {
    with_admin(|admin| {
        let add = |name: &str, password: &str| {
            admin.add_user(&NewUser { name, password: Some(password), ..NewUser::default() })
        };
        let said = add("margaret", "Margaret1").unwrap_err().message().to_owned();
        assert!(said.starts_with("the password has 9 characters and [password] min_length asks for 15"), "{said}");
        assert!(said.contains("; it holds \"margaret\"") && said.contains("; it is "), "{said}");
        assert!(add("ada", "passwordpassword").unwrap_err().message().contains("over and over"));
        add("margaret", GOOD).unwrap();
        assert!(admin.set_password("MARGARET", "with margaret in it").unwrap_err().message().contains("leave it out"));
        admin.set_password("margaret", "with another one in it").unwrap();
        let rules = |name, password| {
            let broken = admin.broken_rules(name, password).unwrap();
            broken.into_iter().map(|broken| broken.rule.name()).collect::<Vec<_>>()
        };
        assert_eq!(rules(None, "with margaret in it"), Vec::<&str>::new());
        assert_eq!(rules(Some("Margaret"), "with margaret in it"), ["words"]);
        assert_eq!(rules(Some("nobody"), ""), ["form"]);
        assert!(admin.broken_rules(Some("a b"), GOOD).is_err());
    });
}

#[test]
fn only_defined_roles_are_granted_and_a_slip_in_a_revocation_is_told() {
    with_admin(|admin| {
        admin.add_user(&NewUser { name: "alice", ..NewUser::default() }).unwrap();
        assert_eq!(admin.grant("alice", "clerk").unwrap(), ("alice".to_owned(), true));
        assert_eq!(admin.grant("alice", "clerk").unwrap(), ("alice".to_owned(), false));
        let slip = admin.grant("alice", "clark").unwrap_err();
        assert!(slip.message().contains("did you mean \"clerk\"? It defines admin, clerk"), "{}", slip.message());
        let other = admin.grant("alice", "ghost").unwrap_err();
        assert!(other.message().ends_with("; it defines admin, clerk"), "{}", other.message());
        assert_eq!(admin.revoke("alice", "clerk").unwrap(), ("alice".to_owned(), true));
        assert_eq!(admin.revoke("alice", "clerk").unwrap(), ("alice".to_owned(), false));
        assert!(admin.revoke("alice", "clark").is_err());
        let ghost = roles(&["ghost"]);
        let new = NewUser { name: "bob", roles: &ghost, ..NewUser::default() };
        assert!(admin.add_user(&new).is_err());
        admin.seed_user(&new).unwrap();
        assert_eq!(admin.revoke("bob", "ghost").unwrap(), ("bob".to_owned(), true), "what was granted can be revoked");
    });
}

#[test]
fn accounts_are_disabled_enabled_and_removed() {
    with_admin(|admin| {
        admin.add_user(&NewUser { name: "alice", ..NewUser::default() }).unwrap();
        admin.set_disabled("Alice", true).unwrap();
        assert!(admin.user("alice").unwrap().disabled);
        admin.set_disabled("alice", false).unwrap();
        assert!(!admin.user("alice").unwrap().disabled);
        assert_eq!(admin.remove_user("ALICE").unwrap(), "alice");
        for error in [admin.user("alice").unwrap_err(), admin.set_disabled("alice", true).unwrap_err()] {
            assert_eq!(error.kind(), ErrorKind::Conflict);
        }
        assert!(admin.remove_user("alice").is_err());
    });
}

#[test]
fn a_key_is_shown_once_and_stored_as_its_digest() {
    with_admin(|admin| {
        admin.add_user(&NewUser { name: "alice", ..NewUser::default() }).unwrap();
        let scopes = roles(&["orders:read"]);
        let new = NewKey { name: "ci", user: "ALICE", scopes: &scopes, expires_at: Some(2_000), ..NewKey::default() };
        let issued = admin.issue_key(&new).unwrap();
        assert!(issued.secret.starts_with("gp_"));
        assert!(!format!("{issued:?}").contains(issued.secret.as_str()));
        let stored = admin.keys(Some("alice")).unwrap();
        assert_eq!(stored, std::slice::from_ref(&issued.key));
        assert_eq!(crate::credential::api_key::digest(&issued.secret), Some(issued.key.digest));
        assert_eq!((issued.key.user.as_str(), issued.id().len()), ("alice", 8));
        admin.revoke_key(issued.id()).unwrap();
        assert_eq!(admin.keys(None).unwrap()[0].revoked_at, Some(1_000));
        assert!(admin.revoke_key("nothing").is_err());
        assert!(admin.keys(Some("nobody")).is_err());
    });
}

#[test]
fn a_key_that_could_not_be_used_as_meant_is_not_issued() {
    with_admin(|admin| {
        admin.add_user(&NewUser { name: "alice", ..NewUser::default() }).unwrap();
        let good = NewKey { name: "ci", user: "alice", ..NewKey::default() };
        let (ghost, spaced, empty) = (roles(&["ghost"]), roles(&["a b"]), roles(&[""]));
        for bad in [
            NewKey { user: "nobody", ..good },
            NewKey { name: " ", ..good },
            NewKey { name: "a\nb", ..good },
            NewKey { roles: Some(&ghost), ..good },
            NewKey { scopes: &spaced, ..good },
            NewKey { scopes: &empty, ..good },
            NewKey { expires_at: Some(1_000), ..good },
        ] {
            assert!(admin.issue_key(&bad).is_err(), "{bad:?}");
        }
        assert!(admin.keys(None).unwrap().is_empty());
        assert!(admin.seed_key(&NewKey { expires_at: Some(1), ..good }).is_ok(), "a seed may be over already");
    });
}
