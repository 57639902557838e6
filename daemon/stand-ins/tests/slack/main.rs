//! The Slack stand-in's rules, one test each, driven by a plain HTTP client as any program would. docs/slack-stand-in.md lists them.

#[cfg(test)]
mod clicks;
#[cfg(test)]
mod client;
#[cfg(test)]
mod document;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod page;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod requests;
