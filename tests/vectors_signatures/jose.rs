//! Tokens and keys in the forms of JOSE.

use gatepost::crypto::algorithm::Algorithm;
use gatepost::crypto::jwk;
use gatepost::crypto::key::{KeyError, KeySet, Origin, Rules};
use gatepost::crypto::signing::SigningKey;
use gatepost::token::{Jws, Room};
use serde_json::Value;

use super::{is_absent, read, rules};

/// The checks of a token up to its signature: form of the parts, header, algorithm, `kid`, signature. The examples
/// sign texts that are no claims.
fn is_signed(token: &str, keys: &KeySet) -> bool {
    let mut room = Room::default();
    let Ok(jws) = Jws::read(token, &mut room) else { return false };
    let Some(algorithm) = Algorithm::from_name(&jws.header.algorithm) else { return false };
    let Ok(found) = keys.candidates(algorithm, jws.header.kid.as_deref()) else { return false };
    found.iter().any(|key| key.verify(algorithm, jws.signed, jws.signature))
}

/// A group's keys as an operator would name them: the public ones where they are given. HS* and the others never stand
/// in one issuer's list.
fn keys_of(group: &Value) -> Result<KeySet, KeyError> {
    let set = group.get("public").or(group.get("private")).unwrap();
    let symmetric = set.to_string().contains(r#""oct""#);
    let list: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|a| a.is_symmetric() == symmetric).collect();
    KeySet::from_jwks(set.to_string().as_bytes(), &rules(&list))
}

/// Cases of a file: the numbers of those where ours and the label differ.
fn differences(file: &str, skip: impl Fn(&Value) -> bool) -> (usize, Vec<u64>) {
    let file: Value = serde_json::from_str(&read(file)).unwrap();
    let (mut seen, mut differ) = (0, Vec::new());
    for group in file["testGroups"].as_array().unwrap().iter().filter(|group| !skip(group)) {
        let keys = keys_of(group);
        for test in group["tests"].as_array().unwrap() {
            let token = test.get("jws").or(test.get("jwe")).unwrap();
            let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
            let verified = keys.as_ref().is_ok_and(|keys| is_signed(&token, keys));
            if verified != (test["result"] == "valid") {
                differ.push(test["tcId"].as_u64().unwrap());
            }
            seen += 1;
        }
    }
    (seen, differ)
}

/// Those with HS* need keys that no policy could load; they run inside the crate.
#[test]
fn wycheproof_json_web_signature_with_public_keys() {
    if is_absent("wycheproof_json_web_signature_with_public_keys") {
        return;
    }
    let is_oct = |group: &Value| group.get("private").is_some_and(|key| key["kty"] == "oct");
    // 346 and 350: the key's `alg` is PS256 and the token's PS384. 347 and 351: the key's `alg` is "ES521", which is none.
    assert_eq!(differences("wycheproof/json_web_signature_test.json", is_oct), (361, vec![346, 347, 350, 351]));
}

#[test]
fn wycheproof_json_web_key() {
    if is_absent("wycheproof_json_web_key") {
        return;
    }
    // 13, 14 and 15: keys that count from zero, a pattern that no issuer should use.
    assert_eq!(differences("wycheproof/json_web_key_test.json", |_| false), (26, vec![13, 14, 15]));
}

/// Encrypted tokens (JWE) are not offered: each is refused, the valid ones too.
#[test]
fn wycheproof_json_web_crypto() {
    if is_absent("wycheproof_json_web_crypto") {
        return;
    }
    assert_eq!(differences("wycheproof/json_web_crypto_test.json", |_| false), (83, vec![50, 67]));
}

fn latchset(name: &str) -> String {
    read(&format!("jose_rfc/latchset/{name}"))
}

/// RFC 7515 A.1 to A.4 and RFC 7520 4.1 to 4.4: compact tokens with their keys.
#[test]
fn compact_examples_of_rfc_7515_and_7520_verify() {
    if is_absent("compact_examples_of_rfc_7515_and_7520_verify") {
        return;
    }
    for name in [
        "rfc7515_A.1",
        "rfc7515_A.2",
        "rfc7515_A.3",
        "rfc7515_A.4",
        "rfc7520_4.1",
        "rfc7520_4.2",
        "rfc7520_4.3",
        "rfc7520_4.4",
    ] {
        let key = latchset(&format!("{name}.jwk"));
        let symmetric = key.contains("\"oct\"");
        let list: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|a| a.is_symmetric() == symmetric).collect();
        let keys = KeySet::from_jwks(key.as_bytes(), &rules(&list)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let token = latchset(&format!("{name}.jwsc"));
        let token = token.trim_end();
        assert!(is_signed(token, &keys), "{name}");
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bent = if signature.starts_with('A') { "B" } else { "A" };
        assert!(!is_signed(&format!("{signed}.{bent}{}", &signature[1..]), &keys), "{name}");
        assert!(!is_signed(&format!("{signed}."), &keys), "{name}");
    }
}

