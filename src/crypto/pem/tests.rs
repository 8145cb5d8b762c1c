//! PEM in every form that OpenSSL writes, and what is refused of it.

use aws_lc_rs::encoding::{AsDer, EcPrivateKeyRfc5915Der, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, PqdsaKeyPair};
use proptest::prelude::*;

use super::*;
use Algorithm::{EdDsa, Es256, MlDsa65, Ps256, Rs256};

/// A certificate whose key may sign, one whose key may only encrypt keys, one that does not say, and its bare key.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUTyWs5RIEQMhJJxBrARwhFzXnVuAwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdG9rZW5zLmV4YW1wbGUwIBcNMjYxMTI1MTY1NzIxWhgPMjA4
MTA4MjgxNjU3MjFaMBkxFzAVBgNVBAMMDnRva2Vucy5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE/1lFhKEPIxQ4TTN4ilJr4JngywiUetU1KHERzec5
+Jh/8946p0EKnQH2FQh+Rkl9OWm4XD/qM4MF7XMhp6UQA6NjMGEwHQYDVR0OBBYE
FMcR1zZCgSinz010hksiTxm3LTR4MB8GA1UdIwQYMBaAFMcR1zZCgSinz010hksi
Txm3LTR4MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgeAMAoGCCqGSM49
BAMCA0gAMEUCIQDhe9Ydv7SWvIxdLlFQfhQqUpoTMFORiWE49H0X5b6W/QIgD9lh
e34T8k3MlRwkglbvPMzwoGmTte6hvg3xjnQPVYc=
-----END CERTIFICATE-----";
const FOR_KEYS: &str = "-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUAgLQN8OIXgXgjjze5khbRVzd6pAwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdG9rZW5zLmV4YW1wbGUwIBcNMjYxMTI1MTY1NzIxWhgPMjA4
MTA4MjgxNjU3MjFaMBkxFzAVBgNVBAMMDnRva2Vucy5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE/1lFhKEPIxQ4TTN4ilJr4JngywiUetU1KHERzec5
+Jh/8946p0EKnQH2FQh+Rkl9OWm4XD/qM4MF7XMhp6UQA6NjMGEwHQYDVR0OBBYE
FMcR1zZCgSinz010hksiTxm3LTR4MB8GA1UdIwQYMBaAFMcR1zZCgSinz010hksi
Txm3LTR4MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgUgMAoGCCqGSM49
BAMCA0gAMEUCIBkbnECkC3n0U06R5ufm+nUpo+HFqYkasweAMymhGnqlAiEAuNTw
tEtnkTcyXYKEwmS6JQbRYzH32cvNDguovGJXoW4=
-----END CERTIFICATE-----";
const SILENT: &str = "-----BEGIN CERTIFICATE-----
MIIBiTCCAS+gAwIBAgIUZrLQzXMGLxsGaHqAMncHrSbES80wCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOdG9rZW5zLmV4YW1wbGUwIBcNMjYxMTI1MTY1NzIxWhgPMjA4
MTA4MjgxNjU3MjFaMBkxFzAVBgNVBAMMDnRva2Vucy5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAE/1lFhKEPIxQ4TTN4ilJr4JngywiUetU1KHERzec5
+Jh/8946p0EKnQH2FQh+Rkl9OWm4XD/qM4MF7XMhp6UQA6NTMFEwHQYDVR0OBBYE
FMcR1zZCgSinz010hksiTxm3LTR4MB8GA1UdIwQYMBaAFMcR1zZCgSinz010hksi
Txm3LTR4MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgevSS4x5h
Vz4hYlkxfG/Vqdy9kNyhZjAvdm0QMpwfOu0CIQDlp5yT9PU4/gb47gPS/+RP+Xac
b63kqoIwHYvCkje2Aw==
-----END CERTIFICATE-----";
const SPKI: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/1lFhKEPIxQ4TTN4ilJr4JngywiU
etU1KHERzec5+Jh/8946p0EKnQH2FQh+Rkl9OWm4XD/qM4MF7XMhp6UQAw==
-----END PUBLIC KEY-----";
/// The same key with its point compressed.
const COMPRESSED: &str = "-----BEGIN PUBLIC KEY-----
MDkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDIgAD/1lFhKEPIxQ4TTN4ilJr4JngywiU
etU1KHERzec5+Jg=
-----END PUBLIC KEY-----";

fn rules(algorithms: &[Algorithm]) -> Rules<'_> {
    Rules { algorithms, strict: false, origin: Origin::File }
}

