//! Published test vectors of Argon2 and of naughty names.

#![allow(clippy::unwrap_used, reason = "clippy exempts the test functions themselves, not what they call")]

mod vectors;

use argon2::{Algorithm, Argon2, AssociatedData, Block, ParamsBuilder, Version};
use data_encoding::{BASE64_NOPAD, HEXLOWER_PERMISSIVE};
use gatepost::crypto::name;
use gatepost::crypto::password::{HashError, Verdict, check_stored, set_memory_ceiling, verify};
use serde_json::Value;
use vectors::read;

#[test]
fn argon2_of_rfc_9106_and_others_comes_out_as_published() {
    let (mut ours, mut beneath) = (0, 0);
    for ((_, algorithm), file) in VARIANTS.into_iter().zip(["argon2id.txt", "argon2i.txt", "argon2d.txt"]) {
        let Some(text) = read(&format!("passwords/argon2/{file}")) else { return };
        for record in text.split("COUNT = ").skip(1) {
            let field = |name: &str| {
                record.lines().find_map(|line| {
                    let (key, value) = line.split_once('=')?;
                    (key.trim() == name).then(|| value.trim().to_owned())
                })
            };
            let number = |name: &str| field(name).unwrap().parse::<u32>().unwrap();
            let octets = |name: &str| HEXLOWER_PERMISSIVE.decode(field(name).unwrap_or_default().as_bytes()).unwrap();
            let case = Case {
                algorithm,
                version: Version::V0x13,
                cost: [number("memcost"), number("iter"), number("lanes")],
                password: octets("pass"),
                salt: octets("salt"),
                secret: octets("secret"),
                data: octets("ad"),
                output: octets("output"),
            };
            if case.check() { ours += 1 } else { beneath += 1 }
        }
    }
    assert_eq!((ours, beneath), (12, 3));
}

#[test]
fn answers_of_the_password_hashing_competition_come_out_as_published() {
    let Some(text) = read("passwords/argon2/phc_kats.json") else { return };
    let cases: Vec<Value> = serde_json::from_str(&text).unwrap();
    for case in &cases {
        let number = |name: &str| u32::try_from(case[name].as_u64().unwrap()).unwrap();
        let octets = |name: &str| HEXLOWER_PERMISSIVE.decode(case[name].as_str().unwrap().as_bytes()).unwrap();
        let (_, algorithm) = VARIANTS.into_iter().find(|(name, _)| case["type"] == *name).unwrap();
        let case = Case {
            algorithm,
            version: if number("version") == 19 { Version::V0x13 } else { Version::V0x10 },
            cost: [number("m_kib"), number("t"), number("p")],
            password: octets("password"),
            salt: octets("salt"),
            secret: octets("secret"),
            data: octets("ad"),
            output: octets("tag"),
        };
        assert!(!case.check(), "all have a secret and associated data");
    }
    assert_eq!(cases.len(), 6);
}

const VARIANTS: [(&str, Algorithm); 3] =
    [("argon2id", Algorithm::Argon2id), ("argon2i", Algorithm::Argon2i), ("argon2d", Algorithm::Argon2d)];

/// One published answer.
struct Case {
    algorithm: Algorithm,
    version: Version,
    cost: [u32; 3],
    password: Vec<u8>,
    salt: Vec<u8>,
    secret: Vec<u8>,
    data: Vec<u8>,
    output: Vec<u8>,
}

impl Case {
    /// True where our own reader took it; a secret or associated data have no place in stored hashes, and then only the
    /// algorithm beneath is asked.
    fn check(&self) -> bool {
        let [memory, iterations, lanes] = self.cost;
        let mut params = ParamsBuilder::new();
        params.m_cost(memory).t_cost(iterations).p_cost(lanes).output_len(self.output.len());
        params.data(AssociatedData::new(&self.data).unwrap());
        let params = params.build().unwrap();
        let mut blocks = vec![Block::new(); params.block_count()];
        let mut output = vec![0; self.output.len()];
        Argon2::new_with_secret(&self.secret, self.algorithm, self.version, params)
            .unwrap()
            .hash_password_into_with_memory(&self.password, &self.salt, &mut output, &mut blocks)
            .unwrap();
        assert_eq!(output, self.output);
        if !self.secret.is_empty() || !self.data.is_empty() {
            return false;
        }
        let [salt, output] = [&self.salt, &self.output].map(|octets| BASE64_NOPAD.encode(octets));
        let (name, version) = (self.algorithm.as_str(), u32::from(self.version));
        let stored = format!("${name}$v={version}$m={memory},t={iterations},p={lanes}${salt}${output}");
        match (16..=64).contains(&self.output.len()) {
            true => assert_eq!(verify(&self.password, &stored), Ok(Verdict::Match), "{stored}"),
            false => assert!(matches!(verify(&self.password, &stored), Err(HashError::Unsupported(_))), "{stored}"),
        }
        true
    }
}

#[test]
fn stored_hashes_of_the_reference_implementation_match_or_are_refused() {
    let Some(text) = read("passwords/argon2/phc_winner_test_c.json") else { return };
    set_memory_ceiling(1 << 30);
    let (mut matched, mut wrong, mut refused, mut large) = (0, 0, 0, 0);
    for case in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let stored = case["encoded"].as_str().unwrap();
        let password = case["password"].as_str().unwrap().as_bytes();
        let readable = case["kind"] == "hash";
        let verdict = || verify(password, stored);
        if stored.contains("m=1048576,") {
            // It is read, but a GiB for a test is too much to ask of every machine.
            assert_eq!(check_stored(stored), Ok(()));
            large += 1;
        } else if readable {
            assert_eq!(verdict(), Ok(Verdict::Match), "{stored}");
            assert_eq!(verify(b"sassword", stored), Ok(Verdict::Mismatch), "{stored}");
            matched += 1;
        } else if case["expect"] == "ARGON2_VERIFY_MISMATCH" {
            assert_eq!(verdict(), Ok(Verdict::Mismatch), "{stored}");
            wrong += 1;
        } else {
            assert!(matches!(verdict(), Err(HashError::Unsupported(_))), "{stored}");
            refused += 1;
        }
    }
    assert_eq!((matched, wrong, refused, large), (24, 2, 6, 2));
}

#[test]
fn phc_strings_that_are_badly_encoded_are_refused_without_work() {
    let Some(text) = read("passwords/argon2/rustcrypto_phc_strings.json") else { return };
    set_memory_ceiling(1 << 30);
    let (mut valid, mut keyed, mut bad) = (0, 0, 0);
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
        } else if stored.contains("keyid=") || stored.contains("data=") {
            // Of keys and associated data nobody would know here.
            assert!(matches!(check_stored(stored), Err(HashError::Unsupported(_))), "{stored}");
            keyed += 1;
        } else {
            assert_eq!(verify(case["password"].as_str().unwrap().as_bytes(), stored), Ok(Verdict::Match), "{stored}");
            assert_eq!(verify(case["wrong"].as_str().unwrap().as_bytes(), stored), Ok(Verdict::Mismatch), "{stored}");
            valid += 1;
        }
    }
    assert_eq!((valid, keyed, bad), (4, 3, 15));
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
