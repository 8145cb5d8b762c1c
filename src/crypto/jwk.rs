//! Keys from a JWK or a JWK Set (RFC 7517, RFC 7518 section 6, RFC 8037, RFC 9964).

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{Curve, Key, KeyError, KeySet, Origin, PublicKey, Rules};
use crate::json::{self, shown};

/// Keys of a set that are taken, at most: what more there is could only slow everything down.
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
    /// published. A key that is refused by itself (too short, malformed) is an error too.
    ///
    /// For `Origin::Remote` no entry is an error as long as one is left: what cannot be used is left out, a key that
    /// stands there twice counts once, of too many the first are taken, and several of one `kid` are all candidates. The
    /// warnings name them.
    pub fn from_jwks(text: &[u8], rules: &Rules<'_>) -> Result<KeySet, KeyError> {
        let mut document = json::object(text).map_err(|why| KeyError(format!("this is no JWK Set: {why}")))?;
        let entries = match document.remove("keys") {
            Some(Value::Array(entries)) => entries,
            Some(other) => return Err(KeyError(format!("`keys` is {} where an array belongs", json::kind(&other)))),
            None if document.contains_key("kty") => vec![Value::Object(document)],
            None => return Err(KeyError("this is no JWK Set: it has neither `keys` nor `kty`".into())),
        };
        let lenient = rules.origin == Origin::Remote;
        if entries.len() > MOST && !lenient {
            return Err(KeyError(format!("the set has {} keys; at most {MOST} are read", entries.len())));
        }
        let secrets = entries.iter().filter(|entry| entry["kty"] == "oct").count();
        let known = entries.iter().filter(|entry| ["RSA", "EC", "OKP", "AKP"].iter().any(|kty| entry["kty"] == *kty));
        if secrets > 0 && known.count() > 0 && !lenient {
            let why = "the set mixes shared secrets (kty \"oct\") with public keys; keep each in a file of its own";
            return Err(KeyError(why.into()));
        }
        if secrets > 0 && rules.origin == Origin::Inline {
            let why = "it holds a shared secret (kty \"oct\") where everybody can read it; name a file with `secret_file`, \
                       or a JWK Set with `file`";
            return Err(KeyError(why.into()));
        }
        let (mut keys, mut skipped, mut broken, mut kids, mut private) = (vec![], vec![], vec![], vec![], 0);
        for (index, entry) in entries.iter().enumerate() {
            if keys.len() == MOST {
                broken.push(format!("all from key {} on (at most {MOST} are taken)", index + 1));
                break;
            }
            match (named(entry, rules, &mut kids), lenient) {
                (Ok(Entry::Key(key)), _) => keys.push(*key),
                (Ok(Entry::Skipped(why)), _) => skipped.push(format!("key {}: {why}", index + 1)),
                (Err(why), true) => {
                    let kid = entry["kid"].as_str().map(|kid| format!(" (kid {})", shown(kid))).unwrap_or_default();
                    broken.push(format!("key {}{kid}: {why}", index + 1));
                }
                (Err(why), false) => return Err(KeyError(format!("key {} of the set: {why}", index + 1))),
            }
            private += usize::from(entry.as_object().is_some_and(is_private));
        }
        if keys.is_empty() {
            let names: Vec<_> = rules.algorithms.iter().map(|algorithm| algorithm.name()).collect();
            skipped.extend(broken);
            let why = if skipped.is_empty() { "the set is empty".into() } else { skipped.join("; ") };
            return Err(KeyError(format!("no key of the set can verify {}: {why}", names.join(", "))));
        }
        if lenient {
            let left_out = broken.into_iter().map(|what| format!("has entries that are left out, {what}"));
            return Ok(left_out.fold(KeySet::published(keys), KeySet::warn));
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

/// One entry of a set. `kids`: those of the entries before it.
fn named<'e>(entry: &'e Value, rules: &Rules<'_>, kids: &mut Vec<&'e str>) -> Result<Entry, String> {
    let Value::Object(entry) = entry else {
        return Err(format!("it is {} where an object belongs", json::kind(entry)));
    };
    let kid = text_of(entry, "kid")?;
    if let (Some(kid), false) = (kid, rules.origin == Origin::Remote) {
        if kids.contains(&kid) {
            return Err(format!("the kid {} stands there twice; give each key its own", shown(kid)));
        }
        kids.push(kid);
    }
    let read = read(entry, kid, rules)?;
    if let Entry::Key(key) = &read
        && let Some(public) = key.public()
    {
        public.check_point()?;
    }
    Ok(read)
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
        Some(Value::Array(operations)) if operations.iter().all(Value::is_string) => {
            let verifies = operations.iter().any(|operation| operation == "verify");
            if !verifies {
                return skipped("its key_ops do not hold \"verify\"".into());
            }
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
    if kty == "oct" && rules.origin == Origin::Remote {
        return Err(
            "it is a shared secret (kty \"oct\") where everybody can read it: whoever saw it can make tokens".into()
        );
    }
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
mod tests;
