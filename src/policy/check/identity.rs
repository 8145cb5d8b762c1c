//! `[identity]`: headers that a server may not take for one another.

use crate::policy::keys::form::fold_header;
use crate::policy::model::{IdentityHeaders, Proxies};
use crate::policy::read::Fields;
use crate::policy::report::{Report, quote};

const NAMES: [&str; 5] = ["issuer", "subject", "roles", "scopes", "scheme"];

pub(super) fn headers(report: &mut Report<'_>, fields: &Fields, proxies: &Proxies) -> IdentityHeaders {
    let mut written: Vec<_> =
        NAMES.iter().filter_map(|key| Some((*key, fields.text(key)?, fields.span(key)))).collect();
    written.sort_by_key(|(_, _, span)| span.start);
    for (i, (_, header, span)) in written.iter().enumerate() {
        let earlier = written.iter().take(i).find(|(_, other, _)| fold_header(other) == fold_header(header));
        if let Some((key, other, _)) = earlier {
            report.mismatch(
                span,
                format!("{} and {} of `{key}` are one header to many servers", quote(header), quote(other)),
                "choose names that differ in letters or digits",
            );
        }
    }
    for (_, header, span) in &written {
        if proxies.certificate.as_ref().is_some_and(|own| fold_header(own) == fold_header(header)) {
            report.mismatch(
                span,
                format!("{} is to many servers the header in which `[proxies]` believes certificates", quote(header)),
                "choose another name",
            );
        }
    }
    let header = |name: &str| fields.text(name).map(str::to_owned);
    IdentityHeaders {
        issuer: header("issuer"),
        subject: header("subject"),
        roles: header("roles"),
        scopes: header("scopes"),
        scheme: header("scheme"),
    }
}
