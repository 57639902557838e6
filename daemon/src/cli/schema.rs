//! `burnward schema`: the JSON Schema of SLO documents, for editors.

use std::process::ExitCode;

use super::print;
use crate::definition::SCHEMA;

/// Prints the schema.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    print::text(SCHEMA)?;
    Ok(ExitCode::SUCCESS)
}
