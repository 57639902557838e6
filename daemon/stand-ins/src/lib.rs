//! Stand-ins.

pub mod prometheus;
pub mod slack;
