//! The timeline: an incident's events as rows for people.

use crate::{
    incident::{Incident, IncidentEvent},
    time::Timestamp,
};

/// One row of a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Position of the event.
    pub seq: u32,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// Who wrote it: `people` or `machine`.
    pub source: Source,
    /// One sentence in plain text; labels and notes in it are untrusted.
    pub text: String,
}

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A person did it.
    People,
    /// burnward did it.
    Machine,
}

/// The entry of one event; `incident` gives names and numbers around it.
pub fn entry(_incident: &Incident, _event: &IncidentEvent) -> Entry {
    unimplemented!()
}
