//! The `burnward` binary: everything is in the library, so that stories can drive it.

fn main() -> std::process::ExitCode {
    burnward::cli::main()
}
