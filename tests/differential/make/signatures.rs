//! Mutations of the signature.

use super::Act::{Members, Signature};
use super::{Draft, Mutation, Signer};

pub const ALL: &[Mutation] = &[
    (
        "signature with a bit flipped",
        Signature(|d, r| {
            let at = r.below(d.signature.len().max(1));
            if let Some(octet) = d.signature.get_mut(at) {
                *octet ^= 1 << r.below(8);
            }
        }),
    ),
    (
        "signature cut",
        Signature(|d, r| {
            let length = r.below(d.signature.len().max(1));
            d.signature.truncate(length);
        }),
    ),
    (
        "signature lengthened",
        Signature(|d, r| match r.below(3) {
            0 => d.signature.push(0),
            1 => d.signature.insert(0, 0),
            _ => d.signature.extend(d.signature.clone()),
        }),
    ),
    ("signature empty", Signature(|d, _| d.signature.clear())),
    ("signature of zeros", Signature(|d, _| d.signature.fill(0))),
    ("signature of ones", Signature(|d, _| d.signature.fill(0xff))),
    ("signed by a stranger", Members(|d, _| d.signed_by = Some(Signer::Stranger))),
    (
        "signature of other claims",
        Signature(|d, _| {
            let message = d.message();
            d.signature = d.keys.own(d.algorithm).sign(d.algorithm, &message.as_bytes()[1..]);
        }),
    ),
    (
        "ECDSA signature in DER",
        Signature(|d, _| {
            if order(d).is_some() {
                d.signature = der(&d.signature);
            }
        }),
    ),
    (
        "ECDSA signature (r, n-s)",
        Signature(|d, _| {
            if let Some(order) = order(d) {
                let half = d.signature.len() / 2;
                let other = subtract(&order, &d.signature[half..]);
                d.signature[half..].copy_from_slice(&other);
            }
        }),
    ),
    (
        "ECDSA signature (r, s+n) or with zeros",
        Signature(|d, r| {
            if let Some(order) = order(d) {
                let half = d.signature.len() / 2;
                match r.below(3) {
                    0 => d.signature[half..].fill(0),
                    1 => d.signature[..half].copy_from_slice(&order),
                    _ => d.signature[half..].copy_from_slice(&order),
                }
            }
        }),
    ),
    (
        "Ed25519 signature with S+L",
        Signature(|d, _| {
            if d.algorithm.name() == "EdDSA" && d.signature.len() == 64 {
                add_order(&mut d.signature[32..]);
            }
        }),
    ),
];

/// The order of the curve, in the length of one number of a signature (FIPS 186-5, SP 800-186); `None` where this is no
/// signature of ECDSA, or no whole one any more.
fn order(draft: &Draft<'_>) -> Option<Vec<u8>> {
    let text = match draft.algorithm.name() {
        "ES256" => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".to_owned(),
        "ES384" => format!("{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973", "f".repeat(48)),
        "ES512" => {
            let end = "fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
            format!("01{}{end}", "f".repeat(64))
        }
        _ => return None,
    };
    let order = data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap();
    (draft.signature.len() == 2 * order.len()).then_some(order)
}

/// `from - number`, big endian, of equal length.
fn subtract(from: &[u8], number: &[u8]) -> Vec<u8> {
    let mut borrow = 0i32;
    let mut out = vec![0; from.len()];
    for at in (0..from.len()).rev() {
        let mut digit = i32::from(from[at]) - i32::from(number[at]) - borrow;
        borrow = i32::from(digit < 0);
        digit += 256 * borrow;
        out[at] = digit as u8;
    }
    out
}

/// Adds the order of the group of Ed25519 (RFC 8032 section 5.1), little endian.
fn add_order(scalar: &mut [u8]) {
    let order =
        data_encoding::HEXLOWER.decode(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0;
    for (digit, more) in scalar.iter_mut().zip(order) {
        let sum = u32::from(*digit) + u32::from(more) + carry;
        *digit = sum as u8;
        carry = sum >> 8;
    }
}

fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let number = |bytes: &[u8]| {
        let mut digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        if digits.first().is_none_or(|first| first & 0x80 != 0) {
            digits.insert(0, 0);
        }
        [vec![2, digits.len() as u8], digits].concat()
    };
    let both = [number(r), number(s)].concat();
    let length = if both.len() < 128 { vec![both.len() as u8] } else { vec![0x81, both.len() as u8] };
    [vec![0x30], length, both].concat()
}
