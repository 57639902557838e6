//! The wiring: one straight function that builds everything, and the handle that web, Slack and tasks hold of the running daemon.

mod daemon;
mod handle;
mod request;

pub use daemon::{Daemon, Options, Pace};
pub use handle::{Guide, Handle};
pub use request::{Request, RequestError};
