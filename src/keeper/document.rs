//! What is asked for over the network, and what is made of the answers.

use super::Desk;
use crate::crypto::key::{KeySet, Origin};
use crate::fetch::{self, Ask, Document, Fetch};
use crate::json;
use crate::policy::model::{Issuer, KeySource};
use crate::state::{Ended, Fetched};

/// Where a source is asked first: the document itself, or the issuer's metadata (OpenID Connect Discovery 1.0 section 4).
pub(super) fn address(issuer: &Issuer, source: &KeySource) -> String {
    match source {
        KeySource::Url { url, .. } => url.clone(),
        _ => format!("{}/.well-known/openid-configuration", issuer.issuer.trim_end_matches('/')),
    }
}

/// Asks for the document, and holds what comes against the policy. What could not be used is an error, so that it never
/// takes the place of what could. Nothing of a token has a part in it.
pub(super) fn bring(desk: &Desk<'_>, good: Option<&Fetched>, fetch: &Fetch) -> Result<(Ended, Option<i64>), String> {
    let authorities = desk.asked.authorities.as_deref();
    let first = desk.address();
    let location = match desk.source {
        KeySource::Discovery { .. } => {
            let Document::New { body, .. } = fetch::json(fetch, &Ask { url: &first, etag: None, authorities })? else {
                return Err(format!("{first}: it answered that nothing has changed, and was not asked that"));
            };
            jwks_uri(desk.issuer, &body).map_err(|why| format!("{first}: {why}"))?
        }
        _ => first,
    };
    let etag = good.filter(|good| good.location == location).and_then(|good| good.etag.as_deref());
    match fetch::json(fetch, &Ask { url: &location, etag, authorities })? {
        Document::Same { max_age } => {
            let etag = etag.map(str::to_owned);
            Ok((Ended::Good { body: None, location, etag }, max_age))
        }
        Document::New { body, etag, max_age } => {
            let fits = |keys| desk.ring.fits(desk.watch.issuer, desk.watch.source, &keys).map_err(|error| error.0);
            keys(desk, &body).and_then(fits).map_err(|why| format!("{location}: {why}"))?;
            Ok((Ended::Good { body: Some(body), location, etag }, max_age))
        }
    }
}

/// The keys of a document.
pub(super) fn keys(desk: &Desk<'_>, body: &[u8]) -> Result<KeySet, String> {
    let rules = desk.issuer.rules(desk.policy.strict, Origin::Remote);
    let bare = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    KeySet::from_jwks(bare, &rules).map_err(|error| error.0)
}

/// Where the keys are, by an issuer's metadata.
fn jwks_uri(issuer: &Issuer, body: &[u8]) -> Result<String, String> {
    let metadata = json::object(body).map_err(|why| format!("these are no metadata: {why}"))?;
    let text = |name: &str| metadata.get(name).and_then(|value| value.as_str());
    match text("issuer") {
        Some(own) if own == issuer.issuer => {}
        Some(other) => {
            return Err(format!(
                "these are the metadata of {}, and the policy believes {}; both must be the same to the letter",
                json::shown(other),
                json::shown(&issuer.issuer)
            ));
        }
        None => return Err("these metadata have no `issuer`".into()),
    }
    match text("jwks_uri") {
        Some(uri) if fetch::is_https(uri) => Ok(uri.to_owned()),
        Some(other) => Err(format!("its jwks_uri {} is no https address", json::shown(other))),
        None => Err("these metadata have no `jwks_uri`; name the address of the keys with `url`".into()),
    }
}
