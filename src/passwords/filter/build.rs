//! From an operator's list to a filter: read once, line by line, in eight bytes of memory an entry until the filter is
//! made.

use std::io::{self, BufRead};

use data_encoding::HEXLOWER_PERMISSIVE;
use sha1::{Digest, Sha1};

use super::{Filter, key};
use crate::crypto::name;

/// A longer line is no entry of a list.
const LONGEST_LINE: usize = 4_096;
/// With a line longer than this it is no list of lines.
const NO_LINE: u64 = 64 * 1024;
/// The filter counts its places in 32 bits, and needs an eighth more of them than entries.
const MOST_ENTRIES: usize = 1 << 31;

/// What a line of the list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A password.
    Password,
    /// The SHA-1 digest of a password in hex, perhaps with `:` and how often it was seen.
    Sha1,
}

/// How a list is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Build {
    /// `None`: as the first line looks.
    pub form: Option<Form>,
    /// Entries that were seen less often are left out; where a line does not say, it was seen once.
    pub least: u64,
}

/// A filter with what became of the lines.
#[derive(Debug)]
pub struct Built {
    /// The filter.
    pub filter: Filter,
    /// How the lines were read.
    pub form: Form,
    /// Lines of the list that are not empty.
    pub lines: u64,
    /// Lines that repeat another one.
    pub repeated: u64,
    /// Lines that no password can be: over 1,024 bytes, not UTF-8, control characters.
    pub unusable: u64,
    /// Lines that were seen too seldom.
    pub seldom: u64,
}

/// Builds a filter of a list; the error says at which line and why.
pub fn build(list: &mut impl BufRead, how: Build) -> Result<Built, String> {
    let mut keys = Vec::new();
    let (mut lines, mut unusable, mut seldom, mut at) = (0_u64, 0_u64, 0_u64, 0_u64);
    let mut form = how.form;
    let mut line = Vec::new();
    while let Some(fits) = next_line(list, &mut line)
        .map_err(|error| format!("the list cannot be read at line {}: {error}", at.saturating_add(1)))?
    {
        at = at.saturating_add(1);
        if at == 1 {
            is_text(&line)?;
        }
        let text = text_of(&line, at == 1);
        if text.is_empty() {
            continue;
        }
        lines = lines.saturating_add(1);
        let form = match form {
            Some(form) => form,
            None => *form.insert(guess(text)?),
        };
        let entry = match form {
            Form::Sha1 => match entry(text) {
                Some((key, seen)) => Some((key, seen)),
                None => {
                    return Err(format!(
                        "line {at} is no SHA-1 digest like `0018A45C4D1DEF81644B54AB7F969B88D65B1234:7`: correct it, or \
                         say that the lines are passwords"
                    ));
                }
            },
            Form::Password if fits => password(text).map(|key| (key, 1)),
            Form::Password => None,
        };
        match entry {
            Some((_, seen)) if seen < how.least => seldom = seldom.saturating_add(1),
            Some((key, _)) => keys.push(key),
            None => unusable = unusable.saturating_add(1),
        }
        if keys.len() > MOST_ENTRIES {
            return Err(
                "the list has more than 2,147,483,648 entries: leave out those that were seen seldom".to_owned()
            );
        }
    }
    let found = keys.len();
    keys.sort_unstable();
    keys.dedup();
    let Some(form) = form.filter(|_| !keys.is_empty()) else {
        return Err("the list holds no password that could be taken: a filter of it would find nothing".to_owned());
    };
    let repeated = found.saturating_sub(keys.len()) as u64;
    Ok(Built { filter: Filter::of(&keys)?, form, lines, repeated, unusable, seldom })
}

/// Reads the next line without its line break; false: it was longer than [`LONGEST_LINE`] and the rest is dropped.
/// Over [`NO_LINE`] it is an error, since it might never end.
fn next_line(list: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Option<bool>> {
    line.clear();
    let (mut fits, mut any, mut length) = (true, false, 0_u64);
    loop {
        let buffer = list.fill_buf()?;
        if buffer.is_empty() {
            return Ok(any.then_some(fits));
        }
        any = true;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let part = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        length = length.saturating_add(part.len() as u64);
        if length > NO_LINE {
            return Err(io::Error::other(
                "it has more than 65,536 bytes: give a text with one password or one digest a line",
            ));
        }
        let room = LONGEST_LINE.saturating_sub(line.len());
        fits &= part.len() <= room;
        line.extend(part.iter().take(room));
        let used = part.len().saturating_add(usize::from(end.is_some()));
        list.consume(used);
        if end.is_some() {
            return Ok(Some(fits));
        }
    }
}

/// The line without what belongs to the form of the file.
fn text_of(line: &[u8], first: bool) -> &[u8] {
    let line = if first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The start of the file is not that of a common form which would be read as nonsense.
fn is_text(start: &[u8]) -> Result<(), String> {
    let packed: &[&[u8]] = &[b"\x1f\x8b", b"PK\x03\x04", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd"];
    if packed.iter().any(|magic| start.starts_with(magic)) {
        return Err("the list is compressed: unpack it first, for example `zcat LIST.gz | gatepost passwords build-filter - -o FILE`".to_owned());
    }
    if start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff") {
        return Err(
            "the list is UTF-16: turn it into UTF-8 first, for example with `iconv -f UTF-16 -t UTF-8`".to_owned()
        );
    }
    Ok(())
}

/// What the lines of a list are whose first one is this.
fn guess(first: &[u8]) -> Result<Form, String> {
    if entry(first).is_some() {
        return Ok(Form::Sha1);
    }
    let (digest, seen) = parts(first);
    if digest.len() == 32
        && seen.is_some_and(|seen| count(seen).is_some())
        && HEXLOWER_PERMISSIVE.decode(digest).is_ok()
    {
        return Err(
            "line 1 looks like an NTLM or MD5 digest, of which no password can be told: take the list of SHA-1 digests"
                .to_owned(),
        );
    }
    Ok(Form::Password)
}

/// Key and count of a line with a digest.
fn entry(line: &[u8]) -> Option<(u64, u64)> {
    let (digest, seen) = parts(line);
    let seen = match seen {
        Some(seen) => count(seen)?,
        None => 1,
    };
    let digest: [u8; 20] = HEXLOWER_PERMISSIVE.decode(digest).ok()?.try_into().ok()?;
    Some((key(&digest), seen))
}

fn parts(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = line.splitn(2, |byte| *byte == b':');
    (parts.next().unwrap_or_default(), parts.next())
}

fn count(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

/// The key of a password, in the form that is hashed; `None` where it can be nobody's.
fn password(line: &[u8]) -> Option<u64> {
    let form = name::password(std::str::from_utf8(line).ok()?)?;
    Some(key(&Sha1::digest(form.as_bytes()).into()))
}