fn block(label: &str, der: &[u8]) -> String {
    let lines: Vec<String> =
        BASE64.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn read(text: &str, algorithm: Algorithm) -> Result<KeySet, String> {
    KeySet::from_text(text.as_bytes(), None, &rules(&[algorithm])).map_err(|error| error.0)
}

/// Reads a text that holds one key.
fn one_key(text: &str, algorithm: Algorithm) -> PublicKey {
    let set = read(text, algorithm).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(set.len(), 1);
    set.iter().next().unwrap().public().unwrap().clone()
}

#[test]
fn a_certificate_and_its_bare_key_are_the_same_key() {
    let key = one_key(SPKI, Es256);
    assert_eq!(one_key(CERTIFICATE, Es256), key);
    assert_eq!(one_key(SILENT, Es256), key);
    assert_eq!(one_key(&format!("\r\n{}\r\n", SPKI.replace('\n', "\r\n")), Es256), key);
    assert_eq!(one_key(&format!("\u{feff}{SPKI}\n"), Es256), key);
    assert!(read(FOR_KEYS, Es256).unwrap_err().contains("does not allow signatures"));
    assert!(read(&format!("{CERTIFICATE}\n{SILENT}"), Es256).unwrap_err().contains("several certificates"));
    assert!(read(COMPRESSED, Es256).unwrap_err().contains("uncompressed"));
    assert!(read(SPKI, Rs256).unwrap_err().contains("a key on P-256 cannot verify RS256"));
}

#[test]
fn every_form_of_every_type_holds_the_same_key() {
    let random = SystemRandom::new();
    let ec = EcdsaKeyPair::generate_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let ec_pair = EcdsaKeyPair::from_pkcs8(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, ec.as_ref()).unwrap();
    let ec_spki: PublicKeyX509Der<'_> = ec_pair.public_key().as_der().unwrap();
    let sec1: EcPrivateKeyRfc5915Der<'_> = ec_pair.private_key().as_der().unwrap();
    let rsa = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let rsa_pkcs8: Pkcs8V1Der<'_> = rsa.as_der().unwrap();
    let rsa_spki: PublicKeyX509Der<'_> = rsa.public_key().as_der().unwrap();
    // A version, rsaEncryption and the lengths stand before the RSAPrivateKey of 2048 bits.
    let pkcs1 = &rsa_pkcs8.as_ref()[26..];
    let ed = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
    let ed_pair = Ed25519KeyPair::from_pkcs8(ed.as_ref()).unwrap();
    let ed_spki: PublicKeyX509Der<'_> = ed_pair.public_key().as_der().unwrap();
    let ml = PqdsaKeyPair::generate(&signature::ML_DSA_65_SIGNING).unwrap();
    let ml_spki: PublicKeyX509Der<'_> = ml.public_key().as_der().unwrap();
    let ml_pkcs8 = ml.to_pkcs8v1().unwrap();
    for (algorithm, public, forms) in [
        (Es256, ec_spki.as_ref(), &[("PRIVATE KEY", ec.as_ref()), ("EC PRIVATE KEY", sec1.as_ref())][..]),
        (Rs256, rsa_spki.as_ref(), &[("PRIVATE KEY", rsa_pkcs8.as_ref()), ("RSA PRIVATE KEY", pkcs1)]),
        (EdDsa, ed_spki.as_ref(), &[("PRIVATE KEY", ed.as_ref())]),
        (MlDsa65, ml_spki.as_ref(), &[("PRIVATE KEY", ml_pkcs8.as_ref())]),
    ] {
        let key = one_key(&block("PUBLIC KEY", public), algorithm);
        for (label, der) in forms {
            let text = block(label, der);
            let set = read(&text, algorithm).unwrap_or_else(|error| panic!("{label}: {error}"));
            assert_eq!(set.iter().next().unwrap().public(), Some(&key), "{label}");
            assert!(set.warnings()[0].contains("holds a private key"));
            // What signs is what the public half verifies.
            let private = private_key(text.as_bytes()).unwrap();
            assert_eq!(private.public(), &key);
            let signature = private.sign(algorithm, b"message").unwrap();
            assert!(set.iter().next().unwrap().verify(algorithm, b"message", &signature));
            assert!(!format!("{private:?}").contains("Rsa {"), "nothing of a key is shown");
            // Where everybody can read it, it is refused.
            for origin in [Origin::Inline, Origin::Remote] {
                let list = [algorithm];
                let error = KeySet::from_text(text.as_bytes(), None, &Rules { origin, ..rules(&list) }).unwrap_err();
                assert!(error.0.contains("private key"), "{error}");
            }
        }
    }
    let rsa_public = block("RSA PUBLIC KEY", rsa.public_key().as_ref());
    assert_eq!(one_key(&rsa_public, Ps256), one_key(&block("PUBLIC KEY", rsa_spki.as_ref()), Ps256));
    assert!(private_key(format!("{}{rsa_public}", block("PRIVATE KEY", ec.as_ref())).as_bytes()).is_err());
    assert!(private_key(rsa_public.as_bytes()).unwrap_err().0.contains("RSA PUBLIC KEY"));
}

#[test]
fn a_kid_names_the_one_key_of_a_pem_text() {
    let with = |text: &str, kid| KeySet::from_text(text.as_bytes(), Some(kid), &rules(&[Es256]));
    assert_eq!(with(SPKI, "k1").unwrap().iter().next().unwrap().kid.as_deref(), Some("k1"));
    assert!(with(&format!("{SPKI}\n{SPKI}"), "k1").unwrap_err().0.contains("several"));
    assert!(with("{\"keys\":[]}", "k1").unwrap_err().0.contains("bring their own"));
    assert_eq!(read(&format!("{SPKI}\n{SPKI}"), Es256).unwrap().len(), 2, "without a kid several may stand there");
}

#[test]
fn what_is_not_pem_or_not_one_spelling_of_it_is_refused() {
    let body = SPKI.lines().nth(1).unwrap();
    for text in [
        String::new(),
        "-----BEGIN PUBLIC KEY-----".into(),
        "hello".into(),
        format!("some text\n{SPKI}"),
        format!("{SPKI}\nsome text"),
        SPKI.replace("END PUBLIC KEY", "END CERTIFICATE"),
        SPKI.replace("PUBLIC KEY", "PUBLIC  KEY"),
        SPKI.replace("PUBLIC KEY", "public key"),
        SPKI.replace("PUBLIC KEY", "SSH2 PUBLIC KEY"),
        SPKI.replace("-----BEGIN PUBLIC KEY-----\n", "-----BEGIN PUBLIC KEY-----"),
        SPKI.replace("==", "="),
        SPKI.replace("Aw==", "Ax=="),
        SPKI.replace(body, &format!("{body} ")),
        SPKI.replace(body, &format!("Proc-Type: 4,ENCRYPTED\n\n{body}")),
        SPKI.replace("PUBLIC KEY", "ENCRYPTED PRIVATE KEY"),
        SPKI.replace("PUBLIC KEY", "CERTIFICATE"),
        SPKI.replace("PUBLIC KEY", "PRIVATE KEY"),
        CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY"),
        SPKI.repeat(65),
    ] {
        assert!(read(&text, Es256).is_err(), "{text}");
    }
    assert!(read(&SPKI.replace("PUBLIC KEY", "ENCRYPTED PRIVATE KEY"), Es256).unwrap_err().contains("passphrase"));
    let der = BASE64.decode(SPKI.lines().skip(1).take(2).collect::<String>().as_bytes()).unwrap();
    let refused = KeySet::from_text(&der, None, &rules(&[Es256])).unwrap_err();
    assert!(refused.0.contains("write it as PEM"), "{refused}");
    for cut in 0..der.len() {
        assert!(spki(&der[..cut]).is_err());
    }
    assert!(spki(&[&der[..], &[0]].concat()).is_err(), "nothing may stand behind the DER");
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, label in "PUBLIC KEY|CERTIFICATE|PRIVATE KEY|RSA PUBLIC KEY|EC PRIVATE KEY|RSA PRIVATE KEY") {
        let _ = (spki(&bytes), certificate(&bytes), rsa(&bytes));
        for text in [bytes.clone(), block(&label, &bytes).into_bytes()] {
            prop_assert!(KeySet::from_text(&text, None, &rules(Algorithm::ALL)).is_err());
        }
    }

    #[test]
    fn a_bent_key_or_certificate_never_panics(at: prop::sample::Index, byte: u8) {
        for text in [SPKI, CERTIFICATE] {
            let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
            let mut der = BASE64.decode(lines.as_bytes()).unwrap();
            let at = at.index(der.len());
            der[at] = byte;
            let _ = (spki(&der), certificate(&der));
            let _ = KeySet::from_text(block("PUBLIC KEY", &der).as_bytes(), None, &rules(&[Es256]));
        }
    }
}
