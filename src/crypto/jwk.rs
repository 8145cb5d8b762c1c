//! Keys from a JWK or a JWK Set (RFC 7517, RFC 7518 section 6, RFC 8037, RFC 9964).

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{Curve, Key, KeyError, KeySet, Origin, PublicKey, Rules};
use crate::json::{self, shown};

/// Keys of a set that are read, at most: what more there is could only slow everything down.
const MOST: usize = 256;

/// What became of one JWK.
enum Entry {
    Key(Box<Key>),
    /// Not a candidate for signatures here; why.
    Skipped(String),
}

impl KeySet {
    /// The keys of a JWK Set, or of one JWK, that can verify one of the rules' algorithms. A key's `alg` fixes its
    /// algorithm; without one it is for those of the list that fit its type.
    ///
    /// Keys of types that are not known, for other uses (`use` other than "sig", `key_ops` without "verify") or for
    /// algorithms that are not listed are left out; with none left it is an error, as is a `kid` that occurs twice, a
    /// member that occurs twice, and a set that mixes shared secrets with public keys: such a file is meant to be
    /// published. A key that is refused by itself (too short, malformed) is an error too, but for `Origin::Remote`,
    /// where it is left out.
    pub fn from_jwks(text: &[u8], rules: &Rules<'_>) -> Result<KeySet, KeyError> {
        let mut document = json::object(text).map_err(|why| KeyError(format!("this is no JWK Set: {why}")))?;
        let entries = match document.remove("keys") {
            Some(Value::Array(entries)) => entries,
            Some(other) => return Err(KeyError(format!("`keys` is {} where an array belongs", json::kind(&other)))),
            None if document.contains_key("kty") => vec![Value::Object(document)],
            None => return Err(KeyError("this is no JWK Set: it has neither `keys` nor `kty`".into())),
        };
        if entries.len() > MOST {
            return Err(KeyError(format!("the set has {} keys; at most {MOST} are read", entries.len())));
        }
        let secrets = entries.iter().filter(|entry| entry["kty"] == "oct").count();
        let known = entries.iter().filter(|entry| ["RSA", "EC", "OKP", "AKP"].iter().any(|kty| entry["kty"] == *kty));
        if secrets > 0 && known.count() > 0 {
            let why = "the set mixes shared secrets (kty \"oct\") with public keys; keep each in a file of its own";
            return Err(KeyError(why.into()));
        }
        if secrets > 0 && rules.origin != Origin::File {
            let why = "it holds a shared secret (kty \"oct\") where everybody can read it; name a file with `secret_file`, \
                       or a JWK Set with `file`";
            return Err(KeyError(why.into()));
        }
        let (mut keys, mut skipped, mut kids, mut private) = (Vec::new(), Vec::new(), Vec::new(), 0);
        for (index, entry) in entries.iter().enumerate() {
            let at = |why: String| KeyError(format!("key {} of the set: {why}", index + 1));
            let Value::Object(entry) = entry else {
                return Err(at(format!("it is {} where an object belongs", json::kind(entry))));
            };
            let kid = text_of(entry, "kid").map_err(at)?;
            if let Some(kid) = kid {
                if kids.contains(&kid) {
                    return Err(at(format!("the kid {} stands there twice; give each key its own", shown(kid))));
                }
                kids.push(kid);
            }
            private += usize::from(is_private(entry));
            match (read(entry, kid, rules), rules.origin) {
                (Ok(Entry::Key(key)), _) => keys.push(*key),
                (Ok(Entry::Skipped(why)), _) | (Err(why), Origin::Remote) => {
                    skipped.push(format!("key {}: {why}", index + 1));
                }
                (Err(why), _) => return Err(at(why)),
            }
        }
        if keys.is_empty() {
            let names: Vec<_> = rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
            let why = if skipped.is_empty() { "the set is empty".into() } else { skipped.join("; ") };
            return Err(KeyError(format!("no key of the set can verify {}: {why}", names.join(", "))));
        }
        let set = KeySet::new(keys)?;
        Ok(if private > 0 { set.warn("holds private keys; verifying needs only the public ones".into()) } else { set })
    }
}

