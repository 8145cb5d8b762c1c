//! Suspicious but legal: settings of several sections that together may surprise.

use crate::identity::Scheme;
use crate::policy::document::Document;
use crate::policy::keys::form::{Segment, segments};
use crate::policy::model::{Access, Issuer, Route};
use crate::policy::report::{Report, quote};

pub(super) fn whole(report: &mut Report<'_>, document: &Document, issuers: &[Issuer], routes: &[Route]) {
    sources_of_identities(report, document, issuers, routes);
    unmatched(report, document);
    unused_issuers(report, document, routes);
    for fields in document.all("route") {
        let Some(path) = fields.text("path") else { continue };
        let mut list = segments(path);
        let catch_all = matches!(list.next(), Some(Segment::Rest(_)));
        if catch_all && fields.text("access") == Some("public") {
            report.warning(
                &fields.span("path"),
                "everything that no other route covers is public",
                "leave this route out, and let `unmatched` decide; or name the public paths",
            );
        }
        for segment in segments(path) {
            if let Segment::Literal(text) = segment
                && let Some(name) = text.strip_prefix(':').filter(|name| !name.is_empty())
            {
                report.warning(
                    &fields.span("path"),
                    format!("{} is read as it stands, not as a parameter", quote(text)),
                    format!("write `{{{}}}` for any one segment", name.escape_debug()),
                );
            }
        }
    }
    if document.all("route").is_empty() && !document.is_written("route") {
        report.warning(
            &(0..0),
            "there are no routes",
            "add a `[[route]]` with a `path`; until then `unmatched` decides everything",
        );
    }
}

fn unmatched(report: &mut Report<'_>, document: &Document) {
    let Some(engine) = document.get("engine") else { return };
    if engine.text("unmatched") == Some("pass") {
        report.warning(
            &engine.span("unmatched"),
            "a path that no route covers is left to the host, which may let everybody in",
            "write \"deny\" and a route for each path",
        );
    }
}

/// Tokens that no route takes let nobody in, which their senders read as a fault of the token.
fn unused_issuers(report: &mut Report<'_>, document: &Document, routes: &[Route]) {
    let unmatched = document.get("engine").is_some_and(|engine| {
        engine.text("unmatched") == Some("authenticated")
            && engine.strings("schemes").iter().any(|name| name == "bearer")
    });
    if unmatched || routes.iter().any(|route| route.schemes.contains(&Scheme::Bearer)) {
        return;
    }
    for section in document.all("issuer") {
        let Some(name) = section.text("name") else { continue };
        report.warning(
            &section.span("name"),
            format!("no route takes bearer tokens: those of {} let nobody in", quote(name)),
            "add \"bearer\" to `schemes` of [engine] or of a route",
        );
    }
}

/// One subject of two sources can be two people; only the issuer tells them apart.
fn sources_of_identities(report: &mut Report<'_>, document: &Document, issuers: &[Issuer], routes: &[Route]) {
    let Some(identity) = document.get("identity") else { return };
    if !identity.is_written("subject") || identity.is_written("issuer") {
        return;
    }
    let local_scheme = |route: &Route| route.schemes.iter().any(|scheme| *scheme != Scheme::Bearer);
    let local = issuers.iter().any(|issuer| issuer.local_users)
        || routes.iter().any(|route| route.access != Access::Public && local_scheme(route));
    let foreign = issuers.iter().filter(|issuer| !issuer.local_users).count();
    if foreign + usize::from(local) > 1 {
        report.warning(
            &identity.span("subject"),
            "identities come from several sources, and the subject alone does not tell them apart",
            "add `issuer = \"X-Auth-Issuer\"`, and let the application read both",
        );
    }
}
