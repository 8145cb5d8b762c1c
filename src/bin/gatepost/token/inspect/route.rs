//! What the engine would answer to a request with the token.

use gatepost::decision::Decision;
use gatepost::engine::{Engine, Step};
use gatepost::policy::model::Route;
use gatepost::request::{Header, Request};
use zeroize::Zeroizing;

use crate::decide;
use crate::output::Failure;

/// An answer, with what led to it.
pub struct Answer {
    /// The policy's name.
    pub policy: String,
    /// The method that was asked with.
    pub method: String,
    /// The path or URL that was asked for.
    pub url: String,
    /// The answer.
    pub decision: Decision,
    /// The route that holds for it.
    pub route: Option<Route>,
    /// Every step.
    pub steps: Vec<Step>,
}

/// Asks, from an address that no policy trusts.
pub fn ask(engine: &Engine, method: &str, url: &str, token: &[u8]) -> Result<Answer, Failure> {
    let place = decide::split(url)?;
    let value = Zeroizing::new([b"Bearer ", token].concat());
    let headers = [Header { name: b"Authorization", value: &value }];
    let request = Request {
        method: method.as_bytes(),
        target: place.target.as_bytes(),
        host: place.host.unwrap_or("localhost").as_bytes(),
        peer: b"192.0.2.1",
        headers: &headers,
        tls: place.tls,
        body_complete: true,
        ..Request::default()
    };
    let (decision, steps) = engine.explain(&request)?;
    let policy = engine.policy();
    let route = decision.route.and_then(|index| policy.routes.get(index).cloned());
    Ok(Answer { policy: policy.name.clone(), method: method.to_owned(), url: url.to_owned(), decision, route, steps })
}