impl Key {
    /// The public key of one JWK that came with what it verifies. Refused is all that a set would leave out.
    pub fn from_jwk(jwk: &Map<String, Value>, rules: &Rules<'_>) -> Result<Key, KeyError> {
        match read(jwk, None, rules) {
            Ok(Entry::Key(key)) => Ok(*key),
            Ok(Entry::Skipped(why)) | Err(why) => Err(KeyError(why)),
        }
    }
}

fn read(jwk: &Map<String, Value>, kid: Option<&str>, rules: &Rules<'_>) -> Result<Entry, String> {
    let skipped = |why: String| Ok(Entry::Skipped(why));
    let kty = text_of(jwk, "kty")?.ok_or("`kty` is missing")?;
    if !["oct", "RSA", "EC", "OKP", "AKP"].contains(&kty) {
        return skipped(format!("kty {} is not known", shown(kty)));
    }
    if let Some(usage) = text_of(jwk, "use")?
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
    let name = text_of(jwk, "alg")?;
    let only = match name.map(|name| (name, Algorithm::from_name(name))) {
        None => None,
        Some((_, Some(algorithm))) if rules.algorithms.contains(&algorithm) => Some(algorithm),
        Some((name, Some(_))) => return skipped(format!("its alg {} is not among the listed algorithms", shown(name))),
        Some((name, None)) => return skipped(format!("its alg {} is none for signatures here", shown(name))),
    };
    if kty == "oct" {
        return secret(jwk, kid, only, rules);
    }
    if is_private(jwk) && rules.origin != Origin::File {
        return Err(
            "it is a private key where everybody can read it: whoever saw it can make tokens. Make a new one, and \
                    publish its public members alone"
                .into(),
        );
    }
    let public = match public(jwk)? {
        Some(public) => public,
        None => {
            let crv = text_of(jwk, "crv")?.unwrap_or_default();
            return skipped(format!("crv {} of kty {} is not used for signatures here", shown(crv), shown(kty)));
        }
    };
    if let Some(algorithm) = only
        && !public.fits(algorithm)
    {
        return Err(format!("its alg is {}, and it is {}", algorithm.name(), public.describe()));
    }
    if !rules.algorithms.iter().any(|algorithm| public.fits(*algorithm)) {
        return skipped(format!("{} fits none of the listed algorithms", public.describe()));
    }
    Key::from_public(kid.map(str::to_owned), public, only, rules)
        .map(|key| Entry::Key(Box::new(key)))
        .map_err(|error| error.0)
}

fn secret(
    jwk: &Map<String, Value>,
    kid: Option<&str>,
    only: Option<Algorithm>,
    rules: &Rules<'_>,
) -> Result<Entry, String> {
    let fits = |algorithm: &Algorithm| algorithm.is_symmetric() && only.is_none_or(|only| only == *algorithm);
    let fit: Vec<Algorithm> = rules.algorithms.iter().copied().filter(fits).collect();
    if fit.is_empty() {
        return Ok(Entry::Skipped("a shared secret (kty \"oct\") is only for HS256, HS384 and HS512".into()));
    }
    let secret = Zeroizing::new(octets(jwk, "k")?);
    Key::from_secret(kid.map(str::to_owned), &secret, &fit)
        .map(|key| Entry::Key(Box::new(key)))
        .map_err(|error| error.0)
}

/// Members that only private keys have.
fn is_private(jwk: &Map<String, Value>) -> bool {
    jwk.get("kty").is_some_and(|kty| kty != "oct")
        && ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"].iter().any(|name| jwk.contains_key(*name))
}

