//! Safe wrappers of system calls: the mapped change counter, the fork counter, the coarse clock. Nothing here knows
//! anything of the engine.

pub mod clock;
pub mod fork;
pub mod mapped;
