//! How a policy describes a client certificate: subject, alternative name, fingerprint.

use super::Slip;
use crate::certificate::{AlternativeName, Description, DistinguishedName};
use crate::policy::report::quote;

pub(super) fn subject(text: &str) -> Result<(), Slip> {
    let Err(mistake) = DistinguishedName::parse(text) else { return Ok(()) };
    Err(Slip::new(
        format!("{} is not a distinguished name: {}, at character {}", quote(text), mistake.what, mistake.at),
        "write it as `openssl x509 -noout -subject -nameopt RFC2253 -in FILE` prints it, behind `subject=`",
    ))
}

pub(super) fn san(text: &str) -> Result<(), Slip> {
    let Err((what, help)) = AlternativeName::parse(text) else { return Ok(()) };
    Err(Slip::new(format!("{} {what}", quote(text)), help))
}

pub(super) fn fingerprint(text: &str) -> Result<(), Slip> {
    if Description::fingerprint(text).is_some() {
        return Ok(());
    }
    Err(Slip::new(
        format!("{} is not a SHA-256 fingerprint", quote(text)),
        "write `sha256:` and 64 hex digits without colons",
    ))
}
