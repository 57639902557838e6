//! The command line.

pub mod check;

/// Could not do it.
pub const EXIT_CANNOT: u8 = 2;

/// Runs the command that the arguments name.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
