//! The fold: events in, state out.

use crate::id::TenantId;

use super::{Incident, IncidentEvent};

impl Incident {
    /// The incident that an `Opened` event begins; `None` for any other event.
    pub fn opened(_tenant: &TenantId, _ordinal: u64, _event: &IncidentEvent) -> Option<Self> {
        unimplemented!()
    }

    /// The state after one more event.
    pub fn apply(&mut self, _event: &IncidentEvent) {
        unimplemented!()
    }
}
