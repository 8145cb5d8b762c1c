//! Panics on purpose, for the tests of panic containment: a test arms a point, and whoever passes it next panics. In a
//! build without the feature `test-panic` there is nothing here to arm.

/// A place where a test may want a panic.
#[cfg(not(feature = "test-panic"))]
#[inline(always)]
pub fn point(_name: &'static str) {}

#[cfg(feature = "test-panic")]
pub use armed::{arm, point};

#[cfg(feature = "test-panic")]
mod armed {
    use std::sync::{Mutex, PoisonError};

    static ARMED: Mutex<Option<(String, u32)>> = Mutex::new(None);

    /// Has the `nth` pass of a point panic, on whatever thread; the first is 1. An empty name disarms.
    pub fn arm(name: &str, nth: u32) {
        let armed = (!name.is_empty()).then(|| (name.to_owned(), nth.max(1)));
        *ARMED.lock().unwrap_or_else(PoisonError::into_inner) = armed;
    }

    /// A place where a test may want a panic.
    #[allow(clippy::panic)]
    pub fn point(name: &'static str) {
        let mut armed = ARMED.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((wanted, left)) = armed.as_mut() else { return };
        if wanted.as_str() != name {
            return;
        }
        *left -= 1;
        if *left == 0 {
            *armed = None;
            drop(armed);
            panic!("on purpose, at {name}");
        }
    }
}
