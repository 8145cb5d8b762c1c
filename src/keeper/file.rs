//! A file of keys: found changed by its stamp, and then read again.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::What;
use crate::policy::stamp::Stamp;

/// A larger file holds no keys.
const LARGEST: u64 = 1024 * 1024;

/// What is known of one file.
#[derive(Debug)]
pub(super) struct FileWatch {
    /// When it was read last, also where that failed.
    stamp: Option<Stamp>,
    /// Of what it held then; `None`: it was read with the policy.
    digest: Option<[u8; 32]>,
    /// The last look failed.
    failing: Option<String>,
}

impl FileWatch {
    pub fn new(stamp: Stamp) -> FileWatch {
        FileWatch { stamp: Some(stamp), digest: None, failing: None }
    }

    /// Reads the file where it is not the one that was read last, and hands it to `put`. `None`: nothing to tell.
    pub fn look(&mut self, path: &Path, put: &mut dyn FnMut(&[u8]) -> Result<What, String>) -> Option<What> {
        let found = match stat(path) {
            Ok(found) => found,
            Err(why) => {
                // Looked for again each time; told once.
                self.stamp = None;
                return self.fails(why);
            }
        };
        if self.stamp.is_some_and(|stamp| stamp.holds(&found)) {
            return None;
        }
        let seems_same = self.stamp.replace(found).is_some_and(|stamp| stamp.looks_like(&found));
        let text = match read(path) {
            Ok(text) => text,
            // Read before, and perhaps under another user: nothing says that it is another one now.
            Err(_) if seems_same => return None,
            Err(why) => return self.fails(why),
        };
        let digest: [u8; 32] = Sha256::digest(&*text).into();
        if self.digest == Some(digest) && self.failing.is_none() {
            return None;
        }
        match put(&text) {
            Ok(what) => {
                self.digest = Some(digest);
                let failed = self.failing.take().is_some();
                match what {
                    What::Changed { added, removed } if added.is_empty() && removed.is_empty() => {
                        failed.then_some(What::Recovered)
                    }
                    changed => Some(changed),
                }
            }
            // It may be that somebody is just writing it.
            Err(_) if !found.is_settled() && !seems_same => None,
            Err(why) => {
                self.digest = Some(digest);
                self.fails(format!(
                    "{} cannot be used: {why}; the keys from before stay in force until it is mended",
                    path.display()
                ))
            }
        }
    }

    /// Told where it is not what was told last.
    fn fails(&mut self, why: String) -> Option<What> {
        if self.failing.as_ref() == Some(&why) {
            return None;
        }
        self.failing = Some(why.clone());
        Some(What::Failed(why))
    }
}

fn stat(path: &Path) -> Result<Stamp, String> {
    let data = std::fs::metadata(path).map_err(|error| unreadable(path, &error.to_string()))?;
    // Looks before it opens: opening a pipe would wait.
    if !data.is_file() {
        return Err(unreadable(path, "it is not a file"));
    }
    if data.len() > LARGEST {
        return Err(unreadable(path, "it is larger than 1 MiB"));
    }
    Ok(Stamp::from(&data))
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    // Room for all of it at once: a growing vector would leave copies of secrets behind.
    let mut text = Zeroizing::new(Vec::with_capacity(64 * 1024));
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let length = file.metadata().map_or(0, |data| data.len());
    text.reserve_exact(usize::try_from(length.min(LARGEST)).unwrap_or(0));
    file.take(LARGEST).read_to_end(&mut text).map_err(|error| unreadable(path, &error.to_string()))?;
    Ok(text)
}

fn unreadable(path: &Path, why: &str) -> String {
    format!(
        "{} cannot be read: {why}; the keys from before stay in force. Put it back where this process may read it",
        path.display()
    )
}
