//! Distinguished names and alternative names: what a policy may write, and what then equals it.

use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Result<String, (usize, String)> {
    DistinguishedName::parse(text).map(|name| name.to_string()).map_err(|mistake| (mistake.at, mistake.what))
}

#[test]
fn the_string_form_of_rfc_4514_is_read() {
    for (text, shown) in [
        ("CN=billing", "CN=billing"),
        ("cn=billing,o=Example", "CN=billing,O=Example"),
        ("UID=jsmith,DC=example,DC=net", "UID=jsmith,DC=example,DC=net"),
        ("OU=Sales+CN=J.  Smith,DC=example,DC=net", "CN=J.  Smith+OU=Sales,DC=example,DC=net"),
        (r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#, r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#),
        (r"CN=Lu\C4\8Di\C4\87", "CN=Lučić"),
        ("CN=Lučić", "CN=Lučić"),
        ("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869"),
        ("2.5.4.3=billing", "CN=billing"),
        ("CN=#0C0762696C6C696E67", "CN=billing"),
        (r"CN=\ billing\ ", r"CN=\ billing\ "),
        (r"CN=\#1", r"CN=\#1"),
        ("CN=a=b", "CN=a=b"),
        (r"CN=a\3Db", "CN=a=b"),
        ("CN=", "CN="),
        ("E=a@b.example", "emailAddress=a@b.example"),
        ("C=de,DC=EXAMPLE", "C=de,DC=example"),
    ] {
        assert_eq!(parsed(text).as_deref(), Ok(shown), "{text}");
        assert_eq!(parsed(shown).as_deref(), Ok(shown), "{shown}");
    }
}

#[test]
fn mistakes_in_a_written_name_are_told_with_their_place() {
    for (text, at, what) in [
        ("", 1, "an attribute is missing"),
        ("billing", 1, "an attribute has no `=`"),
        ("CN=a,", 6, "an attribute is missing"),
        ("CN=a,b", 6, "an attribute has no `=`"),
        ("CN=a,b,O=c", 6, "an attribute has no `=`"),
        ("CN=a, O=b", 6, "a space stands before the name of an attribute"),
        ("CN = a", 1, "`CN ` is no attribute that is known"),
        ("/CN=a/O=b", 1, "`/` begins the old form of OpenSSL"),
        ("XN=a", 1, "`XN` is no attribute that is known"),
        ("CN= a", 4, "a space begins the value; write `\\ ` if it belongs to it"),
        ("CN=a ", 6, "a space ends the value; write `\\ ` if it belongs to it"),
        ("CN=a ,O=b", 6, "a space ends the value; write `\\ ` if it belongs to it"),
        ("CN=\"a\"", 4, "write `\\\"` for `\"`"),
        ("CN=a;O=b", 5, "write `\\;` for `;`"),
        ("CN=é,CN=a<b", 10, "write `\\<` for `<`"),
        ("CN=a\\", 5, "behind `\\` stands one of ` \"#+,;<=>\\` or two hex digits"),
        ("CN=a\\zz", 5, "behind `\\` stands one of ` \"#+,;<=>\\` or two hex digits"),
        ("CN=a\\é", 5, "behind `\\` stands one of ` \"#+,;<=>\\` or two hex digits"),
        ("CN=a\\00b", 4, "the value holds a control character"),
        ("CN=\\C4", 4, "the value is not UTF-8"),
        ("CN=#", 4, "behind `#` stands the value's DER in hex digits"),
        ("CN=#0C0762", 4, "behind `#` stands the value's DER in hex digits"),
        ("CN=#0C0161FF", 4, "behind `#` stands the value's DER in hex digits"),
        ("CN=#0C01é", 4, "behind `#` stands the value's DER in hex digits"),
        ("CN=#0C0100", 4, "the value holds a control character"),
    ] {
        assert_eq!(parsed(text), Err((at, what.to_owned())), "{text}");
    }
}

#[test]
fn a_subject_is_compared_whole() {
    let certificate = |rdns: &[Vec<u8>]| read(&name(rdns), &[]);
    let cn = |text: &str| relative(&[(CN, UTF8, text.as_bytes())]);
    let o = relative(&[(O, UTF8, b"Example")]);
    let both = certificate(&[o.clone(), cn("billing")]);
    assert!(is("CN=billing,O=Example", &both));
    for other in
        ["CN=billing", "O=Example", "O=Example,CN=billing", "CN=billing+O=Example", "CN=billing,O=Example,C=de"]
    {
        assert!(!is(other, &both), "{other}");
    }
    let multi = certificate(&[relative(&[(CN, UTF8, b"billing"), (O, UTF8, b"Example")])]);
    assert!(is("CN=billing+O=Example", &multi) && is("O=Example+CN=billing", &multi));
    assert!(!is("CN=billing,O=Example", &multi));
    let nobody = certificate(&[]);
    assert_eq!(nobody.descriptions().count(), 1, "an empty subject describes nobody");
}

#[test]
fn letter_case_counts_except_where_a_name_has_none() {
    let upper = read(&name(&[relative(&[(DC, IA5, b"Example")]), relative(&[(CN, UTF8, b"Billing")])]), &[]);
    assert!(is("CN=Billing,DC=example", &upper) && is("CN=Billing,DC=EXAMPLE", &upper));
    assert!(!is("CN=billing,DC=example", &upper));
    let country = read(&name(&[relative(&[(C, PRINTABLE, b"DE")])]), &[]);
    assert!(is("C=de", &country) && is("C=DE", &country));
}

#[test]
fn the_same_text_is_the_same_in_every_string_type() {
    let utf16 = [0, b'b', 0, b'i', 0, b'l', 0, b'l', 0, b'i', 0, b'n', 0, b'g'];
    for (tag, octets) in [(UTF8, &b"billing"[..]), (PRINTABLE, b"billing"), (IA5, b"billing"), (BMP, &utf16)] {
        assert!(is("CN=billing", &read(&name(&[relative(&[(CN, tag, octets)])]), &[])), "{tag}");
    }
    // What some read as Latin-1 and others as T.61 is nobody's plain text.
    let teletex = read(&name(&[relative(&[(CN, TELETEX, b"billing")])]), &[]);
    assert!(!is("CN=billing", &teletex) && is("CN=#140762696C6C696E67", &teletex));
    assert_eq!(teletex.subject.to_string(), "CN=#140762696c6c696e67");
}

#[test]
fn alternative_names_are_compared_whole_and_by_kind() {
    let names =
        san(&[(2, b"Billing.Example.com"), (1, b"Jo@Example.com"), (6, b"https://Example.com/"), (7, &[10, 0, 0, 1])]);
    let certificate = read(&common("x"), &[names]);
    for written in [
        "dns:billing.example.com",
        "dns:BILLING.example.com",
        "email:Jo@example.COM",
        "uri:https://Example.com/",
        "ip:10.0.0.1",
    ] {
        assert!(has(written, &certificate), "{written}");
    }
    for written in [
        "dns:example.com",
        "dns:billing.example.co",
        "dns:jo.example.com",
        "email:jo@example.com",
        "email:Jo@other.example",
        "uri:https://example.com/",
        "uri:https://Example.com",
        "ip:10.0.0.2",
        "ip:::ffff",
    ] {
        assert!(!has(written, &certificate), "{written}");
    }
}

#[test]
fn mistakes_in_alternative_names_are_told() {
    for (text, what) in [
        ("billing.example.com", "does not say what kind of name it is"),
        ("DNS:billing.example.com", "is of no kind that is known"),
        ("othername:x", "is of no kind that is known"),
        ("dns:*.example.com", "names nobody in particular"),
        ("dns:", "is no DNS name"),
        ("dns:a..b", "is no DNS name"),
        ("dns:a.example.", "is no DNS name"),
        ("dns:bücher.example", "is no DNS name"),
        ("dns:a b", "is no DNS name"),
        ("email:billing", "is no mail address"),
        ("email:a@b@c", "is no mail address"),
        ("email:@b", "is no mail address"),
        ("email:a b@c", "is no mail address"),
        ("uri:example", "is no URI"),
        ("uri:http://é", "is no URI"),
        ("ip:10.0.0", "is no IP address"),
        ("ip:10.0.0.0/8", "is no IP address"),
        ("ip:::ffff:10.0.0.1", "is an IPv4 address in the form of an IPv6 one"),
    ] {
        assert_eq!(AlternativeName::parse(text).map_err(|(what, _)| what), Err(what), "{text}");
    }
}

proptest! {
    /// What is shown to an operator means the certificate that it was shown for, and no other.
    #[test]
    fn what_is_shown_can_be_copied_into_a_policy(values in prop::collection::vec(("[ -~äß]{0,12}", any::<bool>()), 1..5)) {
        let mut rdns: Vec<Vec<u8>> = Vec::new();
        for (value, utf8) in &values {
            let utf8 = *utf8 || !value.is_ascii();
            rdns.push(relative(&[(CN, if utf8 { UTF8 } else { PRINTABLE }, value.as_bytes())]));
        }
        let certificate = read(&name(&rdns), &[]);
        let shown = certificate.subject.to_string();
        prop_assert_eq!(&DistinguishedName::parse(&shown).unwrap(), &certificate.subject, "{}", shown);
        prop_assert!(!shown.is_empty());
        let mut longer = rdns.clone();
        longer.push(relative(&[(O, UTF8, b"x")]));
        prop_assert!(!is(&shown, &read(&name(&longer), &[])));
    }

    #[test]
    fn any_text_is_read_or_refused_and_what_is_read_has_one_form(text in "(CN|DC|1.2.3|x)?[=,+\\\\#a-c \"0-9é]{0,24}") {
        if let Ok(name) = DistinguishedName::parse(&text) {
            prop_assert_eq!(DistinguishedName::parse(&name.to_string()).unwrap(), name);
        }
        let _ = AlternativeName::parse(&text);
    }
}
