//! Base64 in its canonical form (RFC 4648 section 4) into room that is there already: with padding, without line breaks
//! or stray bits, so that no two texts stand for one value.

/// Stands for no six bits.
const NONE: u8 = 0x80;

/// The six bits of each letter.
const LETTERS: [u8; 256] = letters();

#[allow(clippy::indexing_slicing, reason = "computed when it is compiled")]
const fn letters() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut letters = [NONE; 256];
    let mut at = 0;
    while at < alphabet.len() {
        letters[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    letters
}

/// Octets that so long a text stands for at most.
pub(super) fn most(length: usize) -> usize {
    length / 4 * 3
}

/// What the text stands for, written to the beginning of `room`; `None` where it is not in this form or `room` holds less
/// than [`most`].
pub(super) fn decode<'r>(text: &[u8], room: &'r mut [u8]) -> Option<&'r [u8]> {
    let (fours, []) = text.as_chunks::<4>() else { return None };
    let (last, whole) = match fours.split_last() {
        Some((last, whole)) if last.ends_with(b"=") => (Some(last), whole),
        _ => (None, fours),
    };
    let (threes, _) = room.get_mut(..most(text.len()))?.as_chunks_mut::<3>();
    let mut fault = 0;
    for (three, four) in threes.iter_mut().zip(whole) {
        *three = read(*four, &mut fault);
    }
    let mut length = most(text.len());
    if let (Some([a, b, c, _]), Some(three)) = (last, threes.last_mut()) {
        // Of one octet two letters, of two octets three; the bits that are over are none.
        let (spare, c) = if *c == b'=' { (2, b'A') } else { (1, *c) };
        *three = read([*a, *b, c, b'A'], &mut fault);
        length = length.checked_sub(spare)?;
        fault |= three.iter().skip(3 - spare).fold(0, |over, octet| over | octet).min(1) << 7;
    }
    (fault & NONE == 0).then_some(room.get(..length)?)
}

#[inline(always)]
fn read(four: [u8; 4], fault: &mut u8) -> [u8; 3] {
    let [a, b, c, d] = four.map(|letter| LETTERS.get(usize::from(letter)).copied().unwrap_or(NONE));
    *fault |= a | b | c | d;
    let [_, three @ ..] = (u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d)).to_be_bytes();
    three
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;
    use proptest::prelude::*;

    fn decoded(text: &[u8]) -> Option<Vec<u8>> {
        let mut room = vec![0xff; most(text.len()) + 5];
        decode(text, &mut room).map(<[u8]>::to_vec)
    }

    #[test]
    fn the_rfc_s_own_examples_are_read_and_their_neighbours_are_not() {
        for (text, value) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(decoded(text.as_bytes()).as_deref(), Some(value.as_bytes()), "{text}");
        }
        for text in [
            "Zg",
            "Zg=",
            "Zg===",
            "Zh==",
            "Zm9=",
            "Zm8",
            "Z===",
            "====",
            "=m9v",
            "Z=9v",
            "Zm=v",
            "Zg==Zg==",
            "Zm8=Zm9v",
            "Zm9v\n",
            "Zm9-",
            "Zm9_",
            " Zm9",
            "Zm\09",
            "Zm9\u{e9}",
        ] {
            assert_eq!(decoded(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(decode(b"Zm9v", &mut [0; 2]), None, "no room");
    }

    #[test]
    fn each_octet_at_each_place_is_judged_as_the_crate_judges_it() {
        for text in ["Zm9vYmFy", "Zm9vYmE=", "Zm9vYg=="] {
            for at in 0..text.len() {
                for octet in 0..=255 {
                    let mut text = text.as_bytes().to_vec();
                    text[at] = octet;
                    assert_eq!(decoded(&text), BASE64.decode(&text).ok(), "{at} {octet}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_crate_reads_it(text in "[A-Za-z0-9+/]{0,24}={0,3}|[A-Za-z0-9+/=_\\-\\n]{0,24}") {
            prop_assert_eq!(decoded(text.as_bytes()), BASE64.decode(text.as_bytes()).ok());
        }

        #[test]
        fn any_value_comes_back(value: Vec<u8>) {
            prop_assert_eq!(decoded(BASE64.encode(&value).as_bytes()), Some(value));
        }
    }
}
