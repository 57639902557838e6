//! `burnward version`.

use std::process::ExitCode;

use super::print;
use crate::calendar::zones;

/// Prints version, commit, target and the time zone data that is used.
pub(super) fn run() -> anyhow::Result<ExitCode> {
    print::line(format_args!("burnward {}", env!("CARGO_PKG_VERSION")))?;
    print::line(env!("BURNWARD_COMMIT"))?;
    print::line(format_args!("built for {} {}", std::env::consts::ARCH, std::env::consts::OS))?;
    print::line(format_args!("time zones {}", zones::release()))?;
    print::line("licence Apache-2.0")?;
    Ok(ExitCode::SUCCESS)
}
