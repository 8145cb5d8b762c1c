//! What is in a list is found, what is not is not, and no file is believed that is not whole.

use proptest::prelude::*;

use super::*;

const LIST: &str = "password\nhunter2\r\n\ncorrect horse\npassword\nt\u{e9}l\u{e9}\n";

fn of(list: &[u8], how: Build) -> Result<Built, String> {
    build(&mut &list[..], how)
}

fn plain(list: &str) -> Built {
    of(list.as_bytes(), Build::default()).unwrap()
}

fn file(filter: &Filter) -> Vec<u8> {
    let mut bytes = Vec::new();
    filter.write(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, filter.size());
    bytes
}

fn read(bytes: &[u8]) -> Result<Filter, String> {
    Filter::read(&mut &bytes[..], bytes.len() as u64)
}

#[test]
fn a_list_of_passwords_is_found_again_after_the_file_and_others_are_not() {
    let built = plain(LIST);
    assert_eq!((built.form, built.lines, built.repeated, built.unusable), (Form::Password, 5, 1, 0));
    let filter = read(&file(&built.filter)).unwrap();
    assert_eq!(filter.entries(), 4);
    for password in ["password", "hunter2", "correct horse", "t\u{e9}l\u{e9}"] {
        assert!(filter.contains(password.as_bytes()), "{password}");
    }
    for password in ["Password", "hunter2\r", "hunter", "", "correct  horse"] {
        assert!(!filter.contains(password.as_bytes()), "{password:?}");
    }
}

#[test]
fn a_decomposed_password_of_the_list_is_found_in_the_form_that_is_hashed() {
    assert!(plain("te\u{301}le\u{301}\n").filter.contains("t\u{e9}l\u{e9}".as_bytes()));
}

#[test]
fn digests_with_counts_are_read_as_such() {
    // SHA-1 of "password" and of "hunter2".
    let list = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\nf3bbbd66a63d4bf1747940578ec3d0103530e21d:3\n";
    let built = plain(list);
    assert_eq!((built.form, built.lines), (Form::Sha1, 2));
    assert!(built.filter.contains(b"password") && built.filter.contains(b"hunter2"));
    let often = of(list.as_bytes(), Build { least: 4, ..Build::default() }).unwrap();
    assert_eq!(often.seldom, 1);
    assert!(often.filter.contains(b"password") && !often.filter.contains(b"hunter2"));
    let bare = plain("5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8\n");
    assert!(bare.filter.contains(b"password"));
    let as_passwords = of(list.as_bytes(), Build { form: Some(Form::Password), least: 0 }).unwrap();
    assert!(!as_passwords.filter.contains(b"password"));
    assert!(as_passwords.filter.contains(b"5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824"));
}

#[test]
fn what_no_list_is_is_told_with_what_to_do() {
    let digest = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1";
    for (list, said) in [
        (b"".to_vec(), "holds no password"),
        (b"\n\r\n\n".to_vec(), "holds no password"),
        (b"\xff\xff\n\x00\n".to_vec(), "holds no password"),
        (format!("{digest}\npassword\n").into_bytes(), "line 2 is no SHA-1 digest"),
        (format!("{digest}\n{digest}x\n").into_bytes(), "line 2"),
        (b"8846F7EAEE8FB117AD06BDD830B7586C:5\n".to_vec(), "NTLM"),
        (b"\x1f\x8b\x08abc".to_vec(), "compressed"),
        (b"\xff\xfea\0b\0\n\0".to_vec(), "UTF-16"),
    ] {
        let why = of(&list, Build::default()).unwrap_err();
        assert!(why.contains(said), "{list:?}: {why}");
    }
    let seldom = of(digest.as_bytes(), Build { least: 2, ..Build::default() });
    assert!(seldom.unwrap_err().contains("holds no password"));
}

#[test]
fn lines_that_no_password_can_be_are_counted_and_never_held_whole() {
    let mut list = vec![b'a'; 65_536];
    list.extend_from_slice(b"\nsound\n\xff\xfe\xfd\nwith\ttab\n");
    list.extend(std::iter::repeat_n(b'b', 1_025));
    let built = of(&list, Build::default()).unwrap();
    assert_eq!((built.lines, built.unusable, built.filter.entries()), (5, 4, 1));
    assert!(built.filter.contains(b"sound"));
}

