//! Mutations of the token as it is sent: base64url and dots.

use super::Act::Parts;
use super::{Draft, Mutation};
use crate::random::Random;

const CODES: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn any<'d>(draft: &'d mut Draft<'_>, random: &mut Random) -> &'d mut String {
    let index = random.below(3);
    &mut draft.parts[index]
}

/// Where there are spare bits in its last character, sets one; `false` where there are none.
fn set_spare_bit(part: &mut String, random: &mut Random) -> bool {
    let spare = match part.len() % 4 {
        2 => 4,
        3 => 2,
        _ => return false,
    };
    let last = part.pop().unwrap();
    let value = CODES.find(last).unwrap() | (1 << random.below(spare));
    part.push(CODES.chars().nth(value).unwrap());
    true
}

pub const ALL: &[Mutation] = &[
    (
        "padding",
        Parts(|d, r| {
            let part = any(d, r);
            let right = (4 - part.len() % 4) % 4;
            let count = if right > 0 { right } else { 1 };
            part.push_str(&"=".repeat(count));
        }),
    ),
    (
        "padding of the wrong length",
        Parts(|d, r| {
            let part = any(d, r);
            let wrong = if part.len() % 4 == 2 { 1 } else { 2 };
            part.push_str(&"=".repeat(wrong));
        }),
    ),
    (
        "spare bits in header or claims",
        Parts(|d, r| {
            let _ = set_spare_bit(&mut d.parts[0], r) | set_spare_bit(&mut d.parts[1], r);
        }),
    ),
    (
        "spare bits in the signature",
        Parts(|d, r| {
            set_spare_bit(&mut d.parts[2], r);
        }),
    ),
    (
        "the usual alphabet",
        Parts(|d, _| {
            for part in &mut d.parts {
                *part = part.replace('-', "+").replace('_', "/");
            }
        }),
    ),
    (
        "white space around the token",
        Parts(|d, r| {
            let space = r.word(&[" ", "\n", "\t", "\r\n"]);
            if r.below(2) == 0 { d.parts[2].push_str(space) } else { d.parts[0].insert_str(0, space) }
        }),
    ),
    (
        "white space in a part",
        Parts(|d, r| {
            let space = r.word(&[" ", "\n", "\t", "\r\n"]);
            let part = any(d, r);
            let at = 1 + r.below(part.len().max(2) - 1);
            part.insert_str(at.min(part.len()), space);
        }),
    ),
    (
        "a character that base64 does not know",
        Parts(|d, r| {
            let strange = r.word(&["?", "*", "\u{0}", "\u{e9}", "\u{ff0d}", "%", "~"]);
            let part = any(d, r);
            let at = r.below(part.len() + 1);
            part.insert_str(at, strange);
        }),
    ),
    (
        "a character of a part another",
        Parts(|d, r| {
            let index = r.below(2);
            let part = &mut d.parts[index];
            let at = r.below(part.len().max(1));
            let other = &CODES[r.below(64)..][..1];
            if !part.is_empty() {
                part.replace_range(at..=at, other);
            }
        }),
    ),
    (
        "a length that base64 does not have",
        Parts(|d, r| {
            let part = any(d, r);
            while part.len() % 4 != 1 {
                part.push('A');
            }
        }),
    ),
    ("an empty part", Parts(|d, r| any(d, r).clear())),
    (
        "two parts",
        Parts(|d, r| {
            let index = r.below(3);
            d.parts.remove(index);
        }),
    ),
    (
        "more parts",
        Parts(|d, r| {
            for _ in 0..=r.below(3) {
                d.parts.insert(r.below(d.parts.len() + 1), r.word(&["", "e30", "AAAA"]).to_owned())
            }
        }),
    ),
    (
        "parts in another order",
        Parts(|d, r| {
            let (a, b) = *r.pick(&[(0, 1), (1, 2), (0, 2)]);
            d.parts.swap(a, b);
        }),
    ),
];
