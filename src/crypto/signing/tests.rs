use super::*;
use crate::crypto::key::tests::{pem as block, pkcs8, private};
use Algorithm::*;

const SECRET: &[u8] = b"q3ZKf0Xw9LrTn7VbYc2MhE5sUdJ8aPgR1iO6xCkWvB4yQmNtHlSzDjFeGuIoApTs";

fn refused(text: &str, kid: Option<&str>, algorithm: Algorithm) -> String {
    SigningKey::from_text(text.as_bytes(), kid, algorithm, false).unwrap_err().0
}

#[test]
fn every_algorithm_signs_what_its_own_set_verifies() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = if algorithm.is_symmetric() {
            SigningKey::from_secret(SECRET, None, algorithm).unwrap()
        } else {
            let text = block("PRIVATE KEY", &pkcs8(algorithm));
            SigningKey::from_text(text.as_bytes(), None, algorithm, false).unwrap()
        };
        let made = key.sign(b"message").unwrap();
        let verifies = |message: &[u8]| key.verifying().iter().any(|one| one.verify(algorithm, message, &made));
        assert!(verifies(b"message") && !verifies(b"another"), "{}", algorithm.name());
        let [one] = key.verifying().iter().collect::<Vec<_>>()[..] else { panic!("one key") };
        assert_eq!((one.kid.as_deref(), one.algorithms()), (key.kid(), &[algorithm][..]));
        let thumbprint = one.public().map(|public| BASE64URL_NOPAD.encode(&public.thumbprint()));
        assert_eq!(key.kid(), thumbprint.as_deref(), "a secret has no name that is made of it");
    }
}

