//! Secrets come from files and variables, and never come out in a message.

use std::path::Path;

use super::{GOOD_SECRET, file};
use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::Key;
use crate::policy::diagnostic::render;
use crate::policy::{Diagnostic, Loaded, Severity, parse};

fn with_keys(keys: &str, folder: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let text = format!(
        "[[issuer]]\nname = 'acc'\nissuer = 'https://acc'\naudience = 'x'\nalgorithms = 'HS256'\nkeys = {keys}\n\
         [[route]]\npath = '/'\nschemes = 'bearer'\n"
    );
    parse(&text, Path::new("orders.toml"), folder)
}

#[test]
fn each_source_of_a_list_is_a_key_with_its_own_kid() {
    let folder = tempfile::tempdir().unwrap();
    let other: String = GOOD_SECRET.chars().rev().collect();
    file(folder.path(), "new.key", GOOD_SECRET.as_bytes(), 0o600);
    file(folder.path(), "old.key", data_encoding::HEXLOWER.encode(other.as_bytes()).as_bytes(), 0o400);
    let keys = "[{ secret_file = 'new.key', kid = 'b' }, { secret_file = 'old.key', encoding = 'hex', kid = 'a' }, \
                { secret_file = 'old.key' }]";
    let loaded = with_keys(keys, folder.path()).unwrap();
    assert!(loaded.warnings.is_empty(), "{:#?}", loaded.warnings);
    let issuer = &loaded.policy.issuers[0];
    let sets: Vec<_> = issuer.sources.iter().filter_map(|source| source.keys.as_ref()).collect();
    let kids: Vec<_> = sets.iter().flat_map(|set| set.iter()).map(|key| key.kid.as_deref()).collect();
    assert_eq!(kids, [Some("b"), Some("a"), None]);
    assert!(sets.iter().flat_map(|set| set.iter()).all(|key| key.algorithms() == [Algorithm::Hs256]));
    assert!(sets.len() == 3);
}

#[test]
fn a_secret_can_come_from_the_environment() {
    // Of the variables that every process has, the longest.
    let (name, value) = std::env::vars()
        .filter(|(name, _)| name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_'))
        .max_by_key(|(_, value)| value.len())
        .unwrap();
    let accepted = Key::from_secret(None, value.as_bytes(), &[Algorithm::Hs256]).is_ok();
    let read = with_keys(&format!("{{ secret_env = '{name}', encoding = 'raw' }}"), Path::new("/nonexistent"));
    assert_eq!(read.is_ok(), accepted);
}

#[test]
fn what_the_key_refuses_is_an_error_at_its_source() {
    let folder = tempfile::tempdir().unwrap();
    for (secret, name) in [
        (&b"hunter2hunter2"[..], "short.key"),
        (b"changemechangemechangemechangemechangeme", "placeholder.key"),
        (br#"{"keys":[{"kty":"oct","k":"cTNaS2YwWHc5THJUbjdWYlljMk1oRTVzVWRKOGFQZ1I"}]}"#, "keys.json"),
        (b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----", "public.key"),
        (GOOD_SECRET.as_bytes(), "good.key"),
    ] {
        file(folder.path(), name, secret, 0o600);
        let read = with_keys(&format!("{{ secret_file = '{name}' }}"), folder.path());
        if name == "good.key" {
            assert!(read.is_ok());
            continue;
        }
        let error = Key::from_secret(None, secret, &[Algorithm::Hs256]).unwrap_err();
        let list = read.unwrap_err();
        let [d] = list.as_slice() else { panic!("{name}: {list:#?}") };
        let (why, help) = error.0.split_once(". ").unwrap();
        assert_eq!((d.message.as_str(), d.help.as_str()), (&*format!("this secret cannot be used: {why}"), help));
        let wanted = match name {
            "keys.json" => "with `file`",
            "public.key" => "list its own algorithms",
            _ => "with `openssl rand -base64 48`",
        };
        assert!(d.help.contains(wanted), "{name}: {}", d.help);
        assert_eq!((d.line, d.column, d.severity), (6, 24, Severity::Error));
    }
}

#[test]
fn a_secret_never_comes_out_in_a_message() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "secret.key", b"hunter2-!!", 0o644);
    for keys in [
        "{ secret_file = 'secret.key' }",
        "{ secret_file = 'secret.key', encoding = 'hex' }",
        "{ secret_file = 'secret.key', encoding = 'base64url' }",
        "{ secret_file = 'secret.key', encoding = 'utf-8' }",
        "{ secret_file = 'secret.key', refresh = '10m' }",
    ] {
        let list = with_keys(keys, folder.path()).map_or_else(|list| list, |loaded| loaded.warnings);
        assert!(!list.is_empty(), "{keys}");
        assert!(!format!("{list:?}{}", render(&list, "", false)).contains("hunter2"), "{keys}: {list:#?}");
    }
    for keys in ["'hunter2'", "{ secret = 'hunter2' }", "{ secret_env = 'hunter2 !' }", "['hunter2']"] {
        let list = with_keys(keys, folder.path()).unwrap_err();
        assert!(
            list.iter().all(|d| !d.message.contains("hunter2") && !d.help.contains("hunter2")),
            "{keys}: {list:#?}"
        );
    }
}

#[test]
fn a_secret_file_that_everybody_can_read_or_change_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("good.key");
    for (mode, warned) in [(0o600, false), (0o640, false), (0o660, false), (0o644, true), (0o602, true), (0o604, true)]
    {
        file(folder.path(), "good.key", GOOD_SECRET.as_bytes(), mode);
        let loaded = with_keys("{ secret_file = 'good.key' }", folder.path()).unwrap();
        let said: Vec<_> = loaded.warnings.iter().map(|d| format!("{} | {}", d.message, d.help)).collect();
        let shown = path.display();
        let wanted = format!("every user of this machine can read or change `{shown}` | run `chmod o-rw {shown}`");
        assert_eq!(said, Vec::from_iter(warned.then_some(wanted)), "{mode:o}");
    }
}

#[test]
fn an_absolute_path_is_taken_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    file(folder.path(), "good.key", GOOD_SECRET.as_bytes(), 0o600);
    let path = folder.path().join("good.key");
    assert!(with_keys(&format!("{{ secret_file = '{}' }}", path.display()), Path::new("/nonexistent")).is_ok());
    assert!(with_keys("{ secret_file = 'good.key' }", Path::new("/nonexistent")).is_err());
}
