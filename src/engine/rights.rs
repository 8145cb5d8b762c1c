//! What tokens give, kept for the next token that says the same: the roles with all that they include, the permissions,
//! the scopes, and the headers that say so. All of that follows from the policy and from a few claims, which most tokens
//! of an issuer write alike; only the subject is another one each time.
//!
//! Found by the claims as they are written, every octet compared. Only tokens that are proved come here. A table of
//! fixed size, where one entry takes the place of another: to forget costs no more than to make it again.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use crate::answer::identity::said;
use crate::crypto::keyed::mix;
use crate::crypto::random;
use crate::decision::Said;
use crate::identity::{Rights, Scheme};
use crate::json::{Kind, Raw};
use crate::policy::Policy;
use crate::policy::model::Issuer;
use crate::token::Verified;
use crate::token::claims::Names;

/// Entries; a power of two.
const PLACES: usize = 256;
/// Octets of claims that an entry is kept for; what is longer is made anew each time.
const LONGEST: usize = 1_024;

thread_local! {
    /// Where this thread found something last: the next token of the same issuer most often says the same.
    static LAST: Cell<usize> = const { Cell::new(0) };
}

/// The rights that were given last.
pub(super) struct Given {
    places: Box<[ArcSwapOption<Entry>]>,
    key: u64,
}

/// Rights, with the headers that say so.
pub(super) struct Entry {
    issuer: usize,
    claims: [Option<(Kind, Box<str>)>; 3],
    pub(super) rights: Arc<Rights>,
    pub(super) said: Arc<Said>,
}

impl Given {
    /// None yet.
    pub(super) fn new() -> Given {
        // Without randomness nothing goes wrong but that a stranger could know what falls together.
        let key = random::bytes().map_or(0, u64::from_le_bytes);
        Given { places: (0..PLACES).map(|_| ArcSwapOption::empty()).collect(), key: key | 1 }
    }

    /// What a token of this issuer gives that only speaks for itself.
    pub(super) fn of<R>(
        &self,
        verified: &Verified,
        issuer: &Issuer,
        policy: &Policy,
        take: impl FnOnce(&Entry) -> R,
    ) -> R {
        let claims = verified.giving();
        if let Some(place) = self.places.get(LAST.get())
            && let Some(entry) = place.load().as_ref().filter(|entry| entry.is_for(verified.issuer, &claims))
        {
            return take(entry);
        }
        self.of_another(verified.issuer, &claims, || Entry::new(verified, claims, issuer, policy), take)
    }

    #[inline(never)]
    fn of_another<R>(
        &self,
        issuer: usize,
        claims: &[Option<Raw<'_>>; 3],
        make: impl FnOnce() -> Entry,
        take: impl FnOnce(&Entry) -> R,
    ) -> R {
        let length: usize = claims.iter().flatten().map(|claim| claim.written().len()).sum();
        let index = self.place(issuer, claims);
        let Some(place) = self.places.get(index).filter(|_| length <= LONGEST) else { return take(&make()) };
        LAST.set(index);
        if let Some(entry) = place.load().as_ref().filter(|entry| entry.is_for(issuer, claims)) {
            return take(entry);
        }
        let entry = make();
        let taken = take(&entry);
        place.store(Some(Arc::new(entry)));
        taken
    }

    fn place(&self, issuer: usize, claims: &[Option<Raw<'_>>; 3]) -> usize {
        let mut sum = self.key ^ issuer as u64;
        for claim in claims {
            let text = claim.map_or("", Raw::written).as_bytes();
            let (words, rest) = text.as_chunks::<8>();
            words.iter().for_each(|word| sum = mix(sum ^ u64::from_le_bytes(*word), self.key));
            let rest = rest.iter().fold(text.len() as u64, |rest, byte| rest << 8 | u64::from(*byte));
            sum = mix(sum ^ rest, self.key);
        }
        usize::try_from(sum % PLACES as u64).unwrap_or(0)
    }
}

impl Entry {
    fn new(verified: &Verified, claims: [Option<Raw<'_>>; 3], issuer: &Issuer, policy: &Policy) -> Entry {
        let roles = policy.roles.closure(granted(issuer, &verified.roles()));
        let rights = Rights {
            issuer: issuer.issuer.clone(),
            permissions: policy.roles.permissions(roles.iter().map(String::as_str)).into_iter().collect(),
            roles: roles.into_iter().collect(),
            scopes: owned(verified.scopes()),
            scopes_narrow_permissions: false,
            factors: owned(verified.factors()),
        };
        Entry {
            issuer: verified.issuer,
            claims: claims.map(|claim| claim.map(|claim| (claim.kind(), claim.written().into()))),
            said: Arc::new(said(&policy.identity, &rights, Scheme::Bearer)),
            rights: Arc::new(rights),
        }
    }

    fn is_for(&self, issuer: usize, claims: &[Option<Raw<'_>>; 3]) -> bool {
        let same = |(own, claim): (&Option<(Kind, Box<str>)>, &Option<Raw<'_>>)| match (own, claim) {
            (Some((kind, text)), Some(claim)) => *kind == claim.kind() && **text == *claim.written(),
            (None, None) => true,
            _ => false,
        };
        self.issuer == issuer && self.claims.iter().zip(claims).all(same)
    }
}

impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given")
    }
}

/// The roles that the issuer may give; names that no role defines fall away with the closure.
fn granted<'t>(issuer: &'t Issuer, roles: &'t [Cow<'_, str>]) -> impl Iterator<Item = &'t str> {
    let may = |role: &&str| issuer.grants.as_ref().is_none_or(|grants| grants.iter().any(|grant| grant == role));
    roles.iter().map(Cow::as_ref).filter(may)
}

/// Names as an identity keeps them.
pub(super) fn owned(names: Names<'_>) -> Vec<String> {
    names.into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests;
