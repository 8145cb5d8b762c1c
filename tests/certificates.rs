//! Certificates that OpenSSL made, through the command line: what OpenSSL prints of one is what a policy may write.

// Helpers of tests may panic; clippy exempts only the tests themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tools::service::certificate;
use tools::{output, scratch, tool};

fn fresh(name: &str) -> PathBuf {
    let folder = scratch(name);
    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn policy(folder: &Path, key: &str, value: &str) -> PathBuf {
    let path = folder.join("policy.toml");
    let text = format!(
        "[engine]\nname = \"Certificates\"\nstate = \"{key}.db\"\n[[certificate]]\n{key} = '{value}'\nuser = \"billing\"\n\
         [[route]]\npath = \"/\"\nschemes = [\"client-cert\"]\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn gatepost(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gatepost")).args(arguments).output().unwrap()
}

/// Decides on `/` with a certificate: exit code, standard output, standard error.
fn decide(policy: &Path, certificate: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let (policy, certificate) = (policy.to_str().unwrap(), certificate.to_str().unwrap());
    let ran = gatepost(&[&["decide", policy, "/", "--cert", certificate][..], more].concat());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ran.status.code(), text(ran.stdout), text(ran.stderr))
}

fn openssl(arguments: &[&str]) -> String {
    output(Command::new(tool("openssl", "openssl")).args(arguments))
}

#[test]
fn what_openssl_prints_of_a_certificate_is_its_name_in_a_policy() {
    let folder = fresh("openssl");
    for (i, subject) in [
        "/CN=billing",
        "/C=DE/O=Example/OU=Sales/CN=billing",
        "/DC=net/DC=example/UID=billing/emailAddress=billing@example.net",
        "/O=Example, Inc./CN=Billing \"Bill\" \\+ Co; <x>#",
        "/O=Müller & Söhne/CN= billing ",
        "/O=Example/CN=billing+serialNumber=17",
        "/serialNumber=17/GN=Jo/SN=Doe/title=Dr/CN=#1",
        "/CN=mallory/CN=billing",
        "/1.3.6.1.4.1.32473.1=x/CN=billing",
    ]
    .into_iter()
    .enumerate()
    {
        let der = folder.join(format!("{i}.der"));
        certificate(&der, subject);
        let file = der.to_str().unwrap();
        let printed = openssl(&["x509", "-inform", "DER", "-in", file, "-noout", "-subject", "-nameopt", "RFC2253"]);
        let printed = printed.trim_end_matches('\n').strip_prefix("subject=").unwrap();
        let policy = policy(&folder, "subject", printed);
        let added = gatepost(&["user", "add", "billing", "--no-password", "--policy", policy.to_str().unwrap()]);
        assert!(i > 0 || added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        let (code, out, err) = decide(&policy, &der, &[]);
        assert_eq!(code, Some(0), "{subject} {printed}: {out}{err}");
        // And only its own.
        let other = folder.join("other.der");
        certificate(&other, "/CN=other");
        let (code, out, _) = decide(&policy, &other, &["--explain"]);
        assert_eq!(code, Some(3), "{out}");
        assert!(out.contains("credentials_invalid") && out.contains("subject CN=other"), "{out}");
    }
}

#[test]
fn decide_takes_a_certificate_in_each_of_its_forms_and_at_its_time() {
    let folder = fresh("forms");
    let (der, pem, text) = (folder.join("c.der"), folder.join("c.pem"), folder.join("c.txt"));
    certificate(&der, "/CN=billing");
    let in_der = ["x509", "-inform", "DER", "-in", der.to_str().unwrap()];
    openssl(&[&in_der[..], &["-out", pem.to_str().unwrap()]].concat());
    fs::write(&text, openssl(&[&in_der[..], &["-text"]].concat())).unwrap();
    let printed = openssl(&[&in_der[..], &["-noout", "-fingerprint", "-sha256"]].concat());
    let digest = printed.trim().split('=').nth(1).unwrap().replace(':', "");
    let policy = policy(&folder, "fingerprint", &format!("sha256:{digest}"));
    let policy_name = policy.to_str().unwrap();
    let (code, out, err) = decide(&policy, &der, &[]);
    assert!(code == Some(3) && out.contains("credentials_invalid"), "{out}");
    assert!(err.contains("not there yet"), "the missing state is what is wrong: {err}");
    assert!(gatepost(&["user", "add", "billing", "--no-password", "--policy", policy_name]).status.success());

    for file in [&der, &pem, &text] {
        let (code, out, err) = decide(&policy, file, &["--json"]);
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.contains("\"client-cert\"") && out.contains("\"billing\""), "{out}");
    }
    let (code, out, _) = decide(&policy, &der, &["--at", "2099-01-01T00:00:00Z", "--explain"]);
    assert!(code == Some(3) && out.contains("credentials_invalid") && out.contains("it expired"), "{out}");
    let (code, out, _) = decide(&policy, &der, &["--at", "2001-01-01T00:00:00Z", "--explain"]);
    assert!(code == Some(3) && out.contains("it is not valid before"), "{out}");

    let (code, _, err) = decide(&policy, &folder.join("gone.pem"), &[]);
    assert!(code == Some(1) && err.contains("gone.pem cannot be read"), "{err}");
    let (code, _, err) = decide(&policy, &policy, &[]);
    assert!(code == Some(1) && err.contains("is no certificate: it holds no `-----BEGIN CERTIFICATE-----`"), "{err}");
}
