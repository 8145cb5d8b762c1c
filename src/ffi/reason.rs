//! Numbers to words: reasons and statuses. The words are those of the one table in `crate::reason`
//! and of `crate::catalogue`.

use std::ffi::CString;
use std::sync::LazyLock;

use super::kernel::{Failure, guard};
use super::types::*;
use crate::catalogue::{Language, sentences};
use crate::reason::Reason;

/// For whom a sentence is: the person who was refused. Gives nothing away that helps an attacker.
pub const GATEPOST_AUDIENCE_PERSON: u32 = 0;
/// For whom a sentence is: the operator, who reads what to check and change. Never for the client.
pub const GATEPOST_AUDIENCE_OPERATOR: u32 = 1;

/// The stable name of a reason, like "credentials_missing": for logs and for comparing.
///
/// reason: one of GATEPOST_REASON_*.
/// The string is static. Any thread.
/// Returns the name; empty for a number that is no reason of this release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_reason_name(reason: gatepost_reason) -> gatepost_str {
    // SAFETY: no pointers.
    unsafe { guard(gatepost_str::EMPTY, |_| Ok(text(&row(reason)?.name))) }
}

/// The sentence that goes with a reason.
///
/// reason: one of GATEPOST_REASON_*.
/// audience: GATEPOST_AUDIENCE_PERSON or GATEPOST_AUDIENCE_OPERATOR.
/// The string is static. Any thread.
/// Returns the sentence in English; empty for a reason or an audience of no number of this release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_reason_text(reason: gatepost_reason, audience: u32) -> gatepost_str {
    // SAFETY: no pointers.
    unsafe {
        guard(gatepost_str::EMPTY, |_| {
            let row = row(reason)?;
            match audience {
                GATEPOST_AUDIENCE_PERSON => Ok(text(&row.person)),
                GATEPOST_AUDIENCE_OPERATOR => Ok(text(&row.operator)),
                _ => Err(Failure::unsupported("no such audience")),
            }
        })
    }
}

/// The HTTP status that goes with a reason.
///
/// reason: one of GATEPOST_REASON_*.
/// Any thread.
/// Returns the status; 500 for a number that is no reason of this release.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_reason_status(reason: gatepost_reason) -> u32 {
    // SAFETY: no pointers.
    unsafe { guard(500, |_| Ok(u32::from(row(reason)?.reason.status()))) }
}

/// What a status means, in a few words: for logs.
///
/// status: what a call returned.
/// The string is static. Any thread.
/// Returns the words; for a number that this release does not know, words that say so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gatepost_status_text(status: gatepost_status) -> gatepost_str {
    // SAFETY: no pointers.
    unsafe {
        guard(gatepost_str::EMPTY, |_| {
            Ok(gatepost_str::of(match status {
                GATEPOST_OK => c"done",
                GATEPOST_PENDING => c"slow work is left: run the job, then finish it",
                GATEPOST_NEED_BODY => c"the body of the request is needed: call again with it",
                GATEPOST_ERR_INVALID_ARGUMENT => c"an argument is not acceptable: NULL, a wrong handle, or malformed",
                GATEPOST_ERR_UNSUPPORTED => c"this release of the library does not know what was asked for",
                GATEPOST_ERR_NOT_STARTED => c"gatepost_engine_start was not called in this process, or failed",
                GATEPOST_ERR_POLICY => c"the policy does not load",
                GATEPOST_ERR_STATE => c"the state cannot be opened, read or written",
                GATEPOST_ERR_NO_MEMORY => c"memory ran out",
                GATEPOST_ERR_OVERLOADED => c"there is no room to work on it now",
                GATEPOST_ERR_CANCELLED => c"the job was cancelled",
                GATEPOST_ERR_NOT_RUN => c"the job has not been run to its end",
                GATEPOST_ERR_CONFLICT => c"it exists already, does not exist, or was done before",
                GATEPOST_ERR_SYSTEM => c"the operating system refused something",
                GATEPOST_ERR_PANIC => c"a fault in the library ended this call; please report it",
                GATEPOST_ERR_INTERNAL => c"a fault in the library; please report it",
                GATEPOST_ERR_REFUSED => c"a credential that was handed in is not taken",
                _ => c"a status that this release of the library does not know",
            }))
        })
    }
}

/// The table's words with a NUL behind each.
struct Row {
    reason: Reason,
    name: CString,
    person: CString,
    operator: CString,
}

/// By number.
static ROWS: LazyLock<Vec<Option<Row>>> = LazyLock::new(|| {
    let owned = |text: &str| CString::new(text).unwrap_or_default();
    let mut rows = Vec::new();
    for &reason in Reason::ALL {
        let index = reason.number() as usize;
        rows.resize_with(rows.len().max(index.saturating_add(1)), || None);
        if let Some(place) = rows.get_mut(index) {
            *place = Some(Row {
                reason,
                name: owned(reason.name()),
                person: owned(&sentences(reason).whole(Language::English)),
                operator: owned(reason.operator()),
            });
        }
    }
    rows
});

fn row(number: u32) -> Result<&'static Row, Failure> {
    let row = ROWS.get(number as usize).and_then(Option::as_ref);
    row.ok_or_else(|| Failure::unsupported("no such reason"))
}

/// The stable name of a reason.
pub(super) fn name(reason: Reason) -> gatepost_str {
    row(reason.number()).map_or(gatepost_str::of(c""), |row| text(&row.name))
}

fn text(text: &'static CString) -> gatepost_str {
    gatepost_str { ptr: text.as_ptr(), len: text.count_bytes() }
}

#[cfg(test)]
mod tests {
    use super::super::reason_numbers;
    use super::*;

    /// The file of constants, as it has to be.
    fn numbers() -> String {
        let mut text = String::from(
            "//! The numbers of the reasons as constants of the header. Generated from `crate::reason`: mend that, then\n\
             //! `UPDATE=1 cargo test --lib ffi::reason`.\n\nuse super::types::gatepost_reason;\n\n",
        );
        for reason in Reason::ALL {
            text += &format!(
                "/// \"{}\", status {}.\npub const GATEPOST_REASON_{}: gatepost_reason = {};\n",
                reason.name(),
                reason.status(),
                reason.name().to_uppercase(),
                reason.number()
            );
        }
        text
    }

    #[test]
    fn the_headers_numbers_are_those_of_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/ffi/reason_numbers.rs");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, numbers()).unwrap();
        }
        assert_eq!(std::fs::read_to_string(path).unwrap(), numbers(), "run: UPDATE=1 cargo test --lib ffi::reason");
        assert_eq!(reason_numbers::GATEPOST_REASON_INTERNAL, Reason::Internal.number());
    }

    #[test]
    fn every_reason_has_its_words_whole() {
        for reason in Reason::ALL {
            let row = row(reason.number()).unwrap();
            assert_eq!(row.name.to_str().unwrap(), reason.name());
            assert_eq!(row.person.to_str().unwrap(), sentences(*reason).whole(Language::English));
            assert_eq!(row.operator.to_str().unwrap(), reason.operator());
        }
        assert!(row(0).is_err());
    }
}
