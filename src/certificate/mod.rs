//! X.509 client certificates as names: strict DER in, the names that a policy can map to a user out. Whether a
//! certificate is to be believed is not asked here: the host verified its chain, or it did not.

pub mod carried;
mod description;
mod name;
#[cfg(test)]
mod tests;

pub use description::{AlternativeName, Description};
pub use name::DistinguishedName;

use sha2::{Digest, Sha256};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::spki::ObjectIdentifier;

/// A longer certificate is not read. Those with the largest post-quantum signatures stay below it.
pub const LONGEST: usize = 64 * 1024;

/// `id-kp-clientAuth` (RFC 5280 section 4.2.1.12).
const CLIENT_AUTHENTICATION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
/// `anyExtendedKeyUsage`.
const ANY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// What a certificate says that a decision needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256 of its DER.
    pub thumbprint: [u8; 32],
    /// Whom it was issued to; may be empty.
    pub subject: DistinguishedName,
    /// The subject alternative names of the kinds that a policy can name, in its order.
    pub alternative_names: Vec<AlternativeName>,
    /// First second of its validity, Unix time.
    pub not_before: i64,
    /// Last second of its validity, Unix time.
    pub not_after: i64,
    /// It states what it is for, and that is not the authentication of clients.
    pub other_purpose: bool,
}

impl Certificate {
    /// Reads one certificate: nothing before, nothing behind, no other encoding than DER, no extension twice, no
    /// control character in a name. The error says what is wrong, for the operator.
    pub fn read(der: &[u8]) -> Result<Certificate, &'static str> {
        if der.len() > LONGEST {
            return Err("it is longer than 64 KiB");
        }
        let read = x509_cert::Certificate::from_der(der).map_err(|_| "it is not one X.509 certificate in DER")?;
        let body = read.tbs_certificate();
        // The decoders answer "twice" and "unreadable" with an error, and both are refused.
        let names =
            body.get_extension::<SubjectAltName>().map_err(|_| "its subject alternative names are malformed")?;
        let usage = body.get_extension::<ExtendedKeyUsage>().map_err(|_| "its extended key usage is malformed")?;
        let names = names.map(|(_, names)| names.0).unwrap_or_default();
        let clients = |usage: &ExtendedKeyUsage| usage.0.iter().any(|p| [CLIENT_AUTHENTICATION, ANY_USAGE].contains(p));
        let seconds =
            |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        Ok(Certificate {
            thumbprint: thumbprint(der),
            subject: DistinguishedName::of(body.subject())?,
            alternative_names: alternative_names(&names)?,
            not_before: seconds(body.validity().not_before),
            not_after: seconds(body.validity().not_after),
            other_purpose: usage.is_some_and(|(_, usage)| !clients(&usage)),
        })
    }

    /// Every way in which a policy can describe it.
    pub fn descriptions(&self) -> impl Iterator<Item = Description> {
        let subject = (!self.subject.is_empty()).then(|| Description::Subject(self.subject.clone()));
        let names = self.alternative_names.iter().cloned().map(Description::AlternativeName);
        std::iter::once(Description::Fingerprint(self.thumbprint)).chain(subject).chain(names)
    }
}

/// SHA-256 of a certificate's DER: the fingerprint of a policy, and `x5t#S256` of RFC 8705.
pub fn thumbprint(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

fn alternative_names(names: &[GeneralName]) -> Result<Vec<AlternativeName>, &'static str> {
    let mut list = Vec::with_capacity(names.len());
    for name in names {
        let text = match name {
            GeneralName::Rfc822Name(text) | GeneralName::DnsName(text) => Some(text.as_str()),
            GeneralName::UniformResourceIdentifier(text) => Some(text.as_str()),
            _ => None,
        };
        if text.is_some_and(|text| text.chars().any(char::is_control)) {
            return Err("a subject alternative name holds a control character");
        }
        list.extend(AlternativeName::of(name));
    }
    Ok(list)
}
