//! Tokens, each good but for what one or two mutations did to it. A mutation's name is the class by which a difference
//! is known.

mod members;
mod parts;
mod signatures;
mod texts;

use data_encoding::BASE64URL_NOPAD as B64;
use gatepost::crypto::algorithm::Algorithm;
use serde_json::{Map, Value, json};

use crate::keys::{ALGORITHMS, Keys};
use crate::random::Random;

/// The audience that is wanted.
pub const AUDIENCE: &str = "orders";
/// Seconds.
pub const LEEWAY: i64 = 30;

/// A token to ask about.
pub struct Case {
    /// What was done to it.
    pub classes: Vec<&'static str>,
    /// Whose it should be: `secrets` or `keys`.
    pub issuer: &'static str,
    pub algorithm: Algorithm,
    pub token: String,
    /// Its outcome turns on a second: not for a library whose clock cannot be set.
    pub on_the_second: bool,
}

/// A token in the making; each field is there for mutations.
pub struct Draft<'k> {
    pub keys: &'k Keys,
    pub now: i64,
    pub algorithm: Algorithm,
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// The texts of both, once they are written.
    pub header_text: String,
    pub claims_text: String,
    /// Who signs: `None` is the issuer's own key.
    pub signed_by: Option<Signer>,
    pub signature: Vec<u8>,
    /// The parts between dots, once they are encoded.
    pub parts: Vec<String>,
    pub on_the_second: bool,
}

/// Another signer than the issuer.
pub enum Signer {
    /// An attacker's key for the same algorithm.
    Stranger,
    /// A MAC with this secret, by the algorithm that the header names.
    Secret(Vec<u8>),
}

impl Draft<'_> {
    /// The name in `iss`.
    pub fn issuer(&self) -> &'static str {
        if self.algorithm.is_symmetric() { "secrets" } else { "keys" }
    }

    /// What is signed.
    pub fn message(&self) -> String {
        format!("{}.{}", B64.encode(self.header_text.as_bytes()), B64.encode(self.claims_text.as_bytes()))
    }
}

/// Does something to a token.
pub type Change = fn(&mut Draft<'_>, &mut Random);

/// What changes a token, in the order of its making.
pub enum Act {
    Members(Change),
    Texts(Change),
    Signature(Change),
    Parts(Change),
}

pub type Mutation = (&'static str, Act);

/// `https://…` of an issuer.
pub fn url(issuer: &str) -> String {
    format!("https://{issuer}.example.com")
}

/// Each class so many times for each kind of key, and as many tokens again with two mutations.
pub fn all(keys: &Keys, now: i64, seed: u64, times: usize) -> Vec<Case> {
    let mut random = Random::new(seed);
    let groups = [members::ALL, texts::ALL, signatures::ALL, parts::ALL];
    let mutations: Vec<&Mutation> = groups.iter().copied().flatten().collect();
    let mut cases = Vec::new();
    for algorithm in ALGORITHMS {
        cases.push(make(keys, now, algorithm, &[], &mut random));
    }
    for mutation in &mutations {
        for _ in 0..times {
            let algorithm = *random.pick(&ALGORITHMS);
            cases.push(make(keys, now, algorithm, &[mutation], &mut random));
        }
    }
    for _ in 0..mutations.len() * times / 4 {
        let (algorithm, first) = (*random.pick(&ALGORITHMS), *random.pick(&mutations));
        // Those of parts expect three whole ones.
        let second = loop {
            let second = *random.pick(&mutations);
            if second.0 != first.0 && !matches!((&first.1, &second.1), (Act::Parts(_), Act::Parts(_))) {
                break second;
            }
        };
        cases.push(make(keys, now, algorithm, &[first, second], &mut random));
    }
    cases
}

fn make(keys: &Keys, now: i64, algorithm: Algorithm, mutations: &[&Mutation], random: &mut Random) -> Case {
    let mut draft = Draft {
        keys,
        now,
        algorithm,
        header: Map::new(),
        claims: Map::new(),
        header_text: String::new(),
        claims_text: String::new(),
        signed_by: None,
        signature: Vec::new(),
        parts: Vec::new(),
        on_the_second: false,
    };
    let fill = |map: &mut Map<String, Value>, value: Value| *map = value.as_object().unwrap().clone();
    fill(&mut draft.header, json!({ "alg": algorithm.name(), "kid": keys.own(algorithm).kid }));
    let claims = json!({
        "iss": url(draft.issuer()), "aud": AUDIENCE, "sub": format!("user-{}", random.below(100)),
        "iat": now - 600, "exp": now + 3_600, "jti": format!("{:x}", random.next()), "scope": "read write",
        "roles": ["clerk"],
    });
    fill(&mut draft.claims, claims);

    let mut apply = |draft: &mut Draft<'_>, wanted: fn(&Act) -> Option<Change>| {
        for (_, act) in mutations {
            if let Some(change) = wanted(act) {
                change(draft, random);
            }
        }
    };
    apply(&mut draft, |act| if let Act::Members(change) = act { Some(*change) } else { None });
    draft.header_text = Value::Object(draft.header.clone()).to_string();
    draft.claims_text = Value::Object(draft.claims.clone()).to_string();
    apply(&mut draft, |act| if let Act::Texts(change) = act { Some(*change) } else { None });
    draft.signature = sign(&draft);
    apply(&mut draft, |act| if let Act::Signature(change) = act { Some(*change) } else { None });
    draft.parts = vec![
        B64.encode(draft.header_text.as_bytes()),
        B64.encode(draft.claims_text.as_bytes()),
        B64.encode(&draft.signature),
    ];
    apply(&mut draft, |act| if let Act::Parts(change) = act { Some(*change) } else { None });
    Case {
        classes: mutations.iter().map(|(name, _)| *name).collect(),
        issuer: draft.issuer(),
        algorithm,
        token: draft.parts.join("."),
        on_the_second: draft.on_the_second,
    }
}

/// By the algorithm that the header names where the key can, so that a swapped one is not found out by chance.
fn sign(draft: &Draft<'_>) -> Vec<u8> {
    let named = draft.header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_name);
    let algorithm = named.unwrap_or(draft.algorithm);
    let message = draft.message();
    match &draft.signed_by {
        None => draft.keys.own(draft.algorithm).sign(algorithm, message.as_bytes()),
        Some(Signer::Stranger) => draft.keys.stranger(draft.algorithm).sign(algorithm, message.as_bytes()),
        Some(Signer::Secret(secret)) => crate::keys::mac(algorithm, secret, message.as_bytes()),
    }
}
