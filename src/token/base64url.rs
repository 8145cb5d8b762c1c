//! Base64url without padding (RFC 4648 section 5), read in its canonical form alone: each value has one spelling
//! (RFC 7515 section 2). A token is mostly this, so many characters are read in one step: thirty-two by the processor's
//! own means where it has them, otherwise sixteen by tables.

use crate::ffi::os::sextets;

/// Set where a character is not of the alphabet.
const FOREIGN: u32 = 1 << 31;

/// What a character adds to three octets, by its place among four; the first octet is the lowest.
static TABLES: [[u32; 256]; 4] = tables();

const fn tables() -> [[u32; 256]; 4] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut tables = [[FOREIGN; 256]; 4];
    let [first, second, third, fourth] = &mut tables;
    let mut rest: &[u8] = alphabet;
    let mut value: u32 = 0;
    while let [character, more @ ..] = rest {
        set(first, *character, value << 2);
        set(second, *character, value >> 4 | (value & 0xF) << 12);
        set(third, *character, (value & 0x3C) << 6 | (value & 3) << 22);
        set(fourth, *character, value << 16);
        rest = more;
        value += 1;
    }
    tables
}

#[allow(clippy::indexing_slicing, reason = "an octet is always within 256, and this runs while compiling")]
const fn set(table: &mut [u32; 256], character: u8, adds: u32) {
    table[character as usize] = adds;
}

/// Octets that so many characters stand for; `None` where no text has that length.
pub fn length(characters: usize) -> Option<usize> {
    let whole = characters / 4 * 3;
    match characters % 4 {
        0 => Some(whole),
        1 => None,
        rest => Some(whole + rest - 1),
    }
}

/// Reads a text into a room of exactly its [`length`]. False: it is not in canonical form, and the room holds nothing
/// of use.
pub fn decode(text: &[u8], room: &mut [u8]) -> bool {
    if length(text.len()) != Some(room.len()) {
        return false;
    }
    let whole = text.len() / 4 * 4;
    if let (Some((fours, rest)), Some((place, last))) =
        (text.split_at_checked(whole), room.split_at_mut_checked(whole / 4 * 3))
        && let Some(sound) = sextets::decode(fours, place)
    {
        return sound && by_tables(rest, last);
    }
    by_tables(text, room)
}

fn by_tables(text: &[u8], room: &mut [u8]) -> bool {
    let (sixteens, rest) = text.as_chunks::<16>();
    let (twelves, room) = room.split_at_mut_checked(sixteens.len() * 12).unwrap_or_default();
    let mut seen = 0;
    for (sixteen, twelve) in sixteens.iter().zip(twelves.as_chunks_mut::<12>().0) {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *sixteen;
        let words = [four(a, b, c, d), four(e, f, g, h), four(i, j, k, l), four(m, n, o, p)];
        seen |= words.iter().fold(0, |seen, word| seen | word);
        let [first, second, third, fourth] = words.map(|word| u64::from(word & 0x00FF_FFFF));
        // Eight octets and four, each written in one step.
        if let Some((eight, last)) = twelve.split_first_chunk_mut::<8>()
            && let Some(last) = last.first_chunk_mut::<4>()
        {
            *eight = (first | second << 24 | third << 48).to_le_bytes();
            *last = ((third >> 16) as u32 | (fourth << 8) as u32).to_le_bytes();
        }
    }
    let (fours, tail) = rest.as_chunks::<4>();
    let (threes, last) = room.split_at_mut_checked(fours.len() * 3).unwrap_or_default();
    for (chunk, three) in fours.iter().zip(threes.as_chunks_mut::<3>().0) {
        let [a, b, c, d] = *chunk;
        let word = four(a, b, c, d);
        seen |= word;
        let [o, p, q, _] = word.to_le_bytes();
        *three = [o, p, q];
    }
    // What does not fill an octet must be zero.
    let spare = match (tail, last) {
        ([a, b], [one]) => {
            let word = four(*a, *b, b'A', b'A');
            seen |= word;
            let [o, spare, ..] = word.to_le_bytes();
            *one = o;
            spare
        }
        ([a, b, c], [one, two]) => {
            let word = four(*a, *b, *c, b'A');
            seen |= word;
            let [o, p, spare, _] = word.to_le_bytes();
            (*one, *two) = (o, p);
            spare
        }
        _ => 0,
    };
    seen & FOREIGN == 0 && spare == 0
}

#[inline]
fn four(a: u8, b: u8, c: u8, d: u8) -> u32 {
    let [first, second, third, fourth] = &TABLES;
    let look = |table: &[u32; 256], character: u8| table.get(usize::from(character)).copied().unwrap_or(FOREIGN);
    look(first, a) | look(second, b) | look(third, c) | look(fourth, d)
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &[u8]) -> Option<Vec<u8>> {
        let mut room = vec![0xA5; length(text.len())?];
        let read = decode(text, &mut room).then_some(room);
        let mut room = vec![0xA5; length(text.len())?];
        assert_eq!(by_tables(text, &mut room).then_some(room), read, "both ways say the same");
        read
    }

    fn theirs(text: &[u8]) -> Option<Vec<u8>> {
        BASE64URL_NOPAD.decode(text).ok()
    }

    #[test]
    fn every_octet_in_every_place_is_judged_as_by_another_reader() {
        for length in 0..=70 {
            let text = vec![b'A'; length];
            assert_eq!(read(&text), theirs(&text), "{length}");
            for at in 0..length {
                for octet in 0..=255 {
                    let mut text = text.clone();
                    text[at] = octet;
                    assert_eq!(read(&text), theirs(&text), "{octet} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn a_room_of_another_length_holds_nothing() {
        assert!(decode(b"AAAA", &mut [0; 3]) && decode(b"", &mut []));
        assert!(!decode(b"AAAA", &mut [0; 2]) && !decode(b"AAAA", &mut [0; 4]) && !decode(b"A", &mut []));
        assert!([1, 5, 9].iter().all(|characters| length(*characters).is_none()));
    }

    proptest! {
        #[test]
        fn any_octets_come_back(octets: Vec<u8>) {
            let text = BASE64URL_NOPAD.encode(&octets);
            prop_assert_eq!(read(text.as_bytes()), Some(octets));
        }

        #[test]
        fn any_text_is_judged_as_by_another_reader(text in "[A-Za-z0-9_=+/ .-]{0,40}", plain in "[AQgw8_-]{0,40}") {
            for text in [text, plain] {
                prop_assert_eq!(read(text.as_bytes()), theirs(text.as_bytes()));
            }
        }
    }
}
