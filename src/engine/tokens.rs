//! Tokens that are remembered, so that one that is seen again costs no signature check.
//!
//! **What is remembered** is that a token's signature, audience, type and claims were right, and who it says that it is:
//! what depends on its bytes, on the keys of its issuer and on the policy, and on nothing else. It is found by all its
//! bytes: a keyed hash of its length and its end, where the signature is, leads to a place, and there every byte is
//! compared. Each set of keys has a number that no other set ever has, and a token that another set proved is verified
//! anew. All of it lives with the policy in force, so that a reload forgets everything.
//!
//! **What is asked at each use**: its times, whether it is revoked, who holds it, and of a local user what the state says.
//! Refusals are not remembered, so nobody can fill the memory with tokens that are not good.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};

use crate::crypto::keyed::mix;
use crate::crypto::{compare, random};
use crate::engine::verified::{Shown, Token};
use crate::error::Error;
use crate::token::claims::Clock;
use crate::token::{Keyring, Refused};

/// What one remembered token takes besides its own text and that of its claims, octets; more than is usual.
const OVERHEAD: usize = 1_792;

/// What a text of its own takes besides its octets.
const WORD: usize = 56;

/// The tokens that are remembered under one policy, so many octets of them.
pub(super) struct Tokens(Option<Cache<Sent, Arc<Token>, Weight, Places>>);

impl Tokens {
    /// Room for so many octets; 0: nothing is remembered. Without randomness neither.
    pub(super) fn new(room: usize) -> Tokens {
        let keys = || Ok::<_, Error>([u64::from_le_bytes(random::bytes()?), u64::from_le_bytes(random::bytes()?)]);
        let cache = |keys| {
            let mut options = OptionsBuilder::new();
            options.weight_capacity(room as u64).estimated_items_capacity(room / (OVERHEAD + 1_024));
            options
                .build()
                .ok()
                .map(|options| Cache::with_options(options, Weight, Places(keys), DefaultLifecycle::default()))
        };
        Tokens(if room == 0 { None } else { keys().ok().and_then(cache) })
    }

    /// The token of exactly these bytes, proved by the keys that are in force, at a time at which it holds; `None` where
    /// it is not remembered.
    pub(super) fn find(&self, sent: &[u8], keys: &Keyring, clock: Clock) -> Result<Option<Arc<Token>>, Refused> {
        let Some(token) = self.0.as_ref().and_then(|cache| cache.get(&Spelling(sent))) else { return Ok(None) };
        if keys.epoch_at(token.verified.issuer, clock.now) != token.verified.key_epoch {
            return Ok(None);
        }
        token.verified.times().check(clock)?;
        Ok(Some(token))
    }

    /// Remembers a token that was just verified, where any is; otherwise it is its request's alone.
    pub(super) fn note(&self, sent: &[u8], token: Token, shown: &mut Shown) {
        let Some(cache) = &self.0 else {
            shown.alone = Some(token);
            return;
        };
        let token = Arc::new(token);
        cache.insert(Sent(sent.into()), Arc::clone(&token));
        shown.kept = Some(token);
    }

    /// Forgets what has expired; housekeeping.
    pub(super) fn sweep(&self, clock: Clock) {
        if let Some(cache) = &self.0 {
            cache.retain(|_, token| token.verified.times().check(clock).is_ok());
        }
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// A token's bytes. They are kept as they are: a digest that could stand for them costs as much as a MAC.
struct Sent(Box<[u8]>);

/// The same, borrowed.
struct Spelling<'t>(&'t [u8]);

impl Hash for Sent {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Spelling(&self.0).hash(state);
    }
}

impl Hash for Spelling<'_> {
    /// A place and no more: whoever has a token that is good cannot choose the end of its signature, and what falls
    /// together is still told apart.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let end = self.0.last_chunk::<32>().copied().unwrap_or_default();
        end.as_chunks::<8>().0.iter().for_each(|word| state.write_u64(u64::from_le_bytes(*word)));
        state.write_u64(self.0.len() as u64);
    }
}

impl PartialEq for Sent {
    fn eq(&self, other: &Sent) -> bool {
        compare::equal_text(&self.0, &other.0)
    }
}

impl Eq for Sent {}

impl Equivalent<Sent> for Spelling<'_> {
    fn equivalent(&self, key: &Sent) -> bool {
        compare::equal_text(self.0, &key.0)
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Sent, Arc<Token>> for Weight {
    fn weight(&self, sent: &Sent, token: &Arc<Token>) -> u64 {
        let claims = token.verified.claims.text();
        // Claims are kept once, and what of them is in the identity and its headers is about as long; but that each
        // scope, role and factor is a text of its own there. More of them than are set apart there cannot be.
        let words = claims.bytes().filter(|octet| matches!(octet, b' ' | b',' | b'\t' | b'\n' | b'\r')).count();
        let texts = claims.len().saturating_mul(2).saturating_add(words.saturating_mul(WORD));
        // Among the headers, as C reads them, and as they are written for others.
        let subject = token.verified.subject().len().saturating_mul(2);
        sent.0.len().saturating_add(texts).saturating_add(subject).saturating_add(OVERHEAD) as u64
    }
}

/// Hashes under two keys of this memory.
#[derive(Clone)]
struct Places([u64; 2]);

impl BuildHasher for Places {
    type Hasher = Folding;

    fn build_hasher(&self) -> Folding {
        let [start, key] = self.0;
        // Odd, so that no bit is lost in a product.
        Folding { folded: start, key: key | 1 }
    }
}

struct Folding {
    folded: u64,
    key: u64,
}

impl Hasher for Folding {
    fn finish(&self) -> u64 {
        self.folded
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        self.folded = mix(self.folded ^ word, self.key) ^ self.key.rotate_left(32);
    }
}

#[cfg(test)]
mod tests;
