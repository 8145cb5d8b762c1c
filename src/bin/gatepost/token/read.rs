//! A token from stdin or from a file.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::Path;

use gatepost::credential::authorization;
use zeroize::Zeroizing;

use crate::output::{self, Failure};

/// Octets that are read at most: far more than a token may have, so that it can be said what is wrong with a long one.
const LONGEST: u64 = 1 << 20;

/// What the file holds, or stdin where there is none or it is `-`, without white space around it and without the scheme
/// that it is sent under. It may be anything.
pub fn token(file: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = match file.filter(|file| file.as_os_str() != "-") {
        Some(file) => {
            let opened = File::open(file).map_err(|error| match looks_like_token(file) {
                true => Failure::new(
                    "a token is not taken from an argument, where everyone on the machine can read it: write it to \
                     stdin, or into a file and name that",
                ),
                false => Failure::new(format!("{} cannot be read: {error}", output::visible(&file.to_string_lossy()))),
            })?;
            all(opened, &output::visible(&file.to_string_lossy()))?
        }
        None => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                output::note("reading the token from the terminal; Ctrl-D on a line of its own ends it");
            }
            all(stdin.lock(), "stdin")?
        }
    };
    let mut token = Zeroizing::new(bytes.trim_ascii().to_vec());
    if let Some((name, alone)) = authorization::scheme_before_token(&bytes) {
        output::note(&format!("`{name}` in front is the name of the scheme and no part of the token: it is left out"));
        token = Zeroizing::new(alone.trim_ascii().to_vec());
    }
    if token.is_empty() {
        let place = file.map_or("stdin".to_owned(), |file| output::visible(&file.to_string_lossy()));
        return Err(Failure::new(format!("{place} holds no token: write it there as one line")));
    }
    Ok(token)
}

fn all(from: impl Read, name: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut bytes = Zeroizing::new(Vec::new());
    from.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::new(format!("{name} cannot be read: {error}")))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Failure::new(format!("{name} holds more than 1 MiB, and a token has at most 16 KiB")));
    }
    Ok(bytes)
}

/// A JSON object in base64url begins so; before it may stand the scheme that tokens are sent under.
fn looks_like_token(path: &Path) -> bool {
    path.to_str().is_some_and(|text| {
        let scheme = authorization::scheme_before_token(text.as_bytes());
        scheme.is_some() || text.starts_with("eyJ") && text.contains('.')
    })
}
