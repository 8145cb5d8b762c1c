//! Makes the tokens of `benches/tokens.sh`, and measures the bare primitives and the crate `jsonwebtoken`:
//! `tokens prepare FOLDER`, with the private keys in it, writes policies and tokens; `tokens measure FOLDER` prints
//! "name algorithm nanoseconds" lines. Without `--bench` (as `cargo test --all-targets` runs it) each is tried once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, VerificationAlgorithm,
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use gatepost::crypto::algorithm::Algorithm;
use gatepost::crypto::private::PrivateKey;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{DecodingKey, Validation};
use sha2::Sha256;

const ISSUER: &str = "https://accounts.example.com";
const ALGORITHMS: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];
/// Seconds for each number.
const ROUND: f64 = 0.2;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["prepare", folder] => prepare(Path::new(folder)),
        ["measure", folder] => measure(Path::new(folder), ROUND),
        _ => {
            let folder = tempfile::tempdir().unwrap();
            make_keys(folder.path());
            prepare(folder.path());
            measure(folder.path(), 0.0);
        }
    }
}

/// The keys that the script makes before it calls `prepare`.
fn make_keys(folder: &Path) {
    let openssl = |arguments: &[&str]| {
        assert!(Command::new("openssl").args(arguments).current_dir(folder).output().unwrap().status.success());
    };
    fs::write(folder.join("HS256.key"), [0x5A; 32].map(|byte: u8| byte ^ 0x33)).unwrap();
    openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", "RS256.private.pem"]);
    openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "ES256.private.pem"]);
    openssl(&["genpkey", "-algorithm", "ED25519", "-out", "EdDSA.private.pem"]);
    for name in ["RS256", "ES256", "EdDSA"] {
        openssl(&["pkey", "-in", &format!("{name}.private.pem"), "-pubout", "-out", &format!("{name}.pem")]);
    }
}

fn prepare(folder: &Path) {
    let mut issuers = String::new();
    for name in ALGORITHMS {
        let keys = if name == "HS256" {
            r#"secret_file = "HS256.key", encoding = "raw""#.to_owned()
        } else {
            format!(r#"file = "{name}.pem""#)
        };
        issuers += &format!(
            "[[issuer]]\nname = \"{name}\"\nissuer = \"{ISSUER}/{name}\"\naudience = [\"orders\"]\n\
             algorithms = [\"{name}\"]\nkeys = {{ {keys} }}\nclaims = {{ subject = \"sub\", roles = \"roles\" }}\n"
        );
        fs::write(folder.join(format!("{name}.token")), token(folder, name)).unwrap();
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
fn token(folder: &Path, name: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let header = format!(r#"{{"alg":"{name}","typ":"JWT"}}"#);
    let claims = format!(
        r#"{{"iss":"{ISSUER}/{name}","aud":"orders","sub":"248289761001","roles":["clerk"],"iat":{now},"nbf":{now},"exp":{},"jti":"0d5b8a1e-7a4f-4a55-9a57-3d1f3a8f5b61","client_id":"s6BhdRkqt3","scope":"openid profile email orders:read orders:write reports:read","name":"Jane Doe","email":"janedoe@example.com","org":"{}"}}"#,
        now + 36_000,
        "department of long names and even longer descriptions, ".repeat(2)
    );
    let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()));
    let signature = if name == "HS256" {
        mac(folder).chain_update(signed.as_bytes()).finalize().into_bytes().to_vec()
    } else {
        let key = PrivateKey::from_pkcs8(&pem(folder, &format!("{name}.private.pem"))).unwrap();
        key.sign(Algorithm::from_name(name).unwrap(), signed.as_bytes()).unwrap()
    };
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
}

fn mac(folder: &Path) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(&fs::read(folder.join("HS256.key")).unwrap()).unwrap()
}

fn pem(folder: &Path, file: &str) -> Vec<u8> {
    let text = fs::read_to_string(folder.join(file)).unwrap();
    let inside: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    BASE64.decode(inside.as_bytes()).unwrap()
}

fn measure(folder: &Path, seconds: f64) {
    for name in ALGORITHMS {
        let token = fs::read_to_string(folder.join(format!("{name}.token"))).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
        let bare = primitive(folder, name);
        let nanoseconds = time(seconds, || assert!(bare(black_box(signed.as_bytes()), black_box(&signature))));
        println!("primitive {name} {nanoseconds:.0}");

        let key = match name {
            "HS256" => DecodingKey::from_secret(&fs::read(folder.join("HS256.key")).unwrap()),
            _ => {
                let private = PrivateKey::from_pkcs8(&pem(folder, &format!("{name}.private.pem"))).unwrap();
                DecodingKey::from_jwk(&serde_json::from_value(private.public().to_jwk().into()).unwrap()).unwrap()
            }
        };
        let mut validation = Validation::new(name.parse().unwrap());
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

fn primitive(folder: &Path, name: &str) -> Verify {
    let algorithm: &'static dyn VerificationAlgorithm = match name {
        "HS256" => {
            let key = mac(folder);
            return Box::new(move |signed, tag| key.clone().chain_update(signed).verify_slice(tag).is_ok());
        }
        "RS256" => &RSA_PKCS1_2048_8192_SHA256,
        "ES256" => &ECDSA_P256_SHA256_FIXED,
        _ => &ED25519,
    };
    let key = ParsedPublicKey::new(algorithm, pem(folder, &format!("{name}.pem"))).unwrap();
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
