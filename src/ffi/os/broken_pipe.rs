//! Writing where nobody reads any more ends a process that does nothing about SIGPIPE. A library that prints or logs
//! must not be the one that ends its host, nor may it change what the host does about signals.

use std::panic;

use once_cell::race::OnceBool;

use super::quiet;

/// Has the message of a panic printed without that danger, from now on. Cheap after the first call.
pub fn spare_the_host() {
    static DONE: OnceBool = OnceBool::new();
    if DONE.get().is_some() || std::thread::panicking() {
        return;
    }
    // Of two threads at once both may wrap it, which does no harm.
    DONE.get_or_init(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| quiet::quietly(|| before(info))));
        true
    });
}
