//! The web: pages, API and what Slack sends.

pub mod slack;
