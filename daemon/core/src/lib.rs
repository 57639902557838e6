//! The pure core of burnward: it counts events, keeps budgets, decides alerts, incidents and pages.
//!
//! What it never does: wait, read a clock, draw a random number, touch a file or a socket. Everything it needs is an argument,
//! `now` the last one; the same inputs give the same outputs. See `daemon/ARCHITECTURE.md` for the map and the invariants.

pub mod alert;
pub mod alert_rows;
pub mod assumed;
pub mod beginning;
pub mod budget;
pub mod burn_rate;
pub mod chance;
pub mod condition;
pub mod detection;
pub mod downtime;
pub mod escalation;
pub mod evaluate;
pub mod exclusion;
pub mod explain;
pub mod few_events;
mod hash;
pub mod id;
pub mod incident;
pub mod ledger;
pub mod oncall;
pub mod postmortem;
pub mod rename;
pub mod report;
pub mod sli;
pub mod slo;
pub mod status;
pub mod time;
pub mod timeline;
pub mod units;
pub mod window;
pub mod words;
