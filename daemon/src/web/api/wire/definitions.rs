//! The documents that run.

use jiff::Timestamp as Instant;
use serde::{Deserialize, Serialize};

use super::{HeldVersion, instant};
use crate::store::StoredDefinition;

/// The documents of a tenant that run: `GET /api/v1/definitions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningDefinitions {
    /// `burnward/v1/definitions`.
    pub schema: String,
    /// The last good text of each file, in the order of their paths.
    pub files: Vec<RunningDefinition>,
    /// SLOs that run on in an earlier version than their file holds, because their alerts hold.
    pub held: Vec<HeldVersion>,
}

/// A document that runs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunningDefinition {
    /// Its path, as the daemon's configuration leads to it.
    pub path: String,
    /// First 12 hex digits of the SHA-256 of its text.
    pub version: String,
    /// When this version was loaded first.
    pub loaded_at: Instant,
    /// Its whole text.
    pub text: String,
}

impl RunningDefinition {
    /// A document as the store keeps it.
    pub fn of(stored: &StoredDefinition) -> Self {
        let StoredDefinition { path, text, version, loaded_at, slos: _ } = stored.clone();
        Self { path, version, loaded_at: instant(loaded_at), text }
    }
}
