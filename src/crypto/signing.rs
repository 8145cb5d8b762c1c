//! What a signer signs with: one key for one algorithm, read once, with what others verify its signatures by.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use data_encoding::BASE64URL_NOPAD;

use crate::crypto::algorithm::Algorithm;
use crate::crypto::jwk::{octets, text_of};
use crate::crypto::key::{Key, KeyError, KeySet, Origin, Rules};
use crate::crypto::pem;
use crate::crypto::private::PrivateKey;
use crate::json::{self, shown};

/// A key that signs with one algorithm.
pub struct SigningKey {
    kid: Option<String>,
    algorithm: Algorithm,
    material: Material,
    verifying: KeySet,
}

enum Material {
    Private(Box<PrivateKey>),
    Secret(Zeroizing<Vec<u8>>),
}

/// What every key signs once when it is loaded: a key whose halves do not fit must not be found out by tokens.
const PROBE: &[u8] = b"gatepost signing key probe";

impl SigningKey {
    /// The one key of a file: a private JWK (or a JWK Set that holds nothing else) where it begins with a brace, for HS*
    /// one of `kty` "oct"; PEM with one private key otherwise. `kid`: the name that its tokens carry, where the JWK has
    /// none; without either the thumbprint of the public key (RFC 7638), and for HS* none.
    pub fn from_text(
        text: &[u8],
        kid: Option<&str>,
        algorithm: Algorithm,
        strict: bool,
    ) -> Result<SigningKey, KeyError> {
        let bare = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
        if bare.first() == Some(&b'{') {
            return SigningKey::from_jwk(&one_jwk(bare)?, kid, algorithm, strict);
        }
        if algorithm.is_symmetric() {
            let name = algorithm.name();
            return Err(KeyError(format!(
                "{name} signs with a shared secret, which a file holds as a JWK of kty \"oct\". Name the secret itself with `secret_file`"
            )));
        }
        if !bare.starts_with(b"-----BEGIN ") {
            return Err(KeyError("a private JWK (RFC 7517) or PEM (RFC 7468) is wanted, and it is neither".into()));
        }
        if [&b"-----BEGIN PUBLIC KEY"[..], b"-----BEGIN RSA PUBLIC KEY", b"-----BEGIN CERTIFICATE"]
            .iter()
            .any(|label| bare.starts_with(label))
        {
            return Err(KeyError("it is a public key; a private one is needed to sign".into()));
        }
        SigningKey::of_private(pem::private_key(bare)?, kid, algorithm, strict)
    }

    /// A shared secret for HS*.
    pub fn from_secret(secret: &[u8], kid: Option<&str>, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
        let key = Key::from_secret(kid.map(str::to_owned), secret, &[algorithm])?;
        let material = Material::Secret(Zeroizing::new(secret.to_vec()));
        SigningKey { kid: kid.map(str::to_owned), algorithm, material, verifying: KeySet::new(vec![key])? }.probed()
    }

    fn from_jwk(
        jwk: &Map<String, Value>,
        kid: Option<&str>,
        algorithm: Algorithm,
        strict: bool,
    ) -> Result<SigningKey, KeyError> {
        let own = text_of(jwk, "kid").map_err(KeyError)?;
        if own.is_some() && kid.is_some() {
            return Err(KeyError("the JWK has a `kid` of its own. Leave the one in the policy out".into()));
        }
        let kid = own.or(kid);
        if let Some(usage) = text_of(jwk, "use").map_err(KeyError)?.filter(|usage| *usage != "sig") {
            return Err(KeyError(format!("its use is {}, not \"sig\"", shown(usage))));
        }
        if let Some(operations) = jwk.get("key_ops") {
            let signs = operations.as_array().is_some_and(|list| list.iter().any(|operation| operation == "sign"));
            if !signs {
                return Err(KeyError("its key_ops do not hold \"sign\"".into()));
            }
        }
        if let Some(alg) = text_of(jwk, "alg").map_err(KeyError)?.filter(|alg| *alg != algorithm.name()) {
            return Err(KeyError(format!(
                "its alg is {}, and the signer's algorithm is {}",
                shown(alg),
                algorithm.name()
            )));
        }
        let is_secret = text_of(jwk, "kty").map_err(KeyError)? == Some("oct");
        match (is_secret, algorithm.is_symmetric()) {
            (true, true) => {
                SigningKey::from_secret(&Zeroizing::new(octets(jwk, "k").map_err(KeyError)?), kid, algorithm)
            }
            (false, false) => {
                SigningKey::of_private(PrivateKey::from_jwk(jwk).map_err(KeyError)?, kid, algorithm, strict)
            }
            (true, false) => {
                Err(KeyError(format!("{} signs with a private key, and it is a shared secret", algorithm.name())))
            }
            (false, true) => {
                Err(KeyError(format!("{} signs with a shared secret, and it is another key", algorithm.name())))
            }
        }
    }

