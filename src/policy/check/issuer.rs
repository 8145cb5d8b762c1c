//! `[[issuer]]`: names, algorithms and keys.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::role::undefined;
use super::secret::{self, Source};
use crate::crypto::algorithm::{Algorithm, Family};
use crate::crypto::key::{Key, KeyError, KeySet, MAX_CANDIDATES, Origin, Rules};
use crate::crypto::pem;
use crate::fetch::{self, Authorities};
use crate::policy::model::{Asked, ClaimNames, Dpop, DpopRules, Issuer, KeySource, SourcedKeys};
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
            "write `file`, `inline`, `url` or `discovery`, or name HS256, HS384 or HS512",
        ),
        _ => return true,
    }
    false
}

fn one(report: &mut Report<'_>, fields: &Fields, roles: &Roles, strict: bool, folder: &Path) -> Option<Issuer> {
    let algorithms = algorithms(report, fields, "algorithms", strict);
    let rules = Rules { algorithms: &algorithms, strict, origin: Origin::File };
    let sources = sources(report, fields, &rules, folder);
    let grants = fields.get("grants").map(|_| fields.strings("grants"));
    for (name, span) in fields.texts("grants").filter(|(name, _)| !roles.is_defined(name)) {
        undefined(report, span, name, roles.names());
    }
    let claims = fields.table("claims")?;
    let dpop = dpop(report, fields);
    let name = fields.text("name")?.to_owned();
    let online = || sources.iter().flatten().any(|source| source.source.asked().is_some());
    if !cfg!(feature = "https") && online() {
        report.warning(
            &fields.span("keys"),
            format!("this build of Gatepost does not fetch the keys of {} by itself", quote(&name)),
            "let the host fetch them (`on_fetch`), name a file of them with `file`, or build with the feature `https`",
        );
    }
    Some(Issuer {
        name,
        issuer: fields.text("issuer")?.to_owned(),
        audience: fields.strings("audience"),
        algorithms,
        // Where its keys are not sound it counts as usable: what follows from that is not another problem.
        sources: sources
            .unwrap_or_else(|| vec![SourcedKeys { source: KeySource::Fixed, keys: Some(KeySet::default()) }]),
        types: fields.strings("type"),
        require: fields.strings("require"),
        claims: ClaimNames {
            subject: claims.text("subject")?.to_owned(),
            roles: claims.text("roles").map(str::to_owned),
            scopes: claims.text("scopes")?.to_owned(),
        },
        local_users: fields.text("users")? == "local",
        grants,
        dpop,
    })
}

/// Proofs of possession.
fn dpop(report: &mut Report<'_>, fields: &Fields) -> DpopRules {
    let mode = match fields.text("dpop") {
        Some("required") => Dpop::Required,
        Some("off") => Dpop::Off,
        _ => Dpop::Optional,
    };
    let nonce = fields.flag("dpop_nonce");
    if nonce && mode == Dpop::Off {
        report.error(
            &fields.span("dpop_nonce"),
            "nonces are for proofs, and `dpop = \"off\"` takes none",
            "leave out one of the two",
        );
    }
    let written = fields.is_written("dpop") || fields.is_written("dpop_nonce");
    DpopRules { mode, nonce, offered: written && mode != Dpop::Off }
}

/// The sources with their keys; `None`, reported, where something about them is not sound.
fn sources(report: &mut Report<'_>, fields: &Fields, rules: &Rules<'_>, folder: &Path) -> Option<Vec<SourcedKeys>> {
    let mut found = Vec::new();
    let mut sound = !fields.list("keys").is_empty();
    for spot in fields.list("keys") {
        match one_source(report, spot, fields.text("issuer").unwrap_or_default(), rules, folder) {
            Some(source) => found.push(source),
            None => sound = false,
        }
    }
    if !sound {
        return None;
    }
    match KeySet::join(found.iter().filter_map(|source| source.keys.clone())) {
        Ok(joined) => {
            if let Some((algorithm, count)) = joined.crowded() {
                report.warning(
                    &fields.span("keys"),
                    format!(
                        "{count} keys without `kid` are for {}; the first {MAX_CANDIDATES} are tried for a token, and what \
                         the others signed is refused",
                        algorithm.name()
                    ),
                    "give each key the `kid` that its tokens name, or leave out those that sign no more",
                );
            }
            Some(found)
        }
        Err(error) => {
            report.error(
                &fields.span("keys"),
                format!("these keys cannot stand together: {}", error.0),
                "give each key a `kid` of its own, and keep shared secrets and public keys apart",
            );
            None
        }
    }
}

