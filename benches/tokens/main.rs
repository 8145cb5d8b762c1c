//! Makes the tokens of `benches/tokens.sh`, and measures the bare primitives and the crate `jsonwebtoken`:
//! `tokens prepare FOLDER` writes keys, policies and tokens; `tokens measure FOLDER` prints "name algorithm nanoseconds"
//! lines. Without `--bench` (as `cargo test --all-targets` runs it) each is tried once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self as aws, ParsedPublicKey, VerificationAlgorithm};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use gatepost::crypto::algorithm::{Algorithm, Family};
use gatepost::crypto::key::PublicKey;
use gatepost::crypto::private::PrivateKey;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::json;
use sha2::{Sha256, Sha384, Sha512};

const ISSUER: &str = "https://accounts.example.com";
/// Seconds for each number.
const ROUND: f64 = 0.2;

/// All that a policy can name, each signature once: Ed25519 is another name of EdDSA.
fn algorithms() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.iter().copied().filter(|algorithm| *algorithm != Algorithm::Ed25519)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["measure", folder] => measure(Path::new(folder), ROUND),
        _ => {
            let folder = tempfile::tempdir().unwrap();
            prepare(folder.path());
            measure(folder.path(), 0.0);
        }
    }
}

/// A shared secret in NAME.key; a private key in NAME.private.pem, its public half in NAME.jwk and, where OpenSSL knows
/// its kind, in NAME.pem.
fn make_key(folder: &Path, algorithm: Algorithm) {
    let name = algorithm.name();
    if algorithm.family() == Family::Hmac {
        let mut secret = vec![0; algorithm.least_secret()];
        aws_lc_rs::rand::fill(&mut secret).unwrap();
        fs::write(folder.join(format!("{name}.key")), secret).unwrap();
        return;
    }
    let der = private_key(algorithm);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64.encode(&der));
    fs::write(folder.join(format!("{name}.private.pem")), pem).unwrap();
    let jwk = PrivateKey::from_pkcs8(&der).unwrap().public().to_jwk();
    fs::write(folder.join(format!("{name}.jwks.json")), json!({ "keys": [jwk] }).to_string()).unwrap();
    if algorithm.family() != Family::MlDsa {
        let (from, to) = (format!("{name}.private.pem"), format!("{name}.pem"));
        let mut openssl = Command::new("openssl");
        openssl.args(["pkey", "-in", &from, "-pubout", "-out", &to]).current_dir(folder);
        assert!(openssl.status().unwrap().success(), "openssl reads no key for {name}");
    }
}

