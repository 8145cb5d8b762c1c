//! A token that is bound to a key is for who holds that key: what of the request proves it (RFC 7800, RFC 8705,
//! RFC 9449).

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;

use crate::answer::challenge::Tokens;
use crate::certificate::thumbprint;
use crate::crypto::random;
use crate::engine::context::{Context, Failure};
use crate::engine::decide::Examination;
use crate::engine::process::Process;
use crate::error::Error;
use crate::policy::Policy;
use crate::policy::model::{Dpop, DpopRules, Issuer};
use crate::reading::certificate::Handed;
use crate::reading::fields::Fields;
use crate::reason::Reason;
use crate::request::Request;
use crate::state::{self, Proof, State, Used};
use crate::target::{Host, HttpUri};
use crate::token::claims::Clock;
use crate::token::dpop::{self, Expected};
use crate::token::nonce::Nonces;
use crate::token::replay::{LONGEST, Made, Span, Use};
use crate::token::{Binding, Verified};

/// Under which name the state keeps the key of the nonces.
const NONCE_KEY: &str = "dpop-nonce";

// What a process forgets and what all of them do goes by the same time.
const _: () = assert!(LONGEST == state::LONGEST as i64);

/// How the tokens of a policy may come.
#[derive(Debug)]
pub(super) struct Proofs {
    /// Only bound to a key.
    bound_only: bool,
    /// With proofs that these algorithms sign; `None`: no issuer takes proofs.
    algorithms: Option<String>,
    /// They are offered also to who shows no sign of them.
    announced: bool,
    /// An issuer wants nonces.
    wants_nonces: bool,
    /// Those of all processes of the state; `None`: nobody wants them, or nothing is decided yet.
    nonces: Option<Nonces>,
}

impl Proofs {
    pub(super) fn of(policy: &Policy) -> Proofs {
        let rules = || policy.issuers.iter().map(|issuer| issuer.dpop);
        let names: Vec<_> = dpop::algorithms(policy.strict).map(|algorithm| algorithm.name()).collect();
        Proofs {
            bound_only: !policy.issuers.is_empty() && rules().all(|rules| rules.mode == Dpop::Required),
            algorithms: rules().any(|rules| rules.mode != Dpop::Off).then(|| names.join(" ")),
            announced: rules().any(|rules| rules.offered),
            wants_nonces: rules().any(|rules| rules.nonce),
            nonces: None,
        }
    }

    /// Finds what all processes know of used proofs, where some are taken and it is ours to use them, and the key of the
    /// nonces. Where nothing may be written and there is none yet, no nonce can be known either.
    pub(super) fn open(&mut self, state: &dyn State, read_only: bool, now: i64, leeway: i64) -> Result<(), Error> {
        if self.are_taken() && !read_only {
            state.open_proofs(now, leeway)?;
        }
        if self.wants_nonces {
            let key = match read_only {
                false => state.secret(NONCE_KEY)?,
                true => state.known_secret(NONCE_KEY)?.map_or_else(random::bytes, Ok)?,
            };
            self.nonces = Some(Nonces::new(&key));
        }
        Ok(())
    }

    /// Some issuer takes them.
    pub(super) fn are_taken(&self) -> bool {
        self.algorithms.is_some()
    }

    /// For the challenges of a refusal. Where the policy says nothing of proofs they are offered to those alone who sent
    /// one, or a token that needs one (`missed`): proofs are no help to whoever lacks a certificate.
    pub(super) fn offered(&self, proved: bool, missed: bool) -> Tokens<'_> {
        let fits = self.announced || proved || missed;
        Tokens { bound_only: self.bound_only, proofs: self.algorithms.as_deref().filter(|_| fits), proved }
    }
}

/// A token outside of any request, where nothing is proved: it is bound to nothing and need not be.
pub(super) fn without_request(policy: &Policy, verified: &Verified) -> Result<(), Failure> {
    if verified.binding().is_some() {
        return Err(refused("the token is bound to a key (cnf), and without a request nothing shows who holds it"));
    }
    match policy.issuers.get(verified.issuer) {
        Some(issuer) if issuer.dpop.mode != Dpop::Required => Ok(()),
        _ => Err(refused("the token is not bound to a key (cnf.jkt), and its issuer has dpop = \"required\"")),
    }
}

