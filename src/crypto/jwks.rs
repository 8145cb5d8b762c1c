//! Keys from a JWK or a JWK Set (RFC 7517) that an operator gives as a file. Shared secrets (`kty` "oct") so far.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::crypto::algorithm::Algorithm;
use crate::crypto::json::{self, shown};
use crate::crypto::key::{Key, KeyError};

/// What became of one JWK.
enum Entry {
    Key(Box<Key>),
    /// Not a candidate for signatures here; why.
    Skipped(String),
}

impl Key {
    /// The keys of a JWK Set, or of one JWK, that can verify one of the algorithms. A key's `alg` fixes its
    /// algorithm; without one it is for those of the list that fit its type.
    ///
    /// Keys of other types, for other uses (`use` other than "sig", `key_ops` without "verify") or for algorithms
    /// that are not listed are left out; with none left it is an error, as is a `kid` that occurs twice, a member
    /// that occurs twice, a secret that is refused by itself, and a set that mixes shared secrets with public keys:
    /// such a file is meant to be published.
    pub fn set_from_jwks(json: &[u8], algorithms: &[Algorithm]) -> Result<Vec<Key>, KeyError> {
        let mut document = json::object(json).map_err(|why| KeyError(format!("this is no JWK Set: {why}")))?;
        let entries = match document.remove("keys") {
            Some(Value::Array(entries)) => entries,
            Some(other) => return Err(KeyError(format!("`keys` is {} where an array belongs", json::kind(&other)))),
            None if document.contains_key("kty") => vec![Value::Object(document)],
            None => return Err(KeyError("this is no JWK Set: it has neither `keys` nor `kty`".into())),
        };
        let (mut keys, mut skipped, mut kids) = (Vec::new(), Vec::new(), Vec::new());
        for (index, entry) in entries.iter().enumerate() {
            let at = |why: String| KeyError(format!("key {} of the set: {why}", index + 1));
            let Value::Object(entry) = entry else {
                return Err(at(format!("it is {} where an object belongs", json::kind(entry))));
            };
            let kid = text(entry, "kid").map_err(at)?;
            if let Some(kid) = kid {
                if kids.contains(&kid) {
                    return Err(at(format!("the kid {} stands there twice; give each key its own", shown(kid))));
                }
                kids.push(kid);
            }
            match read(entry, kid, algorithms).map_err(at)? {
                Entry::Key(key) => keys.push(*key),
                Entry::Skipped(why) => skipped.push(format!("key {}: {why}", index + 1)),
            }
        }
        let has = |kinds: &[&str]| entries.iter().any(|entry| kinds.iter().any(|kind| entry["kty"] == *kind));
        if has(&["oct"]) && has(&["RSA", "EC", "OKP", "AKP"]) {
            let why = "the set mixes shared secrets (kty \"oct\") with public keys; keep each in a file of its own";
            return Err(KeyError(why.into()));
        }
        if keys.is_empty() {
            let names: Vec<_> = algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let why = if skipped.is_empty() { "the set is empty".into() } else { skipped.join("; ") };
            return Err(KeyError(format!("no key of the set can verify {}: {why}", names.join(", "))));
        }
        Ok(keys)
    }
}

fn read(jwk: &Map<String, Value>, kid: Option<&str>, algorithms: &[Algorithm]) -> Result<Entry, String> {
    let skipped = |why: String| Ok(Entry::Skipped(why));
    match text(jwk, "kty")? {
        Some("oct") => {}
        Some(other) => return skipped(format!("this version cannot use kty {}", shown(other))),
        None => return Err("`kty` is missing".into()),
    }
    if let Some(usage) = text(jwk, "use")?
        && usage != "sig"
    {
        return skipped(format!("its use is {}, not \"sig\"", shown(usage)));
    }
    match jwk.get("key_ops") {
        None => {}
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => {}
        Some(Value::Array(operations)) if operations.iter().all(Value::is_string) => {
            return skipped("its key_ops do not hold \"verify\"".into());
        }
        Some(_) => return Err("`key_ops` is not an array of strings".into()),
    }
    let fit: Vec<Algorithm> = match text(jwk, "alg")? {
        None => algorithms.iter().copied().filter(|algorithm| algorithm.is_symmetric()).collect(),
        Some(name) => match Algorithm::from_name(name).filter(|algorithm| algorithm.is_symmetric()) {
            Some(algorithm) if algorithms.contains(&algorithm) => vec![algorithm],
            Some(_) => return skipped(format!("its alg {} is not among the listed algorithms", shown(name))),
            None => return skipped(format!("its alg {} is none for kty \"oct\" signatures", shown(name))),
        },
    };
    if fit.is_empty() {
        return skipped("a shared secret (kty \"oct\") is only for HS256, HS384 and HS512".into());
    }
    let encoded = text(jwk, "k")?.ok_or("`k` is missing")?;
    let secret = BASE64URL_NOPAD
        .decode(encoded.as_bytes())
        .map(Zeroizing::new)
        .map_err(|_| "`k` is not base64url without padding (RFC 7518 section 6.4.1)")?;
    Key::from_secret(kid.map(str::to_owned), &secret, &fit)
        .map(|key| Entry::Key(Box::new(key)))
        .map_err(|error| error.0)
}

/// A member that must be a string where it is there.
fn text<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(format!("`{name}` is {} where a string belongs", json::kind(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Algorithm::{Es256, Hs256, Hs384, Hs512};
    use proptest::prelude::*;

    const K: &str = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";
    const LONG: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    type Loaded = Vec<(Option<String>, Vec<Algorithm>)>;

    fn set(json: &str, algorithms: &[Algorithm]) -> Result<Loaded, String> {
        let keys = Key::set_from_jwks(json.as_bytes(), algorithms).map_err(|e| e.0)?;
        Ok(keys.into_iter().map(|key| (key.kid.clone(), key.algorithms().to_vec())).collect())
    }

    fn oct(members: &str) -> String {
        format!(r#"{{"kty":"oct","k":"{K}"{members}}}"#)
    }

    #[test]
    fn a_keys_alg_fixes_its_algorithm_and_without_one_the_list_does() {
        let json = format!(
            r#"{{"keys":[{{"kty":"oct","kid":"a","alg":"HS512","k":"{LONG}"}},{{"kty":"oct","k":"{LONG}"}}]}}"#
        );
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
        assert_eq!(
            set(&unknown, &[Hs256]).unwrap().len(),
            1,
            "RFC 7517 section 5: a type that is not known is left out"
        );
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

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            prop_assert!(Key::set_from_jwks(&bytes, &[Hs256]).is_err());
        }
    }
}