/// Fresh, as PKCS#8.
fn private_key(algorithm: Algorithm) -> Vec<u8> {
    let random = SystemRandom::new();
    let ec = |signer| aws::EcdsaKeyPair::generate_pkcs8(signer, &random).unwrap().as_ref().to_vec();
    let ml = |signer| aws::PqdsaKeyPair::generate(signer).unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
    match algorithm {
        Algorithm::Es256 => ec(&aws::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => ec(&aws::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => ec(&aws::ECDSA_P521_SHA512_FIXED_SIGNING),
        // The first version of PKCS#8: OpenSSL 3.0 reads no other.
        Algorithm::EdDsa => aws::Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec(),
        Algorithm::MlDsa44 => ml(&aws::ML_DSA_44_SIGNING),
        Algorithm::MlDsa65 => ml(&aws::ML_DSA_65_SIGNING),
        Algorithm::MlDsa87 => ml(&aws::ML_DSA_87_SIGNING),
        _ => {
            let pair = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
            AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref().to_vec()
        }
    }
}

fn prepare(folder: &Path) {
    let mut issuers = String::new();
    for algorithm in algorithms() {
        let name = algorithm.name();
        make_key(folder, algorithm);
        let keys = if algorithm.is_symmetric() {
            format!(r#"secret_file = "{name}.key", encoding = "raw""#)
        } else {
            format!(r#"file = "{name}.jwks.json""#)
        };
        issuers += &format!(
            "[[issuer]]\nname = \"{name}\"\nissuer = \"{ISSUER}/{name}\"\naudience = [\"orders\"]\n\
             algorithms = [\"{name}\"]\nkeys = {{ {keys} }}\nclaims = {{ subject = \"sub\", roles = \"roles\" }}\n"
        );
        fs::write(folder.join(format!("{name}.token")), token(folder, algorithm)).unwrap();
    }
    let rest = "[[role]]\nname = \"clerk\"\npermissions = [\"orders:read\"]\n\
                [identity]\nissuer = \"X-Auth-Issuer\"\nsubject = \"X-Auth-Subject\"\nroles = \"X-Auth-Roles\"\n\
                [[route]]\npath = \"/orders/{id}\"\nmethods = [\"GET\"]\nschemes = [\"bearer\"]\n\
                require = { permission = \"orders:read\" }\n";
    for (file, cache) in [("cold.toml", "token_cache_kib = 0\n"), ("cached.toml", "")] {
        let head = format!("[engine]\nname = \"Orders\"\nstate = \":memory:\"\n{cache}");
        fs::write(folder.join(file), format!("{head}{issuers}{rest}")).unwrap();
    }
}

/// Ten claims; what is signed has about 700 octets.
fn token(folder: &Path, algorithm: Algorithm) -> String {
    let name = algorithm.name();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = format!(r#"{{"alg":"{name}","typ":"JWT"}}"#);
    let claims = format!(
        r#"{{"iss":"{ISSUER}/{name}","aud":"orders","sub":"248289761001","roles":["clerk"],"iat":{now},"nbf":{now},"exp":{},"jti":"0d5b8a1e-7a4f-4a55-9a57-3d1f3a8f5b61","client_id":"s6BhdRkqt3","scope":"openid profile email orders:read orders:write reports:read","name":"Jane Doe","email":"janedoe@example.com","org":"{}"}}"#,
        now + 36_000,
        "department of long names and even longer descriptions, ".repeat(2)
    );
    let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()));
    let signature = match algorithm {
        Algorithm::Hs256 => mac::<Hmac<Sha256>>(folder, name).chain_update(&signed).finalize().into_bytes().to_vec(),
        Algorithm::Hs384 => mac::<Hmac<Sha384>>(folder, name).chain_update(&signed).finalize().into_bytes().to_vec(),
        Algorithm::Hs512 => mac::<Hmac<Sha512>>(folder, name).chain_update(&signed).finalize().into_bytes().to_vec(),
        _ => private(folder, name).sign(algorithm, signed.as_bytes()).unwrap(),
    };
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn mac<M: KeyInit>(folder: &Path, name: &str) -> M {
    M::new_from_slice(&fs::read(folder.join(format!("{name}.key"))).unwrap()).unwrap()
}

fn private(folder: &Path, name: &str) -> PrivateKey {
    PrivateKey::from_pkcs8(&pem(folder, &format!("{name}.private.pem"))).unwrap()
}

fn pem(folder: &Path, file: &str) -> Vec<u8> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let inside: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(inside.as_bytes()).unwrap()
}

fn measure(folder: &Path, seconds: f64) {
    for algorithm in algorithms() {
        let name = algorithm.name();
        let token = fs::read_to_string(folder.join(format!("{name}.token"))).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let bare = primitive(folder, algorithm);
        let nanoseconds = time(seconds, || assert!(bare(black_box(signed.as_bytes()), black_box(&signature))));
        println!("primitive {name} {nanoseconds:.0}");

        // It knows neither ES512 nor ML-DSA.
        let Ok(known) = name.parse() else { continue };
        let key = if algorithm.is_symmetric() {
            DecodingKey::from_secret(&fs::read(folder.join(format!("{name}.key"))).unwrap())
        } else {
            let jwk = private(folder, name).public().to_jwk();
            DecodingKey::from_jwk(&serde_json::from_value(jwk.into()).unwrap()).unwrap()
        };
        let mut validation = Validation::new(known);
        validation.set_audience(&["orders"]);
        validation.set_issuer(&[format!("{ISSUER}/{name}")]);
        validation.validate_nbf = true;
        let nanoseconds = time(seconds, || {
            jsonwebtoken::decode::<serde_json::Value>(black_box(&token), &key, &validation).unwrap();
        });
        println!("jsonwebtoken {name} {nanoseconds:.0}");
    }
}

/// Verifies what was signed, with the key prepared.
type Verify = Box<dyn Fn(&[u8], &[u8]) -> bool>;

fn primitive(folder: &Path, algorithm: Algorithm) -> Verify {
    fn shared<M: Mac + KeyInit + Clone + 'static>(folder: &Path, algorithm: Algorithm) -> Verify {
        let key: M = mac(folder, algorithm.name());
        Box::new(move |signed, tag| key.clone().chain_update(signed).verify_slice(tag).is_ok())
    }
    let verifier: &'static dyn VerificationAlgorithm = match algorithm {
        Algorithm::Hs256 => return shared::<Hmac<Sha256>>(folder, algorithm),
        Algorithm::Hs384 => return shared::<Hmac<Sha384>>(folder, algorithm),
        Algorithm::Hs512 => return shared::<Hmac<Sha512>>(folder, algorithm),
        Algorithm::Rs256 => &aws::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &aws::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &aws::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &aws::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &aws::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &aws::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 => &aws::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &aws::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &aws::ECDSA_P521_SHA512_FIXED,
        Algorithm::MlDsa44 => &aws::ML_DSA_44,
        Algorithm::MlDsa65 => &aws::ML_DSA_65,
        Algorithm::MlDsa87 => &aws::ML_DSA_87,
        _ => &aws::ED25519,
    };
    let public = match private(folder, algorithm.name()).public() {
        PublicKey::Rsa { .. } => pem(folder, &format!("{}.pem", algorithm.name())),
        PublicKey::Ec { point: key, .. } | PublicKey::MlDsa { key, .. } => key.clone(),
        PublicKey::Ed25519(key) => key.to_vec(),
    };
    let key = ParsedPublicKey::new(verifier, public).unwrap();
    Box::new(move |signed, signature| key.verify_sig(signed, signature).is_ok())
}

/// Nanoseconds of one call: the median of eleven rounds.
fn time(seconds: f64, mut work: impl FnMut()) -> f64 {
    work();
    let mut rounds: Vec<f64> = (0..11)
        .map(|_| {
            let (begun, mut count) = (Instant::now(), 0_u32);
            loop {
                for _ in 0..16 {
                    work();
                }
                count += 16;
                let passed = begun.elapsed().as_secs_f64();
                if passed >= seconds / 11.0 {
                    return passed * 1e9 / f64::from(count);
                }
            }
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
