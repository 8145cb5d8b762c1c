//! Who the client is, behind the proxies whose word is believed: address, scheme and host.

use std::borrow::Cow;

use crate::policy::model::{ForwardedHeader, Proxies};
use crate::reading::fields::Fields;
use crate::request::field::trim;
use crate::request::{Peer, Request, parse_address};

/// The client as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address; [`Peer::Unknown`] where a trusted proxy says something that is no address.
    pub address: Peer,
    /// Its connection is TLS; `None`: a trusted proxy says something that is neither.
    pub tls: Option<bool>,
    /// The direct peer is trusted.
    pub through_proxy: bool,
}

impl Client {
    /// Reads the peer and, where it is trusted, what it says.
    pub fn read(request: &Request<'_>, fields: &Fields<'_>, proxies: &Proxies) -> Client {
        let peer = Peer::parse(request.peer);
        if !is_trusted(peer, proxies) {
            return Client { address: peer, tls: Some(request.tls), through_proxy: false };
        }
        let address = match proxies.header {
            ForwardedHeader::XForwardedFor => {
                furthest(peer, proxies, elements(&fields.forwarded).rev().map(plain_address))
            }
            ForwardedHeader::Forwarded => {
                furthest(peer, proxies, forwarded_elements(&fields.forwarded).map(|e| forwarded_for(&e)))
            }
        };
        Client { address, tls: scheme(request, fields, proxies), through_proxy: true }
    }
}

/// What a trusted proxy says of the host, where the policy believes it; the last element is the nearest proxy's. A
/// `Forwarded` that cannot be read says a host that cannot be read, not none.
pub fn forwarded_host<'a>(fields: &Fields<'a>, client: &Client, proxies: &Proxies) -> Option<Cow<'a, [u8]>> {
    if !client.through_proxy {
        return None;
    }
    let value = fields.forwarded_host.last()?;
    if !is_forwarded(&proxies.host) {
        return value.rsplit(|b| *b == b',').next().map(trim).map(Cow::Borrowed);
    }
    let nearest = forwarded_elements(&fields.forwarded_host).next()?;
    if nearest.is_empty() {
        return Some(Cow::Borrowed(b""));
    }
    nearest.into_iter().find(|(name, _)| name == "host").map(|(_, value)| Cow::Owned(value.into_bytes()))
}

/// The policy names the field of RFC 7239, whose value is read by parameters.
fn is_forwarded(name: &Option<String>) -> bool {
    name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case("forwarded"))
}

fn is_trusted(peer: Peer, proxies: &Proxies) -> bool {
    match peer {
        Peer::Ip(ip) => proxies.trusted.iter().any(|network| network.contains(ip)),
        Peer::Unix => proxies.trust_unix,
        Peer::Unknown => false,
    }
}

/// Walks from the right past trusted peers; an element that is no address stops there, and nothing is known.
fn furthest(peer: Peer, proxies: &Proxies, elements: impl Iterator<Item = Peer>) -> Peer {
    let mut current = peer;
    for element in elements {
        current = element;
        if !is_trusted(current, proxies) {
            break;
        }
    }
    current
}

