//! The indicators of `fixtures/field` against data: each thing that makes one of them hard, and what is counted of it. `prometheus` and `promtool` must be on the path.

#[path = "../counted/mod.rs"]
mod counted;
mod expressions;
mod rows;
mod samples;
mod told;
