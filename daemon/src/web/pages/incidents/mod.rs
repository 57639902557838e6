//! Incidents: the list, one incident, what people do with it, and its postmortem draft.

pub(super) mod actions;
pub(super) mod list;
pub(super) mod page;
pub(super) mod postmortem;