#[test]
fn a_line_that_never_ends_is_refused_with_its_number() {
    let mut endless = std::io::BufReader::new(std::io::repeat(0));
    let why = build(&mut endless, Build::default()).unwrap_err();
    assert!(why.contains("at line 1: it has more than 65,536 bytes"), "{why}");
    let why = of(&[b"sound\n".to_vec(), vec![b'a'; 65_537]].concat(), Build::default()).unwrap_err();
    assert!(why.contains("at line 2: "), "{why}");
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_password() {
    assert!(plain("\u{feff}first\nsecond\n").filter.contains(b"first"));
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let bytes = file(&plain(LIST).filter);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(read(&changed).is_err(), "byte {at}");
        assert!(read(&bytes[..at]).is_err(), "cut at {at}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(read(&longer).unwrap_err().contains("damaged"));
    // A length that the file does not have: nothing is set aside for what is not there.
    assert!(Filter::read(&mut &bytes[..], u64::MAX).is_err());
    assert!(read(b"SQLite format 3\0").unwrap_err().contains("build-filter"));
    assert!(read(b"").unwrap_err().contains("build-filter"));
}

/// As if a person had written the file who knows the checksum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.truncate(bytes.len() - CHECKSUM);
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

#[test]
fn a_forged_shape_with_a_right_checksum_is_refused_and_never_read_out_of_bounds() {
    let bytes = file(&plain(LIST).filter);
    let mut seen = 0;
    for (at, value) in (32..40).flat_map(|at| [0_u8, 1, 3, 0x40, 0xff].map(|value| (at, value))) {
        let mut forged = bytes.clone();
        if forged[at] == value {
            continue;
        }
        forged[at] = value;
        let why = read(&sealed(forged)).unwrap_err();
        assert!(why.contains("do not fit together"), "{at} {value}: {why}");
        seen += 1;
    }
    assert!(seen > 30);
    let mut later = bytes.clone();
    later[16] = 2;
    assert!(read(&sealed(later)).unwrap_err().contains("version 2"));
    // Another seed is another filter, and a sound one.
    let mut seed = bytes;
    seed[24] ^= 1;
    let filter = read(&sealed(seed)).unwrap();
    assert!((0..1_000_u32).any(|n| !filter.contains(&n.to_le_bytes())));
}

#[test]
fn a_count_that_no_memory_holds_is_an_error_and_not_the_end_of_the_process() {
    for count in [600_000_000_000, u64::from(u32::MAX) + 1, u64::MAX >> 2] {
        let mut header = file(&plain(LIST).filter)[..HEADER].to_vec();
        header[48..].copy_from_slice(&count.to_le_bytes());
        let why = Filter::read(&mut io::Cursor::new(header).chain(io::repeat(0)), size(count)).unwrap_err();
        assert!(why.contains("do not fit together"), "{count}: {why}");
    }
}

/// A header in which everything fits, for 8.6 GB of fingerprints: the most that there can be.
fn largest() -> (Vec<u8>, u64) {
    let (segment, segments) = (1_u32 << 18, 16_381_u32);
    let count = u64::from(segment) * (u64::from(segments) + 2);
    let mut header = file(&plain(LIST).filter)[..HEADER].to_vec();
    header[32..36].copy_from_slice(&segment.to_le_bytes());
    header[36..40].copy_from_slice(&(segment * segments).to_le_bytes());
    header[40..48].copy_from_slice(&(count / 2).to_le_bytes());
    header[48..].copy_from_slice(&count.to_le_bytes());
    (header, count)
}

#[test]
fn a_header_that_claims_more_than_the_file_has_sets_nothing_aside_for_it() {
    let (header, count) = largest();
    assert!(shape(header.as_slice().try_into().unwrap(), count).is_some() && size(count) > 8_500_000_000);
    let why = read(&header).unwrap_err();
    assert!(why.contains("it has 56 bytes and should have"), "{why}");
    // The length is said to be right, and the file ends all the same: one that somebody cuts while it is read.
    let mut cut = io::Cursor::new(header).chain(io::repeat(0).take(3 << 20));
    assert!(Filter::read(&mut cut, size(count)).unwrap_err().contains("ends too early"));
    // What is set aside follows what was read.
    let mut prints = Vec::new();
    make_room(&mut prints, count).unwrap();
    assert_eq!(prints.capacity(), FIRST);
    prints.resize(FIRST, 0);
    make_room(&mut prints, count).unwrap();
    assert_eq!(prints.capacity(), 2 * FIRST);
    let mut few = Vec::new();
    make_room(&mut few, 1_000).unwrap();
    assert_eq!(few.capacity(), 1_000);
}

#[test]
fn bytes_kept_for_later_and_a_number_of_entries_that_cannot_be_are_refused() {
    let bytes = file(&plain(LIST).filter);
    let count = u64::from_le_bytes(bytes[48..56].try_into().unwrap());
    for at in 20..24 {
        let mut forged = bytes.clone();
        forged[at] = 1;
        assert!(read(&sealed(forged)).unwrap_err().contains("do not fit together"), "{at}");
    }
    for (entries, sound) in [(0, false), (1, true), (count, true), (count + 1, false), (u64::MAX, false)] {
        let mut forged = bytes.clone();
        forged[40..48].copy_from_slice(&entries.to_le_bytes());
        assert_eq!(read(&sealed(forged)).is_ok(), sound, "{entries}");
    }
}

#[test]
fn of_passwords_that_are_not_in_it_about_one_in_65536_is_taken_for_one() {
    let list: String = (0..20_000).map(|n| format!("known {n}\n")).collect();
    let filter = plain(&list).filter;
    assert!((0..20_000).all(|n| filter.contains(format!("known {n}").as_bytes())));
    let wrong = (0..400_000).filter(|n| filter.contains(format!("other {n}").as_bytes())).count();
    // Six are to be expected; the numbers are the same in every run.
    assert!(wrong <= 20, "{wrong}");
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), magic in any::<bool>()) {
        let bytes = if magic { [&MAGIC[..], &[1, 0, 0, 0], &bytes].concat() } else { bytes };
        let _ = read(&bytes);
        let _ = of(&bytes, Build::default());
    }
}
