//! Escalation: when the next step is due and who is paged then.
