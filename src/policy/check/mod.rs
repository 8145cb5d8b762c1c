//! From sections that are sound each by itself to a policy that is sound as a whole.

mod certificate;
mod engine;
mod events;
mod identity;
mod issuer;
mod later;
mod lint;
mod password;
mod require;
mod role;
mod route;
mod secret;
mod signer;

use std::path::Path;

use crate::policy::document::Document;
use crate::policy::model::{Policy, Responses, Unmatched};
use crate::policy::report::Report;

/// Checks everything and builds the policy; `None`, or errors in the report, where it does not load.
pub(super) fn policy(report: &mut Report<'_>, document: &Document, file: &Path, folder: &Path) -> Option<Policy> {
    let engine = document.get("engine")?;
    let paths = engine::paths(document.get("paths")?);
    let strict = engine.text("profile") == Some("strict");
    let state = engine::state(report, engine, folder);
    let proxies = engine::proxies(report, document.get("proxies")?);
    let identity = identity::headers(report, document.get("identity")?, &proxies);
    let session = engine::session(report, document.get("session")?);
    let throttle = engine::throttle(report, document.get("throttle")?);
    let events = events::read(report, document.get("events")?, folder);
    let roles = role::read(report, document.all("role"));
    let mut issuers = issuer::read(report, document.all("issuer"), &roles, strict, folder);
    let signers = signer::read(report, document.all("signer"), &mut issuers, strict, folder);
    later::check(report, document, folder);
    let certificates = certificate::read(report, document.all("certificate"));

    let surroundings = route::Surroundings { roles: &roles, issuers: &issuers, paths };
    let (routes, router) = route::read(report, document, &surroundings);
    let password = password::rules(report, document, &routes, folder);
    lint::whole(report, document, &issuers, &routes);

    Some(Policy {
        file: file.to_owned(),
        name: engine.text("name")?.to_owned(),
        state: state?,
        unmatched: match engine.text("unmatched")? {
            "authenticated" => Unmatched::Authenticated,
            "pass" => Unmatched::Pass,
            _ => Unmatched::Deny,
        },
        schemes: route::schemes(engine).into_iter().map(|(scheme, _)| scheme).collect(),
        leeway: engine.number("leeway")?,
        token_cache: usize::try_from(engine.number("token_cache_kib")?.saturating_mul(1024)).unwrap_or(0),
        responses: match engine.text("responses")? {
            "auto" => Responses::Auto,
            "none" => Responses::None,
            _ => Responses::Problem,
        },
        strict,
        paths,
        proxies,
        identity,
        password: password?,
        session: session?,
        throttle,
        events: events?,
        issuers,
        signers,
        certificates,
        roles,
        routes,
        router: router?,
    })
}