/// The elements of a list field over all its lines (RFC 9110 section 5.6.1), empty ones too: they are no addresses.
fn elements<'v>(values: &'v [&'v [u8]]) -> impl DoubleEndedIterator<Item = &'v [u8]> {
    values.iter().flat_map(|value| value.split(|b| *b == b',').map(trim))
}

fn plain_address(element: &[u8]) -> Peer {
    match Peer::parse(element) {
        Peer::Ip(ip) => Peer::Ip(ip),
        Peer::Unix | Peer::Unknown => Peer::Unknown,
    }
}

fn scheme(request: &Request<'_>, fields: &Fields<'_>, proxies: &Proxies) -> Option<bool> {
    if proxies.scheme.is_none() {
        return Some(request.tls);
    }
    let Some(value) = fields.forwarded_scheme.last() else { return Some(request.tls) };
    let said = if is_forwarded(&proxies.scheme) {
        let nearest = forwarded_elements(&fields.forwarded_scheme).next()?;
        nearest.into_iter().find(|(name, _)| name == "proto").map(|(_, value)| value.into_bytes())
    } else {
        value.rsplit(|b| *b == b',').next().map(|v| trim(v).to_vec())
    };
    match said?.to_ascii_lowercase().as_slice() {
        b"https" | b"wss" => Some(true),
        b"http" | b"ws" => Some(false),
        _ => None,
    }
}

/// The most parameters of one element that are read; RFC 7239 knows four.
const MOST_PARAMETERS: usize = 16;

/// Parameters of one `Forwarded` element, names in lower case.
type Element = Vec<(String, String)>;

/// The elements of `Forwarded` (RFC 7239 section 4) from the right. One that cannot be read comes out empty, and so
/// does everything before it.
fn forwarded_elements(values: &[&[u8]]) -> impl Iterator<Item = Element> {
    let mut all = Vec::new();
    for value in values {
        match parse_forwarded(value) {
            Some(elements) => all.extend(elements),
            None => {
                all.clear();
                all.push(Element::new());
            }
        }
    }
    all.into_iter().rev()
}

fn parse_forwarded(value: &[u8]) -> Option<Vec<Element>> {
    let text = std::str::from_utf8(value).ok()?;
    let mut elements = Vec::new();
    let mut element = Element::new();
    let mut rest = text.trim_matches([' ', '\t']);
    loop {
        let (name, after) = rest.split_once('=')?;
        let name = name.trim_matches([' ', '\t']).to_ascii_lowercase();
        let (value, after) = parameter_value(after)?;
        if name.is_empty() || element.len() >= MOST_PARAMETERS || element.iter().any(|(known, _)| *known == name) {
            return None;
        }
        element.push((name, value));
        let after = after.trim_start_matches([' ', '\t']);
        let Some(separator) = after.chars().next() else {
            elements.push(element);
            return Some(elements);
        };
        match separator {
            ';' => {}
            ',' => elements.push(std::mem::take(&mut element)),
            _ => return None,
        }
        rest = after.get(1..)?.trim_start_matches([' ', '\t']);
    }
}

/// A token or quoted-string at the start of `text`, and what follows it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ',', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return (!value.is_empty() && !value.contains('"')).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, quoted.get(at.checked_add(1)?..)?)),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

fn forwarded_for(element: &Element) -> Peer {
    let node = element.iter().find(|(name, _)| name == "for").map(|(_, value)| value.as_str());
    node.and_then(parse_address).map_or(Peer::Unknown, Peer::Ip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::network::Network;

    fn client(header: ForwardedHeader, peer: &str, values: &[&str]) -> Peer {
        let proxies = Proxies {
            trusted: vec![Network::parse("127.0.0.0/8").unwrap(), Network::parse("10.0.0.0/8").unwrap()],
            header,
            ..Proxies::default()
        };
        let mut fields = Fields::default();
        fields.forwarded.extend(values.iter().map(|v| v.as_bytes()));
        let request = Request { peer: peer.as_bytes(), ..Request::default() };
        Client::read(&request, &fields, &proxies).address
    }

    fn ip(text: &str) -> Peer {
        Peer::Ip(text.parse().unwrap())
    }

    #[test]
    fn x_forwarded_for_is_read_from_the_right_past_trusted_peers() {
        let xff = |peer, values: &[&str]| client(ForwardedHeader::XForwardedFor, peer, values);
        assert_eq!(xff("192.0.2.1", &["203.0.113.9"]), ip("192.0.2.1"), "an untrusted peer is not believed");
        assert_eq!(xff("127.0.0.1", &[]), ip("127.0.0.1"));
        assert_eq!(xff("127.0.0.1", &["203.0.113.9"]), ip("203.0.113.9"));
        assert_eq!(xff("127.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.5"]), ip("203.0.113.9"));
        assert_eq!(xff("127.0.0.1", &["1.1.1.1", "203.0.113.9"]), ip("203.0.113.9"), "lines are one list");
        assert_eq!(xff("127.0.0.1", &["10.0.0.7, 10.0.0.8"]), ip("10.0.0.7"));
        assert_eq!(xff("127.0.0.1", &["203.0.113.9, garbage"]), Peer::Unknown);
        assert_eq!(xff("127.0.0.1", &["203.0.113.9,"]), Peer::Unknown);
        assert_eq!(xff("127.0.0.1", &["unix:"]), Peer::Unknown);
        assert_eq!(xff("127.0.0.1", &["garbage, 203.0.113.9"]), ip("203.0.113.9"));
        assert_eq!(xff("127.0.0.1", &["[2001:db8::1]:443"]), ip("2001:db8::1"));
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let forwarded = |values: &[&str]| client(ForwardedHeader::Forwarded, "127.0.0.1", values);
        assert_eq!(forwarded(&["for=192.0.2.43"]), ip("192.0.2.43"));
        assert_eq!(forwarded(&["For=\"[2001:db8:cafe::17]:4711\";proto=https"]), ip("2001:db8:cafe::17"));
        assert_eq!(forwarded(&["for=192.0.2.43, for=10.0.0.1;by=203.0.113.43"]), ip("192.0.2.43"));
        assert_eq!(forwarded(&["for=192.0.2.43", "for=_hidden"]), Peer::Unknown);
        assert_eq!(forwarded(&["for=unknown"]), Peer::Unknown);
        assert_eq!(forwarded(&["proto=https"]), Peer::Unknown);
        assert_eq!(forwarded(&["for=\"192.0.2.43\\\""]), Peer::Unknown);
        assert_eq!(forwarded(&["for=\"a,for=1.2.3.4"]), Peer::Unknown, "an open quotation mark hides nothing");
        assert_eq!(forwarded(&["garbage", "for=192.0.2.43"]), ip("192.0.2.43"));
        assert_eq!(forwarded(&["for=192.0.2.43", "garbage"]), Peer::Unknown);
        assert_eq!(forwarded(&["for=1.2.3.4;for=5.6.7.8"]), Peer::Unknown);
        let parameters = |n: usize| (1..n).fold("for=192.0.2.43".to_owned(), |text, i| format!("{text};x{i}=1"));
        assert_eq!(forwarded(&[&parameters(16)]), ip("192.0.2.43"));
        assert_eq!(forwarded(&[&parameters(17)]), Peer::Unknown, "each is held against all before it");
    }

    #[test]
    fn the_host_is_believed_from_a_trusted_proxy_only_and_read_as_its_field_is_written() {
        let read = |peer: &str, field: &str, value: &str| {
            let trusted = vec![Network::parse("127.0.0.1").unwrap()];
            let proxies = Proxies { trusted, host: Some(field.into()), ..Proxies::default() };
            let mut fields = Fields::default();
            fields.forwarded_host.push(value.as_bytes());
            let client = Client::read(&Request { peer: peer.as_bytes(), ..Request::default() }, &fields, &proxies);
            forwarded_host(&fields, &client, &proxies).map(|host| String::from_utf8(host.into_owned()).unwrap())
        };
        let plain = |peer, value| read(peer, "X-Forwarded-Host", value);
        assert_eq!(plain("127.0.0.1", "a.example, b.example").as_deref(), Some("b.example"));
        assert_eq!(plain("192.0.2.1", "b.example"), None);
        assert_eq!(plain("127.0.0.1", "").as_deref(), Some(""), "refused by who reads it");
        let forwarded = |value| read("127.0.0.1", "forwarded", value);
        assert_eq!(forwarded("host=a.example, for=x;host=\"b.example:8443\"").as_deref(), Some("b.example:8443"));
        assert_eq!(forwarded("host=a.example, for=x"), None, "the nearest proxy says nothing of it");
        assert_eq!(forwarded("garbage").as_deref(), Some(""));
    }

    #[test]
    fn the_scheme_is_believed_from_a_trusted_proxy_only() {
        let read = |peer: &str, value: Option<&str>, tls| {
            let trusted = vec![Network::parse("127.0.0.1").unwrap()];
            let proxies = Proxies { trusted, scheme: Some("X-Forwarded-Proto".into()), ..Proxies::default() };
            let mut fields = Fields::default();
            fields.forwarded_scheme.extend(value.iter().map(|v| v.as_bytes()));
            Client::read(&Request { peer: peer.as_bytes(), tls, ..Request::default() }, &fields, &proxies).tls
        };
        assert_eq!(read("127.0.0.1", Some("https"), false), Some(true));
        assert_eq!(read("127.0.0.1", Some("HTTP"), true), Some(false));
        assert_eq!(read("127.0.0.1", Some("https, http"), false), Some(false), "the nearest proxy's word counts");
        assert_eq!(read("127.0.0.1", Some("gopher"), true), None);
        assert_eq!(read("127.0.0.1", None, true), Some(true));
        assert_eq!(read("192.0.2.1", Some("https"), false), Some(false));
    }
}
