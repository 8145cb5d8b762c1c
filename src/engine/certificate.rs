//! From a verified client certificate to the user that the policy maps it to.

use crate::certificate::Certificate;
use crate::engine::context::{Context, Failure};
use crate::engine::decide::Examined;
use crate::engine::identify::Proof;
use crate::engine::job::Work;
use crate::engine::process::Process;
use crate::policy::Policy;
use crate::reason::Reason;

/// Who it is. Nothing here can be guessed, so nothing is counted; nothing is remembered between two requests.
pub(super) fn recognise(context: &mut Context, process: &Process, der: &[u8]) -> Result<Examined, Failure> {
    let malformed =
        |why: &str| Failure::new(Reason::CredentialsMalformed, "credentials", format!("the client certificate: {why}"));
    let certificate = Certificate::read(der).map_err(malformed)?;
    let invalid =
        |why: String| Failure::new(Reason::CredentialsInvalid, "verify", format!("{}: {why}", names(&certificate)));
    if context.now < certificate.not_before {
        return Err(invalid(format!("it is not valid before {}", certificate.not_before)));
    }
    if context.now > certificate.not_after {
        return Err(invalid(format!("it expired at {}", certificate.not_after)));
    }
    if certificate.other_purpose {
        return Err(invalid("its extended key usage leaves out the authentication of clients".into()));
    }
    let user = user(&context.snapshot.policy, &certificate).map_err(invalid)?;
    context.trace.step("certificate", || names(&certificate), || format!("mapped to {}", user.escape_debug()));
    let proof = Proof::Certificate { user, expires_at: certificate.not_after };
    match proof.known(process) {
        Some(facts) => Ok(Examined::Proved(proof, facts)),
        None => Ok(Examined::Needs(Box::new(Work::Read { proof, place: None, round: 0 }))),
    }
}

/// The one user that all sections which describe it name.
fn user(policy: &Policy, certificate: &Certificate) -> Result<String, String> {
    let mut found = certificate.descriptions().filter_map(|description| policy.certificates.get(&description));
    let first = found.next().ok_or("no [[certificate]] describes it")?;
    match found.find(|other| other.user != first.user) {
        None => Ok(first.user.clone()),
        Some(other) => Err(format!(
            "the sections on lines {} and {} map it to {} and to {}",
            first.line, other.line, first.user, other.user
        )),
    }
}

/// What it says, in the words of a policy, so that an operator can copy one of them.
fn names(certificate: &Certificate) -> String {
    certificate.descriptions().map(|description| description.to_string()).collect::<Vec<_>>().join(", ")
}
