//! Stand-ins.

pub mod prometheus;
