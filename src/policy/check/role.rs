//! `[[role]]`: names and inclusions.

use std::collections::BTreeMap;

use crate::policy::read::Fields;
use crate::policy::report::{Report, nearest, quote};
use crate::policy::role::Roles;

pub(super) fn read(report: &mut Report<'_>, sections: &[Fields]) -> Roles {
    let mut by_name: BTreeMap<&str, &Fields> = BTreeMap::new();
    for fields in sections {
        let Some(name) = fields.text("name") else { continue };
        if let Some(first) = by_name.get(name) {
            let (line, _) = report.place(first.span.start);
            report.error(
                &fields.span("name"),
                format!("the role {} is already defined on line {line}", quote(name)),
                "give it another name, or put the permissions of both into one section",
            );
        } else {
            by_name.insert(name, fields);
        }
    }
    for fields in sections {
        for (name, span) in fields.texts("includes") {
            if by_name.contains_key(name) {
                if let Some(own) = fields.text("name")
                    && reaches(&by_name, name, own)
                {
                    report.mismatch(
                        span,
                        format!("the role {} includes itself, by way of {}", quote(own), quote(name)),
                        "leave one inclusion of the circle out",
                    );
                }
            } else {
                undefined(report, span, name, by_name.keys().copied());
            }
        }
    }
    let definitions: Vec<_> = by_name
        .iter()
        .map(|(name, fields)| ((*name).to_owned(), fields.strings("includes"), fields.strings("permissions")))
        .collect();
    Roles::new(&definitions)
}

/// Says that no `[[role]]` has this name.
pub(super) fn undefined<'c>(
    report: &mut Report<'_>,
    span: &std::ops::Range<usize>,
    name: &str,
    defined: impl IntoIterator<Item = &'c str>,
) {
    let add = "add a `[[role]]` of this name";
    let help = match nearest(name, defined) {
        Some(near) => format!("did you mean `{near}`? Otherwise {add}"),
        None => add.to_owned(),
    };
    report.mismatch(span, format!("there is no role {}", quote(name)), help);
}

/// From this role, inclusions lead to that one.
fn reaches(by_name: &BTreeMap<&str, &Fields>, from: &str, to: &str) -> bool {
    let mut seen = std::collections::BTreeSet::new();
    let mut open = vec![from];
    while let Some(name) = open.pop() {
        if name == to {
            return true;
        }
        if seen.insert(name)
            && let Some(fields) = by_name.get(name)
        {
            open.extend(fields.texts("includes").map(|(name, _)| name));
        }
    }
    false
}
