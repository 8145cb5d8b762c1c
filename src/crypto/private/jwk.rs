//! Private keys from a JWK (RFC 7518 section 6, RFC 8037 section 2, RFC 9964 section 3).

use aws_lc_rs::signature::{EcdsaKeyPair, Ed25519KeyPair, PqdsaKeyPair};
use serde_json::{Map, Value};
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Encode, SliceWriter, Writer};
use zeroize::Zeroizing;

use super::{PrivateKey, ecdsa, ml_dsa};
use crate::crypto::jwk::{self, octets};
use crate::crypto::key::PublicKey;

/// Room for an RSAPrivateKey of 8192 bits: nine numbers, of which two are as long as the modulus and five half as long.
const ROOM: usize = 8 * 1024;

impl PrivateKey {
    /// A private JWK. Its private members must belong to its public ones.
    pub fn from_jwk(jwk: &Map<String, Value>) -> Result<PrivateKey, String> {
        let stated = jwk::public(jwk)?.ok_or("its curve is not used for signatures here")?;
        let is_private = ["d", "priv"].iter().any(|name| jwk.contains_key(*name));
        if !is_private {
            return Err("it is a public key; a private one is needed to sign".into());
        }
        let secret = |name: &str| octets(jwk, name).map(Zeroizing::new);
        let refused = |_| "its private members do not belong to its public ones".to_owned();
        let key = match &stated {
            PublicKey::Rsa { .. } => PrivateKey::from_pkcs1(&pkcs1(jwk)?)?,
            PublicKey::Ec { curve, point } => {
                let pair = EcdsaKeyPair::from_private_key_and_public_key(ecdsa(*curve), &secret("d")?, point);
                PrivateKey::ec(*curve, pair.map_err(refused)?)?
            }
            PublicKey::Ed25519(public) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(&secret("d")?, public);
                PrivateKey::ed25519(pair.map_err(refused)?)?
            }
            PublicKey::MlDsa { algorithm, .. } => {
                let signer = ml_dsa(*algorithm).ok_or("its algorithm has no ML-DSA keys")?;
                let pair = PqdsaKeyPair::from_seed(signer, &secret("priv")?);
                PrivateKey::ml_dsa(*algorithm, pair.map_err(refused)?)?
            }
        };
        if *key.public() == stated {
            Ok(key)
        } else {
            Err("its private members do not belong to its public ones".into())
        }
    }
}

/// RSAPrivateKey (RFC 8017 section A.1.2) of two primes.
fn pkcs1(jwk: &Map<String, Value>) -> Result<Zeroizing<Vec<u8>>, String> {
    if jwk.contains_key("oth") {
        return Err("it is an RSA key of more than two primes, which are not used here".into());
    }
    let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"].map(|name| octets(jwk, name).map(Zeroizing::new));
    let mut members = Vec::with_capacity(numbers.len());
    for number in numbers {
        members.push(number?);
    }
    let refused = |_| "its members are no numbers of an RSA key".to_owned();
    let mut body = Zeroizing::new(vec![0; ROOM]);
    let mut writer = SliceWriter::new(&mut body);
    UintRef::new(&[0]).and_then(|version| version.encode(&mut writer)).map_err(refused)?;
    for number in &members {
        UintRef::new(number).and_then(|number| number.encode(&mut writer)).map_err(refused)?;
    }
    let body = writer.finish().map_err(refused)?;
    let mut whole = Zeroizing::new(vec![0; ROOM + 8]);
    let mut writer = SliceWriter::new(&mut whole);
    let length = body.len().try_into().map_err(refused)?;
    x509_cert::der::Header::new(x509_cert::der::Tag::Sequence, length).encode(&mut writer).map_err(refused)?;
    writer.write(body).map_err(refused)?;
    let length = writer.finish().map_err(refused)?.len();
    whole.truncate(length);
    Ok(whole)
}
