//! Prometheus for tests and for people who try things: the real one and VictoriaMetrics as child processes, and a small one that can be wrong in every way.
//!
//! The small one parses queries by itself and shares nothing with what it tests.

mod answer;
mod api;
mod control;
mod fake;
mod fault;
mod process;
mod raw;
pub mod real;
mod remote_write;
mod tsdb;
mod victoria;
mod wire;

pub use fake::{Asked, FakePrometheus};
pub use fault::{Class, Fault};
pub use real::{Real, backfill};
pub use remote_write::{Value, Written};
pub use tsdb::LabelSet;
pub use victoria::Victoria;
