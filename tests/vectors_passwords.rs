//! Published test vectors of Argon2id and of naughty names. They are not part of the repository: the folder is
//! `$GATEPOST_VECTORS`, or `../shared/vectors` beside the project. Where it is absent these tests say so.

#![allow(clippy::unwrap_used, reason = "clippy exempts the test functions themselves, not what they call")]

use std::io::Write;
use std::path::PathBuf;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::HEXLOWER_PERMISSIVE;
use gatepost::crypto::name;
use gatepost::crypto::password::{HashError, Verdict, set_memory_ceiling, verify};
use serde_json::Value;

#[test]
fn argon2id_of_rfc_9106_and_others_comes_out_as_published() {
    let Some(text) = read("passwords/argon2/argon2id.txt") else { return };
    let mut checked = 0;
    for record in text.split("COUNT = ").skip(1) {
        let field = |name: &str| {
            record.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().to_owned())
            })
        };
        let number = |name: &str| field(name).unwrap().parse::<u32>().unwrap();
        let octets = |name: &str| field(name).map(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap());
        if octets("secret").is_some() || octets("ad").is_some() {
            // A secret or associated data have no place in our form; the algorithm underneath is the same.
            continue;
        }
        let wanted = octets("output").unwrap();
        let params = Params::new(number("memcost"), number("iter"), number("lanes"), Some(wanted.len())).unwrap();
        let mut memory = vec![Block::new(); params.block_count()];
        let mut output = vec![0; wanted.len()];
        let (password, salt) = (octets("pass").unwrap_or_default(), octets("salt").unwrap());
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(&password, &salt, &mut output, &mut memory)
            .unwrap();
        assert_eq!(output, wanted, "record {record}");
        if (16..=64).contains(&wanted.len()) {
            // The same through our own reader and pool.
            let stored = format!(
                "$argon2id$v=19$m={},t={},p={}${}${}",
                number("memcost"),
                number("iter"),
                number("lanes"),
                data_encoding::BASE64_NOPAD.encode(&salt),
                data_encoding::BASE64_NOPAD.encode(&wanted)
            );
            assert_eq!(verify(&password, &stored), Ok(Verdict::Match), "{stored}");
        }
        checked += 1;
    }
    assert!(checked >= 5, "only {checked} records were read");
}

#[test]
fn stored_hashes_of_the_reference_implementation_match_or_are_refused() {
    let Some(text) = read("passwords/argon2/phc_winner_test_c.json") else { return };
    set_memory_ceiling(1 << 30);
    let (mut matched, mut refused) = (0, 0);
    for case in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let stored = case["encoded"].as_str().unwrap();
        let password = case["password"].as_str().unwrap().as_bytes();
        let readable = case["kind"] == "hash" && case["type"] == "argon2id" && case["version"] == 19;
        let verdict = verify(password, stored);
        if readable {
            assert_eq!(verdict, Ok(Verdict::Match), "{stored}");
            assert_eq!(verify(b"sassword", stored), Ok(Verdict::Mismatch), "{stored}");
            matched += 1;
        } else {
            assert!(matches!(verdict, Err(HashError::Unsupported(_))), "{stored}: {verdict:?}");
            refused += 1;
        }
    }
    assert!(matched >= 8 && refused >= 20, "{matched} matched, {refused} were refused");
}

#[test]
fn phc_strings_that_are_badly_encoded_are_refused_without_work() {
    let Some(text) = read("passwords/argon2/rustcrypto_phc_strings.json") else { return };
    set_memory_ceiling(1 << 30);
    let (mut valid, mut bad) = (0, 0);
    for case in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let stored = case["hash"].as_str().unwrap();
        if case["kind"] == "bad_encoding" {
            // Also as argon2id of the version that we read, so that the fault itself is what is refused.
            let parts: Vec<&str> = stored.split('$').filter(|part| !part.starts_with("v=")).collect();
            let ours = format!("$argon2id$v=19${}", parts[2..].join("$"));
            for text in [stored, &ours] {
                // The version is the fault of one case; a parallelism of 256 is within the algorithm, not our caps.
                if text != stored && case["name"].as_str().unwrap().ends_with("invalid_version") {
                    continue;
                }
                let verdict = verify(b"password", text);
                assert!(matches!(verdict, Err(HashError::Unsupported(_))), "{text}: {verdict:?}");
            }
            bad += 1;
        } else if stored.starts_with("$argon2id$v=19$") {
            assert_eq!(verify(case["password"].as_str().unwrap().as_bytes(), stored), Ok(Verdict::Match), "{stored}");
            assert_eq!(verify(case["wrong"].as_str().unwrap().as_bytes(), stored), Ok(Verdict::Mismatch), "{stored}");
            valid += 1;
        } else {
            assert!(matches!(verify(b"password", stored), Err(HashError::Unsupported(_))), "{stored}");
        }
    }
    assert!(valid >= 2 && bad >= 14, "{valid} valid, {bad} bad");
}

#[test]
fn naughty_strings_as_names_and_passwords_never_panic_and_settle() {
    let Some(text) = read("strings/blns.json") else { return };
    let strings: Vec<String> = serde_json::from_str(&text).unwrap();
    assert!(strings.len() >= 500, "{}", strings.len());
    let mut names = 0;
    for raw in &strings {
        if let Some(canonical) = name::user_name(raw) {
            assert_eq!(name::user_name(&canonical).as_ref(), Some(&canonical), "{raw:?}");
            assert!(!canonical.contains([':', ' ', '\0', '\n']), "{raw:?}");
            names += 1;
        }
        if let Some(form) = name::password(raw) {
            assert_eq!(name::password(&form).as_deref(), Some(&*form), "{raw:?}");
        }
    }
    assert!(names > 0 && names < strings.len(), "{names}");
}

/// A vector file, or `None` with a plain word where the folder is absent. A folder without the file fails.
fn read(file: &str) -> Option<String> {
    let folder = match std::env::var_os("GATEPOST_VECTORS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors"),
    };
    if !folder.is_dir() {
        // Written past the test harness, which would swallow what a passing test prints.
        let _ = writeln!(std::io::stderr(), "NOT RUN: no {}; set GATEPOST_VECTORS to the vectors", folder.display());
        return None;
    }
    Some(std::fs::read_to_string(folder.join(file)).unwrap())
}
