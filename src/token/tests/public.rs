//! Tokens with public keys: what the key types make impossible, for every type.

use super::*;
use crate::crypto::key::tests::private;
use crate::crypto::key::{Origin, Rules};
use crate::crypto::private::PrivateKey;

/// One algorithm of each type of key, with all algorithms that such a key can verify.
const TYPES: &[(Algorithm, &[Algorithm])] = {
    use Algorithm::*;
    &[
        (Ps256, &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]),
        (Es256, &[Es256]),
        (Es384, &[Es384]),
        (Es512, &[Es512]),
        (EdDsa, &[EdDsa, Ed25519]),
        (MlDsa44, &[MlDsa44]),
        (MlDsa65, &[MlDsa65]),
        (MlDsa87, &[MlDsa87]),
    ]
};

/// An issuer that may use every algorithm but MACs, with one public key that has no `alg`.
fn believing(key: &PrivateKey, kid: Option<&str>) -> Issuer {
    let algorithms: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|a| !a.is_symmetric()).collect();
    let rules = Rules { algorithms: &algorithms, strict: false, origin: Origin::File };
    let key = Key::from_public(kid.map(str::to_owned), key.public().clone(), None, &rules).unwrap();
    Issuer { algorithms, sources: sourced(vec![key]), ..issuer() }
}

fn signed_by(key: &PrivateKey, header: &Value, algorithm: Algorithm) -> String {
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", encode(header), encode(&good()));
    let signature = key.sign(algorithm, signed.as_bytes()).unwrap();
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// CVE-2026-44699 and libjwt 200, for every type of key: a MAC made with nothing, with zeros, or with the public key in
/// any form is refused for its algorithm, before anything is computed.
#[test]
fn no_type_of_public_key_verifies_a_mac() {
    for (signs, all) in TYPES {
        let key = private(*signs);
        let jwk = Value::Object(key.public().to_jwk()).to_string();
        for secret in [vec![], vec![0; 32], vec![0; 64], jwk.clone().into_bytes(), format!("{jwk}\n").into_bytes()] {
            for mac in [Hs256, Hs384, Hs512] {
                for kid in [json!({"alg": mac.name()}), json!({"alg": mac.name(), "kid": "k"})] {
                    let token = sign_raw(kid.to_string().as_bytes(), good().to_string().as_bytes(), mac, &secret);
                    assert_eq!(refusal(&token, believing(&key, Some("k"))).reason, Reason::TokenAlgorithm, "{all:?}");
                }
            }
        }
    }
}

/// Every algorithm against every type of key: what the key is for is the key's to say.
#[test]
fn the_tokens_alg_never_selects_a_key_of_another_type() {
    for (signs, all) in TYPES {
        let key = private(*signs);
        for &asked in Algorithm::ALL.iter().filter(|asked| !asked.is_symmetric()) {
            let header = json!({"alg": asked.name(), "kid": "k"});
            let fits = all.contains(&asked);
            let token = signed_by(&key, &header, if fits { asked } else { *signs });
            let got = verify(&token, &[believing(&key, Some("k"))], NOW, LEEWAY);
            if fits {
                assert_eq!(got.unwrap().algorithm, asked);
            } else {
                assert_eq!(got.unwrap_err().reason, Reason::TokenAlgorithm, "{signs:?} {asked:?}");
            }
        }
    }
}

/// libjwt c948840 for every pair of one family, by the issuer's list.
#[test]
fn downgrade_and_upgrade_within_a_family_of_public_keys_are_refused() {
    for (signs, all) in TYPES {
        let key = private(*signs);
        for &pinned in *all {
            for &asked in *all {
                let list = vec![pinned];
                let rules = Rules { algorithms: &list, strict: false, origin: Origin::File };
                let own = Key::from_public(None, key.public().clone(), None, &rules).unwrap();
                let issuer = Issuer { algorithms: list.clone(), sources: sourced(vec![own]), ..issuer() };
                let got = verify(&signed_by(&key, &json!({"alg": asked.name()}), asked), &[issuer], NOW, LEEWAY);
                assert_eq!(got.is_ok(), asked == pinned, "{pinned:?} {asked:?}");
                assert!(got.is_ok() || got.unwrap_err().reason == Reason::TokenAlgorithm);
            }
        }
    }
}

/// CVE-2018-0114 with a right signature by the key that the token itself brings.
#[test]
fn public_keys_embedded_in_the_header_are_never_used() {
    let (own, foreign) = (private(Algorithm::Es256), private(Algorithm::Es256));
    let jwk = Value::Object(foreign.public().to_jwk());
    for (name, value) in [
        ("jwk", jwk.clone()),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["AAAA"])),
        ("keys", json!([jwk])),
    ] {
        let mut header = json!({"alg": "ES256"});
        header[name] = value;
        let token = signed_by(&foreign, &header, Algorithm::Es256);
        assert_eq!(refusal(&token, believing(&own, None)).reason, Reason::TokenSignature, "{name}");
        assert!(verify(&signed_by(&own, &header, Algorithm::Es256), &[believing(&own, None)], NOW, LEEWAY).is_ok());
    }
}

/// Keys of a source that has not answered: a token that names one of the others is judged, every other is put off.
#[test]
fn a_token_that_may_be_of_a_key_not_yet_known_is_put_off() {
    let (known, unknown) = (private(Algorithm::Es256), private(Algorithm::Es256));
    let with_unread = || {
        let mut issuer = believing(&known, Some("k"));
        issuer.sources.push(SourcedKeys { source: discovery(), keys: None });
        issuer
    };
    let reason = |key: &PrivateKey, header: Value| {
        verify(&signed_by(key, &header, Algorithm::Es256), &[with_unread()], NOW, LEEWAY).err().map(|e| e.reason)
    };
    assert_eq!(reason(&known, json!({"alg": "ES256", "kid": "k"})), None);
    assert_eq!(reason(&known, json!({"alg": "ES256"})), None);
    assert_eq!(reason(&unknown, json!({"alg": "ES256", "kid": "k"})), Some(Reason::TokenSignature));
    assert_eq!(reason(&unknown, json!({"alg": "ES256", "kid": "new"})), Some(Reason::KeysUnavailable));
    assert_eq!(reason(&unknown, json!({"alg": "ES256"})), Some(Reason::KeysUnavailable));
}

#[test]
fn what_verifies_says_by_which_key() {
    let key = private(Algorithm::EdDsa);
    let issuers = [believing(&key, Some("k"))];
    let ring = Keyring::new(&issuers);
    let trust = Trust { issuers: &issuers, keys: &ring, leeway: LEEWAY };
    let token = signed_by(&key, &json!({"alg": "EdDSA", "kid": "k"}), Algorithm::EdDsa);
    let verified = super::super::verify(&token, &trust, NOW).unwrap();
    assert_eq!((verified.key_epoch, verified.algorithm), (ring.epoch(0), Algorithm::EdDsa));
    assert_eq!(verified.times().check(Clock { now: NOW, leeway: LEEWAY }), Ok(()));
    let late = verified.times().check(Clock { now: NOW + 700, leeway: LEEWAY }).unwrap_err();
    assert_eq!(late.reason, Reason::TokenExpired);
    let early = verified.times().check(Clock { now: NOW - 700, leeway: LEEWAY }).unwrap_err();
    assert_eq!(early.reason, Reason::TokenNotYetValid);
}
