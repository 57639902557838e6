//! Exclusions at the edge: when recurring ones take time out, in the civil time of their zones.

pub mod recurrence;
