//! `[events]`: where events go, and which.

use std::path::Path;

use super::secret;
use crate::crypto::algorithm::Algorithm;
use crate::policy::beside;
use crate::policy::model::{Allowed, ChainKey, EventSink, Events};
use crate::policy::read::Fields;
use crate::policy::report::{Report, quote};

pub(super) fn read(report: &mut Report<'_>, fields: &Fields, folder: &Path) -> Option<Events> {
    let sink = match fields.text("file") {
        None => EventSink::Callback,
        Some("stderr") => EventSink::Stderr,
        Some(name) if name.ends_with('/') || beside(folder, name).is_dir() => {
            report.error(
                &fields.span("file"),
                format!("{} is a folder", quote(name)),
                "name the file in it, like \"gatepost.jsonl\", or \"stderr\"",
            );
            return None;
        }
        Some(name) => EventSink::File(beside(folder, name)),
    };
    let is_file = matches!(sink, EventSink::File(_));
    for key in ["readable", "chain"].into_iter().filter(|key| fields.is_written(key) && !is_file) {
        report.error(
            &fields.span(key),
            format!("`{key}` is about a file, and none is named"),
            "add `file`, or leave it out",
        );
    }
    let chain = match fields.table("chain") {
        Some(table) => Some(chain(report, table, fields, folder)?),
        None => None,
    };
    Some(Events {
        sink,
        allowed: match fields.text("allowed")? {
            "none" => Allowed::None,
            "all" => Allowed::All,
            _ => Allowed::Logins,
        },
        group: fields.text("readable")? == "group",
        chain,
    })
}

fn chain(report: &mut Report<'_>, table: &Fields, fields: &Fields, folder: &Path) -> Option<ChainKey> {
    let source = secret::source(report, table, &fields.span("chain"), true)?;
    let secret = secret::read(report, table, source, folder)?;
    if let Err(weak) = crate::crypto::secret::check(&secret, &[Algorithm::Hs256]) {
        let (why, help) = weak.split_once(". ").unwrap_or((&weak, "name another secret"));
        report.error(&fields.span("chain"), format!("this secret cannot be used: {why}"), help);
        return None;
    }
    Some(ChainKey::new(secret))
}
