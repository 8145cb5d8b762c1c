//! Address ranges in CIDR notation (RFC 4632, RFC 4291).

use std::net::IpAddr;

/// An address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network {
    base: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address. Host bits must be zero: a range that is not what it
    /// looks like is an operator's slip.
    pub fn parse(text: &str) -> Result<Network, &'static str> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let base: IpAddr =
            address.parse().map_err(|_| "not an IP address; write it like 10.0.0.0/8 or 2001:db8::/32")?;
        let widest: u8 = if base.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            None => widest,
            Some(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => text
                .parse::<u8>()
                .ok()
                .filter(|&bits| bits <= widest)
                .ok_or("the prefix length is too large for this kind of address")?,
            Some(_) => return Err("the prefix length after `/` is not a number"),
        };
        let network = Network { base, bits };
        if network.masked(base) != network.masked_base_raw() {
            return Err("bits after the prefix are set; write the first address of the range");
        }
        Ok(network)
    }

    /// The address lies in the range. IPv4 and IPv6 never match each other.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.base.is_ipv4() == address.is_ipv4() && self.masked(address) == self.masked(self.base)
    }

    fn masked(&self, address: IpAddr) -> u128 {
        let (value, widest) = number(address);
        let drop = widest.saturating_sub(u32::from(self.bits));
        value.checked_shr(drop).unwrap_or(0).checked_shl(drop).unwrap_or(0)
    }

    fn masked_base_raw(&self) -> u128 {
        number(self.base).0
    }
}

fn number(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)), 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_their_addresses_and_no_others() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "::1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.8", false),
        ];
        for (range, address, wanted) in cases {
            assert_eq!(Network::parse(range).unwrap().contains(address.parse().unwrap()), wanted, "{range} {address}");
        }
    }

    #[test]
    fn slips_are_refused() {
        for text in
            ["10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10/8", "", "example.com", "2001:db8::1/64"]
        {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
