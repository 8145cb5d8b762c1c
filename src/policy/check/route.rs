//! `[[route]]`: what each needs to be entered, and routes that tie.

use std::ops::Range;

use super::require;
use crate::identity::Scheme;
use crate::policy::document::Document;
use crate::policy::keys::form::normalise_host;
use crate::policy::model::{Access, Issuer, PathRules, Route};
use crate::policy::read::Fields;
use crate::policy::report::{Report, quote};
use crate::policy::requirement::Requirement;
use crate::policy::role::Roles;
use crate::route::{Router, Tie};

/// What routes refer to.
pub(super) struct Surroundings<'s> {
    pub roles: &'s Roles,
    pub issuers: &'s [Issuer],
    pub paths: PathRules,
}

/// Reads all routes and builds the router; `None`, reported, where they do not fit together.
pub(super) fn read(
    report: &mut Report<'_>,
    document: &Document,
    around: &Surroundings<'_>,
) -> (Vec<Route>, Option<Router>) {
    let Some(engine) = document.get("engine") else { return (Vec::new(), None) };
    let sections = document.all("route");
    let sound_issuers = document.all("issuer").len() + document.all("signer").len() == around.issuers.len();
    let certificates = document.is_written("certificate");
    let entries = Entries { issuers: around.issuers, sound_issuers, certificates };
    entries.of_engine(report, engine);

    let mut routes = Vec::new();
    let mut places = Vec::new();
    for fields in sections {
        let Some(route) = one(report, fields, engine, around, &entries) else { continue };
        routes.push(route);
        places.push(fields);
    }
    let router = match Router::build(&routes, around.paths) {
        Ok(router) => Some(router),
        Err(ties) => {
            say_ties(report, &ties, &places);
            None
        }
    };
    (routes, router)
}

fn say_ties(report: &mut Report<'_>, ties: &[Tie], places: &[&Fields]) {
    for tie in ties {
        let (Some(first), Some(second)) = (places.get(tie.first), places.get(tie.second)) else { continue };
        let (line, _) = report.place(first.span.start);
        report.mismatch(
            &second.span("path"),
            format!(
                "this route ties with the one on line {line}: one host, one shape of path, and methods that overlap"
            ),
            "make one route of the two, or give them methods that do not overlap",
        );
    }
}

/// The schemes that a section lists, with their places.
pub(super) fn schemes(fields: &Fields) -> Vec<(Scheme, Range<usize>)> {
    fields
        .texts("schemes")
        .filter_map(|(name, span)| Scheme::from_name(name).map(|scheme| (scheme, span.clone())))
        .collect()
}

fn one(
    report: &mut Report<'_>,
    fields: &Fields,
    engine: &Fields,
    around: &Surroundings<'_>,
    entries: &Entries<'_>,
) -> Option<Route> {
    let access = match fields.text("access") {
        Some("public") => Access::Public,
        Some("optional") => Access::Optional,
        _ => Access::Required,
    };
    let require = requirement(report, fields, around, entries, access);
    let schemes = entries.of_route(report, fields, engine, access);
    never_met(report, fields, &schemes, require.as_ref());
    if access == Access::Required {
        entries.without_rights(report, fields, &schemes, require.as_ref());
    }
    let host = match fields.text("host") {
        Some(text) => Some(normalise_host(text).ok()?),
        None => None,
    };
    if fields.is_written("methods") && fields.get("methods").is_none() {
        return None;
    }
    let preflight = fields.text("preflight").or(engine.text("preflight")) == Some("allow");
    Some(Route {
        path: fields.text("path")?.to_owned(),
        host,
        methods: fields.get("methods").map(|_| fields.strings("methods")),
        schemes,
        access,
        // What is not sound has been reported; nobody decides with it.
        require: require.unwrap_or_default(),
        preflight,
        line: report.place(fields.span.start).0,
    })
}

fn requirement(
    report: &mut Report<'_>,
    fields: &Fields,
    around: &Surroundings<'_>,
    entries: &Entries<'_>,
    access: Access,
) -> Option<Requirement> {
    if !fields.is_written("require") {
        return Some(Requirement::Authenticated);
    }
    let context = require::Context {
        roles: around.roles,
        issuers: around.issuers,
        all_issuers_sound: entries.sound_issuers,
        only_connection: fields.text("access").filter(|_| access != Access::Required),
        under_not: false,
        depth: 1,
    };
    require::read(report, fields.node("require")?, context)
}

