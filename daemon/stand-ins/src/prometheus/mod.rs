//! Prometheus for tests and for people who try things: the real one as a child process.

pub mod real;

pub use real::{Real, backfill};