fn one_source(
    report: &mut Report<'_>,
    spot: &Spot<Value>,
    issuer: &str,
    rules: &Rules<'_>,
    folder: &Path,
) -> Option<SourcedKeys> {
    let Value::Table(table) = &spot.value else { return None };
    let source = secret::source(report, table, &spot.span, false)?;
    if !source_fits(report, source, true, rules.algorithms.first(), &spot.span) {
        return None;
    }
    // Unsound algorithms have been reported; the keys would only say it again.
    let symmetric = rules.algorithms.first()?.is_symmetric();
    if rules.algorithms.iter().any(|algorithm| algorithm.is_symmetric() != symmetric) {
        return None;
    }
    let (source, keys) = match source {
        Source::Url => {
            (KeySource::Url { url: table.text("url")?.to_owned(), asked: asked(report, table, folder)? }, None)
        }
        Source::Discovery => {
            if !fetch::is_https(issuer) || issuer.contains('?') {
                report.mismatch(
                    &table.span("discovery"),
                    format!("{} is no https address, and so has no metadata", quote(issuer)),
                    "name the address of its JWK Set with `url`, or a file of it with `file`",
                );
                return None;
            }
            (KeySource::Discovery { asked: asked(report, table, folder)? }, None)
        }
        Source::Inline => {
            let set = KeySet::from_text(
                table.text("inline")?.as_bytes(),
                table.text("kid"),
                &Rules { origin: Origin::Inline, ..*rules },
            );
            (KeySource::Fixed, Some(keys(report, table, "inline", set)?))
        }
        Source::File => {
            let name = table.text("file")?;
            let (path, text, stamp) = secret::read_file(report, folder, name, &table.span("file"), symmetric)?;
            let kid = table.text("kid").map(str::to_owned);
            let set = KeySet::from_text(&text, kid.as_deref(), rules);
            (KeySource::File { path, kid, stamp }, Some(keys(report, table, "file", set)?))
        }
        Source::SecretFile | Source::SecretEnv => {
            let secret = secret::read(report, table, source, folder)?;
            let key = Key::from_secret(table.text("kid").map(str::to_owned), &secret, rules.algorithms);
            let at = if source == Source::SecretFile { "secret_file" } else { "secret_env" };
            match key.and_then(|key| KeySet::new(vec![key])) {
                Ok(set) => (KeySource::Fixed, Some(set)),
                Err(error) => {
                    // The reason, and in a sentence of its own what to do.
                    let (why, help) = error.0.split_once(". ").unwrap_or((&error.0, "name another secret"));
                    report.error(&table.span(at), format!("this secret cannot be used: {why}"), help);
                    return None;
                }
            }
        }
    };
    Some(SourcedKeys { source, keys })
}

/// How often a source is asked over the network, how long it is believed, and who vouches for it.
fn asked(report: &mut Report<'_>, table: &Fields, folder: &Path) -> Option<Asked> {
    let authorities = match table.text("ca") {
        None => None,
        Some(name) => {
            let (path, text, _) = secret::read_file(report, folder, name, &table.span("ca"), false)?;
            match pem::authorities(&text) {
                Ok(der) => Some(Arc::new(Authorities { pem: String::from_utf8_lossy(&text).into_owned(), der })),
                Err(why) => {
                    report.error(
                        &table.span("ca"),
                        format!("`{}` holds no certificates of authorities: {why}", path.display()),
                        "write them in PEM, one `CERTIFICATE` block each, and nothing else",
                    );
                    return None;
                }
            }
        }
    };
    Some(Asked { refresh: table.number("refresh")?, stale: table.number("stale")?, authorities })
}

/// The keys of a file or of the policy itself, with their warnings reported; `None`, reported, where there are none.
fn keys(report: &mut Report<'_>, table: &Fields, at: &str, set: Result<KeySet, KeyError>) -> Option<KeySet> {
    match set {
        Ok(set) => {
            for warning in set.warnings() {
                let help = "write the public keys into a file of their own, with `openssl pkey -pubout`, and name that";
                report.warning(&table.span(at), format!("this source of keys {warning}"), help);
            }
            Some(set)
        }
        Err(error) => {
            let (why, help) = error.0.split_once(". ").unwrap_or((
                &error.0,
                "name a JWK Set (RFC 7517) or PEM with keys of the listed algorithms, or list those of the keys",
            ));
            report.error(&table.span(at), format!("these keys cannot be used: {why}"), help);
            None
        }
    }
}