/// Basic, API keys and certificates prove neither a factor nor the time of a login.
fn never_met(report: &mut Report<'_>, fields: &Fields, schemes: &[Scheme], require: Option<&Requirement>) {
    let without_login = |scheme: &Scheme| matches!(scheme, Scheme::Basic | Scheme::ApiKey | Scheme::ClientCert);
    let bare = !schemes.is_empty() && schemes.iter().all(without_login);
    let needs = |requirement: &Requirement| {
        let asks = |r: &Requirement| matches!(r, Requirement::Factor(_) | Requirement::LoginWithin(_));
        match requirement {
            Requirement::All(parts) => parts.iter().any(asks),
            other => asks(other),
        }
    };
    if bare && require.is_some_and(needs) {
        report.warning(
            &fields.span("require"),
            "nobody can meet this: `basic`, `api-key` and `client-cert` prove neither a factor nor the time of a login",
            "add a scheme that does, like `bearer` or `session`",
        );
    }
}

/// It cannot be met without a role.
fn needs_role(requirement: &Requirement) -> bool {
    match requirement {
        Requirement::Role(_) | Requirement::Permission(_) => true,
        Requirement::All(parts) => parts.iter().any(needs_role),
        Requirement::Any(parts) => parts.iter().all(needs_role),
        _ => false,
    }
}

/// By which schemes somebody can come in.
struct Entries<'e> {
    issuers: &'e [Issuer],
    /// Every section `[[issuer]]` could be read.
    sound_issuers: bool,
    /// There is a `[[certificate]]`.
    certificates: bool,
}

