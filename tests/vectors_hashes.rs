//! Published hashes of other programs, each verified as its maker says or refused, and nothing left out unsaid: the
//! counts are exact, and docs/CONFORMANCE.md has the reasons.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "clippy exempts the test functions themselves, not what they call"
)]

mod vectors;

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;
use gatepost::crypto::password::{HashError, Verdict, check_stored, verify};
use serde_json::Value;
use vectors::read;

/// How often each outcome came, by scheme.
type Tally = BTreeMap<String, usize>;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn refused(stored: &str) -> bool {
    matches!(check_stored(stored), Err(HashError::Unsupported(_)))
        && matches!(verify(b"password", stored), Err(HashError::Unsupported(_)))
}

/// Another password than this one also for forms that look at its first 72 octets only.
fn another(password: &[u8]) -> Vec<u8> {
    let mut other = password.to_vec();
    match other.first_mut() {
        Some(first) => *first = if *first == b'x' { b'y' } else { b'x' },
        None => other.push(b'x'),
    }
    other
}

fn tally(names: &[(&str, usize)]) -> Tally {
    names.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

#[test]
fn known_answers_of_libxcrypt_match_or_are_refused_by_scheme() {
    let Some(text) = read("passwords/crypt/libxcrypt_known_answers.jsonl") else { return };
    let (mut matched, mut declined, mut flipped) = (Tally::new(), Tally::new(), 0);
    for (number, case) in lines(&text).iter().enumerate() {
        let [method, stored, phrase] = ["method", "expected", "phrase_hex"].map(|name| case[name].as_str().unwrap());
        let phrase = HEXLOWER_PERMISSIVE.decode(phrase.as_bytes()).unwrap();
        let verdict = verify(&phrase, stored);
        match method {
            // Where a $2a$ might stem from the bcrypt that confused such octets, libxcrypt makes another hash on purpose.
            // No password in UTF-8 has the octet 0xFF.
            "bcrypt_a" if phrase.starts_with(&[0xff]) && verdict == Ok(Verdict::Mismatch) => flipped += 1,
            "bcrypt" | "bcrypt_y" | "bcrypt_a" | "md5crypt" | "sha256crypt" | "sha512crypt" | "scrypt" => {
                assert_eq!(verdict, Ok(Verdict::Match), "{case}");
                // A wrong one costs as much: of each kind some.
                if number % 16 == 0 {
                    assert_eq!(verify(&another(&phrase), stored), Ok(Verdict::Mismatch), "{case}");
                }
                *matched.entry(method.to_owned()).or_default() += 1;
            }
            _ => {
                assert!(refused(stored), "{case}: {verdict:?}");
                *declined.entry(method.to_owned()).or_default() += 1;
            }
        }
    }
    let taken = [("bcrypt", 368), ("bcrypt_y", 368), ("bcrypt_a", 360), ("scrypt", 368), ("md5crypt", 184)];
    let longer = [("sha256crypt", 368), ("sha512crypt", 368)];
    assert_eq!(matched, tally(&[&taken[..], &longer].concat()));
    let not_taken = [
        ("bcrypt_x", 368),
        ("bigcrypt", 184),
        ("bsdicrypt", 368),
        ("descrypt", 184),
        ("gost_yescrypt", 368),
        ("nt", 184),
        ("sha1crypt", 368),
        ("sunmd5", 272),
        ("yescrypt", 368),
    ];
    assert_eq!(declined, tally(&not_taken));
    assert_eq!(flipped, 8);
}

/// `{"text": …}` or `{"hex": …}`.
fn octets(value: &Value) -> Vec<u8> {
    match (value["text"].as_str(), value["hex"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(hex)) => HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap(),
        _ => panic!("{value}"),
    }
}

/// Right passwords that passlib gives for the schemes that are taken: all of them.
const OF_PASSLIB: [(&str, usize); 22] = [
    ("apr_md5_crypt", 2),
    ("argon2", 32),
    ("atlassian_pbkdf2_sha1", 2),
    ("bcrypt", 30),
    ("bcrypt_sha256", 18),
    ("cta_pbkdf2_sha1", 3),
    ("django_argon2", 3),
    ("django_bcrypt", 3),
    ("django_bcrypt_sha256", 6),
    ("django_pbkdf2_sha1", 2),
    ("django_pbkdf2_sha256", 2),
    ("dlitz_pbkdf2_sha1", 5),
    ("grub_pbkdf2_sha512", 2),
    ("ldap_salted_sha1", 6),
    ("ldap_sha1", 2),
    ("md5_crypt", 14),
    ("pbkdf2_sha1", 2),
    ("pbkdf2_sha256", 2),
    ("pbkdf2_sha512", 2),
    ("scrypt", 7),
    ("sha256_crypt", 18),
    ("sha512_crypt", 18),
];

#[test]
fn hashes_of_passlib_match_or_are_refused_by_scheme() {
    let Some(text) = read("passwords/crypt/passlib_handlers.jsonl") else { return };
    let taken = tally(&OF_PASSLIB);
    let (mut matched, mut malformed, mut declined, mut foreign) = (Tally::new(), 0, Tally::new(), 0);
    for (number, case) in lines(&text).into_iter().enumerate() {
        let scheme = case["scheme"].as_str().unwrap().to_owned();
        let kind = case["kind"].as_str().unwrap();
        // Two hashes of other schemes, which the first scheme must not take for its own; each is a case of its own too.
        if kind == "other_scheme" {
            foreign += 1;
            continue;
        }
        let stored = String::from_utf8(octets(&case["hash"])).unwrap();
        let password = if case["secret"].is_null() { b"password".to_vec() } else { octets(&case["secret"]) };
        match kind {
            "correct" | "config" if taken.contains_key(&scheme) => {
                assert_eq!(verify(&password, &stored), Ok(Verdict::Match), "{case}");
                // A wrong one costs as much: of each kind some.
                if number % 4 == 0 {
                    assert_eq!(verify(&another(&password), &stored), Ok(Verdict::Mismatch), "{case}");
                }
                *matched.entry(scheme).or_default() += 1;
            }
            // passlib asks for a salt of 4 octets at least; nginx and OpenLDAP take any.
            "malformed" if stored == "{SSHA}ZQK3Yvtvl6wtIRoISgMGPkcWU7Nfq5U=" => assert!(check_stored(&stored).is_ok()),
            _ => {
                assert!(refused(&stored), "{case}");
                match taken.contains_key(&scheme) {
                    true => malformed += 1,
                    false => *declined.entry(scheme).or_default() += 1,
                }
            }
        }
    }
    assert_eq!(matched, taken);
    assert_eq!((malformed, foreign), (44, 153));
    assert_eq!((declined.len(), declined.values().sum::<usize>()), (29, 244), "{declined:?}");
}

#[test]
fn htpasswd_files_of_oauth2_proxy_give_the_answers_that_it_gives() {
    let users = [("admin", "Adm1n1str$t0r"), ("user1", "UsErOn3P455"), ("user2", "us3r2P455W0Rd!")];
    for file in ["oauth2proxy-htpasswd-bcrypt.txt", "oauth2proxy-htpasswd-mixed.txt", "oauth2proxy-htpasswd-sha1.txt"] {
        let Some(text) = read(&format!("passwords/htpasswd/{file}")) else { return };
        let entries: Vec<(&str, &str)> =
            text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':')).collect();
        assert_eq!(entries.len(), 3);
        for ((name, stored), (user, password)) in entries.into_iter().zip(users) {
            assert_eq!(name, user);
            assert_eq!(verify(password.as_bytes(), stored), Ok(Verdict::Match), "{stored}");
            assert_eq!(verify(b"123", stored), Ok(Verdict::Mismatch), "{stored}");
        }
    }
}

