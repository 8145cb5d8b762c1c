//! Each check takes any bytes, returns whether they were accepted, and panics where a promise does not hold: never only
//! "it did not crash". What is accepted is held against serde_json, which reads independently of our own scanner.

use std::path::Path;
use std::sync::OnceLock;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use gatepost::crypto::algorithm::Algorithm;
use gatepost::crypto::key::{Key, KeySet, Origin, Rules};
use gatepost::crypto::private::PrivateKey;
use gatepost::json::{self, Object};
use gatepost::policy::{self, Policy};
use gatepost::target::HttpUri;
use gatepost::token::{self, Clock, Jws, Keyring, Room, Trust, claims, dpop};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

/// When all of it happens, Unix seconds.
pub const NOW: i64 = 1_795_435_200;
/// Seconds.
const LEEWAY: i64 = 30;
const ISSUER: &str = "https://accounts.example.com";
/// Of the issuer; a JWK in the policy could not hold it, so that the keyring gets it by hand.
const SECRET: &[u8] = b"vN3pQ8sXz2LkT7wYb5RdHc9FmJ4gUe6A";
/// The last second of the year 9999.
const LAST: f64 = 253_402_300_799.0;

/// One issuer that signs with a secret.
struct World {
    policy: Policy,
    keys: Keyring,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let public = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let text = format!(
            "[engine]\nleeway = \"{LEEWAY}s\"\n[[issuer]]\nname = \"accounts\"\nissuer = \"{ISSUER}\"\n\
             audience = [\"orders\"]\nalgorithms = [\"EdDSA\"]\nkeys = {{ inline = '{public}' }}\n\
             claims = {{ subject = \"sub\", roles = \"roles\", scopes = \"scope\" }}\n"
        );
        let mut policy = policy::parse(&text, Path::new("p.toml"), Path::new("."))
            .unwrap_or_else(|problems| panic!("{}", policy::diagnostic::render(&problems, &text, false)))
            .policy;
        // Policies take secrets from files alone, which a fuzzer has none of.
        policy.issuers[0].algorithms = vec![Algorithm::Hs256];
        let key = Key::from_secret(None, SECRET, &[Algorithm::Hs256]).unwrap();
        policy.issuers[0].sources[0].keys = Some(KeySet::new(vec![key]).unwrap());
        let keys = Keyring::new(&policy.issuers);
        World { policy, keys }
    })
}

/// Two texts with a line break between them, which JSON can do without: header and claims.
fn two_texts(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == b'\n')?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

fn message(header: &[u8], claims: &[u8]) -> String {
    format!("{}.{}", BASE64URL_NOPAD.encode(header), BASE64URL_NOPAD.encode(claims))
}

/// What serde_json makes of a text that we accept.
fn read(bytes: &[u8]) -> Map<String, Value> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => map,
        other => panic!("accepted, and serde_json says {other:?}"),
    }
}

/// A token as it is, or two lines, header and claims, that are signed first: a fuzzer finds no MAC.
pub fn token(bytes: &[u8]) -> bool {
    let world = world();
    let trust = Trust { issuers: &world.policy.issuers, keys: &world.keys, leeway: LEEWAY };
    let token = match two_texts(bytes) {
        Some((header, claims)) => {
            let message = message(header, claims);
            let tag = Hmac::<Sha256>::new_from_slice(SECRET).unwrap().chain_update(&message).finalize().into_bytes();
            format!("{message}.{}", BASE64URL_NOPAD.encode(&tag))
        }
        None => match std::str::from_utf8(bytes) {
            Ok(token) => token.to_owned(),
            Err(_) => return false,
        },
    };
    spelled_once(&token);
    let Ok(verified) = token::verify(&token, &trust, NOW) else { return false };
    let parts: Vec<Vec<u8>> = token.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).collect();
    assert_eq!(parts.len(), 3, "{token}");
    let (header, says) = (read(&parts[0]), read(&parts[1]));
    assert_eq!(header.get("alg"), Some(&Value::from("HS256")), "{header:?}");
    assert!(!header.contains_key("crit") && !header.contains_key("b64"), "{header:?}");
    assert_eq!(tree(&verified.claims), says);
    assert_eq!(says.get("iss"), Some(&Value::from(ISSUER)));
    assert_eq!(says.get("sub").and_then(Value::as_str), Some(&*verified.subject()));
    assert!(is_good(&says), "{says:?}");
    // The same bytes and the next second: nothing is kept, and time goes one way.
    assert!(token::verify(&token, &trust, NOW).is_ok());
    assert!(token::verify(&token, &trust, verified.expires_at() + LEEWAY + 1).is_err());
    // No other secret.
    let signed = token.rsplit_once('.').unwrap().0;
    assert!(token::verify(&format!("{signed}.{}", "A".repeat(43)), &trust, NOW).is_err());
    true
}

