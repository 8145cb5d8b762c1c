//! `[[certificate]]`: which certificate is which user.

use std::collections::HashMap;

use crate::certificate::{AlternativeName, Description, DistinguishedName};
use crate::policy::keys::form::canonical_user;
use crate::policy::model::Mapped;
use crate::policy::read::Fields;
use crate::policy::report::{Report, quote};

const KEYS: [&str; 3] = ["subject", "fingerprint", "san"];

pub(super) fn read(report: &mut Report<'_>, sections: &[Fields]) -> HashMap<Description, Mapped> {
    let mut mapped: HashMap<Description, Mapped> = HashMap::new();
    for fields in sections {
        let written: Vec<&str> = KEYS.into_iter().filter(|key| fields.is_written(key)).collect();
        let [key] = written.as_slice() else {
            if !fields.has_unknown() {
                let message = if written.is_empty() {
                    "this certificate is not described"
                } else {
                    "this certificate is described in more than one way"
                };
                report.mismatch(&fields.span, message, "write exactly one of `subject`, `fingerprint` and `san`");
            }
            continue;
        };
        // What is not sound has been reported.
        let Some(description) = fields.text(key).and_then(|text| description(key, text)) else { continue };
        let Some(user) = fields.text("user").and_then(canonical_user) else { continue };
        if let Some(first) = mapped.get(&description) {
            report.mismatch(
                &fields.span(key),
                format!(
                    "the section on line {} already says whose this certificate is: {}",
                    first.line,
                    quote(&first.user)
                ),
                "leave one of the two out: a certificate is one user's",
            );
            continue;
        }
        let (line, _) = report.place(fields.span.start);
        mapped.insert(description, Mapped { user, line });
    }
    mapped
}

fn description(key: &str, text: &str) -> Option<Description> {
    match key {
        "fingerprint" => Description::fingerprint(text),
        "subject" => DistinguishedName::parse(text).ok().map(Description::Subject),
        _ => AlternativeName::parse(text).ok().map(Description::AlternativeName),
    }
}
