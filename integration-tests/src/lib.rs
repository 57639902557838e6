//! What the stories and the measuring scripts share: histories of traffic, a Prometheus with that history, a Slack stand-in, and a daemon whose clock is
//! moved by hand.

pub mod binary;
pub mod browser;
pub mod cost;
pub mod fleet;
pub mod history;
pub mod lone;
pub mod proxy;
pub mod received;
pub mod shop_around;
pub mod shop_week;
pub mod world;