/// What is taken apart can be put together again in one way only: there is no second spelling.
fn spelled_once(token: &str) {
    let mut room = Room::default();
    if let Ok(jws) = Jws::read(token, &mut room) {
        let again = message(jws.header.text().as_bytes(), &jws.payload);
        assert_eq!(again.as_bytes(), jws.signed);
        assert_eq!(format!("{again}.{}", BASE64URL_NOPAD.encode(jws.signature)), token);
        let header = read(jws.header.text().as_bytes());
        assert_eq!(header.get("alg").and_then(Value::as_str), Some(&*jws.header.algorithm));
        assert_eq!(header.get("kid").and_then(Value::as_str), jws.header.kid.as_deref());
        assert_eq!(header.get("typ").and_then(Value::as_str), jws.header.kind.as_deref());
    }
}

fn tree(object: &Object) -> Map<String, Value> {
    object.members().map(|(name, value)| (name.into_owned(), value.value())).collect()
}

/// Claims of a proved token: our verdict is that of a second reading, written down here once more.
pub fn claims(bytes: &[u8]) -> bool {
    let issuer = &world().policy.issuers[0];
    let Ok(object) = Object::read(bytes.to_vec()) else { return false };
    let says = read(bytes);
    assert_eq!(tree(&object), says);
    let accepted = claims::check(&object, Some("JWT"), issuer, Clock { now: NOW, leeway: LEEWAY }).is_ok();
    assert_eq!(accepted, is_good(&says), "{says:?}");
    accepted
}

/// Whether the claims are those of a good token; `iss` aside, which is looked at before.
fn is_good(says: &Map<String, Value>) -> bool {
    let time = |name: &str| match says.get(name) {
        None => Some(None),
        Some(value) => value.as_f64().filter(|seconds| (0.0..=LAST).contains(seconds)).map(Some),
    };
    let before = |name: &str| time(name).is_some_and(|start| start.is_none_or(|start| start <= (NOW + LEEWAY) as f64));
    let absent_or = |name: &str, holds: fn(&Value) -> bool| says.get(name).is_none_or(holds);
    let plain = |value: &Value| value.as_str().is_some_and(|text| !text.chars().any(char::is_control));
    let strings = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
    let audience = match says.get("aud") {
        Some(Value::String(one)) => one == "orders",
        Some(value) => strings(value) && value.as_array().unwrap().iter().any(|one| one == "orders"),
        None => false,
    };
    let names = |value: &Value| match value {
        Value::Array(items) => items.iter().all(plain),
        one => plain(one),
    };
    time("exp").flatten().is_some_and(|exp| exp > (NOW - LEEWAY) as f64)
        && before("nbf")
        && before("iat")
        && time("auth_time").is_some()
        && audience
        && says.get("sub").is_some_and(|sub| plain(sub) && sub != "")
        && absent_or("jti", Value::is_string)
        && absent_or("sid", Value::is_string)
        && says.get("roles").is_none_or(names)
        && says.get("scope").is_none_or(names)
        && says.get("amr").is_none_or(|amr| amr.as_array().is_some_and(|items| items.iter().all(plain)))
        && says.get("cnf").is_none_or(is_confirmation)
}

/// `cnf` with methods of the right form; whether anybody can prove them is asked later.
fn is_confirmation(cnf: &Value) -> bool {
    let digest = |value: &Value| {
        let octets = value.as_str().and_then(|text| BASE64URL_NOPAD.decode(text.as_bytes()).ok());
        octets.is_some_and(|octets| octets.len() == 32)
    };
    cnf.as_object().is_some_and(|methods| ["x5t#S256", "jkt"].iter().all(|name| methods.get(*name).is_none_or(digest)))
}

/// The two readers of JSON accept the same, and read it as serde_json does.
pub fn json(bytes: &[u8]) -> bool {
    let (scanned, tree_of) = (Object::read(bytes.to_vec()), json::object(bytes));
    if bytes.len() <= json::scan::LONGEST {
        assert_eq!(scanned.is_ok(), tree_of.is_ok(), "{scanned:?} {tree_of:?}");
    }
    if let Ok(map) = &tree_of {
        assert_eq!(*map, read(bytes));
        // Written and read again, nothing is lost.
        assert_eq!(json::object(&serde_json::to_vec(map).unwrap()).as_ref(), Ok(map));
    }
    match scanned {
        Ok(object) => {
            assert_eq!(tree(&object), read(bytes));
            for (name, value) in object.members() {
                assert_eq!(object.get(&name), Some(value));
                assert_eq!(object.at(object.place(value)), value);
            }
            true
        }
        Err(_) => tree_of.is_ok(),
    }
}

/// Keys of a JWK or JWK Set, from each origin.
pub fn jwk(bytes: &[u8]) -> bool {
    let mut accepted = false;
    for origin in [Origin::File, Origin::Inline, Origin::Remote] {
        for strict in [false, true] {
            let rules = Rules { algorithms: Algorithm::ALL, strict, origin };
            let Ok(keys) = KeySet::from_jwks(bytes, &rules) else { continue };
            // Of a published set single keys are left out, so that it says nothing of the others.
            accepted |= origin != Origin::Remote;
            read(bytes);
            assert!(
                origin == Origin::File || keys.iter().all(|key| key.public().is_some()),
                "a secret from {origin:?}"
            );
            // What is refused as a whole in a file is not accepted here by another road.
            assert!(!strict || KeySet::from_jwks(bytes, &Rules { strict: false, ..rules }).is_ok());
            keys.iter().for_each(|key| sound(key, &rules));
        }
    }
    accepted
}

