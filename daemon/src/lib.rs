//! burnward: evaluates SLOs against Prometheus, keeps error budgets, pages the person on call, keeps the incident's timeline.
//! `daemon/ARCHITECTURE.md` is the map.

// A write of the macros panics where the reader went away: `cli::print` writes for every command.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod app;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod definition;
pub mod diff;
pub mod exclusion;
pub mod export;
pub mod import;
pub mod metrics;
pub mod notify;
pub mod proposal;
mod regular;
pub mod render;
pub mod replay;
pub mod report;
pub mod schedule;
pub mod shadow;
pub mod source;
pub mod store;
pub mod tasks;
pub mod then;
pub mod view;
pub mod web;
