//! `gatepost decide`: what the engine would answer to a request. It reads the state and leaves no trace in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::BASE64;
use gatepost::certificate::carried;
use gatepost::decision::{Action, Decision};
use gatepost::engine::Clock;
use gatepost::policy::Policy;
use gatepost::reason::Reason;
use gatepost::request::{Header, Peer, Request};
use zeroize::Zeroizing;

use crate::output::{self, Failure, Outcome};
use crate::{explain, open, secret, when};

/// Show what the engine would answer to a request, and why; changes nothing
#[derive(clap::Args)]
#[command(
    override_usage = "gatepost decide [OPTIONS] POLICY [METHOD] URL",
    after_help = "Examples:
  gatepost decide orders.toml /orders/7
  gatepost decide orders.toml POST https://orders.example.com/orders --user alice --explain
  gatepost decide orders.toml /orders/7 --bearer \"$TOKEN\" --at 2026-11-23T12:00:00Z
  gatepost decide orders.toml DELETE /orders/7 -H 'Origin: https://elsewhere.example' --peer 10.0.0.7 --json

Keys of issuers by URL are those that a server has left in the state, or else are fetched for this one answer.

Exit codes: 0 ALLOW or PASS; 3 DENY; 4 RESPOND (the engine answers the request itself); 1 an error."
)]
pub struct Arguments {
    /// The policy file
    policy: PathBuf,
    /// The method (GET where it is left out), then a path like /orders/7 or a URL like https://host/orders/7
    ///
    /// What follows the host is taken as it is, as a server would receive it: nothing is normalised.
    #[arg(value_name = "[METHOD] URL", num_args = 1..=2, required = true)]
    request: Vec<String>,
    /// A header field of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Basic credentials; a password that is left out comes from stdin or a prompt
    #[arg(long, value_name = "NAME[:PASSWORD]")]
    user: Option<String>,
    /// A bearer token
    #[arg(long, value_name = "TOKEN")]
    bearer: Option<String>,
    /// An API key, sent as X-API-Key
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// A client certificate in PEM or DER, as if the server had verified its chain
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// A cookie; may be repeated
    #[arg(long = "cookie", value_name = "NAME=VALUE")]
    cookies: Vec<String>,
    /// Address of the direct peer
    #[arg(long, value_name = "IP", default_value = "192.0.2.1")]
    peer: String,
    /// The connection to the direct peer is TLS (an https URL says so too)
    #[arg(long)]
    tls: bool,
    /// The time to decide at
    #[arg(long, value_name = "RFC3339", value_parser = when::read)]
    at: Option<i64>,
    /// Print every step with what it saw and concluded
    #[arg(long)]
    explain: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
pub fn run(arguments: &Arguments) -> Outcome {
    let (method, url) = match arguments.request.as_slice() {
        [url] => ("GET", url.as_str()),
        [method, url] => (method.as_str(), url.as_str()),
        _ => return Err(Failure::new("give a method and a URL, or a URL alone")),
    };
    let place = split(url)?;
    let mut fields = arguments.headers.iter().map(|text| field(text)).collect::<Result<Vec<_>, _>>()?;
    add_credentials(arguments, &mut fields)?;
    let names_host = fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
    let host = place.host.unwrap_or(if names_host { "" } else { "localhost" });

    let clock = arguments.at.map(|at| -> Clock { Arc::new(move || at) });
    policy_comes_first(arguments)?;
    let (engine, missing) = open::read_only_quietly(&arguments.policy, clock)?;
    if fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
        open::fetch_keys(&engine)?;
    }
    let headers: Vec<Header<'_>> =
        fields.iter().map(|(name, value)| Header { name: name.as_bytes(), value: value.as_bytes() }).collect();
    if !arguments.peer.is_empty() && Peer::parse(arguments.peer.as_bytes()) == Peer::Unknown {
        return Err(Failure::new(format!(
            "--peer {}: it is no address; write one such as 192.0.2.7, [2001:db8::1]:443 or unix:, or \"\" for an unknown one",
            output::visible(&arguments.peer)
        )));
    }
    let certificate = arguments.cert.as_deref().map(certificate).transpose()?.unwrap_or_default();
    let request = Request {
        method: method.as_bytes(),
        target: place.target.as_bytes(),
        host: host.as_bytes(),
        peer: arguments.peer.as_bytes(),
        client_cert_der: &certificate,
        cert_verified: arguments.cert.is_some(),
        headers: &headers,
        // Where there is a certificate there was a handshake.
        tls: arguments.tls || place.tls || arguments.cert.is_some(),
        body_complete: true,
        ..Request::default()
    };
    let (decision, steps) = match arguments.explain {
        true => engine.explain(&request).map(|(decision, steps)| (decision, Some(steps)))?,
        false => (engine.decide(&request)?, None),
    };
    if let Some(file) = missing.filter(|_| found_nobody(&decision, &engine.policy())) {
        open::note_missing(&file);
    }
    let policy = engine.policy();
    let route = decision.route.and_then(|index| policy.routes.get(index));
    if arguments.json {
        output::print_json(&explain::to_json(&decision, route, steps.as_deref()))?;
    } else {
        output::print(&match steps {
            Some(steps) => explain::in_full(&policy.name, method, url, &decision, route, &steps),
            None => explain::in_short(&decision),
        })?;
    }
    Ok(exit_code(&decision))
}

