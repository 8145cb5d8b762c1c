//! `[[issuer]]`: names, algorithms and keys.

use std::ops::Range;
use std::path::Path;

use super::role::undefined;
use super::secret::{self, Source};
use crate::crypto::algorithm::{Algorithm, Family};
use crate::crypto::key::Key;
use crate::policy::model::{ClaimNames, Issuer};
use crate::policy::read::{Fields, Spot, Value};
use crate::policy::report::{Report, quote};
use crate::policy::role::Roles;

pub(super) fn read(
    report: &mut Report<'_>,
    sections: &[Fields],
    roles: &Roles,
    strict: bool,
    folder: &Path,
) -> Vec<Issuer> {
    distinct(report, sections, "name");
    distinct(report, sections, "issuer");
    sections.iter().filter_map(|fields| one(report, fields, roles, strict, folder)).collect()
}

/// Reports a value that several sections share.
pub(super) fn distinct(report: &mut Report<'_>, sections: &[Fields], key: &str) {
    let mut seen: Vec<(&str, &Fields)> = Vec::new();
    for fields in sections {
        let Some(value) = fields.text(key) else { continue };
        match seen.iter().find(|(other, _)| *other == value) {
            Some((_, first)) => {
                let (line, _) = report.place(first.span.start);
                report.error(
                    &fields.span(key),
                    format!("`{key}` is {} also in the section on line {line}", quote(value)),
                    "give each its own, or make one section of the two",
                );
            }
            None => seen.push((value, fields)),
        }
    }
}

/// The algorithms of a list with their places, checked against each other and the profile.
pub(super) fn algorithms(report: &mut Report<'_>, fields: &Fields, key: &str, strict: bool) -> Vec<Algorithm> {
    let mut list = Vec::new();
    for (name, span) in fields.texts(key) {
        let Some(algorithm) = Algorithm::from_name(name) else { continue };
        if strict && algorithm.family() == Family::Rsa {
            report.mismatch(
                span,
                format!("{name} is refused by `profile = \"strict\"`"),
                "ask the issuer for PS256 or ES256, or leave the profile out",
            );
        }
        if let Some(first) = list.first().filter(|first: &&Algorithm| first.is_symmetric() != algorithm.is_symmetric())
        {
            report.error(
                span,
                format!(
                    "{name} and {} cannot stand together: a public key could pass as a shared secret",
                    first.name()
                ),
                "keep either HS* or the others; make two sections where an issuer has both",
            );
        }
        list.push(algorithm);
    }
    list
}

/// Reports a source that does not fit the kind of algorithm. `set`: a file may hold a JWK Set of shared secrets.
pub(super) fn source_fits(
    report: &mut Report<'_>,
    source: Source,
    set: bool,
    algorithm: Option<&Algorithm>,
    span: &Range<usize>,
) -> bool {
    match algorithm {
        Some(algorithm) if algorithm.is_symmetric() && !(source.is_secret() || set && source == Source::File) => report
            .mismatch(
                span,
                format!("{} needs a shared secret, and public keys come from here", algorithm.name()),
                "write `secret_file` or `secret_env`, or name the asymmetric algorithms that the issuer signs with",
            ),
        Some(algorithm) if !algorithm.is_symmetric() && source.is_secret() => report.mismatch(
            span,
            format!("{} needs public keys, and a shared secret comes from here", algorithm.name()),
            "write `file`, `url` or `discovery`, or name HS256, HS384 or HS512",
        ),
        _ => return true,
    }
    false
}