#[test]
fn hashes_of_the_tests_of_nginx_give_its_answers_except_for_plain_text() {
    let Some(text) = read("passwords/htpasswd/nginx_auth_basic_t.json") else { return };
    let (mut accepted, mut broken, mut plain) = (0, 0, 0);
    for case in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let [stored, password] = ["hash", "password"].map(|name| case[name].as_str().unwrap());
        if stored.starts_with("{PLAIN}") {
            let Err(HashError::Unsupported(why)) = check_stored(stored) else { panic!("{case}") };
            assert!(why.contains("gatepost user passwd"), "{why}");
            plain += 1;
        } else if case["accept"] == true {
            assert_eq!(verify(password.as_bytes(), stored), Ok(Verdict::Match), "{case}");
            assert_eq!(verify(b"123", stored), Ok(Verdict::Mismatch), "{case}");
            accepted += 1;
        } else {
            assert!(refused(stored), "{case}");
            broken += 1;
        }
    }
    assert_eq!((accepted, broken, plain), (3, 6, 2));
}

#[test]
fn htpasswd_files_of_passlib_match_but_for_des_and_plain_text() {
    let Some(text) = read("passwords/htpasswd/passlib_test_apache_samples.json") else { return };
    let (mut matched, mut des, mut plain) = (0, 0, 0);
    let files: Value = serde_json::from_str(&text).unwrap();
    for (name, body) in files["HtpasswdFileTest"].as_object().unwrap() {
        for line in body.as_str().unwrap().lines() {
            let (user, stored) = line.split_once(':').unwrap();
            let password = user.replacen("user", "pass", 1);
            match stored {
                // These stand as they are in the file, which is read by eye here.
                stored if stored.starts_with("pass") => {
                    assert!(refused(stored), "{name}: {line}");
                    plain += 1;
                }
                "2CHkkwa2AtqGs" => {
                    let Err(HashError::Unsupported(why)) = check_stored(stored) else { panic!("{line}") };
                    assert!(why.contains("DES"), "{why}");
                    des += 1;
                }
                // Rounds under 1,000, which crypt(3) never writes.
                stored if stored.starts_with("$5$rounds=110000$") || !stored.starts_with("$5$") => {
                    assert_eq!(verify(password.as_bytes(), stored), Ok(Verdict::Match), "{name}: {line}");
                    assert_eq!(verify(b"wrong", stored), Ok(Verdict::Mismatch), "{name}: {line}");
                    matched += 1;
                }
                _ => panic!("{name}: {line}"),
            }
        }
    }
    assert_eq!((matched, des, plain), (9, 4, 8));
}

