//! The public keys of our own signers, for others who verify their tokens.

use serde_json::{Map, Value, json};

use crate::policy::model::{Policy, Signer};

/// A JWK Set (RFC 7517) of the keys of these signers, those that sign and those that signed before; each key once. Shared
/// secrets have no public half and are not in it.
pub fn key_set<'p>(policy: &'p Policy, signers: impl IntoIterator<Item = &'p Signer>) -> Value {
    let mut keys: Vec<Value> = Vec::new();
    for signer in signers {
        let sources = policy.issuers.get(signer.believed).map_or(&[][..], |issuer| issuer.sources.as_slice());
        let all = sources.iter().filter_map(|source| source.keys.as_ref()).flat_map(|set| set.iter());
        for key in all {
            let Some(public) = key.public() else { continue };
            let mut jwk: Map<String, Value> = public.to_jwk();
            jwk.insert("use".into(), "sig".into());
            // Each key of a signer is for one algorithm.
            jwk.extend(key.algorithms().first().map(|algorithm| ("alg".to_owned(), algorithm.name().into())));
            jwk.extend(key.kid.as_ref().map(|kid| ("kid".to_owned(), kid.as_str().into())));
            let jwk = Value::Object(jwk);
            if !keys.contains(&jwk) {
                keys.push(jwk);
            }
        }
    }
    json!({ "keys": keys })
}
