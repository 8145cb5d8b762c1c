//! Every kind of secret that must be refused, and random ones that must not.

use std::collections::BTreeSet;
use std::path::PathBuf;

use data_encoding::HEXLOWER;

use super::*;
use Algorithm::{Hs256, Hs384, Hs512};

const RANDOM: &[u8] = b"q9!zT4v#Lw8^Rb2&Xn6*Kc1(Jm5)Hd3Fy7Gs0PaUeWiOt";

fn refused(secret: &[u8], word: &str) {
    let error = check(secret, &[Hs256]).expect_err(&format!("{:?}", String::from_utf8_lossy(secret)));
    assert!(error.contains(word), "{:?}: {error}", String::from_utf8_lossy(secret));
    if secret.trim_ascii().len() > 8 {
        assert!(!error.contains(&*String::from_utf8_lossy(secret)), "an error shows the secret");
    }
}

fn vectors() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, PathBuf::from)
}

fn known_lines() -> Vec<Vec<u8>> {
    let path = vectors().join("jwt_secrets/jwt.secrets.list");
    let text = std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}; set GATEPOST_VECTORS", path.display()));
    text.split(|&b| b == b'\n').filter(|line| line.len() >= 32).map(<[u8]>::to_vec).collect()
}

/// `UPDATE=1` writes the table anew.
#[test]
fn the_table_of_known_secrets_is_up_to_date() {
    if is_absent("the_table_of_known_secrets_is_up_to_date") {
        return;
    }
    let digests: BTreeSet<[u8; DIGEST]> = known_lines().iter().filter_map(|line| truncated_digest(line)).collect();
    let table: Vec<u8> = digests.into_iter().flatten().collect();
    if std::env::var_os("UPDATE").is_some() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/crypto/known_secrets.bin");
        std::fs::write(path, &table).unwrap();
        return;
    }
    assert!(table == KNOWN, "run this test again with UPDATE=1");
}

#[test]
fn every_known_public_secret_is_refused() {
    if is_absent("every_known_public_secret_is_refused") {
        return;
    }
    let lines = known_lines();
    assert!(lines.len() > 1900, "{}", lines.len());
    for line in lines {
        assert!(weakness(&line).is_some(), "{:?}", String::from_utf8_lossy(&line));
        assert!(check(&line, &[Hs256]).is_err());
    }
}

#[test]
fn random_secrets_are_accepted_raw_in_hexadecimal_and_in_base64() {
    // The same in every run: of other ones, one in 2^26 has the shape of DER.
    for number in 0..10_000_u32 {
        let raw: [u8; 32] = Sha256::digest(number.to_le_bytes()).into();
        for secret in [raw.to_vec(), HEXLOWER.encode(&raw).into_bytes(), BASE64.encode(&raw).into_bytes()] {
            assert_eq!(check(&secret, &[Hs256]), Ok(()), "{secret:?}");
        }
    }
    let raw = crate::crypto::random::bytes::<64>().unwrap();
    assert_eq!(check(&raw, &[Hs256, Hs384, Hs512]), Ok(()));
    assert_eq!(check(RANDOM, &[Hs256]), Ok(()));
}

/// CVE-2026-45363, CVE-2026-49852, CVE-2026-44351: an empty or absent HMAC key was accepted.
#[test]
fn empty_blank_and_short_secrets_are_refused() {
    refused(b"", "empty");
    for blank in [&b" "[..], b"\n", b"\t\r\n  ", b"                                                                "] {
        refused(blank, "white space");
    }
    for (algorithm, least) in [(Hs256, 32), (Hs384, 48), (Hs512, 64)] {
        let mut secret = crate::crypto::random::bytes::<64>().unwrap();
        // What is short and happens to be blank is refused as blank.
        secret[0] = b'x';
        assert!(check(&secret[..least], &[algorithm]).is_ok());
        for length in 1..least {
            let error = check(&secret[..length], &[algorithm]).unwrap_err();
            assert!(error.contains(&format!("{} needs at least {least}", algorithm.name())), "{error}");
        }
    }
    let error = check(RANDOM, &[Hs256, Hs512]).unwrap_err();
    assert!(error.contains("HS512 needs at least 64"), "the longest of the listed algorithms counts: {error}");
}

const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
/// RFC 8410 section 10.1.
const SPKI: &str = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
const SSH: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh somebody@example";
const JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// libjwt 200 and 33, CVE-2026-107724, CVE-2024-37568: a public key in any form was taken for an HMAC secret.
#[test]
fn public_keys_and_certificates_in_any_form_are_refused() {
    let der = BASE64.decode(SPKI.as_bytes()).unwrap();
    let pem = [
        PEM.into(),
        PEM.replace("PUBLIC KEY", "CERTIFICATE"),
        PEM.replace("PUBLIC", "RSA PUBLIC"),
        PEM.replace('\n', "\r\n"),
    ];
    for text in pem {
        for around in [
            text.clone(),
            text.trim_end().into(),
            format!("\n{text}"),
            format!("\u{feff}{text}"),
            format!("Bag\n{text}\n\n"),
        ] {
            refused(around.as_bytes(), "PEM");
        }
        refused(BASE64.encode(text.as_bytes()).as_bytes(), "PEM");
    }
    refused(&der, "DER");
    refused(SPKI.as_bytes(), "DER");
    refused(SPKI.trim_end_matches('=').as_bytes(), "DER");
    refused(&[SPKI.as_bytes(), b"\n"].concat(), "DER");
    refused(SSH.as_bytes(), "SSH");
    refused(SSH.split(' ').nth(1).unwrap().as_bytes(), "SSH");
    for prefix in ["ssh-rsa AAAAB3", "ecdsa-sha2-nistp256 AAAAE2", "sk-ssh-ed25519@openssh.com AAAA"] {
        refused(format!("{prefix}{}", "Vj8sPq2LxZ0tRk5w".repeat(4)).as_bytes(), "SSH");
    }
    for text in [
        JWK.into(),
        format!("\n{JWK}\n"),
        format!("{{\"keys\":[{JWK}]}}"),
        format!("[{JWK}]"),
        JWK.replace("kty", "\\u006bty"),
    ] {
        refused(text.as_bytes(), "JSON");
        refused(BASE64URL_NOPAD.encode(text.as_bytes()).as_bytes(), "JSON");
    }
    refused(b"<RSAKeyValue><Modulus>3Yk1fJ9p0s7Vqz</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>", "XML");
}