    fn of_private(
        private: PrivateKey,
        kid: Option<&str>,
        algorithm: Algorithm,
        strict: bool,
    ) -> Result<SigningKey, KeyError> {
        let public = private.public().clone();
        if !public.fits(algorithm) {
            return Err(KeyError(format!("{} cannot sign with {}", public.describe(), algorithm.name())));
        }
        let kid = kid.map_or_else(|| BASE64URL_NOPAD.encode(&public.thumbprint()), str::to_owned);
        let rules = Rules { algorithms: &[algorithm], strict, origin: Origin::File };
        let key = Key::from_public(Some(kid.clone()), public, Some(algorithm), &rules)?;
        let material = Material::Private(Box::new(private));
        SigningKey { kid: Some(kid), algorithm, material, verifying: KeySet::new(vec![key])? }.probed()
    }

    fn probed(self) -> Result<SigningKey, KeyError> {
        let made = self.sign(PROBE).map_err(KeyError)?;
        if self.verifying.iter().any(|key| key.verify(self.algorithm, PROBE, &made)) {
            Ok(self)
        } else {
            Err(KeyError(
                "what it signs does not verify: its private and its public half do not belong together".into(),
            ))
        }
    }

    /// The name that tokens carry in their header; `None` only for HS*.
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The set of the one key that verifies what it signs.
    pub fn verifying(&self) -> &KeySet {
        &self.verifying
    }

    /// A signature in the form of JWS. The error says why there is none.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        match (&self.material, self.algorithm) {
            (Material::Private(key), algorithm) => key.sign(algorithm, message),
            (Material::Secret(secret), Algorithm::Hs256) => tag::<Hmac<Sha256>>(secret, message),
            (Material::Secret(secret), Algorithm::Hs384) => tag::<Hmac<Sha384>>(secret, message),
            (Material::Secret(secret), Algorithm::Hs512) => tag::<Hmac<Sha512>>(secret, message),
            (Material::Secret(_), other) => Err(format!("a shared secret cannot sign with {}", other.name())),
        }
    }
}

impl KeySet {
    /// Old keys of a signer, which only verify: as `KeySet::from_text` reads them, each under the `kid` that it had while
    /// it signed.
    pub fn of_former(text: &[u8], kid: Option<&str>, rules: &Rules<'_>) -> Result<KeySet, KeyError> {
        let bare = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
        let is_jwk = bare.first() == Some(&b'{');
        let read = KeySet::from_text(text, kid.filter(|_| !is_jwk), rules)?;
        if is_jwk && kid.is_some() && (read.len() > 1 || read.iter().any(|key| key.kid.is_some())) {
            return Err(KeyError("`kid` names one key that has none, and the keys here bring their own".into()));
        }
        let named = read.iter().map(|key| match key.public() {
            Some(public) => {
                let own = key.kid.as_deref().or(kid).map(str::to_owned);
                let kid = own.unwrap_or_else(|| BASE64URL_NOPAD.encode(&public.thumbprint()));
                let only = key.algorithms().first().copied();
                Key::from_public(Some(kid), public.clone(), only, rules).map(Some)
            }
            None => Ok(None),
        });
        let named = named.collect::<Result<Option<Vec<Key>>, KeyError>>()?;
        // Secrets carry the names that they have, or none.
        named.map_or(Ok(read), KeySet::new)
    }
}

fn tag<M: KeyInit + Mac>(secret: &[u8], message: &[u8]) -> Result<Vec<u8>, String> {
    let mac = <M as KeyInit>::new_from_slice(secret).map_err(|_| "the secret's length is not possible for HMAC")?;
    Ok(mac.chain_update(message).finalize().into_bytes().to_vec())
}

/// The JWK itself, or the only one of a set.
fn one_jwk(text: &[u8]) -> Result<Map<String, Value>, KeyError> {
    let mut document = json::object(text).map_err(|why| KeyError(format!("this is no JWK: {why}")))?;
    match document.remove("keys") {
        None => Ok(document),
        Some(Value::Array(mut entries)) if entries.len() == 1 => match entries.pop() {
            Some(Value::Object(one)) => Ok(one),
            _ => Err(KeyError("this is no JWK Set: what it holds is no object".into())),
        },
        Some(_) => Err(KeyError(
            "one key signs, and this set has none or several. Write the one that signs into a file of its own".into(),
        )),
    }
}

/// Never shows the key.
impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
