//! JWKs and sets of them: what is a key, what is left out, and what is refused.

use super::*;
use Algorithm::{Es256, Hs256, Hs384, Hs512};
use proptest::prelude::*;

const K: &str = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";
const LONG: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

type Loaded = Vec<(Option<String>, Vec<Algorithm>)>;

fn set(json: &str, algorithms: &[Algorithm]) -> Result<Loaded, String> {
    let rules = Rules { algorithms, strict: false, origin: Origin::File };
    let keys = KeySet::from_jwks(json.as_bytes(), &rules).map_err(|e| e.0)?;
    Ok(keys.iter().map(|key| (key.kid.clone(), key.algorithms().to_vec())).collect())
}

fn oct(members: &str) -> String {
    format!(r#"{{"kty":"oct","k":"{K}"{members}}}"#)
}

#[test]
fn a_keys_alg_fixes_its_algorithm_and_without_one_the_list_does() {
    let json =
        format!(r#"{{"keys":[{{"kty":"oct","kid":"a","alg":"HS512","k":"{LONG}"}},{{"kty":"oct","k":"{LONG}"}}]}}"#);
    let all = [Hs256, Hs384, Hs512];
    assert_eq!(set(&json, &all).unwrap(), [(Some("a".into()), vec![Hs512]), (None, all.to_vec())]);
    assert_eq!(set(&json, &[Hs256]).unwrap(), [(None, vec![Hs256])]);
    assert_eq!(set(&oct(""), &[Hs256, Es256]).unwrap(), [(None, vec![Hs256])], "one JWK alone");
}

#[test]
fn a_secret_that_is_too_short_for_a_listed_algorithm_is_an_error() {
    assert!(set(&oct(""), &[Hs256, Hs512]).unwrap_err().contains("HS512 needs at least 64"));
    assert!(set(&oct(r#","alg":"HS256""#), &[Hs256, Hs512]).is_ok());
    assert!(set(r#"{"kty":"oct","k":""}"#, &[Hs256]).unwrap_err().contains("empty"));
}

#[test]
fn keys_for_other_uses_types_and_algorithms_are_no_candidates() {
    for (members, why) in [
        (r#","use":"enc""#, "use"),
        (r#","key_ops":["sign"]"#, "key_ops"),
        (r#","key_ops":["sign, verify"]"#, "key_ops"),
        (r#","key_ops":[]"#, "key_ops"),
        (r#","alg":"A256KW""#, "A256KW"),
        (r#","alg":"RS256""#, "RS256"),
        (r#","alg":"none""#, "none"),
        (r#","alg":"hs256""#, "hs256"),
        (r#","alg":"HS384""#, "HS384"),
    ] {
        let error = set(&oct(members), &[Hs256]).unwrap_err();
        assert!(error.contains("no key of the set can verify HS256") && error.contains(why), "{error}");
        let both = format!(r#"{{"keys":[{},{}]}}"#, oct(members), oct(r#","kid":"good""#));
        assert_eq!(set(&both, &[Hs256]).unwrap(), [(Some("good".into()), vec![Hs256])]);
    }
    assert!(set(&oct(r#","use":"sig","key_ops":["sign","verify"],"alg":"HS256""#), &[Hs256]).is_ok());
    let mixed = format!(r#"{{"keys":[{},{{"kty":"RSA","n":"AQAB","e":"AQAB"}}]}}"#, oct(""));
    assert!(set(&mixed, &[Hs256]).unwrap_err().contains("mixes"));
    let unknown = format!(r#"{{"keys":[{},{{"kty":"new"}}]}}"#, oct(""));
    assert_eq!(set(&unknown, &[Hs256]).unwrap().len(), 1, "RFC 7517 section 5: a type that is not known is left out");
    assert!(set(r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#, &[Hs256]).unwrap_err().contains("RSA"));
    assert!(set(&oct(""), &[Es256]).unwrap_err().contains("only for HS256"));
}

/// CVE-2026-44699: an RSA key without `alg` came to stand for an HMAC key of no bytes.
#[test]
fn no_other_key_type_becomes_an_hmac_key() {
    for kty in ["RSA", "EC", "OKP", "AKP", "OCT", "Oct", "oct ", ""] {
        for alg in ["", r#","alg":"HS256""#, r#","alg":"HS384""#, r#","alg":"HS512""#] {
            let json = format!(r#"{{"keys":[{{"kty":"{kty}","k":"{LONG}","n":"AQAB","e":"AQAB"{alg}}}]}}"#);
            assert!(set(&json, &[Hs256, Hs384, Hs512]).is_err(), "{json}");
        }
    }
}

#[test]
fn duplicate_kids_and_duplicate_members_are_refused() {
    let twice = format!(r#"{{"keys":[{},{}]}}"#, oct(r#","kid":"a""#), oct(r#","kid":"\u0061""#));
    assert!(set(&twice, &[Hs256]).unwrap_err().contains("kid \"a\" stands there twice"));
    assert!(set(&oct(r#","\u006b":"AAAA""#), &[Hs256]).unwrap_err().contains("twice"));
    let sets = format!(r#"{{"keys":[{}],"keys":[]}}"#, oct(""));
    assert!(set(&sets, &[Hs256]).unwrap_err().contains("twice"));
}

#[test]
fn malformed_sets_are_refused_and_no_error_shows_a_secret() {
    for json in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[]}"#,
        r#"{"keys":[1]}"#,
        r#"{"keys":[{}]}"#,
        r#"{"kty":"oct"}"#,
        r#"{"kty":1}"#,
        r#"{"kty":"oct","k":1}"#,
        r#"{"kty":"oct","k":null}"#,
        r#"{"kty":"oct","k":"AAA="}"#,
        r#"{"kty":"oct","k":"AAB"}"#,
    ] {
        assert!(set(json, &[Hs256]).is_err(), "{json}");
    }
    for members in [
        r#","kid":1"#,
        r#","kid":null"#,
        r#","alg":1"#,
        r#","alg":null"#,
        r#","use":1"#,
        r#","key_ops":"verify""#,
        r#","key_ops":[1]"#,
    ] {
        let error = set(&oct(members), &[Hs256]).unwrap_err();
        assert!(!error.contains(K), "{error}");
    }
    let padded = set(&format!(r#"{{"kty":"oct","k":"{K}="}}"#), &[Hs256]).unwrap_err();
    assert!(padded.contains("base64url") && !padded.contains(K));
}

/// A key of P-256 that nobody has the private half of any more.
const EC: &str = r#""kty":"EC","crv":"P-256","x":"_1lFhKEPIxQ4TTN4ilJr4JngywiUetU1KHERzec5-Jg","y":"f_PeOqdBCp0B9hUIfkZJfTlpuFw_6jODBe1zIaelEAM""#;

/// Another one.
const OTHER_EC: &str = r#""kty":"EC","crv":"P-256","x":"aBr6Z0QhTqMU8pgAvkeUJX49wQoXk65pKM_LHXKqLpA","y":"GfsKZvrkfE2WTfFTuDgrOnHL0nU7m67lwlZoL5T_Q_U""#;

/// y = 2, which has no x.
const NO_POINT: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#;

fn remote(json: &str) -> Result<KeySet, String> {
    let rules =
        Rules { algorithms: &[Es256, Algorithm::Rs256, Algorithm::EdDsa], strict: false, origin: Origin::Remote };
    KeySet::from_jwks(json.as_bytes(), &rules).map_err(|error| error.0)
}

/// One key that cannot be used must not take those beside it, where others publish the set.
#[test]
fn of_a_published_set_what_cannot_be_used_is_left_out() {
    for bad in [
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#.to_owned(),
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.into(),
        r#"{"kty":"new","kid":7}"#.replace("7", "\"n\""),
        format!(r#"{{{EC},"kid":"lost","d":"AA"}}"#),
        format!(r#"{{{EC},"alg":"ES384"}}"#),
        format!(r#"{{{EC},"key_ops":7}}"#),
        format!(r#"{{{EC},"key_ops":["verify",1]}}"#),
        oct(""),
        oct(r#","kid":"good""#),
        "7".into(),
        "null".into(),
        format!(r#"{{{EC},"kid":7}}"#),
        format!(r#"{{{EC},"kid":"good","use":"enc"}}"#),
        r#"{"kty":"new","kid":"good"}"#.into(),
        NO_POINT.into(),
    ] {
        let set =
            remote(&format!(r#"{{"keys":[{bad},{{{EC},"kid":"good"}}]}}"#)).unwrap_or_else(|e| panic!("{bad}: {e}"));
        let kids: Vec<_> = set.iter().map(|key| key.kid.as_deref()).collect();
        assert_eq!(kids, [Some("good")], "{bad}");
        assert!(remote(&format!(r#"{{"keys":[{bad}]}}"#)).is_err(), "{bad}");
    }
    assert!(remote(&oct("")).unwrap_err().contains("where everybody can read it"));
    // What is not even one set of members is still refused.
    assert!(remote(&format!(r#"{{"keys":[{{{EC}}}],"keys":[]}}"#)).is_err());
}

#[test]
fn what_is_wrong_with_a_published_set_is_named_and_what_is_usual_is_not() {
    let warnings =
        |more: &str| remote(&format!(r#"{{"keys":[{{{EC},"kid":"good"}}{more}]}}"#)).unwrap().warnings().to_vec();
    let usual = format!(r#",{{{EC},"kid":"e","use":"enc"}},{{"kty":"new"}},{{{EC},"kid":"good"}}"#);
    assert!(warnings(&usual).is_empty(), "{:?}", warnings(&usual));
    for (bad, says) in [
        (r#"{"kty":"RSA","kid":"short","n":"AQAB","e":"AQAB"}"#.to_owned(), "key 2 (kid \"short\")"),
        (format!(r#"{{{EC},"kid":"lost","d":"AA"}}"#), "it is a private key"),
        (oct(r#","kid":"hmac""#), "it is a shared secret"),
        ("null".into(), "key 2: it is null"),
        (format!(r#"{{{EC},"kid":7}}"#), "`kid` is"),
        (format!(r#"{{{OTHER_EC},"kid":"good"}}"#), "several keys of the kid \"good\""),
    ] {
        let said = warnings(&format!(",{bad}"));
        assert!(said.len() == 1 && said[0].contains(says), "{bad}: {said:?}");
    }
}

/// RFC 7517 section 4.5: `kid`s SHOULD be different, and need not be.
#[test]
fn of_a_published_set_keys_of_one_kid_are_all_candidates_and_one_key_twice_is_one() {
    let count = |keys: &str| remote(&format!(r#"{{"keys":[{keys}]}}"#)).unwrap().len();
    let (one, other) = (format!(r#"{{{EC},"kid":"a"}}"#), format!(r#"{{{OTHER_EC},"kid":"a"}}"#));
    assert_eq!((count(&format!("{one},{one}")), count(&format!("{{{EC}}},{{{EC}}}"))), (1, 1));
    let both = remote(&format!(r#"{{"keys":[{one},{other},{one},{other}]}}"#)).unwrap();
    assert_eq!(both.candidates(Es256, Some("a")).unwrap().len(), 2);
    // In a file it is a mistake that its owner can mend.
    let rules = Rules { algorithms: &[Es256], strict: false, origin: Origin::File };
    assert!(KeySet::from_jwks(format!(r#"{{"keys":[{one},{other}]}}"#).as_bytes(), &rules).is_err());
    // And between two sources nobody says which one is meant.
    let alone = |key: &str| remote(&format!(r#"{{"keys":[{key}]}}"#)).unwrap();
    assert!(KeySet::join([alone(&one), alone(&other)]).is_err());
    assert_eq!(KeySet::join([both, alone(&one)]).unwrap().len(), 2);
}

#[test]
fn of_too_many_published_keys_the_first_are_taken() {
    let named = |kid: usize| format!(r#"{{{EC},"kid":"{kid}"}}"#);
    let of = |count: usize, more: &str| {
        let keys: Vec<_> = (0..count).map(named).collect();
        format!(r#"{{"keys":[{}{more}]}}"#, keys.join(","))
    };
    let set = remote(&of(300, "")).unwrap();
    assert_eq!((set.len(), set.iter().last().unwrap().kid.as_deref()), (256, Some("255")));
    assert!(set.warnings()[0].contains("all from key 257 on (at most 256 are taken)"), "{:?}", set.warnings());
    assert!(remote(&of(256, "")).unwrap().warnings().is_empty());
    // Entries that are no candidates take no place.
    let padded = of(0, &format!(r#"{}{{{EC},"kid":"last"}}"#, r#"{"kty":"new"},"#.repeat(400)));
    assert_eq!(remote(&padded).unwrap().len(), 1);
    let rules = Rules { algorithms: &[Es256], strict: false, origin: Origin::File };
    assert!(KeySet::from_jwks(of(257, "").as_bytes(), &rules).unwrap_err().0.contains("257 keys"));
}

#[test]
fn an_ed25519_key_that_is_no_point_is_refused_when_it_is_loaded() {
    let error = set(NO_POINT, &[Algorithm::EdDsa]).unwrap_err();
    assert!(error.contains("no point of the curve"), "{error}");
    assert!(set(&NO_POINT.replacen("Ag", "Aw", 1), &[Algorithm::EdDsa]).is_ok(), "y = 3 is one");
}

#[test]
fn key_ops_are_strings_all_of_them() {
    let error = set(&oct(r#","key_ops":["verify",1]"#), &[Hs256]).unwrap_err();
    assert!(error.contains("`key_ops` is not an array of strings"), "{error}");
}

#[test]
fn a_public_key_comes_back_from_its_own_jwk() {
    for algorithm in [Algorithm::Rs256, Es256, Algorithm::Es512, Algorithm::EdDsa, Algorithm::MlDsa44] {
        let key = crate::crypto::key::tests::private(algorithm).public().clone();
        assert_eq!(public(&key.to_jwk()).unwrap().unwrap(), key);
    }
}

proptest! {
    #[test]
    fn any_members_are_read_or_refused(kty in "RSA|EC|OKP|AKP|oct", name in "n|e|x|y|crv|alg|pub|kid|use|key_ops", value in "[A-Za-z0-9_=\"{}\\[\\]:, -]{0,20}") {
        let mut jwk: Map<String, Value> = serde_json::from_str(&format!("{{{EC}}}")).unwrap();
        jwk.insert("kty".into(), kty.into());
        jwk.insert(name.clone(), serde_json::from_str(&value).unwrap_or(Value::String(value)));
        let rules = Rules { algorithms: Algorithm::ALL, strict: false, origin: Origin::File };
        let _ = KeySet::from_jwks(Value::Object(jwk).to_string().as_bytes(), &rules);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        let rules = Rules { algorithms: &[Hs256, Es256], strict: false, origin: Origin::Remote };
        prop_assert!(KeySet::from_jwks(&bytes, &rules).is_err());
    }
}