/// Records of `NAME = value` after `COUNT`.
fn records(text: &str) -> impl Iterator<Item = impl Fn(&str) -> String + '_> {
    text.split("COUNT = ").skip(1).map(|record| {
        move |name: &str| {
            let value = record.lines().find_map(|line| {
                let (key, value) = line.split_once('=')?;
                (key.trim() == name).then(|| value.trim().replace("\\0", "\0"))
            });
            value.unwrap_or_else(|| panic!("{name} in {record}"))
        }
    })
}

#[test]
fn scrypt_of_rfc_7914_comes_out_as_published() {
    let Some(text) = read("passwords/kdf/scrypt.txt") else { return };
    let (mut matched, mut too_dear) = (0, 0);
    for field in records(&text) {
        let n: u32 = field("N").parse().unwrap();
        let encode = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes);
        let (salt, output) = (
            encode(field("SALT").as_bytes()),
            encode(&HEXLOWER_PERMISSIVE.decode(field("DERIVED_KEY").as_bytes()).unwrap()),
        );
        let stored = format!("$scrypt$ln={},r={},p={}${salt}${output}", n.trailing_zeros(), field("r"), field("p"));
        match n {
            // 1 GiB and a little.
            1_048_576 => {
                assert!(refused(&stored));
                too_dear += 1;
            }
            _ => {
                assert_eq!(verify(field("PASSWORD").as_bytes(), &stored), Ok(Verdict::Match), "{stored}");
                matched += 1;
            }
        }
    }
    assert_eq!((matched, too_dear), (3, 1));
}

