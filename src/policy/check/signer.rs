//! `[[signer]]`: the keys that sign, those that signed before, and the issuer that stands for each signer when its tokens
//! come back.

use std::ops::Range;
use std::path::Path;

use super::issuer::distinct;
use super::secret::{self, Source};
use crate::crypto::algorithm::{Algorithm, Family};
use crate::crypto::key::{Key, KeyError, KeySet, Origin, Rules};
use crate::crypto::signing::SigningKey;
use crate::policy::model::{ClaimNames, DpopRules, Issuer, KeySource, RefreshRules, Signer, SourcedKeys};
use crate::policy::read::{Fields, Value};
use crate::policy::report::{Report, quote};

/// Reads them, and puts behind the issuers of the file one for each signer.
pub(super) fn read(
    report: &mut Report<'_>,
    sections: &[Fields],
    issuers: &mut Vec<Issuer>,
    strict: bool,
    folder: &Path,
) -> Vec<Signer> {
    distinct(report, sections, "name");
    one_each(report, sections);
    sections.iter().for_each(|fields| apart(report, fields, issuers));
    let mut signers = Vec::new();
    for fields in sections {
        let Some((mut signer, issuer)) = one(report, fields, strict, folder) else { continue };
        signer.believed = issuers.len();
        signers.push(signer);
        issuers.push(issuer);
    }
    signers
}

/// Which of its audience this service is.
fn accepted(report: &mut Report<'_>, fields: &Fields) -> Option<Vec<String>> {
    let (all, accept) = (fields.strings("audience"), fields.strings("accept"));
    if accept.is_empty() {
        return Some(all);
    }
    let Some(stray) = accept.iter().find(|one| !all.contains(one)) else { return Some(accept) };
    report.error(
        &fields.span("accept"),
        format!("{} is not in `audience`, so that no token of this signer is ever for it", quote(stray)),
        format!("take some of {}, or leave `accept` out", all.join(", ")),
    );
    None
}

/// Two signers of one `iss` would have to share audience, keys and all, since a token says no more of where it is from.
fn one_each(report: &mut Report<'_>, sections: &[Fields]) {
    for (index, fields) in sections.iter().enumerate() {
        let Some(url) = fields.text("issuer") else { continue };
        let earlier = sections.iter().take(index).find(|other| other.text("issuer") == Some(url));
        let Some(first) = earlier else { continue };
        let (line, _) = report.place(first.span.start);
        report.error(
            &fields.span("issuer"),
            format!("`issuer` is {} also in the signer on line {line}", quote(url)),
            "give each its own; a shorter lifetime or fewer audiences are asked for when a token is issued",
        );
    }
}

/// Its name and its `iss` are nobody else's.
fn apart(report: &mut Report<'_>, fields: &Fields, issuers: &[Issuer]) {
    if let Some(name) = fields.text("name")
        && issuers.iter().any(|issuer| issuer.name == name)
    {
        report.error(
            &fields.span("name"),
            format!("{} is also the name of an `[[issuer]]`", quote(name)),
            "give it a name of its own",
        );
    }
    if let Some(url) = fields.text("issuer")
        && issuers.iter().any(|issuer| issuer.issuer == url)
    {
        report.mismatch(
            &fields.span("issuer"),
            format!("{} is also an `[[issuer]]`: its tokens would be both strangers' and ours", quote(url)),
            "leave that `[[issuer]]` out; the engine believes its own signers",
        );
    }
}

