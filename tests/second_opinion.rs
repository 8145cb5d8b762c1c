//! A second opinion on every signature algorithm: RustCrypto's implementations judge the same signatures, right, bent,
//! cut and under another key, and must come to the same verdict as ours. For MACs, where ours are RustCrypto's, aws-lc
//! judges.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as aws;
use gatepost::crypto::algorithm::Algorithm::{self, *};
use gatepost::crypto::key::{Key, Origin, PublicKey, Rules};
use gatepost::crypto::private::PrivateKey;
use ml_dsa::signature::Verifier as _;
use sha2::{Sha256, Sha384, Sha512};

/// A fresh private key.
fn private(algorithm: Algorithm) -> PrivateKey {
    let random = SystemRandom::new();
    let ec = |signer| aws::EcdsaKeyPair::generate_pkcs8(signer, &random).unwrap().as_ref().to_vec();
    let ml = |signer| aws::PqdsaKeyPair::generate(signer).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
    let pkcs8 = match algorithm {
        Es256 => ec(&aws::ECDSA_P256_SHA256_FIXED_SIGNING),
        Es384 => ec(&aws::ECDSA_P384_SHA384_FIXED_SIGNING),
        Es512 => ec(&aws::ECDSA_P521_SHA512_FIXED_SIGNING),
        EdDsa | Ed25519 => aws::Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref().to_vec(),
        MlDsa44 => ml(&aws::ML_DSA_44_SIGNING),
        MlDsa65 => ml(&aws::ML_DSA_65_SIGNING),
        MlDsa87 => ml(&aws::ML_DSA_87_SIGNING),
        _ => {
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec()
        }
    };
    PrivateKey::from_pkcs8(&pkcs8).unwrap()
}