#[test]
fn pbkdf2_of_rfc_6070_comes_out_as_published() {
    let Some(text) = read("passwords/kdf/rfc-6070-PBKDF2-SHA1.txt") else { return };
    let (mut matched, mut computed, mut too_dear) = (0, 0, 0);
    for field in records(&text) {
        let output = HEXLOWER_PERMISSIVE.decode(field("DERIVED_KEY").as_bytes()).unwrap();
        let (password, salt, iterations) = (field("PASSWORD"), field("SALT"), field("ITERATIONS"));
        if iterations == "16777216" {
            let ab64 = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes).replace('+', ".");
            assert!(refused(&format!("$pbkdf2${iterations}${}${}", ab64(salt.as_bytes()), ab64(&output))));
            too_dear += 1;
        } else if output.len() == 20 {
            let ab64 = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes).replace('+', ".");
            let stored = format!("$pbkdf2${iterations}${}${}", ab64(salt.as_bytes()), ab64(&output));
            assert_eq!(verify(password.as_bytes(), &stored), Ok(Verdict::Match), "{stored}");
            matched += 1;
        } else {
            // No form that is taken has an output of these lengths: the function underneath.
            let mut ours = vec![0; output.len()];
            pbkdf2::pbkdf2_hmac::<sha1::Sha1>(
                password.as_bytes(),
                salt.as_bytes(),
                iterations.parse().unwrap(),
                &mut ours,
            );
            assert_eq!(ours, output);
            computed += 1;
        }
    }
    assert_eq!((matched, computed, too_dear), (3, 2, 1));
}

#[test]
fn pbkdf2_of_wycheproof_comes_out_as_published() {
    let (mut matched, mut computed, mut too_dear) = (0, 0, 0);
    for (name, form, length) in [
        ("pbkdf2_hmacsha1_test.json", "pbkdf2", 20),
        ("pbkdf2_hmacsha256_test.json", "pbkdf2-sha256", 32),
        ("pbkdf2_hmacsha512_test.json", "pbkdf2-sha512", 64),
    ] {
        let Some(text) = read(&format!("wycheproof/{name}")) else { return };
        let file: Value = serde_json::from_str(&text).unwrap();
        for case in file["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let [password, salt, output] = ["password", "salt", "dk"]
                .map(|name| HEXLOWER_PERMISSIVE.decode(case[name].as_str().unwrap().as_bytes()).unwrap());
            let iterations = u32::try_from(case["iterationCount"].as_u64().unwrap()).unwrap();
            assert_eq!(case["result"], "valid");
            let ab64 = |bytes: &[u8]| data_encoding::BASE64_NOPAD.encode(bytes).replace('+', ".");
            let stored = format!("${form}${iterations}${}${}", ab64(&salt), ab64(&output));
            if iterations > 10_000_000 {
                assert!(refused(&stored), "{case}");
                too_dear += 1;
            } else if output.len() == length && salt.len() <= 128 {
                assert_eq!(verify(&password, &stored), Ok(Verdict::Match), "{case}");
                matched += 1;
            } else {
                assert!(refused(&stored), "{case}");
                let mut ours = vec![0; output.len()];
                match length {
                    20 => pbkdf2::pbkdf2_hmac::<sha1::Sha1>(&password, &salt, iterations, &mut ours),
                    32 => pbkdf2::pbkdf2_hmac::<sha2::Sha256>(&password, &salt, iterations, &mut ours),
                    _ => pbkdf2::pbkdf2_hmac::<sha2::Sha512>(&password, &salt, iterations, &mut ours),
                }
                assert_eq!(ours, output, "{case}");
                computed += 1;
            }
        }
    }
    assert_eq!((matched, computed, too_dear), (7, 174, 1));
}
