//! Sections whose part is not built yet are checked all the same: their files, names and what excludes what. So a
//! policy does not break on the day they are built.

use std::path::Path;

use super::secret;
use crate::policy::document::Document;
use crate::policy::report::Report;

pub(super) fn check(report: &mut Report<'_>, document: &Document, folder: &Path) {
    if let Some(otp) = document.get("otp")
        && let Some(key) = otp.table("key")
        && let Some(source) = secret::source(report, key, &otp.span("key"), true)
    {
        secret::read(report, key, source, folder);
    }
}
