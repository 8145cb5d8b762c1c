//! Starting an engine in a process, and what is remembered of a start that failed.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::snapshot::Current;
use crate::error::Error;
use crate::ffi::os::fork;

impl Engine {
    /// Opens the state. Each process calls it, after fork; twice in one process does nothing. After an error every call
    /// that needs it says why, until a start succeeds.
    pub fn start(&self) -> Result<(), Error> {
        self.open_all().inspect_err(|why| self.keep_failure(why))
    }

    #[cold]
    fn keep_failure(&self, why: &Error) {
        let failed = Some((Arc::new(why.clone()), fork::fork_generation()));
        loop {
            let before = self.inner.current.load_full();
            if before.process().is_ok() {
                // Another thread's start succeeded.
                return;
            }
            let (snapshot, process) = (Arc::clone(&before.snapshot), before.process.clone());
            if self.swap(&before, Current { snapshot, process, failed: failed.clone() }) {
                return;
            }
        }
    }
}