/// What RustCrypto says.
fn other_verdict(key: &PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    match key {
        PublicKey::Rsa { modulus, exponent } => {
            let number = |bytes: &[u8]| rsa::BoxedUint::from_be_slice(bytes, 2048).unwrap();
            let key = rsa::PublicKey::new(number(modulus), number(exponent)).unwrap();
            rsa_verdict(key, algorithm, message, signature)
        }
        PublicKey::Ec { point, .. } => match algorithm {
            Es256 => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).unwrap();
                p256::ecdsa::Signature::from_slice(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
            Es384 => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point).unwrap();
                p384::ecdsa::Signature::from_slice(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
            _ => {
                let key = p521::ecdsa::VerifyingKey::from_sec1_bytes(point).unwrap();
                p521::ecdsa::Signature::from_slice(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
            }
        },
        PublicKey::Ed25519(key) => {
            let key = ed25519_dalek::VerifyingKey::from_bytes(key).unwrap();
            ed25519_dalek::Signature::from_slice(signature).is_ok_and(|s| key.verify_strict(message, &s).is_ok())
        }
        PublicKey::MlDsa { key, .. } => match algorithm {
            MlDsa44 => ml_dsa_verdict::<ml_dsa::MlDsa44>(key, message, signature),
            MlDsa65 => ml_dsa_verdict::<ml_dsa::MlDsa65>(key, message, signature),
            _ => ml_dsa_verdict::<ml_dsa::MlDsa87>(key, message, signature),
        },
    }
}

fn rsa_verdict(key: rsa::PublicKey, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
    use rsa::{pkcs1v15, pss};
    let simple = || pkcs1v15::Signature::try_from(signature);
    let salted = || pss::Signature::try_from(signature);
    match algorithm {
        Rs256 => simple().is_ok_and(|s| pkcs1v15::VerifyingKey::<Sha256>::new(key.clone()).verify(message, &s).is_ok()),
        Rs384 => simple().is_ok_and(|s| pkcs1v15::VerifyingKey::<Sha384>::new(key.clone()).verify(message, &s).is_ok()),
        Rs512 => simple().is_ok_and(|s| pkcs1v15::VerifyingKey::<Sha512>::new(key.clone()).verify(message, &s).is_ok()),
        Ps256 => salted().is_ok_and(|s| pss::VerifyingKey::<Sha256>::new(key.clone()).verify(message, &s).is_ok()),
        Ps384 => salted().is_ok_and(|s| pss::VerifyingKey::<Sha384>::new(key.clone()).verify(message, &s).is_ok()),
        _ => salted().is_ok_and(|s| pss::VerifyingKey::<Sha512>::new(key.clone()).verify(message, &s).is_ok()),
    }
}

fn ml_dsa_verdict<P: ml_dsa::MlDsaParams>(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = ml_dsa::VerifyingKey::<P>::decode(&key.try_into().unwrap());
    ml_dsa::Signature::<P>::try_from(signature).is_ok_and(|s| key.verify(message, &s).is_ok())
}

#[test]
fn rustcrypto_comes_to_the_same_verdict_for_every_public_key_algorithm() {
    let families: &[&[Algorithm]] = &[
        &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
        &[Es256],
        &[Es384],
        &[Es512],
        &[EdDsa, Ed25519],
        &[MlDsa44],
        &[MlDsa65],
        &[MlDsa87],
    ];
    let mut judged = 0;
    for family in families {
        let (mine, foreign) = (private(family[0]), private(family[0]));
        let rules = Rules { algorithms: family, strict: false, origin: Origin::File };
        let key = Key::from_public(None, mine.public().clone(), None, &rules).unwrap();
        let mut agree = |algorithm: Algorithm, message: &[u8], signature: &[u8], right: bool, what: &str| {
            let ours = key.verify(algorithm, message, signature);
            let theirs = other_verdict(mine.public(), algorithm, message, signature);
            assert_eq!((ours, theirs), (right, right), "{algorithm:?}: {what}");
            judged += 1;
        };
        for &algorithm in *family {
            for message in [&b""[..], b"e30.e30", &[b'x'; 3000]] {
                let signature = mine.sign(algorithm, message).unwrap();
                agree(algorithm, message, &signature, true, "right");
                agree(algorithm, &[message, b"."].concat(), &signature, false, "another message");
                agree(algorithm, message, &foreign.sign(algorithm, message).unwrap(), false, "another key");
                for at in (0..signature.len()).step_by(signature.len() / 8) {
                    let mut bent = signature.clone();
                    bent[at] ^= 0x10;
                    agree(algorithm, message, &bent, false, "a bit flipped");
                }
                for length in [0, 1, signature.len() - 1] {
                    agree(algorithm, message, &signature[..length], false, "cut");
                }
                agree(algorithm, message, &[&signature[..], &[0]].concat(), false, "lengthened");
                agree(algorithm, message, &vec![0; signature.len()], false, "zeros");
            }
            for &other in family.iter().filter(|other| **other != algorithm && other.family() != EdDsa.family()) {
                agree(other, b"m", &mine.sign(algorithm, b"m").unwrap(), false, "another algorithm of the key");
            }
        }
    }
    assert!(judged > 600, "{judged}");
}

#[test]
fn aws_lc_comes_to_the_same_verdict_for_macs() {
    use aws_lc_rs::hmac;
    let secret: Vec<u8> = (0..64u8).map(|index| index.wrapping_mul(151) ^ (index >> 2).wrapping_mul(89)).collect();
    for (algorithm, other) in [(Hs256, hmac::HMAC_SHA256), (Hs384, hmac::HMAC_SHA384), (Hs512, hmac::HMAC_SHA512)] {
        let key = Key::from_secret(None, &secret, &[algorithm]).unwrap();
        let theirs = hmac::Key::new(other, &secret);
        for length in [0, 1, 63, 64, 65, 127, 128, 129, 5000] {
            let message = vec![0x61; length];
            let tag = hmac::sign(&theirs, &message);
            assert!(key.verify(algorithm, &message, tag.as_ref()));
            let mut bent = tag.as_ref().to_vec();
            bent[length % tag.as_ref().len()] ^= 1;
            let cut = &tag.as_ref()[..tag.as_ref().len() - 1];
            for wrong in [&bent[..], cut, &[], hmac::sign(&hmac::Key::new(other, &secret[1..]), &message).as_ref()] {
                assert!(!key.verify(algorithm, &message, wrong) && hmac::verify(&theirs, &message, wrong).is_err());
            }
        }
    }
}
