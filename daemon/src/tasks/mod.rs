//! The tasks. Each is a `tick` that looks at stored state (or at a cache that stored state rebuilds); `driver` gives them their pace.

pub mod decide;
pub mod deliver;
pub mod driver;
pub mod follow;
pub mod read;
pub mod report;
pub mod tidy;