/// RFC 7515 A.2 to A.4 and RFC 7520 3.2 and 3.4: private keys sign what their public halves verify, and RSASSA-PKCS1-v1_5
/// signs the example of A.2 as it stands there.
#[test]
fn private_keys_of_rfc_7515_and_7520_sign() {
    use Algorithm::{Es256, Es512, Ps384, Rs256};
    if is_absent("private_keys_of_rfc_7515_and_7520_sign") {
        return;
    }
    for (name, algorithm) in [
        ("rfc7515_A.2", Rs256),
        ("rfc7515_A.3", Es256),
        ("rfc7515_A.4", Es512),
        ("rfc7520_3.2", Es512),
        ("rfc7520_3.4", Ps384),
    ] {
        let text = latchset(&format!("{name}.jwk"));
        let key =
            SigningKey::from_text(text.as_bytes(), None, algorithm, false).unwrap_or_else(|e| panic!("{name}: {e}"));
        let public = KeySet::from_jwks(text.as_bytes(), &rules(&[algorithm])).unwrap();
        let made = key.sign(b"message").unwrap();
        assert!(public.iter().any(|key| key.verify(algorithm, b"message", &made)), "{name}");
        if name == "rfc7515_A.2" {
            let token = latchset("rfc7515_A.2.jwsc");
            let (signed, signature) = token.trim_end().rsplit_once('.').unwrap();
            let made = key.sign(signed.as_bytes()).unwrap();
            assert_eq!(data_encoding::BASE64URL_NOPAD.encode(&made), signature);
        }
    }
}

/// Everything that is not a signed token in compact form is refused: `none`, detached payloads, JSON forms, encryption.
#[test]
fn other_forms_of_rfc_7515_and_7520_are_refused() {
    if is_absent("other_forms_of_rfc_7515_and_7520_are_refused") {
        return;
    }
    let folder = super::folder().join("jose_rfc/latchset");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (stem, kind) = name.rsplit_once('.').unwrap();
        let other = match kind {
            "jwsf" | "jwsg" | "jwec" | "jwef" | "jweg" => true,
            "jwsc" => ["rfc7515_A.5", "rfc7520_4.5"].contains(&stem),
            _ => false,
        };
        if !other {
            continue;
        }
        let mut room = Room::default();
        let token = latchset(&name);
        // An unsecured token is taken apart like any other; its algorithm is none that a policy can name. One with a
        // detached payload is signed over a text that it does not carry.
        let read = Jws::read(token.trim_end(), &mut room);
        match name.as_str() {
            "rfc7515_A.5.jwsc" => assert!(Algorithm::from_name(&read.unwrap().header.algorithm).is_none()),
            "rfc7520_4.5.jwsc" => {
                let keys = KeySet::from_jwks(latchset("rfc7520_4.5.jwk").as_bytes(), &rules(&[Algorithm::Hs256]));
                assert!(!is_signed(token.trim_end(), &keys.unwrap()));
            }
            _ => assert!(read.is_err(), "{name}"),
        }
        seen += 1;
    }
    assert_eq!(seen, 51);
}

