//! What the host hands in: one HTTP request as borrowed bytes. Nothing here decides anything.

pub mod field;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One field line of a request, as received.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header<'a> {
    /// Field name, in the spelling received.
    pub name: &'a [u8],
    /// Field value without the line break.
    pub value: &'a [u8],
}

/// One HTTP request, borrowed from the host for the length of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// The method, case-sensitive (RFC 9110 section 9.1).
    pub method: &'a [u8],
    /// The raw request-target as the client sent it (RFC 9112 section 3.2).
    pub target: &'a [u8],
    /// `:authority`, or empty: then the `Host` field counts.
    pub host: &'a [u8],
    /// Address of the direct peer, or `unix:`.
    pub peer: &'a [u8],
    /// The host's own id for the request, or empty: then the engine draws one.
    pub request_id: &'a [u8],
    /// The client certificate in DER, or empty.
    pub client_cert_der: &'a [u8],
    /// The body, or empty.
    pub body: &'a [u8],
    /// All field lines, complete and in order.
    pub headers: &'a [Header<'a>],
    /// The connection to the direct peer is TLS.
    pub tls: bool,
    /// `body` is all of it.
    pub body_complete: bool,
    /// The host verified the client certificate's chain.
    pub cert_verified: bool,
    /// Unix seconds to decide at; `None`: the engine's clock.
    pub now: Option<i64>,
    /// The host's own pointer, handed back with the events of this request. Never followed.
    pub user: usize,
}

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// An address; IPv4-mapped IPv6 is already IPv4.
    Ip(IpAddr),
    /// A Unix-domain socket.
    Unix,
    /// Not given, or not an address.
    Unknown,
}

impl Peer {
    /// Reads an address (also `[v6]`, with or without a port) or `unix:`.
    pub fn parse(text: &[u8]) -> Peer {
        if let Some(address) = dotted(text).map(IpAddr::V4).filter(|address| !address.is_unspecified()) {
            return Peer::Ip(address);
        }
        if text.starts_with(b"unix:") {
            return Peer::Unix;
        }
        match std::str::from_utf8(text).ok().and_then(parse_address) {
            Some(ip) => Peer::Ip(ip),
            None => Peer::Unknown,
        }
    }

    /// The address, where there is one.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Peer::Ip(ip) => Some(ip),
            Peer::Unix | Peer::Unknown => None,
        }
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Ip(ip) => ip.fmt(f),
            Peer::Unix => f.write_str("unix:"),
            Peer::Unknown => f.write_str("unknown"),
        }
    }
}

/// Reads `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:80`; nothing else. `0.0.0.0` and
/// `::` are nobody's address.
pub fn parse_address(text: &str) -> Option<IpAddr> {
    read_address(text).filter(|address| !address.is_unspecified())
}

fn read_address(text: &str) -> Option<IpAddr> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Some(canonical(ip));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (inside, after) = rest.split_once(']')?;
        if !(after.is_empty() || after.strip_prefix(':').is_some_and(is_port)) {
            return None;
        }
        return inside.parse::<Ipv6Addr>().ok().map(|ip| canonical(IpAddr::V6(ip)));
    }
    let (address, port) = text.split_once(':')?;
    if !is_port(port) {
        return None;
    }
    address.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
}

/// What most peers are, at a tenth of the cost: four numbers of one to three digits, without leading zeros. The
/// standard library has the last word on all else.
fn dotted(text: &[u8]) -> Option<Ipv4Addr> {
    let mut octets = [0u8; 4];
    let mut rest = text;
    for (index, octet) in octets.iter_mut().enumerate() {
        let mut value = 0u16;
        let mut digits = 0;
        while let Some((digit @ b'0'..=b'9', after)) = rest.split_first() {
            if digits == 3 || (digits == 1 && value == 0) {
                return None;
            }
            value = value * 10 + u16::from(digit - b'0');
            digits += 1;
            rest = after;
        }
        *octet = if digits == 0 { return None } else { u8::try_from(value).ok()? };
        if index < 3 {
            rest = rest.strip_prefix(b".")?;
        }
    }
    rest.is_empty().then(|| Ipv4Addr::from(octets))
}

/// A TCP port in digits.
pub fn is_port(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// IPv4-mapped IPv6 is IPv4 (RFC 4291 section 2.5.5.2).
fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn dotted_quads_are_those_of_the_standard_library(text in "[0-9]{0,4}(\\.[0-9]{0,4}){2,4}\\.?|[0-9.x]{0,16}") {
            prop_assert_eq!(dotted(text.as_bytes()), text.parse::<Ipv4Addr>().ok());
        }
    }

    #[test]
    fn addresses_are_read_in_every_usual_form_and_nothing_else_is() {
        for (text, wanted) in [
            ("192.0.2.7", "192.0.2.7"),
            ("192.0.2.7:1234", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(Peer::parse(text.as_bytes()), Peer::Ip(wanted.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "unknown",
            "192.0.2",
            "192.0.2.7:",
            "192.0.2.7:99999",
            "[::1",
            "[::1]x",
            "[192.0.2.7]",
            "fe80::1%eth0",
            " 1.2.3.4",
            "0.0.0.0",
            "::",
            "[::]:80",
            "::ffff:0.0.0.0",
        ] {
            assert_eq!(Peer::parse(text.as_bytes()), Peer::Unknown, "{text}");
        }
        assert_eq!(Peer::parse(b"unix:/run/x.sock"), Peer::Unix);
    }
}
