//! Files and secrets that a policy names. What is in a secret never reaches a message.

use std::fs::{File, Metadata};
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use data_encoding::{BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use zeroize::Zeroizing;

use crate::policy::beside;
use crate::policy::read::Fields;
use crate::policy::report::Report;
use crate::policy::stamp::Stamp;

/// A larger file holds no secret.
const LARGEST: u64 = 1024 * 1024;

/// Where keys come from, of the sources that a table may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    SecretFile,
    SecretEnv,
    File,
    Inline,
    Url,
    Discovery,
}

impl Source {
    const ALL: [(Source, &str); 6] = [
        (Source::SecretFile, "secret_file"),
        (Source::SecretEnv, "secret_env"),
        (Source::File, "file"),
        (Source::Inline, "inline"),
        (Source::Url, "url"),
        (Source::Discovery, "discovery"),
    ];

    pub fn is_secret(self) -> bool {
        matches!(self, Source::SecretFile | Source::SecretEnv)
    }
}

/// The one source that a table names; `None`, reported, where it names none or several.
pub(super) fn source(
    report: &mut Report<'_>,
    fields: &Fields,
    span: &Range<usize>,
    only_secrets: bool,
) -> Option<Source> {
    let named: Vec<_> = Source::ALL
        .into_iter()
        .filter(|(source, _)| source.is_secret() || !only_secrets)
        .filter(|(_, name)| fields.is_written(name))
        .collect();
    let choices = if only_secrets {
        "`secret_file` or `secret_env`"
    } else {
        "`file`, `inline`, `url`, `discovery`, `secret_file` or `secret_env`"
    };
    let (source, name) = match named.as_slice() {
        [one] => *one,
        [] if fields.has_unknown() => return None,
        [] => {
            report.mismatch(span, "this table names no source", format!("add {choices}"));
            return None;
        }
        _ => {
            report.error(
                span,
                "this table names several sources",
                format!("keep one of {choices}; a list of tables has several"),
            );
            return None;
        }
    };
    let misplaced: &[&str] = match source {
        Source::SecretFile | Source::SecretEnv => &["refresh", "stale", "ca"],
        Source::File | Source::Inline => &["refresh", "stale", "ca", "encoding"],
        Source::Url | Source::Discovery => &["encoding", "kid"],
    };
    for key in misplaced.iter().filter(|key| fields.is_written(key)) {
        let help = if *key == "kid" { "leave it out; the keys bring their own" } else { "leave it out" };
        report.error(&fields.span(key), format!("`{key}` means nothing beside `{name}`"), help);
    }
    Some(source)
}

/// The bytes of a shared secret; `None`, reported, where there are none.
pub(super) fn read(
    report: &mut Report<'_>,
    fields: &Fields,
    source: Source,
    folder: &Path,
) -> Option<Zeroizing<Vec<u8>>> {
    let (bytes, key) = match source {
        Source::SecretFile => {
            let name = fields.text("secret_file")?;
            (read_file(report, folder, name, &fields.span("secret_file"), true)?.1, "secret_file")
        }
        Source::SecretEnv => {
            let name = fields.text("secret_env")?;
            let Some(value) = std::env::var_os(name) else {
                report.error(
                    &fields.span("secret_env"),
                    format!("the environment variable `{name}` is not set"),
                    "set it for the server, or name another",
                );
                return None;
            };
            (Zeroizing::new(value.into_encoded_bytes()), "secret_env")
        }
        Source::File | Source::Inline | Source::Url | Source::Discovery => return None,
    };
    let encoding = fields.text("encoding")?;
    let Some(secret) = decode(bytes, encoding) else {
        report.error(
            &fields.span(key),
            format!("this secret is not {encoding}"),
            "correct the secret or its `encoding`",
        );
        return None;
    };
    if secret.is_empty() {
        report.error(&fields.span(key), "this secret is empty", "make one with `openssl rand -base64 48`");
        return None;
    }
    Some(secret)
}

/// A whole file, its path and its stamp; who else can change it is a warning, and of a `secret` one who else can read it. `None`,
/// reported, where it cannot be read.
pub(super) fn read_file(
    report: &mut Report<'_>,
    folder: &Path,
    name: &str,
    span: &Range<usize>,
    secret: bool,
) -> Option<(PathBuf, Zeroizing<Vec<u8>>, Stamp)> {
    let (path, metadata) = open(report, folder, name, span)?;
    let bytes = contents(report, &path, &metadata, span)?;
    warn_of_others(report, &path, &metadata, span, secret);
    Some((path, bytes, Stamp::from(&metadata)))
}