impl Entries<'_> {
    /// Why nobody can come in by a scheme; `None` where somebody can.
    fn shut(&self, scheme: Scheme) -> Option<&'static str> {
        match scheme {
            Scheme::Basic | Scheme::ApiKey => None,
            Scheme::ClientCert if self.certificates => None,
            Scheme::ClientCert => Some("there is no `[[certificate]]` that maps one to a user"),
            Scheme::Session => Some("it is not built yet"),
            Scheme::Bearer if !self.sound_issuers || !self.issuers.is_empty() => None,
            Scheme::Bearer => Some("there is no `[[issuer]]` whose tokens are believed"),
        }
    }

    fn warn(&self, report: &mut Report<'_>, schemes: &[(Scheme, Range<usize>)]) {
        for (scheme, span) in schemes {
            if let Some(why) = self.shut(*scheme) {
                let help = match scheme {
                    Scheme::Bearer => "add an `[[issuer]]` with its keys, or leave the scheme out for now",
                    Scheme::ClientCert => "add a `[[certificate]]`, or leave the scheme out",
                    _ => "leave it out for now, or keep it for a later version",
                };
                report.warning(span, format!("nobody can come in by `{}`: {why}", scheme.name()), help);
            }
        }
    }

    fn all_shut(&self, schemes: &[(Scheme, Range<usize>)]) -> bool {
        !schemes.is_empty() && schemes.iter().all(|(scheme, _)| self.shut(*scheme).is_some())
    }

    fn refuse(&self, report: &mut Report<'_>, span: &Range<usize>, schemes: &[(Scheme, Range<usize>)], what: &str) {
        let why: Vec<String> = schemes
            .iter()
            .filter_map(|(scheme, _)| self.shut(*scheme).map(|why| format!("`{}`: {why}", scheme.name())))
            .collect();
        report.mismatch(
            span,
            format!("nobody can come in by {what} ({})", why.join("; ")),
            "add a scheme that works: `basic`, `api-key`, or `bearer` with an `[[issuer]]` whose keys are in a file",
        );
    }

    /// Tokens are all that a route takes, and those of no issuer carry the roles that it asks for.
    fn without_rights(
        &self,
        report: &mut Report<'_>,
        fields: &Fields,
        schemes: &[Scheme],
        require: Option<&Requirement>,
    ) {
        let open: Vec<_> = schemes.iter().filter(|scheme| self.shut(**scheme).is_none()).collect();
        let only_tokens = !open.is_empty() && open.iter().all(|scheme| **scheme == Scheme::Bearer);
        let gives_roles = self.issuers.iter().any(|issuer| issuer.claims.roles.is_some() || issuer.local_users);
        if self.sound_issuers && only_tokens && !gives_roles && require.is_some_and(needs_role) {
            report.warning(
                &fields.span("require"),
                "nobody can come in: this needs a role, and the tokens that are accepted here carry none",
                "add `claims = { roles = \"roles\" }` to the `[[issuer]]`, with the claim that lists them, or \
                 `users = \"local\"`",
            );
        }
    }

    fn of_engine(&self, report: &mut Report<'_>, engine: &Fields) {
        let listed = schemes(engine);
        self.warn(report, &listed);
        if engine.text("unmatched") != Some("authenticated") {
            return;
        }
        if !engine.is_written("schemes") {
            report.mismatch(
                &engine.span("unmatched"),
                "`unmatched = \"authenticated\"` needs schemes, and `[engine]` lists none",
                "add `schemes = [\"basic\"]` to `[engine]`",
            );
        } else if self.all_shut(&listed) {
            self.refuse(report, &engine.span("unmatched"), &listed, "the schemes of `[engine]`");
        }
    }

    /// The effective schemes of a route.
    fn of_route(&self, report: &mut Report<'_>, fields: &Fields, engine: &Fields, access: Access) -> Vec<Scheme> {
        let own = schemes(fields);
        if access == Access::Public {
            if fields.is_written("schemes") {
                report.warning(
                    &fields.span("schemes"),
                    "a public route looks at no credentials: its `schemes` have no effect",
                    "leave `schemes` out, or write `access = \"optional\"`",
                );
            }
            return Vec::new();
        }
        let path = fields.text("path").unwrap_or_default();
        let inherited = !fields.is_written("schemes");
        let listed = if inherited { schemes(engine) } else { own };
        if inherited && !engine.is_written("schemes") {
            // A slip in one of these has been reported, and mending it may be all that is missing.
            let slip = fields.text("path").is_none() || fields.text("access").is_none() || fields.has_unknown();
            if slip {
                return Vec::new();
            }
            let help = "add `schemes = [\"basic\"]` here or to `[engine]`, or write `access = \"public\"`";
            if access == Access::Required {
                report.mismatch(
                    &fields.span,
                    format!("{} needs credentials, and neither it nor `[engine]` lists schemes", quote(path)),
                    help,
                );
            } else {
                report.warning(
                    &fields.span,
                    format!("{} looks for credentials, and neither it nor `[engine]` lists schemes", quote(path)),
                    help,
                );
            }
        } else if access == Access::Required && self.all_shut(&listed) {
            let span = if inherited { fields.span.clone() } else { fields.span("schemes") };
            let what = if inherited { "the schemes of `[engine]`" } else { "these schemes" };
            self.refuse(report, &span, &listed, what);
        } else if !inherited {
            self.warn(report, &listed);
        }
        listed.into_iter().map(|(scheme, _)| scheme).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::tree;

    #[test]
    fn each_tie_is_an_error_at_the_later_route_that_names_the_line_of_the_earlier() {
        let text =
            "[[route]]\npath = '/a'\n[[route]]\npath = '/b'\n\n[[route]]\npath = '/{x}'\n[[route]]\npath = '/{y}'\n";
        let mut report = Report::new(text, Path::new("x"));
        let (entries, _) = tree::parse(text);
        let document = Document::read(&mut report, &entries);
        let places: Vec<&Fields> = document.all("route").iter().collect();
        say_ties(&mut report, &[Tie { first: 2, second: 3 }, Tie { first: 0, second: 1 }], &places);
        let list: Vec<_> = report.finish(&[]).iter().map(|d| (d.line, d.column, d.message.clone())).collect();
        let said = |line: u32| {
            format!(
                "this route ties with the one on line {line}: one host, one shape of path, and methods that overlap"
            )
        };
        assert_eq!(list, [(4, 8, said(1)), (9, 8, said(6))]);
    }
}