fn one(report: &mut Report<'_>, fields: &Fields, strict: bool, folder: &Path) -> Option<(Signer, Issuer)> {
    let algorithm = algorithm(report, fields, strict);
    let key = key(report, fields, algorithm, strict, folder);
    let former = former(report, fields, algorithm, strict, folder);
    let refresh = refresh(fields);
    let (key, former) = (key?, former?);
    let mut algorithms = vec![key.algorithm()];
    algorithms.extend(former.iter().flat_map(KeySet::iter).flat_map(|key| key.algorithms().iter().copied()));
    let mut seen = Vec::new();
    algorithms.retain(|algorithm| {
        !seen.contains(algorithm) && {
            seen.push(*algorithm);
            true
        }
    });
    let sets: Vec<KeySet> = std::iter::once(key.verifying().clone()).chain(former).collect();
    if let Err(error) = KeySet::join(sets.iter().cloned()) {
        let (why, help) = split(&error, "leave the key out under `previous`, or give it another `kid`");
        report.error(&fields.span("previous"), format!("these keys cannot stand beside `key`: {why}"), help);
        return None;
    }
    let (name, url) = (fields.text("name")?.to_owned(), fields.text("issuer")?.to_owned());
    let issuer = Issuer {
        name: name.clone(),
        issuer: url.clone(),
        audience: accepted(report, fields)?,
        algorithms,
        sources: sets.into_iter().map(|keys| SourcedKeys { source: KeySource::Fixed, keys: Some(keys) }).collect(),
        types: vec!["at+jwt".to_owned()],
        require: ["sub", "iat", "jti"].map(str::to_owned).to_vec(),
        claims: ClaimNames { subject: "sub".to_owned(), roles: None, scopes: "scope".to_owned() },
        local_users: true,
        grants: None,
        dpop: DpopRules::default(),
    };
    let signer = Signer {
        name,
        issuer: url,
        audience: fields.strings("audience"),
        key,
        lifetime: fields.number("lifetime")?,
        refresh,
        believed: 0,
    };
    (!signer.audience.is_empty()).then_some((signer, issuer))
}

fn refresh(fields: &Fields) -> Option<RefreshRules> {
    let table = fields.table("refresh")?;
    Some(RefreshRules {
        lifetime: table.number("lifetime")?,
        idle: table.number("idle"),
        grace: table.number("grace")?,
    })
}

fn algorithm(report: &mut Report<'_>, fields: &Fields, strict: bool) -> Option<Algorithm> {
    let algorithm = fields.text("algorithm").and_then(Algorithm::from_name)?;
    if strict && algorithm.family() == Family::Rsa {
        report.mismatch(
            &fields.span("algorithm"),
            "this algorithm is refused by `profile = \"strict\"`",
            "write \"ES256\" or \"PS256\"",
        );
        return None;
    }
    Some(algorithm)
}

fn key(
    report: &mut Report<'_>,
    fields: &Fields,
    algorithm: Option<Algorithm>,
    strict: bool,
    folder: &Path,
) -> Option<SigningKey> {
    let table = fields.table("key")?;
    let material = material(report, table, &fields.span("key"), algorithm, folder)?;
    let (algorithm, kid) = (algorithm?, table.text("kid"));
    let read = match material {
        Material::File(text) => SigningKey::from_text(&text, kid, algorithm, strict),
        Material::Secret(secret) => SigningKey::from_secret(&secret, kid, algorithm),
    };
    sound(report, table, read, "this key cannot sign", &make_one(algorithm))
}

/// What signed before, one set for each source; `None`, reported, where one is not sound.
fn former(
    report: &mut Report<'_>,
    fields: &Fields,
    algorithm: Option<Algorithm>,
    strict: bool,
    folder: &Path,
) -> Option<Vec<KeySet>> {
    let mut sets = Some(Vec::new());
    for spot in fields.list("previous") {
        let set = match &spot.value {
            Value::Table(table) => one_former(report, table, &spot.span, algorithm, strict, folder),
            _ => None,
        };
        match (set, &mut sets) {
            (Some(set), Some(sets)) => sets.push(set),
            (None, _) => sets = None,
            (Some(_), None) => {}
        }
    }
    sets
}

