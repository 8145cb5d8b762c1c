//! What an attempt is counted under.

use std::net::IpAddr;

use super::table::Key;
use crate::crypto::sip::Sip;
use crate::request::Peer;

/// What a counter is of. It stands in the last two bits of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Account,
    Address,
    Prefix,
    Pair,
}

/// How many there are.
pub(super) const KINDS: usize = 4;

impl Kind {
    pub(super) fn of(self, hash: u64) -> Key {
        hash & !3 | self as u64
    }

    /// The index of that of a key.
    pub(super) fn index(key: Key) -> usize {
        (key & 3) as usize
    }
}

/// The counters that an attempt may fall under.
#[derive(Debug)]
pub(super) struct Keys {
    pub(super) pair: Option<Key>,
    pub(super) others: Others,
}

/// Those that a pair which has succeeded is exempt from: of the account, the address and the prefix.
pub(super) type Others = [Option<Key>; 3];

/// What an attempt is counted under; a key is made when it is asked for.
pub(super) struct Subject<'a> {
    pub(super) hasher: &'a Sip,
    pub(super) account: Option<&'a str>,
    pub(super) ends: Ends,
}

impl Subject<'_> {
    pub(super) fn pair(&self) -> Option<Key> {
        self.account.map(|name| Kind::Pair.of(self.hash(b'p', self.ends.address, name)))
    }

    pub(super) fn others(&self) -> Others {
        let account = self.account.map(|name| Kind::Account.of(self.hasher.hash(&[u64::from(b'n')], name.as_bytes())));
        let of = |kind: Kind, mark, address| self.ends.counted.then(|| kind.of(self.hash(mark, address, "")));
        [account, of(Kind::Address, b'a', self.ends.address), of(Kind::Prefix, b'x', self.ends.prefix)]
    }

    /// Each kind of key, for each family, is made of as many words each time, so that no two read alike.
    fn hash(&self, kind: u8, address: u128, name: &str) -> u64 {
        let first = u64::from_be_bytes([0, 0, 0, 0, 0, 0, kind, self.ends.family]);
        let (high, low) = ((address >> 64) as u64, address as u64);
        match self.ends.family {
            6 => self.hasher.hash(&[first, high, low], name.as_bytes()),
            // Any other address has its place beside the kind.
            _ => self.hasher.hash(&[first | low << 32], name.as_bytes()),
        }
    }

    pub(super) fn keys(&self) -> Keys {
        Keys { pair: self.pair(), others: self.others() }
    }
}

/// A peer as numbers: its address, and its /24 or /64.
pub(super) struct Ends {
    pub(super) family: u8,
    pub(super) address: u128,
    prefix: u128,
    /// Counts as an address. A Unix-domain socket is no address: behind it may be everybody.
    counted: bool,
}

impl Ends {
    pub(super) fn of(peer: Peer) -> Ends {
        let ends = |family, address: u128, host: u32| Ends { family, address, prefix: address >> host, counted: true };
        match peer {
            Peer::Ip(ip) => match ip.to_canonical() {
                IpAddr::V4(ip) => ends(4, u128::from(ip.to_bits()), 8),
                IpAddr::V6(ip) => ends(6, ip.to_bits(), 64),
            },
            Peer::Unix => Ends { counted: false, ..ends(1, 0, 0) },
            // All whose address is not known share one counter.
            Peer::Unknown => ends(0, 0, 0),
        }
    }
}