/// What of a request can prove possession.
#[derive(Clone, Debug)]
pub(super) struct Possession<'a, 'r> {
    pub(super) request: &'a Request<'r>,
    pub(super) fields: &'a Fields<'r>,
    pub(super) method: &'a str,
    pub(super) host: Option<Host<'r>>,
    /// As it was sent; `None` for `OPTIONS *`.
    pub(super) path: Option<&'a [u8]>,
}

impl Possession<'_, '_> {
    /// Everything that token, scheme and policy ask for is proved. Costs next to nothing for a token that is not bound.
    pub(super) fn proves(
        &self,
        context: &mut Context,
        examination: &Examination<'_, '_>,
        token: &[u8],
        verified: &Verified,
    ) -> Result<(), Failure> {
        let snapshot = &context.snapshot;
        let mode = snapshot.policy.issuers.get(verified.issuer).map(|issuer| issuer.dpop.mode);
        if verified.binding().is_none() && !context.proved && mode.is_some_and(|mode| mode != Dpop::Required) {
            return Ok(());
        }
        let snapshot = Arc::clone(snapshot);
        let Some(issuer) = snapshot.policy.issuers.get(verified.issuer) else {
            return Err(Failure::new(Reason::Internal, "possession", "an issuer that the policy does not hold"));
        };
        let Binding { certificate, key, unknown } = verified.binding().copied().unwrap_or_default();
        context.needs_proof = key.is_some() || issuer.dpop.mode == Dpop::Required;
        if unknown {
            let saw = "cnf names no method, or one that is not understood here; x5t#S256 and jkt are";
            return Err(refused(saw));
        }
        if let Some(wanted) = certificate {
            self.certificate(context, &wanted)?;
        }
        match (key, context.proved) {
            (None, false) if issuer.dpop.mode != Dpop::Required => Ok(()),
            (None, false) => {
                let saw = format!(
                    "the token is not bound to a key (cnf.jkt); issuer {} has dpop = \"required\"",
                    issuer.name
                );
                Err(refused(saw))
            }
            // RFC 9449 section 7.1: the scheme says that the token is bound, and nothing of the token does.
            (None, true) => Err(refused("the token came as DPoP and is not bound to a key (cnf.jkt)")),
            (Some(_), _) if issuer.dpop.mode == Dpop::Off => {
                let saw = format!("the token is bound to a key (cnf.jkt); issuer {} has dpop = \"off\"", issuer.name);
                Err(refused(saw))
            }
            // RFC 9449 section 7.2: otherwise whoever has the token would only need to leave the proof out.
            (Some(_), false) => {
                Err(refused("the token is bound to a key (cnf.jkt) and came as Bearer, without a proof"))
            }
            (Some(key), true) => self.proof(context, examination, issuer, token, &key),
        }
    }

    /// RFC 8705 section 3: the certificate of this connection is the one that the token was issued for. Whether its
    /// chain was verified makes no difference (section 6.2): TLS proves that the client holds its key.
    fn certificate(&self, context: &mut Context, wanted: &[u8; 32]) -> Result<(), Failure> {
        let proxies = &context.snapshot.policy.proxies;
        let handed = Handed::find(self.request, self.fields, &context.client, proxies);
        let shown = |digest: &[u8; 32]| BASE64URL_NOPAD.encode(digest);
        let missing = |why: &str| refused(format!("the token is for certificate {}, and {why}", shown(wanted)));
        let der = handed.held().map_err(|why| missing(&format!("that of the request cannot be read: {why}")))?;
        let Some(der) = der else {
            return Err(missing(match handed {
                Handed::Plain => {
                    "the only one came with a request that is not TLS, so that no handshake proved its key"
                }
                Handed::Proxy => "the only one is that of a trusted proxy's own connection; see [proxies] certificate",
                _ => "the client showed none",
            }));
        };
        let seen = thumbprint(&der);
        // Neither is a secret.
        if seen != *wanted {
            return Err(missing(&format!("the client's is {}", shown(&seen))));
        }
        context.trace.step("possession", || format!("client certificate {}", shown(wanted)), || "is the token's");
        Ok(())
    }