/// The public key that a JWK's own members say; `None` for a curve that signs nothing here. What it is for is not
/// looked at.
pub fn public(jwk: &Map<String, Value>) -> Result<Option<PublicKey>, String> {
    let kty = text_of(jwk, "kty")?.ok_or("`kty` is missing")?;
    let crv = || text_of(jwk, "crv")?.ok_or("`crv` is missing".to_owned());
    let public = match kty {
        "RSA" => PublicKey::rsa(&octets(jwk, "n")?, &octets(jwk, "e")?)?,
        "EC" => {
            let crv = crv()?;
            let Some(curve) = Curve::ALL.into_iter().find(|curve| curve.name() == crv) else { return Ok(None) };
            let (x, y) = (octets(jwk, "x")?, octets(jwk, "y")?);
            if x.len() != curve.size() || y.len() != curve.size() {
                let (name, size) = (curve.name(), curve.size());
                return Err(format!("a coordinate of {name} has {size} octets (RFC 7518 section 6.2.1)"));
            }
            PublicKey::ec(curve, &[&[4], x.as_slice(), y.as_slice()].concat())?
        }
        "OKP" if crv()? == "Ed25519" => PublicKey::ed25519(&octets(jwk, "x")?)?,
        "OKP" => return Ok(None),
        "AKP" => {
            // RFC 9964 section 3: `alg` says which of the three it is.
            let name = text_of(jwk, "alg")?.ok_or("`alg` is missing, which kty \"AKP\" needs (RFC 9964)")?;
            let Some(algorithm) = Algorithm::from_name(name) else { return Ok(None) };
            PublicKey::ml_dsa(algorithm, &octets(jwk, "pub")?)?
        }
        other => return Err(format!("kty {} has no public key", shown(other))),
    };
    Ok(Some(public))
}

/// A member of base64url without padding.
pub(super) fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let encoded = text_of(jwk, name)?.ok_or_else(|| format!("`{name}` is missing"))?;
    BASE64URL_NOPAD
        .decode(encoded.as_bytes())
        .map_err(|_| format!("`{name}` is not base64url without padding (RFC 7515 section 2)"))
}

/// A member that must be a string where it is there.
pub(super) fn text_of<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
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
        let rules = Rules { algorithms, strict: false, origin: Origin::File };
        let keys = KeySet::from_jwks(json.as_bytes(), &rules).map_err(|e| e.0)?;
        Ok(keys.iter().map(|key| (key.kid.clone(), key.algorithms().to_vec())).collect())
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

    /// A key of P-256 that nobody has the private half of any more.
    const EC: &str = r#""kty":"EC","crv":"P-256","x":"_1lFhKEPIxQ4TTN4ilJr4JngywiUetU1KHERzec5-Jg","y":"f_PeOqdBCp0B9hUIfkZJfTlpuFw_6jODBe1zIaelEAM""#;

    fn remote(json: &str) -> Result<KeySet, String> {
        let rules = Rules { algorithms: &[Es256, Algorithm::Rs256], strict: false, origin: Origin::Remote };
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
        ] {
            let set = remote(&format!(r#"{{"keys":[{bad},{{{EC},"kid":"good"}}]}}"#))
                .unwrap_or_else(|e| panic!("{bad}: {e}"));
            let kids: Vec<_> = set.iter().map(|key| key.kid.as_deref()).collect();
            assert_eq!(kids, [Some("good")], "{bad}");
            assert!(remote(&format!(r#"{{"keys":[{bad}]}}"#)).is_err(), "{bad}");
        }
        // What says that the set as a whole is not to be trusted still refuses it.
        for bad in [oct(""), format!(r#"{{{EC},"kid":"good"}}"#), "7".into(), r#"{"kty":"EC","kid":7}"#.into()] {
            assert!(remote(&format!(r#"{{"keys":[{bad},{{{EC},"kid":"good"}}]}}"#)).is_err(), "{bad}");
        }
        assert!(remote(&oct("")).unwrap_err().contains("where everybody can read it"));
        let many = vec![format!("{{{EC}}}"); 257].join(",");
        assert!(remote(&format!(r#"{{"keys":[{many}]}}"#)).unwrap_err().contains("257 keys"));
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
}
