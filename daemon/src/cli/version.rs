//! `burnward version`.

use std::process::ExitCode;

use crate::calendar::zones;

/// Prints version, target and the time zone data that is used.
pub(super) fn run() -> ExitCode {
    println!("burnward {}", env!("CARGO_PKG_VERSION"));
    println!("built for {} {}", std::env::consts::ARCH, std::env::consts::OS);
    println!("time zones {}", zones::release());
    println!("licence Apache-2.0");
    ExitCode::SUCCESS
}