fn one(report: &mut Report<'_>, fields: &Fields, roles: &Roles, strict: bool, folder: &Path) -> Option<Issuer> {
    let algorithms = algorithms(report, fields, "algorithms", strict);
    let keys = keys(report, fields, &algorithms, folder);
    let grants = fields.get("grants").map(|_| fields.strings("grants"));
    for (name, span) in fields.texts("grants").filter(|(name, _)| !roles.is_defined(name)) {
        undefined(report, span, name, roles.names());
    }
    let claims = fields.table("claims")?;
    let name = fields.text("name")?.to_owned();
    // Where its keys are not sound it counts as usable: what follows from that is not another problem.
    let unavailable = keys.as_ref().is_some_and(Vec::is_empty);
    if unavailable {
        let unbuilt = !algorithms.iter().any(|algorithm| algorithm.is_built());
        let (key, what) =
            if unbuilt { ("algorithms", "its algorithms are") } else { ("keys", "this source of keys is") };
        report.warning(
            &fields.span(key),
            format!("tokens of {} cannot be verified: {what} not built yet", quote(&name)),
            "routes that accept nothing else do not load; HS256, HS384 and HS512 with a secret work",
        );
    }
    Some(Issuer {
        name,
        issuer: fields.text("issuer")?.to_owned(),
        audience: fields.strings("audience"),
        algorithms,
        keys_unavailable: unavailable,
        keys: keys.unwrap_or_default(),
        types: fields.strings("type"),
        require: fields.strings("require"),
        claims: ClaimNames {
            subject: claims.text("subject")?.to_owned(),
            roles: claims.text("roles").map(str::to_owned),
            scopes: claims.text("scopes")?.to_owned(),
        },
        local_users: fields.text("users")? == "local",
        grants,
    })
}

/// The keys that this version can use; `None`, reported, where something about them is not sound.
fn keys(report: &mut Report<'_>, fields: &Fields, algorithms: &[Algorithm], folder: &Path) -> Option<Vec<Key>> {
    let mut keys = Vec::new();
    let mut sound = !fields.list("keys").is_empty();
    for spot in fields.list("keys") {
        match key(report, spot, algorithms, folder) {
            Some(found) => keys.extend(found),
            None => sound = false,
        }
    }
    sound.then_some(keys)
}

/// The keys of one source; none where it is sound but cannot be used yet.
fn key(report: &mut Report<'_>, spot: &Spot<Value>, algorithms: &[Algorithm], folder: &Path) -> Option<Vec<Key>> {
    let Value::Table(table) = &spot.value else { return None };
    let source = secret::source(report, table, &spot.span, false)?;
    if !source_fits(report, source, true, algorithms.first(), &spot.span) {
        return None;
    }
    match source {
        Source::File if algorithms.first().is_some_and(|algorithm| algorithm.is_symmetric()) => {
            set_of_secrets(report, table, algorithms, folder)
        }
        Source::File => secret::is_there(report, folder, table.text("file")?, &table.span("file")).then(Vec::new),
        Source::Url | Source::Discovery => Some(Vec::new()),
        Source::SecretFile | Source::SecretEnv => {
            // Unsound algorithms have been reported; the key would only say it again.
            if algorithms.is_empty() || !algorithms.iter().all(|algorithm| algorithm.is_symmetric()) {
                return None;
            }
            let secret = secret::read(report, table, source, folder)?;
            match Key::from_secret(table.text("kid").map(str::to_owned), &secret, algorithms) {
                Ok(key) => Some(vec![key]),
                Err(error) => {
                    let at = if source == Source::SecretFile { "secret_file" } else { "secret_env" };
                    // The reason, and in a sentence of its own what to do.
                    let (why, help) = error.0.split_once(". ").unwrap_or((&error.0, "name another secret"));
                    report.error(&table.span(at), format!("this secret cannot be used: {why}"), help);
                    None
                }
            }
        }
    }
}

/// A file with a JWK Set whose keys are shared secrets, each with its own `kid`.
fn set_of_secrets(
    report: &mut Report<'_>,
    table: &Fields,
    algorithms: &[Algorithm],
    folder: &Path,
) -> Option<Vec<Key>> {
    if !algorithms.iter().all(|algorithm| algorithm.is_symmetric()) {
        return None;
    }
    let json = secret::read_file(report, folder, table.text("file")?, &table.span("file"))?;
    match Key::set_from_jwks(&json, algorithms) {
        Ok(keys) => Some(keys),
        Err(error) => {
            report.error(
                &table.span("file"),
                format!("these keys cannot be used: {}", error.0),
                "write a JWK Set (RFC 7517) with keys of kty \"oct\", or name a raw secret with `secret_file`",
            );
            None
        }
    }
}
