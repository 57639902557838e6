//! Prometheus for tests and for people who try things: the real one as a child process, and a small one that can be wrong in every way.
//!
//! The small one parses queries by itself and shares nothing with what it tests.

mod answer;
mod api;
mod control;
mod fake;
mod fault;
mod raw;
pub mod real;
mod tsdb;
mod wire;

pub use fake::{Asked, FakePrometheus};
pub use fault::{Class, Fault};
pub use real::{Real, backfill};
pub use tsdb::LabelSet;
