//! What the targets check; `tests/fuzz_seeds.rs` of the project includes it, too.

pub mod checks;
