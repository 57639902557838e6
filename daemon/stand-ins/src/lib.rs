//! Stand-ins: small servers with state that stand where the outside world would, for tests, for the demo, and to be run by hand.

mod html;
mod origin;
pub mod prometheus;
pub mod shop;
pub mod slack;