fn decode(mut bytes: Zeroizing<Vec<u8>>, encoding: &str) -> Option<Zeroizing<Vec<u8>>> {
    if encoding != "raw" && bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    match encoding {
        "base64url" => BASE64URL_NOPAD.decode(&bytes).or_else(|_| BASE64URL.decode(&bytes)).ok().map(Zeroizing::new),
        "hex" => HEXLOWER_PERMISSIVE.decode(&bytes).ok().map(Zeroizing::new),
        _ => Some(bytes),
    }
}

/// The path of a file that is a file and not empty. Looks before it opens: opening a pipe would wait.
pub(super) fn open(
    report: &mut Report<'_>,
    folder: &Path,
    name: &str,
    span: &Range<usize>,
) -> Option<(PathBuf, Metadata)> {
    let path = beside(folder, name);
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) => {
            unreadable(report, &path, &error.to_string(), span);
            return None;
        }
    };
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "it is a folder" } else { "it is not a file" };
        unreadable(report, &path, what, span);
        return None;
    }
    if metadata.len() == 0 {
        report.error(span, format!("`{}` is empty", path.display()), "write something into it, or name another file");
        return None;
    }
    Some((path, metadata))
}

fn contents(
    report: &mut Report<'_>,
    path: &Path,
    metadata: &Metadata,
    span: &Range<usize>,
) -> Option<Zeroizing<Vec<u8>>> {
    if metadata.len() > LARGEST {
        unreadable(report, path, "it is larger than 1 MiB", span);
        return None;
    }
    // Room for all of it at once: a growing vector would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(LARGEST.min(metadata.len())).ok()? + 1));
    let read = File::open(path).and_then(|file| file.take(metadata.len()).read_to_end(&mut bytes));
    match read {
        Ok(_) => Some(bytes),
        Err(error) => {
            unreadable(report, path, &error.to_string(), span);
            None
        }
    }
}

fn warn_of_others(report: &mut Report<'_>, path: &Path, metadata: &Metadata, span: &Range<usize>, secret: bool) {
    let (bits, can, change) = if secret { (0o006, "read or change", "o-rw") } else { (0o002, "change", "o-w") };
    if metadata.permissions().mode() & bits != 0 {
        report.warning(
            span,
            format!("every user of this machine can {can} `{}`", path.display()),
            format!("run `chmod {change} {}`", path.display()),
        );
    }
}

fn unreadable(report: &mut Report<'_>, path: &Path, why: &str, span: &Range<usize>) {
    report.error(
        span,
        format!("`{}` cannot be read: {why}", path.display()),
        "name a file that this process may read; paths are relative to the policy",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_a_secret() {
        let decoded = |bytes: &[u8], encoding| decode(Zeroizing::new(bytes.to_vec()), encoding).map(|s| s.to_vec());
        for (bytes, encoding, wanted) in [
            (&b"abc"[..], "text", Some(&b"abc"[..])),
            (b"abc\n", "text", Some(b"abc")),
            (b"abc\r\n", "text", Some(b"abc")),
            (b"abc\n\n", "text", Some(b"abc\n")),
            (b"abc\r", "text", Some(b"abc\r")),
            (b" a ", "text", Some(b" a ")),
            (b"\xff\n", "text", Some(b"\xff")),
            (b"abc\n", "raw", Some(b"abc\n")),
            (b"616263\n", "hex", Some(b"abc")),
            (b"4A4b\n", "hex", Some(b"JK")),
            (b"616", "hex", None),
            (b"zz", "hex", None),
            (b"YWI\n", "base64url", Some(b"ab")),
            (b"YWI=\r\n", "base64url", Some(b"ab")),
            (b"_-8", "base64url", Some(b"\xff\xef")),
            (b"/+8", "base64url", None),
            (b"YWJ", "base64url", None),
            (b"\n", "text", Some(b"")),
        ] {
            assert_eq!(decoded(bytes, encoding).as_deref(), wanted, "{bytes:?} {encoding}");
        }
    }
}
