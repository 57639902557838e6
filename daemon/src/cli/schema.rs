//! `burnward schema`: the JSON Schema of SLO documents, for editors.

use std::{
    io::{self, Write as _},
    process::ExitCode,
};

use crate::definition::SCHEMA;

/// Prints the schema.
pub(super) fn run() -> ExitCode {
    match io::stdout().write_all(SCHEMA.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("burnward: cannot write the schema: {error}");
            ExitCode::from(super::EXIT_CANNOT)
        }
        Ok(()) | Err(_) => ExitCode::SUCCESS,
    }
}
