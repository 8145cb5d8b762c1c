//! How a policy describes a certificate. Each description has one form only, so that equal means the same and a
//! certificate is found by looking up what it says, never by searching for parts.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use data_encoding::HEXLOWER;
use x509_cert::ext::pkix::name::GeneralName;

use super::DistinguishedName;

/// One way to say which certificate is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Description {
    /// SHA-256 of its DER.
    Fingerprint([u8; 32]),
    /// Its whole subject.
    Subject(DistinguishedName),
    /// One of its subject alternative names.
    AlternativeName(AlternativeName),
}

impl Description {
    /// Reads `sha256:` and 64 hex digits.
    pub fn fingerprint(text: &str) -> Option<Description> {
        let digits = text.strip_prefix("sha256:")?.to_ascii_lowercase();
        HEXLOWER.decode(digits.as_bytes()).ok()?.try_into().ok().map(Description::Fingerprint)
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Description::Fingerprint(digest) => write!(f, "fingerprint sha256:{}", HEXLOWER.encode(digest)),
            Description::Subject(name) => write!(f, "subject {name}"),
            Description::AlternativeName(name) => write!(f, "san {name}"),
        }
    }
}

/// A subject alternative name (RFC 5280 section 4.2.1.6) of a kind that a policy can name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlternativeName {
    /// `dns:`, in lower case. DNS has no case; a `*` is never more than itself.
    Dns(String),
    /// `email:`, the domain in lower case (RFC 5280 section 7.5).
    Email(String),
    /// `uri:`, octet by octet.
    Uri(String),
    /// `ip:`.
    Ip(IpAddr),
}

impl AlternativeName {
    /// Reads what a policy writes. The error says what is wrong, and what to write instead.
    pub fn parse(text: &str) -> Result<AlternativeName, (&'static str, &'static str)> {
        const KINDS: &str = "begin with \"dns:\", \"email:\", \"uri:\" or \"ip:\", like \"dns:billing.example.com\"";
        let (kind, value) = text.split_once(':').ok_or(("does not say what kind of name it is", KINDS))?;
        match kind {
            "dns" => dns(value),
            "email" => email(value)
                .map(AlternativeName::Email)
                .ok_or(("is no mail address", "write one address, like \"email:billing@example.com\"")),
            "uri" if value.contains(':') && value.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(AlternativeName::Uri(value.to_owned()))
            }
            "uri" => Err(("is no URI", "write it in full and in ASCII, like \"uri:spiffe://example.com/billing\"")),
            "ip" => address(value),
            _ => Err(("is of no kind that is known", KINDS)),
        }
    }

    /// The name of a certificate; `None` where it can equal nothing that a policy writes.
    pub(super) fn of(name: &GeneralName) -> Option<AlternativeName> {
        match name {
            GeneralName::DnsName(text) => Some(AlternativeName::Dns(text.as_str().to_ascii_lowercase())),
            GeneralName::Rfc822Name(text) => email(text.as_str()).map(AlternativeName::Email),
            GeneralName::UniformResourceIdentifier(text) => Some(AlternativeName::Uri(text.as_str().to_owned())),
            GeneralName::IpAddress(octets) => {
                let octets = octets.as_bytes();
                let four = || <[u8; 4]>::try_from(octets).ok().map(|octets| IpAddr::V4(Ipv4Addr::from(octets)));
                let sixteen = || <[u8; 16]>::try_from(octets).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets)));
                four().or_else(sixteen).map(AlternativeName::Ip)
            }
            _ => None,
        }
    }
}

impl fmt::Display for AlternativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AlternativeName::Dns(name) => write!(f, "dns:{name}"),
            AlternativeName::Email(address) => write!(f, "email:{address}"),
            AlternativeName::Uri(uri) => write!(f, "uri:{uri}"),
            AlternativeName::Ip(address) => write!(f, "ip:{address}"),
        }
    }
}

fn dns(value: &str) -> Result<AlternativeName, (&'static str, &'static str)> {
    if value.contains('*') {
        return Err(("names nobody in particular", "write the whole name, without `*`"));
    }
    let label = |label: &str| {
        let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (1..=63).contains(&label.len()) && label.bytes().all(inside)
    };
    if value.len() > 253 || !value.split('.').all(label) {
        let help = "write it as it stands in the certificate: letters, digits, `-` and `.`, other letters as `xn--…`";
        return Err(("is no DNS name", help));
    }
    Ok(AlternativeName::Dns(value.to_ascii_lowercase()))
}

/// One at sign, something on both sides, nothing but visible ASCII; the domain in lower case.
fn email(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let sound = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
    let visible = text.bytes().all(|b| b.is_ascii_graphic());
    (sound && visible).then(|| format!("{local}@{}", domain.to_ascii_lowercase()))
}

fn address(value: &str) -> Result<AlternativeName, (&'static str, &'static str)> {
    let address: IpAddr = value.parse().map_err(|_| ("is no IP address", "write it like \"ip:192.0.2.7\""))?;
    if let IpAddr::V6(six) = address
        && six.to_ipv4_mapped().is_some()
    {
        return Err(("is an IPv4 address in the form of an IPv6 one", "write it like \"ip:192.0.2.7\""));
    }
    Ok(AlternativeName::Ip(address))
}
