//! Mistakes about client certificates.

use super::{Severity, check, each_says};
use crate::certificate::{AlternativeName, Description, DistinguishedName};

#[test]
fn mistakes_about_certificates_are_errors_that_say_what_to_write() {
    let two = |first: &str, second: &str| {
        format!("[[certificate]]\n{first}\nuser = 'billing'\n[[certificate]]\n{second}\nuser = 'reports'\n")
    };
    const TWICE: &str = "the section on line 1 already says whose this certificate is: `billing` | leave one of the two out: a certificate is one user's";
    let digest = "ab".repeat(32);
    let own = [
        (two("subject = 'CN=a,DC=b'", "subject = '2.5.4.3=a,dc=B'"), format!("5:11 {TWICE}")),
        (two("san = 'dns:a.example'", "san = 'dns:A.example'"), format!("5:7 {TWICE}")),
        (
            two(
                &format!("fingerprint = 'sha256:{digest}'"),
                &format!("fingerprint = 'sha256:{}'", digest.to_uppercase()),
            ),
            format!("5:15 {TWICE}"),
        ),
    ];
    let mut cases: Vec<(&str, &str)> = own.iter().map(|(text, said)| (text.as_str(), said.as_str())).collect();
    cases.extend([
        (
            "[[certificate]]\nuser = 'billing'\n",
            "1:1 this certificate is not described | write exactly one of `subject`, `fingerprint` and `san`",
        ),
        (
            "[[certificate]]\nsubject = 'CN=a'\nsan = 'dns:a'\nuser = 'billing'\n",
            "1:1 this certificate is described in more than one way | write exactly one of `subject`, `fingerprint` and `san`",
        ),
        (
            "[[certificate]]\nfingerprint = 'sha1:00'\nuser = 'billing'\n",
            "2:15 `sha1:00` is not a SHA-256 fingerprint | write `sha256:` and 64 hex digits without colons",
        ),
        (
            "[[certificate]]\nsubject = '/CN=billing'\nuser = 'billing'\n",
            "2:11 `/CN=billing` is not a distinguished name: `/` begins the old form of OpenSSL, at character 1 | write it as `openssl x509 -noout -subject -nameopt RFC2253 -in FILE` prints it, behind `subject=`",
        ),
        (
            "[[certificate]]\nsubject = 'CN=billing, O=Example'\nuser = 'billing'\n",
            "2:11 `CN=billing, O=Example` is not a distinguished name: a space stands before the name of an attribute, at character 12 | write it as `openssl x509 -noout -subject -nameopt RFC2253 -in FILE` prints it, behind `subject=`",
        ),
        (
            "[[certificate]]\nsan = 'billing.example.com'\nuser = 'billing'\n",
            "2:7 `billing.example.com` does not say what kind of name it is | begin with \"dns:\", \"email:\", \"uri:\" or \"ip:\", like \"dns:billing.example.com\"",
        ),
        (
            "[[certificate]]\nsan = 'dns:*.example.com'\nuser = 'billing'\n",
            "2:7 `dns:*.example.com` names nobody in particular | write the whole name, without `*`",
        ),
        (
            "[[certificate]]\nsubject = 'CN=a'\nuser = 'b c'\n",
            "3:8 `b c` can be nobody's user name | write the name as `gatepost user list` shows it (RFC 8265: no spaces, no control characters)",
        ),
        (
            "[[certificate]]\nsubject = 'CN=a'\n",
            "1:1 `[[certificate]]` has no `user` | add `user = \"rita\"`: the local user that it is",
        ),
        (
            "[proxies]\ntrusted = '::1'\ncertificate = 'Authorization'\n",
            "3:15 `Authorization` has a meaning of its own and cannot carry an identity | choose a name of your own, like `X-Auth-Subject`",
        ),
        (
            "[proxies]\ntrusted = '::1'\ncertificate = 'Client-Cert'\ncertificate_form = 'pem'\n",
            "4:20 `certificate_form` cannot be `pem` | write one of `rfc9440`, `escaped-pem`",
        ),
        (
            "[proxies]\ntrusted = '::1'\ncertificate = 'X-Cert'\n[identity]\nsubject = 'x_cert'\n",
            "5:11 `x_cert` is to many servers the header in which `[proxies]` believes certificates | choose another name",
        ),
    ]);
    each_says(Severity::Error, &cases);
}

#[test]
fn a_sound_map_has_each_certificate_in_one_form_and_canonical_names() {
    let text = "[[certificate]]\nsubject = 'cn=billing,dc=EXAMPLE'\nuser = 'Billing'\n\
                [[certificate]]\nsan = 'email:Jo@Example.com'\nuser = 'jo'\n\
                [[route]]\npath = '/'\nschemes = 'client-cert'\n";
    let loaded = check(text).unwrap();
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    let map = loaded.policy.certificates;
    assert_eq!(map.len(), 2);
    let subject = Description::Subject(DistinguishedName::parse("CN=billing,DC=example").unwrap());
    assert_eq!((map[&subject].user.as_str(), map[&subject].line), ("billing", 1));
    let name = Description::AlternativeName(AlternativeName::parse("email:Jo@example.com").unwrap());
    assert_eq!((map[&name].user.as_str(), map[&name].line), ("jo", 4));
}
