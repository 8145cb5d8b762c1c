//! Our own client: one GET over a fresh connection, without proxies, redirects, cookies or threads.
//!
//! The time of a look-up of a name is the system's to bound: to cut it short would take a thread, and hosts have no
//! threads of ours that they did not ask for.

use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout, time};

use super::{Answer, Ask, LARGEST, too_large};

/// Largest head of an answer, octets.
const LARGEST_HEAD: usize = 32 * 1024;

/// Asks; an error says what went wrong. All of it may take `whole`, and the connection half of that.
pub(super) fn fetch(ask: &Ask<'_>, whole: Duration) -> Result<Answer, String> {
    let said = |error: &ureq::Error| said(error, whole);
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        // Named here, so that the process has no default of ours.
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(roots(ask)?)
        .build();
    let config = Config::builder()
        .https_only(true)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .timeout_connect(Some(whole / 2))
        .timeout_global(Some(whole))
        .max_response_header_size(LARGEST_HEAD)
        .max_idle_connections(0)
        .user_agent(concat!("gatepost/", env!("CARGO_PKG_VERSION")))
        .accept("application/jwk-set+json, application/json")
        .tls_config(tls)
        .build();
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), Names);
    let mut request = agent.get(ask.url);
    if let Some(etag) = ask.etag {
        request = request.header("If-None-Match", etag);
    }
    let mut response = request.call().map_err(|error| said(&error))?;
    let field = |name: &str| {
        response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned).unwrap_or_default()
    };
    let mut answer = Answer {
        status: response.status().as_u16(),
        etag: field("etag"),
        cache_control: field("cache-control"),
        content_type: field("content-type"),
        location: field("location"),
        body: Vec::new(),
    };
    // What else there is to say is said by the status.
    if answer.status == 200 {
        let limit = u64::try_from(LARGEST).unwrap_or(u64::MAX);
        answer.body = response.body_mut().with_config().limit(limit).read_to_vec().map_err(|error| said(&error))?;
    }
    Ok(answer)
}

fn roots(ask: &Ask<'_>) -> Result<RootCerts, String> {
    let certificates: Vec<Certificate<'static>> = match ask.authorities {
        Some(authorities) => authorities.der.iter().map(|der| Certificate::from_der(der).to_owned()).collect(),
        // Read anew each time: a few milliseconds, and what the system believes may change.
        None => {
            let system = rustls_native_certs::load_native_certs();
            system.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
        }
    };
    if certificates.is_empty() {
        return Err(
            "this system has no certificates of authorities; install them (the package ca-certificates), or name \
                    a file of them with `ca`"
                .into(),
        );
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

/// Looks names up on this thread.
#[derive(Debug)]
struct Names;

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        // With a time to be cut short at it would start a thread.
        let unbounded = NextTimeout { after: time::Duration::NotHappening, ..timeout };
        DefaultResolver::default().resolve(uri, config, unbounded)
    }
}

/// An error with what to do.
fn said(error: &ureq::Error, whole: Duration) -> String {
    let certificate = "whoever runs it, or whoever stands in between, is not who the address says; for authorities of your \
                       own name a file of their certificates with `ca`";
    match error {
        ureq::Error::BodyExceedsLimit(_) => too_large(),
        ureq::Error::LargeResponseHeader(..) => {
            "the head of the answer is too large; is this the right address?".into()
        }
        ureq::Error::Timeout(_) => {
            format!("no whole answer came within {} seconds; look at the network and the server", whole.as_secs())
        }
        ureq::Error::HostNotFound => "there is no host of this name; look at the address and the resolver".into(),
        ureq::Error::Rustls(rustls::Error::InvalidCertificate(why)) => {
            format!("its certificate is refused ({}): {certificate}", brief(&format!("{why:?}")))
        }
        ureq::Error::Io(io) => {
            let inner = io.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(rustls::Error::InvalidCertificate(why)) => {
                    format!("its certificate is refused ({}): {certificate}", brief(&format!("{why:?}")))
                }
                _ => format!("{}; look at the network and the server", brief(&io.to_string())),
            }
        }
        other => format!("{}; look at the network and the server", brief(&other.to_string())),
    }
}

/// A text for a message: what came from elsewhere is cut and escaped.
fn brief(text: &str) -> String {
    text.chars().take(200).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}
