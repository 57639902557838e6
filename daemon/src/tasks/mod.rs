//! The tasks. Each is a `tick` that looks at stored state, so that a restart and an ordinary day are one path.

pub mod deliver;