fn one_former(
    report: &mut Report<'_>,
    table: &Fields,
    span: &Range<usize>,
    algorithm: Option<Algorithm>,
    strict: bool,
    folder: &Path,
) -> Option<KeySet> {
    let algorithm = if table.is_written("algorithm") { self::algorithm(report, table, strict) } else { algorithm };
    let material = material(report, table, span, algorithm, folder)?;
    let (algorithms, kid) = ([algorithm?], table.text("kid"));
    let rules = Rules { algorithms: &algorithms, strict, origin: Origin::File };
    let read = match material {
        Material::File(text) => KeySet::of_former(&text, kid, &rules),
        Material::Secret(secret) => {
            Key::from_secret(kid.map(str::to_owned), &secret, &algorithms).and_then(|key| KeySet::new(vec![key]))
        }
    };
    let help =
        "name the file of the old key; where it signed with another algorithm, add `algorithm = \"…\"` to its table";
    sound(report, table, read, "this old key cannot be used", help)
}

enum Material {
    File(zeroize::Zeroizing<Vec<u8>>),
    Secret(zeroize::Zeroizing<Vec<u8>>),
}

/// The bytes of the one source that a table names.
fn material(
    report: &mut Report<'_>,
    table: &Fields,
    span: &Range<usize>,
    algorithm: Option<Algorithm>,
    folder: &Path,
) -> Option<Material> {
    const CHOICES: &str = "`file`, `secret_file` or `secret_env`";
    let named: Vec<&str> = SOURCES.iter().copied().filter(|name| table.is_written(name)).collect();
    let name = match named.as_slice() {
        [one] => *one,
        [] if table.has_unknown() => return None,
        [] => {
            report.mismatch(span, "this table names no key", format!("add {CHOICES}"));
            return None;
        }
        _ => {
            report.error(span, "this table names several keys", format!("keep one of {CHOICES}"));
            return None;
        }
    };
    if name == "file" {
        if table.is_written("encoding") {
            report.error(&table.span("encoding"), "`encoding` means nothing beside `file`", "leave it out");
        }
        let (_, text, _) = secret::read_file(report, folder, table.text("file")?, &table.span("file"), true)?;
        return Some(Material::File(text));
    }
    let source = if name == "secret_file" { Source::SecretFile } else { Source::SecretEnv };
    let secret = secret::read(report, table, source, folder)?;
    if let Some(algorithm) = algorithm.filter(|algorithm| !algorithm.is_symmetric()) {
        report.mismatch(
            span,
            format!("{} signs with a private key, and a shared secret stands here", algorithm.name()),
            "name the file of a private key with `file`, or write HS256, HS384 or HS512 as the algorithm",
        );
        return None;
    }
    Some(Material::Secret(secret))
}

const SOURCES: [&str; 3] = ["file", "secret_file", "secret_env"];

fn sound<T>(report: &mut Report<'_>, table: &Fields, read: Result<T, KeyError>, what: &str, help: &str) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            let (why, help) = split(&error, help);
            let at = SOURCES.iter().find(|name| table.is_written(name)).map_or(table.span.clone(), |at| table.span(at));
            report.error(&at, format!("{what}: {why}"), help);
            None
        }
    }
}

/// The reason, and in a sentence of its own what to do.
fn split<'e>(error: &'e KeyError, help: &'e str) -> (&'e str, &'e str) {
    error.0.split_once(". ").unwrap_or((&error.0, help))
}

/// How a key for the algorithm is made.
fn make_one(algorithm: Algorithm) -> String {
    let how = match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            return "make one with `openssl rand -base64 48`".into();
        }
        Algorithm::Es256 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-256",
        Algorithm::Es384 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-384",
        Algorithm::Es512 => "-algorithm EC -pkeyopt ec_paramgen_curve:P-521",
        Algorithm::EdDsa | Algorithm::Ed25519 => "-algorithm ED25519",
        Algorithm::MlDsa44 => "-algorithm ML-DSA-44",
        Algorithm::MlDsa65 => "-algorithm ML-DSA-65",
        Algorithm::MlDsa87 => "-algorithm ML-DSA-87",
        _ => "-algorithm RSA -pkeyopt rsa_keygen_bits:3072",
    };
    format!("make one with `openssl genpkey {how} -out signing.pem`")
}
