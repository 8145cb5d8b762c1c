//! Which credential a request presents. The first present decides and nothing falls back: a request that says two
//! things about who asks is refused rather than read in the kinder way.

use std::borrow::Cow;

use crate::credential::authorization::{Authorization, is_joined, likely_bearer, plain_basic, plain_bearer};
use crate::credential::cookie;
use crate::identity::Scheme;
use crate::policy::model::Access;
use crate::reading::certificate::Handed;
use crate::reading::fields::Fields;
use crate::reason::Reason;

/// A credential as presented, not yet looked into.
#[derive(Debug)]
pub enum Presented<'a> {
    /// What follows `Basic`.
    Basic(&'a [u8]),
    /// A bearer token that is no API key; visible ASCII, unless it was read in haste.
    Bearer(&'a [u8]),
    /// The same, with a proof of possession.
    Dpop(&'a [u8]),
    /// An API key, from whichever field.
    ApiKey(&'a str),
    /// The session cookie's value.
    Session(&'a [u8]),
    /// The DER of a verified client certificate.
    ClientCert(Cow<'a, [u8]>),
}

/// A presentation that is refused: why, the scheme where one was recognised, and what was seen.
#[derive(Debug)]
pub struct Unusable {
    /// The reason.
    pub reason: Reason,
    /// The scheme that was tried.
    pub scheme: Option<Scheme>,
    /// For the operator.
    pub saw: &'static str,
}

/// Where to look and what is accepted.
#[derive(Debug)]
pub struct Accepts<'a, 'r> {
    /// The route's schemes.
    pub schemes: &'a [Scheme],
    /// The route's access: required or optional.
    pub access: Access,
    /// Proofs of possession are in use.
    pub dpop: bool,
    /// What looks like a bearer token is taken for one before each octet was looked at. Who reads it refuses what it must
    /// not hold, and then asks again without haste.
    pub hasty: bool,
    /// Name of the session cookie.
    pub cookie: &'a str,
    /// The client certificate.
    pub certificate: Handed<'r>,
}

/// Finds the credential, in the order Authorization, X-API-Key, session cookie, client certificate.
pub fn find<'a>(fields: &Fields<'a>, accepts: &Accepts<'_, 'a>) -> Result<Option<Presented<'a>>, Unusable> {
    let lists = |scheme| accepts.schemes.contains(&scheme);
    // A route where nobody can come in has no challenge to give, which a refusal of a credential needs: it looks at none.
    if accepts.schemes.is_empty() && accepts.access == Access::Optional {
        return Ok(None);
    }
    // A route that lists nothing which Authorization carries leaves that field to the application.
    let reads_authorization = lists(Scheme::Basic) || lists(Scheme::Bearer) || lists(Scheme::ApiKey);
    let authorization = if reads_authorization { fields.authorization.as_slice() } else { &[] };
    match (authorization, fields.api_key.as_slice()) {
        ([], []) => {}
        ([_], []) | ([], [_]) => {}
        ([_, _, ..], _) => return Err(ambiguous("Authorization is repeated")),
        (_, [_, _, ..]) => return Err(ambiguous("X-API-Key is repeated")),
        ([_], [_]) => return Err(ambiguous("both Authorization and X-API-Key are present")),
    }
    let session = cookie::find(fields.cookie.iter().copied(), accepts.cookie);
    if lists(Scheme::Session) && session.count > 1 {
        return Err(ambiguous("the session cookie is there twice"));
    }
    if lists(Scheme::ClientCert) && accepts.certificate == Handed::Repeated {
        return Err(ambiguous("the proxy's certificate field is repeated"));
    }
    if let [value] = authorization {
        return from_authorization(value, accepts).and_then(|presented| accepted(presented, accepts)).map(Some);
    }
    if let [value] = fields.api_key.as_slice() {
        // The route's own word comes first: what is not accepted is not looked at.
        let text = std::str::from_utf8(value);
        let presented = accepted(Presented::ApiKey(text.unwrap_or_default()), accepts)?;
        text.map_err(|_| malformed(Scheme::ApiKey, "X-API-Key is not text"))?;
        return Ok(Some(presented));
    }
    // What a browser or a TLS stack adds on its own says nothing on an optional route that does not ask for it.
    let counts = |scheme| lists(scheme) || accepts.access == Access::Required;
    if let (Some(value), true) = (session.first, counts(Scheme::Session)) {
        return accepted(Presented::Session(value), accepts).map(Some);
    }
    if accepts.certificate.is_there() && counts(Scheme::ClientCert) {
        if !lists(Scheme::ClientCert) {
            return Err(not_listed(Scheme::ClientCert));
        }
        let der = accepts.certificate.der().map_err(|saw| malformed(Scheme::ClientCert, saw))?;
        return Ok(der.map(Presented::ClientCert));
    }
    Ok(None)
}

impl Presented<'_> {
    /// Its scheme.
    pub fn scheme(&self) -> Scheme {
        match self {
            Presented::Basic(_) => Scheme::Basic,
            Presented::Bearer(_) | Presented::Dpop(_) => Scheme::Bearer,
            Presented::ApiKey(_) => Scheme::ApiKey,
            Presented::Session(_) => Scheme::Session,
            Presented::ClientCert(_) => Scheme::ClientCert,
        }
    }
}

fn from_authorization<'a>(value: &'a [u8], accepts: &Accepts<'_, '_>) -> Result<Presented<'a>, Unusable> {
    let hasty = accepts.hasty && accepts.schemes.contains(&Scheme::Bearer);
    if let Some(token) = if hasty { likely_bearer(value) } else { plain_bearer(value) } {
        return Ok(Presented::Bearer(token));
    }
    if let Some(login) = plain_basic(value) {
        return Ok(Presented::Basic(login));
    }
    if is_joined(value) {
        return Err(ambiguous("a comma in Authorization: two fields were joined into one"));
    }
    match Authorization::parse(value) {
        Ok(Authorization::Basic(rest)) => Ok(Presented::Basic(rest.as_bytes())),
        Ok(Authorization::Bearer(token)) => Ok(Presented::Bearer(token.as_bytes())),
        Ok(Authorization::Dpop(token)) if accepts.dpop => Ok(Presented::Dpop(token.as_bytes())),
        Ok(Authorization::ApiKey(key)) => Ok(Presented::ApiKey(key)),
        Ok(Authorization::Dpop(_)) => Err(Unusable {
            reason: Reason::SchemeNotAccepted,
            scheme: None,
            saw: "Authorization has the scheme DPoP, and no [[issuer]] takes it (dpop)",
        }),
        Ok(Authorization::Other(_)) => Err(Unusable {
            reason: Reason::SchemeNotAccepted,
            scheme: None,
            saw: "Authorization has a scheme that is not known here",
        }),
        Err(malformed) if malformed.scheme.is_some_and(|scheme| !accepts.schemes.contains(&scheme)) => Err(Unusable {
            reason: Reason::SchemeNotAccepted,
            scheme: malformed.scheme,
            saw: "the route does not list this scheme",
        }),
        Err(malformed) => {
            Err(Unusable { reason: Reason::CredentialsMalformed, scheme: malformed.scheme, saw: malformed.why })
        }
    }
}

fn accepted<'a>(presented: Presented<'a>, accepts: &Accepts<'_, '_>) -> Result<Presented<'a>, Unusable> {
    let scheme = presented.scheme();
    if accepts.schemes.contains(&scheme) {
        return Ok(presented);
    }
    Err(not_listed(scheme))
}

fn not_listed(scheme: Scheme) -> Unusable {
    Unusable { reason: Reason::SchemeNotAccepted, scheme: Some(scheme), saw: "the route does not list this scheme" }
}

fn ambiguous(saw: &'static str) -> Unusable {
    Unusable { reason: Reason::CredentialsAmbiguous, scheme: None, saw }
}

fn malformed(scheme: Scheme, saw: &'static str) -> Unusable {
    Unusable { reason: Reason::CredentialsMalformed, scheme: Some(scheme), saw }
}