    /// RFC 9449 section 4.3: one proof, for this request, token and key, not used before.
    fn proof(
        &self,
        context: &mut Context,
        examination: &Examination<'_, '_>,
        issuer: &Issuer,
        token: &[u8],
        key: &[u8; 32],
    ) -> Result<(), Failure> {
        let wrong = |saw: &str| Failure::new(Reason::DpopProof, "possession", saw);
        let proof = match self.fields.proof.as_slice() {
            [] => return Err(wrong("there is no DPoP field")),
            [proof] => std::str::from_utf8(proof).map_err(|_| wrong("the DPoP field is not text"))?,
            _ => return Err(wrong("the DPoP field is repeated")),
        };
        let secure =
            context.client.tls.ok_or_else(|| wrong("whether the client uses TLS is unknown; see [proxies]"))?;
        let host = self.host.as_ref().ok_or_else(|| wrong("the request names no host that htu could"))?;
        // Its URI has no path (RFC 9110 section 7.1), and in the one spelling would be that of `/`.
        let path = self.path.ok_or_else(|| wrong("there are no proofs for OPTIONS *"))?;
        let snapshot = Arc::clone(&context.snapshot);
        let policy = &*snapshot.policy;
        let DpopRules { nonce, .. } = issuer.dpop;
        let nonces = snapshot.proofs.nonces.as_ref().filter(|_| nonce);
        if nonce && nonces.is_none() {
            return Err(Failure::new(Reason::Internal, "possession", "the key of the nonces is missing"));
        }
        let clock = Clock { now: context.now, leeway: policy.leeway.max(0) };
        let uri = HttpUri::of(secure, host, path);
        let expected = Expected { method: self.method, uri: &uri, token, key, strict: policy.strict, clock, nonces };
        let proved = dpop::check(proof, &expected).map_err(|refused| {
            if refused.reason == Reason::DpopNonce {
                context.nonce = nonces.map(|nonces| nonces.at(clock.now));
            }
            Failure::new(refused.reason, "possession", refused.detail)
        })?;
        if proved.outdated_nonce {
            context.nonce = nonces.map(|nonces| nonces.at(clock.now));
        }
        let saw = || format!("DPoP proof by {} for {uri}", proved.algorithm.name());
        if examination.mode.read_only {
            context.trace.step(
                "possession",
                saw,
                || "is of the token's key; whether it was used before the server knows",
            );
            return Ok(());
        }
        let span = Span { oldest: dpop::oldest(clock), now: clock.now };
        let made = Made { key, id: &proved.id, issued: proved.issued, at: proved.made_at };
        match note(examination.process, &made, span)? {
            Use::First => {
                context.trace.step("possession", saw, || "is of the token's key, and new");
                Ok(())
            }
            Use::Again => Err(wrong("the DPoP proof was used before (jti)")),
            Use::Forgotten => {
                Err(wrong("the DPoP proof was made before a time of which all proofs are still remembered"))
            }
            Use::TooMany => Err(wrong("the key of the DPoP proof made as many of late as are remembered for one key")),
        }
    }
}

/// Notes the use of a proof: in this process, and what is new here for all that share the state.
fn note(process: &Process, made: &Made<'_>, span: Span) -> Result<Use, Failure> {
    let here = process.replays.note(made, span);
    if here != Use::First {
        return Ok(here);
    }
    let Made { key, id, issued, at: made_at } = *made;
    match process.state.use_proof(&Proof { key, id, issued, made_at }, span.now) {
        Ok(Used::First) => Ok(Use::First),
        Ok(Used::Again) => Ok(Use::Again),
        Ok(Used::Forgotten) => Ok(Use::Forgotten),
        Err(error) => Err(Failure::new(Reason::StateUnavailable, "possession", error.message())),
    }
}

fn refused(saw: impl Into<String>) -> Failure {
    Failure::new(Reason::TokenBinding, "possession", saw)
}
