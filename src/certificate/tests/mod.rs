//! Certificates and the names in them, honest and hostile.

mod attacks;
mod make;
mod names;

use make::*;

use super::carried::{self, Form};
use super::*;
use data_encoding::BASE64;

fn read(subject: &[u8], extensions: &[Vec<u8>]) -> Certificate {
    Certificate::read(&certificate(subject, extensions)).unwrap()
}

/// A policy that writes this subject means this certificate.
fn is(written: &str, certificate: &Certificate) -> bool {
    let wanted = Description::Subject(DistinguishedName::parse(written).unwrap());
    certificate.descriptions().any(|description| description == wanted)
}

/// The same for a subject alternative name.
fn has(written: &str, certificate: &Certificate) -> bool {
    let wanted = Description::AlternativeName(AlternativeName::parse(written).unwrap());
    certificate.descriptions().any(|description| description == wanted)
}

#[test]
fn a_certificate_is_read() {
    let names = [san(&[
        (2, b"billing.example.com"),
        (1, b"billing@example.com"),
        (6, b"spiffe://example.com/billing"),
        (7, &[192, 0, 2, 7]),
        (7, &[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ])];
    let der = certificate(&common("billing"), &names);
    let read = Certificate::read(&der).unwrap();
    let said: Vec<String> = read.descriptions().map(|d| d.to_string()).collect();
    let digest = data_encoding::HEXLOWER.encode(&thumbprint(&der));
    assert_eq!(
        said,
        [
            format!("fingerprint sha256:{digest}").as_str(),
            "subject CN=billing",
            "san dns:billing.example.com",
            "san email:billing@example.com",
            "san uri:spiffe://example.com/billing",
            "san ip:192.0.2.7",
            "san ip:2001:db8::1",
        ]
    );
    assert_eq!((read.not_before, read.not_after, read.other_purpose), (FROM, TO, false));
    assert!(Description::fingerprint(&format!("sha256:{}", digest.to_uppercase())) == read.descriptions().next());
}

#[test]
fn purposes_are_what_the_certificate_states() {
    const SERVER: &str = "1.3.6.1.5.5.7.3.1";
    const CLIENT: &str = "1.3.6.1.5.5.7.3.2";
    let other = |purposes: &[&str]| read(&common("x"), &[usage(purposes)]).other_purpose;
    assert!(other(&[SERVER]));
    assert!(!other(&[SERVER, CLIENT]));
    assert!(!other(&["2.5.29.37.0"]));
    assert!(!read(&common("x"), &[]).other_purpose, "one that states none is for all");
}

#[test]
fn every_form_in_which_one_travels_is_read_and_no_other() {
    let der = certificate(&common("billing"), &[]);
    let base64 = BASE64.encode(&der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    let escape = |text: &str| {
        let each = text
            .bytes()
            .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") });
        each.collect::<String>()
    };

    let field = |value: &str, form| carried::read(value.as_bytes(), form).ok();
    assert_eq!(field(&format!(":{base64}:"), Form::Rfc9440).as_deref(), Some(&der[..]));
    for other in [
        base64.clone(),
        format!(":{base64}"),
        format!("{base64}:"),
        format!("\"{base64}\""),
        format!(":{base64}:;a=1"),
        format!(":{base64}: "),
        format!(":{}:", base64.replacen('M', "M ", 1)),
        ":AAA:".into(),
        ":AAB=:".into(),
        "::".into(),
        ":".into(),
        escape(&pem),
    ] {
        assert_eq!(field(&other, Form::Rfc9440), None, "{other}");
    }

    for good in [escape(&pem), escape(pem.trim()), escape(&pem.replace('\n', " ")), pem.trim().replace('\n', " ")] {
        assert_eq!(field(&good, Form::EscapedPem).as_deref(), Some(&der[..]), "{good}");
    }
    for other in [
        escape(&format!("{pem}{pem}")),
        escape(&format!("text before\n{pem}")),
        escape(&pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE")),
        escape(&pem).replace("%2D", "%2"),
        format!("{}%", escape(&pem)),
        format!(":{base64}:"),
        base64.clone(),
        "%ff".into(),
    ] {
        assert_eq!(field(&other, Form::EscapedPem), None, "{other}");
    }

    let file = |bytes: &[u8]| carried::of_file(bytes).map(|der| der.into_owned()).ok();
    assert_eq!(file(&der).as_deref(), Some(&der[..]));
    assert_eq!(file(pem.as_bytes()).as_deref(), Some(&der[..]));
    let other =
        format!("Certificate:\r\n    Data:\r\n{pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_eq!(file(other.as_bytes()).as_deref(), Some(&der[..]), "the first one is the client's own");
    for other in
        ["", "billing", "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----"]
    {
        assert_eq!(file(other.as_bytes()), None, "{other:?}");
    }
}