/// A key that was taken in: it is for algorithms that fit it, and has one spelling.
fn sound(key: &Key, rules: &Rules<'_>) {
    assert!(!key.algorithms().is_empty());
    let message = b"message";
    for algorithm in Algorithm::ALL {
        // Signatures of nothing are never right.
        for length in [0, 1, algorithm.signature_length().unwrap_or(256)] {
            assert!(!key.verify(*algorithm, message, &vec![0; length]), "{algorithm:?} {length}");
        }
    }
    let Some(public) = key.public() else {
        assert!(key.algorithms().iter().all(|algorithm| algorithm.is_symmetric()));
        return;
    };
    assert!(key.algorithms().iter().all(|algorithm| !algorithm.is_symmetric() && public.fits(*algorithm)));
    let again = Key::from_jwk(&public.to_jwk(), &Rules { origin: Origin::Remote, ..*rules }).unwrap();
    assert_eq!(again.public(), Some(public));
    assert_eq!(again.public().unwrap().thumbprint(), public.thumbprint());
}

/// Keys in PEM.
pub fn pem(bytes: &[u8]) -> bool {
    let mut accepted = false;
    for origin in [Origin::File, Origin::Inline] {
        let rules = Rules { algorithms: Algorithm::ALL, strict: false, origin };
        let Ok(keys) = KeySet::from_pem(bytes, None, &rules) else { continue };
        accepted = true;
        assert!(!keys.is_empty());
        for key in keys.iter() {
            assert!(key.public().is_some(), "a secret in PEM");
            sound(key, &rules);
        }
        if let Ok(private) = gatepost::crypto::pem::private_key(bytes) {
            assert_eq!(origin, Origin::File, "a private key where everybody can read it");
            assert_eq!(keys.iter().next().and_then(Key::public), Some(private.public()));
        }
    }
    accepted
}

/// RFC 8032 section 7.1, the third pair, as PKCS#8.
fn holder() -> &'static PrivateKey {
    static HOLDER: OnceLock<PrivateKey> = OnceLock::new();
    HOLDER.get_or_init(|| {
        let seed = "302e020100300506032b657004220420c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
        PrivateKey::from_pkcs8(&HEXLOWER.decode(seed.as_bytes()).unwrap()).unwrap()
    })
}

/// A proof of possession as it is, or two lines, header and claims, that the holder of the key signs first.
pub fn dpop(bytes: &[u8]) -> bool {
    let proof = match two_texts(bytes) {
        Some((header, claims)) => {
            let message = message(header, claims);
            let signature = holder().sign(Algorithm::EdDsa, message.as_bytes()).unwrap();
            format!("{message}.{}", BASE64URL_NOPAD.encode(&signature))
        }
        None => match std::str::from_utf8(bytes) {
            Ok(proof) => proof.to_owned(),
            Err(_) => return false,
        },
    };
    let uri = HttpUri::parse("https://orders.example.com/orders/7").unwrap();
    let key = holder().public().thumbprint();
    let clock = Clock { now: NOW, leeway: LEEWAY };
    let expected =
        dpop::Expected { method: "GET", uri: &uri, token: b"token", key: &key, strict: false, clock, nonces: None };
    let Ok(proved) = dpop::check(&proof, &expected) else { return false };
    let parts: Vec<Vec<u8>> = proof.split('.').map(|part| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).collect();
    let (header, says) = (read(&parts[0]), read(&parts[1]));
    assert_eq!(header.get("typ"), Some(&Value::from("dpop+jwt")));
    let jwk = header.get("jwk").and_then(Value::as_object).unwrap();
    assert!(!jwk.contains_key("d") && !jwk.contains_key("k"), "a private key in a proof");
    assert_eq!((says.get("htm"), says.get("jti")), (Some(&Value::from("GET")), Some(&Value::from(proved.id.as_str()))));
    let iat = says.get("iat").and_then(Value::as_f64).unwrap();
    assert!((iat - NOW as f64).abs() <= (dpop::AGE + LEEWAY) as f64, "{iat}");
    // For nothing else than this request.
    for other in [
        dpop::Expected { method: "POST", ..expected },
        dpop::Expected { token: b"token2", ..expected },
        dpop::Expected { key: &[7; 32], ..expected },
        dpop::Expected { uri: &HttpUri::parse("https://orders.example.com/orders/8").unwrap(), ..expected },
        dpop::Expected { clock: Clock { now: NOW + 1_000, leeway: LEEWAY }, ..expected },
    ] {
        assert!(dpop::check(&proof, &other).is_err(), "{other:?}");
    }
    true
}