/// The shapes of certificates, PKCS #1 and PKCS #8 are told by their frames alone.
#[test]
fn other_der_shapes_are_refused() {
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = content.len();
        let head = match length {
            0..0x80 => vec![tag, length as u8],
            0x80..0x100 => vec![tag, 0x81, length as u8],
            _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
        };
        [head, content.to_vec()].concat()
    }
    let noise = crate::crypto::random::bytes::<250>().unwrap();
    let rsa = tlv(0x30, &[tlv(2, &noise), tlv(2, &[1, 0, 1])].concat());
    let certificate = tlv(0x30, &[tlv(0x30, &noise), tlv(0x30, &tlv(6, &[42])), tlv(3, &noise)].concat());
    let pkcs8 = tlv(0x30, &[tlv(2, &[0]), tlv(0x30, &tlv(6, &[43, 101, 112])), tlv(4, &noise[..34])].concat());
    for der in [rsa, certificate, pkcs8] {
        refused(&der, "DER");
        refused(BASE64.encode(&der).as_bytes(), "DER");
        assert!(!is_der(&der[..der.len() - 1]));
    }
}

#[test]
fn patterns_are_refused() {
    for text in [
        "a".repeat(64),
        "ab".repeat(40),
        "Tz7!kQ9w".repeat(4),
        "x9$Kq2!z".repeat(4) + "x9$",
        "\0".repeat(32),
        "abcdefghijklmnopqrstuvwxyz0123456789".into(),
        "11111111111111111111111111111112".into(),
        "aabbccaabbaaccbbabcabccbabcabcab".into(),
    ] {
        refused(text.as_bytes(), "not a random value");
    }
    refused(&(0..64).collect::<Vec<u8>>(), "pattern");
}

#[test]
fn placeholders_and_dictionary_secrets_are_refused() {
    for text in [
        "your-256-bit-secret",
        "your-256-bit-secret-goes-here-please",
        "<random_string_at_least_48_characters_long>",
        "${GATEPOST_TOKEN_SECRET_OF_ORDERS}",
        "$(openssl rand -hex 64)                  ",
        "{{ gatepost_shared_secret_value_here }}",
        "$GATEPOST_SHARED_SECRET_FOR_TOKENS",
        "%GATEPOST_SHARED_SECRET_FOR_TOKENS%",
        "please-change-me-before-production-use",
        "this is a very long secret key for testing only",
        "CHANGE_THIS_TO_A_RANDOM_STRING_OF_32_BYTES",
        "SuperSecretJwtSigningKey1234567890",
        "password1234567890password123456",
        "my_super_secret_key_that_is_long_enough",
        "example-secret-at-least-32-bytes-long!!",
        "changeme-changeme-changeme-change",
        "changemechangemechangemechangeme",
        "0123456789abcdef0123456789abcdef",
        "correct horse battery staple correct",
        "secret-secret_secret.secret secret!",
        "qwertyuiopasdfghjklzxcvbnm123456",
        "test-secret-for-development-only-do-not-use",
        "TODO: replace this with a real secret",
    ] {
        assert!(weakness(text.as_bytes()).is_some(), "{text}");
        refused(text.as_bytes(), "random value");
    }
    for short in ["changeme", "secret", "password", "test", "admin"] {
        refused(short.as_bytes(), "placeholder");
        refused(short.as_bytes(), "at least 32");
    }
}

#[test]
fn a_random_value_with_a_word_in_front_is_accepted() {
    for text in [
        "secret_Zr8vK1qXw7Lm4TbJ9cYd3HfP",
        "jwt-signing-key-5f0e9d2c7b8a41e6935d0c1b2a7f8e4d",
        "orders:Uj3+Vn8/Qk2=Xs7-Lw4_Ze9",
    ] {
        assert_eq!(weakness(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_sequence_is_told_by_its_steps_only_where_they_prevail() {
    assert!(is_pattern(b"abcdefghij"));
    assert!(!is_pattern(RANDOM));
}

/// There is no folder of vectors: said plainly on standard error, past the capture of test output.
fn is_absent(what: &str) -> bool {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, std::path::PathBuf::from);
    if !folder.exists() {
        let line = format!("NOT RUN: {what}: no {}; set GATEPOST_VECTORS to the vectors\n", folder.display());
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }
    !folder.exists()
}
