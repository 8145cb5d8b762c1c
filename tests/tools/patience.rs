//! Patience with a lock that another process holds: on a slow machine for longer than the product waits.

use std::time::{Duration, Instant};

use gatepost::error::Error;

/// What the call comes to, once nobody is in its way.
pub fn patiently<T>(mut call: impl FnMut() -> Result<T, Error>) -> T {
    let end = Instant::now() + Duration::from_secs(300);
    loop {
        match call() {
            Err(error) if error.message().contains("was locked by another process") && Instant::now() < end => {}
            done => return done.unwrap(),
        }
    }
}
