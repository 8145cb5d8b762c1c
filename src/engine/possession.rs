//! A token that is bound to a key is for who holds that key: what of the request proves it (RFC 7800, RFC 8705,
//! RFC 9449).

use data_encoding::BASE64URL_NOPAD;

use crate::certificate::thumbprint;
use crate::engine::context::{Context, Failure};
use crate::reading::certificate::Handed;
use crate::reading::fields::Fields;
use crate::reason::Reason;
use crate::request::Request;
use crate::token::{Binding, Verified};

/// What of a request can prove possession.
#[derive(Clone, Copy, Debug)]
pub(super) struct Possession<'a, 'r> {
    pub(super) request: &'a Request<'r>,
    pub(super) fields: &'a Fields<'r>,
}

impl Possession<'_, '_> {
    /// Everything that the token asks for is proved. Costs nothing for a token that is not bound.
    pub(super) fn proves(&self, context: &mut Context, verified: &Verified) -> Result<(), Failure> {
        let Some(Binding { certificate, key, unknown }) = verified.binding().copied() else { return Ok(()) };
        if unknown {
            let saw = "cnf names no method, or one that is not understood here; x5t#S256 and jkt are";
            return Err(refused(saw));
        }
        if let Some(wanted) = certificate {
            self.certificate(context, &wanted)?;
        }
        if key.is_some() {
            return Err(refused("the token is bound to a key of DPoP proofs (cnf.jkt)"));
        }
        Ok(())
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
}

fn refused(saw: impl Into<String>) -> Failure {
    Failure::new(Reason::TokenBinding, "possession", saw)
}
