//! Certificates of any content, well formed or not. Nobody signed them: signatures are the host's to verify.

use x509_cert::der::Encode;
use x509_cert::spki::ObjectIdentifier;

pub(super) const UTF8: u8 = 0x0C;
pub(super) const PRINTABLE: u8 = 0x13;
pub(super) const TELETEX: u8 = 0x14;
pub(super) const IA5: u8 = 0x16;
pub(super) const BMP: u8 = 0x1E;

pub(super) const CN: &str = "2.5.4.3";
pub(super) const O: &str = "2.5.4.10";
pub(super) const C: &str = "2.5.4.6";
pub(super) const DC: &str = "0.9.2342.19200300.100.1.25";

/// 2026-01-01 and 2027-01-01, 00:00:00 UTC.
pub(super) const FROM: i64 = 1_767_225_600;
pub(super) const TO: i64 = 1_798_761_600;

pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        _ => out.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

pub(super) fn oid(text: &str) -> Vec<u8> {
    ObjectIdentifier::new(text).unwrap().to_der().unwrap()
}

/// A relative name of attributes (type, string tag, octets), in the order of DER.
pub(super) fn relative(attributes: &[(&str, u8, &[u8])]) -> Vec<u8> {
    let mut each: Vec<Vec<u8>> =
        attributes.iter().map(|(kind, tag, octets)| sequence(&[&oid(kind), &tlv(*tag, octets)])).collect();
    each.sort();
    tlv(0x31, &each.concat())
}

/// A name, in the order of the certificate: the most general first.
pub(super) fn name(relative: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &relative.concat())
}

/// A common name alone.
pub(super) fn common(text: &str) -> Vec<u8> {
    name(&[relative(&[(CN, UTF8, text.as_bytes())])])
}

pub(super) fn extension(kind: &str, value: &[u8]) -> Vec<u8> {
    sequence(&[&oid(kind), &tlv(0x04, value)])
}

/// Subject alternative names: (number of the choice, octets).
pub(super) fn san(names: &[(u8, &[u8])]) -> Vec<u8> {
    let each: Vec<Vec<u8>> = names.iter().map(|(choice, octets)| tlv(0x80 | choice, octets)).collect();
    extension("2.5.29.17", &tlv(0x30, &each.concat()))
}

pub(super) fn usage(purposes: &[&str]) -> Vec<u8> {
    let each: Vec<Vec<u8>> = purposes.iter().map(|purpose| oid(purpose)).collect();
    extension("2.5.29.37", &tlv(0x30, &each.concat()))
}

/// A certificate for a name with extensions.
pub(super) fn certificate(subject: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let ecdsa = sequence(&[&oid("1.2.840.10045.4.3.2")]);
    let key = sequence(&[
        &sequence(&[&oid("1.2.840.10045.2.1"), &oid("1.2.840.10045.3.1.7")]),
        &tlv(0x03, &[&[0x00, 0x04][..], &[7; 64]].concat()),
    ]);
    let validity = sequence(&[&tlv(0x17, b"260101000000Z"), &tlv(0x17, b"270101000000Z")]);
    let mut parts = vec![
        tlv(0xA0, &tlv(0x02, &[2])),
        tlv(0x02, &[1]),
        ecdsa.clone(),
        common("Test CA"),
        validity,
        subject.to_vec(),
        key,
    ];
    if !extensions.is_empty() {
        parts.push(tlv(0xA3, &tlv(0x30, &extensions.concat())));
    }
    sequence(&[&tlv(0x30, &parts.concat()), &ecdsa, &tlv(0x03, &[0x00, 0x30, 0x00])])
}
