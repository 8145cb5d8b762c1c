//! What must not reach the application of a request about which nothing is decided: the policy is not asked there,
//! somebody else has let it in, or no engine can decide yet. It follows from the policy and the request alone.

use crate::decision::{Action, Decision, Id, List, Upstream};
use crate::engine::Engine;
use crate::engine::snapshot::Snapshot;
use crate::reading::client::{self, Client};
use crate::reading::fields::{Fault, Fields};
use crate::reason::Reason;
use crate::request::Request;
use crate::route::Landing;
use crate::target::{self, Host};

impl Engine {
    /// A refusal that nobody asked for and that is told to nobody, with the strip list that a decision about this request
    /// would have. Without a request it is what the policy strips of every one. Needs no start.
    pub fn strip(&self, request: Option<&Request<'_>>) -> Decision {
        let current = self.inner.current.load();
        let snapshot = &*current.snapshot;
        let (mut strip, mut reason) = (snapshot.fields.strip.names().clone(), Reason::Internal);
        if let Some(request) = request {
            let mut fields = Fields::default();
            fields.collect(request, &snapshot.policy, &snapshot.fields);
            (strip, _) = snapshot.fields.strip.list(&fields.stripped, request.headers);
            if !fields.stripped.overrides.is_empty() && may_grant_methods(snapshot, request, &fields) {
                strip.extend(fields.stripped.overrides.iter().cloned());
            }
            reason = match fields.fault {
                Some(Fault::TooLarge(_)) => Reason::RequestTooLarge,
                Some(Fault::Malformed(_)) => Reason::RequestMalformed,
                None => Reason::Internal,
            };
        }
        Decision {
            action: Action::Deny,
            status: reason.status(),
            reason,
            id: Id::default(),
            identity: None,
            scheme: None,
            response: List::default(),
            upstream: Upstream::default(),
            strip,
            body: Vec::new(),
            retry_after: None,
            route: None,
            generation: snapshot.generation,
        }
    }
}

/// Some route with `methods` holds at this address, or it cannot be told which one does.
fn may_grant_methods(snapshot: &Snapshot, request: &Request<'_>, fields: &Fields<'_>) -> bool {
    let policy = &*snapshot.policy;
    let authority = (!request.host.is_empty()).then_some(request.host);
    let mut named = authority.into_iter().chain(fields.host.iter().copied()).map(Host::parse);
    let own = named.next().transpose();
    // Of several the application may go by another one than we would.
    let several = fields.host.len() > 1;
    let differ = named.any(|other| !matches!((&own, other), (Ok(Some(own)), Ok(other)) if *own == other));
    // Whether a preflight is let through goes by the route of the method that it names.
    let preflight = request.method == b"OPTIONS" && !fields.preflight_method.is_empty();
    if fields.fault.is_some() || several || differ || preflight {
        return true;
    }
    let client = Client::read(request, fields, &policy.proxies);
    let told = client::forwarded_host(fields, &client, &policy.proxies);
    let told = told.as_deref().map(Host::parse).transpose();
    let (Ok(own), Ok(told), Ok(method)) = (own, told, std::str::from_utf8(request.method)) else { return true };
    let Ok(target) = target::parse(method, request.target, own.as_ref()) else { return true };
    if target.asterisk {
        return false;
    }
    let host = told.or(own);
    match policy.router.find_by(host.as_ref().map(|host| host.name.as_bytes()), target.path, method) {
        Ok(Landing::Route(index)) => policy.routes.get(index).is_none_or(|route| route.methods.is_some()),
        Ok(Landing::None) => false,
        Ok(Landing::MethodNotGranted(_)) | Err(_) => true,
    }
}
