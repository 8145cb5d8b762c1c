//! Keys in PEM (RFC 7468) and the DER inside: SubjectPublicKeyInfo, PKCS#8, certificates, and the older forms that
//! OpenSSL still writes.
//!
//! Read strictly: nothing but blocks and white space, one spelling of base64, nothing behind the DER.

use data_encoding::BASE64;
use x509_cert::Certificate;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Encode, Reader, SliceReader};
use x509_cert::ext::pkix::KeyUsage;
use x509_cert::spki::SubjectPublicKeyInfoRef;
use zeroize::Zeroizing;

use crate::crypto::algorithm::Algorithm;
use crate::crypto::key::{Curve, Key, KeyError, KeySet, Origin, PublicKey, Rules};
use crate::crypto::private::PrivateKey;

/// Blocks of a file that are read, at most.
const MOST: usize = 64;
/// Certificates of authorities that are read, at most; systems believe some 150.
const MOST_AUTHORITIES: usize = 1_024;

/// One block: its label and what its base64 holds.
struct Block<'t> {
    label: &'t str,
    der: Zeroizing<Vec<u8>>,
}

impl KeySet {
    /// The keys of a file: a JWK or JWK Set where it begins with a brace, PEM otherwise. `kid` names the one key of a
    /// PEM file; JWKs bring their own.
    pub fn from_text(text: &[u8], kid: Option<&str>, rules: &Rules<'_>) -> Result<KeySet, KeyError> {
        let bare = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii();
        if bare.first() == Some(&b'{') {
            if kid.is_some() {
                return Err(KeyError("`kid` names a key in PEM; the keys of a JWK Set bring their own".into()));
            }
            return KeySet::from_jwks(bare, rules);
        }
        if bare.starts_with(b"-----BEGIN ") {
            return KeySet::from_pem(bare, kid, rules);
        }
        if rules.algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
            // Secrets have no other form than a JWK.
            return KeySet::from_jwks(bare, rules);
        }
        let what = if bare.first() == Some(&0x30) { "it looks like DER; write it as PEM" } else { "it is neither" };
        Err(KeyError(format!("a JWK Set (RFC 7517) or PEM (RFC 7468) is wanted, and {what}")))
    }

    /// The public keys of PEM blocks: `PUBLIC KEY`, `CERTIFICATE`, `PRIVATE KEY` (its public half), `RSA PUBLIC KEY`,
    /// `RSA PRIVATE KEY`, `EC PRIVATE KEY`. Every block must be a key that can verify one of the rules' algorithms.
    pub fn from_pem(text: &[u8], kid: Option<&str>, rules: &Rules<'_>) -> Result<KeySet, KeyError> {
        let blocks = blocks(text).map_err(KeyError)?;
        let certificates = blocks.iter().filter(|block| block.label == "CERTIFICATE").count();
        if certificates > 1 {
            // The others of a chain are authorities, and those must not sign tokens.
            let why = "it holds several certificates; keep the one whose key signs tokens, each in a file of its own";
            return Err(KeyError(why.into()));
        }
        if kid.is_some() && blocks.len() > 1 {
            return Err(KeyError("`kid` names one key, and several stand here".into()));
        }
        let private = blocks.iter().filter(|block| block.label.ends_with("PRIVATE KEY")).count();
        if private > 0 && rules.origin != Origin::File {
            let why = "a private key stands where everybody can read it: whoever saw it can make tokens. Make a new one, \
                       and write its public key here";
            return Err(KeyError(why.into()));
        }
        let mut keys = Vec::new();
        for block in &blocks {
            let public = public(block).map_err(KeyError)?;
            public.check_point().map_err(KeyError)?;
            keys.push(Key::from_public(kid.map(str::to_owned), public, None, rules)?);
        }
        let set = KeySet::new(keys)?;
        Ok(if private > 0 { set.warn("holds a private key; verifying needs only the public one".into()) } else { set })
    }
}

