//! What the engine needs of the process that it runs in: clock, ids, pool of threads.

pub mod clock;
pub mod pool;
