//! Tokens that others made: RFC 7515, RFC 7520 and Project Wycheproof, as far as they are MACs.

use std::path::PathBuf;

use super::*;
use crate::crypto::key::{Origin, Rules};

fn read(name: &str) -> String {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let path = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, PathBuf::from).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; set GATEPOST_VECTORS", path.display()))
}

/// RFC 7515 appendix A.1: the signature is right, so what is reported is what the claims lack.
#[test]
fn rfc_7515_example_a_1() {
    if is_absent("rfc_7515_example_a_1") {
        return;
    }
    let rules = Rules { algorithms: &[Hs256], strict: false, origin: Origin::File };
    let keys = KeySet::from_jwks(read("jose_rfc/latchset/rfc7515_A.1.jwk").as_bytes(), &rules).unwrap();
    let sources = vec![SourcedKeys { source: KeySource::Fixed, keys: Some(keys.clone()) }];
    let joe = || Issuer { issuer: "joe".into(), sources: sources.clone(), ..issuer() };
    let token = read("jose_rfc/latchset/rfc7515_A.1.jwsc");
    let token = token.trim_end();
    let at = |token: &str, now| verify(token, &[joe()], now, 0).unwrap_err().reason;
    assert_eq!(at(token, 1_300_819_379), Reason::TokenAudience);
    assert_eq!(at(token, 1_300_819_380), Reason::TokenExpired);
    assert_eq!(at(&token.replace("dBjf", "dBjg"), 1_300_819_379), Reason::TokenSignature);
    let mut room = Room::default();
    let jws = Jws::read(token, &mut room).unwrap();
    assert!(keys.iter().next().unwrap().verify(Hs256, jws.signed, jws.signature));
    let claims = json::Object::read(jws.payload).unwrap();
    assert_eq!(claims.get("http://example.com/is_root").unwrap().boolean(), Some(true));
}

/// RFC 4231, as pyca/cryptography collects it: whole tags, the truncated case left out.
#[test]
fn rfc_4231_tags() {
    if is_absent("rfc_4231_tags") {
        return;
    }
    for (algorithm, file) in [(Hs256, "sha256"), (Hs384, "sha384"), (Hs512, "sha512")] {
        let text = read(&format!("mac/rfc-4231-{file}.txt"));
        let hex = |block: &str, name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            data_encoding::HEXLOWER_PERMISSIVE.decode(line.trim().as_bytes()).unwrap()
        };
        let blocks: Vec<&str> = text.split("\n\n").filter(|block| block.contains("Key = ")).collect();
        assert!(blocks.len() >= 6, "{}", blocks.len());
        for block in blocks {
            let key = Key::unchecked(None, &hex(block, "Key = "), &[algorithm]);
            // A line gives the length of the message in bits.
            let bits: usize = block.lines().find_map(|line| line.strip_prefix("Len = ")).unwrap().parse().unwrap();
            let message = &hex(block, "Msg = ")[..bits / 8];
            let mut tag = hex(block, "MD = ");
            assert!(key.verify(algorithm, message, &tag), "{block}");
            tag[0] ^= 1;
            assert!(!key.verify(algorithm, message, &tag));
        }
    }
}

/// Wycheproof labels these two as valid although a segment holds `?`; four other libraries refuse them too.
const NOT_BASE64URL: [u64; 2] = [372, 373];
/// Labelled as invalid for their padding, but the file has them without it: letter by letter the text of 357, which
/// is valid.
const SAME_AS_357: [u64; 2] = [367, 370];

/// Wycheproof signs texts that are no claims ("foo", "Test"), so the parts are checked as `verify` checks them, up to
/// the signature: form of the parts, header, algorithm, kid, MAC.
#[test]
fn wycheproof_json_web_signature_hs_groups() {
    if is_absent("wycheproof_json_web_signature_hs_groups") {
        return;
    }
    let file: Value = serde_json::from_str(&read("wycheproof/json_web_signature_test.json")).unwrap();
    let (mut accepted, mut refused, mut valid_357) = (0, 0, String::new());
    for group in file["testGroups"].as_array().unwrap() {
        let jwk = group.get("private").or(group.get("public")).unwrap();
        if jwk["kty"] != "oct" {
            continue;
        }
        // Keys of these groups include one of zeros, which no policy could load.
        let secret = BASE64URL_NOPAD.decode(jwk["k"].as_str().unwrap().as_bytes()).unwrap();
        let algorithm = Algorithm::from_name(jwk["alg"].as_str().unwrap()).unwrap();
        let keys = KeySet::new(vec![Key::unchecked(jwk["kid"].as_str(), &secret, &[algorithm])]).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let id = test["tcId"].as_u64().unwrap();
            let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
            if id == 357 {
                valid_357.clone_from(&token);
            }
            if SAME_AS_357.contains(&id) {
                assert_eq!(token, valid_357, "{id} is a case of its own now");
            }
            let expected = (test["result"] == "valid" || SAME_AS_357.contains(&id)) && !NOT_BASE64URL.contains(&id);
            assert_eq!(is_signed(&token, &keys), expected, "{id}: {}", test["comment"]);
            if expected { accepted += 1 } else { refused += 1 }
        }
    }
    assert!(accepted >= 8 && refused >= 25, "{accepted} {refused}");
}

/// The signature check of `verify` over a payload of any text.
fn is_signed(token: &str, keys: &KeySet) -> bool {
    let mut room = Room::default();
    let Ok(jws) = Jws::read(token, &mut room) else { return false };
    let Some(algorithm) = Algorithm::from_name(&jws.header.algorithm) else { return false };
    let Ok(found) = keys.candidates(algorithm, jws.header.kid.as_deref()) else { return false };
    found.iter().any(|key| key.verify(algorithm, jws.signed, jws.signature))
}

/// There is no folder of vectors: said plainly on standard error, past the capture of test output.
fn is_absent(what: &str) -> bool {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors");
    let folder = std::env::var_os("GATEPOST_VECTORS").map_or_else(beside, std::path::PathBuf::from);
    if !folder.exists() {
        let line = format!("NOT RUN: {what}: no {}; set GATEPOST_VECTORS to the vectors\n", folder.display());
        let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
    }
    !folder.exists()
}