/// RFC 8037 appendix A.1 and A.4: Ed25519 signs the same each time.
#[test]
fn the_example_of_rfc_8037_is_signed_as_it_stands_there() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let key = SigningKey::from_text(jwk.as_bytes(), None, EdDsa, true).unwrap();
    // Appendix A.3.
    assert_eq!(key.kid(), Some("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
    let wanted = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(BASE64URL_NOPAD.encode(&signature), wanted);
}

#[test]
fn a_private_jwk_of_ml_dsa_is_its_seed() {
    let seed = [7; 32];
    let pair = aws_lc_rs::signature::PqdsaKeyPair::from_seed(&aws_lc_rs::signature::ML_DSA_44_SIGNING, &seed).unwrap();
    let public = {
        use aws_lc_rs::signature::KeyPair;
        pair.public_key().as_ref().to_vec()
    };
    let jwk = |public: &[u8]| {
        let (seed, public) = (BASE64URL_NOPAD.encode(&seed), BASE64URL_NOPAD.encode(public));
        format!(r#"{{"kty":"AKP","alg":"ML-DSA-44","kid":"a","priv":"{seed}","pub":"{public}"}}"#)
    };
    let key = SigningKey::from_text(jwk(&public).as_bytes(), None, MlDsa44, true).unwrap();
    assert_eq!(key.kid(), Some("a"));
    let mut other = public.clone();
    other[7] ^= 1;
    assert!(refused(&jwk(&other), None, MlDsa44).contains("do not belong"));
}

#[test]
fn a_key_that_cannot_sign_as_asked_is_refused_with_the_reason() {
    let ec = block("PRIVATE KEY", &pkcs8(Es256));
    let rsa = block("PRIVATE KEY", &pkcs8(Rs256));
    let public = private(Es256).public().to_jwk();
    let public = Value::Object(public).to_string();
    let with = |member: &str| public.replacen('{', &format!("{{{member},"), 1);
    let secret = r#"{"kty":"oct","k":"cTNaS2YwWHc5THJUbjdWYlljMk1oRTVzVWRKOGFQZ1I"}"#;
    for (text, algorithm, why) in [
        (ec.as_str(), Es384, "a key on P-256 cannot sign with ES384"),
        (&ec, Rs256, "a key on P-256 cannot sign with RS256"),
        (&ec, Hs256, "with `secret_file`"),
        (&rsa, Es256, "an RSA key cannot sign with ES256"),
        (&public, Es256, "it is a public key"),
        (&with(r#""d":"AAAA""#), Es256, "do not belong"),
        (&with(r#""d":7"#), Es256, "a string belongs"),
        (&with(r#""alg":"ES384""#), Es256, "its alg is \"ES384\""),
        (&with(r#""use":"enc""#), Es256, "its use is \"enc\""),
        (&with(r#""key_ops":["verify"]"#), Es256, "\"sign\""),
        (r#"{"keys":[]}"#, Es256, "none or several"),
        (r#"{"keys":[7]}"#, Es256, "no object"),
        (secret, Es256, "it is a shared secret"),
        (&public, Hs256, "it is another key"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", Es256, "it is a public key"),
        ("secret", Es256, "it is neither"),
        ("", Es256, "it is neither"),
    ] {
        let error = refused(text, None, algorithm);
        assert!(error.contains(why), "{error:?} does not say {why:?}");
        assert!(!error.contains("cTNaS2Yw"), "{error}");
    }
    let named = r#"{"kty":"oct","kid":"a","k":"cTNaS2YwWHc5THJUbjdWYlljMk1oRTVzVWRKOGFQZ1I"}"#;
    assert!(refused(named, Some("b"), Hs256).contains("of its own"));
    assert_eq!(SigningKey::from_text(named.as_bytes(), None, Hs256, false).unwrap().kid(), Some("a"));
}

#[test]
fn a_weak_key_is_refused() {
    // RSA with 1,024 bits, made for this test and used nowhere.
    let weak = include_str!("rsa1024.pem");
    assert_eq!(refused(weak, None, Rs256), "it is no sound RSA private key of 2048 to 8192 bits");
    let rsa = block("PRIVATE KEY", &pkcs8(Ps256));
    assert!(SigningKey::from_text(rsa.as_bytes(), None, Ps256, false).is_ok());
    assert!(SigningKey::from_text(rsa.as_bytes(), None, Ps256, true).is_err(), "2048 bits under the strict profile");
    assert!(SigningKey::from_secret(b"short", None, Hs256).is_err());
}

#[test]
fn an_old_key_verifies_under_the_name_that_it_had() {
    let text = block("PRIVATE KEY", &pkcs8(Es256));
    let key = SigningKey::from_text(text.as_bytes(), None, Es256, false).unwrap();
    let made = key.sign(b"m").unwrap();
    let public = {
        let mut jwk = key.verifying().iter().next().unwrap().public().unwrap().to_jwk();
        let bare = Value::Object(jwk.clone()).to_string();
        jwk.insert("kid".into(), "own".into());
        [bare, serde_json::json!({ "keys": [jwk] }).to_string()]
    };
    let rules = Rules { algorithms: &[Es256], strict: false, origin: Origin::File };
    for (text, kid, wanted) in [
        (&text, None, key.kid()),
        (&text, Some("old"), Some("old")),
        (&public[0], None, key.kid()),
        (&public[0], Some("old"), Some("old")),
        (&public[1], None, Some("own")),
    ] {
        let set = KeySet::of_former(text.as_bytes(), kid, &rules).unwrap();
        let [one] = set.iter().collect::<Vec<_>>()[..] else { panic!("one key") };
        assert_eq!(one.kid.as_deref(), wanted);
        assert!(one.verify(Es256, b"m", &made));
    }
    assert!(KeySet::of_former(public[1].as_bytes(), Some("old"), &rules).is_err());
}

#[test]
fn nothing_of_a_key_is_shown() {
    let key = SigningKey::from_secret(SECRET, Some("a"), Hs256).unwrap();
    assert_eq!(format!("{key:?}"), "SigningKey { kid: Some(\"a\"), algorithm: Hs256, .. }");
}