/// Every JWK and set of the folder: those that can verify something load, with the right types; the others say why.
#[test]
fn keys_of_rfc_7515_7517_7520_and_7638_load_or_say_why_not() {
    if is_absent("keys_of_rfc_7515_7517_7520_and_7638_load_or_say_why_not") {
        return;
    }
    let folder = super::folder().join("jose_rfc/latchset");
    let asymmetric: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|a| !a.is_symmetric()).collect();
    let (mut loaded, mut refused) = (Vec::new(), Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".jwk") && !name.ends_with(".jwkset") {
            continue;
        }
        let text = latchset(&name);
        let public = KeySet::from_jwks(text.as_bytes(), &rules(&asymmetric));
        let secret = KeySet::from_jwks(text.as_bytes(), &rules(&[Algorithm::Hs256]));
        assert!(public.is_err() || secret.is_err(), "{name}");
        match (public.or(secret), name) {
            (Ok(keys), name) => loaded.push((name, keys.len())),
            (Err(_), name) => refused.push(name),
        }
        // What is for anybody to read must hold no private key.
        let remote = Rules { algorithms: &asymmetric, strict: false, origin: Origin::Remote };
        if text.contains("\"d\"") && !text.contains("\"keys\"") {
            assert!(KeySet::from_jwks(text.as_bytes(), &remote).is_err());
        }
    }
    loaded.sort();
    refused.sort();
    let two: Vec<_> =
        loaded.iter().filter(|(_, count)| *count != 1).map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!((loaded.len(), two), (29, vec![("rfc7515_A.6.jwkset", 2)]));
    // 4.8 mixes a secret with public keys; the others are for encryption.
    let encryption = |name: &str| name == "rfc7520_3.6.jwk" || name.starts_with("rfc7520_5.");
    let others: Vec<_> = refused.iter().filter(|name| !encryption(name)).map(String::as_str).collect();
    assert_eq!((refused.len(), others), (16, vec!["rfc7520_4.8.jwkset"]));
}

#[test]
fn thumbprint_of_rfc_7638() {
    if is_absent("thumbprint_of_rfc_7638") {
        return;
    }
    let members: Value = serde_json::from_str(&latchset("rfc7638_3.1.jwk")).unwrap();
    let key = jwk::public(members.as_object().unwrap()).unwrap().unwrap();
    assert_eq!(data_encoding::BASE64URL_NOPAD.encode(&key.thumbprint()), latchset("rfc7638_3.1.thp").trim_end());
}

/// The cookbook of RFC 7520 with the later additions: compact tokens verify, all other forms are refused, and so is
/// what the payload is not encoded in (RFC 7797).
#[test]
fn cookbook() {
    if is_absent("cookbook") {
        return;
    }
    let (mut verified, mut refused) = (0, 0);
    for folder in ["jws", "curve25519", "rfc7797"] {
        for entry in std::fs::read_dir(super::folder().join("jose_rfc/cookbook").join(folder)).unwrap() {
            let name = format!("{folder}/{}", entry.unwrap().file_name().into_string().unwrap());
            let file: Value = serde_json::from_str(&read(&format!("jose_rfc/cookbook/{name}"))).unwrap();
            for (form, token) in file["output"].as_object().unwrap() {
                let text = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
                let key = &file["input"]["key"];
                let symmetric = key["kty"] == "oct";
                let list: Vec<Algorithm> =
                    Algorithm::ALL.iter().copied().filter(|a| a.is_symmetric() == symmetric).collect();
                let keys = KeySet::from_jwks(key.to_string().as_bytes(), &rules(&list));
                let signed = keys.as_ref().is_ok_and(|keys| is_signed(&text, keys));
                let plain = form == "compact"
                    && ["jws/4_1", "jws/4_2", "jws/4_3", "jws/4_4", "curve25519/jws"]
                        .iter()
                        .any(|start| name.starts_with(start));
                assert_eq!(signed, plain, "{name} {form}");
                if signed { verified += 1 } else { refused += 1 }
            }
        }
    }
    assert_eq!((verified, refused), (5, 26));
    // The keys of the cookbook, and the nesting of a signed token in an encrypted one.
    for (name, good) in [
        ("3_1.ec_public_key", true),
        ("3_2.ec_private_key", true),
        ("3_3.rsa_public_key", true),
        ("3_4.rsa_private_key", true),
        ("3_5.symmetric_key_mac_computation", false),
        ("3_6.symmetric_key_encryption", false),
    ] {
        let key: Value = serde_json::from_str(&read(&format!("jose_rfc/cookbook/jwk/{name}.json"))).unwrap();
        let list: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|a| !a.is_symmetric()).collect();
        assert_eq!(KeySet::from_jwks(key.to_string().as_bytes(), &rules(&list)).is_ok(), good, "{name}");
    }
    let nested: Value =
        serde_json::from_str(&read("jose_rfc/cookbook/6.nesting_signatures_and_encryption.json")).unwrap();
    let mut room = Room::default();
    assert!(Jws::read(nested["encrypt"]["output"]["compact"].as_str().unwrap_or("a.b.c.d.e"), &mut room).is_err());
}
