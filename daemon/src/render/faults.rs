//! Faults of templates: kept once each, for status, log and the operators' channel.

use std::sync::{Arc, Mutex, PoisonError};

/// Most faults kept; the first ones say enough.
const MAX_FAULTS: usize = 50;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "templates/{}: {}; the built-in text is used", self.template, self.reason)
    }
}

/// A template of the operator that is not used, or not used once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The template's path below the templates directory.
    pub template: String,
    /// What is wrong, in a sentence with the line where it is known.
    pub reason: String,
}

/// The faults since the templates were loaded; shared by everybody who renders or shows them.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// All of them, oldest first.
    pub fn list(&self) -> Vec<Fault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps a fault and logs it, unless it is known already.
    pub(super) fn tell(&self, template: &str, reason: String) {
        let fault = Fault { template: template.to_owned(), reason };
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < MAX_FAULTS && !faults.contains(&fault) {
            tracing::warn!(template = fault.template, reason = fault.reason, "template not used, the built-in text is used instead");
            faults.push(fault);
        }
    }
}
