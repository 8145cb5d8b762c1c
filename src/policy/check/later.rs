//! Sections whose part is not built yet are checked all the same: their files, names and what excludes what. So a
//! policy does not break on the day they are built.

use std::path::Path;

use super::{issuer, secret};
use crate::policy::document::Document;
use crate::policy::model::Issuer;
use crate::policy::read::{Fields, Value};
use crate::policy::report::{Report, quote};

pub(super) fn check(report: &mut Report<'_>, document: &Document, issuers: &[Issuer], folder: &Path) {
    let strict = document.get("engine").and_then(|engine| engine.text("profile")) == Some("strict");
    if let Some(otp) = document.get("otp")
        && let Some(key) = otp.table("key")
    {
        named(report, key, &otp.span("key"), true, folder);
    }
    let signers = document.all("signer");
    issuer::distinct(report, signers, "name");
    for signer in signers {
        self::signer(report, signer, issuers, strict, folder);
    }
}

fn signer(report: &mut Report<'_>, signer: &Fields, issuers: &[Issuer], strict: bool, folder: &Path) {
    if let Some(url) = signer.text("issuer")
        && issuers.iter().any(|issuer| issuer.issuer == url)
    {
        report.mismatch(
            &signer.span("issuer"),
            format!("{} is also an `[[issuer]]`: its tokens would be both strangers' and ours", quote(url)),
            "leave that `[[issuer]]` out; the engine believes its own signers",
        );
    }
    let algorithm = signer.text("algorithm").and_then(crate::crypto::algorithm::Algorithm::from_name);
    if strict && algorithm.is_some_and(|a| a.family() == crate::crypto::algorithm::Family::Rsa) {
        report.mismatch(
            &signer.span("algorithm"),
            "this algorithm is refused by `profile = \"strict\"`",
            "write \"ES256\" or \"PS256\"",
        );
    }
    let mut keys: Vec<(&Fields, std::ops::Range<usize>)> = Vec::new();
    keys.extend(signer.table("key").map(|key| (key, signer.span("key"))));
    for spot in signer.list("previous") {
        if let Value::Table(table) = &spot.value {
            keys.push((table, spot.span.clone()));
        }
    }
    for (table, span) in keys {
        let Some(source) = named(report, table, &span, false, folder) else { continue };
        if matches!(source, secret::Source::Url | secret::Source::Discovery | secret::Source::Inline) {
            report.error(
                &span,
                "a signer's key does not come from elsewhere",
                "write `file`, `secret_file` or `secret_env`",
            );
            continue;
        }
        issuer::source_fits(report, source, false, algorithm.as_ref(), &span);
    }
}

/// The source that a table names, with its file or variable looked at.
fn named(
    report: &mut Report<'_>,
    table: &Fields,
    span: &std::ops::Range<usize>,
    only_secrets: bool,
    folder: &Path,
) -> Option<secret::Source> {
    let source = secret::source(report, table, span, only_secrets)?;
    if source.is_secret() {
        secret::read(report, table, source, folder);
    } else if let Some(name) = table.text("file") {
        secret::is_there(report, folder, name, &table.span("file"));
    }
    Some(source)
}