/// It looked into a state without users and keys: nothing else comes of that.
fn found_nobody(decision: &Decision, policy: &Policy) -> bool {
    match decision.reason {
        Reason::CredentialsInvalid | Reason::ApiKeyUnknown => true,
        // A token whose subject should be a local user.
        Reason::TokenClaim => policy.issuers.iter().any(|issuer| issuer.local_users),
        _ => false,
    }
}

/// `decide GET orders.toml /x` is a likely slip.
fn policy_comes_first(arguments: &Arguments) -> Result<(), Failure> {
    let given = &arguments.policy;
    let policy = arguments.request.iter().find(|word| Path::new(word).is_file());
    match policy.filter(|_| !given.exists()) {
        Some(policy) => {
            let rest = arguments.request.iter().filter(|word| *word != policy);
            let words: Vec<String> = std::iter::once(given.display().to_string()).chain(rest.cloned()).collect();
            Err(Failure::new(output::visible(&format!(
                "there is no policy {}; the policy comes first: gatepost decide {policy} {}",
                given.display(),
                words.join(" ")
            ))))
        }
        None => Ok(()),
    }
}

/// What a decision means to whoever called.
pub(crate) fn exit_code(decision: &Decision) -> u8 {
    match decision.action {
        Action::Allow | Action::Pass => output::DONE,
        Action::Deny => output::REFUSED,
        Action::Respond => output::RESPONDED,
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) tls: bool,
    pub(crate) host: Option<&'a str>,
    pub(crate) target: std::borrow::Cow<'a, str>,
}

/// Splits an absolute URL into host and raw target; anything else is a target as it is, so that every target that a
/// client could send can be asked about.
pub(crate) fn split(url: &str) -> Result<Place<'_>, Failure> {
    let scheme = |name: &str| {
        url.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name)).and_then(|_| url.get(name.len()..))
    };
    let (tls, rest) = match (scheme("https://"), scheme("http://")) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Ok(Place { tls: false, host: None, target: url.into() }),
    };
    let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err(Failure::new("leave the user name out of the URL and give it with `--user NAME`"));
    }
    if authority.is_empty() {
        return Err(Failure::new(format!("{url:?} names no host: write a URL like https://host/path, or a path")));
    }
    let target = if target.starts_with('/') { target.into() } else { format!("/{target}").into() };
    Ok(Place { tls, host: Some(authority), target })
}

fn field(text: &str) -> Result<(String, Zeroizing<String>), Failure> {
    let (name, value) = text
        .split_once(':')
        .ok_or_else(|| Failure::new(format!("{text:?} is no header field: write it as 'Name: value'")))?;
    Ok((name.to_owned(), Zeroizing::new(value.trim_matches([' ', '\t']).to_owned())))
}

/// The DER of a file.
fn certificate(path: &Path) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| Failure::new(format!("{shown} cannot be read: {error}")))?;
    let der = carried::of_file(&bytes).map_err(|why| Failure::new(format!("{shown} is no certificate: {why}")))?;
    Ok(der.into_owned())
}

fn add_credentials(arguments: &Arguments, fields: &mut Vec<(String, Zeroizing<String>)>) -> Result<(), Failure> {
    if let Some(user) = &arguments.user {
        let pair = match user.contains(':') {
            true => Zeroizing::new(user.clone()),
            false => Zeroizing::new(format!("{user}:{}", secret::read("Password: ")?.as_str())),
        };
        fields.push(("Authorization".to_owned(), Zeroizing::new(format!("Basic {}", BASE64.encode(pair.as_bytes())))));
    }
    if let Some(token) = &arguments.bearer {
        fields.push(("Authorization".to_owned(), Zeroizing::new(format!("Bearer {token}"))));
    }
    if let Some(key) = &arguments.api_key {
        fields.push(("X-API-Key".to_owned(), Zeroizing::new(key.clone())));
    }
    if let Some(cookie) = arguments.cookies.iter().find(|cookie| !cookie.contains('=')) {
        return Err(Failure::new(format!("{cookie:?} is no cookie: write it as NAME=VALUE")));
    }
    if !arguments.cookies.is_empty() {
        fields.push(("Cookie".to_owned(), Zeroizing::new(arguments.cookies.join("; "))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> (bool, Option<String>, String) {
        let place = split(url).unwrap();
        (place.tls, place.host.map(str::to_owned), place.target.into_owned())
    }

    #[test]
    fn what_follows_the_host_is_the_raw_target() {
        let host = |name: &str| Some(name.to_owned());
        assert_eq!(place("https://h.example/a/../b?x#y"), (true, host("h.example"), "/a/../b?x#y".into()));
        assert_eq!(place("HTTP://h:8080"), (false, host("h:8080"), "/".into()));
        assert_eq!(place("http://h?x"), (false, host("h"), "/?x".into()));
        assert_eq!(place("/a%2Fb"), (false, None, "/a%2Fb".into()));
        assert_eq!(place("*"), (false, None, "*".into()));
        assert!(split("https://alice@h/").is_err());
        assert!(split("https:///x").is_err());
    }

    #[test]
    fn a_field_is_split_at_its_first_colon() {
        let (name, value) = field("Origin:  https://x:1 ").unwrap();
        assert_eq!((name.as_str(), value.as_str()), ("Origin", "https://x:1"));
        assert!(field("no colon").is_err());
    }
}
