//! Certificates that were made to be taken for another.

use proptest::prelude::*;

use super::*;

fn refused(subject: &[u8], extensions: &[Vec<u8>]) -> &'static str {
    Certificate::read(&certificate(subject, extensions)).unwrap_err()
}

#[test]
fn a_nul_or_another_control_character_in_a_name_is_refused() {
    for value in [&b"billing\0.evil.example"[..], b"billing\n", b"\x7fbilling", b"billing\xc2\x85"] {
        let why = refused(&name(&[relative(&[(CN, UTF8, value)])]), &[]);
        assert_eq!(why, "its subject holds a control character", "{value:?}");
    }
    let utf16 = [0, b'b', 0, 0, 0, b'x'];
    assert_eq!(refused(&name(&[relative(&[(CN, BMP, &utf16)])]), &[]), "its subject holds a control character");
    for choice in [1, 2, 6] {
        let why = refused(&common("x"), &[san(&[(choice, b"billing.example.com\0.evil.example")])]);
        assert_eq!(why, "a subject alternative name holds a control character");
    }
}

#[test]
fn a_second_common_name_makes_another_subject() {
    let cn = |text: &str| relative(&[(CN, UTF8, text.as_bytes())]);
    for order in [["billing", "mallory"], ["mallory", "billing"]] {
        let two = read(&name(&order.map(cn)), &[]);
        assert!(!is("CN=billing", &two) && !is("CN=mallory", &two), "{order:?}");
    }
    let set = read(&name(&[relative(&[(CN, UTF8, b"billing"), (CN, UTF8, b"mallory")])]), &[]);
    assert!(!is("CN=billing", &set) && is("CN=mallory+CN=billing", &set));
}

#[test]
fn text_that_reads_like_a_separator_stays_in_its_value() {
    let evil = read(&common("billing,O=Example"), &[]);
    assert!(!is("CN=billing,O=Example", &evil) && is("CN=billing\\,O=Example", &evil));
    let plus = read(&common("billing+OU=admins"), &[]);
    assert!(!is("CN=billing+OU=admins", &plus));
    let space = read(&common("billing "), &[]);
    assert!(!is("CN=billing", &space));
    let look_alike = read(&common("b\u{456}lling"), &[]);
    assert!(!is("CN=billing", &look_alike));
}

#[test]
fn a_wildcard_matches_nothing_and_a_mail_address_with_two_at_signs_is_nobodys() {
    let wild = read(&common("x"), &[san(&[(2, b"*.example.com"), (1, b"a@evil@example.com"), (1, b"@example.com")])]);
    assert!(!has("dns:billing.example.com", &wild));
    assert!(!has("email:a@example.com", &wild) && !has("email:a@evil", &wild));
    let odd = read(&common("x"), &[san(&[(7, &[10, 0, 0, 1, 255, 0, 0, 0]), (7, &[10])])]);
    assert!(odd.alternative_names.is_empty(), "no address has so many octets");
    let mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1];
    assert!(!has("ip:10.0.0.1", &read(&common("x"), &[san(&[(7, &mapped)])])), "it is another address");
}

#[test]
fn a_subject_is_no_alternative_name_and_the_other_way_round() {
    let subject = read(&common("billing.example.com"), &[]);
    assert!(!has("dns:billing.example.com", &subject));
    let name = read(&common("x"), &[san(&[(2, b"billing")])]);
    assert!(!is("CN=billing", &name));
}

#[test]
fn what_is_not_exactly_one_certificate_is_refused() {
    let der = certificate(&common("billing"), &[san(&[(2, b"a.example")])]);
    assert!(Certificate::read(&der).is_ok());
    let not_one = "it is not one X.509 certificate in DER";
    let of = |bytes: &[u8]| Certificate::read(bytes).unwrap_err();
    assert_eq!(of(&[]), not_one);
    assert_eq!(of(&[&der[..], b"\0"].concat()), not_one);
    assert_eq!(of(&[&der[..], &der[..]].concat()), not_one);
    assert_eq!(of(&der[..der.len() - 1]), not_one);
    assert_eq!(of(&der[1..]), not_one);
    // The length of the whole in one octet more than DER allows.
    let content = &der[4..];
    assert_eq!(of(&[&[0x30, 0x83, 0, der[2], der[3]][..], content].concat()), not_one);
    assert_eq!(of(&[&[0x30, 0x80][..], content, &[0, 0]].concat()), not_one, "an indefinite length is BER");
    let mut long = der;
    long.resize(LONGEST + 1, 0);
    assert_eq!(of(&long), "it is longer than 64 KiB");
}

#[test]
fn an_extension_twice_or_malformed_is_refused() {
    let (one, other) = (san(&[(2, b"a.example")]), san(&[(2, b"b.example")]));
    let malformed = "its subject alternative names are malformed";
    assert_eq!(refused(&common("x"), &[one, other]), malformed);
    assert_eq!(refused(&common("x"), &[extension("2.5.29.17", b"\x30\x05")]), malformed);
    assert_eq!(refused(&common("x"), &[extension("2.5.29.17", b"\x30\x00\x00")]), malformed);
    assert_eq!(refused(&common("x"), &[san(&[(2, b"caf\xe9.example")])]), malformed);
    let usages = [usage(&["1.3.6.1.5.5.7.3.2"]), usage(&["1.3.6.1.5.5.7.3.1"])];
    assert_eq!(refused(&common("x"), &usages), "its extended key usage is malformed");
}

#[test]
fn strings_that_break_the_rules_of_their_type_are_refused() {
    for (tag, octets) in
        [(UTF8, &b"caf\xe9"[..]), (PRINTABLE, b"caf\xe9"), (IA5, b"caf\xe9"), (BMP, b"\0a\0"), (BMP, b"\xd8\0")]
    {
        refused(&name(&[relative(&[(CN, tag, octets)])]), &[]);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Certificate::read(&bytes);
        let _ = carried::of_file(&bytes);
        let _ = carried::read(&bytes, Form::Rfc9440);
        let _ = carried::read(&bytes, Form::EscapedPem);
    }

    /// A certificate with octets changed, dropped or doubled: read or refused, and never taken for the one it was.
    #[test]
    fn a_damaged_certificate_is_read_or_refused(at in 0usize..400, byte: u8, how in 0..3) {
        let names = [san(&[(2, b"billing.example.com"), (7, &[10, 0, 0, 1])]), usage(&["1.3.6.1.5.5.7.3.2"])];
        let whole = certificate(&name(&[relative(&[(O, PRINTABLE, b"Example"), (CN, UTF8, b"billing")])]), &names);
        let mut der = whole.clone();
        let at = at % der.len();
        match how {
            0 => der[at] = byte,
            1 => _ = der.remove(at),
            _ => der.insert(at, byte),
        }
        if let Ok(read) = Certificate::read(&der) {
            prop_assert!(der == whole || read.thumbprint != thumbprint(&whole));
            prop_assert!(read.descriptions().all(|d| !d.to_string().chars().any(char::is_control)));
        }
    }
}