/// The one private key of a PEM text.
pub fn private_key(text: &[u8]) -> Result<PrivateKey, KeyError> {
    let blocks = blocks(text.trim_ascii()).map_err(KeyError)?;
    match blocks.as_slice() {
        [block] => private(block).map_err(KeyError),
        _ => Err(KeyError("one private key is wanted, and several blocks stand here".into())),
    }
}

/// The certificates of a text, in DER. Bundles have notes between the blocks, which are passed over.
pub fn authorities(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not text".to_owned())?;
    let (mut rest, mut found) = (text, Vec::new());
    while let Some(block) = rest.find("-----BEGIN ").and_then(|at| rest.get(at..)) {
        if found.len() == MOST_AUTHORITIES {
            return Err(format!("there are more than {MOST_AUTHORITIES}"));
        }
        let (block, after) = one(block)?;
        match block.label {
            "CERTIFICATE" if Certificate::from_der(&block.der).is_ok() => found.push(block.der.to_vec()),
            "CERTIFICATE" => return Err("one of them is no X.509 certificate".into()),
            other => return Err(format!("a block of PEM is labelled {}", other.escape_default())),
        }
        rest = after;
    }
    if found.is_empty() { Err("there is no block of PEM".into()) } else { Ok(found) }
}

/// All blocks of a text that holds nothing else.
fn blocks(text: &[u8]) -> Result<Vec<Block<'_>>, String> {
    let text = std::str::from_utf8(text).map_err(|_| "it is not PEM: it is not text".to_owned())?;
    let mut rest = text.trim_ascii_start();
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        if blocks.len() == MOST {
            return Err(format!("it holds more than {MOST} blocks of PEM"));
        }
        let (block, after) = one(rest)?;
        blocks.push(block);
        rest = after.trim_ascii_start();
    }
    if blocks.is_empty() { Err("it holds no block of PEM".into()) } else { Ok(blocks) }
}

/// The block that the text begins with, and what follows.
fn one(text: &str) -> Result<(Block<'_>, &str), String> {
    let refused = |what: &str| format!("it is not PEM: {what}");
    let after = text.strip_prefix("-----BEGIN ").ok_or_else(|| refused("there is text outside of the blocks"))?;
    let (label, after) = after.split_once("-----").ok_or_else(|| refused("a BEGIN line does not end"))?;
    let is_label =
        label.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" #".contains(&byte));
    if !is_label || !after.starts_with(['\n', '\r']) {
        return Err(refused("a BEGIN line is malformed"));
    }
    let end = format!("-----END {label}-----");
    let (body, after) = after.split_once(end.as_str()).ok_or_else(|| refused("a block does not end with its label"))?;
    if !after.is_empty() && !after.starts_with(['\n', '\r']) {
        return Err(refused("an END line is malformed"));
    }
    if body.contains(':') {
        return Err(
            "it is encrypted or has headers (RFC 1421); write it as PKCS#8 without a passphrase, with `openssl pkey`"
                .into(),
        );
    }
    let mut compact = Zeroizing::new(Vec::with_capacity(body.len()));
    compact.extend(body.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
    let der = BASE64.decode(&compact).map_err(|_| refused("a block is not base64"))?;
    Ok((Block { label, der: Zeroizing::new(der) }, after))
}

fn public(block: &Block<'_>) -> Result<PublicKey, String> {
    match block.label {
        "PUBLIC KEY" => spki(&block.der),
        "RSA PUBLIC KEY" => rsa(&block.der),
        "CERTIFICATE" => certificate(&block.der),
        _ => private(block).map(|key| key.public().clone()),
    }
}

fn private(block: &Block<'_>) -> Result<PrivateKey, String> {
    match block.label {
        "PRIVATE KEY" => PrivateKey::from_pkcs8(&block.der),
        "EC PRIVATE KEY" => PrivateKey::from_sec1(&block.der),
        "RSA PRIVATE KEY" => PrivateKey::from_pkcs1(&block.der),
        "ENCRYPTED PRIVATE KEY" => {
            Err("it is encrypted with a passphrase; write it without one, with `openssl pkey`".into())
        }
        other => Err(format!("a block of PEM is labelled {}, which is no key here", other.escape_default())),
    }
}

/// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7).
pub fn spki(der: &[u8]) -> Result<PublicKey, String> {
    let info = SubjectPublicKeyInfoRef::from_der(der).map_err(|_| "it is no SubjectPublicKeyInfo".to_owned())?;
    let key = info.subject_public_key.as_bytes().ok_or("its key is not made of whole octets")?;
    let oid = info.algorithm.oid.to_string();
    let parameters = || info.algorithm.parameters.and_then(|any| any.to_der().ok()).unwrap_or_default();
    // Those that RFC 8410 and RFC 9881 define have no parameters.
    let bare = |key| if info.algorithm.parameters.is_none() { key } else { Err("its algorithm has parameters".into()) };
    match oid.as_str() {
        // rsaEncryption, with NULL (RFC 3279 section 2.3.1).
        "1.2.840.113549.1.1.1" if parameters() == [5, 0] => rsa(key),
        "1.2.840.113549.1.1.10" => {
            Err("it is an RSASSA-PSS key with parameters of its own; write it as an rsaEncryption key".into())
        }
        "1.2.840.10045.2.1" => {
            let named = info.algorithm.parameters_oid().map_err(|_| "its curve has no name")?.to_string();
            let curve = match named.as_str() {
                "1.2.840.10045.3.1.7" => Curve::P256,
                "1.3.132.0.34" => Curve::P384,
                "1.3.132.0.35" => Curve::P521,
                other => return Err(format!("its curve {other} is not used for signatures here")),
            };
            PublicKey::ec(curve, key)
        }
        "1.3.101.112" => bare(PublicKey::ed25519(key)),
        "2.16.840.1.101.3.4.3.17" => bare(PublicKey::ml_dsa(Algorithm::MlDsa44, key)),
        "2.16.840.1.101.3.4.3.18" => bare(PublicKey::ml_dsa(Algorithm::MlDsa65, key)),
        "2.16.840.1.101.3.4.3.19" => bare(PublicKey::ml_dsa(Algorithm::MlDsa87, key)),
        other => Err(format!("its algorithm {other} is not used for signatures here")),
    }
}

/// The key of an X.509 certificate. Whoever names the file vouches for it: its dates and its issuer are not looked at;
/// where it says what its key is for, signatures must be among that.
pub fn certificate(der: &[u8]) -> Result<PublicKey, String> {
    let certificate = Certificate::from_der(der).map_err(|_| "it is no X.509 certificate".to_owned())?;
    let body = certificate.tbs_certificate();
    match body.get_extension::<KeyUsage>() {
        Ok(None) => {}
        Ok(Some((_, usage))) if usage.digital_signature() || usage.non_repudiation() => {}
        Ok(Some(_)) => return Err("its certificate does not allow signatures (keyUsage)".into()),
        Err(_) => return Err("its certificate has a malformed keyUsage".into()),
    }
    let info = body.subject_public_key_info().to_der().map_err(|_| "its key cannot be read".to_owned())?;
    spki(&info)
}

/// RSAPublicKey (RFC 8017 section A.1.1).
pub(super) fn rsa(der: &[u8]) -> Result<PublicKey, String> {
    fn numbers(der: &[u8]) -> Result<(Vec<u8>, Vec<u8>), x509_cert::der::Error> {
        let mut reader = SliceReader::new(der)?;
        let both = reader.sequence(|inside| {
            let (modulus, exponent) = (UintRef::decode(inside)?, UintRef::decode(inside)?);
            Ok::<_, x509_cert::der::Error>((modulus.as_bytes().to_vec(), exponent.as_bytes().to_vec()))
        })?;
        reader.finish()?;
        Ok(both)
    }
    let (modulus, exponent) = numbers(der).map_err(|_| "it is no RSAPublicKey".to_owned())?;
    PublicKey::rsa(&modulus, &exponent)
}

#[cfg(test)]
mod tests;
