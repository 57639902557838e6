//! The store in SQLite.

/// The store in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore;
