//! Randomness from the operating system, asked for each time: a generator with a buffer would repeat after fork.

use crate::error::{Error, ErrorKind};

/// Fills an array with random bytes.
pub fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut out = [0u8; N];
    getrandom::fill(&mut out)
        .map_err(|e| Error::new(ErrorKind::System, format!("the operating system gave no random bytes: {e}")))?;
    Ok(out)
}
